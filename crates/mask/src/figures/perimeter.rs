//! The length of an object's border, through the middles of the border's px.
//!
//! A px of the border is one of the object beside which (above, below, left or right) one is not. Each counts by how many
//! px of the border lie beside it and at its corners: 1 along a side, the root of 2 along a diagonal, half of both at a
//! bend (K. Benkrid, D. Crookes: Design and FPGA implementation of a perimeter estimator, 2000).

use std::f64::consts::SQRT_2;
use std::ops::Range;

use super::super::{Rect, Run};
use super::rows;

pub(super) fn length(runs: &[Run], bounds: &Rect) -> f64 {
    let mut counts = Counts::default();
    // One px of margin on both sides.
    let mut band = Band {
        left: bounds.x,
        rows: [(); 3].map(|()| Line {
            is_border: vec![0; bounds.width as usize + 2],
            border: Vec::new(),
        }),
    };
    let mut rows = rows(runs);
    let (mut above, mut here): (&[Run], &[Run]) = (&[], rows.next().unwrap_or_default());
    while !here.is_empty() {
        let below = rows.next().unwrap_or_default();
        band.push(above, here, below);
        band.count_middle(&mut counts);
        (above, here) = (here, below);
    }
    band.push(&[], &[], &[]);
    band.count_middle(&mut counts);
    counts.length()
}

/// How many px of the border have which weight.
#[derive(Default)]
struct Counts {
    straight: u64,
    diagonal: u64,
    bend: u64,
}

impl Counts {
    fn length(&self) -> f64 {
        let [straight, diagonal, bend] =
            [self.straight, self.diagonal, self.bend].map(|n| n as f64);
        straight + diagonal * SQRT_2 + bend * (1.0 + SQRT_2) / 2.0
    }
}

/// The border's px of one row: as flags, counted from one px left of the bounds, and as ranges of columns.
struct Line {
    is_border: Vec<u8>,
    border: Vec<Range<u32>>,
}

/// The border's px of three rows.
struct Band {
    left: u32,
    rows: [Line; 3],
}

impl Band {
    /// Adds the border of a row below, and forgets the topmost one.
    fn push(&mut self, above: &[Run], here: &[Run], below: &[Run]) {
        self.rows.rotate_left(1);
        let left = self.left;
        let place = |columns: &Range<u32>| {
            (columns.start + 1 - left) as usize..(columns.end + 1 - left) as usize
        };
        let line = &mut self.rows[2];
        for columns in line.border.drain(..) {
            line.is_border[place(&columns)].fill(0);
        }
        border(above, here, below, &mut line.border);
        for columns in &line.border {
            line.is_border[place(columns)].fill(1);
        }
    }

    /// Weighs the px of the middle row.
    fn count_middle(&self, counts: &mut Counts) {
        let [above, here, below] = &self.rows;
        for columns in &here.border {
            for x in columns.clone() {
                let at = (x + 1 - self.left) as usize;
                let sides = here.is_border[at - 1]
                    + here.is_border[at + 1]
                    + above.is_border[at]
                    + below.is_border[at];
                let corners = above.is_border[at - 1]
                    + above.is_border[at + 1]
                    + below.is_border[at - 1]
                    + below.is_border[at + 1];
                match (sides, corners) {
                    (2..=3, 0..=2) => counts.straight += 1,
                    (0, 2) | (1, 3) => counts.diagonal += 1,
                    (1, 1) | (1, 2) => counts.bend += 1,
                    _ => {}
                }
            }
        }
    }
}

/// The px of a row that are not wholly among px of the object: the row less what all four neighbours are of.
fn border(above: &[Run], here: &[Run], below: &[Run], out: &mut Vec<Range<u32>>) {
    let (mut up, mut down) = (above.iter().peekable(), below.iter().peekable());
    for run in here {
        let mut from = run.start;
        // What lies deep within: not at the run's ends, and under a run and over one.
        let (first, end) = (run.start + 1, run.end - 1);
        loop {
            while up.next_if(|run| run.end <= first).is_some() {}
            while down.next_if(|run| run.end <= first).is_some() {}
            let (Some(one), Some(two)) = (up.peek(), down.peek()) else {
                break;
            };
            let deep = first.max(one.start).max(two.start)..end.min(one.end).min(two.end);
            if !deep.is_empty() {
                if from < deep.start {
                    out.push(from..deep.start);
                }
                from = deep.end;
            }
            // Whichever ends first has nothing more for this run, unless the run itself ends.
            if one.end.min(two.end) >= end {
                break;
            }
            match one.end <= two.end {
                true => up.next(),
                false => down.next(),
            };
        }
        if from < run.end {
            out.push(from..run.end);
        }
    }
}
