//! Masks that look like those of tissue units.

use std::f64::consts::TAU;

use ftuseg::mask::Mask;

/// A mask of `count` x `count` blobs with wavy outlines, each in a cell of `cell` x `cell` px.
pub fn blobs(count: u32, cell: u32, side: u32) -> Mask {
    let mut mask = Mask::new(side, side).expect("the bench's sizes are possible");
    for index in 0..count * count {
        let phase = f64::from(index % 17);
        let centre = |place: u32| f64::from(place * cell) + f64::from(cell) / 2.0;
        let (cx, cy) = (centre(index % count), centre(index / count));
        for y in index / count * cell..(index / count + 1) * cell {
            for x in index % count * cell..(index % count + 1) * cell {
                let (dx, dy) = (f64::from(x) + 0.5 - cx, f64::from(y) + 0.5 - cy);
                let angle = dy.atan2(dx);
                let wave = 1.0
                    + 0.1 * (angle * 7.0 + phase).sin()
                    + 0.04 * (angle * 23.0 + phase * TAU).sin();
                if dx.hypot(dy) < 0.36 * f64::from(cell) * wave {
                    mask.set(x, y, true);
                }
            }
        }
    }
    mask
}
