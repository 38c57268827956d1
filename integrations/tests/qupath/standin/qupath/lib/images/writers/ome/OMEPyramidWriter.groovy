package qupath.lib.images.writers.ome

import java.nio.ByteBuffer
import java.nio.ByteOrder
import qupath.lib.images.servers.ImageServer

/** Writes the region as a plain TIFF of one strip, whose description is OME-XML with um/px. */
class OMEPyramidWriter {
    static class Builder {
        private final ImageServer server
        private List<Integer> part

        Builder(ImageServer server) { this.server = server }

        Builder region(int x, int y, int width, int height) { part = [x, y, width, height]; this }

        Builder zSlice(int z) { this }

        Builder timePoint(int t) { this }

        Builder losslessCompression() { this }

        Builder tileSize(int size) { this }

        Builder scaledDownsampling(double scale) { this }

        Builder parallelize() { this }

        OMEPyramidSeries build() { new OMEPyramidSeries(server, part) }
    }

    static class OMEPyramidSeries {
        private final ImageServer server
        private final List<Integer> part

        OMEPyramidSeries(ImageServer server, List<Integer> part) { this.server = server; this.part = part }

        void writePyramid(String path) {
            def (int x, int y, int width, int height) = part
            def size = server.pixelCalibration
            byte[] told = ('<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">' +
                '<Image ID="Image:0"><Pixels BigEndian="false" DimensionOrder="XYCZT" ID="Pixels:0" Interleaved="true" ' +
                "SizeC=\"3\" SizeT=\"1\" SizeX=\"${width}\" SizeY=\"${height}\" SizeZ=\"1\" Type=\"uint8\" " +
                "PhysicalSizeX=\"${size.pixelWidthMicrons}\" PhysicalSizeXUnit=\"\u00b5m\" " +
                "PhysicalSizeY=\"${size.pixelHeightMicrons}\" PhysicalSizeYUnit=\"\u00b5m\">" +
                '<Channel ID="Channel:0:0" SamplesPerPixel="3"/><TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>\0').getBytes('UTF-8')
            def tags = [[256, 4, 1, width], [257, 4, 1, height], [258, 3, 3, 0], [259, 3, 1, 1], [262, 3, 1, 2], [270, 2, told.length, 0],
                        [273, 4, 1, 0], [277, 3, 1, 3], [278, 4, 1, height], [279, 4, 1, 3 * width * height]]
            int bits = 8 + 2 + 12 * tags.size() + 4, text = bits + 6, px = text + told.length
            tags[2][3] = bits; tags[5][3] = text; tags[6][3] = px
            def out = ByteBuffer.allocate(px + 3 * width * height).order(ByteOrder.LITTLE_ENDIAN)
            out.put('II'.bytes).putShort((short) 42).putInt(8).putShort((short) tags.size())
            tags.each { tag, type, count, value -> out.putShort((short) tag).putShort((short) type).putInt((int) count).putInt((int) value) }
            out.putInt(0).putShort((short) 8).putShort((short) 8).putShort((short) 8).put(told)
            server.image.getRGB(x, y, width, height, null, 0, width).each { int rgb ->
                out.put((byte) (rgb >> 16)).put((byte) (rgb >> 8)).put((byte) rgb)
            }
            new File(path).bytes = out.array()
        }
    }
}
