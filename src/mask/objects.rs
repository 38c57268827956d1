//! The connected objects of a mask.

use std::ops::Range;

use super::{Mask, Rect};

/// A run of foreground in one row, in px.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run {
    /// The row.
    pub y: u32,
    /// The first column.
    pub start: u32,
    /// One past the last column.
    pub end: u32,
}

impl Run {
    /// How many px the run has.
    pub(super) fn area(&self) -> u64 {
        u64::from(self.end - self.start)
    }

    /// The run's columns.
    pub fn columns(&self) -> Range<u32> {
        self.start..self.end
    }
}

/// The 4-connected objects of a mask, in the order of their first pixels (row by row, from the left).
///
/// Memory is in proportion to the number of runs, not to the area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    /// The runs of one object after another, each object's from the top down.
    runs: Vec<Run>,
    /// Where the runs of each object end in `runs`.
    ends: Vec<usize>,
}

/// One object of [`Objects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object<'a> {
    runs: &'a [Run],
}

impl Objects {
    /// Finds the objects of a mask.
    pub fn find(mask: &Mask) -> Self {
        Self::connect(mask.rows().map(to_run).collect(), false)
    }

    /// Groups sorted runs that touch, with `diagonal` also at corners.
    pub(super) fn connect(runs: Vec<Run>, diagonal: bool) -> Self {
        let mut forest = join_rows(&runs, diagonal);
        // A root comes before all others of its object, so one pass numbers the objects in order, and each
        // run's parent has its number already.
        let mut ends = Vec::new();
        for index in 0..forest.len() {
            forest[index] = if forest[index] == index {
                ends.push(0);
                ends.len() - 1
            } else {
                forest[forest[index]]
            };
        }
        let labels = forest;
        for &label in &labels {
            ends[label] += 1;
        }
        // From counts to starts; each start then moves to its end as the runs are put in place.
        let mut start = 0;
        for end in &mut ends {
            let count = std::mem::replace(end, start);
            start += count;
        }
        let mut grouped = runs.clone();
        for (&run, &label) in runs.iter().zip(&labels) {
            grouped[ends[label]] = run;
            ends[label] += 1;
        }
        Self {
            runs: grouped,
            ends,
        }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The object with this place in the order, counted from 0.
    pub fn get(&self, index: usize) -> Option<Object<'_>> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(Object {
            runs: &self.runs[start..end],
        })
    }

    /// All objects in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Object<'_>> {
        let mut start = 0;
        self.ends.iter().map(move |&end| Object {
            runs: &self.runs[std::mem::replace(&mut start, end)..end],
        })
    }
}

impl<'a> Object<'a> {
    /// The object's runs: from the top down, in a row from left to right, never empty.
    pub fn runs(&self) -> &'a [Run] {
        self.runs
    }

    /// How many px the object has.
    pub fn area(&self) -> u64 {
        self.runs.iter().map(Run::area).sum()
    }

    /// The smallest rectangle that holds the object.
    pub fn bounds(&self) -> Rect {
        let left = self.runs.iter().map(|run| run.start).min().unwrap_or(0);
        let right = self.runs.iter().map(|run| run.end).max().unwrap_or(0);
        let top = self.runs.first().map_or(0, |run| run.y);
        let bottom = self.runs.last().map_or(0, |run| run.y + 1);
        Rect {
            x: left,
            y: top,
            width: right - left,
            height: bottom - top,
        }
    }
}

/// Names the parts that [`Mask::rows`] gives.
pub(super) fn to_run((y, columns): (u32, Range<u32>)) -> Run {
    Run {
        y,
        start: columns.start,
        end: columns.end,
    }
}

/// Joins the runs of neighbouring rows that touch. Each run gets the index of a run of its object that does
/// not come after it; only an object's first run gets its own.
fn join_rows(runs: &[Run], diagonal: bool) -> Vec<usize> {
    let reach = u32::from(diagonal);
    let mut parents: Vec<usize> = (0..runs.len()).collect();
    let mut above = 0;
    for (index, run) in runs.iter().enumerate() {
        // Runs that end before this one begins cannot touch the next ones of this row either.
        let ended =
            |other: &Run| other.y + 1 < run.y || other.y < run.y && other.end + reach <= run.start;
        while ended(&runs[above]) {
            above += 1;
        }
        let before = runs[above..index].iter().enumerate();
        let touching =
            before.take_while(|(_, other)| other.y < run.y && other.start < run.end + reach);
        for (place, _) in touching {
            let (one, two) = (root(&mut parents, above + place), root(&mut parents, index));
            parents[one.max(two)] = one.min(two);
        }
    }
    parents
}

/// The first run of the object, as far as known; halves the way for the next who asks.
fn root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}
