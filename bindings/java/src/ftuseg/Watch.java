package ftuseg;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** What the library calls while it works. Nothing that is thrown may leave it: it is kept, and thrown once the call is over. */
final class Watch {
    private final Thread waiting = Thread.currentThread();
    private final AtomicReference<Throwable> thrown = new AtomicReference<>();
    private Progress progress;
    private Consumer<String> log;

    /** A `ftuseg_progress_fn`, which also sees interrupts of the thread that waits. `progress` may be null. */
    MemorySegment onProgress(Progress progress, Arena arena) {
        this.progress = progress;
        FunctionDescriptor descriptor = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS);
        return Native.callback(MethodHandles.lookup(), this, "tiles", descriptor, arena);
    }

    /** A `ftuseg_log_fn`. */
    MemorySegment onLog(Consumer<String> log, Arena arena) {
        this.log = log;
        FunctionDescriptor descriptor = FunctionDescriptor.ofVoid(ADDRESS, ADDRESS);
        return Native.callback(MethodHandles.lookup(), this, "line", descriptor, arena);
    }

    @SuppressWarnings("unused") // The library calls it.
    private int tiles(long done, long planned, MemorySegment user) {
        try {
            if (progress != null && thrown.get() == null) {
                progress.tiles(done, planned);
            }
        } catch (Throwable error) {
            thrown.compareAndSet(null, error);
        }
        return thrown.get() != null || waiting.isInterrupted() ? 1 : 0;
    }

    @SuppressWarnings("unused") // The library calls it.
    private void line(MemorySegment line, MemorySegment user) {
        try {
            if (thrown.get() == null) {
                log.accept(Native.text(line));
            }
        } catch (Throwable error) {
            thrown.compareAndSet(null, error);
        }
    }

    /** Throws what was thrown while the library worked, if anything was. */
    void rethrow() {
        Throwable error = thrown.get();
        if (error != null) {
            Watch.<RuntimeException>raise(error);
        }
    }

    /** Throws what other languages on the JVM throw without declaring it, too. */
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void raise(Throwable error) throws E {
        throw (E) error;
    }
}
