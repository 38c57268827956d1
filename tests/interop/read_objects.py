"""Reads what a run wrote of a slide's objects with the libraries that people use, and checks that all of it agrees.

    python read_objects.py RESULTS/slides/ID

Needs what requirements.txt names (see test.sh). Ends with an error where something is not as it must be; else prints how
many objects there are.
"""

import csv
import gzip
import json
import math
import sys
import uuid
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow.parquet
import tifffile
import xmlschema
import zarr
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader
from shapely.geometry import shape
from skimage.measure import regionprops

NAMESPACE = uuid.UUID("350be5f9-d5db-5ef2-886f-07f7eda81485")


def close(one, other, tolerance=1e-3):
    assert math.isclose(one, other, rel_tol=0, abs_tol=tolerance), (one, other)


def check_parquet(path, rows):
    """Compares a table with the rows of the one in CSV."""
    parquet = pyarrow.parquet.read_table(path).to_pylist()
    assert len(parquet) == len(rows) and list(parquet[0]) == list(rows[0])
    for row, other in zip(rows, parquet):
        for name, text in row.items():
            value = other[name]
            match value:
                case None:
                    assert text == ""
                case bool():
                    assert text == str(value).lower(), name
                case float():
                    assert float(text) == value, name
                case int():
                    assert int(text) == value, name
                case str():
                    assert text == value, name


def check_zarr(path, full, organs, rows, record):
    """The images of labels, by zarr-python and by ome-zarr: the px of the instances, an image an organ."""
    root = zarr.open_group(path, mode="r")
    assert root.metadata.zarr_format == 3 and root.attrs["ome"]["version"] == "0.5"
    assert root["labels"].attrs["ome"]["labels"] == organs
    assert sorted(root["labels"].group_keys()) == sorted(organs)
    for place, organ in enumerate(organs):
        own = [row for row in rows if row["organ"] == organ]
        ids = [int(row["id"]) for row in own]
        (node,) = [node for node in Reader(parse_url(str(path / "labels" / organ), mode="r"))() if node.data]
        levels = [np.asarray(level) for level in node.data]
        assert levels[0].dtype == np.uint32 and (levels[0] == full[place]).all()
        for above, level in zip(levels, levels[1:]):
            assert (level == above[::2, ::2]).all()
        assert max(levels[-1].shape) <= 256
        for number, (level, scales) in enumerate(zip(levels, node.metadata["coordinateTransformations"])):
            stored = root["labels"][organ][f"s{number}"]
            assert stored.chunks == (256, 256) and (stored[:] == level).all()
            if record["mpp"]:
                size = record["mpp"]["down"], record["mpp"]["value"]
                (scale,) = [one["scale"] for one in scales if one["type"] == "scale"]
                assert np.allclose(scale, np.array(size) * 2**number)
        assert [axis["name"] for axis in node.metadata["axes"]] == ["y", "x"]
        assert {axis.get("unit") for axis in node.metadata["axes"]} == ({"micrometer"} if record["mpp"] else {None})
        # As napari shows them.
        assert sorted(node.metadata["color"]) == ids
        told = node.metadata["properties"]
        assert sorted(told) == ids
        for row in own:
            properties = told[int(row["id"])]
            assert properties["uuid"] == row["uuid"] and str(properties["area_px"]) == row["area_px"]


def main(folder):
    record = json.loads((folder / "slide.json").read_text())
    with open(folder / "objects.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["id"]) for row in rows] == list(range(1, len(rows) + 1))

    # Parquet has the same columns and the same values, of this slide and of all.
    check_parquet(folder / "objects.parquet", rows)
    results = folder.parent.parent
    with open(results / "objects.csv", newline="") as file:
        everything = list(csv.DictReader(file))
    assert [row for row in everything if row["slide"] == rows[0]["slide"]] == rows
    check_parquet(results / "objects.parquet", everything)

    # The instances: an OME-TIFF whose XML keeps to its schema.
    with tifffile.TiffFile(folder / "instances.ome.tif") as tiff:
        assert tiff.is_ome and tiff.ome_metadata
        xmlschema.XMLSchema(files("ome_types") / "ome-2016-06.xsd").validate(tiff.ome_metadata)
        (series,) = tiff.series
        assert series.dtype == np.uint32
        levels = [level.asarray() for level in series.levels]
        levels = [level if level.ndim == 3 else level[np.newaxis] for level in levels]
        full = levels[0]
        organs = sorted({row["organ"] for row in rows}, key=[row["organ"] for row in rows].index)
        assert full.shape == (max(len(organs), 1), record["height"], record["width"]), full.shape
        names = [channel["Name"] for channel in tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]["Channel"]] if len(organs) > 1 else organs
        assert names == organs, names
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
        if record["mpp"]:
            close(float(pixels["PhysicalSizeX"]), record["mpp"]["value"], 1e-12)
            assert pixels["PhysicalSizeXUnit"] == "µm"
        for above, level in zip(levels, levels[1:]):
            assert (level == above[:, ::2, ::2]).all()
        assert max(levels[-1].shape[1:]) <= 256
        # What Viv asks of a file: tiles of one size in all levels, which lie behind each plane as SubIFDs.
        assert len(series.levels[0].pages[0].subifds or ()) == len(levels) - 1
        for page in (page for level in series.levels for page in level.pages):
            assert page.tile == (256, 256) and page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
    # napari's own reader takes what `asarray` gives of the file.
    assert (tifffile.imread(folder / "instances.ome.tif").reshape(full.shape) == full).all()

    check_zarr(folder / "labels.ome.zarr", full, organs, rows, record)

    # Measured once more, from the px.
    for place, organ in enumerate(organs):
        own = [row for row in rows if row["organ"] == organ]
        regions = {region.label: region for region in regionprops(full[place].astype(np.int64))}
        assert sorted(regions) == [int(row["id"]) for row in own]
        for row in own:
            region = regions[int(row["id"])]
            assert int(row["area_px"]) == region.area
            top, left, bottom, right = region.bbox
            box = [int(row[f"box_{name}_px"]) for name in ["x", "y", "width", "height"]]
            assert box == [left, top, right - left, bottom - top]
            close(float(row["centroid_x_px"]) - 0.5, region.centroid[1])
            close(float(row["centroid_y_px"]) - 0.5, region.centroid[0])
            close(float(row["perimeter_px"]), region.perimeter)
            close(float(row["equivalent_diameter_px"]), region.equivalent_diameter_area)
            close(float(row["major_axis_px"]), region.axis_major_length)
            close(float(row["minor_axis_px"]), region.axis_minor_length)
            close(float(row["solidity"]), region.solidity)
            assert int(row["holes_area_px"]) == region.area_filled - region.area
            first = region.coords[0]
            name = f"{row['slide']}/{organ}/{first[1]}/{first[0]}"
            assert row["uuid"] == str(uuid.uuid5(NAMESPACE, name))

    # The probabilities, from the map of them.
    if (folder / "prob.tif").exists():
        map_ = tifffile.imread(folder / "prob.tif", series=0, level=0)
        for row in rows:
            values = map_[full[organs.index(row["organ"])] == int(row["id"])].astype(float)
            close(float(row["mean_probability"]), (values.mean() + 0.5) / 256, 1e-4)
            close(float(row["lowest_probability"]), (values.min() + 0.5) / 256, 1e-4)

    # GeoJSON: the same figures, valid polygons, and the same compressed.
    text = (folder / "objects.geojson").read_bytes()
    assert gzip.decompress((folder / "objects.geojson.gz").read_bytes()) == text
    features = json.loads(text)["features"]
    assert len(features) == len(rows)
    for feature, row in zip(features, rows):
        polygon = shape(feature["geometry"])
        assert polygon.is_valid and polygon.area == int(row["area_px"])
        assert feature["id"] == row["uuid"]
        properties = feature["properties"]
        assert properties["metadata"]["id"] == row["id"] and properties["metadata"]["organ"] == row["organ"]
        measured = properties["measurements"]
        for name, column in [
            ("Area px^2", "area_px"), ("Area µm^2", "area_um2"), ("Perimeter µm", "perimeter_um"),
            ("Solidity", "solidity"), ("Circularity", "circularity"), ("Mean probability", "mean_probability"),
        ]:  # fmt: skip
            assert (name not in measured and row[column] == "") or measured[name] == float(row[column]), name

    # And what the record says of them all.
    for organ in record["organs"]:
        own = [row for row in rows if row["organ"] == organ["organ"]]
        assert organ["objects"] == len(own)
        assert organ["area_px"] == sum(int(row["area_px"]) for row in own)
        if own:
            close(organ["median_area_px"], float(np.median([int(row["area_px"]) for row in own])))
    print(len(rows))


main(Path(sys.argv[1]))
