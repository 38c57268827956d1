//! Stands where maps of probabilities would be in a build that keeps none: there are none, and asking for one is an error.

use std::io;

/// Side of a tile of the map, px.
pub const PROBABILITY_TILE: u32 = 256;

pub(super) fn quantise(_probability: f32) -> u8 {
    0
}

/// The probabilities of one layer. There are none without the feature `probabilities`.
#[derive(Debug)]
pub enum ProbabilityMap {}

impl ProbabilityMap {
    /// Width and height at full size, px.
    pub fn size(&self) -> (u32, u32) {
        match *self {}
    }

    /// How many levels there are.
    pub fn levels(&self) -> usize {
        match *self {}
    }

    #[cfg_attr(not(feature = "files"), allow(dead_code, reason = "only sinks ask"))]
    pub(crate) fn sums(&self, _runs: &[crate::mask::Run]) -> io::Result<Vec<(u64, u8)>> {
        match *self {}
    }

    /// One tile of a level.
    ///
    /// # Errors
    /// None: there is no map.
    pub fn tile(&self, _level: usize, _column: u32, _row: u32) -> io::Result<Option<Vec<u8>>> {
        match *self {}
    }
}

/// Makes a map.
pub(super) enum Builder {}

impl Builder {
    pub(super) fn new(_width: u32, _height: u32) -> io::Result<Self> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this build keeps no probabilities (its feature `probabilities` is off)",
        ))
    }

    pub(super) fn put(&mut self, _row: u32, _from: u32, _values: &[u8]) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn finish(self, _with_levels: bool) -> io::Result<ProbabilityMap> {
        match self {}
    }
}
