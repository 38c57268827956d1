package qupath.lib.roi

import org.locationtech.jts.geom.Coordinate
import org.locationtech.jts.geom.Polygon
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.interfaces.ROI

class ROIs {
    static ROI createPolygonROI(double[] x, double[] y, ImagePlane plane) {
        new ROI(new Polygon([(0..<x.length).collect { new Coordinate(x[it], y[it]) }]), plane)
    }

    static ROI createRectangleROI(double x, double y, double width, double height, ImagePlane plane) {
        createPolygonROI([x, x + width, x + width, x] as double[], [y, y, y + height, y + height] as double[], plane)
    }

    static ROI createEllipseROI(double x, double y, double width, double height, ImagePlane plane) {
        def angles = (0..<720).collect { it * Math.PI / 360 }
        createPolygonROI(angles.collect { x + width / 2 * (1 + Math.cos(it)) } as double[],
            angles.collect { y + height / 2 * (1 + Math.sin(it)) } as double[], plane)
    }

    static ROI createLineROI(double x, double y, double x2, double y2, ImagePlane plane) {
        new ROI(new Polygon([[new Coordinate(x, y), new Coordinate(x2, y2)]]), plane, false)
    }
}
