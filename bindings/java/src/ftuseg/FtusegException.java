package ftuseg;

/** What the library refused or could not do, with all causes. Each kind has a class; what is there may get more of them. */
public class FtusegException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final String kind;

    FtusegException(String kind, String message) {
        super(message);
        this.kind = kind;
    }

    /**
     * The kind of the error.
     *
     * @return "usage", "format", "unsupported", "io", "limits", "no-resolution", "no-model", "bundle", "backend", "stopped",
     *     "internal", as in the records of the command
     */
    public String kind() {
        return kind;
    }

    static FtusegException of(String kind, String message) {
        return switch (kind) {
            case "usage" -> new Usage(message);
            case "format" -> new Format(message);
            case "unsupported" -> new Unsupported(message);
            case "io" -> new Io(message);
            case "limits" -> new Limits(message);
            case "no-resolution" -> new NoResolution(message);
            case "no-model" -> new NoModel(message);
            case "bundle" -> new Bundle(message);
            case "backend" -> new Backend(message);
            case "stopped" -> new Cancelled(message);
            case "internal" -> new Internal(message);
            default -> new FtusegException(kind, message);
        };
    }

    /** Something was asked for that does not exist or makes no sense. */
    public static final class Usage extends FtusegException {
        private static final long serialVersionUID = 1;

        Usage(String message) {
            super("usage", message);
        }
    }

    /** The file is no slide, or is broken. */
    public static final class Format extends FtusegException {
        private static final long serialVersionUID = 1;

        Format(String message) {
            super("format", message);
        }
    }

    /** The file is sound, but uses something that cannot be read here. */
    public static final class Unsupported extends FtusegException {
        private static final long serialVersionUID = 1;

        Unsupported(String message) {
            super("unsupported", message);
        }
    }

    /** The system could not read or write a file. */
    public static final class Io extends FtusegException {
        private static final long serialVersionUID = 1;

        Io(String message) {
            super("io", message);
        }
    }

    /** The slide, or a number in it, is larger than the library allows. */
    public static final class Limits extends FtusegException {
        private static final long serialVersionUID = 1;

        Limits(String message) {
            super("limits", message);
        }
    }

    /** The um/px of the slide is needed and not known. */
    public static final class NoResolution extends FtusegException {
        private static final long serialVersionUID = 1;

        NoResolution(String message) {
            super("no-resolution", message);
        }
    }

    /** The bundle has no model, or no router, for what was asked. */
    public static final class NoModel extends FtusegException {
        private static final long serialVersionUID = 1;

        NoModel(String message) {
            super("no-model", message);
        }
    }

    /** There is no bundle, or it is broken. */
    public static final class Bundle extends FtusegException {
        private static final long serialVersionUID = 1;

        Bundle(String message) {
            super("bundle", message);
        }
    }

    /** The runtime, the device or a network failed. */
    public static final class Backend extends FtusegException {
        private static final long serialVersionUID = 1;

        Backend(String message) {
            super("backend", message);
        }
    }

    /** The caller cancelled the work, or interrupted the thread that waited for it. */
    public static final class Cancelled extends FtusegException {
        private static final long serialVersionUID = 1;

        Cancelled(String message) {
            super("stopped", message);
        }
    }

    /** An error in the library itself; please report it. */
    public static final class Internal extends FtusegException {
        private static final long serialVersionUID = 1;

        Internal(String message) {
            super("internal", message);
        }
    }
}
