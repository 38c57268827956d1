// Segments px that the program has in memory, here those of a PPM file, on several threads with one engine:
//
//     c++ -std=c++17 segment.cpp $(pkg-config --cflags --libs ftuseg) -pthread -o segment
//     ./segment picture.ppm 0.5 out [threads=4] ...
//
// writes out/objects.geojson, out/mask.tif and out/rle.txt.
#include <ftuseg.hpp>

#include <atomic>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

// RGBA, as many toolkits have it, with rows that have a gap behind them.
struct picture {
    std::uint32_t width = 0, height = 0;
    std::size_t stride = 0;
    std::vector<std::uint8_t> bytes;
};

picture read_ppm(const char *path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic;
    picture made;
    unsigned most = 0;
    if (!(file >> magic >> made.width >> made.height >> most) || magic != "P6" || most != 255 || made.width == 0 ||
        made.width > 100000 || made.height > 100000) {
        throw std::runtime_error(std::string(path) + ": no PPM of bytes");
    }
    file.get();
    const std::vector<char> rgb((std::istreambuf_iterator<char>(file)), {});
    if (rgb.size() != std::size_t(made.width) * made.height * 3) {
        throw std::runtime_error(std::string(path) + ": it is cut off");
    }
    made.stride = std::size_t(made.width) * 4 + 12;
    made.bytes.assign(made.stride * made.height, 0);
    for (std::size_t px = 0; px < rgb.size() / 3; px++) {
        std::uint8_t *to = &made.bytes[px / made.width * made.stride + px % made.width * 4];
        for (int channel = 0; channel < 3; channel++) {
            to[channel] = static_cast<std::uint8_t>(rgb[px * 3 + channel]);
        }
        to[3] = 255;
    }
    return made;
}

void write(const std::string &path, const std::string &text) {
    std::ofstream file(path, std::ios::binary);
    if (!(file << text) || !file.flush()) {
        throw std::runtime_error(path + ": cannot be written");
    }
}

void run(int argc, char **argv) {
    const picture picture = read_ppm(argv[1]);
    const std::string out = argv[3];
    std::vector<std::pair<std::string, std::string>> options;
    for (int i = 4; i < argc; i++) {
        const std::string option = argv[i];
        const std::size_t sign = option.find('=');
        options.emplace_back(option.substr(0, sign), sign == std::string::npos ? "" : option.substr(sign + 1));
    }
    const ftuseg::engine engine(options, [](const char *line) { std::cerr << line << '\n'; });

    ftuseg_pixels pixels = FTUSEG_PIXELS_INIT;
    pixels.data = picture.bytes.data();
    pixels.length = picture.bytes.size();
    pixels.width = picture.width;
    pixels.height = picture.height;
    pixels.stride = picture.stride;
    pixels.format = FTUSEG_PIXELS_RGBA;
    pixels.mpp = std::stod(argv[2]);

    ftuseg::request request;
    std::uint64_t tiles = 0;
    request.progress = [&](std::uint64_t done, std::uint64_t) {
        tiles = done;
        return true;
    };
    const ftuseg::result result = engine.segment(pixels, request);
    std::cout << engine.bundle() << ": " << tiles << " tiles, " << result.objects().size() << " objects\n";
    for (const std::string &warning : result.warnings()) {
        std::cout << "warning: " << warning << '\n';
    }
    write(out + "/objects.geojson", result.geojson());
    write(out + "/rle.txt", result.rle());
    result.write_mask(out + "/mask.tif");

    // One engine serves many threads, and many threads read one result.
    std::atomic<int> same{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++) {
        threads.emplace_back([&] {
            const ftuseg::result again = engine.segment(pixels);
            same += again.rle() == result.rle() && again.geojson() == result.geojson();
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    if (same != 3) {
        throw std::runtime_error("threads found something else");
    }

    // Nobody wants this one any more.
    request.progress = [](std::uint64_t, std::uint64_t) { return false; };
    try {
        engine.segment(pixels, request);
        throw std::runtime_error("it was not cancelled");
    } catch (const ftuseg::error &error) {
        if (error.status() != FTUSEG_STATUS_CANCELLED) {
            throw;
        }
    }
    // And an exception of one's own comes back as it was.
    request.progress = [](std::uint64_t, std::uint64_t) -> bool { throw std::out_of_range("mine"); };
    try {
        engine.segment(pixels, request);
        throw std::runtime_error("the exception was lost");
    } catch (const std::out_of_range &) {
    }
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 4) {
        std::cerr << "usage: " << argv[0] << " PICTURE.ppm UM_PER_PX OUT [OPTION=VALUE ...]\n";
        return 2;
    }
    try {
        run(argc, argv);
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
