package ftuseg;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The grid of cells that were routed.
 *
 * @param cell    the side of a cell, full-size px; column c begins at px round(c * cell)
 * @param columns columns of cells
 * @param rows    rows of cells
 * @param organs  a byte for each cell, row by row: 0 for glass, else 1 more than the organ's place among
 *                {@link Result#organs}; cannot be written to
 */
public record OrganMap(double cell, int columns, int rows, MemorySegment organs) {
    /**
     * Which organ a cell went to.
     *
     * @param column its column, from 0
     * @param row    its row, from 0
     * @return the organ's place among {@link Result#organs}; -1 for glass
     */
    public int organ(int column, int row) {
        if (column < 0 || column >= columns || row < 0 || row >= rows) {
            throw new IndexOutOfBoundsException(
                    "cell (" + column + ", " + row + ") of " + columns + " x " + rows);
        }
        return Byte.toUnsignedInt(organs.get(ValueLayout.JAVA_BYTE, (long) row * columns + column)) - 1;
    }
}
