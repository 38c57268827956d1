/**
 * Finds functional tissue units in histology slides: glomeruli, glands, crypts, white pulp, alveoli.
 *
 * <p>This is the C library of ftuseg, called through Java's foreign functions: nothing is run beside the program, and no px
 * is copied. {@link ftuseg.Engine} is the way in.
 *
 * <p><b>Units.</b> Coordinates and areas are px of the slide at full size, counted from 0 at its top left, x to the right
 * and y down; ranges are half open. Sizes of px are um. Names end with their unit where it is another one.
 *
 * <p><b>Errors.</b> What the library refuses is a {@link ftuseg.FtusegException}, of a class for each kind.
 *
 * <p><b>Ownership.</b> Engines and results hold memory outside Java's heap until they are closed. What they lend ends with
 * them: to use it later, or to close what another thread uses, is an {@link IllegalStateException}, not a crash.
 *
 * <p><b>Threads.</b> Everything here may be used by many threads at once.
 */
package ftuseg;
