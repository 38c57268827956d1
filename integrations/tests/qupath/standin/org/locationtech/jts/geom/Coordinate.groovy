package org.locationtech.jts.geom

class Coordinate {
    public double x, y

    Coordinate(double x, double y) { this.x = x; this.y = y }
}
