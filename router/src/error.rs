//! What can be wrong with what the router is given.

/// Errors of the router crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RouterError {
    /// An organ's name that is none of the five.
    #[error(
        "unknown organ {0:?}: the organs are kidney, prostate, large intestine, spleen and lung"
    )]
    UnknownOrgan(String),
    /// A grid that cannot be laid over the slide.
    #[error(
        "a routing grid of cells of {side} px over {width} x {height} px is not possible: {reason}"
    )]
    Grid {
        /// Width of the slide in full-size px.
        width: u32,
        /// Height of the slide in full-size px.
        height: u32,
        /// Side of a cell in full-size px.
        side: f64,
        /// Why not.
        reason: &'static str,
    },
    /// A map that cannot be restored from its record.
    #[error("an organ map cannot be restored: {reason}")]
    Restore {
        /// What does not fit.
        reason: &'static str,
    },
    /// A vote outside the grid.
    #[error("cell ({column}, {row}) lies outside the grid of {columns} x {rows} cells")]
    OutsideGrid {
        /// Column of the vote.
        column: u32,
        /// Row of the vote.
        row: u32,
        /// Columns of the grid.
        columns: u32,
        /// Rows of the grid.
        rows: u32,
    },
    /// A vote whose probabilities make no sense.
    #[error(
        "the vote of cell ({column}, {row}) is not a probability for each of {classes} outputs"
    )]
    BadVote {
        /// Column of the vote.
        column: u32,
        /// Row of the vote.
        row: u32,
        /// How many outputs the classifier has: the organs, and perhaps one for none of them.
        classes: usize,
    },
}
