package ftuseg;

/**
 * What is wanted of one slide. It does not change: each method makes another request.
 *
 * <pre>{@code
 * Request.ALL.region(new Rect(0, 0, 4096, 4096)).mpp(0.5)
 * }</pre>
 */
public final class Request {
    /** All of a slide, as it states itself. */
    public static final Request ALL = new Request(null, null, 0, null, null, null);

    final String id;
    final String organ;
    final double mpp;
    final Rect region;
    final Progress progress;
    final Cancel cancel;

    private Request(String id, String organ, double mpp, Rect region, Progress progress, Cancel cancel) {
        this.id = id;
        this.organ = organ;
        this.mpp = mpp;
        this.region = region;
        this.progress = progress;
        this.cancel = cancel;
    }

    /**
     * Names the slide.
     *
     * @param id its id; null for the name of its file without the extension, or "pixels"
     * @return the request with it
     */
    public Request id(String id) {
        return new Request(id, organ, mpp, region, progress, cancel);
    }

    /**
     * Says what organ it is, for the route "given".
     *
     * @param organ its name, such as "kidney"; null where it is not known
     * @return the request with it
     */
    public Request organ(String organ) {
        return new Request(id, organ, mpp, region, progress, cancel);
    }

    /**
     * Says how large its px are, instead of what it states.
     *
     * @param mpp um per px; 0 to believe the slide
     * @return the request with it
     */
    public Request mpp(double mpp) {
        return new Request(id, organ, mpp, region, progress, cancel);
    }

    /**
     * Says which part is wanted. Tissue is found and routed on the whole slide all the same.
     *
     * @param region which px, at full size; null for all
     * @return the request with it
     */
    public Request region(Rect region) {
        return new Request(id, organ, mpp, region, progress, cancel);
    }

    /**
     * Watches it.
     *
     * @param progress told of progress; may be null
     * @return the request with it
     */
    public Request progress(Progress progress) {
        return new Request(id, organ, mpp, region, progress, cancel);
    }

    /**
     * Makes it end early, once the flag is raised. So does an interrupt of the thread that waits, at the next tile.
     *
     * @param cancel the flag; may be null
     * @return the request with it
     */
    public Request cancel(Cancel cancel) {
        return new Request(id, organ, mpp, region, progress, cancel);
    }
}
