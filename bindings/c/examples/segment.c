/* Segments a slide and writes what was found:
 *
 *     cc segment.c $(pkg-config --cflags --libs ftuseg) -o segment
 *     ./segment slide.svs out [bundle=DIR] [threads=4] [route=slide] ...
 *
 * writes out/objects.geojson, out/mask.tif, out/rle.txt and out/small.pgm (the labels, small enough to look at). */
#include <ftuseg.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(const char *line, void *user) {
    (void)user;
    fprintf(stderr, "%s\n", line);
}

/* A line for every tile; a viewer would move a bar, and return 1 once its user clicks on "cancel". */
static int32_t progress(uint64_t done, uint64_t planned, void *user) {
    uint64_t *last = user;
    *last = done;
    return done > planned; /* never */
}

static int failed(const char *what) {
    fprintf(stderr, "%s: %s (%s)\n", what, ftuseg_last_error(), ftuseg_last_error_kind());
    return 1;
}

static int write_file(const char *folder, const char *name, const void *bytes, size_t length) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        return fprintf(stderr, "%s: too long\n", folder), 1;
    }
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return perror(path), 1;
    }
    int bad = fwrite(bytes, 1, length, file) != length;
    bad |= fclose(file) != 0;
    return bad ? (perror(path), 1) : 0;
}

/* The labels at the first level that has at most 512 px a side, as a picture: they are stretched to be seen. */
static int write_small(const ftuseg_result *result, const ftuseg_slide_info *slide, const char *folder) {
    uint32_t level = 0, width = slide->width, height = slide->height;
    while (width > 512 || height > 512) {
        width = (width + 1) / 2;
        height = (height + 1) / 2;
        level++;
    }
    char head[64];
    int begin = snprintf(head, sizeof head, "P5 %" PRIu32 " %" PRIu32 " 255\n", width, height);
    size_t length = (size_t)begin + (size_t)width * height;
    uint8_t *picture = malloc(length);
    if (picture == NULL) {
        return fputs("out of memory\n", stderr), 1;
    }
    memcpy(picture, head, (size_t)begin);
    ftuseg_rect all = {0, 0, width, height};
    int bad;
    if (ftuseg_result_read_labels(result, all, level, picture + begin, (size_t)width * height, width) != FTUSEG_STATUS_OK) {
        bad = failed("labels");
    } else {
        for (size_t at = (size_t)begin; at < length; at++) {
            picture[at] = (uint8_t)(picture[at] > 5 ? 255 : picture[at] * 50);
        }
        bad = write_file(folder, "small.pgm", picture, length);
    }
    free(picture);
    return bad;
}

static int show_objects(const ftuseg_result *result) {
    size_t count = 0;
    if (ftuseg_result_object_count(result, &count) != FTUSEG_STATUS_OK) {
        return failed("objects");
    }
    for (size_t i = 0; i < count; i++) {
        ftuseg_object object = FTUSEG_OBJECT_INIT;
        ftuseg_organ organ = FTUSEG_ORGAN_INIT;
        const uint32_t *corners = NULL;
        size_t corner_count = 0;
        double um2 = 0;
        if (ftuseg_result_object(result, i, &object) != FTUSEG_STATUS_OK ||
            ftuseg_result_organ(result, object.organ, &organ) != FTUSEG_STATUS_OK ||
            ftuseg_result_object_ring(result, i, 0, &corners, &corner_count) != FTUSEG_STATUS_OK ||
            ftuseg_result_measurement(result, i, "area_um2", &um2) != FTUSEG_STATUS_OK) {
            return failed("object");
        }
        printf("%" PRIu64 " %s at (%" PRIu32 ", %" PRIu32 "): %" PRIu64 " px, %.1f um2, %zu corners, %zu holes\n", object.id,
               organ.unit, corners[0], corners[1], object.area_px, um2, corner_count - 1, object.rings - 1);
    }
    return 0;
}

static int show_organs(const ftuseg_result *result) {
    size_t count = 0;
    if (ftuseg_result_organ_count(result, &count) != FTUSEG_STATUS_OK) {
        return failed("organs");
    }
    for (size_t i = 0; i < count; i++) {
        ftuseg_organ organ = FTUSEG_ORGAN_INIT;
        if (ftuseg_result_organ(result, i, &organ) != FTUSEG_STATUS_OK) {
            return failed("organ");
        }
        printf("%s: %.0f %% of the tissue, %.0f %% sure, %" PRIu64 " objects\n", organ.name, organ.share * 100,
               organ.confidence * 100, organ.objects);
    }
    return 0;
}

/* All that is wanted of a result. */
static int use(const ftuseg_result *result, const char *folder) {
    ftuseg_slide_info slide = FTUSEG_SLIDE_INFO_INIT;
    if (ftuseg_result_slide(result, &slide) != FTUSEG_STATUS_OK) {
        return failed("slide");
    }
    printf("%s: %s, %" PRIu32 " x %" PRIu32 " px of %.3f um\n", slide.id, slide.format, slide.width, slide.height, slide.mpp_x);
    for (size_t i = 0; i < ftuseg_result_warning_count(result); i++) {
        const char *text = NULL;
        if (ftuseg_result_warning(result, i, NULL, &text) != FTUSEG_STATUS_OK) {
            return failed("warning");
        }
        printf("warning: %s\n", text);
    }
    if (show_organs(result) != 0 || show_objects(result) != 0 || write_small(result, &slide, folder) != 0) {
        return 1;
    }
    char *text = NULL;
    size_t length = 0;
    if (ftuseg_result_geojson(result, &text, &length) != FTUSEG_STATUS_OK) {
        return failed("GeoJSON");
    }
    int bad = write_file(folder, "objects.geojson", text, length);
    ftuseg_string_free(text);
    if (ftuseg_result_rle(result, NULL, &text, &length) != FTUSEG_STATUS_OK) {
        return failed("RLE");
    }
    bad |= write_file(folder, "rle.txt", text, length);
    ftuseg_string_free(text);
    char path[4096];
    snprintf(path, sizeof path, "%s/mask.tif", folder);
    if (ftuseg_result_write_mask(result, path) != FTUSEG_STATUS_OK) {
        return failed("mask.tif");
    }
    return bad;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: %s SLIDE OUT [OPTION=VALUE ...]\n", argv[0]);
        return 2;
    }
    if (ftuseg_abi_version() != FTUSEG_ABI_VERSION) {
        fprintf(stderr, "this program is not for ftuseg %s\n", ftuseg_version());
        return 1;
    }
    ftuseg_options *options = NULL;
    ftuseg_engine *engine = NULL;
    ftuseg_result *result = NULL;
    uint64_t tiles = 0;
    int bad = 0;
    if (ftuseg_options_new(&options) != FTUSEG_STATUS_OK) {
        bad = failed("options");
    }
    for (int i = 3; i < argc && !bad; i++) {
        char *value = strchr(argv[i], '=');
        if (value != NULL) {
            *value++ = '\0';
        }
        if (ftuseg_options_set(options, argv[i], value) != FTUSEG_STATUS_OK) {
            bad = failed(argv[i]);
        }
    }
    if (!bad && ftuseg_engine_new(options, say, NULL, &engine) != FTUSEG_STATUS_OK) {
        bad = failed("engine");
    }
    ftuseg_options_free(options);
    if (!bad) {
        ftuseg_request request = FTUSEG_REQUEST_INIT;
        request.progress = progress;
        request.user = &tiles;
        if (ftuseg_segment_file(engine, argv[1], &request, &result) != FTUSEG_STATUS_OK) {
            bad = failed(argv[1]);
        }
    }
    if (!bad) {
        printf("%s on %s: %" PRIu64 " tiles\n", ftuseg_engine_bundle(engine), ftuseg_engine_runtime(engine), tiles);
    }
    ftuseg_engine_free(engine);
    if (!bad) {
        bad = use(result, argv[2]);
    }
    ftuseg_result_free(result);
    return bad;
}
