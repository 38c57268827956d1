/* What a careless program does, under valgrind or AddressSanitizer: buffers that are exactly as long as they are said to
 * be, errors in several threads, cancelled work, handles freed in any order. Prints "well" if all went as it should. */
#include <ftuseg.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                                                                    \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #what, ftuseg_last_error());                        \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static ftuseg_engine *engine;
static const char *slide;

struct stop {
    uint64_t at, seen;
};

static int32_t stop_at(uint64_t done, uint64_t planned, void *user) {
    struct stop *stop = user;
    (void)planned;
    stop->seen = done;
    return done >= stop->at;
}

static void *fail(void *name) {
    ftuseg_result *result = NULL;
    for (int round = 0; round < 5; round++) {
        CHECK(ftuseg_segment_file(engine, name, NULL, &result) == FTUSEG_STATUS_IO);
        CHECK(result == NULL);
        CHECK(strstr(ftuseg_last_error(), name) != NULL);
    }
    return NULL;
}

static void *work(void *unused) {
    ftuseg_result *result = NULL;
    CHECK(ftuseg_segment_file(engine, slide, NULL, &result) == FTUSEG_STATUS_OK);
    return (void)unused, result;
}

static void *read_it(void *result) {
    size_t length = 0, objects = 0;
    char *text = NULL;
    CHECK(ftuseg_result_object_count(result, &objects) == FTUSEG_STATUS_OK);
    CHECK(ftuseg_result_geojson(result, &text, &length) == FTUSEG_STATUS_OK);
    CHECK(strlen(text) == length);
    ftuseg_string_free(text);
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    slide = argv[2];
    ftuseg_options *options = NULL;
    CHECK(ftuseg_options_new(&options) == FTUSEG_STATUS_OK);
    CHECK(ftuseg_options_set(options, "backend", "rten") == FTUSEG_STATUS_OK);
    CHECK(ftuseg_options_set(options, "threads", "2") == FTUSEG_STATUS_OK);
    CHECK(ftuseg_options_set(options, "bundle", "/nowhere/at/all") == FTUSEG_STATUS_OK);
    CHECK(ftuseg_engine_new(options, NULL, NULL, &engine) == FTUSEG_STATUS_BUNDLE);
    CHECK(engine == NULL);
    CHECK(ftuseg_options_set(options, "bundle", argv[1]) == FTUSEG_STATUS_OK);
    CHECK(ftuseg_options_set(options, "threads", "no number") == FTUSEG_STATUS_USAGE);
    CHECK(ftuseg_engine_new(options, NULL, NULL, &engine) == FTUSEG_STATUS_OK);
    ftuseg_options_free(options);

    /* Errors of several threads at once, while others work. */
    pthread_t threads[6];
    static char names[4][16] = {"missing-0.tif", "missing-1.tif", "missing-2.tif", "missing-3.tif"};
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, fail, names[i]) == 0);
    }
    CHECK(pthread_create(&threads[4], NULL, work, NULL) == 0);
    CHECK(pthread_create(&threads[5], NULL, work, NULL) == 0);
    void *results[2] = {NULL, NULL};
    for (int i = 0; i < 6; i++) {
        CHECK(pthread_join(threads[i], i < 4 ? NULL : &results[i - 4]) == 0);
    }
    ftuseg_result_free(results[1]);
    ftuseg_result *result = results[0];

    /* Cancelled by the callback, and by a flag; nothing is left behind. */
    ftuseg_request request = FTUSEG_REQUEST_INIT;
    ftuseg_result *none = NULL;
    struct stop stop = {1, 0};
    request.progress = stop_at;
    request.user = &stop;
    CHECK(ftuseg_segment_file(engine, slide, &request, &none) == FTUSEG_STATUS_CANCELLED);
    CHECK(none == NULL && stop.seen >= 1);
    ftuseg_cancel *cancel = NULL;
    CHECK(ftuseg_cancel_new(&cancel) == FTUSEG_STATUS_OK);
    ftuseg_cancel_raise(cancel);
    stop.at = UINT64_MAX;
    request.cancel = cancel;
    CHECK(ftuseg_segment_file(engine, slide, &request, &none) == FTUSEG_STATUS_CANCELLED);
    ftuseg_cancel_free(cancel);
    request.cancel = NULL;

    /* Px in a buffer without a byte to spare: 5 x 3 px of RGBA, of which nobody may read the gap behind the last row. */
    size_t stride = 5 * 4 + 3, bytes = 2 * stride + 5 * 4;
    uint8_t *px = malloc(bytes);
    CHECK(px != NULL);
    memset(px, 200, bytes);
    ftuseg_pixels pixels = FTUSEG_PIXELS_INIT;
    pixels.data = px;
    pixels.length = bytes;
    pixels.width = 5;
    pixels.height = 3;
    pixels.stride = stride;
    pixels.format = FTUSEG_PIXELS_RGBA;
    pixels.mpp = 2;
    CHECK(ftuseg_segment_pixels(engine, &pixels, NULL, &none) == FTUSEG_STATUS_OK);
    free(px); /* a result needs its px no more */
    ftuseg_engine_free(engine); /* nor its engine */
    char *text = NULL;
    CHECK(ftuseg_result_rle(none, NULL, &text, NULL) == FTUSEG_STATUS_OK);
    ftuseg_string_free(text);
    ftuseg_result_free(none);

    /* Blocks in buffers without a byte to spare. */
    ftuseg_slide_info info = FTUSEG_SLIDE_INFO_INIT;
    CHECK(ftuseg_result_slide(result, &info) == FTUSEG_STATUS_OK);
    for (uint32_t level = 0; level < 3; level++) {
        ftuseg_rect rect = {info.width >> level, 0, 7, 9};
        rect.x -= 3; /* over the edge */
        uint8_t *block = malloc(8 * 16 + 7);
        CHECK(block != NULL);
        CHECK(ftuseg_result_read_labels(result, rect, level, block, 8 * 16 + 7, 16) == FTUSEG_STATUS_OK);
        CHECK(block[0] == 0 && block[6] == 0 && block[8 * 16 + 6] == 0);
        CHECK(ftuseg_result_read_labels(result, rect, level, block, 8 * 16 + 6, 16) == FTUSEG_STATUS_USAGE);
        CHECK(ftuseg_result_read_mask(result, "kidney", rect, level, block, 63, 0) == FTUSEG_STATUS_OK);
        free(block);
    }
    ftuseg_organ_map map = FTUSEG_ORGAN_MAP_INIT;
    CHECK(ftuseg_result_organ_map(result, &map) == FTUSEG_STATUS_OK);
    size_t count = (size_t)map.columns * map.rows;
    uint8_t *cells = malloc(count);
    CHECK(cells != NULL);
    CHECK(ftuseg_result_organ_cells(result, cells, count) == FTUSEG_STATUS_OK);
    CHECK(ftuseg_result_organ_cells(result, cells, count - 1) == FTUSEG_STATUS_USAGE);
    free(cells);

    /* Read by several threads, one of which asks first. */
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, read_it, result) == 0);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    ftuseg_result_free(result);
    puts("well");
    return 0;
}
