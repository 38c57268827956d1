package qupath.lib.objects.hierarchy

import qupath.lib.objects.PathObject
import qupath.lib.objects.hierarchy.events.PathObjectSelectionModel

class PathObjectHierarchy {
    final PathObjectSelectionModel selectionModel = new PathObjectSelectionModel()
    private final List<PathObject> objects = []

    boolean addObject(PathObject object) { objects.add(object) }

    boolean addObjects(Collection<? extends PathObject> added) { objects.addAll(added) }

    void removeObjects(Collection<? extends PathObject> removed, boolean keepChildren) { objects.removeAll(removed) }

    Collection<PathObject> getAnnotationObjects() { objects.collect() }
}
