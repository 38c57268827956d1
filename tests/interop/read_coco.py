"""Reads an export as COCO JSON with pycocotools, and holds it against the run's own files.

    python read_coco.py RESULTS RESULTS.json

Ends with an error where something is not as it must be; else prints how many objects there are.
"""

import contextlib
import csv
import sys
from pathlib import Path

import numpy as np
import tifffile
from pycocotools import mask as rle
from pycocotools.coco import COCO


def main(results, path):
    with contextlib.redirect_stdout(sys.stderr):
        coco = COCO(path)
    count = 0
    for image in coco.loadImgs(coco.getImgIds()):
        folder = results / "slides" / image["slide"]
        mask = tifffile.imread(folder / "mask.tif", series=0, level=0)
        assert mask.shape == (image["height"], image["width"])
        instances = tifffile.imread(folder / "instances.ome.tif", series=0, level=0)
        instances = instances.reshape(-1, *mask.shape).max(axis=0)
        with open(folder / "objects.csv", newline="") as file:
            rows = {row["uuid"]: row for row in csv.DictReader(file)}
        found = np.zeros_like(mask)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
            row = rows.pop(annotation["uuid"])
            (category,) = coco.loadCats(annotation["category_id"])
            assert category["name"] == row["unit"]
            decoded = coco.annToMask(annotation).astype(bool)
            assert (decoded == (instances == int(row["id"]))).all()
            # The numbers of the shipped bundle's organs are those of the categories.
            found[decoded] = annotation["category_id"]
            encoded = coco.annToRLE(annotation)
            assert rle.area(encoded) == annotation["area"] == int(row["area_px"])
            assert list(rle.toBbox(encoded)) == annotation["bbox"]
            # The library's own encoder says the same.
            own = rle.encode(np.asfortranarray(decoded, dtype=np.uint8))
            assert own["counts"].decode() == annotation["segmentation"]["counts"]
            count += 1
        assert not rows
        assert (found == mask).all()
    print(count)


main(Path(sys.argv[1]), sys.argv[2])
