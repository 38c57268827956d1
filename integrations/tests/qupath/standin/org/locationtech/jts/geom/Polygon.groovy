package org.locationtech.jts.geom

class Polygon extends Geometry {
    Polygon(List<List<Coordinate>> rings) { super([rings]) }

    int getNumInteriorRing() { polygons[0].size() - 1 }
}
