package qupath.fx.dialogs;

import java.util.ArrayList;
import java.util.List;

/** Keeps what would be shown. */
public class Dialogs {
    /** Not QuPath's: what a test looks at. */
    public static final List<String> SHOWN = new ArrayList<>();

    public static void showErrorMessage(String title, String message) {
        SHOWN.add("error: " + message);
    }

    public static void showInfoNotification(String title, String message) {
        SHOWN.add("info: " + message);
    }
}
