package ftuseg;

/**
 * What looks doubtful about a slide or its result.
 *
 * @param kind its kind: "unsure", "no-tissue", ..., as in the records of the command
 * @param text a sentence for people
 */
public record Warning(String kind, String text) {}
