package qupath.lib.images.servers

class ImageServerMetadata {
    PixelCalibration pixelCalibration

    static class Builder {
        private PixelCalibration calibration

        Builder(ImageServerMetadata metadata) { calibration = metadata.pixelCalibration }

        Builder pixelSizeMicrons(Number width, Number height) { calibration = new PixelCalibration(width as Double, height as Double); this }

        ImageServerMetadata build() { new ImageServerMetadata(pixelCalibration: calibration) }
    }
}
