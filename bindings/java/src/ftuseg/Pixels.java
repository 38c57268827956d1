package ftuseg;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Px in memory, 8 bits a channel. They are not copied, so they have to lie outside Java's heap: in a segment of an
 * {@link java.lang.foreign.Arena}, in a mapped file, or in a direct buffer ({@link MemorySegment#ofBuffer}). Nobody may change
 * or close them until they are segmented.
 *
 * @param data   begins with the first px of the top row
 * @param width  columns, px
 * @param height rows, px
 * @param format how a px is laid out
 * @param stride bytes from the start of a row to the start of the next; 0 where rows follow each other without a gap
 * @param mpp    um per px; 0 where that is not known
 */
public record Pixels(MemorySegment data, int width, int height, Format format, long stride, double mpp) {
    /** How a px is laid out. */
    public enum Format {
        /** Three bytes: red, green, blue. */
        RGB,
        /** Four bytes: red, green, blue and alpha, which is not multiplied in. What is transparent is seen over white. */
        RGBA,
        /** Four bytes: red, green, blue, and one that does not count. */
        RGBX,
        /** Three bytes: blue, green, red, as in {@code BufferedImage.TYPE_3BYTE_BGR}. */
        BGR,
        /** Four bytes: blue, green, red and alpha; ints of {@code BufferedImage.TYPE_INT_ARGB} on little-endian machines. */
        BGRA,
        /** Four bytes: blue, green, red, and one that does not count; ints of {@code BufferedImage.TYPE_INT_RGB}. */
        BGRX
    }

    /** Refuses px that the library could not reach. */
    public Pixels {
        Objects.requireNonNull(data, "data");
        Objects.requireNonNull(format, "format");
        if (!data.isNative()) {
            throw new IllegalArgumentException(
                    "px on Java's heap cannot be handed on: copy them into a segment of an arena, or use a direct buffer");
        }
        if (width < 0 || height < 0 || stride < 0) {
            throw new IllegalArgumentException(
                    width + " x " + height + " px with rows of " + stride + " bytes: none may be negative");
        }
    }

    /**
     * Rows of RGB that follow each other without a gap.
     *
     * @param data   begins with the first px of the top row
     * @param width  columns, px
     * @param height rows, px
     * @param mpp    um per px; 0 where that is not known
     * @return those px
     */
    public static Pixels rgb(MemorySegment data, int width, int height, double mpp) {
        return new Pixels(data, width, height, Format.RGB, 0, mpp);
    }
}
