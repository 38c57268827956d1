package ftuseg;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;

/** Finds the shared library. */
final class Library {
    /** Names the file of the library, before {@link #VARIABLE} does. */
    static final String PROPERTY = "ftuseg.library";

    /** Names the file of the library. */
    static final String VARIABLE = "FTUSEG_LIBRARY";

    private Library() {}

    /** The named library, or the one that the system finds. It stays until Java ends. */
    @SuppressWarnings("restricted")
    static SymbolLookup load() {
        String named = System.getProperty(PROPERTY, System.getenv(VARIABLE));
        boolean isNamed = named != null && !named.isEmpty();
        String wanted = isNamed ? named : usualName();
        try {
            return isNamed
                    ? SymbolLookup.libraryLookup(Path.of(named).toAbsolutePath(), Arena.global())
                    : SymbolLookup.libraryLookup(wanted, Arena.global());
        } catch (IllegalArgumentException error) {
            throw new UnsatisfiedLinkError(
                    wanted + ": the C library of ftuseg cannot be loaded. Install it (bindings/c/install.sh) where the system looks"
                            + " for libraries, or name its file in the property " + PROPERTY + " or the variable " + VARIABLE);
        }
    }

    /** The name under which bindings/c/install.sh installs the library that this package is for. */
    private static String usualName() {
        boolean isMac = System.getProperty("os.name").startsWith("Mac");
        return isMac ? "libftuseg." + Native.ABI_VERSION + ".dylib" : "libftuseg.so." + Native.ABI_VERSION;
    }
}
