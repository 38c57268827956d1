package qupath.fx.dialogs

/** Keeps what would be shown. */
class Dialogs {
    /** Not QuPath's: what a test looks at. */
    static final List<String> SHOWN = []

    static void showErrorMessage(String title, String message) { SHOWN << "error: ${message}".toString() }

    static void showInfoNotification(String title, String message) { SHOWN << "info: ${message}".toString() }
}
