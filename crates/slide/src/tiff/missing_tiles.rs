//! Fills tiles and strips that the file leaves out, from the levels that have them.
//!
//! Scanners and sparse writers leave tiles empty (byte count 0). Where a level above has the place, its px stand in,
//! then a level below that is not much finer, then white. Which px that is depends on the file alone.

use super::layout::Layout;
use crate::chunks::Chunk;

/// Finer levels stand in where they are at most so many times finer, so that a few tiles are read for one.
const MOST_FINER: f64 = 8.0;

/// What a slide lacks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing {
    /// Tiles and strips of level 0 that are missing, and how many there should be.
    pub(super) full_size: (u32, u32),
    /// Those of the other levels together.
    pub(super) below: (u32, u32),
    /// Whether other levels are there to fill from.
    pub(super) has_levels: bool,
}

impl Missing {
    /// Counts what the levels lack.
    pub(super) fn count(levels: &[Layout]) -> Self {
        let count = |layout: &Layout| {
            let missing = (0..layout.chunks()).filter(|&index| layout.is_missing(index));
            (missing.count() as u32, layout.chunks())
        };
        let mut all = levels.iter().map(count);
        let full_size = all.next().unwrap_or_default();
        let below = all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        Missing {
            full_size,
            below,
            has_levels: levels.len() > 1,
        }
    }

    /// Whether more than half of the slide at full size is missing.
    pub(super) fn is_most(&self) -> bool {
        u64::from(self.full_size.0) * 2 > u64::from(self.full_size.1)
    }

    /// What is said to the user; none where nothing is missing.
    pub(super) fn text(&self, kind: &str) -> Option<String> {
        let of = |(missing, all): (u32, u32), place: &str| {
            (missing > 0).then(|| format!("{missing} of {all} {kind}s of {place}"))
        };
        let parts: Vec<String> = [
            of(self.full_size, "level 0"),
            of(self.below, "the levels below it"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let filled = if self.has_levels {
            "filled from other levels where possible, otherwise with white"
        } else {
            "filled with white"
        };
        (!parts.is_empty()).then(|| {
            format!(
                "{} are missing from the file; they are {filled}",
                parts.join(" and ")
            )
        })
    }
}

/// The px of a missing tile or strip. `read` gives those of other levels that are there.
///
/// # Errors
/// What `read` gives.
pub(super) fn fill<C: AsRef<Chunk>, E>(
    levels: &[Layout],
    level: usize,
    index: u32,
    mut read: impl FnMut(usize, u32) -> Result<C, E>,
) -> Result<Chunk, E> {
    let own = &levels[level];
    let (width, height) = own.size_inside(index);
    let left = index % own.across * own.chunk.0;
    let top = index / own.across * own.chunk.1;
    let mut rgb = vec![255; width as usize * height as usize * 3];
    let mut open = vec![true; width as usize * height as usize];
    let finer = (0..level)
        .rev()
        .filter(|&other| f64::from(levels[other].width) <= MOST_FINER * f64::from(own.width));
    for other in (level + 1..levels.len()).chain(finer) {
        if !open.contains(&true) {
            break;
        }
        let there = &levels[other];
        let columns = places(left, width, own.width, there.width);
        let rows = places(top, height, own.height, there.height);
        let (Some((c0, c1)), Some((r0, r1))) = (ends(&columns), ends(&rows)) else {
            continue;
        };
        for row in r0 / there.chunk.1..=r1 / there.chunk.1 {
            for column in c0 / there.chunk.0..=c1 / there.chunk.0 {
                let found = row * there.across + column;
                if there.is_missing(found) {
                    continue;
                }
                let chunk = read(other, found)?;
                let chunk = chunk.as_ref();
                let (x0, y0) = (column * there.chunk.0, row * there.chunk.1);
                for (y, &from_y) in rows.iter().enumerate() {
                    let Some(from_y) = from_y.checked_sub(y0).filter(|&y| y < chunk.height) else {
                        continue;
                    };
                    for (x, &from_x) in columns.iter().enumerate() {
                        let inside = from_x.checked_sub(x0).filter(|&x| x < chunk.width);
                        let at = y * width as usize + x;
                        let Some(from_x) = inside.filter(|_| open[at]) else {
                            continue;
                        };
                        let from = (from_y as usize * chunk.width as usize + from_x as usize) * 3;
                        rgb[at * 3..at * 3 + 3].copy_from_slice(&chunk.rgb[from..from + 3]);
                        open[at] = false;
                    }
                }
            }
        }
    }
    Ok(Chunk { width, height, rgb })
}

/// For each of `count` px from `first` on, the px of another level that lies over its middle.
fn places(first: u32, count: u32, own: u32, other: u32) -> Vec<u32> {
    let place = |px: u32| {
        let at = (2 * u64::from(px) + 1) * u64::from(other) / (2 * u64::from(own));
        at.min(u64::from(other) - 1) as u32
    };
    (first..first + count).map(place).collect()
}

fn ends(places: &[u32]) -> Option<(u32, u32)> {
    Some((*places.first()?, *places.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn px_of_another_level_lie_over_the_middle() {
        assert_eq!(places(0, 4, 8, 4), [0, 0, 1, 1]);
        assert_eq!(places(4, 4, 8, 2), [1, 1, 1, 1]);
        assert_eq!(places(0, 2, 2, 8), [2, 6]);
        assert_eq!(places(6, 1, 7, 2), [1]);
    }

    #[test]
    fn what_is_missing_is_told() {
        let missing = |full_size, below, has_levels| Missing {
            full_size,
            below,
            has_levels,
        };
        assert_eq!(missing((0, 9), (0, 4), true).text("tile"), None);
        let one = missing((5, 35), (0, 0), false);
        assert_eq!(
            one.text("tile").unwrap(),
            "5 of 35 tiles of level 0 are missing from the file; they are filled with white"
        );
        assert!(!missing((2, 4), (0, 0), false).is_most());
        assert!(missing((3, 4), (0, 0), false).is_most());
    }
}
