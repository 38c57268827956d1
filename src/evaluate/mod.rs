//! Compares masks with the truth.

use crate::mask::{Mask, MaskError};

/// Dice of two masks of one size, `2 |A and B| / (|A| + |B|)` (Dice 1945; the challenge's metric). Two empty masks
/// agree: 1.
///
/// # Errors
/// When the masks have different sizes.
pub fn dice(found: &Mask, truth: &Mask) -> Result<f64, MaskError> {
    let mut missed = truth.clone();
    missed.and_not_assign(found)?;
    let (found, truth) = (found.count(), truth.count());
    if found + truth == 0 {
        return Ok(1.0);
    }
    let both = truth - missed.count();
    Ok(2.0 * both as f64 / (found + truth) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_overlaps() {
        let mut a = Mask::new(100, 10).unwrap();
        let mut b = Mask::new(100, 10).unwrap();
        assert_eq!(dice(&a, &b), Ok(1.0));
        a.set_row_run(3, 0..30);
        assert_eq!(dice(&a, &b), Ok(0.0));
        b.set_row_run(3, 20..50);
        assert!((dice(&a, &b).unwrap() - 2.0 * 10.0 / 60.0).abs() < 1e-12);
        assert_eq!(dice(&a, &a), Ok(1.0));
        assert!(dice(&a, &Mask::new(5, 5).unwrap()).is_err());
    }
}
