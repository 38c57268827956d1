package qupath.lib.images.servers

class ImageServers {
    static ImageServer buildServer(URI uri, String... args) { ImageServer.of(new File(uri)) }
}
