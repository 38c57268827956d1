package org.locationtech.jts.geom

class LinearRing extends Geometry {
    LinearRing(List<Coordinate> ring) { super([[ring]]) }
}
