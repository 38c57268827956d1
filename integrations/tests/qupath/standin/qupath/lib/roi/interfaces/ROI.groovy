package qupath.lib.roi.interfaces

import java.awt.geom.Path2D
import org.locationtech.jts.geom.Geometry
import qupath.lib.regions.ImagePlane

/** Any shape, as rings; a line is none. */
class ROI {
    final Geometry geometry
    final ImagePlane imagePlane
    final boolean area

    ROI(Geometry geometry, ImagePlane imagePlane, boolean area = true) {
        this.geometry = geometry; this.imagePlane = imagePlane; this.area = area
    }

    boolean isArea() { area }

    double getBoundsX() { geometry.coordinates*.x.min() }

    double getBoundsY() { geometry.coordinates*.y.min() }

    double getBoundsWidth() { geometry.coordinates*.x.max() - boundsX }

    double getBoundsHeight() { geometry.coordinates*.y.max() - boundsY }

    double getArea() { sums()[0] }

    double getCentroidX() { sums().with { it[1] / it[0] } }

    double getCentroidY() { sums().with { it[2] / it[0] } }

    boolean contains(double x, double y) {
        def path = new Path2D.Double(Path2D.WIND_EVEN_ODD)
        rings().each { ring ->
            ring.eachWithIndex { c, i -> i == 0 ? path.moveTo(c.x, c.y) : path.lineTo(c.x, c.y) }
            path.closePath()
        }
        path.contains(x, y)
    }

    private List rings() { geometry.polygons.collectMany { it } }

    /** Area, and area times the middle: a hole's count against its shell's. */
    private List<Double> sums() {
        def total = [0d, 0d, 0d]
        geometry.polygons.each { polygon ->
            polygon.eachWithIndex { ring, i ->
                double a = 0, mx = 0, my = 0
                for (int k = 0; k < ring.size(); k++) {
                    def (p, q) = [ring[k], ring[(k + 1) % ring.size()]]
                    double cross = p.x * q.y - q.x * p.y
                    a += cross / 2; mx += (p.x + q.x) * cross / 6; my += (p.y + q.y) * cross / 6
                }
                double sign = Math.signum(a) * (i == 0 ? 1 : -1)
                total = [total[0] + sign * a, total[1] + sign * mx, total[2] + sign * my]
            }
        }
        total
    }
}
