package org.locationtech.jts.geom

class GeometryFactory {
    LinearRing createLinearRing(Coordinate[] ring) {
        if (ring[0].x != ring[-1].x || ring[0].y != ring[-1].y)
            throw new IllegalArgumentException('Points of LinearRing do not form a closed linestring')
        new LinearRing(ring as List)
    }

    Polygon createPolygon(LinearRing shell, LinearRing[] holes) {
        new Polygon([shell, *holes].collect { it.polygons[0][0] })
    }
}
