//! The binary mask of a whole slide, and what is made from it.
//!
//! A slide's mask can be 100,000 px wide while its tissue covers little of it. So everything here
//! works on [`Mask`], which keeps only the tiles that hold foreground, and on runs of pixels. Nothing
//! makes an array of the slide's size.
//!
//! * [`Mask`]: the pixels, stored as sparse bit tiles, with fast reading and writing of blocks and runs.
//! * [`rle`]: Kaggle's run-length encoding, both ways.
//! * [`Objects`]: the 4-connected objects of a mask, with area, bounds and runs.
//! * [`Figures`]: what can be said of an object's shape, as scikit-image's `regionprops` says it.
//! * [`remove_small`] and [`fill_holes`]: cleaning.
//! * [`split_touching`]: cuts where objects touch.
//! * [`polygons`] and [`rasterize`]: exact outlines, and back again.
//!
//! # Conventions
//!
//! Every coordinate is a pixel of the slide at full size, counted from 0 at the top left, x to the
//! right and y down. Ranges are half-open. Areas are counts of pixels.
//!
//! Foreground is 4-connected: pixels that touch only at a corner belong to different objects.
//! Background is 8-connected, which is the matching choice.

use std::ops::Range;

mod columns;
mod components;
mod dense_block;
mod figures;
mod objects;
mod polygon;
mod postprocess;
mod raster;
pub mod rle;
mod runs;
#[cfg(feature = "simplify")]
mod simplify;
mod sparse;
mod split;
mod tile;
mod tile_storage;

#[cfg(test)]
mod tests;

pub use figures::Figures;
pub use objects::{Object, Objects, Run, Tally, each_object_counted};
pub use polygon::{Polygon, Ring, outline, outlines, polygons};
pub use postprocess::{fill_holes, remove_small};
pub use raster::runs_of_rings;
pub use raster::{rasterize, rasterize_rings};
pub use runs::Runs;
pub use sparse::Mask;
pub use split::split_touching;

/// The largest width or height of a [`Mask`], in px.
pub const MAX_SIDE: u32 = 1 << 20;

/// A rectangle of pixels: its top left corner and its size, in px.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Rect {
    /// The leftmost column.
    pub x: u32,
    /// The topmost row.
    pub y: u32,
    /// How many columns.
    pub width: u32,
    /// How many rows.
    pub height: u32,
}

impl Rect {
    /// The columns that lie in a mask of `width` px. Saturates, so any rectangle is safe to ask.
    fn columns_within(&self, width: u32) -> Range<u32> {
        let end = self.x.saturating_add(self.width).min(width);
        self.x.min(end)..end
    }

    /// The rows that lie in a mask of `height` px.
    fn rows_within(&self, height: u32) -> Range<u32> {
        let end = self.y.saturating_add(self.height).min(height);
        self.y.min(end)..end
    }

    /// Checks that a buffer of `given` values with `stride` values a row can hold this rectangle.
    fn check_buffer(&self, given: usize, stride: usize) -> Result<(), MaskError> {
        if self.width == 0 || self.height == 0 {
            return Ok(());
        }
        let needed = (self.height as usize - 1)
            .checked_mul(stride)
            .and_then(|before| before.checked_add(self.width as usize));
        match needed {
            Some(needed) if stride >= self.width as usize && given >= needed => Ok(()),
            _ => Err(MaskError::Buffer {
                width: self.width,
                height: self.height,
                stride,
                given,
            }),
        }
    }
}

/// What can go wrong with a mask.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MaskError {
    /// A mask without pixels, or with a side over [`MAX_SIDE`], was asked for.
    #[error(
        "a mask of {width} x {height} px is not possible: each side must be 1 to {MAX_SIDE} px; check the image's size"
    )]
    Size {
        /// The width that was asked for, in px.
        width: u32,
        /// The height that was asked for, in px.
        height: u32,
    },
    /// Two masks that should cover the same slide differ in size.
    #[error(
        "the masks differ in size: {} x {} px and {} x {} px; both must come from the same slide", .left.0, .left.1, .right.0, .right.1
    )]
    SizeMismatch {
        /// Width and height of the first mask, in px.
        left: (u32, u32),
        /// Width and height of the second mask, in px.
        right: (u32, u32),
    },
    /// A buffer of pixels is too small for the block it should hold, or its rows overlap.
    #[error(
        "a buffer of {given} values with {stride} values a row cannot hold a block of {width} x {height} px; enlarge it"
    )]
    Buffer {
        /// The block's width in px.
        width: u32,
        /// The block's height in px.
        height: u32,
        /// Values from the start of a row to the start of the next.
        stride: usize,
        /// How many values the buffer has.
        given: usize,
    },
    /// A pyramid level that no mask can have was asked for.
    #[error("level {level} is too deep: a mask has at most {} levels below the full size", MAX_SIDE.ilog2())]
    Level {
        /// The level that was asked for; 0 is full size.
        level: u32,
    },
    /// A polygon has a coordinate that is not a finite number.
    #[error(
        "polygon {polygon} (counted from 0) has a coordinate that is not a finite number; fix or drop it"
    )]
    Coordinate {
        /// Which polygon, counted from 0.
        polygon: usize,
    },
}
