package org.locationtech.jts.geom

/** Polygons with holes, as rings: the first of each polygon is its shell. */
class Geometry {
    final List<List<List<Coordinate>>> polygons

    Geometry(List<List<List<Coordinate>>> polygons) { this.polygons = polygons }

    int getNumGeometries() { polygons.size() }

    Coordinate[] getCoordinates() { polygons.flatten() as Coordinate[] }
}
