package ftuseg;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A bundle of networks on a runtime. Many threads may use one engine at once, each for a slide of its own.
 *
 * <pre>{@code
 * try (var engine = new Engine(); var result = engine.segment(Path.of("slide.svs"))) {
 *     result.objects().forEach(System.out::println);
 * }
 * }</pre>
 */
public final class Engine implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment handle;

    /** Makes an engine as the command does. */
    public Engine() {
        this(Map.of());
    }

    /**
     * Makes an engine. Networks are loaded when they are first needed.
     *
     * @param options by name, such as {@code Map.of("bundle", "models/bundle", "threads", "4")}: those of
     *     {@code ftuseg_options_set} in ftuseg.h. What is not named is as the command does it
     */
    public Engine(Map<String, String> options) {
        this(options, null);
    }

    /**
     * Makes an engine, and tells about it.
     *
     * @param options as above
     * @param log     gets lines for people: about what is fetched, what is passed over, what goes another way than usual;
     *     called only until the engine is made, and on this thread; may be null
     */
    public Engine(Map<String, String> options, Consumer<String> log) {
        Watch watch = new Watch();
        MemorySegment made = null;
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment wanted = Native.owned(Native.OPTIONS_NEW, Native.OPTIONS_FREE, scratch);
            options.forEach((name, value) ->
                    Native.OPTIONS_SET.checked(wanted, Native.text(name, scratch), Native.text(value, scratch)));
            MemorySegment say = log == null ? MemorySegment.NULL : watch.onLog(log, scratch);
            made = Native.owned(Native.ENGINE_NEW, Native.ENGINE_FREE, arena, wanted, say, MemorySegment.NULL);
            watch.rethrow();
        } catch (Throwable error) {
            arena.close();
            throw error;
        }
        handle = made;
    }

    /**
     * The version of the library, such as "0.1.0".
     *
     * @return that version
     */
    public static String version() {
        return Native.text(Native.VERSION.call());
    }

    /**
     * What runs the networks, for people: "onnxruntime 1.31.1, cpu in fp32, 8 threads".
     *
     * @return that text
     */
    public String runtime() {
        return Native.text(Native.ENGINE_RUNTIME.call(handle));
    }

    /**
     * The bundle's name and version: "ftuseg-cores 0.6.0".
     *
     * @return that text
     */
    public String bundle() {
        return Native.text(Native.ENGINE_BUNDLE.call(handle));
    }

    /**
     * Segments all of a slide in a file.
     *
     * @param slide its file
     * @return what was found, to be closed
     */
    public Result segment(Path slide) {
        return segment(slide, Request.ALL);
    }

    /**
     * Segments a slide in a file. It blocks until that is done, or cancelled; an exception leaves the engine as it was.
     *
     * @param slide   its file
     * @param request what is wanted
     * @return what was found, to be closed
     */
    public Result segment(Path slide, Request request) {
        try (Arena scratch = Arena.ofConfined()) {
            return run(Native.SEGMENT_FILE, Native.text(slide.toString(), scratch), request, scratch);
        }
    }

    /**
     * Segments px in memory, without a copy of them. It blocks until that is done, or cancelled.
     *
     * @param pixels  the px
     * @param request what is wanted
     * @return what was found, to be closed; it does not need the px
     */
    public Result segment(Pixels pixels, Request request) {
        MemorySegment data = pixels.data();
        if (!data.scope().isAlive()) {
            throw new IllegalStateException("the arena of the px is closed");
        }
        if (!data.isAccessibleBy(Thread.currentThread())) {
            throw new WrongThreadException("the px lie in an arena that is confined to another thread");
        }
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment given = Struct.PIXELS.sized(scratch);
            given.set(ADDRESS, Struct.PIXELS.at("data"), data);
            given.set(JAVA_LONG, Struct.PIXELS.at("length"), data.byteSize());
            given.set(JAVA_INT, Struct.PIXELS.at("width"), pixels.width());
            given.set(JAVA_INT, Struct.PIXELS.at("height"), pixels.height());
            given.set(JAVA_LONG, Struct.PIXELS.at("stride"), pixels.stride());
            given.set(JAVA_INT, Struct.PIXELS.at("format"), pixels.format().ordinal());
            given.set(JAVA_DOUBLE, Struct.PIXELS.at("mpp"), pixels.mpp());
            return run(Native.SEGMENT_PIXELS, given, request, scratch);
        } finally {
            Reference.reachabilityFence(data);
        }
    }

    private Result run(Native.Function segment, MemorySegment slide, Request request, Arena scratch) {
        Watch watch = new Watch();
        MemorySegment wanted = Struct.REQUEST.sized(scratch);
        wanted.set(ADDRESS, Struct.REQUEST.at("id"), Native.text(request.id, scratch));
        wanted.set(ADDRESS, Struct.REQUEST.at("organ"), Native.text(request.organ, scratch));
        wanted.set(JAVA_DOUBLE, Struct.REQUEST.at("mpp"), request.mpp);
        if (request.region != null) {
            Struct.fill(wanted, Struct.REQUEST.at("region"), request.region);
        }
        wanted.set(ADDRESS, Struct.REQUEST.at("progress"), watch.onProgress(request.progress, scratch));
        if (request.cancel != null) {
            wanted.set(ADDRESS, Struct.REQUEST.at("cancel"), request.cancel.handle());
        }
        Result result = null;
        try {
            result = new Result(segment, handle, slide, wanted);
        } catch (FtusegException error) {
            watch.rethrow();
            throw error;
        } finally {
            // The library has only its address.
            Reference.reachabilityFence(request);
        }
        try {
            watch.rethrow();
        } catch (Throwable error) {
            result.close();
            throw error;
        }
        return result;
    }

    /**
     * Frees the engine and its networks; results stay.
     *
     * @throws IllegalStateException if a thread is using it
     */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
