package ftuseg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A flag that ends work from another thread. One flag may stand in many requests. It needs no closing. */
public final class Cancel {
    /** Freed once nobody can reach this flag any more. */
    private final MemorySegment handle;

    /** Makes a flag that is not raised. */
    public Cancel() {
        handle = Native.owned(Native.CANCEL_NEW, Native.CANCEL_FREE, Arena.ofAuto());
    }

    /** Raises the flag: work that has it ends within a fraction of a second as a rule. It stays raised. */
    public void raise() {
        Native.CANCEL_RAISE.call(handle);
    }

    MemorySegment handle() {
        return handle;
    }
}
