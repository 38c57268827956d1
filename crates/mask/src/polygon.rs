//! Exact outlines of a mask's objects, along the edges of pixels.

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::objects::each_object;
use super::{Mask, Object, Objects, Run};

/// A closed ring of corners `[x, y]` in px: the last corner is the first again.
///
/// Corner `[x, y]` is the top left corner of the pixel in column `x` and row `y`.
pub type Ring = Vec<[u32; 2]>;

/// The exact outline of one object.
///
/// Sides are horizontal or vertical in turn, so no three corners lie on a line. No ring visits a corner twice
/// but to close. Where an object touches itself only at a corner of pixels, the part enclosed there is a hole
/// that touches another ring in that point, as the Simple Features standard allows. So JTS and GEOS find
/// the polygon valid.
///
/// # Orientation
///
/// The exterior is counter-clockwise and holes are clockwise by their numbers, as RFC 7946 wants: the exterior's
/// area by the shoelace formula on the coordinates as written is positive. Drawn with y down, as on a screen, the
/// exterior runs clockwise to the eye.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Polygon {
    /// The outer ring. It begins at the top left corner of the object's first pixel.
    pub exterior: Ring,
    /// The rings of the holes, in the order in which they are met row by row.
    pub holes: Vec<Ring>,
    /// The area in px, without the holes.
    pub area: u64,
}

/// The outlines of all 4-connected objects of a mask, in the order of [`Objects`].
///
/// Time and memory are in proportion to the length of the outlines. Objects are worked on in parallel; the
/// result does not depend on the number of threads.
pub fn polygons(mask: &Mask) -> Vec<Polygon> {
    let (mut polygons, mut waiting, mut runs) = (Vec::new(), Vec::new(), 0);
    let draw = |waiting: &mut Vec<Vec<Run>>, polygons: &mut Vec<Polygon>| {
        let outlines = waiting.par_iter().with_min_len(16);
        polygons.par_extend(outlines.map(|runs| outline(&Object::of(runs))));
        waiting.clear();
    };
    each_object(mask, |object| {
        runs += object.len();
        waiting.push(object);
        if runs >= AT_ONCE {
            draw(&mut waiting, &mut polygons);
            runs = 0;
        }
    });
    draw(&mut waiting, &mut polygons);
    // Objects came in the order of their ends. Each begins with another px.
    polygons.sort_unstable_by_key(|polygon| polygon.exterior.first().map(|&[x, y]| (y, x)));
    polygons
}

impl Polygon {
    /// The object's runs, from the top down, as they were outlined.
    pub fn runs(&self) -> Vec<Run> {
        let between = self.between(1);
        let run = |(y, across): (u32, Range<u32>)| Run {
            y,
            start: across.start,
            end: across.end,
        };
        between.map(run).collect()
    }

    /// The same px along columns, from the left to the right: the column, and its rows.
    pub fn column_runs(&self) -> impl Iterator<Item = (u32, Range<u32>)> {
        self.between(0)
    }

    /// The px in each line along the other axis than `axis`: 1 for rows, 0 for columns.
    fn between(&self, axis: usize) -> impl Iterator<Item = (u32, Range<u32>)> + use<> {
        let other = 1 - axis;
        // Where the sides that stand across it cross each line.
        let mut sides: Vec<(u32, u32)> = Vec::new();
        for ring in std::iter::once(&self.exterior).chain(&self.holes) {
            for pair in ring.windows(2) {
                let (from, to) = (pair[0], pair[1]);
                if from[other] == to[other] {
                    let lines = from[axis].min(to[axis])..from[axis].max(to[axis]);
                    sides.extend(lines.map(|line| (line, from[other])));
                }
            }
        }
        sides.sort_unstable();
        let pairs = sides.len() / 2;
        (0..pairs).map(move |pair| {
            let ((line, start), (_, end)) = (sides[2 * pair], sides[2 * pair + 1]);
            (line, start..end)
        })
    }
}

/// Runs whose objects are outlined at once: enough for all threads, and little memory.
const AT_ONCE: usize = 1 << 16;

/// The outlines of objects that are found already, in the same order. See [`polygons`].
pub fn outlines(objects: &Objects) -> Vec<Polygon> {
    let all: Vec<Object<'_>> = objects.iter().collect();
    all.par_iter().with_min_len(16).map(outline).collect()
}

/// The outline of one object. See [`polygons`].
///
/// # How it works
///
/// A run has two upright sides, numbered `2 i` (left) and `2 i + 1` (right) for run `i`. Left sides are walked
/// upwards and right sides downwards, so the object is always to the right on the screen. Between two rows, the
/// ends of the sides above and below are the ends of the level sides, which pair them up from left to right.
/// Where a side goes straight on, the two are paired directly. Where two pixels touch only at a corner, the
/// pairing goes around the background's corners: the two pixels belong to one object, so the two backgrounds
/// are apart, and each gets a ring of its own.
pub fn outline(object: &Object<'_>) -> Polygon {
    let runs = object.runs();
    let mut sides = Sides {
        runs,
        next: vec![0; 2 * runs.len()],
    };
    let mut above = 0..0;
    while !(above.is_empty() && above.end == runs.len()) {
        let count = runs[above.end..]
            .iter()
            .take_while(|run| run.y == runs[above.end].y)
            .count();
        let below = above.end..above.end + count;
        sides.join_rows(above, below.clone());
        above = below;
    }
    let mut rings = sides.rings();
    // The first side is the left one of the topmost row's first run, so it faces the outside.
    let exterior = if rings.is_empty() {
        Ring::new()
    } else {
        rings.remove(0)
    };
    Polygon {
        exterior,
        holes: rings,
        area: object.area(),
    }
}

/// The upright sides of an object's runs, and how they follow each other around it.
struct Sides<'a> {
    runs: &'a [Run],
    next: Vec<usize>,
}

impl Sides<'_> {
    fn x(&self, side: usize) -> u32 {
        let run = &self.runs[side / 2];
        if is_right(side) { run.end } else { run.start }
    }

    /// The line between rows at which the walk leaves a side.
    fn leaves_at(&self, side: usize) -> u32 {
        self.runs[side / 2].y + u32::from(is_right(side))
    }

    /// Pairs up the sides of two neighbouring rows, given as ranges of runs, on the line between them.
    fn join_rows(&mut self, above: Range<usize>, below: Range<usize>) {
        let (mut up, mut down) = (2 * above.start, 2 * below.start);
        let (up_end, down_end) = (2 * above.end, 2 * below.end);
        let mut open = None;
        loop {
            let up_x = (up < up_end).then(|| self.x(up));
            let down_x = (down < down_end).then(|| self.x(down));
            match (up_x, down_x) {
                (None, None) => break,
                (Some(one), Some(two)) if one == two => {
                    if is_right(up) == is_right(down) {
                        self.pair(up, down, up_end);
                    } else if is_right(up) {
                        // Pixels at the upper left and the lower right: the level side from the left ends
                        // below, and the one to the right begins above.
                        self.meet(&mut open, down, up_end);
                        self.meet(&mut open, up, up_end);
                    } else {
                        self.meet(&mut open, up, up_end);
                        self.meet(&mut open, down, up_end);
                    }
                    up += 1;
                    down += 1;
                }
                (Some(one), two) if two.is_none_or(|two| one < two) => {
                    self.meet(&mut open, up, up_end);
                    up += 1;
                }
                _ => {
                    self.meet(&mut open, down, up_end);
                    down += 1;
                }
            }
        }
    }

    /// A level side begins or ends at `side`.
    fn meet(&mut self, open: &mut Option<usize>, side: usize, up_end: usize) {
        match open.take() {
            None => *open = Some(side),
            Some(first) => self.pair(first, side, up_end),
        }
    }

    /// Lets one of two sides follow the other: whichever leaves at the line they meet at. `up_end` is the first
    /// side below the line.
    fn pair(&mut self, one: usize, two: usize, up_end: usize) {
        let one_is_above = one < up_end;
        if one_is_above == is_right(one) {
            self.next[one] = two;
        } else {
            self.next[two] = one;
        }
    }

    /// Walks around all rings; each begins with its first side.
    fn rings(&self) -> Vec<Ring> {
        let mut walked = vec![false; self.next.len()];
        let mut rings = Vec::new();
        for start in 0..self.next.len() {
            if walked[start] {
                continue;
            }
            let mut ring = Ring::new();
            let mut side = start;
            while !walked[side] {
                walked[side] = true;
                let next = self.next[side];
                let (from, to, y) = (self.x(side), self.x(next), self.leaves_at(side));
                if from != to {
                    ring.push([from, y]);
                    ring.push([to, y]);
                }
                side = next;
            }
            ring.push(ring[0]);
            rings.push(ring);
        }
        rings
    }
}

fn is_right(side: usize) -> bool {
    side % 2 == 1
}
