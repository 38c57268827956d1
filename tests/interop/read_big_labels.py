"""Reads a file of labels that passes 4 GiB, which nobody wants in memory: only tiles that hold something.

    python read_big_labels.py LABELS.ome.tif

Prints a line for each tile that is not 0: its plane, level and number, and its first label.
"""

import sys

import tifffile


def main(path):
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_bigtiff and tiff.is_ome
        (series,) = tiff.series
        assert series.axes == "CYX" and series.dtype == "uint32"
        for plane in range(series.shape[0]):
            for place, level in enumerate(series.levels):
                page = level.pages[plane].aspage()
                assert page.is_tiled and page.tile == (256, 256)
                # What is empty is stored once.
                empty = max(set(page.dataoffsets), key=page.dataoffsets.count)
                for number, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts)):
                    if offset == empty:
                        continue
                    tiff.filehandle.seek(offset)
                    labels, _, _ = page.decode(tiff.filehandle.read(count), number)
                    print(f"plane {plane} level {place} tile {number}: from {labels.flat[0]}")


main(sys.argv[1])
