package qupath.lib.images

import qupath.lib.images.servers.ImageServer
import qupath.lib.images.servers.ImageServerMetadata
import qupath.lib.objects.hierarchy.PathObjectHierarchy

class ImageData {
    final ImageServer server
    final PathObjectHierarchy hierarchy = new PathObjectHierarchy()

    ImageData(ImageServer server) { this.server = server }

    void updateServerMetadata(ImageServerMetadata metadata) { server.metadata = metadata }
}
