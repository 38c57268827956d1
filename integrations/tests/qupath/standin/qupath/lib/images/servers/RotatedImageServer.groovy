package qupath.lib.images.servers

import java.awt.image.BufferedImage

class RotatedImageServer extends TransformingImageServer {
    enum Rotation { ROTATE_NONE, ROTATE_90, ROTATE_180, ROTATE_270 }

    RotatedImageServer(ImageServer server, Rotation rotation) { super(server, turned(server.image, rotation)) }

    private static BufferedImage turned(BufferedImage image, Rotation rotation) {
        assert rotation == Rotation.ROTATE_180
        def turned = new BufferedImage(image.width, image.height, BufferedImage.TYPE_INT_RGB)
        def pen = turned.createGraphics()
        pen.translate(image.width, image.height)
        pen.rotate(Math.PI)
        pen.drawImage(image, 0, 0, null)
        pen.dispose()
        turned
    }
}
