package qupath.lib.objects

import qupath.lib.measurements.MeasurementList
import qupath.lib.objects.classes.PathClass
import qupath.lib.roi.interfaces.ROI

class PathObject {
    private final ROI roi
    private final PathClass pathClass
    private boolean locked
    private final MeasurementList measurements = new MeasurementList()
    private final Map<String, String> metadata = [:]

    PathObject(ROI roi, PathClass pathClass) { this.roi = roi; this.pathClass = pathClass }

    ROI getROI() { roi }

    PathClass getPathClass() { pathClass }

    boolean isAnnotation() { true }

    boolean isLocked() { locked }

    void setLocked(boolean locked) { this.locked = locked }

    MeasurementList getMeasurementList() { measurements }

    Map<String, String> getMetadata() { metadata }
}
