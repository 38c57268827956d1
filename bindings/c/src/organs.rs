//! Which organ a slide is, and where.

use std::ffi::c_char;

use super::error::{Failure, ftuseg_status};
use super::guard::guard;
use super::handles::borrow;
use super::result::ftuseg_result;
use super::sized::{self, Versioned};

/// What one organ got of a slide, and what was found there. Set `size` before it is filled.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ftuseg_organ {
    /// sizeof(ftuseg_organ).
    pub size: usize,
    /// "kidney", "prostate", "largeintestine", "spleen", "lung"; "baseline" or "unet" for a network for all organs; "other"
    /// for tissue of no known organ. The three texts hold as long as the result.
    pub name: *const c_char,
    /// What one object is called: "Glomerulus"; "FTU" where a network for all organs found it.
    pub unit: *const c_char,
    /// The models that decided, for people; NULL for "other".
    pub model: *const c_char,
    /// Its value among labels: 1 and up for organs in the bundle's order, 255 for a network for all organs, 0 for "other".
    pub label: u32,
    /// Its share of the tissue, 0 to 1.
    pub share: f64,
    /// How sure the router was of it, 0 to 1.
    pub confidence: f64,
    /// Probability from which a px counted as found; NaN for "other".
    pub threshold: f64,
    /// How many objects were found.
    pub objects: u64,
    /// The area of all of them, full-size px.
    pub area_px: u64,
    /// The area of all of them, mm2; NaN where um/px was not known.
    pub area_mm2: f64,
}

// SAFETY: `repr(C)`, begins with its size; numbers and pointers, which are only written.
unsafe impl Versioned for ftuseg_organ {
    const NAME: &'static str = "ftuseg_organ";
    const FIRST: usize = std::mem::offset_of!(Self, area_mm2) + size_of::<f64>();
}

/// How many organs the slide's tissue was sent to, networks for all organs and "other" among them.
///
/// # Safety
/// `result` is NULL or not freed; `count` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_organ_count(
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
        unsafe { count.write(found.organs.len()) };
        Ok(())
    })
}

/// One organ; the first has the largest share.
///
/// # Errors
/// `USAGE` if there is no organ `index`, from 0.
///
/// # Safety
/// `result` is NULL or not freed; `organ` states its size and may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_organ(
    result: *const ftuseg_result,
    index: usize,
    organ: *mut ftuseg_organ,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let found = unsafe { borrow(result, "result") }?.found()?;
        let one = found.organs.get(index);
        let one = one.ok_or_else(|| Failure::usage(format!("there is no organ {index}")))?;
        let model = one.model.as_ref();
        let value = ftuseg_organ {
            size: 0,
            name: one.name.as_ptr(),
            unit: one.unit.as_ptr(),
            model: model.map_or(std::ptr::null(), |model| model.as_ptr()),
            label: u32::from(one.label),
            share: one.share,
            confidence: one.confidence,
            threshold: one.threshold.unwrap_or(f64::NAN),
            objects: one.objects,
            area_px: one.area,
            area_mm2: one.area_mm2.unwrap_or(f64::NAN),
        };
        // SAFETY: as the caller promises.
        unsafe { sized::write(organ, value) }
    })
}

/// The grid of cells that were routed. Set `size` before it is filled.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ftuseg_organ_map {
    /// sizeof(ftuseg_organ_map).
    pub size: usize,
    /// The side of a cell, full-size px. Column c begins at px round(c * cell).
    pub cell: f64,
    /// Columns of cells.
    pub columns: u32,
    /// Rows of cells.
    pub rows: u32,
}

// SAFETY: `repr(C)`, begins with its size; numbers.
unsafe impl Versioned for ftuseg_organ_map {
    const NAME: &'static str = "ftuseg_organ_map";
    const FIRST: usize = std::mem::offset_of!(Self, rows) + size_of::<u32>();
}

/// The grid of the organ map; `ftuseg_result_organ_cells` says what its cells are.
///
/// # Safety
/// `result` is NULL or not freed; `map` states its size and may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_organ_map(
    result: *const ftuseg_result,
    map: *mut ftuseg_organ_map,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let result = unsafe { borrow(result, "result") }?;
        let grid = result.segmentation.map.grid();
        let value = ftuseg_organ_map {
            size: 0,
            cell: grid.side(),
            columns: grid.columns(),
            rows: grid.rows(),
        };
        // SAFETY: as the caller promises.
        unsafe { sized::write(map, value) }
    })
}

/// Which organ each cell went to, row by row: 0 for glass, else 1 more than the organ's index for `ftuseg_result_organ`.
///
/// @param result  the result
/// @param cells   gets one byte for each cell
/// @param length  how many bytes there is room for: at least columns * rows of the map
///
/// # Errors
/// `USAGE` if there is no room.
///
/// # Safety
/// `result` is NULL or not freed; `length` bytes may be written to `cells`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_organ_cells(
    result: *const ftuseg_result,
    cells: *mut u8,
    length: usize,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let result = unsafe { borrow(result, "result") }?;
        let found = result.found()?;
        let map = &result.segmentation.map;
        let grid = map.grid();
        if cells.is_null() || length < grid.len() {
            return Err(Failure::usage(format!(
                "the organ map has {} cells, and there is room for {length}",
                grid.len()
            )));
        }
        let mut at = cells;
        for row in 0..grid.rows() {
            for column in 0..grid.columns() {
                let target = map.at(column, row);
                let index = found
                    .organs
                    .iter()
                    .position(|organ| Some(organ.target) == target);
                // There are eight targets.
                let value = index.map_or(0, |index| index as u8 + 1);
                // SAFETY: there is room for all cells, of which each is written once.
                unsafe {
                    at.write(value);
                    at = at.add(1);
                }
            }
        }
        Ok(())
    })
}
