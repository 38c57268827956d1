package qupath.lib.images.servers

import groovy.transform.EqualsAndHashCode

@EqualsAndHashCode
class PixelCalibration {
    final Double pixelWidthMicrons, pixelHeightMicrons

    PixelCalibration(Double width, Double height) { pixelWidthMicrons = width; pixelHeightMicrons = height }

    boolean hasPixelSizeMicrons() { pixelWidthMicrons != null }

    double getAveragedPixelSizeMicrons() { (pixelWidthMicrons + pixelHeightMicrons) / 2 }
}
