package qupath.lib.gui;

/** The window; there is none, as under `QuPath script`, until a test opens one. */
public class QuPathGUI {
    private static QuPathGUI window;

    public static QuPathGUI getInstance() {
        return window;
    }

    /** Not QuPath's. */
    public static void open() {
        window = new QuPathGUI();
    }
}
