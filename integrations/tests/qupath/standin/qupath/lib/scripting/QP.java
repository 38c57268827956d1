package qupath.lib.scripting;

import java.awt.image.BufferedImage;

import qupath.lib.images.ImageData;

/** What a script sees as the open image. */
public class QP {
    private static ImageData<BufferedImage> open;

    public static ImageData<BufferedImage> getCurrentImageData() {
        return open;
    }

    /** Not QuPath's: how the tests open an image. */
    public static void open(ImageData<BufferedImage> imageData) {
        open = imageData;
    }
}
