"""What the engine finds is what the command writes, byte for byte."""

import csv
import json

import numpy as np
import pandas as pd
import pyarrow.parquet
import tifffile


def ids(command):
    folders = sorted(folder.name for folder in (command / "slides").iterdir())
    assert len(folders) == 6
    return folders


def test_masks(command, found):
    units = 0
    for id in ids(command):
        mask = tifffile.imread(command / "slides" / id / "mask.tif", level=0)
        ours = found[id].mask
        assert ours.dtype == np.uint8 and ours.shape == found[id].shape == mask.shape
        assert ours.tobytes() == mask.tobytes(), id
        assert set(np.unique(ours)) <= {0, *found[id].labels.values()}
        units += len(found[id].objects)
    assert units > 20


def test_blocks_and_levels_of_masks(command, found):
    whole = found["two-organs"]
    assert (whole.read_mask(100, 50, 300, 20) == whole.mask[50:70, 100:400]).all()
    height, width = whole.shape
    beyond = whole.read_mask(width - 10, height - 10, 30, 30)
    assert not beyond[10:].any() and not beyond[:, 10:].any()
    assert (beyond[:10, :10] == whole.mask[-10:, -10:]).all()
    with tifffile.TiffFile(command / "slides/two-organs/mask.tif") as tiff:
        half = tiff.series[0].levels[1].asarray()
    rows, columns = half.shape
    assert (whole.read_mask(0, 0, columns, rows, level=1) == half).all()


def test_instances(command, found):
    for id in ids(command):
        planes = tifffile.imread(command / "slides" / id / "instances.ome.tif", level=0)
        ours = found[id].instances
        theirs = planes if planes.ndim == 2 else planes.max(axis=0)
        assert ours.dtype == np.uint32
        assert (ours == theirs).all(), id
        assert ((ours > 0) == (found[id].mask > 0)).all()


def test_rle(command, found):
    with open(command / "submission.csv", newline="") as table:
        rows = {row["id"]: row["rle"] for row in csv.DictReader(table)}
    for id in ids(command):
        assert found[id].rle() == rows[id]
    kidney = found["kidney-1"]
    assert kidney.rle("Kidney") == kidney.rle() != ""
    assert kidney.rle("lung") == ""


def test_geojson(command, found):
    for id in ids(command):
        text = (command / "slides" / id / "objects.geojson").read_bytes()
        assert found[id].geojson().encode() == text
    assert '"annotation"' in found["kidney-1"].geojson(objects_as="annotation")


def test_tables(command, found):
    for id in ids(command):
        theirs = pyarrow.parquet.read_table(command / "slides" / id / "objects.parquet")
        ours = pyarrow.table(found[id].objects)
        assert ours.schema.names == theirs.schema.names == found[id].objects.column_names
        assert ours.schema.types == theirs.schema.types
        assert ours.equals(theirs), id


def test_pictures(command, found):
    for id in ids(command):
        theirs = (command / "slides" / id / "overlay.png").read_bytes()
        assert found[id].overlay() == theirs
    assert found["kidney-1"]._repr_png_().startswith(b"\x89PNG")


def test_records(command, found, slides):
    for id in ids(command):
        theirs = json.loads((command / "slides" / id / "slide.json").read_text())
        ours = found[id].record
        assert ours["input"]["path"] == str(slides[id])
        assert ours["input"]["bytes"] == theirs["input"]["bytes"]
        del theirs["folder"]
        for record in (theirs, ours):
            for own in ("input", "seconds", "timings"):
                del record[own]
            del record["made_by"]["settings"]["write"]
        assert ours == theirs
        assert ours["organs"] == found[id].organs
        assert [doubt.kind for doubt in found[id].warnings] == [w["kind"] for w in ours["warnings"]]


def test_organ_maps(command, found):
    for id in ids(command):
        theirs = found[id].record["organ_map"]
        ours = found[id].organ_map
        assert ours.cell_px == theirs["cell_px"]
        assert ours.cells.shape == (theirs["rows"], theirs["columns"])
        legend = theirs["legend"]
        words = [[legend[letter] for letter in row] for row in theirs["cells"]]
        assert (np.array(ours.names)[ours.cells] == np.array(words)).all()
    assert found["kidney-1"].organ_map.names[1] == "kidney"


def test_outlines(found):
    for result in found.values():
        table = pd.DataFrame.from_arrow(result.objects)
        outlines = result.outlines()
        assert len(outlines) == len(table)
        for rings, (_, row) in zip(outlines, table.iterrows(), strict=True):
            assert len(rings) == 1 + row["holes"]
            assert all((ring[0] == ring[-1]).all() for ring in rings)
            low = rings[0].min(axis=0)
            assert tuple(low) == (row["box_x_px"], row["box_y_px"])
            x, y = (rings[0][:, axis].astype(np.int64) for axis in (0, 1))
            area = abs(int((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())) // 2
            assert area == row["area_px"] + row["holes_area_px"]
