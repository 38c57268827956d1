//! The connected objects of a mask.

use std::ops::Range;

use super::components::Components;
use super::tile::SIDE;
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
        let mut found = Vec::new();
        each_object(mask, |runs| found.push(runs));
        Self::in_order(found)
    }

    /// Finds the objects of labels: the 4-connected parts of px of one label. The runs come sorted by label, row and
    /// column, and those of one label do not touch within a row.
    pub fn of_labels(runs: Vec<(u64, Run)>) -> Self {
        let labels = runs.chunk_by(|one, two| one.0 == two.0);
        Self::of_shapes(labels.map(|label| label.iter().map(|&(_, run)| run)))
    }

    /// Finds the objects of shapes, which may lie over each other: the 4-connected parts of each. The runs of a shape come
    /// sorted by row and column and do not touch within a row.
    pub fn of_shapes<S: IntoIterator<Item = Run>>(shapes: impl IntoIterator<Item = S>) -> Self {
        let mut found = Vec::new();
        for shape in shapes {
            let mut components = Components::new(false, u64::MAX, |_| false);
            for run in shape {
                components.add(run, (), |runs, ()| found.push(runs));
            }
            components.finish(|runs, ()| found.push(runs));
        }
        Self::in_order(found)
    }

    /// Each object came when it ended; their order is that of their beginnings.
    fn in_order(mut found: Vec<Vec<Run>>) -> Self {
        // Stable: shapes that lie over each other may begin at one px.
        found.sort_by_key(|runs| runs.first().map(|run| (run.y, run.start)));
        let mut end = 0;
        let ends = found.iter().map(|runs| {
            end += runs.len();
            end
        });
        Self {
            ends: ends.collect(),
            runs: found.concat(),
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
    /// The object that these runs are, in the order of [`Object::runs`]. They are taken as they are: what is no object
    /// (nothing, runs that do not touch) has figures and an outline that mean nothing.
    pub fn of(runs: &'a [Run]) -> Self {
        Object { runs }
    }

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

/// Calls `put` with the runs, in order, of each object of a mask; an object comes when its last row is past.
pub(super) fn each_object(mask: &Mask, mut put: impl FnMut(Vec<Run>)) {
    let mut components = Components::new(false, u64::MAX, |_| false);
    for run in mask.rows().map(to_run) {
        components.add(run, (), |runs, ()| put(runs));
    }
    components.finish(|runs, ()| put(runs));
}

/// Something that is counted run by run and summed for each object. No sum may depend on the order.
pub trait Tally: Default {
    /// Adds what was counted of other runs of the same object.
    fn add(&mut self, other: Self);
}

impl Tally for () {
    fn add(&mut self, (): ()) {}
}

/// Rows whose runs are counted at once.
const ROWS_AT_ONCE: u32 = SIDE;

/// Finds the objects of a mask and counts something in them on the way, in one pass and without holding all of them.
///
/// `count` gets the runs of 256 rows at a time, from the top down, and answers with what it counted of each. `put` gets the
/// runs of each object, in order, and the sum of what was counted of them. Objects come in the order of their ends.
///
/// # Errors
/// What `count` and `put` say; the rest of the mask is not looked at then.
///
/// # Panics
/// If `count` does not answer for each run.
pub fn each_object_counted<T: Tally, E>(
    mask: &Mask,
    mut count: impl FnMut(&[Run]) -> Result<Vec<T>, E>,
    mut put: impl FnMut(Vec<Run>, T) -> Result<(), E>,
) -> Result<(), E> {
    let mut components = Components::new(false, u64::MAX, |_| false);
    let (mut ended, mut strip) = (Vec::new(), Vec::new());
    let mut rows = mask.rows().map(to_run).peekable();
    while let Some(first) = rows.peek().map(|run| run.y / ROWS_AT_ONCE) {
        strip.clear();
        while let Some(run) = rows.next_if(|run| run.y / ROWS_AT_ONCE == first) {
            strip.push(run);
        }
        let counted = count(&strip)?;
        assert_eq!(counted.len(), strip.len(), "something was not counted");
        for (&run, tally) in strip.iter().zip(counted) {
            components.add(run, tally, |runs, tally| ended.push((runs, tally)));
        }
        for (runs, tally) in ended.drain(..) {
            put(runs, tally)?;
        }
    }
    components.finish(|runs, tally| ended.push((runs, tally)));
    ended
        .into_iter()
        .try_for_each(|(runs, tally)| put(runs, tally))
}

/// Names the parts that [`Mask::rows`] gives.
pub(super) fn to_run((y, columns): (u32, Range<u32>)) -> Run {
    Run {
        y,
        start: columns.start,
        end: columns.end,
    }
}
