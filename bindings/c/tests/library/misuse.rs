//! Wrong arguments are errors, not crashes.

use std::ptr;

use ftuseg_c::*;

use super::support::*;

/// Checks that a call was refused as misuse, and that the message has a word.
fn refused(status: ftuseg_status, word: &str) {
    assert_eq!(status, ftuseg_status::Usage, "{word}: {}", last_error());
    assert!(last_error().contains(word), "{word}: {}", last_error());
}

#[test]
fn null_is_refused_everywhere_and_freed_everywhere() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    let rgb = pixels();
    let result = engine.pixels(&given(&rgb), &request()).unwrap();
    let path = scratch.c_path("one.tif");
    let (mut made, mut count, mut lent, mut text, mut corners) = (
        ptr::null_mut(),
        0,
        ptr::null(),
        ptr::null_mut(),
        ptr::null(),
    );
    let one = ftuseg_rect {
        x: 0,
        y: 0,
        width: 1,
        height: 1,
    };
    // SAFETY: every pointer is NULL or as the header wants it.
    unsafe {
        refused(ftuseg_options_new(ptr::null_mut()), "NULL");
        refused(
            ftuseg_options_set(ptr::null_mut(), c"tta".as_ptr(), ptr::null()),
            "options",
        );
        let options = Options::new();
        refused(
            ftuseg_options_set(options.0, ptr::null(), ptr::null()),
            "name",
        );
        refused(
            ftuseg_options_set(options.0, c"colour".as_ptr(), c"red".as_ptr()),
            "colour",
        );
        refused(
            ftuseg_options_set(options.0, c"tta".as_ptr(), c"\xff".as_ptr()),
            "UTF-8",
        );
        refused(
            ftuseg_engine_new(options.0, None, ptr::null_mut(), ptr::null_mut()),
            "NULL",
        );
        refused(ftuseg_cancel_new(ptr::null_mut()), "NULL");
        refused(
            ftuseg_segment_file(ptr::null(), path.as_ptr(), ptr::null(), &mut made),
            "engine",
        );
        refused(
            ftuseg_segment_file(engine.0, ptr::null(), ptr::null(), &mut made),
            "path",
        );
        refused(
            ftuseg_segment_file(engine.0, path.as_ptr(), ptr::null(), ptr::null_mut()),
            "NULL",
        );
        refused(
            ftuseg_segment_pixels(engine.0, ptr::null(), ptr::null(), &mut made),
            "ftuseg_pixels is NULL",
        );
        assert!(made.is_null());
        refused(ftuseg_result_slide(ptr::null(), ptr::null_mut()), "result");
        refused(
            ftuseg_result_slide(result.0, ptr::null_mut()),
            "ftuseg_slide_info is NULL",
        );
        refused(
            ftuseg_result_warning(result.0, 99, &mut lent, &mut lent),
            "99",
        );
        refused(ftuseg_result_organ_count(ptr::null(), &mut count), "result");
        refused(ftuseg_result_organ_count(result.0, ptr::null_mut()), "NULL");
        refused(ftuseg_result_organ(result.0, 0, ptr::null_mut()), "NULL");
        refused(
            ftuseg_result_organ(result.0, usize::MAX, ptr::null_mut()),
            "no organ",
        );
        refused(ftuseg_result_organ_map(result.0, ptr::null_mut()), "NULL");
        refused(
            ftuseg_result_organ_cells(result.0, ptr::null_mut(), usize::MAX),
            "cells",
        );
        refused(
            ftuseg_result_object_count(result.0, ptr::null_mut()),
            "NULL",
        );
        refused(
            ftuseg_result_object(result.0, 99, ptr::null_mut()),
            "no object 99",
        );
        refused(ftuseg_result_object(result.0, 0, ptr::null_mut()), "NULL");
        refused(
            ftuseg_result_object_ring(result.0, 0, 99, &mut corners, &mut count),
            "no ring 99",
        );
        refused(
            ftuseg_result_object_ring(result.0, 0, 0, ptr::null_mut(), &mut count),
            "NULL",
        );
        refused(
            ftuseg_result_object_ring(result.0, 0, 0, &mut corners, ptr::null_mut()),
            "NULL",
        );
        refused(
            ftuseg_result_measurement(result.0, 0, ptr::null(), &mut 0.0),
            "no measurement",
        );
        refused(
            ftuseg_result_measurement(result.0, 0, c"mass".as_ptr(), &mut 0.0),
            "mass",
        );
        refused(
            ftuseg_result_measurement(result.0, 0, c"area_px".as_ptr(), ptr::null_mut()),
            "NULL",
        );
        refused(
            ftuseg_result_read_labels(ptr::null(), one, 0, ptr::null_mut(), 0, 0),
            "result",
        );
        refused(
            ftuseg_result_read_labels(result.0, one, 0, ptr::null_mut(), 1, 0),
            "NULL",
        );
        refused(
            ftuseg_result_read_mask(result.0, c"liver".as_ptr(), one, 0, ptr::null_mut(), 1, 0),
            "liver",
        );
        refused(
            ftuseg_result_rle(result.0, c"liver".as_ptr(), &mut text, ptr::null_mut()),
            "liver",
        );
        refused(
            ftuseg_result_rle(result.0, ptr::null(), ptr::null_mut(), ptr::null_mut()),
            "NULL",
        );
        refused(
            ftuseg_result_geojson(ptr::null(), &mut text, ptr::null_mut()),
            "result",
        );
        refused(
            ftuseg_result_geojson(result.0, ptr::null_mut(), ptr::null_mut()),
            "NULL",
        );
        refused(ftuseg_result_write_mask(result.0, ptr::null()), "path");
        assert!(text.is_null() && lent.is_null() && corners.is_null());
        // A length is not asked for by everyone.
        assert_eq!(
            ftuseg_result_rle(result.0, ptr::null(), &mut text, ptr::null_mut()),
            ftuseg_status::Ok
        );
        ftuseg_string_free(text);

        assert_eq!(ftuseg_result_warning_count(ptr::null()), 0);
        assert!(ftuseg_engine_runtime(ptr::null()).is_null());
        assert!(ftuseg_engine_bundle(ptr::null()).is_null());
        assert!(ftuseg_measurement_name(usize::MAX).is_null());
        ftuseg_options_free(ptr::null_mut());
        ftuseg_cancel_free(ptr::null_mut());
        ftuseg_engine_free(ptr::null_mut());
        ftuseg_result_free(ptr::null_mut());
        ftuseg_string_free(ptr::null_mut());
    }
}

#[test]
fn structs_of_other_sizes_are_refused_or_understood() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    let rgb = pixels();
    for size in [0, 8, size_of::<ftuseg_request>() - 1, 5000, usize::MAX] {
        let wanted = ftuseg_request { size, ..request() };
        let refusal = engine.pixels(&given(&rgb), &wanted);
        refused(refusal.unwrap_err(), "sizeof(ftuseg_request)");
    }
    for size in [0, 8, size_of::<ftuseg_pixels>() - 1, 5000, usize::MAX] {
        let pixels = ftuseg_pixels {
            size,
            ..given(&rgb)
        };
        let refusal = engine.pixels(&pixels, &request());
        refused(refusal.unwrap_err(), "sizeof(ftuseg_pixels)");
    }
    // A program that is newer than the library: what it adds must be zero.
    #[repr(C)]
    struct Newer {
        request: ftuseg_request,
        added: u64,
    }
    let size = size_of::<Newer>();
    for added in [0, 1] {
        let newer = Newer {
            request: ftuseg_request { size, ..request() },
            added,
        };
        let outcome = engine.pixels(&given(&rgb), &newer.request);
        assert_eq!(
            outcome.err(),
            (newer.added == 1).then_some(ftuseg_status::Usage)
        );
    }
    // What is filled in is filled no further than the program knows, and zero where the library knows less.
    let result = engine.pixels(&given(&rgb), &request()).unwrap();
    let mut words = [u64::MAX; 40];
    words[0] = size_of::<ftuseg_organ>() as u64 + 16;
    // SAFETY: there is as much as the struct says.
    let status = unsafe { ftuseg_result_organ(result.0, 0, words.as_mut_ptr().cast()) };
    assert_eq!(status, ftuseg_status::Ok);
    let known = size_of::<ftuseg_organ>() / 8;
    assert_eq!(words[known..known + 3], [0, 0, u64::MAX]);
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    let rgb = pixels();
    let rect = |x, y, width, height| ftuseg_rect {
        x,
        y,
        width,
        height,
    };
    for region in [
        rect(0, 0, 1, 0),
        rect(0, 0, 301, 200),
        rect(299, 199, 2, 1),
        rect(u32::MAX, 0, u32::MAX, 1),
    ] {
        let wanted = ftuseg_request {
            region,
            ..request()
        };
        refused(engine.pixels(&given(&rgb), &wanted).unwrap_err(), "region");
    }
    for mpp in [-1.0, f64::NAN, f64::INFINITY, 1e-9, 41.0] {
        let wanted = ftuseg_request { mpp, ..request() };
        refused(
            engine.pixels(&given(&rgb), &wanted).unwrap_err(),
            "no size that a px can have",
        );
        let pixels = ftuseg_pixels { mpp, ..given(&rgb) };
        refused(
            engine.pixels(&pixels, &request()).unwrap_err(),
            "no size that a px can have",
        );
    }
    let wanted = ftuseg_request {
        organ: c"liver".as_ptr(),
        ..request()
    };
    refused(engine.pixels(&given(&rgb), &wanted).unwrap_err(), "liver");
    for (wrong, word) in [
        (
            ftuseg_pixels {
                length: rgb.len() - 1,
                ..given(&rgb)
            },
            "need 180000 bytes",
        ),
        (
            ftuseg_pixels {
                stride: 899,
                ..given(&rgb)
            },
            "do not fit",
        ),
        (
            ftuseg_pixels {
                stride: usize::MAX / 2,
                ..given(&rgb)
            },
            "no memory",
        ),
        (
            ftuseg_pixels {
                width: u32::MAX,
                height: u32::MAX,
                ..given(&rgb)
            },
            "a side has",
        ),
        (
            ftuseg_pixels {
                format: u32::MAX,
                ..given(&rgb)
            },
            "no format",
        ),
        (
            ftuseg_pixels {
                data: ptr::null(),
                ..given(&rgb)
            },
            "NULL",
        ),
    ] {
        refused(engine.pixels(&wrong, &request()).unwrap_err(), word);
    }

    let result = engine.pixels(&given(&rgb), &request()).unwrap();
    let mut out = [0; 64];
    let huge = u32::MAX;
    for (rect, level, length, stride, word) in [
        (rect(0, 0, 8, 9), 0, 64, 0, "does not fit into 64"),
        (rect(0, 0, 8, 8), 0, 64, 7, "do not fit into 7"),
        (rect(0, 0, 8, 8), 0, 64, usize::MAX, "does not fit"),
        (rect(0, 0, huge, huge), 0, 64, 0, "does not fit"),
        (rect(huge, huge, 8, 8), 0, 64, 0, "beyond any slide"),
        (rect(0, 0, 8, 8), 21, 64, 0, "too deep"),
        (rect(0, 0, 8, 8), huge, 64, 0, "too deep"),
    ] {
        // SAFETY: what is refused is not written, and the rest has 64 bytes.
        let status = unsafe {
            ftuseg_result_read_labels(result.0, rect, level, out.as_mut_ptr(), length, stride)
        };
        refused(status, word);
    }
    // SAFETY: there are 64 bytes.
    let status = unsafe { ftuseg_result_organ_cells(result.0, out.as_mut_ptr(), 64) };
    refused(status, "there is room for 64");
}
