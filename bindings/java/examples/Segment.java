import ftuseg.DetectedObject;
import ftuseg.Engine;
import ftuseg.FtusegException;
import ftuseg.Organ;
import ftuseg.Request;
import ftuseg.Result;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Segments a slide and writes what was found:
 *
 *     java --enable-native-access=ALL-UNNAMED -cp ftuseg.jar Segment.java slide.svs out [bundle=DIR] [threads=4] ...
 *
 * writes out/objects.geojson, out/mask.tif and out/rle.txt.
 */
public class Segment {
    public static void main(String[] words) throws IOException {
        if (words.length < 2) {
            System.err.println("usage: Segment.java SLIDE OUT [OPTION=VALUE ...]");
            System.exit(2);
        }
        Map<String, String> options = new TreeMap<>();
        for (String word : List.of(words).subList(2, words.length)) {
            String[] pair = word.split("=", 2);
            options.put(pair[0], pair.length < 2 ? null : pair[1]);
        }
        try (Engine engine = new Engine(options, System.err::println)) {
            System.out.println(engine.bundle() + " on " + engine.runtime());
            Request request = Request.ALL.progress((done, planned) -> System.err.printf("\r%d of %d tiles", done, planned));
            try (Result result = engine.segment(Path.of(words[0]), request)) {
                System.err.println();
                show(result);
                write(result, Path.of(words[1]));
            }
        } catch (FtusegException error) {
            System.err.println(error.getMessage() + " (" + error.kind() + ")");
            System.exit(1);
        }
    }

    private static void show(Result result) {
        System.out.println(result.slide());
        result.warnings().forEach(warning -> System.out.println("warning: " + warning.text()));
        List<Organ> organs = result.organs();
        List<DetectedObject> objects = result.objects();
        for (int index = 0; index < objects.size(); index++) {
            DetectedObject object = objects.get(index);
            System.out.printf(
                    "%d %s in %s: %.1f um2%n",
                    object.id(),
                    organs.get(object.organ()).unit(),
                    object.bounds(),
                    result.measurement(index, "area_um2"));
        }
    }

    private static void write(Result result, Path folder) throws IOException {
        Files.createDirectories(folder);
        result.writeMask(folder.resolve("mask.tif"));
        // The texts can be large: they go from the library's memory to the file.
        try (Arena arena = Arena.ofConfined()) {
            write(folder.resolve("objects.geojson"), result.geojson(arena));
            write(folder.resolve("rle.txt"), result.rle(null, arena));
        }
    }

    private static void write(Path path, MemorySegment text) throws IOException {
        try (FileChannel file = FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            // A buffer holds less than 2 GiB.
            for (long at = 0; at < text.byteSize(); ) {
                long length = Math.min(text.byteSize() - at, 1 << 30);
                ByteBuffer part = text.asSlice(at, length).asByteBuffer();
                at += file.write(part);
            }
        }
    }
}
