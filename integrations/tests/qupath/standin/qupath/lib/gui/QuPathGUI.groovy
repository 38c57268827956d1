package qupath.lib.gui

/** The window; there is none, as under `QuPath script`, unless a test opens one. */
class QuPathGUI {
    private static QuPathGUI window

    static QuPathGUI getInstance() { window }

    /** Not QuPath's. */
    static void open(boolean is) { window = is ? new QuPathGUI() : null }
}
