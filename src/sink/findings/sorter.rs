//! Puts entries of a fixed length in order without holding all of them: sorted runs go to an unnamed file and are merged
//! (Knuth, The Art of Computer Programming 3, 5.4.1).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Entries that are sorted in memory at once.
const RUN: usize = 1 << 16;
/// Entries of each run that are in memory while runs are merged.
const AHEAD: usize = 1 << 9;

/// Sorts entries of `N` numbers, the first number first. Memory holds [`RUN`] of them, then [`AHEAD`] of each run.
pub(super) struct Sorter<const N: usize> {
    waiting: Vec<[u64; N]>,
    /// None as long as all entries are waiting.
    file: Option<File>,
    /// Where each run in the file ends, in entries.
    ends: Vec<u64>,
}

impl<const N: usize> Sorter<N> {
    const BYTES: usize = 8 * N;

    pub(super) fn new() -> Self {
        Sorter {
            waiting: Vec::new(),
            file: None,
            ends: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, entry: [u64; N]) -> io::Result<()> {
        self.waiting.push(entry);
        match self.waiting.len() < RUN {
            true => Ok(()),
            false => self.spill(),
        }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0) + self.waiting.len() as u64
    }

    /// Writes what is waiting as a run.
    fn spill(&mut self) -> io::Result<()> {
        let end = self.len();
        self.waiting.sort_unstable();
        let bytes: Vec<u8> = (self.waiting.drain(..).flatten())
            .flat_map(u64::to_le_bytes)
            .collect();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.write_all(&bytes)?;
        self.ends.push(end);
        Ok(())
    }

    /// Calls `visit` with every entry, in order.
    pub(super) fn each(
        mut self,
        mut visit: impl FnMut([u64; N]) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.file.is_none() {
            self.waiting.sort_unstable();
            return self.waiting.into_iter().try_for_each(visit);
        }
        if !self.waiting.is_empty() {
            self.spill()?;
        }
        let Some(mut file) = self.file else {
            return Ok(());
        };
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let mut runs: Vec<Run<N>> = (starts.zip(&self.ends))
            .map(|(next, &end)| Run {
                next,
                end,
                ahead: Vec::new(),
            })
            .collect();
        let mut heads = BinaryHeap::new();
        for (place, run) in runs.iter_mut().enumerate() {
            heads.extend(run.take(&mut file)?.map(|entry| Reverse((entry, place))));
        }
        while let Some(Reverse((entry, place))) = heads.pop() {
            visit(entry)?;
            let next = runs[place].take(&mut file)?;
            heads.extend(next.map(|entry| Reverse((entry, place))));
        }
        Ok(())
    }
}

/// A sorted run in the file, of which a part is in memory.
struct Run<const N: usize> {
    /// The first entry that is not in memory, and the one past the last.
    next: u64,
    end: u64,
    /// The entries before it, the first of them last.
    ahead: Vec<[u64; N]>,
}

impl<const N: usize> Run<N> {
    fn take(&mut self, file: &mut File) -> io::Result<Option<[u64; N]>> {
        if self.ahead.is_empty() && self.next < self.end {
            let count = (self.end - self.next).min(AHEAD as u64);
            let mut bytes = vec![0; count as usize * Sorter::<N>::BYTES];
            file.seek(SeekFrom::Start(self.next * Sorter::<N>::BYTES as u64))?;
            file.read_exact(&mut bytes)?;
            let mut numbers = bytes.as_chunks::<8>().0.iter();
            let entry = |_| {
                std::array::from_fn(|_| {
                    numbers.next().map_or(0, |&bytes| u64::from_le_bytes(bytes))
                })
            };
            self.ahead = (0..count).map(entry).collect();
            self.ahead.reverse();
            self.next += count;
        }
        Ok(self.ahead.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_in_order_however_many_there_are() {
        for count in [0, 1, 1000, RUN, RUN + 1, 3 * RUN + 777] {
            let mut sorter = Sorter::new();
            let mut expected = Vec::new();
            let mut value = 1_u64;
            for place in 0..count as u64 {
                value = value
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                // Some come twice.
                let entry = [value >> 50, place];
                expected.push(entry);
                sorter.push(entry).unwrap();
            }
            assert_eq!(sorter.len(), count as u64);
            assert_eq!(sorter.file.is_some(), count >= RUN);
            expected.sort_unstable();
            let mut found = Vec::new();
            sorter
                .each(|entry| {
                    found.push(entry);
                    Ok(())
                })
                .unwrap();
            assert!(found == expected, "{count}");
        }
    }
}
