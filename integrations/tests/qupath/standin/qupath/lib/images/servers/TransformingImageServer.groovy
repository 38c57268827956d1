package qupath.lib.images.servers

import java.awt.image.BufferedImage

abstract class TransformingImageServer extends ImageServer {
    TransformingImageServer(ImageServer server, BufferedImage image) { super(server.file, image, server.pixelCalibration) }
}
