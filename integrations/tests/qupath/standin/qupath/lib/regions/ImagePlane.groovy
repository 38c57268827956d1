package qupath.lib.regions

import groovy.transform.EqualsAndHashCode

@EqualsAndHashCode
class ImagePlane {
    final int z, t

    private ImagePlane(int z, int t) { this.z = z; this.t = t }

    static ImagePlane getDefaultPlane() { new ImagePlane(0, 0) }

    static ImagePlane getPlane(int z, int t) { new ImagePlane(z, t) }
}
