package qupath.lib.objects.classes

class PathClass {
    private static final Map<String, PathClass> KNOWN = [:]
    final String name
    final Integer color

    private PathClass(String name, Integer color) { this.name = name; this.color = color }

    /** The first colour that a class is made with stays. */
    static PathClass fromString(String name, Integer color) { KNOWN.computeIfAbsent(name) { new PathClass(name, color) } }

    String toString() { name }
}
