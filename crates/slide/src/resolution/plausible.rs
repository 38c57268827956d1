//! Says when a um/px makes a slide too large for any glass, or a px too small for any slide scanner.

use super::Resolution;
use crate::warning::{Warning, WarningKind};

/// The longest slides that are made, for sections of whole organs, are 203 mm (8 in) long.
const LONGEST_MM: f64 = 210.0;
/// Slide scanners come down to 0.1 um/px (100x with oil); what light can show ends at about 0.2 um. A small picture is no
/// reason for doubt: patches of a tenth of a millimetre are common, at the um/px of their slide.
const FINEST: f64 = 0.09;

/// A warning where the size that a slide comes to cannot be true. `None` where it can.
pub fn size_warning(resolution: Resolution, width: u32, height: u32) -> Option<Warning> {
    let across = f64::from(width) * resolution.mpp * 1e-3;
    let down = f64::from(height) * resolution.down * 1e-3;
    let reason = if across.max(down) > LONGEST_MM {
        format!("no glass slide is longer than {LONGEST_MM:.0} mm")
    } else if resolution.mpp.min(resolution.down) < FINEST {
        "no slide scanner has px so small".to_owned()
    } else {
        return None;
    };
    Some(Warning::new(
        WarningKind::Resolution,
        format!(
            "{} um/px ({}) make the slide {} x {} mm: {reason}, so the um/px may be wrong",
            rounded(resolution.mpp),
            resolution.source,
            rounded(across),
            rounded(down)
        ),
    ))
}

/// A length or a um/px with three digits that count.
fn rounded(value: f64) -> String {
    let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 4.0) as usize;
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResolutionSource;

    #[test]
    fn what_no_glass_and_no_scanner_has_is_doubted() {
        let of = |mpp, width, height| {
            let resolution = Resolution::believable(mpp, ResolutionSource::Option).unwrap();
            size_warning(resolution, width, height).map(|warning| warning.text)
        };
        // A core of a tissue micro-array, a whole slide, patches of it, a whole mount: all are what they can be.
        for (mpp, width, height) in [
            (0.4, 3000, 3000),
            (0.25, 100_000, 80_000),
            (0.5, 256, 256),
            (0.25, 64, 64),
            (0.1, 2000, 1000),
            (1.0, 200_000, 150_000),
        ] {
            assert_eq!(of(mpp, width, height), None, "{mpp} {width} x {height}");
        }
        let core = of(0.04, 3000, 2900).unwrap();
        assert!(
            core.starts_with(
                "0.04 um/px (option) make the slide 0.12 x 0.116 mm: no slide scanner"
            ),
            "{core}"
        );
        let large = of(20.0, 100_000, 80_000).unwrap();
        assert!(
            large.starts_with("20 um/px (option) make the slide 2000 x 1600 mm: no glass slide"),
            "{large}"
        );
    }
}
