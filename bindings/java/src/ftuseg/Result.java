package ftuseg;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.RandomAccess;

/** A segmented slide. It does not change, so many threads may read it at once. It needs neither its engine nor its slide. */
public final class Result implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment handle;

    Result(Native.Function segment, MemorySegment engine, MemorySegment slide, MemorySegment request) {
        try {
            handle = Native.owned(segment, Native.RESULT_FREE, arena, engine, slide, request);
        } catch (Throwable error) {
            arena.close();
            throw error;
        }
    }

    /**
     * What slide was segmented.
     *
     * @return its size, um/px, and how much work it was
     */
    public Slide slide() {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment struct = Struct.SLIDE_INFO.sized(scratch);
            Native.RESULT_SLIDE.checked(handle, struct);
            Struct.Filled slide = Struct.SLIDE_INFO.filled(struct);
            return new Slide(
                    slide.textOf("id"),
                    slide.textOf("format"),
                    slide.textOf("reader"),
                    slide.intOf("width"),
                    slide.intOf("height"),
                    slide.doubleOf("mpp_x"),
                    slide.doubleOf("mpp_y"),
                    slide.doubleOf("tissue_share"),
                    slide.longOf("tiles_planned"),
                    slide.longOf("tiles_inferred"));
        }
    }

    /**
     * What looks doubtful about the slide or the result.
     *
     * @return all warnings
     */
    public List<Warning> warnings() {
        long count = (long) Native.RESULT_WARNING_COUNT.call(handle);
        List<Warning> warnings = new ArrayList<>();
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment kind = scratch.allocate(ADDRESS);
            MemorySegment text = scratch.allocate(ADDRESS);
            for (long index = 0; index < count; index++) {
                Native.RESULT_WARNING.checked(handle, index, kind, text);
                warnings.add(new Warning(Native.text(kind.get(ADDRESS, 0)), Native.text(text.get(ADDRESS, 0))));
            }
        }
        return Collections.unmodifiableList(warnings);
    }

    /**
     * The organs that the slide's tissue was sent to, networks for all organs and "other" among them.
     *
     * @return all of them; the first has the largest share
     */
    public List<Organ> organs() {
        long count = count(Native.RESULT_ORGAN_COUNT);
        List<Organ> organs = new ArrayList<>();
        try (Arena scratch = Arena.ofConfined()) {
            for (long index = 0; index < count; index++) {
                MemorySegment struct = Struct.ORGAN.sized(scratch);
                Native.RESULT_ORGAN.checked(handle, index, struct);
                Struct.Filled organ = Struct.ORGAN.filled(struct);
                organs.add(new Organ(
                        organ.textOf("name"),
                        organ.textOf("unit"),
                        organ.textOf("model"),
                        organ.intOf("label"),
                        organ.doubleOf("share"),
                        organ.doubleOf("confidence"),
                        organ.doubleOf("threshold"),
                        organ.longOf("objects"),
                        organ.longOf("area_px"),
                        organ.doubleOf("area_mm2")));
            }
        }
        return Collections.unmodifiableList(organs);
    }

    /**
     * Which organ each cell went to.
     *
     * @return the grid, which does not need this result any more
     */
    public OrganMap organMap() {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment struct = Struct.ORGAN_MAP.sized(scratch);
            Native.RESULT_ORGAN_MAP.checked(handle, struct);
            Struct.Filled map = Struct.ORGAN_MAP.filled(struct);
            int columns = map.intOf("columns");
            int rows = map.intOf("rows");
            // It goes when nobody has the map any more, and does not grow the result with each call.
            MemorySegment cells = Arena.ofAuto().allocate((long) columns * rows);
            Native.RESULT_ORGAN_CELLS.checked(handle, cells, cells.byteSize());
            return new OrganMap(map.doubleOf("cell"), columns, rows, cells.asReadOnly());
        }
    }

    /**
     * What was found.
     *
     * @return all objects, in the order of the GeoJSON, each read when it is asked for
     */
    public List<DetectedObject> objects() {
        return new ObjectList(Math.toIntExact(count(Native.RESULT_OBJECT_COUNT)));
    }

    /** The objects, as a list that holds none of them. */
    private final class ObjectList extends AbstractList<DetectedObject> implements RandomAccess {
        private final int count;

        private ObjectList(int count) {
            this.count = count;
        }

        @Override
        public int size() {
            return count;
        }

        @Override
        public DetectedObject get(int index) {
            Objects.checkIndex(index, count);
            try (Arena scratch = Arena.ofConfined()) {
                MemorySegment struct = Struct.OBJECT.sized(scratch);
                Native.RESULT_OBJECT.checked(handle, (long) index, struct);
                Struct.Filled object = Struct.OBJECT.filled(struct);
                return new DetectedObject(
                        object.longOf("id"),
                        object.textOf("uuid"),
                        Math.toIntExact(object.longOf("organ")),
                        object.rectOf("bounds"),
                        object.longOf("area_px"),
                        Math.toIntExact(object.longOf("rings")));
            }
        }
    }

    /**
     * One ring of an object's outline: corners of px at full size, x and y in turn, as ints. The last corner is the first one
     * again. Sides are level or upright. The outer ring runs clockwise to the eye, holes the other way.
     *
     * @param object which object, from 0
     * @param ring   which ring: 0 is the outer one, the others are holes
     * @return the library's own memory, which cannot be written to and holds as long as this result; two ints a corner
     */
    public MemorySegment ring(int object, int ring) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment corners = scratch.allocate(ADDRESS);
            MemorySegment count = scratch.allocate(JAVA_LONG);
            Native.RESULT_OBJECT_RING.checked(handle, (long) object, (long) ring, corners, count);
            long bytes = Math.multiplyExact(count.get(JAVA_LONG, 0), 2 * JAVA_INT.byteSize());
            return Native.lent(corners.get(ADDRESS, 0), bytes, arena);
        }
    }

    /**
     * The names of all measurements: those of the command's table objects.csv that are numbers, or flags (0 or 1). They end
     * with their unit: px, um, um2, rad; docs/objects.md says what each means.
     *
     * @return the names, in the table's order
     */
    public static List<String> measurementNames() {
        List<String> names = new ArrayList<>();
        for (String name = measurementName(0); name != null; name = measurementName(names.size())) {
            names.add(name);
        }
        return Collections.unmodifiableList(names);
    }

    private static String measurementName(long index) {
        return Native.text(Native.MEASUREMENT_NAME.call(index));
    }

    /**
     * What was measured on an object.
     *
     * @param object which object, from 0
     * @param name   what is measured
     * @return the value; NaN where it is not known, such as um without um/px
     */
    public double measurement(int object, String name) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment value = scratch.allocate(JAVA_DOUBLE);
            Native.RESULT_MEASUREMENT.checked(handle, (long) object, Native.text(name, scratch), value);
            return value.get(JAVA_DOUBLE, 0);
        }
    }

    /**
     * All that was measured on an object.
     *
     * @param object which object, from 0
     * @return the values by their names, in the table's order; NaN where one is not known
     */
    public Map<String, Double> measurements(int object) {
        Map<String, Double> all = new LinkedHashMap<>();
        for (String name : measurementNames()) {
            all.put(name, measurement(object, name));
        }
        return Collections.unmodifiableMap(all);
    }

    /**
     * Reads labels, as in the command's mask.tif: 0 background, 1 and up the organs in the bundle's order (see
     * {@link Organ#label}), 255 what a network for all organs found. What lies beyond the slide is 0.
     *
     * @param rect   which px, of the level
     * @param level  0 is full size; each level has half the px of the one before along each side (rounded up), and shows the
     *     px in the middle of each square that it stands for
     * @param out    gets one byte for each px; it must not lie on Java's heap
     * @param stride bytes from the start of a row to the start of the next; 0 where rows follow each other without a gap.
     *     What lies between two rows is not touched
     */
    public void readLabels(Rect rect, int level, MemorySegment out, long stride) {
        try (Arena scratch = Arena.ofConfined()) {
            Native.RESULT_READ_LABELS.checked(
                    handle, Struct.rect(rect, scratch), level, writable(out), out.byteSize(), stride);
        }
    }

    /**
     * Reads the mask of one organ, or of all: 255 where something was found, else 0.
     *
     * @param organ  its name, as in {@link Organ#name}; null for all of them. One that the slide does not have is empty
     * @param rect   as for {@link #readLabels}, and so are the others
     * @param level  as there
     * @param out    as there
     * @param stride as there
     */
    public void readMask(String organ, Rect rect, int level, MemorySegment out, long stride) {
        try (Arena scratch = Arena.ofConfined()) {
            Native.RESULT_READ_MASK.checked(
                    handle,
                    Native.text(organ, scratch),
                    Struct.rect(rect, scratch),
                    level,
                    writable(out),
                    out.byteSize(),
                    stride);
        }
    }

    /** The library would write to what Java only may read. */
    private static MemorySegment writable(MemorySegment out) {
        if (out.isReadOnly()) {
            throw new IllegalArgumentException("the memory for the mask cannot be written to");
        }
        return out;
    }

    /**
     * The run-length encoding of Kaggle: px counted from 1, down the columns; "" where nothing was found.
     *
     * @param organ the mask of one organ, by its name; null for all
     * @return that text
     */
    public String rle(String organ) {
        try (Arena scratch = Arena.ofConfined()) {
            return string(rle(organ, scratch));
        }
    }

    /**
     * The same without a copy.
     *
     * @param organ  as above
     * @param lender frees the text when it is closed
     * @return the library's own memory: ASCII
     */
    public MemorySegment rle(String organ, Arena lender) {
        try (Arena scratch = Arena.ofConfined()) {
            return given(Native.RESULT_RLE, lender, handle, Native.text(organ, scratch));
        }
    }

    /**
     * All objects as GeoJSON, the very bytes of the command's objects.geojson.
     *
     * @return that text
     */
    public String geojson() {
        try (Arena scratch = Arena.ofConfined()) {
            return string(geojson(scratch));
        }
    }

    /**
     * The same without a copy, and for texts that are too long for a string of Java's.
     *
     * @param lender frees the text when it is closed
     * @return the library's own memory: UTF-8
     */
    public MemorySegment geojson(Arena lender) {
        return given(Native.RESULT_GEOJSON, lender, handle);
    }

    /**
     * Writes all labels into a file, as the command's mask.tif: tiled, compressed, with smaller levels. The file appears whole
     * or not at all; one that is there is replaced.
     *
     * @param path the file
     */
    public void writeMask(Path path) {
        try (Arena scratch = Arena.ofConfined()) {
            Native.RESULT_WRITE_MASK.checked(handle, Native.text(path.toString(), scratch));
        }
    }

    /**
     * Frees the result, with all that it has lent.
     *
     * @throws IllegalStateException if a thread is using it
     */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    private long count(Native.Function function) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment count = scratch.allocate(JAVA_LONG);
            function.checked(handle, count);
            return count.get(JAVA_LONG, 0);
        }
    }

    /** A text that the library gives away. The function takes a place for it and one for its length last. */
    private static MemorySegment given(Native.Function function, Arena lender, Object... arguments) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment text = scratch.allocate(ADDRESS);
            MemorySegment length = scratch.allocate(JAVA_LONG);
            List<Object> all = new ArrayList<>(List.of(arguments));
            Collections.addAll(all, text, length);
            function.checked(all.toArray());
            return Native.given(text.get(ADDRESS, 0), length.get(JAVA_LONG, 0), lender);
        }
    }

    private static String string(MemorySegment text) {
        return new String(text.toArray(JAVA_BYTE), StandardCharsets.UTF_8);
    }
}
