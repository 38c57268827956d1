package ftuseg;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Arrays;

/** The functions of ftuseg.h, and how they are called: statuses become exceptions, handles become segments that free themselves. */
final class Native {
    /** The interface that this package is written for: FTUSEG_ABI_VERSION in ftuseg.h. */
    static final int ABI_VERSION = 1;

    private static final SymbolLookup SYMBOLS = Library.load();

    static {
        int abi = (int) function("ftuseg_abi_version", JAVA_INT).call();
        if (abi != ABI_VERSION) {
            throw new UnsatisfiedLinkError(
                    "the C library of ftuseg has the interface " + abi + ", and this package is for " + ABI_VERSION
                            + ": take both from one version");
        }
    }

    static final Function VERSION = function("ftuseg_version", ADDRESS);
    private static final Function LAST_ERROR = function("ftuseg_last_error", ADDRESS);
    private static final Function LAST_ERROR_KIND = function("ftuseg_last_error_kind", ADDRESS);

    static final Function OPTIONS_NEW = function("ftuseg_options_new", JAVA_INT, ADDRESS);
    static final Function OPTIONS_SET = function("ftuseg_options_set", JAVA_INT, ADDRESS, ADDRESS, ADDRESS);
    static final Function OPTIONS_FREE = procedure("ftuseg_options_free", ADDRESS);

    static final Function ENGINE_NEW = function("ftuseg_engine_new", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final Function ENGINE_RUNTIME = function("ftuseg_engine_runtime", ADDRESS, ADDRESS);
    static final Function ENGINE_BUNDLE = function("ftuseg_engine_bundle", ADDRESS, ADDRESS);
    static final Function ENGINE_FREE = procedure("ftuseg_engine_free", ADDRESS);

    static final Function CANCEL_NEW = function("ftuseg_cancel_new", JAVA_INT, ADDRESS);
    static final Function CANCEL_RAISE = procedure("ftuseg_cancel_raise", ADDRESS);
    static final Function CANCEL_FREE = procedure("ftuseg_cancel_free", ADDRESS);

    static final Function SEGMENT_FILE =
            function("ftuseg_segment_file", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final Function SEGMENT_PIXELS =
            function("ftuseg_segment_pixels", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS);

    static final Function RESULT_FREE = procedure("ftuseg_result_free", ADDRESS);
    static final Function RESULT_SLIDE = function("ftuseg_result_slide", JAVA_INT, ADDRESS, ADDRESS);
    static final Function RESULT_WARNING_COUNT = function("ftuseg_result_warning_count", JAVA_LONG, ADDRESS);
    static final Function RESULT_WARNING =
            function("ftuseg_result_warning", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    static final Function RESULT_ORGAN_COUNT = function("ftuseg_result_organ_count", JAVA_INT, ADDRESS, ADDRESS);
    static final Function RESULT_ORGAN = function("ftuseg_result_organ", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
    static final Function RESULT_ORGAN_MAP = function("ftuseg_result_organ_map", JAVA_INT, ADDRESS, ADDRESS);
    static final Function RESULT_ORGAN_CELLS =
            function("ftuseg_result_organ_cells", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
    static final Function RESULT_OBJECT_COUNT = function("ftuseg_result_object_count", JAVA_INT, ADDRESS, ADDRESS);
    static final Function RESULT_OBJECT = function("ftuseg_result_object", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
    static final Function RESULT_OBJECT_RING =
            function("ftuseg_result_object_ring", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    static final Function MEASUREMENT_NAME = function("ftuseg_measurement_name", ADDRESS, JAVA_LONG);
    static final Function RESULT_MEASUREMENT =
            function("ftuseg_result_measurement", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    static final Function RESULT_READ_LABELS =
            function("ftuseg_result_read_labels", JAVA_INT, ADDRESS, Struct.RECT.layout(), JAVA_INT, ADDRESS, JAVA_LONG,
                    JAVA_LONG);
    static final Function RESULT_READ_MASK =
            function("ftuseg_result_read_mask", JAVA_INT, ADDRESS, ADDRESS, Struct.RECT.layout(), JAVA_INT, ADDRESS,
                    JAVA_LONG, JAVA_LONG);
    static final Function RESULT_RLE = function("ftuseg_result_rle", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    static final Function RESULT_GEOJSON = function("ftuseg_result_geojson", JAVA_INT, ADDRESS, ADDRESS, ADDRESS);
    static final Function RESULT_WRITE_MASK = function("ftuseg_result_write_mask", JAVA_INT, ADDRESS, ADDRESS);
    static final Function STRING_FREE = procedure("ftuseg_string_free", ADDRESS);

    private Native() {}

    /**
     * A function of the library. A segment that is handed in cannot be closed until the call is over: Java sees to that.
     *
     * @param handle takes all arguments as one array
     */
    record Function(MethodHandle handle) {
        /** Calls it with arguments of exactly its types. */
        Object call(Object... arguments) {
            try {
                return handle.invokeExact(arguments);
            } catch (RuntimeException | Error error) {
                throw error;
            } catch (Throwable error) {
                throw new AssertionError("a function of C throws nothing that is checked", error);
            }
        }

        /** Calls it, and throws what its status says. */
        void checked(Object... arguments) {
            if ((int) call(arguments) != 0) {
                // The last error is this thread's. Nothing between the two calls blocks, so that even a virtual thread is
                // still on the same one.
                throw FtusegException.of(text(LAST_ERROR_KIND.call()), text(LAST_ERROR.call()));
            }
        }
    }

    private static Function function(String name, MemoryLayout returns, MemoryLayout... takes) {
        return bind(name, FunctionDescriptor.of(returns, takes));
    }

    private static Function procedure(String name, MemoryLayout... takes) {
        return bind(name, FunctionDescriptor.ofVoid(takes));
    }

    @SuppressWarnings("restricted")
    private static Function bind(String name, FunctionDescriptor descriptor) {
        MemorySegment symbol = SYMBOLS.find(name)
                .orElseThrow(() -> new UnsatisfiedLinkError(
                        "the C library of ftuseg has no " + name + ": it is older than this package"));
        MethodHandle handle = Linker.nativeLinker().downcallHandle(symbol, descriptor);
        MethodHandle spread = handle.asSpreader(Object[].class, handle.type().parameterCount());
        return new Function(spread.asType(MethodType.methodType(Object.class, Object[].class)));
    }

    /** A function of Java's that the library can call. `name` is that of a method of `receiver`. */
    @SuppressWarnings("restricted")
    static MemorySegment callback(
            MethodHandles.Lookup lookup, Object receiver, String name, FunctionDescriptor descriptor, Arena arena) {
        try {
            MethodHandle method = lookup.bind(receiver, name, descriptor.toMethodType());
            return Linker.nativeLinker().upcallStub(method, descriptor, arena);
        } catch (ReflectiveOperationException error) {
            throw new AssertionError(name + " is a method of " + receiver.getClass(), error);
        }
    }

    /** Makes a handle, which is freed with the arena. `make` writes it to a place that it takes last. */
    @SuppressWarnings("restricted")
    static MemorySegment owned(Function make, Function free, Arena arena, Object... arguments) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment place = scratch.allocate(ADDRESS);
            Object[] all = Arrays.copyOf(arguments, arguments.length + 1);
            all[arguments.length] = place;
            make.checked(all);
            return place.get(ADDRESS, 0).reinterpret(arena, free::call);
        }
    }

    /** What lies behind a pointer that the library lent: `length` bytes, for as long as the arena. */
    @SuppressWarnings("restricted")
    static MemorySegment lent(MemorySegment pointer, long length, Arena arena) {
        return pointer.reinterpret(length, arena, null).asReadOnly();
    }

    /** What lies behind a pointer to a text that is the caller's now, without the NUL: it is freed with the arena. */
    @SuppressWarnings("restricted")
    static MemorySegment given(MemorySegment pointer, long length, Arena arena) {
        return pointer.reinterpret(length, arena, text -> STRING_FREE.call(text)).asReadOnly();
    }

    /** The text behind a pointer; null if it is NULL. */
    @SuppressWarnings("restricted")
    static String text(Object pointer) {
        MemorySegment begin = (MemorySegment) pointer;
        return begin.address() == 0 ? null : begin.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** A text for C; NULL for null. */
    static MemorySegment text(String text, Arena arena) {
        if (text == null) {
            return MemorySegment.NULL;
        }
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a text with a NUL in it cannot be handed on: it would end there");
        }
        return arena.allocateFrom(text);
    }
}
