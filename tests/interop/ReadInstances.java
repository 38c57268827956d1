// Reads instances.ome.tif with Bio-Formats, which QuPath, ImageJ and OMERO open images with.
//
//     java -cp bioformats_package.jar ReadInstances.java INSTANCES.ome.tif
//
// Checks that each smaller level is every second px of the one above. Prints a line for what holds for the whole file, then
// one for each level: its width, height, and how many px of each channel hold an object.

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.StringJoiner;
import loci.common.DebugTools;
import loci.common.services.ServiceFactory;
import loci.formats.FormatTools;
import loci.formats.ImageReader;
import loci.formats.ome.OMEXMLMetadata;
import loci.formats.services.OMEXMLService;
import ome.units.UNITS;

public class ReadInstances {
    public static void main(String[] arguments) throws Exception {
        DebugTools.setRootLevel("ERROR");
        try (ImageReader reader = new ImageReader()) {
            OMEXMLService service = new ServiceFactory().getInstance(OMEXMLService.class);
            OMEXMLMetadata metadata = service.createOMEXMLMetadata();
            reader.setMetadataStore(metadata);
            reader.setFlattenedResolutions(false);
            reader.setId(arguments[0]);
            StringJoiner names = new StringJoiner(",");
            for (int channel = 0; channel < reader.getSizeC(); channel++) {
                names.add(metadata.getChannelName(0, channel));
            }
            var size = metadata.getPixelsPhysicalSizeX(0);
            System.out.println(String.join(" ",
                    reader.getFormat(), FormatTools.getPixelTypeString(reader.getPixelType()),
                    "series " + reader.getSeriesCount(), names.toString(),
                    size == null ? "unknown" : String.valueOf(size.value(UNITS.MICROMETER))));
            int[][] above = new int[reader.getImageCount()][];
            int widthAbove = 0;
            for (int level = 0; level < reader.getResolutionCount(); level++) {
                reader.setResolution(level);
                int width = reader.getSizeX();
                StringJoiner counts = new StringJoiner(" ");
                for (int plane = 0; plane < reader.getImageCount(); plane++) {
                    int[] labels = new int[width * reader.getSizeY()];
                    ByteBuffer bytes = ByteBuffer.wrap(reader.openBytes(plane));
                    bytes.order(reader.isLittleEndian() ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
                    bytes.asIntBuffer().get(labels);
                    int count = 0;
                    for (int at = 0; at < labels.length; at++) {
                        count += labels[at] != 0 ? 1 : 0;
                        int from = 2 * (at / width) * widthAbove + 2 * (at % width);
                        if (above[plane] != null && labels[at] != above[plane][from]) {
                            throw new IllegalStateException("level " + level + " differs at " + at);
                        }
                    }
                    counts.add(String.valueOf(count));
                    above[plane] = labels;
                }
                widthAbove = width;
                System.out.println(width + " " + reader.getSizeY() + " " + counts);
            }
        }
    }
}
