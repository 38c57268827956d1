package ftuseg;

/**
 * A rectangle of px.
 *
 * @param x      the leftmost column
 * @param y      the topmost row
 * @param width  how many columns
 * @param height how many rows
 */
public record Rect(int x, int y, int width, int height) {
    /** Refuses what is negative. */
    public Rect {
        if (x < 0 || y < 0 || width < 0 || height < 0) {
            throw new IllegalArgumentException(
                    "a rectangle of " + width + " x " + height + " px at (" + x + ", " + y + "): none may be negative");
        }
    }
}
