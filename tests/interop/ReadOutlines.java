// Checks outlines, exact and simplified, with JTS, which QuPath and GeoTools are built on.
//
//     java -cp jts-core.jar ReadOutlines.java OUTLINES.tsv
//
// A line an object: its area in px, its exact outline as WKT, a tolerance in px, and the outline that was simplified by it.
// Ends with an error where one is not as it must be; else prints how many objects there are.

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.locationtech.jts.geom.Polygon;
import org.locationtech.jts.io.WKTReader;
import org.locationtech.jts.operation.valid.IsValidOp;

public class ReadOutlines {
    static void check(boolean isSo, String what, String line) {
        if (!isSo) {
            throw new IllegalStateException(what + ": " + line);
        }
    }

    static Polygon valid(String wkt) throws Exception {
        Polygon polygon = (Polygon) new WKTReader().read(wkt);
        IsValidOp test = new IsValidOp(polygon);
        check(test.isValid(), String.valueOf(test.getValidationError()), wkt);
        return polygon;
    }

    public static void main(String[] arguments) throws Exception {
        int count = 0;
        try (BufferedReader lines = Files.newBufferedReader(Path.of(arguments[0]))) {
            for (String line; (line = lines.readLine()) != null; count++) {
                String[] fields = line.split("\t");
                Polygon exact = valid(fields[1]);
                Polygon fewer = valid(fields[3]);
                check(exact.getArea() == Double.parseDouble(fields[0]), "another area", line);
                check(exact.getNumInteriorRing() == fewer.getNumInteriorRing(), "a hole is lost", line);
            }
        }
        System.out.println(count);
    }
}
