//! What was found as texts and files.

use std::ffi::{CString, c_char};

use ftuseg::Mask;
use ftuseg::mask::rle;
use ftuseg::sink::{GeoJson, MaskTiff, Sink};

use super::error::{Failure, ftuseg_status};
use super::guard::guard;
use super::handles::borrow;
use super::mask::masks_of;
use super::result::ftuseg_result;
use super::strings::{give, path_of};

/// The run-length encoding of Kaggle: px counted from 1, down the columns; "" where nothing was found.
///
/// @param result  the result
/// @param organ   the mask of one organ, by its name; NULL for all
/// @param text    gets the text, to be freed with `ftuseg_string_free`
/// @param length  gets its bytes without the NUL at the end; may be NULL
///
/// # Errors
/// `USAGE` for a name that no organ has.
///
/// # Safety
/// `result` is NULL or not freed; `organ` is NULL or ends with a NUL; `text` may be written to, and `length` is NULL or
/// may be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_rle(
    result: *const ftuseg_result,
    organ: *const c_char,
    text: *mut *mut c_char,
    length: *mut usize,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let result = unsafe { borrow(result, "result") }?;
        // SAFETY: as the caller promises.
        let masks = unsafe { masks_of(result, organ) }?;
        let encoded = match &masks[..] {
            [] => String::new(),
            [(_, only)] => rle::encode(only),
            [(_, first), others @ ..] => {
                let mut all: Mask = (*first).clone();
                for (_, other) in others {
                    all.or_assign(other)?;
                }
                rle::encode(&all)
            }
        };
        // SAFETY: as the caller promises.
        unsafe { give(bytes(encoded.into_bytes())?, text, length) }
    })
}

/// All objects as GeoJSON, the very bytes of the command's objects.geojson.
///
/// @param result  the result
/// @param text    gets the text, to be freed with `ftuseg_string_free`
/// @param length  gets its bytes without the NUL at the end; may be NULL
///
/// # Safety
/// `result` is NULL or not freed; `text` may be written to, and `length` is NULL or may be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_geojson(
    result: *const ftuseg_result,
    text: *mut *mut c_char,
    length: *mut usize,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let result = unsafe { borrow(result, "result") }?;
        let mut out = Vec::new();
        GeoJson::default().write_to(&result.findings(), &mut out)?;
        // SAFETY: as the caller promises.
        unsafe { give(bytes(out)?, text, length) }
    })
}

/// Writes all labels into a file, as the command's mask.tif: tiled, compressed, with smaller levels. The file appears whole
/// or not at all; one that is there is replaced.
///
/// # Errors
/// `IO` if it cannot be written.
///
/// # Safety
/// `result` is NULL or not freed; `path` is NULL or ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_write_mask(
    result: *const ftuseg_result,
    path: *const c_char,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let result = unsafe { borrow(result, "result") }?;
        // SAFETY: as the caller promises.
        let path = unsafe { path_of(path, "the path") }?;
        let path = path.ok_or_else(|| Failure::usage("the path is NULL"))?;
        let Some(name) = path.file_name() else {
            return Err(Failure::usage(format!("{} names no file", path.display())));
        };
        // Another thread may be writing the same file.
        let writer = format!("{}-{:?}", std::process::id(), std::thread::current().id());
        let mut part = std::ffi::OsString::from(".");
        part.push(name);
        part.push(format!(".part-{}", writer.replace(['(', ')'], "")));
        let part = path.with_file_name(part);
        let findings = result.findings();
        let written = MaskTiff.write(&findings, &part).map_err(Failure::from);
        let done = written.and_then(|()| {
            std::fs::rename(&part, &path).map_err(|cause| {
                let why = format!("{}: cannot be written: {cause}", path.display());
                Failure::new(ftuseg_status::Io, why)
            })
        });
        if done.is_err() {
            // Nothing half-written stays; if even that fails, the first reason is the one to tell.
            let _ = std::fs::remove_file(&part);
        }
        done
    })
}

/// Bytes as a text for C.
fn bytes(bytes: Vec<u8>) -> Result<CString, Failure> {
    CString::new(bytes)
        .map_err(|_| Failure::new(ftuseg_status::Internal, "the text has a NUL within"))
}
