//! Draws sample slides: made-up tissue of five organs, with the truth about its functional tissue units.
//!
//! A [`Spec`] says which pieces of tissue lie where; a [`Drawing`] draws any window of it at any level. All
//! geometry is in um, so one seed shows the same slide at every um/px, only coarser. Nothing is held but
//! the few shapes near the window, so a slide of any size can be streamed to a file with
//! [`write_slide`] and [`write_truth`].
//!
//! The same spec gives the same pixels on every machine: the drawing uses integer hashes and plain
//! arithmetic only. It resembles stained tissue enough to try the program and to test it; it is no
//! substitute for real slides.
//!
//! ```
//! # use ftuseg_samples::{self as samples, Drawing};
//! # use ftuseg_router::Organ;
//! let spec = samples::core(Organ::Kidney, 300, 4.0, 7);
//! let drawing = Drawing::new(&spec)?;
//! let mut rgb = vec![0; 64 * 64 * 3];
//! drawing.rgb(0, 100, 100, 64, 64, &mut rgb);
//! # Ok::<(), samples::SampleError>(())
//! ```

mod drawing;
mod kaggle;
mod kidney;
mod large_intestine;
mod lung;
mod noise;
mod outline;
mod prostate;
mod shape;
mod slide;
mod spec;
mod spleen;
mod stain;
#[cfg(test)]
mod tests;
mod tissue;
mod truth;

use std::path::PathBuf;

pub use drawing::Drawing;
pub use kaggle::{KaggleSlide, write_kaggle_folder};
pub use slide::{RgbTiles, TruthTiles, write_slide, write_truth};
pub use spec::{Part, Spec, core, tissue_array, two_organs};
pub use truth::truth_mask;

/// What can go wrong while drawing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The spec describes no slide that can be drawn.
    #[error("cannot draw this sample slide: {0}")]
    Usage(String),
    /// Writing a slide failed.
    #[error(transparent)]
    Tiff(#[from] ftuseg_slide::tiled_tiff::TiledTiffError),
    /// Writing `train.csv` or making the folder failed.
    #[error("cannot write {}: {cause}; check the free space and the folder's permissions", path.display())]
    Io {
        /// The file or folder that was to be written.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
}
