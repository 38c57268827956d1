package qupath.lib.images.servers

import java.awt.image.BufferedImage
import javax.imageio.ImageIO

/** A TIFF of one picture; um/px from the tags that ftuseg's own samples have. */
class ImageServer {
    final File file
    final BufferedImage image
    final ImageServerMetadata originalMetadata
    ImageServerMetadata metadata

    ImageServer(File file, BufferedImage image, PixelCalibration calibration) {
        this.file = file
        this.image = image
        originalMetadata = new ImageServerMetadata(pixelCalibration: calibration, name: file.name)
        metadata = originalMetadata
    }

    static ImageServer of(File file) {
        def reader = ImageIO.getImageReadersByFormatName('tiff').next()
        ImageIO.createImageInputStream(file).withCloseable { stream ->
            reader.setInput(stream)
            def tags = reader.getImageMetadata(0).getAsTree('javax_imageio_tiff_image_1.0')
            String unit = number(tags, 296), across = number(tags, 282)
            def perCm = across ? across.split('/').with { it.length == 2 ? (it[0] as double) / (it[1] as double) : it[0] as double } : null
            Double size = unit == '3' && perCm ? 1e4d / perCm : null
            new ImageServer(file, reader.read(0), new PixelCalibration(size, size))
        }
    }

    private static String number(tags, int wanted) {
        def fields = tags.getElementsByTagName('TIFFField')
        def field = (0..<fields.length).collect { fields.item(it) }.find { it.getAttribute('number') == wanted as String }
        def values = field?.getElementsByTagName('*')
        values == null ? null : (0..<values.length).collect { values.item(it) }.findResult { it.getAttribute('value') ?: null }
    }

    boolean isRGB() { image.colorModel.numColorComponents == 3 }

    int getWidth() { image.width }

    int getHeight() { image.height }

    int nZSlices() { 1 }

    int nTimepoints() { 1 }

    String getPath() { "StandIn: ${file.toURI()}" }

    Collection<URI> getURIs() { [file.toURI()] }

    PixelCalibration getPixelCalibration() { metadata.pixelCalibration }
}
