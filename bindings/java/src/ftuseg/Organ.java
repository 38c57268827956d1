package ftuseg;

/**
 * What one organ got of a slide, and what was found there.
 *
 * @param name       "kidney", "prostate", "largeintestine", "spleen", "lung"; "baseline" or "unet" for a network for all
 *                   organs; "other" for tissue of no known organ
 * @param unit       what one object is called: "Glomerulus"; "FTU" where a network for all organs found it
 * @param model      the models that decided, for people; null for "other"
 * @param label      its value among labels: 1 and up for organs in the bundle's order, 255 for a network for all organs, 0
 *                   for "other"
 * @param share      its share of the tissue, 0 to 1
 * @param confidence how sure the router was of it, 0 to 1
 * @param threshold  probability from which a px counted as found; NaN for "other"
 * @param objects    how many objects were found
 * @param areaPx     the area of all of them, full-size px
 * @param areaMm2    the area of all of them, mm2; NaN where um/px was not known
 */
public record Organ(
        String name,
        String unit,
        String model,
        int label,
        double share,
        double confidence,
        double threshold,
        long objects,
        long areaPx,
        double areaMm2) {}
