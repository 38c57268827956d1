//! The objects that were found, with their outlines.

use std::ffi::{CStr, c_char};

use super::error::{Failure, ftuseg_status};
use super::findings::FoundObject;
use super::guard::guard;
use super::handles::borrow;
use super::request::ftuseg_rect;
use super::result::ftuseg_result;
use super::sized::{self, Versioned};
use super::strings::text_of;

/// One object. Set `size` before it is filled.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ftuseg_object {
    /// sizeof(ftuseg_object).
    pub size: usize,
    /// Its number on the slide, from 1.
    pub id: u64,
    /// Which organ found it: an index for `ftuseg_result_organ`.
    pub organ: usize,
    /// The box around it, full-size px.
    pub bounds: ftuseg_rect,
    /// Its area, full-size px.
    pub area_px: u64,
    /// Rings of its outline: the outer one, and one for each hole.
    pub rings: usize,
}

// SAFETY: `repr(C)`, begins with its size; numbers.
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
) -> Result<(&'a ftuseg_result, &'a FoundObject), Failure> {
    // SAFETY: as the caller promises.
    let result = unsafe { borrow(result, "result") }?;
    let found = result.found()?.objects.get(index);
    let object = found.ok_or_else(|| Failure::usage(format!("there is no object {index}")))?;
    Ok((result, object))
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
        let (_, object) = unsafe { object(result, index) }?;
        let value = ftuseg_object {
            size: 0,
            id: index as u64 + 1,
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
        let (_, object) = unsafe { object(result, index) }?;
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

/// What can be measured on an object, and how.
struct Measurement {
    name: &'static CStr,
    of: fn(&ftuseg_result, &FoundObject) -> f64,
}

/// By their names in the command's tables.
const MEASUREMENTS: &[Measurement] = &[
    Measurement {
        name: c"box_x_px",
        of: |_, object| object.bounds.x.into(),
    },
    Measurement {
        name: c"box_y_px",
        of: |_, object| object.bounds.y.into(),
    },
    Measurement {
        name: c"box_width_px",
        of: |_, object| object.bounds.width.into(),
    },
    Measurement {
        name: c"box_height_px",
        of: |_, object| object.bounds.height.into(),
    },
    Measurement {
        name: c"area_px",
        of: |_, object| object.polygon.area as f64,
    },
    Measurement {
        name: c"area_um2",
        of: |result, object| {
            let resolution = result.segmentation.resolution;
            resolution.map_or(f64::NAN, |r| r.area(object.polygon.area))
        },
    },
];

/// The name of a measurement that `ftuseg_result_measurement` knows; NULL if `index`, from 0, is beyond the last. Never to
/// be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ftuseg_measurement_name(index: usize) -> *const c_char {
    let measurement = MEASUREMENTS.get(index);
    measurement.map_or(std::ptr::null(), |one| one.name.as_ptr())
}

/// Measures an object. Names end with their unit: px, um, um2.
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
        let (result, object) = unsafe { object(result, index) }?;
        // SAFETY: as the caller promises.
        let name = unsafe { text_of(name, "the measurement's name") }?.unwrap_or_default();
        let known = MEASUREMENTS
            .iter()
            .find(|one| one.name.to_str() == Ok(name));
        let known =
            known.ok_or_else(|| Failure::usage(format!("there is no measurement {name:?}")))?;
        if value.is_null() {
            return Err(Failure::usage("the place for the value is NULL"));
        }
        // SAFETY: as the caller promises.
        unsafe { value.write((known.of)(result, object)) };
        Ok(())
    })
}
