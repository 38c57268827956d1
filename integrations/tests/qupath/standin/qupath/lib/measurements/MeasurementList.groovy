package qupath.lib.measurements

class MeasurementList {
    private final Map<String, Number> values = [:]

    void put(String name, double value) { values[name] = value }

    Map<String, Number> asMap() { values }
}
