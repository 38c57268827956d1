//! Cuts one axis of a plane into overlapping tiles.

/// The tiles along one axis: where each begins, and which part of it counts.
///
/// Neighbouring tiles share `overlap` px; each one's core ends in the middle of what it shares, so the cores cut the
/// plane into parts without gap or overlap. What the tiles reach beyond the plane is spread evenly over both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    length: u32,
    tile: u32,
    stride: u32,
    first: i64,
    count: u32,
}

impl Axis {
    /// Tiles of `tile` px over `length` px, sharing `overlap` px (cut to half a tile if it is more).
    pub fn new(length: u32, tile: u32, overlap: u32) -> Self {
        let tile = tile.max(1);
        let overlap = overlap.min(tile / 2);
        let stride = tile - overlap;
        let count = if length <= tile {
            1
        } else {
            (length - overlap).div_ceil(stride)
        };
        let cover = i64::from(count) * i64::from(stride) + i64::from(overlap);
        let cover = if count == 1 { i64::from(tile) } else { cover };
        Axis {
            length,
            tile,
            stride,
            first: -((cover - i64::from(length)) / 2),
            count,
        }
    }

    /// Length of the axis, px.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// The tile whose core holds px `position`; the last one for what lies beyond the axis.
    pub fn holder(&self, position: u32) -> u32 {
        let (mut low, mut high) = (0, self.count - 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if position < self.core(middle).1 {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// How many tiles.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Where tile `index` begins, px of the plane; negative where it begins before the plane.
    pub fn origin(&self, index: u32) -> i64 {
        self.first + i64::from(index) * i64::from(self.stride)
    }

    /// The px of the plane (half open) that lie in tile `index`.
    pub fn extent(&self, index: u32) -> (u32, u32) {
        let origin = self.origin(index);
        let clamp = |v: i64| v.clamp(0, i64::from(self.length)) as u32;
        (clamp(origin), clamp(origin + i64::from(self.tile)))
    }

    /// The core of tile `index`: the px of the plane (half open) that no other core holds.
    pub fn core(&self, index: u32) -> (u32, u32) {
        let half = i64::from(self.tile - self.stride) / 2;
        let start = |index: u32| {
            if index == 0 {
                0
            } else {
                (self.origin(index) + half).clamp(0, i64::from(self.length)) as u32
            }
        };
        let end = if index + 1 >= self.count {
            self.length
        } else {
            start(index + 1)
        };
        (start(index), end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_cut_the_plane_without_gap_and_lie_in_their_tiles() {
        for length in [1, 2, 31, 63, 64, 65, 100, 127, 128, 129, 1000] {
            for (tile, overlap) in [
                (64, 0),
                (64, 1),
                (64, 15),
                (64, 16),
                (64, 32),
                (7, 3),
                (1, 0),
            ] {
                let axis = Axis::new(length, tile, overlap);
                let mut next = 0;
                for index in 0..axis.count() {
                    let (start, end) = axis.core(index);
                    let (from, to) = axis.extent(index);
                    assert_eq!(start, next, "{length} {tile} {overlap}");
                    assert!(
                        start < end && from <= start && end <= to,
                        "{length} {tile} {overlap}"
                    );
                    assert!((start..end).all(|px| axis.holder(px) == index));
                    next = end;
                }
                assert_eq!(next, length);
            }
        }
    }

    #[test]
    fn every_inner_px_is_seen_with_context() {
        let axis = Axis::new(1000, 128, 32);
        for index in 1..axis.count() {
            let (start, _) = axis.core(index);
            assert!(i64::from(start) - axis.origin(index) >= 16);
        }
    }

    #[test]
    fn a_plane_smaller_than_a_tile_lies_in_its_middle() {
        let axis = Axis::new(480, 512, 64);
        assert_eq!((axis.count(), axis.origin(0)), (1, -16));
        assert_eq!(Axis::new(512, 512, 64).origin(0), 0);
    }
}
