package qupath.lib.objects

import qupath.lib.objects.classes.PathClass
import qupath.lib.roi.interfaces.ROI

class PathObjects {
    static PathObject createAnnotationObject(ROI roi) { new PathObject(roi, null) }

    static PathObject createAnnotationObject(ROI roi, PathClass pathClass) { new PathObject(roi, pathClass) }
}
