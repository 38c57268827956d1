package qupath.lib.images.servers

class ImageServerMetadata {
    PixelCalibration pixelCalibration
    String name

    static class Builder {
        private PixelCalibration calibration
        private String name

        Builder(ImageServerMetadata metadata) { calibration = metadata.pixelCalibration; name = metadata.name }

        Builder pixelSizeMicrons(Number width, Number height) { calibration = new PixelCalibration(width as Double, height as Double); this }

        ImageServerMetadata build() { new ImageServerMetadata(pixelCalibration: calibration, name: name) }
    }
}
