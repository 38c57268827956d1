//! Segments a slide, and says what slide it was.

use std::ffi::{CString, c_char};
use std::sync::{Arc, OnceLock};

use ftuseg::bundle::Bundle;
use ftuseg::slide::{ClosedSlide, id_of_file};
use ftuseg::{Segmentation, SlideReader};

use super::engine::ftuseg_engine;
use super::error::{Failure, ftuseg_status};
use super::findings::Found;
use super::guard::{guard, guard_or};
use super::handles::{self, borrow};
use super::pixels::{ftuseg_pixels, slide_of};
use super::request::{Wish, ftuseg_request};
use super::sized::{self, Versioned};
use super::strings::{c_text, path_of};

/// A segmented slide. It does not change, so many threads may read it at once. It needs neither its engine nor its slide.
pub struct ftuseg_result {
    pub(crate) id: String,
    pub(crate) slide: ClosedSlide,
    pub(crate) segmentation: Segmentation,
    pub(crate) bundle: Arc<Bundle>,
    /// Outlined when somebody first asks for them.
    pub(crate) found: OnceLock<Result<Found, Failure>>,
    warnings: Vec<(CString, CString)>,
    texts: Texts,
}

/// What is lent as long as the result lives.
struct Texts {
    id: CString,
    format: CString,
    reader: CString,
}

impl ftuseg_result {
    /// Segments a slide.
    fn of(
        engine: &ftuseg_engine,
        slide: &dyn SlideReader,
        id: String,
        wish: &Wish<'_>,
    ) -> Result<Self, Failure> {
        let segmentation = wish.run(|request| engine.engine.segment(slide, request))?;
        let info = slide.info();
        let all = slide.warnings().iter().chain(&segmentation.warnings);
        Ok(ftuseg_result {
            warnings: all
                .map(|warning| (c_text(warning.kind.name()), c_text(&warning.text)))
                .collect(),
            texts: Texts {
                id: c_text(&id),
                format: c_text(&info.format),
                reader: c_text(&info.reader),
            },
            slide: ClosedSlide::of(slide),
            id,
            segmentation,
            bundle: Arc::clone(&engine.bundle),
            found: OnceLock::new(),
        })
    }
}

/// Segments a slide in a file. It blocks until that is done, or cancelled.
///
/// @param engine   what segments it
/// @param path     the slide's file; the system's bytes on Unix, UTF-8 elsewhere
/// @param request  what is wanted; NULL for all
/// @param result   the new result, to be freed with `ftuseg_result_free`; NULL after an error
///
/// # Errors
/// `FORMAT`, `UNSUPPORTED`, `IO` and `LIMITS` for the file; `NO_RESOLUTION`; `NO_MODEL`; `BACKEND`; `CANCELLED`; `USAGE`
/// for a region that is not within the slide, or a number that makes no sense. The engine can be used again after each.
///
/// # Safety
/// `engine` is NULL or not freed; `path` is NULL or ends with a NUL; `request` is NULL or states its size; `result` may
/// be written to. All of them stay as they are until the call returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_segment_file(
    engine: *const ftuseg_engine,
    path: *const c_char,
    request: *const ftuseg_request,
    result: *mut *mut ftuseg_result,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let (place, engine) = unsafe { (handles::place(result)?, borrow(engine, "engine")?) };
        // SAFETY: as the caller promises.
        let path = unsafe { path_of(path, "the path") }?;
        let path = path.ok_or_else(|| Failure::usage("the path is NULL"))?;
        // SAFETY: as the caller promises.
        let wish = unsafe { Wish::read(request) }?;
        let slide = ftuseg::slide::open(&path)?;
        let id = wish.id.map_or_else(|| id_of_file(&path), str::to_owned);
        let made = ftuseg_result::of(engine, slide.as_ref(), id, &wish)?;
        *place = Box::into_raw(Box::new(made));
        Ok(())
    })
}

/// Segments px in memory, without a copy of them. It blocks until that is done, or cancelled.
///
/// @param engine   what segments it
/// @param pixels   the px, which are not needed any more once the call returns
/// @param request  what is wanted; NULL for all. Without an `id` there, the slide's is "pixels"
/// @param result   the new result, to be freed with `ftuseg_result_free`; NULL after an error
///
/// # Errors
/// As `ftuseg_segment_file`, and `USAGE` for px that cannot be, or a buffer that is too small for them.
///
/// # Safety
/// As for `ftuseg_segment_file`; and `pixels` states its size, and what it says may be read is not changed by anyone until
/// the call returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_segment_pixels(
    engine: *const ftuseg_engine,
    pixels: *const ftuseg_pixels,
    request: *const ftuseg_request,
    result: *mut *mut ftuseg_result,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let (place, engine) = unsafe { (handles::place(result)?, borrow(engine, "engine")?) };
        // SAFETY: as the caller promises.
        let pixels = unsafe { sized::read(pixels) }?;
        // SAFETY: as the caller promises.
        let slide = unsafe { slide_of(&pixels) }?;
        // SAFETY: as the caller promises.
        let wish = unsafe { Wish::read(request) }?;
        let id = wish.id.unwrap_or("pixels").to_owned();
        let made = ftuseg_result::of(engine, &slide, id, &wish)?;
        *place = Box::into_raw(Box::new(made));
        Ok(())
    })
}

/// Frees a result, with all that it has lent. NULL is nothing to free.
///
/// # Safety
/// `result` is NULL, or not freed and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_free(result: *mut ftuseg_result) {
    // SAFETY: as the caller promises.
    guard_or((), || unsafe { handles::free(result) });
}

/// What slide was segmented. Set `size` before it is filled.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ftuseg_slide_info {
    /// sizeof(ftuseg_slide_info).
    pub size: usize,
    /// The slide's id. The three texts hold as long as the result.
    pub id: *const c_char,
    /// The file's format, for people: "OME-TIFF".
    pub format: *const c_char,
    /// Who read it: "ftuseg", or "OpenSlide" with its version.
    pub reader: *const c_char,
    /// Full-size width, px.
    pub width: u32,
    /// Full-size height, px.
    pub height: u32,
    /// um per px from left to right, as it was used; NaN where it was not known.
    pub mpp_x: f64,
    /// um per px from top to bottom; NaN where it was not known.
    pub mpp_y: f64,
    /// The share of the slide that is tissue, 0 to 1.
    pub tissue_share: f64,
    /// Tiles that were planned.
    pub tiles_planned: u64,
    /// Tiles that networks saw.
    pub tiles_inferred: u64,
}

// SAFETY: `repr(C)`, begins with its size; numbers and pointers, which are only written.
unsafe impl Versioned for ftuseg_slide_info {
    const NAME: &'static str = "ftuseg_slide_info";
    const FIRST: usize = std::mem::offset_of!(Self, tiles_inferred) + size_of::<u64>();
}

/// What slide was segmented.
///
/// # Safety
/// `result` is NULL or not freed; `info` states its size and may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_slide(
    result: *const ftuseg_result,
    info: *mut ftuseg_slide_info,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let result = unsafe { borrow(result, "result") }?;
        let segmentation = &result.segmentation;
        let slide = ftuseg_slide_info {
            size: 0,
            id: result.texts.id.as_ptr(),
            format: result.texts.format.as_ptr(),
            reader: result.texts.reader.as_ptr(),
            width: result.slide.info().width(),
            height: result.slide.info().height(),
            mpp_x: segmentation.resolution.map_or(f64::NAN, |r| r.mpp),
            mpp_y: segmentation.resolution.map_or(f64::NAN, |r| r.down),
            tissue_share: segmentation.tissue.share(),
            tiles_planned: segmentation.tiles.planned,
            tiles_inferred: segmentation.tiles.inferred,
        };
        // SAFETY: as the caller promises.
        unsafe { sized::write(info, slide) }
    })
}

/// How many warnings there are: what looks doubtful about the slide or the result. 0 if `result` is NULL.
///
/// # Safety
/// `result` is NULL or not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_warning_count(result: *const ftuseg_result) -> usize {
    // SAFETY: as the caller promises.
    unsafe { result.as_ref() }.map_or(0, |result| result.warnings.len())
}

/// One warning.
///
/// @param result  the result
/// @param index   which, from 0
/// @param kind    its kind: "unsure", "no-tissue", ..., as in the records of the command; may be NULL
/// @param text    a sentence for people; may be NULL. Both texts hold as long as the result
///
/// # Errors
/// `USAGE` if there is no such warning.
///
/// # Safety
/// `result` is NULL or not freed; `kind` and `text` are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_warning(
    result: *const ftuseg_result,
    index: usize,
    kind: *mut *const c_char,
    text: *mut *const c_char,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let result = unsafe { borrow(result, "result") }?;
        let warning = result.warnings.get(index);
        let (name, sentence) =
            warning.ok_or_else(|| Failure::usage(format!("there is no warning {index}")))?;
        for (place, said) in [(kind, name), (text, sentence)] {
            if !place.is_null() {
                // SAFETY: as the caller promises.
                unsafe { place.write(said.as_ptr()) };
            }
        }
        Ok(())
    })
}
