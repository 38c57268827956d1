import ftuseg.Cancel;
import ftuseg.DetectedObject;
import ftuseg.Engine;
import ftuseg.FtusegException;
import ftuseg.Organ;
import ftuseg.OrganMap;
import ftuseg.Pixels;
import ftuseg.Rect;
import ftuseg.Request;
import ftuseg.Result;
import ftuseg.Slide;
import java.awt.image.BufferedImage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import javax.imageio.ImageIO;

/**
 * Holds the package against the command and tries to break it. `test.sh` names the bundle and a folder with `slide.png`,
 * and with what the command makes of it in `command`.
 */
public class Checks {
    /** um/px of the slide, which its file does not state. */
    private static final double MPP = 2;

    private static final Request REQUEST = Request.ALL.mpp(MPP);

    private static Map<String, String> options;
    private static Path folder;
    private static Path slide;
    private static Engine engine;
    /** What the engine finds in the slide's file. */
    private static Result found;

    public static void main(String[] words) throws Exception {
        options = Map.of("bundle", words[0], "backend", "onnxruntime", "threads", "2", "max-models", "2");
        folder = Path.of(words[1]);
        slide = folder.resolve("slide.png");
        int passed = 0;
        int failed = 0;
        try (Engine made = new Engine(options, line -> System.err.println("engine: " + line));
                Result result = made.segment(slide, REQUEST)) {
            engine = made;
            found = result;
            for (Method check : Checks.class.getDeclaredMethods()) {
                if (!Modifier.isStatic(check.getModifiers()) || !check.isAnnotationPresent(Check.class)) {
                    continue;
                }
                try {
                    check.invoke(null);
                    passed++;
                } catch (ReflectiveOperationException error) {
                    failed++;
                    System.out.println("failed: " + check.getName());
                    error.getCause().printStackTrace(System.out);
                }
            }
        }
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 && passed > 0 ? 0 : 1);
    }

    @java.lang.annotation.Retention(java.lang.annotation.RetentionPolicy.RUNTIME)
    private @interface Check {}

    // What is found.

    @Check
    private static void outputsAreTheCommands() throws Exception {
        Path mask = folder.resolve("mask.tif");
        found.writeMask(mask);
        Path command = folder.resolve("command/slides/slide");
        same(Files.mismatch(mask, command.resolve("mask.tif")), -1L, "mask.tif");
        same(found.geojson(), Files.readString(command.resolve("objects.geojson")), "objects.geojson");
        String submission = Files.readString(folder.resolve("command/submission.csv"));
        same("id,rle\nslide," + found.rle(null) + "\n", submission, "submission.csv");
        check(found.objects().size() > 5, "too few objects to tell anything");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment geojson = found.geojson(arena);
            check(geojson.isReadOnly() && geojson.isNative(), "the text is a copy");
            same(geojson.byteSize(), Files.size(command.resolve("objects.geojson")), "length");
        }
    }

    @Check
    private static void objectsAreThoseOfTheTable() throws Exception {
        List<Map<String, String>> rows = table(folder.resolve("command/slides/slide/objects.csv"));
        List<DetectedObject> objects = found.objects();
        same(objects.size(), rows.size(), "objects");
        List<Organ> organs = found.organs();
        for (int index = 0; index < rows.size(); index++) {
            Map<String, String> row = rows.get(index);
            DetectedObject object = objects.get(index);
            Rect bounds = object.bounds();
            same(Long.toString(object.id()), row.get("id"), "id");
            same(object.uuid(), row.get("uuid"), "uuid");
            same(organs.get(object.organ()).name(), row.get("organ"), "organ");
            same(organs.get(object.organ()).unit(), row.get("unit"), "unit");
            same(Long.toString(object.areaPx()), row.get("area_px"), "area");
            same(
                    List.of(bounds.x() + "", bounds.y() + "", bounds.width() + "", bounds.height() + ""),
                    List.of(row.get("box_x_px"), row.get("box_y_px"), row.get("box_width_px"), row.get("box_height_px")),
                    "box");
            Map<String, Double> measured = found.measurements(index);
            check(measured.size() > 20, "too few measurements");
            measured.forEach((name, value) -> {
                String text = row.get(name);
                check(text != null, "the table has no " + name);
                double expected = switch (text) {
                    case "" -> Double.NaN;
                    case "true" -> 1;
                    case "false" -> 0;
                    default -> Double.parseDouble(text);
                };
                // The table rounds.
                check(
                        Double.isNaN(expected) ? value.isNaN() : Math.abs(value - expected) <= 1e-3 * Math.max(1, Math.abs(value)),
                        name + ": " + value + " is not " + expected);
            });
            same(area(object, index), object.areaPx(), "area within the outline");
        }
        same(found.measurements(0).keySet().stream().toList(), Result.measurementNames(), "names");
    }

    /** What the rings of an object enclose, px; those of holes run the other way. */
    private static long area(DetectedObject object, int index) {
        long twice = 0;
        for (int ring = 0; ring < object.rings(); ring++) {
            MemorySegment corners = found.ring(index, ring);
            check(corners.isReadOnly(), "a ring can be written to");
            int[] at = corners.toArray(ValueLayout.JAVA_INT);
            same(at[0] + " " + at[1], at[at.length - 2] + " " + at[at.length - 1], "a ring ends where it began");
            for (int i = 0; i + 3 < at.length; i += 2) {
                twice += (long) at[i] * at[i + 3] - (long) at[i + 2] * at[i + 1];
            }
        }
        return twice / 2;
    }

    @Check
    private static void slideAndOrgansAreThoseOfTheRecord() throws Exception {
        BufferedImage picture = ImageIO.read(slide.toFile());
        Slide about = found.slide();
        same(about.id(), "slide", "id");
        same(about.format(), "PNG", "format");
        same(about.reader(), "ftuseg", "reader");
        same(List.of(about.width(), about.height()), List.of(picture.getWidth(), picture.getHeight()), "size");
        same(List.of(about.mppX(), about.mppY()), List.of(MPP, MPP), "um/px");
        check(about.tissueShare() > 0 && about.tissueShare() <= 1, "tissue");
        check(about.tilesPlanned() > 1 && about.tilesInferred() == about.tilesPlanned(), "tiles");
        String record = Files.readString(folder.resolve("command/slides/slide/slide.json"));
        long objects = 0;
        double shares = 0;
        for (Organ organ : found.organs()) {
            check(record.contains("\"" + organ.name() + "\""), organ.name());
            objects += organ.objects();
            shares += organ.share();
        }
        same(objects, (long) found.objects().size(), "objects of all organs");
        check(Math.abs(shares - 1) < 1e-6, "shares add up to " + shares);
        found.warnings().forEach(warning -> check(record.contains(warning.kind()), warning.toString()));

        OrganMap map = found.organMap();
        boolean[] seen = new boolean[found.organs().size()];
        for (int row = 0; row < map.rows(); row++) {
            for (int column = 0; column < map.columns(); column++) {
                int organ = map.organ(column, row);
                check(organ >= -1 && organ < seen.length, "cell of organ " + organ);
                if (organ >= 0) {
                    seen[organ] = true;
                }
            }
        }
        check(seen[0], "the first organ has no cell");
        check(map.columns() * map.cell() >= about.width(), "the map does not cover the slide");
        refused(IndexOutOfBoundsException.class, "cell", () -> map.organ(map.columns(), 0));
        check(Engine.version().matches("\\d+\\.\\d+\\.\\d+.*"), Engine.version());
        check(engine.runtime().contains("onnxruntime") && engine.bundle().contains(" "), engine.runtime());
    }

    @Check
    private static void masksAreRead() {
        Slide about = found.slide();
        Rect all = new Rect(0, 0, about.width(), about.height());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment labels = arena.allocate((long) all.width() * all.height());
            found.readLabels(all, 0, labels, 0);
            MemorySegment mask = arena.allocate(labels.byteSize());
            found.readMask(null, all, 0, mask, 0);
            long area = 0;
            for (long px = 0; px < labels.byteSize(); px++) {
                byte label = labels.get(ValueLayout.JAVA_BYTE, px);
                same(mask.get(ValueLayout.JAVA_BYTE, px), (byte) (label == 0 ? 0 : 255), "px " + px);
                area += label == 0 ? 0 : 1;
            }
            same(area, found.objects().stream().mapToLong(DetectedObject::areaPx).sum(), "area");

            // A part with rows that have a gap, into a buffer of NIO's, across the slide's corner.
            ByteBuffer buffer = ByteBuffer.allocateDirect(8 * 10).put(new byte[80]);
            MemorySegment part = MemorySegment.ofBuffer(buffer.clear()).fill((byte) 9);
            Rect corner = new Rect(about.width() - 3, about.height() - 5, 6, 8);
            found.readLabels(corner, 0, part, 10);
            for (int y = 0; y < 8; y++) {
                for (int x = 0; x < 10; x++) {
                    boolean inside = x < 3 && y < 5;
                    long at = (long) (corner.y() + y) * all.width() + corner.x() + x;
                    byte expected = x >= 6 ? 9 : inside ? labels.get(ValueLayout.JAVA_BYTE, at) : 0;
                    same(part.get(ValueLayout.JAVA_BYTE, y * 10L + x), expected, "(" + x + ", " + y + ")");
                }
            }
            // The mask is at least somewhere in a small level, too.
            MemorySegment small = arena.allocate(64 * 64);
            found.readMask(null, new Rect(0, 0, 64, 64), 4, small, 0);
            check(small.mismatch(arena.allocate(64 * 64)) >= 0, "level 4 is empty");

            refused(FtusegException.Usage.class, "does not fit", () -> found.readLabels(all, 0, small, 0));
            refused(FtusegException.Usage.class, "liver", () -> found.readMask("liver", all, 0, mask, 0));
            refused(IllegalArgumentException.class, "written", () -> found.readLabels(all, 0, labels.asReadOnly(), 0));
            MemorySegment heap = MemorySegment.ofArray(new byte[(int) labels.byteSize()]);
            refused(IllegalArgumentException.class, "eap", () -> found.readLabels(all, 0, heap, 0));
        }
    }

    @Check
    private static void pixelsInMemoryAreTheSlide() throws Exception {
        BufferedImage picture = ImageIO.read(slide.toFile());
        int width = picture.getWidth();
        int height = picture.getHeight();
        int[] argb = picture.getRGB(0, 0, width, height, null, 0, width);
        Request request = Request.ALL.id("slide");
        for (Pixels.Format format : Pixels.Format.values()) {
            boolean isBlueFirst = format.name().startsWith("B");
            int bytes = format.name().length();
            long stride = (long) width * bytes + 7;
            try (Arena arena = Arena.ofConfined()) {
                // The last row has no gap behind it.
                MemorySegment data = arena.allocate(stride * (height - 1) + (long) width * bytes);
                data.fill((byte) 255);
                for (int px = 0; px < argb.length; px++) {
                    long at = px / width * stride + (long) (px % width) * bytes;
                    for (int channel = 0; channel < 3; channel++) {
                        int shift = isBlueFirst ? channel * 8 : 16 - channel * 8;
                        data.set(ValueLayout.JAVA_BYTE, at + channel, (byte) (argb[px] >> shift));
                    }
                }
                Pixels pixels = new Pixels(data, width, height, format, stride, MPP);
                try (Result result = engine.segment(pixels, request)) {
                    same(result.rle(null), found.rle(null), format + ": RLE");
                    same(result.geojson(), found.geojson(), format + ": GeoJSON");
                }
                Pixels cut = new Pixels(data.asSlice(0, data.byteSize() - 1), width, height, format, stride, MPP);
                refused(FtusegException.Usage.class, "bytes", () -> engine.segment(cut, request).close());
            }
        }
        MemorySegment heap = MemorySegment.ofArray(new byte[12]);
        refused(IllegalArgumentException.class, "heap", () -> Pixels.rgb(heap, 2, 2, MPP));
        Arena closed = Arena.ofConfined();
        Pixels gone = Pixels.rgb(closed.allocate(12), 2, 2, MPP);
        closed.close();
        refused(IllegalStateException.class, "closed", () -> engine.segment(gone, request).close());
    }

    @Check
    private static void aRegionIsAPart() {
        Rect region = new Rect(0, 0, 300, 300);
        try (Result part = engine.segment(slide, REQUEST.region(region).id("part"))) {
            same(part.slide().id(), "part", "id");
            for (DetectedObject object : part.objects()) {
                Rect box = object.bounds();
                check(box.x() + box.width() <= 300 && box.y() + box.height() <= 300, box.toString());
            }
            check(part.objects().size() < found.objects().size(), "it is all of it");
        }
        refused(FtusegException.Usage.class, "", () -> engine.segment(slide, REQUEST.region(new Rect(0, 0, 1 << 19, 9))).close());
        refused(IllegalArgumentException.class, "negative", () -> new Rect(0, 0, -1, 9));
    }

    // What goes wrong.

    @Check
    private static void errorsHaveTheirKind() throws Exception {
        Path missing = folder.resolve("missing.tif");
        FtusegException io =
                refused(FtusegException.Io.class, "missing.tif", () -> engine.segment(missing, REQUEST).close());
        same(io.kind(), "io", "kind");
        Path text = Files.writeString(folder.resolve("text.tif"), "this is no slide at all\n");
        refused(FtusegException.Format.class, "text.tif", () -> engine.segment(text, REQUEST).close());
        refused(FtusegException.NoResolution.class, "um", () -> engine.segment(slide).close());
        refused(FtusegException.Usage.class, "organ", () -> engine.segment(slide, REQUEST.organ("liver")).close());
        refused(FtusegException.Usage.class, "um", () -> engine.segment(slide, REQUEST.mpp(-1)).close());
        refused(IllegalArgumentException.class, "NUL", () -> engine.segment(slide, REQUEST.id("a\0b")).close());
        refused(FtusegException.Usage.class, "colour", () -> new Engine(Map.of("colour", "red")).close());
        refused(FtusegException.Bundle.class, "", () -> new Engine(Map.of("bundle", folder.toString())).close());
        Map<String, String> other = new HashMap<>(options);
        other.put("runtime", text.toString());
        refused(FtusegException.Backend.class, "", () -> new Engine(other).close());
        refused(IndexOutOfBoundsException.class, "", () -> found.objects().get(found.objects().size()));
        refused(FtusegException.Usage.class, "no ring", () -> found.ring(0, 99));
        refused(FtusegException.Usage.class, "mass", () -> found.measurement(0, "mass"));
        // A cause is what the system said, once.
        check(io.getMessage().indexOf("missing.tif") == io.getMessage().lastIndexOf("missing.tif"), io.getMessage());
    }

    @Check
    private static void whatIsClosedIsNotUsed() {
        Engine made = new Engine(options);
        Result result = made.segment(slide, REQUEST);
        made.close();
        made.close();
        refused(IllegalStateException.class, "", () -> made.segment(slide, REQUEST).close());
        refused(IllegalStateException.class, "", made::runtime);
        // It does not need its engine.
        same(result.geojson(), found.geojson(), "GeoJSON");
        MemorySegment ring = result.ring(0, 0);
        OrganMap map = result.organMap();
        check(ring.get(ValueLayout.JAVA_INT, 0) >= 0, "a ring");
        result.close();
        result.close();
        refused(IllegalStateException.class, "", () -> ring.get(ValueLayout.JAVA_INT, 0));
        refused(IllegalStateException.class, "", result::slide);
        check(map.organ(0, 0) >= -1, "the map outlives the result");
        // What works is not closed under its hands.
        Engine busy = new Engine(options);
        refused(IllegalStateException.class, "", () -> busy.segment(slide, REQUEST.progress((done, all) -> busy.close())).close());
        try (Result after = busy.segment(slide, REQUEST)) {
            same(after.rle(null), found.rle(null), "RLE after a refused close");
        }
        busy.close();
    }

    // Progress, cancelling, threads.

    @Check
    private static void progressIsTold() {
        AtomicLong last = new AtomicLong();
        AtomicLong planned = new AtomicLong();
        AtomicLong inside = new AtomicLong();
        Request watched = REQUEST.progress((done, all) -> {
            same(inside.incrementAndGet(), 1L, "calls at once");
            check(done >= last.getAndSet(done), "it goes backwards");
            planned.set(all);
            inside.decrementAndGet();
        });
        try (Result result = engine.segment(slide, watched)) {
            same(last.get(), planned.get(), "tiles");
            same(last.get(), result.slide().tilesInferred(), "tiles");
        }
    }

    @Check
    private static void workIsCancelled() throws Exception {
        // By a flag, from the callback and from another thread.
        Cancel flag = new Cancel();
        AtomicLong seen = new AtomicLong();
        Request stopped = REQUEST.cancel(flag).progress((done, all) -> {
            seen.set(done);
            if (done >= 1) {
                flag.raise();
            }
        });
        FtusegException cancelled =
                refused(FtusegException.Cancelled.class, "", () -> engine.segment(slide, stopped).close());
        same(cancelled.kind(), "stopped", "kind");
        check(seen.get() < found.slide().tilesPlanned(), "it went on to its end");
        Cancel raised = new Cancel();
        Thread other = new Thread(raised::raise);
        other.start();
        other.join();
        refused(FtusegException.Cancelled.class, "", () -> engine.segment(slide, REQUEST.cancel(raised)).close());

        // By what the callback throws, whatever it is.
        for (Throwable thrown : List.of(new ArithmeticException("of mine"), new AssertionError("of mine"))) {
            Throwable got = refused(
                    thrown.getClass(),
                    "of mine",
                    () -> engine.segment(slide, REQUEST.progress((done, all) -> {
                                throw Checks.<RuntimeException>any(thrown);
                            }))
                            .close());
            check(got == thrown, "another one was thrown");
        }

        // By an interrupt, which stays.
        refused(FtusegException.Cancelled.class, "", () -> {
            Thread.currentThread().interrupt();
            engine.segment(slide, REQUEST).close();
        });
        check(Thread.interrupted(), "the interrupt is lost");

        // The engine goes on.
        try (Result result = engine.segment(slide, REQUEST)) {
            same(result.rle(null), found.rle(null), "RLE");
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> E any(Throwable thrown) throws E {
        throw (E) thrown;
    }

    @Check
    private static void threadsShareAnEngineAndAResult() throws Exception {
        String geojson = found.geojson();
        for (ExecutorService pool : List.of(Executors.newFixedThreadPool(4), Executors.newVirtualThreadPerTaskExecutor())) {
            try (pool) {
                List<Future<?>> all = new ArrayList<>();
                for (int number = 0; number < 4; number++) {
                    Path missing = folder.resolve("missing-" + number + ".tif");
                    all.add(pool.submit((Callable<Void>) () -> {
                        for (int round = 0; round < 20; round++) {
                            refused(
                                    FtusegException.Io.class,
                                    missing.getFileName().toString(),
                                    () -> engine.segment(missing, REQUEST).close());
                        }
                        try (Result mine = engine.segment(slide, REQUEST)) {
                            same(mine.geojson(), geojson, "GeoJSON of one thread");
                        }
                        same(found.geojson(), geojson, "GeoJSON of all threads");
                        return null;
                    }));
                }
                for (Future<?> one : all) {
                    one.get();
                }
            }
        }
    }

    // Tools.

    private interface Work {
        void run() throws Exception;
    }

    /** Checks that something is refused, with a word in the message. */
    private static <E extends Throwable> E refused(Class<E> kind, String word, Work work) {
        try {
            work.run();
        } catch (Throwable error) {
            if (!kind.isInstance(error)) {
                throw new AssertionError("not a " + kind.getName() + ": " + error, error);
            }
            check(String.valueOf(error.getMessage()).contains(word), word + ": " + error.getMessage());
            return kind.cast(error);
        }
        throw new AssertionError(word + ": it was not refused");
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static void same(Object one, Object other, String what) {
        if (!one.equals(other)) {
            throw new AssertionError(what + ": " + cut(one) + " is not " + cut(other));
        }
    }

    private static String cut(Object value) {
        String text = String.valueOf(value);
        return text.length() > 200 ? text.substring(0, 200) + "..." : text;
    }

    /** The rows of a table whose fields have no commas and no quotes. */
    private static List<Map<String, String>> table(Path path) throws Exception {
        List<String> lines = Files.readAllLines(path);
        List<String> names = Arrays.asList(lines.get(0).split(",", -1));
        List<Map<String, String>> rows = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] fields = line.split(",", -1);
            same(fields.length, names.size(), "fields");
            Map<String, String> row = new LinkedHashMap<>();
            for (int i = 0; i < fields.length; i++) {
                row.put(names.get(i), fields[i]);
            }
            rows.add(row);
        }
        return rows;
    }
}
