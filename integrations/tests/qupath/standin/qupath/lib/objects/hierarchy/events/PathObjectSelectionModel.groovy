package qupath.lib.objects.hierarchy.events

import qupath.lib.objects.PathObject

class PathObjectSelectionModel {
    PathObject selectedObject
}
