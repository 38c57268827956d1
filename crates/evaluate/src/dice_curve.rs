//! Dice of one image at every threshold, from its map of probabilities.

use ftuseg_mask::Mask;
use ftuseg_slide::{SlideError, SlideReader};

/// Thresholds are `k / 256` for `k` from 1 to this: the steps that a map of probabilities tells apart.
pub(super) const STEPS: usize = 255;
/// Rows that are read at once.
const BAND: u32 = 256;

/// The threshold of a step, from 0.
pub(super) fn threshold(step: usize) -> f64 {
    (step + 1) as f64 / 256.0
}

/// The step nearest to a threshold.
pub(super) fn nearest_step(threshold: f64) -> usize {
    // The cast saturates, and the clamp makes it a step.
    ((threshold * 256.0).round() as usize).clamp(1, STEPS) - 1
}

/// Dice at every threshold, [`STEPS`] values: of the px whose probability reaches it, before any clean-up. `map` is a
/// `prob.tif`, of the truth's size.
///
/// # Errors
/// When the map cannot be read.
pub(super) fn dice_curve(map: &dyn SlideReader, truth: &Mask) -> Result<Vec<f64>, SlideError> {
    let (width, height) = (truth.width(), truth.height());
    let (mut all, mut both) = ([0_u64; 256], [0_u64; 256]);
    for top in (0..height).step_by(BAND as usize) {
        let rows = BAND.min(height - top);
        let mut rgb = vec![0; width as usize * rows as usize * 3];
        map.read(0, 0, i64::from(top), width, rows, &mut rgb)?;
        for (y, line) in (top..).zip(rgb.chunks_exact(width as usize * 3)) {
            count(line, &mut all);
            for run in truth.row_runs(y) {
                count(
                    &line[run.start as usize * 3..run.end as usize * 3],
                    &mut both,
                );
            }
        }
    }
    let wanted = truth.count();
    let (mut found, mut agreed) = (0, 0);
    let mut curve = vec![0.0; STEPS];
    for (value, dice) in (1..256).zip(&mut curve).rev() {
        found += all[value];
        agreed += both[value];
        *dice = match found + wanted {
            0 => 1.0,
            sum => 2.0 * agreed as f64 / sum as f64,
        };
    }
    Ok(curve)
}

/// Counts the values of grey px that are told in RGB. Neighbours are often alike, so each run of them is added at once.
fn count(rgb: &[u8], counts: &mut [u64; 256]) {
    let (mut last, mut length) = (0, 0);
    for px in rgb.as_chunks::<3>().0 {
        if px[0] != last {
            counts[usize::from(last)] += length;
            (last, length) = (px[0], 0);
        }
        length += 1;
    }
    counts[usize::from(last)] += length;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftuseg_slide::SlideInfo;

    struct Map(SlideInfo, fn(i64, i64) -> u8);

    impl SlideReader for Map {
        fn info(&self) -> &SlideInfo {
            &self.0
        }

        fn read(
            &self,
            _: usize,
            x: i64,
            y: i64,
            width: u32,
            _: u32,
            out: &mut [u8],
        ) -> Result<(), SlideError> {
            for (at, px) in out.chunks_exact_mut(3).enumerate() {
                let (dx, dy) = (at % width as usize, at / width as usize);
                px.fill((self.1)(x + dx as i64, y + dy as i64));
            }
            Ok(())
        }
    }

    fn curve(value: fn(i64, i64) -> u8, truth: &Mask) -> Vec<f64> {
        let info = SlideInfo::new("memory", truth.width(), truth.height());
        dice_curve(&Map(info, value), truth).unwrap()
    }

    #[test]
    fn every_step_is_the_dice_of_its_own_mask() {
        let value = |x: i64, y: i64| ((x * 31) ^ (y * 17)) as u8;
        let mut truth = Mask::new(70, 300).unwrap();
        for y in 40..290 {
            truth.set_row_run(y, 5..50);
        }
        let curve = curve(value, &truth);
        for (step, dice) in curve.iter().enumerate() {
            let mut found = Mask::new(70, 300).unwrap();
            for y in 0..300 {
                for x in 0..70 {
                    let reached = f64::from(value(x.into(), y.into())) / 256.0 >= threshold(step);
                    found.set(x, y, reached);
                }
            }
            let expected = super::super::dice(&found, &truth).unwrap();
            assert!((dice - expected).abs() < 1e-12, "step {step}");
        }
    }

    #[test]
    fn nothing_wanted_and_nothing_found_agree() {
        let empty = Mask::new(9, 9).unwrap();
        let curve = curve(|_, _| 100, &empty);
        assert_eq!((curve[99], curve[100]), (0.0, 1.0));
    }

    #[test]
    fn steps_are_the_nearest_ones() {
        for (value, step) in [(0.5, 127), (0.0, 0), (1.0, 254), (0.3, 76), (-1.0, 0)] {
            assert_eq!(nearest_step(value), step);
        }
        assert_eq!(threshold(127), 0.5);
    }
}
