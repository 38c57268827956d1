package ftuseg;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The structs of ftuseg.h, by the names of their fields.
 *
 * @param layout where the fields lie
 */
record Struct(StructLayout layout) {
    static final Struct RECT = of(
            JAVA_INT.withName("x"), JAVA_INT.withName("y"), JAVA_INT.withName("width"), JAVA_INT.withName("height"));

    static final Struct REQUEST = of(
            JAVA_LONG.withName("size"),
            ADDRESS.withName("id"),
            ADDRESS.withName("organ"),
            JAVA_DOUBLE.withName("mpp"),
            RECT.layout.withName("region"),
            ADDRESS.withName("progress"),
            ADDRESS.withName("user"),
            ADDRESS.withName("cancel"));

    static final Struct PIXELS = of(
            JAVA_LONG.withName("size"),
            ADDRESS.withName("data"),
            JAVA_LONG.withName("length"),
            JAVA_INT.withName("width"),
            JAVA_INT.withName("height"),
            JAVA_LONG.withName("stride"),
            JAVA_INT.withName("format"),
            JAVA_DOUBLE.withName("mpp"));

    static final Struct SLIDE_INFO = of(
            JAVA_LONG.withName("size"),
            ADDRESS.withName("id"),
            ADDRESS.withName("format"),
            ADDRESS.withName("reader"),
            JAVA_INT.withName("width"),
            JAVA_INT.withName("height"),
            JAVA_DOUBLE.withName("mpp_x"),
            JAVA_DOUBLE.withName("mpp_y"),
            JAVA_DOUBLE.withName("tissue_share"),
            JAVA_LONG.withName("tiles_planned"),
            JAVA_LONG.withName("tiles_inferred"));

    static final Struct ORGAN = of(
            JAVA_LONG.withName("size"),
            ADDRESS.withName("name"),
            ADDRESS.withName("unit"),
            ADDRESS.withName("model"),
            JAVA_INT.withName("label"),
            JAVA_DOUBLE.withName("share"),
            JAVA_DOUBLE.withName("confidence"),
            JAVA_DOUBLE.withName("threshold"),
            JAVA_LONG.withName("objects"),
            JAVA_LONG.withName("area_px"),
            JAVA_DOUBLE.withName("area_mm2"));

    static final Struct ORGAN_MAP = of(
            JAVA_LONG.withName("size"),
            JAVA_DOUBLE.withName("cell"),
            JAVA_INT.withName("columns"),
            JAVA_INT.withName("rows"));

    static final Struct OBJECT = of(
            JAVA_LONG.withName("size"),
            JAVA_LONG.withName("id"),
            ADDRESS.withName("uuid"),
            JAVA_LONG.withName("organ"),
            RECT.layout.withName("bounds"),
            JAVA_LONG.withName("area_px"),
            JAVA_LONG.withName("rings"));

    /** Lays fields out as C does on machines of 64 bits: each at a multiple of its alignment, and so the whole. */
    private static Struct of(MemoryLayout... fields) {
        List<MemoryLayout> all = new ArrayList<>();
        long at = 0;
        long widest = 1;
        for (MemoryLayout field : fields) {
            at = pad(all, at, field.byteAlignment()) + field.byteSize();
            all.add(field);
            widest = Math.max(widest, field.byteAlignment());
        }
        pad(all, at, widest);
        return new Struct(MemoryLayout.structLayout(all.toArray(MemoryLayout[]::new)));
    }

    private static long pad(List<MemoryLayout> fields, long at, long alignment) {
        long next = (at + alignment - 1) / alignment * alignment;
        if (next > at) {
            fields.add(MemoryLayout.paddingLayout(next - at));
        }
        return next;
    }

    /** A struct that is zero but for its size, which says how much of it is known here. */
    MemorySegment sized(Arena arena) {
        MemorySegment made = arena.allocate(layout);
        made.set(JAVA_LONG, at("size"), layout.byteSize());
        return made;
    }

    /** Where a field begins. */
    long at(String field) {
        return layout.byteOffset(PathElement.groupElement(field));
    }

    /** A rectangle as C has it. */
    static MemorySegment rect(Rect rect, Arena arena) {
        MemorySegment made = arena.allocate(RECT.layout);
        fill(made, 0, rect);
        return made;
    }

    /** Writes a rectangle into a struct. */
    static void fill(MemorySegment struct, long at, Rect rect) {
        struct.set(JAVA_INT, at + RECT.at("x"), rect.x());
        struct.set(JAVA_INT, at + RECT.at("y"), rect.y());
        struct.set(JAVA_INT, at + RECT.at("width"), rect.width());
        struct.set(JAVA_INT, at + RECT.at("height"), rect.height());
    }

    /** What the library filled a struct with. */
    Filled filled(MemorySegment struct) {
        return new Filled(struct);
    }

    /** The fields of a struct that was filled. */
    final class Filled {
        private final MemorySegment struct;

        private Filled(MemorySegment struct) {
            this.struct = struct;
        }

        int intOf(String field) {
            return struct.get(JAVA_INT, at(field));
        }

        long longOf(String field) {
            return struct.get(JAVA_LONG, at(field));
        }

        double doubleOf(String field) {
            return struct.get(JAVA_DOUBLE, at(field));
        }

        String textOf(String field) {
            return Native.text(struct.get(ADDRESS, at(field)));
        }

        Rect rectOf(String field) {
            long begin = at(field);
            return new Rect(
                    struct.get(JAVA_INT, begin + RECT.at("x")),
                    struct.get(JAVA_INT, begin + RECT.at("y")),
                    struct.get(JAVA_INT, begin + RECT.at("width")),
                    struct.get(JAVA_INT, begin + RECT.at("height")));
        }
    }
}
