package ftuseg;

/** Told how a slide goes. */
@FunctionalInterface
public interface Progress {
    /**
     * Told how many tiles are done. Called from the thread that waits for the result and from others, but never twice at
     * once for one slide. It must return soon, for work waits for it, and must not segment anything itself. What it throws
     * ends the work, and is then thrown by {@code segment}.
     *
     * @param done    tiles that are done
     * @param planned tiles that there are
     */
    void tiles(long done, long planned);
}
