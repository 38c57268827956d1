"""Checks outlines, exact and simplified, with shapely (GEOS).

    python read_outlines.py OUTLINES.tsv

A line an object: its area in px, its exact outline as WKT, a tolerance in px, and the outline that was simplified by it.
Ends with an error where one is not as it must be; else prints how many objects there are, and how the simplified ones
compare with shapely's own.
"""

import sys

from shapely import from_wkt, get_num_coordinates, hausdorff_distance
from shapely.validation import explain_validity


def rings(polygon):
    return [polygon.exterior, *polygon.interiors]


def main(path):
    count, ours, theirs, exact_corners = 0, 0, 0, 0
    for line in open(path):
        area, exact, tolerance, fewer = line.rstrip("\n").split("\t")
        tolerance = float(tolerance)
        exact, fewer = from_wkt(exact), from_wkt(fewer)
        assert exact.is_valid, explain_validity(exact)
        assert exact.area == int(area), (exact.area, area)
        assert fewer.is_valid, (tolerance, explain_validity(fewer), exact.wkt, fewer.wkt)
        # Every hole is kept, in its place.
        assert len(rings(exact)) == len(rings(fewer))
        for one, other in zip(rings(exact), rings(fewer)):
            # Both ways, from all corners and, as far as time allows, from points between them.
            is_small = get_num_coordinates(one) * get_num_coordinates(other) < 100_000
            far = hausdorff_distance(one, other, densify=0.25 if is_small else None)
            assert far <= tolerance + 1e-9, (far, tolerance)
        exact_corners += get_num_coordinates(exact)
        ours += get_num_coordinates(fewer)
        theirs += get_num_coordinates(exact.simplify(tolerance, preserve_topology=True))
        count += 1
    # It may begin a ring elsewhere and go down to a triangle; each hole here has a place of its own.
    assert ours <= 1.5 * theirs, (ours, theirs)
    print(count)
    print(f"{exact_corners} corners, {ours} after simplifying; shapely leaves {theirs}")


main(sys.argv[1])
