package qupath.lib.common

class ColorTools {
    static int packRGB(int r, int g, int b) { (255 << 24) | (r << 16) | (g << 8) | b }

    static int red(int rgb) { (rgb >> 16) & 255 }

    static int green(int rgb) { (rgb >> 8) & 255 }

    static int blue(int rgb) { rgb & 255 }
}
