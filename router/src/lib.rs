//! Decides which organ's model sees which piece of tissue.
//!
//! The crate knows organs, routing cells and votes. It knows no image and no runtime: the caller
//! shows each cell of tissue to a classifier and hands the probabilities in as [`Votes`]; the crate smooths
//! them over the tissue component they lie in and answers with an [`OrganMap`] in which every cell of tissue
//! has exactly one [`Target`]. That is what makes every pixel the business of exactly one model.
//!
//! ```
//! use ftuseg_router::{CellGrid, Organ, Target, Votes, decide_by_cell};
//!
//! let grid = CellGrid::new(1000, 500, 500.0)?; // two cells side by side
//! let mut votes = Votes::new(grid, &[Organ::Kidney, Organ::Lung]);
//! votes.set(0, 0, 1.0, &[0.9, 0.1])?;
//! let map = decide_by_cell(&votes, 0.5, Target::Baseline);
//! assert_eq!(map.at_pixel(10, 10), Some(Target::Organ(Organ::Kidney)));
//! assert_eq!(map.at_pixel(700, 10), None); // glass
//! # Ok::<(), ftuseg_router::RouterError>(())
//! ```

mod decide;
mod error;
mod grid;
mod map;
mod organ;
mod votes;

pub use decide::{assign_all, decide_by_cell, decide_by_slide};
pub use error::RouterError;
pub use grid::CellGrid;
pub use map::{OrganMap, Share};
pub use organ::{Organ, Target};
pub use votes::Votes;
