"""Holds an export for HuBMAP against the rules of HuBMAP's data ingestion, and against the run's own files.

    python read_epic.py RESULTS EPIC

Ends with an error where something is not as it must be; else prints how many objects there are.
"""

import csv
import re
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import tifffile
import xmlschema

# Version 2.7 of the directory schema: each pattern, and whether something must match it. From
# src/ingest_validation_tools/directory-schemas/segmentation-mask-v2.7.yaml of hubmapconsortium/ingest-validation-tools.
PATTERNS = [
    (r"extras\/.*", True),
    (r"derived\/.*", True),
    (r"derived\/extras\/.*", True),
    (r"derived\/segmentation_masks\/.*", True),
    (r"derived\/segmentation_masks\/[^\/]+\.segmentations\.ome\.tiff$", True),
    (r"derived\/segmentation_masks\/[^\/]+-objects\.(?:xlsx|tsv)$", True),
    (r"derived\/segmentation_masks\/[^\/]+-centroid-adjacency\.csv$", False),
    (r"derived\/segmentation_masks\/[^\/]+-linkage-adjacency\.csv$", False),
    (r"derived\/segmentation_masks\/[^\/]+-mesh\.glb$", False),
    (r"derived\/segmentation_masks\/transformations\/.*", False),
]
# The first column of the template's header, and the columns of its table. From
# epic/latest/segmentation-mask-object-by-feature.xlsx of hubmapconsortium/dataset-metadata-spreadsheet.
HEADER = [
    "Type", "Unit", "Feature class", "Description", "Protocol used to derive this feature value (DOI)", "Alternative ID",
    "Permissible values", "Requirement level", "",
]  # fmt: skip
COLUMNS = [
    "Object ID", "Source file", "Mask name", "Mask ID", "Protocol for mask creation (DOI)", "Annotation tool",
    "Object type", "X", "Y", "Z",
]  # fmt: skip


def check_layout(folder):
    """As HuBMAP's check does: every file matches a pattern, and every pattern that must be matched is."""
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    for path in paths:
        assert any(re.fullmatch(pattern, path) for pattern, _ in PATTERNS), path
    for pattern, required in PATTERNS:
        assert not required or any(re.fullmatch(pattern, path) for path in paths), pattern


def read_table(path):
    """The rows of a table, after its header was checked."""
    with open(path, newline="") as file:
        lines = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [line[0] for line in lines[:9]] == HEADER
    assert not any(lines[8])
    names = lines[9]
    assert names[: len(COLUMNS)] == COLUMNS
    header = {line[0]: dict(zip(names, line)) for line in lines[:8]}
    rows = [dict(zip(names, line, strict=True)) for line in lines[10:]]
    for name in names[1:]:
        assert header["Type"][name] and header["Feature class"][name] and header["Description"][name]
        for row in rows:
            assert row[name] or header["Requirement level"][name] == "OPTIONAL", name
            if permissible := header["Permissible values"][name]:
                assert row[name] in permissible.split(" | ")
            match header["Type"][name]:
                case "integer" if row[name]:
                    int(row[name])
                case "float" if row[name]:
                    float(row[name])
                case "obo id":
                    assert re.fullmatch(r"UBERON:\d{7}", row[name])
                case "doi":
                    assert re.fullmatch(r"10\.[\d.]+/\S+", row[name])
    return rows


def main(results, exported):
    count = 0
    for folder in sorted(path for path in exported.iterdir() if path.is_dir()):
        check_layout(folder)
        masks = folder / "derived" / "segmentation_masks"
        # HuBMAP compares the one image with that of the parent.
        (image,) = masks.glob("*.ome.tiff")
        with tifffile.TiffFile(image) as tiff:
            assert tiff.is_ome
            xmlschema.XMLSchema(files("ome_types") / "ome-2016-06.xsd").validate(tiff.ome_metadata)
            pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
            for name in ["PhysicalSizeX", "PhysicalSizeY"]:
                assert float(pixels[name]) > 0 and pixels[f"{name}Unit"] == "µm"
            channels = pixels["Channel"]
            names = [c["Name"] for c in (channels if isinstance(channels, (list, tuple)) else [channels])]
            (series,) = tiff.series
            full = series.levels[0].asarray().reshape(len(names), *series.levels[0].shape[-2:])
            if max(full.shape) > 256:
                assert len(series.levels) > 1
        ids = tifffile.imread(results / "slides" / folder.name / "instances.ome.tif", series=0, level=0)
        ids = ids.reshape(-1, *full.shape[1:]).max(axis=0)
        tables = {path.name.removesuffix("-objects.tsv"): path for path in masks.glob("*-objects.tsv")}
        assert sorted(tables) == sorted(names)
        for plane, name in zip(full, names):
            rows = read_table(tables[name])
            assert np.unique(plane).tolist() == list(range(len(rows) + 1))
            for row in rows:
                assert row["Mask name"] == name and row["Source file"] == image.name
                own = plane == int(row["Object ID"])
                assert (own == (ids == int(row["ftuseg ID"]))).all()
                down, across = np.argwhere(own).mean(axis=0)
                # The middle of the first px is 0.5.
                assert (int(row["X"]), int(row["Y"])) == (int(across + 0.5), int(down + 0.5))
                size = float(pixels["PhysicalSizeX"]) * float(pixels["PhysicalSizeY"])
                assert abs(float(row["Area"]) - own.sum() * size) < 1e-3
                count += 1
        assert (full.max(axis=0) > 0).sum() == (ids > 0).sum()
    print(count)


main(Path(sys.argv[1]), Path(sys.argv[2]))
