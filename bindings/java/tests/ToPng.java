import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import javax.imageio.ImageIO;

/** Writes the first level of a TIFF as PNG, which has no other levels. */
public class ToPng {
    public static void main(String[] words) throws IOException {
        BufferedImage picture = ImageIO.read(new File(words[0]));
        if (picture == null || !ImageIO.write(picture, "png", new File(words[1]))) {
            throw new IOException(words[0] + ": it cannot be read, or " + words[1] + " not be written");
        }
    }
}
