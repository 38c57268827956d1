"""Reads exported SpatialData stores with spatialdata and ome-zarr, and holds them against the run's own files.

    python read_spatialdata.py RESULTS STORES

Ends with an error where something is not as it must be; else prints how many objects there are.
"""

import csv
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import tifffile
from shapely.geometry import shape

warnings.filterwarnings("ignore")

import spatialdata  # noqa: E402
from ome_zarr.io import parse_url  # noqa: E402
from ome_zarr.reader import Reader  # noqa: E402
from spatialdata.transformations import get_transformation  # noqa: E402


def check_ome_zarr(path, full):
    """The labels alone, as any reader of OME-Zarr finds them."""
    (node,) = [node for node in Reader(parse_url(str(path)))() if node.data]
    levels = [np.asarray(level) for level in node.data]
    assert (levels[0] == full).all() and levels[0].dtype == np.uint32
    for above, level in zip(levels, levels[1:]):
        assert (level == above[::2, ::2]).all()
    assert max(levels[-1].shape) <= 256


def main(results, stores):
    count = 0
    for path in sorted(stores.glob("*.zarr")):
        folder = results / "slides" / path.name.removesuffix(".zarr")
        record = json.loads((folder / "slide.json").read_text())
        ids = tifffile.imread(folder / "instances.ome.tif", series=0, level=0)
        ids = ids.reshape(-1, *ids.shape[-2:]).max(axis=0)
        check_ome_zarr(path / "labels" / "objects_labels", ids)
        store = spatialdata.read_zarr(path)
        labels = store.labels["objects_labels"]
        full = np.asarray(labels["scale0"].ds["image"]) if hasattr(labels, "children") and labels.children else np.asarray(labels)
        assert (full == ids).all()
        with open(folder / "objects.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            assert not store.shapes and not store.tables
            continue
        features = json.loads((folder / "objects.geojson").read_text())["features"]
        shapes = store.shapes["objects"]
        assert shapes.index.tolist() == [int(row["id"]) for row in rows]
        for polygon, feature in zip(shapes.geometry, features):
            assert polygon.is_valid and polygon.equals(shape(feature["geometry"]))
        for element in [labels, shapes]:
            known = get_transformation(element, get_all=True)
            assert set(known) == ({"global", "um"} if record["mpp"] else {"global"})
            if record["mpp"]:
                matrix = known["um"].to_affine_matrix(["x", "y"], ["x", "y"])
                assert np.allclose(matrix[:2, :2], np.diag([record["mpp"]["value"], record["mpp"]["down"]]))
        # The table is about the shapes.
        table = store.tables["table"]
        element, joined = spatialdata.match_element_to_table(store, "objects", "table")
        assert len(joined) == len(rows) and len(element["objects"]) == len(rows)
        assert spatialdata.get_element_instances(labels).tolist() in ([0, *shapes.index], [*shapes.index])
        assert table.uns["spatialdata_attrs"] == {"region": "objects", "region_key": "region", "instance_key": "id"}
        assert str(table.uns["ftuseg"]["slide"]) == record["id"]
        assert table.obs_names.tolist() == [row["uuid"] for row in rows]
        assert np.allclose(table.obsm["spatial"], [[float(row[f"centroid_{axis}_px"]) for axis in "xy"] for row in rows])
        for name in ["organ", "unit", "model", "id", "touches_slide_edge", "touches_tissue_edge"]:
            assert [str(value).lower() for value in table.obs[name]] == [row[name].lower() for row in rows], name
        known = {*table.var_names, *table.obs.columns, "slide", "uuid"} - {"region"}
        assert known == set(rows[0])
        for name in table.var_names:
            values = np.asarray(table[:, name].X).ravel()
            expected = [float(row[name]) if row[name] else np.nan for row in rows]
            assert np.array_equal(values, expected, equal_nan=True), name
        count += len(rows)
    print(count)


main(Path(sys.argv[1]), Path(sys.argv[2]))
