//! Tests against plain dense codecs and flood fills.

use std::collections::VecDeque;
use std::ops::Range;

use proptest::prelude::*;

use super::{Mask, Rect};

mod figures;
mod objects;
mod polygon;
mod rle;
mod simplify;
mod sparse;
mod split;

/// A dense picture of 0 and 1, row after row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dense {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) pixels: Vec<u8>,
}

impl Dense {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            pixels: vec![0; (width * height) as usize],
        }
    }

    pub(super) fn from_fn(width: u32, height: u32, test: impl Fn(u32, u32) -> bool) -> Self {
        let mut dense = Self::new(width, height);
        for y in 0..height {
            for x in 0..width {
                dense.put(x, y, test(x, y));
            }
        }
        dense
    }

    /// Reads a picture of `#` and `.`.
    pub(super) fn parse(rows: &[&str]) -> Self {
        let test = |x: u32, y: u32| rows[y as usize].as_bytes()[x as usize] == b'#';
        Self::from_fn(rows[0].len() as u32, rows.len() as u32, test)
    }

    pub(super) fn at(&self, x: u32, y: u32) -> bool {
        self.pixels[(y * self.width + x) as usize] == 1
    }

    pub(super) fn put(&mut self, x: u32, y: u32, value: bool) {
        self.pixels[(y * self.width + x) as usize] = u8::from(value);
    }

    /// Builds the mask pixel by pixel, so that block writing is not what is trusted here.
    pub(super) fn mask(&self) -> Mask {
        let mut mask = Mask::new(self.width, self.height).unwrap();
        for y in 0..self.height {
            for x in 0..self.width {
                if self.at(x, y) {
                    mask.set(x, y, true);
                }
            }
        }
        mask
    }

    pub(super) fn of(mask: &Mask) -> Self {
        Self::from_fn(mask.width(), mask.height(), |x, y| mask.get(x, y))
    }

    /// The connected parts of the pixels equal to `value`, by flood fill, in raster order; each sorted likewise.
    pub(super) fn parts(&self, value: bool, diagonal: bool) -> Vec<Vec<(u32, u32)>> {
        let mut seen = vec![false; self.pixels.len()];
        let mut parts = Vec::new();
        for y in 0..self.height {
            for x in 0..self.width {
                if self.at(x, y) != value || seen[(y * self.width + x) as usize] {
                    continue;
                }
                seen[(y * self.width + x) as usize] = true;
                let mut part = Vec::new();
                let mut queue = VecDeque::from([(x, y)]);
                while let Some((x, y)) = queue.pop_front() {
                    part.push((x, y));
                    for (dx, dy) in
                        (-1..=1).flat_map(|dx: i64| (-1..=1).map(move |dy: i64| (dx, dy)))
                    {
                        let (nx, ny) = (i64::from(x) + dx, i64::from(y) + dy);
                        let inside = (0..i64::from(self.width)).contains(&nx)
                            && (0..i64::from(self.height)).contains(&ny);
                        if !inside || (!diagonal && dx != 0 && dy != 0) {
                            continue;
                        }
                        let (nx, ny) = (nx as u32, ny as u32);
                        let index = (ny * self.width + nx) as usize;
                        if self.at(nx, ny) == value && !seen[index] {
                            seen[index] = true;
                            queue.push_back((nx, ny));
                        }
                    }
                }
                part.sort_unstable_by_key(|&(x, y)| (y, x));
                parts.push(part);
            }
        }
        parts
    }
}

/// Runs of the numbers from 0 for which `test` holds.
pub(super) fn naive_runs(length: u32, test: impl Fn(u32) -> bool) -> Vec<Range<u32>> {
    let mut runs: Vec<Range<u32>> = Vec::new();
    for index in (0..length).filter(|&index| test(index)) {
        match runs.last_mut() {
            Some(run) if run.end == index => run.end += 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}

/// Sizes at the borders of words and tiles.
pub(super) fn side() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![1u32, 2, 63, 64, 65, 127, 255, 256, 257, 300])
}

/// Rectangles that may reach over the border of what they are drawn on.
pub(super) fn rect() -> impl Strategy<Value = Rect> {
    let size = || prop_oneof![0u32..4, 60u32..70, 250u32..310];
    (0u32..310, 0u32..310, size(), size()).prop_map(|(x, y, width, height)| Rect {
        x,
        y,
        width,
        height,
    })
}

/// Pictures of rectangles put in and cut out, rings in rings, with noise or a checkerboard in part of it.
pub(super) fn dense() -> impl Strategy<Value = Dense> {
    let rects = prop::collection::vec((rect(), any::<bool>()), 0..8);
    let texture = (
        rect(),
        prop_oneof![Just(0u64), Just(1), Just(2), 3u64..1 << 40],
    );
    (side(), side(), any::<bool>(), rects, texture).prop_map(
        |(width, height, start, rects, (area, texture))| {
            let mut picture = Dense::from_fn(width, height, |_, _| start);
            for (rect, value) in rects {
                for y in rect.rows_within(height) {
                    for x in rect.columns_within(width) {
                        picture.put(x, y, value);
                    }
                }
            }
            let mut state = texture;
            for y in area.rows_within(height) {
                for x in area.columns_within(width) {
                    state = state
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    match texture {
                        0 => {}
                        1 => picture.put(x, y, (x + y) % 2 == 0),
                        // Squares in squares.
                        2 => picture.put(x, y, (x - area.x).min(y - area.y) % 4 < 2),
                        // Noise, sparse or dense as the texture's number says.
                        _ => picture.put(x, y, (state >> 40) % 16 < 2 + texture % 13),
                    }
                }
            }
            picture
        },
    )
}

/// A plain implementation of Kaggle's encoding on the flattened array.
pub(super) fn naive_rle(dense: &Dense) -> String {
    let flat = |index: u32| dense.at(index / dense.height, index % dense.height);
    let runs = naive_runs(dense.width * dense.height, flat);
    let words: Vec<String> = runs
        .iter()
        .map(|run| format!("{} {}", run.start + 1, run.len()))
        .collect();
    words.join(" ")
}
