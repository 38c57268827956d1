package qupath.lib.gui

/** The window; there is none, as under `QuPath script`, until a test opens one. */
class QuPathGUI {
    private static QuPathGUI window

    static QuPathGUI getInstance() { window }

    /** Not QuPath's. */
    static void open() { window = new QuPathGUI() }
}
