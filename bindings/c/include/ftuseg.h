/*
 * ftuseg: finds functional tissue units in histology slides: glomeruli, glands, crypts, white pulp, alveoli.
 *
 *     ftuseg_engine *engine = NULL;
 *     ftuseg_result *result = NULL;
 *     size_t count = 0;
 *     if (ftuseg_engine_new(NULL, NULL, NULL, &engine) != FTUSEG_STATUS_OK ||
 *         ftuseg_segment_file(engine, "slide.svs", NULL, &result) != FTUSEG_STATUS_OK ||
 *         ftuseg_result_object_count(result, &count) != FTUSEG_STATUS_OK)
 *         fprintf(stderr, "%s\n", ftuseg_last_error());
 *     ftuseg_result_free(result);
 *     ftuseg_engine_free(engine);
 *
 * Units. Coordinates and areas are px of the slide at full size, counted from 0 at its top left, x to the right and y
 * down; ranges are half open. Sizes of px are um. Fields and names end with their unit where it is another one.
 *
 * Errors. A function that can fail returns an ftuseg_status: 0 is success, others say what kind of error it was. Then
 * ftuseg_last_error() has the message, of this thread's last failed call. What a function should have filled is as it
 * was before, but for new handles, which are NULL. No exception and no panic leaves the library.
 *
 * Ownership. Who gets a handle from NAME_new or ftuseg_segment_... frees it with NAME_free; who gets a char * frees it
 * with ftuseg_string_free. A const pointer is lent: it holds as long as the handle that it came from. Free functions
 * take NULL. What is handed in belongs to the caller; the library keeps no pointer to it after the call.
 *
 * Threads. An engine, a result and a cancel flag may be used by many threads at once; free them when no thread does any
 * more. Options are for one thread at a time. Nothing is kept between calls but the last error, for each thread its own.
 * The library starts threads, and does not touch signals, the locale, or the standard streams (but a panic, which is
 * an error in the library, is told of on standard error). Do not use it in a child process after fork without exec.
 *
 * Versions. Structs begin with their size, which says how much of them the program knows: initialise them with the
 * macros below. Functions, fields at the end of structs, options and codes are added without a new FTUSEG_ABI_VERSION.
 *
 * This file is made from the sources by cbindgen; do not edit it.
 */

#ifndef FTUSEG_H
#define FTUSEG_H

#include <stddef.h>
#include <stdint.h>

/* Structs begin with their size. Begin with these; what is not set after them is zero, the default. */
#ifdef __cplusplus
extern "C++" { /* even where this is included within extern "C" */
template <typename T> inline T ftuseg_sized() {
  T made = T();
  made.size = sizeof(T);
  return made;
}
}
#define FTUSEG_REQUEST_INIT ftuseg_sized<ftuseg_request>()
#define FTUSEG_PIXELS_INIT ftuseg_sized<ftuseg_pixels>()
#define FTUSEG_SLIDE_INFO_INIT ftuseg_sized<ftuseg_slide_info>()
#define FTUSEG_ORGAN_INIT ftuseg_sized<ftuseg_organ>()
#define FTUSEG_ORGAN_MAP_INIT ftuseg_sized<ftuseg_organ_map>()
#define FTUSEG_OBJECT_INIT ftuseg_sized<ftuseg_object>()
#else
#define FTUSEG_REQUEST_INIT { .size = sizeof(ftuseg_request) }
#define FTUSEG_PIXELS_INIT { .size = sizeof(ftuseg_pixels) }
#define FTUSEG_SLIDE_INFO_INIT { .size = sizeof(ftuseg_slide_info) }
#define FTUSEG_ORGAN_INIT { .size = sizeof(ftuseg_organ) }
#define FTUSEG_ORGAN_MAP_INIT { .size = sizeof(ftuseg_organ_map) }
#define FTUSEG_OBJECT_INIT { .size = sizeof(ftuseg_object) }
#endif


/**
 * The interface that this header describes. A library with another number is not for it.
 */
#define FTUSEG_ABI_VERSION 1

/**
 * Three bytes a px: red, green, blue.
 */
#define FTUSEG_PIXELS_RGB 0

/**
 * Four bytes a px: red, green, blue and alpha, which is not multiplied in. What is transparent is seen over white.
 */
#define FTUSEG_PIXELS_RGBA 1

/**
 * Four bytes a px: red, green, blue, and one that does not count.
 */
#define FTUSEG_PIXELS_RGBX 2

/**
 * Three bytes a px: blue, green, red.
 */
#define FTUSEG_PIXELS_BGR 3

/**
 * Four bytes a px: blue, green, red and alpha, as `FTUSEG_PIXELS_RGBA`.
 */
#define FTUSEG_PIXELS_BGRA 4

/**
 * Four bytes a px: blue, green, red, and one that does not count.
 */
#define FTUSEG_PIXELS_BGRX 5

/**
 * How a call ended: 0, or what kind of error it was. Codes may be added.
 */
enum ftuseg_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * All went well.
   */
  FTUSEG_STATUS_OK = 0,
  /**
   * Something was asked for that does not exist or makes no sense: a NULL, an unknown option, a buffer that is too
   * small, a region that is not within the slide.
   */
  FTUSEG_STATUS_USAGE = 1,
  /**
   * The file is no slide, or is broken.
   */
  FTUSEG_STATUS_FORMAT = 2,
  /**
   * The file is sound, but uses something that cannot be read here.
   */
  FTUSEG_STATUS_UNSUPPORTED = 3,
  /**
   * The system could not read or write a file.
   */
  FTUSEG_STATUS_IO = 4,
  /**
   * The slide, or a number in it, is larger than the library allows.
   */
  FTUSEG_STATUS_LIMITS = 5,
  /**
   * The um/px of the slide is needed and not known.
   */
  FTUSEG_STATUS_NO_RESOLUTION = 6,
  /**
   * The bundle has no model, or no router, for what was asked.
   */
  FTUSEG_STATUS_NO_MODEL = 7,
  /**
   * There is no bundle, or it is broken.
   */
  FTUSEG_STATUS_BUNDLE = 8,
  /**
   * The runtime, the device or a network failed.
   */
  FTUSEG_STATUS_BACKEND = 9,
  /**
   * The caller cancelled the work.
   */
  FTUSEG_STATUS_CANCELLED = 10,
  /**
   * An error in the library itself; please report it.
   */
  FTUSEG_STATUS_INTERNAL = 11,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ftuseg_status ftuseg_status;
#else
typedef int32_t ftuseg_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A flag that ends work from another thread, or from a signal handler. One flag may stand in many requests.
 */
typedef struct ftuseg_cancel ftuseg_cancel;

/**
 * A bundle of networks on a runtime. Many threads may use one engine at once, each for a slide of its own.
 */
typedef struct ftuseg_engine ftuseg_engine;

/**
 * What an engine is to be. Not to be changed by one thread while another uses it.
 */
typedef struct ftuseg_options ftuseg_options;

/**
 * A segmented slide. It does not change, so many threads may read it at once. It needs neither its engine nor its slide.
 */
typedef struct ftuseg_result ftuseg_result;

/**
 * Gets a line for people: about what is fetched, what is passed over, what goes another way than usual. Called only while
 * `ftuseg_engine_new` runs, and on its thread. `line` ends with a NUL, not with a newline, and holds until the function
 * returns. It must return: no exception and no longjmp may leave it.
 */
typedef void (*ftuseg_log_fn)(const char *line, void *user);

/**
 * A rectangle of px at full size, counted from the top left of the slide.
 */
typedef struct ftuseg_rect {
  /**
   * The leftmost column.
   */
  uint32_t x;
  /**
   * The topmost row.
   */
  uint32_t y;
  /**
   * How many columns.
   */
  uint32_t width;
  /**
   * How many rows.
   */
  uint32_t height;
} ftuseg_rect;

/**
 * Told how many tiles are done, of how many. Return 0 to go on, anything else to cancel. Called from the thread that
 * waits for the result and from others, but never twice at once for one slide. It must return soon, for work waits for
 * it; it must not segment anything itself; and it must return: no exception and no longjmp may leave it.
 */
typedef int32_t (*ftuseg_progress_fn)(uint64_t done, uint64_t planned, void *user);

/**
 * What is wanted of one slide. Begin with `FTUSEG_REQUEST_INIT`, which asks for all of it.
 */
typedef struct ftuseg_request {
  /**
   * sizeof(ftuseg_request).
   */
  size_t size;
  /**
   * The slide's id; NULL for the name of its file without the extension.
   */
  const char *id;
  /**
   * The slide's organ, for the route "given"; else NULL.
   */
  const char *organ;
  /**
   * um per px, instead of what the slide states; 0 to believe the slide.
   */
  double mpp;
  /**
   * The part that is wanted; all zero for all of it. Tissue is found and routed on the whole slide all the same.
   */
  struct ftuseg_rect region;
  /**
   * Told of progress; may be NULL.
   */
  ftuseg_progress_fn progress;
  /**
   * Handed to `progress` as it is.
   */
  void *user;
  /**
   * Cancels the work from another thread; may be NULL.
   */
  const struct ftuseg_cancel *cancel;
} ftuseg_request;

/**
 * Pixels in the caller's memory, 8 bits a channel. They are not copied. Begin with `FTUSEG_PIXELS_INIT`.
 */
typedef struct ftuseg_pixels {
  /**
   * sizeof(ftuseg_pixels).
   */
  size_t size;
  /**
   * The first byte of the first px of the top row.
   */
  const uint8_t *data;
  /**
   * How many bytes may be read from there.
   */
  size_t length;
  /**
   * Columns, px.
   */
  uint32_t width;
  /**
   * Rows, px.
   */
  uint32_t height;
  /**
   * Bytes from the start of a row to the start of the next; 0 where rows follow each other without a gap.
   */
  size_t stride;
  /**
   * FTUSEG_PIXELS_RGB, ..., by default that.
   */
  uint32_t format;
  /**
   * um per px; 0 where that is not known.
   */
  double mpp;
} ftuseg_pixels;

/**
 * What slide was segmented. Set `size` before it is filled.
 */
typedef struct ftuseg_slide_info {
  /**
   * sizeof(ftuseg_slide_info).
   */
  size_t size;
  /**
   * The slide's id. The three texts hold as long as the result.
   */
  const char *id;
  /**
   * The file's format, for people: "OME-TIFF".
   */
  const char *format;
  /**
   * Who read it: "ftuseg", or "OpenSlide" with its version.
   */
  const char *reader;
  /**
   * Full-size width, px.
   */
  uint32_t width;
  /**
   * Full-size height, px.
   */
  uint32_t height;
  /**
   * um per px from left to right, as it was used; NaN where it was not known.
   */
  double mpp_x;
  /**
   * um per px from top to bottom; NaN where it was not known.
   */
  double mpp_y;
  /**
   * The share of the slide that is tissue, 0 to 1.
   */
  double tissue_share;
  /**
   * Tiles that were planned.
   */
  uint64_t tiles_planned;
  /**
   * Tiles that networks saw.
   */
  uint64_t tiles_inferred;
} ftuseg_slide_info;

/**
 * What one organ got of a slide, and what was found there. Set `size` before it is filled.
 */
typedef struct ftuseg_organ {
  /**
   * sizeof(ftuseg_organ).
   */
  size_t size;
  /**
   * "kidney", "prostate", "largeintestine", "spleen", "lung"; "baseline" or "unet" for a network for all organs; "other"
   * for tissue of no known organ. The three texts hold as long as the result.
   */
  const char *name;
  /**
   * What one object is called: "Glomerulus"; "FTU" where a network for all organs found it.
   */
  const char *unit;
  /**
   * The models that decided, for people; NULL for "other".
   */
  const char *model;
  /**
   * Its value among labels: 1 and up for organs in the bundle's order, 255 for a network for all organs, 0 for "other".
   */
  uint32_t label;
  /**
   * Its share of the tissue, 0 to 1.
   */
  double share;
  /**
   * How sure the router was of it, 0 to 1.
   */
  double confidence;
  /**
   * Probability from which a px counted as found; NaN for "other".
   */
  double threshold;
  /**
   * How many objects were found.
   */
  uint64_t objects;
  /**
   * The area of all of them, full-size px.
   */
  uint64_t area_px;
  /**
   * The area of all of them, mm2; NaN where um/px was not known.
   */
  double area_mm2;
} ftuseg_organ;

/**
 * The grid of cells that were routed. Set `size` before it is filled.
 */
typedef struct ftuseg_organ_map {
  /**
   * sizeof(ftuseg_organ_map).
   */
  size_t size;
  /**
   * The side of a cell, full-size px. Column c begins at px round(c * cell).
   */
  double cell;
  /**
   * Columns of cells.
   */
  uint32_t columns;
  /**
   * Rows of cells.
   */
  uint32_t rows;
} ftuseg_organ_map;

/**
 * One object. Set `size` before it is filled.
 */
typedef struct ftuseg_object {
  /**
   * sizeof(ftuseg_object).
   */
  size_t size;
  /**
   * Its number on the slide, from 1, the same in every output.
   */
  uint64_t id;
  /**
   * A name that is the same whenever this object is found again on a slide of this id. It holds as long as the result.
   */
  const char *uuid;
  /**
   * Which organ found it: an index for `ftuseg_result_organ`.
   */
  size_t organ;
  /**
   * The box around it, full-size px.
   */
  struct ftuseg_rect bounds;
  /**
   * Its area, full-size px.
   */
  uint64_t area_px;
  /**
   * Rings of its outline: the outer one, and one for each hole.
   */
  size_t rings;
} ftuseg_object;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The interface of the library that is running: to be the header's `FTUSEG_ABI_VERSION`. Functions, options and fields
 * at the end of structs are added without a new number; a change to what is there gets one.
 */
uint32_t ftuseg_abi_version(void);

/**
 * The version of the library, such as "0.1.0". Never NULL, and never to be freed.
 */
const char *ftuseg_version(void);

/**
 * What went wrong in the last call of this thread that failed, for people, with all causes: "" if none has failed. Never
 * NULL and never to be freed; it holds until the next call of this thread that fails.
 */
const char *ftuseg_last_error(void);

/**
 * The code of the error that `ftuseg_last_error` tells of; `FTUSEG_STATUS_OK` if no call of this thread has failed.
 */
ftuseg_status ftuseg_last_error_status(void);

/**
 * The kind of the error that `ftuseg_last_error` tells of, in a word: "usage", "format", "unsupported", "io", "limits",
 * "no-resolution", "no-model", "bundle", "backend", "stopped", "internal", or "ok". Never NULL and never to be freed.
 */
const char *ftuseg_last_error_kind(void);

/**
 * Makes options in which nothing is set, so that all is as the command does it. Free them with `ftuseg_options_free`;
 * engines that were made with them do not need them any more.
 *
 * What the caller sees to:
 * `options` may be written to.
 */
ftuseg_status ftuseg_options_new(struct ftuseg_options **options);

/**
 * Sets an option. A value of NULL sets it back. Whether options fit each other and the bundle, `ftuseg_engine_new` says.
 *
 * | name | value |
 * |---|---|
 * | bundle | the bundle: its folder, or the name of an installed one; NULL: where the command looks |
 * | route | tile, slide, given, baseline, unet, or organ=NAME |
 * | tissue | auto, or off: all of the slide is tissue |
 * | overlap | px that neighbouring tiles share, at the model's um/px |
 * | blend | gaussian or crop: how overlapping tiles are joined |
 * | tta | none, flips, d4 or scales: the ways in which each tile is shown to its network |
 * | split | none, or touching: objects that touch are cut at their necks |
 * | precision | auto, fp32, bf16, fp16 or int8 |
 * | backend | auto, onnxruntime or rten |
 * | device | auto, cpu, openvino, cuda, cuda:N or cuda:all; one that is named is used, or it is an error |
 * | runtime | the shared library of ONNX Runtime, or the folder it is in |
 * | offline | yes or no: fetch nothing over the network |
 * | threads | 1 to 1024, for reading and for the networks; all cores if it is not set |
 * | batch | tiles that a network is given at once, 1 to 256 |
 * | max-models | the most networks in memory at once |
 * | queue-bytes | the most that tiles waiting between the stages may take, bytes |
 *
 * Errors:
 * `FTUSEG_STATUS_USAGE` for a name or a value that there is not; then nothing is changed.
 *
 * What the caller sees to:
 * `options` is NULL or not freed; `name` and `value` are NULL or end with a NUL.
 */
ftuseg_status ftuseg_options_set(struct ftuseg_options *options,
                                 const char *name,
                                 const char *value);

/**
 * Frees options. NULL is nothing to free.
 *
 * What the caller sees to:
 * `options` is NULL, or not freed and not used any more.
 */
void ftuseg_options_free(struct ftuseg_options *options);

/**
 * Makes an engine: checks the bundle and its files, finds and starts the runtime, proves the device. Networks are loaded
 * when they are first needed. Where ONNX Runtime is not installed, it is fetched with pip, unless the option `offline`
 * or the environment variable FTUSEG_OFFLINE forbids it.
 *
 * @param options  what it is to be; NULL for what the command does
 * @param log      gets lines for people; may be NULL
 * @param user     handed to `log` as it is
 * @param engine   the new engine, to be freed with `ftuseg_engine_free`; NULL after an error
 *
 * Errors:
 * `BUNDLE` and `NO_MODEL` for the bundle; `BACKEND` for the runtime or the device: nothing else is used instead; `USAGE`
 * for options that do not fit each other.
 *
 * What the caller sees to:
 * `options` is NULL or not freed; `engine` may be written to.
 */
ftuseg_status ftuseg_engine_new(const struct ftuseg_options *options,
                                ftuseg_log_fn log,
                                void *user,
                                struct ftuseg_engine **engine);

/**
 * What runs the networks, for people: "onnxruntime 1.31.1, cpu in fp32, 8 threads". It holds as long as the engine; NULL
 * if `engine` is.
 *
 * What the caller sees to:
 * `engine` is NULL or not freed.
 */
const char *ftuseg_engine_runtime(const struct ftuseg_engine *engine);

/**
 * The bundle's name and version: "ftuseg-cores 0.6.0". It holds as long as the engine; NULL if `engine` is.
 *
 * What the caller sees to:
 * `engine` is NULL or not freed.
 */
const char *ftuseg_engine_bundle(const struct ftuseg_engine *engine);

/**
 * Frees an engine and its networks. Its results stay. No other thread may be using it. NULL is nothing to free.
 *
 * What the caller sees to:
 * `engine` is NULL, or not freed and not used any more.
 */
void ftuseg_engine_free(struct ftuseg_engine *engine);

/**
 * Makes a flag that is not raised. Free it with `ftuseg_cancel_free`, once no call uses it any more.
 *
 * What the caller sees to:
 * `cancel` may be written to.
 */
ftuseg_status ftuseg_cancel_new(struct ftuseg_cancel **cancel);

/**
 * Raises the flag: calls whose request has it end with `FTUSEG_STATUS_CANCELLED`, within a fraction of a second as a
 * rule. It stays raised. May be called from any thread, and from a signal handler. NULL is nothing to raise.
 *
 * What the caller sees to:
 * `cancel` is NULL or a flag that is not freed.
 */
void ftuseg_cancel_raise(const struct ftuseg_cancel *cancel);

/**
 * Frees a flag that no call uses any more. NULL is nothing to free.
 *
 * What the caller sees to:
 * `cancel` is NULL or a flag that is not freed and not used any more.
 */
void ftuseg_cancel_free(struct ftuseg_cancel *cancel);

/**
 * Segments a slide in a file. It blocks until that is done, or cancelled.
 *
 * @param engine   what segments it
 * @param path     the slide's file; the system's bytes on Unix, UTF-8 elsewhere
 * @param request  what is wanted; NULL for all
 * @param result   the new result, to be freed with `ftuseg_result_free`; NULL after an error
 *
 * Errors:
 * `FORMAT`, `UNSUPPORTED`, `IO` and `LIMITS` for the file; `NO_RESOLUTION`; `NO_MODEL`; `BACKEND`; `CANCELLED`; `USAGE`
 * for a region that is not within the slide, or a number that makes no sense. The engine can be used again after each.
 *
 * What the caller sees to:
 * `engine` is NULL or not freed; `path` is NULL or ends with a NUL; `request` is NULL or states its size; `result` may
 * be written to. All of them stay as they are until the call returns.
 */
ftuseg_status ftuseg_segment_file(const struct ftuseg_engine *engine,
                                  const char *path,
                                  const struct ftuseg_request *request,
                                  struct ftuseg_result **result);

/**
 * Segments px in memory, without a copy of them. It blocks until that is done, or cancelled.
 *
 * @param engine   what segments it
 * @param pixels   the px, which are not needed any more once the call returns
 * @param request  what is wanted; NULL for all. Without an `id` there, the slide's is "pixels"
 * @param result   the new result, to be freed with `ftuseg_result_free`; NULL after an error
 *
 * Errors:
 * As `ftuseg_segment_file`, and `USAGE` for px that cannot be, or a buffer that is too small for them.
 *
 * What the caller sees to:
 * As for `ftuseg_segment_file`; and `pixels` states its size, and what it says may be read is not changed by anyone until
 * the call returns.
 */
ftuseg_status ftuseg_segment_pixels(const struct ftuseg_engine *engine,
                                    const struct ftuseg_pixels *pixels,
                                    const struct ftuseg_request *request,
                                    struct ftuseg_result **result);

/**
 * Frees a result, with all that it has lent. NULL is nothing to free.
 *
 * What the caller sees to:
 * `result` is NULL, or not freed and not used any more.
 */
void ftuseg_result_free(struct ftuseg_result *result);

/**
 * What slide was segmented.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `info` states its size and may be written to.
 */
ftuseg_status ftuseg_result_slide(const struct ftuseg_result *result, struct ftuseg_slide_info *info);

/**
 * How many warnings there are: what looks doubtful about the slide or the result. 0 if `result` is NULL.
 *
 * What the caller sees to:
 * `result` is NULL or not freed.
 */
size_t ftuseg_result_warning_count(const struct ftuseg_result *result);

/**
 * One warning.
 *
 * @param result  the result
 * @param index   which, from 0
 * @param kind    its kind: "unsure", "no-tissue", ..., as in the records of the command; may be NULL
 * @param text    a sentence for people; may be NULL. Both texts hold as long as the result
 *
 * Errors:
 * `USAGE` if there is no such warning.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `kind` and `text` are NULL or may be written to.
 */
ftuseg_status ftuseg_result_warning(const struct ftuseg_result *result,
                                    size_t index,
                                    const char **kind,
                                    const char **text);

/**
 * How many organs the slide's tissue was sent to, networks for all organs and "other" among them.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `count` may be written to.
 */
ftuseg_status ftuseg_result_organ_count(const struct ftuseg_result *result, size_t *count);

/**
 * One organ; the first has the largest share.
 *
 * Errors:
 * `USAGE` if there is no organ `index`, from 0.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `organ` states its size and may be written to.
 */
ftuseg_status ftuseg_result_organ(const struct ftuseg_result *result,
                                  size_t index,
                                  struct ftuseg_organ *organ);

/**
 * The grid of the organ map; `ftuseg_result_organ_cells` says what its cells are.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `map` states its size and may be written to.
 */
ftuseg_status ftuseg_result_organ_map(const struct ftuseg_result *result, struct ftuseg_organ_map *map);

/**
 * Which organ each cell went to, row by row: 0 for glass, else 1 more than the organ's index for `ftuseg_result_organ`.
 *
 * @param result  the result
 * @param cells   gets one byte for each cell
 * @param length  how many bytes there is room for: at least columns * rows of the map
 *
 * Errors:
 * `USAGE` if there is no room.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `length` bytes may be written to `cells`.
 */
ftuseg_status ftuseg_result_organ_cells(const struct ftuseg_result *result,
                                        uint8_t *cells,
                                        size_t length);

/**
 * How many objects were found.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `count` may be written to.
 */
ftuseg_status ftuseg_result_object_count(const struct ftuseg_result *result, size_t *count);

/**
 * One object, in the order of the GeoJSON.
 *
 * Errors:
 * `USAGE` if there is no object `index`, from 0.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `out` states its size and may be written to.
 */
ftuseg_status ftuseg_result_object(const struct ftuseg_result *result,
                                   size_t index,
                                   struct ftuseg_object *out);

/**
 * One ring of an object's outline: corners of px at full size, x and y in turn. The last corner is the first one again.
 * Sides are level or upright. The outer ring runs clockwise to the eye, holes the other way.
 *
 * @param result   the result
 * @param index    which object, from 0
 * @param ring     which ring: 0 is the outer one, the others are holes
 * @param corners  gets the first number; it holds as long as the result
 * @param count    gets the number of corners, of two numbers each
 *
 * Errors:
 * `USAGE` if there is no such ring.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `corners` and `count` may be written to.
 */
ftuseg_status ftuseg_result_object_ring(const struct ftuseg_result *result,
                                        size_t index,
                                        size_t ring,
                                        const uint32_t **corners,
                                        size_t *count);

/**
 * The name of a measurement that `ftuseg_result_measurement` knows: those of the command's table objects.csv that are
 * numbers, or flags (0 or 1). NULL if `index`, from 0, is beyond the last. Never to be freed.
 */
const char *ftuseg_measurement_name(size_t index);

/**
 * What was measured on an object. Names end with their unit: px, um, um2, rad; docs/objects.md says what each means.
 *
 * @param result  the result
 * @param index   which object, from 0
 * @param name    what is measured, as `ftuseg_measurement_name` says
 * @param value   gets the value; NaN where it is not known, such as um without um/px
 *
 * Errors:
 * `USAGE` for an unknown object or name.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `name` is NULL or ends with a NUL; `value` may be written to.
 */
ftuseg_status ftuseg_result_measurement(const struct ftuseg_result *result,
                                        size_t index,
                                        const char *name,
                                        double *value);

/**
 * Reads labels, as in the command's mask.tif: 0 background, 1 and up the organs in the bundle's order (see `label` of
 * `ftuseg_organ`), 255 what a network for all organs found. What lies beyond the slide is 0.
 *
 * @param result  the result
 * @param rect    which px, of the level
 * @param level   0 is full size; each level has half the px of the one before along each side (rounded up), and shows
 *                the px in the middle of each square that it stands for
 * @param out     gets one byte for each px
 * @param length  how many bytes there is room for
 * @param stride  bytes from the start of a row to the start of the next; 0 where rows follow each other without a gap.
 *                What lies between two rows is not touched
 *
 * Errors:
 * `USAGE` if there is no room, or a level is over 20.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `length` bytes may be written to `out`.
 */
ftuseg_status ftuseg_result_read_labels(const struct ftuseg_result *result,
                                        struct ftuseg_rect rect,
                                        uint32_t level,
                                        uint8_t *out,
                                        size_t length,
                                        size_t stride);

/**
 * Reads the mask of one organ, or of all: 255 where something was found, else 0.
 *
 * @param result  the result
 * @param organ   its name, as in `ftuseg_organ`; NULL for all of them. One that the slide does not have is empty
 * @param rect    as for `ftuseg_result_read_labels`, and so are the others
 * @param level   as there
 * @param out     as there
 * @param length  as there
 * @param stride  as there
 *
 * Errors:
 * As `ftuseg_result_read_labels`, and `USAGE` for a name that no organ has.
 *
 * What the caller sees to:
 * As for `ftuseg_result_read_labels`; `organ` is NULL or ends with a NUL.
 */
ftuseg_status ftuseg_result_read_mask(const struct ftuseg_result *result,
                                      const char *organ,
                                      struct ftuseg_rect rect,
                                      uint32_t level,
                                      uint8_t *out,
                                      size_t length,
                                      size_t stride);

/**
 * The run-length encoding of Kaggle: px counted from 1, down the columns; "" where nothing was found.
 *
 * @param result  the result
 * @param organ   the mask of one organ, by its name; NULL for all
 * @param text    gets the text, to be freed with `ftuseg_string_free`
 * @param length  gets its bytes without the NUL at the end; may be NULL
 *
 * Errors:
 * `USAGE` for a name that no organ has.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `organ` is NULL or ends with a NUL; `text` may be written to, and `length` is NULL or
 * may be.
 */
ftuseg_status ftuseg_result_rle(const struct ftuseg_result *result,
                                const char *organ,
                                char **text,
                                size_t *length);

/**
 * All objects as GeoJSON, the very bytes of the command's objects.geojson.
 *
 * @param result  the result
 * @param text    gets the text, to be freed with `ftuseg_string_free`
 * @param length  gets its bytes without the NUL at the end; may be NULL
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `text` may be written to, and `length` is NULL or may be.
 */
ftuseg_status ftuseg_result_geojson(const struct ftuseg_result *result, char **text, size_t *length);

/**
 * Writes all labels into a file, as the command's mask.tif: tiled, compressed, with smaller levels. The file appears whole
 * or not at all; one that is there is replaced.
 *
 * Errors:
 * `IO` if it cannot be written.
 *
 * What the caller sees to:
 * `result` is NULL or not freed; `path` is NULL or ends with a NUL.
 */
ftuseg_status ftuseg_result_write_mask(const struct ftuseg_result *result,
                                       const char *path);

/**
 * Frees a text that a function gave out. NULL is nothing to free.
 *
 * What the caller sees to:
 * `text` is NULL, or was given out by this library, was not changed in length and is not used any more.
 */
void ftuseg_string_free(char *text);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FTUSEG_H */
