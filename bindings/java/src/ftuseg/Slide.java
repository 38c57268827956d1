package ftuseg;

/**
 * What slide was segmented.
 *
 * @param id            its id
 * @param format        the file's format, for people: "OME-TIFF"
 * @param reader        who read it: "ftuseg", or "OpenSlide" with its version
 * @param width         full-size width, px
 * @param height        full-size height, px
 * @param mppX          um per px from left to right, as it was used; NaN where it was not known
 * @param mppY          um per px from top to bottom; NaN where it was not known
 * @param tissueShare   the share of the slide that is tissue, 0 to 1
 * @param tilesPlanned  tiles that were planned
 * @param tilesInferred tiles that networks saw
 */
public record Slide(
        String id,
        String format,
        String reader,
        int width,
        int height,
        double mppX,
        double mppY,
        double tissueShare,
        long tilesPlanned,
        long tilesInferred) {}
