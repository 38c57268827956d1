package qupath.lib.scripting

import qupath.lib.images.ImageData

/** What a script sees as the open image. */
class QP {
    private static ImageData current

    static ImageData getCurrentImageData() { current }

    /** Not QuPath's: how the tests open an image. */
    static void open(ImageData imageData) { current = imageData }
}
