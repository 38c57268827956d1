//! The objects that were found, with their outlines.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use ftuseg::sink::measurement_names;

use super::error::{Failure, ftuseg_status};
use super::findings::FoundObject;
use super::guard::{guard, guard_or};
use super::handles::borrow;
use super::request::ftuseg_rect;
use super::result::ftuseg_result;
use super::sized::{self, Versioned};
use super::strings::{c_text, text_of};

/// One object. Set `size` before it is filled.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ftuseg_object {
    /// sizeof(ftuseg_object).
    pub size: usize,
    /// Its number on the slide, from 1, the same in every output.
    pub id: u64,
    /// A name that is the same whenever this object is found again on a slide of this id. It holds as long as the result.
    pub uuid: *const c_char,
    /// Which organ found it: an index for `ftuseg_result_organ`.
    pub organ: usize,
    /// The box around it, full-size px.
    pub bounds: ftuseg_rect,
    /// Its area, full-size px.
    pub area_px: u64,
    /// Rings of its outline: the outer one, and one for each hole.
    pub rings: usize,
}

// SAFETY: `repr(C)`, begins with its size; numbers and a pointer, which is only written.
unsafe impl Versioned for ftuseg_object {
    const NAME: &'static str = "ftuseg_object";
    const FIRST: usize = std::mem::offset_of!(Self, rings) + size_of::<usize>();
}

/// Borrows an object.
///
/// # Safety
/// As for [`borrow`].
unsafe fn object<'a>(
    result: *const ftuseg_result,
    index: usize,
) -> Result<&'a FoundObject, Failure> {
    // SAFETY: as the caller promises.
    let result = unsafe { borrow(result, "result") }?;
    let found = result.found()?.objects.get(index);
    found.ok_or_else(|| Failure::usage(format!("there is no object {index}")))
}

/// How many objects were found.
///
/// # Safety
/// `result` is NULL or not freed; `count` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_object_count(
    result: *const ftuseg_result,
    count: *mut usize,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let found = unsafe { borrow(result, "result") }?.found()?;
        if count.is_null() {
            return Err(Failure::usage("the place for the count is NULL"));
        }
        // SAFETY: as the caller promises.
        unsafe { count.write(found.objects.len()) };
        Ok(())
    })
}

/// One object, in the order of the GeoJSON.
///
/// # Errors
/// `USAGE` if there is no object `index`, from 0.
///
/// # Safety
/// `result` is NULL or not freed; `out` states its size and may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_object(
    result: *const ftuseg_result,
    index: usize,
    out: *mut ftuseg_object,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let object = unsafe { object(result, index) }?;
        let value = ftuseg_object {
            size: 0,
            id: object.id,
            uuid: object.uuid.as_ptr(),
            organ: object.organ,
            bounds: object.bounds,
            area_px: object.polygon.area,
            rings: 1 + object.polygon.holes.len(),
        };
        // SAFETY: as the caller promises.
        unsafe { sized::write(out, value) }
    })
}

/// One ring of an object's outline: corners of px at full size, x and y in turn. The last corner is the first one again.
/// Sides are level or upright. The outer ring runs clockwise to the eye, holes the other way.
///
/// @param result   the result
/// @param index    which object, from 0
/// @param ring     which ring: 0 is the outer one, the others are holes
/// @param corners  gets the first number; it holds as long as the result
/// @param count    gets the number of corners, of two numbers each
///
/// # Errors
/// `USAGE` if there is no such ring.
///
/// # Safety
/// `result` is NULL or not freed; `corners` and `count` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_object_ring(
    result: *const ftuseg_result,
    index: usize,
    ring: usize,
    corners: *mut *const u32,
    count: *mut usize,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let object = unsafe { object(result, index) }?;
        let polygon = &object.polygon;
        let found = match ring.checked_sub(1) {
            None => Some(&polygon.exterior),
            Some(hole) => polygon.holes.get(hole),
        };
        let found = found
            .ok_or_else(|| Failure::usage(format!("the object {index} has no ring {ring}")))?;
        if corners.is_null() || count.is_null() {
            return Err(Failure::usage(
                "the place for the corners or their count is NULL",
            ));
        }
        // SAFETY: as the caller promises.
        unsafe {
            corners.write(found.as_ptr().cast());
            count.write(found.len());
        }
        Ok(())
    })
}

/// The names of what is measured, as C has them.
fn names() -> &'static [CString] {
    static NAMES: OnceLock<Vec<CString>> = OnceLock::new();
    NAMES.get_or_init(|| measurement_names().map(c_text).collect())
}

/// The name of a measurement that `ftuseg_result_measurement` knows: those of the command's table objects.csv that are
/// numbers, or flags (0 or 1). NULL if `index`, from 0, is beyond the last. Never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ftuseg_measurement_name(index: usize) -> *const c_char {
    guard_or(std::ptr::null(), || {
        names()
            .get(index)
            .map_or(std::ptr::null(), |name| name.as_ptr())
    })
}

/// What was measured on an object. Names end with their unit: px, um, um2, rad; docs/objects.md says what each means.
///
/// @param result  the result
/// @param index   which object, from 0
/// @param name    what is measured, as `ftuseg_measurement_name` says
/// @param value   gets the value; NaN where it is not known, such as um without um/px
///
/// # Errors
/// `USAGE` for an unknown object or name.
///
/// # Safety
/// `result` is NULL or not freed; `name` is NULL or ends with a NUL; `value` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_measurement(
    result: *const ftuseg_result,
    index: usize,
    name: *const c_char,
    value: *mut f64,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let object = unsafe { object(result, index) }?;
        // SAFETY: as the caller promises.
        let name = unsafe { text_of(name, "the measurement's name") }?.unwrap_or_default();
        let place = names().iter().position(|known| known.to_str() == Ok(name));
        let measured = place.and_then(|place| object.measured.get(place));
        let measured =
            measured.ok_or_else(|| Failure::usage(format!("there is no measurement {name:?}")))?;
        if value.is_null() {
            return Err(Failure::usage("the place for the value is NULL"));
        }
        // SAFETY: as the caller promises.
        unsafe { value.write(*measured) };
        Ok(())
    })
}
