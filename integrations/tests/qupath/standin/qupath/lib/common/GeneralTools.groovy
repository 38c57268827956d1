package qupath.lib.common

import java.nio.file.Path

class GeneralTools {
    static Path toPath(URI uri) { uri.scheme == 'file' ? Path.of(uri) : null }
}
