//! How a mask keeps one tile: as bits while it is written, as runs of its rows once it is done.
//!
//! A tile of bits takes 8 KiB whatever is on it. The outlines of tissue units are smooth, so a row has one or two runs,
//! and the runs of a whole tile take about 1 KiB.

use std::sync::{Arc, LazyLock};

use super::tile::{self, Bits, ROW_WORDS, SIDE, WORDS};

/// The tile whose pixels are all set. Masks share it, so a filled rectangle costs only its outline.
static FULL: LazyLock<Arc<Bits>> = LazyLock::new(|| Arc::new([u64::MAX; WORDS]));

/// Where the runs of each row begin, and where the last ones end: the first numbers of a tile of runs.
const STARTS: usize = SIDE as usize + 1;
/// A tile of more numbers stays as bits: half of what those take.
const MOST: usize = size_of::<Bits>() / size_of::<u16>() / 2;

/// One tile. A clone shares its memory until one of the two is changed.
#[derive(Clone)]
pub(super) enum TileStorage {
    /// All pixels.
    Bits(Arc<Bits>),
    /// [`STARTS`] places among the runs, then the runs: first column times 256 plus last column.
    Runs(Arc<[u16]>),
}

impl TileStorage {
    /// A tile with no pixel set.
    pub(super) fn empty() -> Self {
        TileStorage::Bits(Arc::new([0; WORDS]))
    }

    /// The tile with all pixels set.
    pub(super) fn full() -> Self {
        TileStorage::Bits(Arc::clone(&FULL))
    }

    /// Whether this is the shared tile with all pixels set.
    fn is_shared_full(&self) -> bool {
        matches!(self, TileStorage::Bits(bits) if Arc::ptr_eq(bits, &FULL))
    }

    /// Bytes of its own, beside its place in the mask.
    pub(super) fn bytes(&self) -> usize {
        match self {
            _ if self.is_shared_full() => 0,
            TileStorage::Bits(_) => size_of::<Bits>(),
            TileStorage::Runs(numbers) => size_of_val::<[u16]>(numbers),
        }
    }

    /// Whether no pixel is set.
    pub(super) fn is_zero(&self) -> bool {
        match self {
            TileStorage::Bits(bits) => tile::is_zero(bits),
            TileStorage::Runs(numbers) => numbers.len() == STARTS,
        }
    }

    /// How many pixels are set.
    pub(super) fn count(&self) -> u64 {
        match self {
            TileStorage::Bits(bits) => bits.iter().map(|word| u64::from(word.count_ones())).sum(),
            TileStorage::Runs(numbers) => {
                let lengths = numbers[STARTS..].iter().map(|&run| {
                    let (first, last) = ends(run);
                    u64::from(last - first + 1)
                });
                lengths.sum()
            }
        }
    }

    /// How many pixels are set in both tiles.
    pub(super) fn count_both(&self, other: &TileStorage) -> u64 {
        if self.is_shared_full() {
            return other.count();
        }
        if other.is_shared_full() {
            return self.count();
        }
        self.with_bits(|ours| {
            other.with_bits(|theirs| {
                let pairs = ours.iter().zip(theirs);
                pairs
                    .map(|(one, two)| u64::from((one & two).count_ones()))
                    .sum()
            })
        })
    }

    /// The pixels of one row.
    pub(super) fn line(&self, row: u32) -> [u64; ROW_WORDS] {
        let mut line = [0; ROW_WORDS];
        match self {
            TileStorage::Bits(bits) => {
                let at = row as usize * ROW_WORDS;
                line.copy_from_slice(&bits[at..at + ROW_WORDS]);
            }
            TileStorage::Runs(numbers) => draw(numbers, row as usize, &mut line),
        }
        line
    }

    /// Calls `put` with each run of one row, as a half-open range of columns. A run may come in parts.
    pub(super) fn runs_of_row(&self, row: u32, mut put: impl FnMut(u32, u32)) {
        match self {
            TileStorage::Bits(bits) => {
                let at = row as usize * ROW_WORDS;
                tile::runs_of_line(&bits[at..at + ROW_WORDS], put);
            }
            TileStorage::Runs(numbers) => {
                for &run in runs_of(numbers, row as usize) {
                    let (first, last) = ends(run);
                    put(first.into(), u32::from(last) + 1);
                }
            }
        }
    }

    /// Shows all pixels.
    pub(super) fn with_bits<T>(&self, show: impl FnOnce(&Bits) -> T) -> T {
        match self {
            TileStorage::Bits(bits) => show(bits),
            TileStorage::Runs(numbers) => {
                let mut bits = [0; WORDS];
                for (row, line) in bits.chunks_exact_mut(ROW_WORDS).enumerate() {
                    draw(numbers, row, line);
                }
                show(&bits)
            }
        }
    }

    /// A copy of all pixels.
    pub(super) fn to_bits(&self) -> Bits {
        self.with_bits(|bits| *bits)
    }

    /// The pixels to change.
    pub(super) fn bits_mut(&mut self) -> &mut Bits {
        if let TileStorage::Runs(_) = self {
            *self = TileStorage::Bits(Arc::new(self.to_bits()));
        }
        match self {
            TileStorage::Bits(bits) => Arc::make_mut(bits),
            TileStorage::Runs(_) => unreachable!("invariant: runs were turned into bits just now"),
        }
    }

    /// Keeps the tile as runs, if that takes half the memory or less.
    pub(super) fn pack(&mut self) {
        if self.is_shared_full() {
            return;
        }
        let TileStorage::Bits(bits) = self else {
            return;
        };
        if bits.iter().all(|&word| word == u64::MAX) {
            *self = TileStorage::full();
            return;
        }
        let mut numbers = vec![0; STARTS];
        for (row, line) in bits.chunks_exact(ROW_WORDS).enumerate() {
            let begin = numbers.len();
            tile::runs_of_line(line, |from, to| {
                let (from, last) = (from as u16, (to - 1) as u16);
                match numbers[begin..].last_mut() {
                    Some(before) if ends(*before).1 + 1 == from => {
                        *before = *before & 0xff00 | last
                    }
                    _ => numbers.push(from << 8 | last),
                }
            });
            if numbers.len() > MOST {
                return;
            }
            numbers[row + 1] = (numbers.len() - STARTS) as u16;
        }
        *self = TileStorage::Runs(numbers.into());
    }
}

impl PartialEq for TileStorage {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (TileStorage::Bits(ours), TileStorage::Bits(theirs)) => {
                Arc::ptr_eq(ours, theirs) || ours == theirs
            }
            (TileStorage::Runs(ours), TileStorage::Runs(theirs)) => ours == theirs,
            _ => self.to_bits() == other.to_bits(),
        }
    }
}

/// First and last column of a run.
fn ends(run: u16) -> (u16, u16) {
    (run >> 8, run & 0xff)
}

/// The runs of one row of a tile of runs.
fn runs_of(numbers: &[u16], row: usize) -> &[u16] {
    &numbers[STARTS + usize::from(numbers[row])..STARTS + usize::from(numbers[row + 1])]
}

/// Sets the pixels of one row of a tile of runs in `line`, which is clear.
fn draw(numbers: &[u16], row: usize, line: &mut [u64]) {
    for &run in runs_of(numbers, row) {
        let (first, last) = ends(run);
        tile::fill_line(line, first.into(), u32::from(last) + 1, true);
    }
}
