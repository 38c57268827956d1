//! The mask, read block by block into the caller's memory.

use std::ffi::c_char;

use ftuseg::mask::MAX_SIDE;
use ftuseg::{Mask, Rect, Target};

use super::error::{Failure, ftuseg_status};
use super::guard::guard;
use super::handles::borrow;
use super::request::ftuseg_rect;
use super::result::ftuseg_result;
use super::strings::text_of;

/// The masks that a name stands for, each with its label: all of them for NULL.
///
/// # Safety
/// As for [`text_of`].
pub(crate) unsafe fn masks_of(
    result: &ftuseg_result,
    organ: *const c_char,
) -> Result<Vec<(u8, &Mask)>, Failure> {
    // SAFETY: as the caller promises.
    let name = unsafe { text_of(organ, "the organ") }?;
    let wanted = name
        .map(|name| {
            let unknown = || Failure::usage(format!("there is no organ {name:?}"));
            Target::named(name).ok_or_else(unknown)
        })
        .transpose()?;
    let layers = result.segmentation.layers.iter();
    let wanted = layers.filter(|layer| wanted.is_none_or(|target| target == layer.target));
    Ok(wanted
        .map(|layer| (result.bundle.label(layer.target), &layer.mask))
        .collect())
}

/// A block of the caller's memory.
struct Block {
    out: *mut u8,
    stride: usize,
    rect: Rect,
}

impl Block {
    /// Checks that a block fits into the memory that is there.
    fn new(rect: ftuseg_rect, out: *mut u8, length: usize, stride: usize) -> Result<Self, Failure> {
        let (width, height) = (rect.width as usize, rect.height as usize);
        let stride = match stride {
            0 => width,
            stride => stride,
        };
        if stride < width {
            return Err(Failure::usage(format!(
                "rows of {width} px do not fit into {stride} bytes"
            )));
        }
        let needed = match height {
            0 => Some(0),
            _ if width == 0 => Some(0),
            height => (height - 1)
                .checked_mul(stride)
                .and_then(|before| before.checked_add(width)),
        };
        if needed.is_none_or(|needed| needed > length) {
            return Err(Failure::usage(format!(
                "a block of {width} x {height} px in rows of {stride} bytes does not fit into {length} bytes"
            )));
        }
        let ends = rect
            .x
            .checked_add(rect.width)
            .zip(rect.y.checked_add(rect.height));
        if ends.is_none_or(|(x, y)| x > MAX_SIDE || y > MAX_SIDE) {
            return Err(Failure::usage(format!(
                "a block of {width} x {height} px at ({}, {}) reaches beyond any slide",
                rect.x, rect.y
            )));
        }
        if out.is_null() && needed != Some(0) {
            return Err(Failure::usage("the place for the px is NULL"));
        }
        Ok(Block {
            out,
            stride,
            rect: rect.into(),
        })
    }

    /// Paints masks over 0, row by row: what lies between the rows is not touched, so threads can fill blocks of one
    /// picture side by side.
    ///
    /// # Safety
    /// The caller's memory may be written to, as far as the block reaches.
    unsafe fn paint(&self, masks: &[(u8, &Mask)], level: u32) -> Result<(), Failure> {
        let width = self.rect.width as usize;
        if width == 0 {
            return Ok(());
        }
        for row in 0..self.rect.height {
            // SAFETY: the whole block lies in the caller's memory, as was checked.
            let line = unsafe {
                let start = self.out.add(row as usize * self.stride);
                // Whatever lay there; from here on it is initialised.
                start.write_bytes(0, width);
                std::slice::from_raw_parts_mut(start, width)
            };
            let rect = Rect {
                y: self.rect.y + row,
                height: 1,
                ..self.rect
            };
            for &(value, mask) in masks {
                mask.read_block(rect, level, value, line, width)?;
            }
        }
        Ok(())
    }
}

/// Reads labels, as in the command's mask.tif: 0 background, 1 and up the organs in the bundle's order (see `label` of
/// `ftuseg_organ`), 255 what a network for all organs found. What lies beyond the slide is 0.
///
/// @param result  the result
/// @param rect    which px, of the level
/// @param level   0 is full size; each level has half the px of the one before along each side (rounded up), and shows
///                the px in the middle of each square that it stands for
/// @param out     gets one byte for each px
/// @param length  how many bytes there is room for
/// @param stride  bytes from the start of a row to the start of the next; 0 where rows follow each other without a gap.
///                What lies between two rows is not touched
///
/// # Errors
/// `USAGE` if there is no room, or a level is over 20.
///
/// # Safety
/// `result` is NULL or not freed; `length` bytes may be written to `out`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_read_labels(
    result: *const ftuseg_result,
    rect: ftuseg_rect,
    level: u32,
    out: *mut u8,
    length: usize,
    stride: usize,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let result = unsafe { borrow(result, "result") }?;
        // SAFETY: as the caller promises.
        let masks = unsafe { masks_of(result, std::ptr::null()) }?;
        let block = Block::new(rect, out, length, stride)?;
        // SAFETY: as the caller promises.
        unsafe { block.paint(&masks, level) }
    })
}

/// Reads the mask of one organ, or of all: 255 where something was found, else 0.
///
/// @param result  the result
/// @param organ   its name, as in `ftuseg_organ`; NULL for all of them. One that the slide does not have is empty
/// @param rect    as for `ftuseg_result_read_labels`, and so are the others
/// @param level   as there
/// @param out     as there
/// @param length  as there
/// @param stride  as there
///
/// # Errors
/// As `ftuseg_result_read_labels`, and `USAGE` for a name that no organ has.
///
/// # Safety
/// As for `ftuseg_result_read_labels`; `organ` is NULL or ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_result_read_mask(
    result: *const ftuseg_result,
    organ: *const c_char,
    rect: ftuseg_rect,
    level: u32,
    out: *mut u8,
    length: usize,
    stride: usize,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let result = unsafe { borrow(result, "result") }?;
        // SAFETY: as the caller promises.
        let mut masks = unsafe { masks_of(result, organ) }?;
        masks.iter_mut().for_each(|(value, _)| *value = 255);
        let block = Block::new(rect, out, length, stride)?;
        // SAFETY: as the caller promises.
        unsafe { block.paint(&masks, level) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rows_of_a_block_are_touched() {
        let mut mask = Mask::new(10, 10).unwrap();
        mask.set(3, 2, true);
        mask.set(9, 4, true);
        let mut out = vec![7; 20];
        let rect = ftuseg_rect {
            x: 2,
            y: 2,
            width: 3,
            height: 3,
        };
        let block = Block::new(rect, out.as_mut_ptr(), 19, 8).unwrap();
        // SAFETY: the memory is there.
        unsafe { block.paint(&[(5, &mask)], 0) }.unwrap();
        let seven = [7; 5];
        let expected = [&[0, 5, 0], &seven[..], &[0, 0, 0], &seven, &[0, 0, 0], &[7]].concat();
        assert_eq!(out, expected);
        // Beyond the slide it is background; a level shows the middle of its squares.
        let rect = ftuseg_rect {
            x: 1,
            y: 1,
            width: 6,
            height: 1,
        };
        let block = Block::new(rect, out.as_mut_ptr(), 6, 0).unwrap();
        // SAFETY: as above.
        unsafe { block.paint(&[(5, &mask)], 1) }.unwrap();
        assert_eq!(&out[..6], [0, 0, 0, 0, 0, 0]);
        // SAFETY: as above.
        unsafe { assert!(block.paint(&[(5, &mask)], 21).is_err()) };
    }

    #[test]
    fn blocks_that_do_not_fit_are_refused() {
        let rect = |x, width, height| ftuseg_rect {
            x,
            y: 0,
            width,
            height,
        };
        let mut byte = 0;
        let at = &raw mut byte;
        for (rect, length, stride, word) in [
            (rect(0, 4, 4), 15, 0, "fit into 15"),
            (rect(0, 4, 4), 99, 3, "fit into 3"),
            (rect(0, 4, 4), usize::MAX, usize::MAX, "does not fit"),
            (rect(0, u32::MAX, u32::MAX), 64, 0, "does not fit"),
            (rect(u32::MAX, 1, 1), 64, 0, "beyond any slide"),
        ] {
            let Err(failure) = Block::new(rect, at, length, stride) else {
                panic!("{word}: it fits");
            };
            assert!(failure.message.contains(word), "{}", failure.message);
        }
        assert!(Block::new(rect(0, 1, 1), std::ptr::null_mut(), 1, 0).is_err());
        assert!(Block::new(rect(0, 0, 9), std::ptr::null_mut(), 0, 0).is_ok());
    }
}
