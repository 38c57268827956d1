//! How far two masks agree px by px: Dice, IoU, precision, recall, area.

use serde::Serialize;

use ftuseg_mask::{Mask, MaskError};

/// The px of a found mask and of the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// px that were found.
    pub found: u64,
    /// px of the truth.
    pub truth: u64,
    /// px of both.
    pub both: u64,
}

impl Overlap {
    /// Counts the px of two masks of one size.
    ///
    /// # Errors
    /// When the masks have different sizes.
    pub fn of(found: &Mask, truth: &Mask) -> Result<Self, MaskError> {
        Ok(Overlap {
            found: found.count(),
            truth: truth.count(),
            both: found.count_both(truth)?,
        })
    }

    /// The figures. A share of nothing is 1 where nothing was wanted, as in the challenge's metric, else 0.
    pub fn figures(self) -> PixelFigures {
        let Overlap { found, truth, both } = self;
        let share = |part: u64, whole: u64| {
            if whole == 0 {
                f64::from(u8::from(found + truth == 0))
            } else {
                part as f64 / whole as f64
            }
        };
        PixelFigures {
            dice: share(2 * both, found + truth),
            iou: share(both, found + truth - both),
            precision: share(both, found),
            recall: share(both, truth),
            area_error: (truth > 0).then(|| found as f64 / truth as f64 - 1.0),
        }
    }
}

/// What [`Overlap`] comes to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PixelFigures {
    /// `2 |A and B| / (|A| + |B|)` (Dice 1945), the challenge's metric; 1 when both are empty.
    pub dice: f64,
    /// `|A and B| / |A or B|` (Jaccard 1912).
    pub iou: f64,
    /// The share of what was found that is true.
    pub precision: f64,
    /// The share of the truth that was found.
    pub recall: f64,
    /// Found area over true area, less 1; none where the truth is empty.
    pub area_error: Option<f64>,
}

/// Dice of two masks of one size; two empty masks agree: 1.
///
/// # Errors
/// When the masks have different sizes.
pub fn dice(found: &Mask, truth: &Mask) -> Result<f64, MaskError> {
    Ok(Overlap::of(found, truth)?.figures().dice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_overlaps() {
        let mut a = Mask::new(100, 10).unwrap();
        let mut b = Mask::new(100, 10).unwrap();
        assert_eq!(dice(&a, &b), Ok(1.0));
        let nothing = Overlap::of(&a, &b).unwrap().figures();
        assert_eq!(
            (nothing.iou, nothing.precision, nothing.recall),
            (1.0, 1.0, 1.0)
        );
        assert_eq!(nothing.area_error, None);
        a.set_row_run(3, 0..30);
        assert_eq!(dice(&a, &b), Ok(0.0));
        b.set_row_run(3, 20..40);
        let some = Overlap::of(&a, &b).unwrap().figures();
        assert!((some.dice - 2.0 * 10.0 / 50.0).abs() < 1e-12);
        assert!((some.iou - 10.0 / 40.0).abs() < 1e-12);
        assert!((some.precision - 10.0 / 30.0).abs() < 1e-12);
        assert!((some.recall - 0.5).abs() < 1e-12);
        assert!((some.area_error.unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(dice(&a, &a), Ok(1.0));
        assert!(dice(&a, &Mask::new(5, 5).unwrap()).is_err());
    }
}
