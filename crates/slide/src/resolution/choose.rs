//! Which of the stated resolutions is believed, and what is said of the others.

use super::stated::Stated;
use super::{IgnoredResolution, Resolution, ResolutionSource};
use crate::warning::{Warning, WarningKind};

/// What came of the resolutions that a file states.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// The one that is used.
    pub(crate) resolution: Option<Resolution>,
    /// Those that are not.
    pub(crate) ignored: Vec<IgnoredResolution>,
    /// What the user should know of.
    pub(crate) warnings: Vec<Warning>,
    /// Why the slide cannot be read at all.
    pub(crate) refused: Option<String>,
}

impl Stated {
    /// The resolution, if a microscope can have it; the sides may differ by 1 %.
    fn judge(&self) -> Result<Resolution, String> {
        let (x, y) = self.mpp.clone()?;
        if !(x.is_finite() && y.is_finite() && x > 0.0 && y > 0.0) {
            return Err("it is not the size of a px".to_owned());
        }
        if self.stretch().is_some() {
            return Err("its px are not square".to_owned());
        }
        let near = |um: f64| (x / um - 1.0).abs() < 1e-3;
        match Resolution::believable(x, self.source) {
            Some(resolution) => Ok(Resolution {
                down: y,
                ..resolution
            }),
            None if [10_000.0, 25_400.0].into_iter().any(near) => {
                Err("it is a default of programs that know no resolution".to_owned())
            }
            None if [72.0, 96.0, 100.0, 150.0, 300.0, 600.0]
                .into_iter()
                .any(|dpi| near(25_400.0 / dpi)) =>
            {
                Err("it is a default for screens or printers, not a calibration".to_owned())
            }
            None => Err("no microscope has that resolution".to_owned()),
        }
    }

    /// How much longer px are one way than the other, in per cent, where that is more than 1 %.
    fn stretch(&self) -> Option<f64> {
        let (x, y) = *self.mpp.as_ref().ok()?;
        let by = (x.max(y) / x.min(y) - 1.0) * 100.0;
        // A hair of slack, so that 0.5 and 0.505 are 1 % apart.
        (by > 1.0 + 1e-6).then_some(by)
    }

    /// Why a file with such px is refused: a microscope can have them, and they are not square.
    fn refusal(&self) -> Option<String> {
        let (x, y) = *self.mpp.as_ref().ok()?;
        let by = self.stretch()?;
        Resolution::believable(x, self.source)?;
        Resolution::believable(y, self.source)?;
        Some(format!(
            "its px are not square: {x:.6} um/px across and {y:.6} um/px down ({}), {by:.1} % apart where 1 % is the most; \
             resample it to square px, or correct what it states",
            self.source
        ))
    }
}

/// The first believable one of the stated resolutions, and those that are not used, with the reason. What says the same
/// as the one that is used (within 2 %) is not among them.
pub(crate) fn choose(stated: impl IntoIterator<Item = Stated>) -> Chosen {
    let same = |a: f64, b: f64| (a / b - 1.0).abs() <= 0.02;
    let mut chosen = Chosen::default();
    let mut stale: Option<(ResolutionSource, f64)> = None;
    for one in stated {
        let repeated =
            |mpp: f64| stale.filter(|&(source, other)| source != one.source && same(mpp, other));
        let reason = match (one.judge(), chosen.resolution) {
            (Ok(resolution), used) if repeated(resolution.mpp).is_some() => {
                if used.is_some_and(|used| same(resolution.mpp, used.mpp)) {
                    continue;
                }
                "it repeats the description, which is about another picture".to_owned()
            }
            (Ok(_), None) if stale.is_some() => {
                "the file's description is about another picture, and so may this be".to_owned()
            }
            (Ok(resolution), None) => {
                chosen.resolution = Some(resolution);
                stale = one.stale.map(|(x, _)| (one.source, x));
                chosen.warnings.extend(
                    one.corrected
                        .map(|text| Warning::new(WarningKind::Resolution, text)),
                );
                continue;
            }
            (Ok(resolution), Some(used)) if same(resolution.mpp, used.mpp) => continue,
            (Ok(_), Some(used)) => format!("the {} takes precedence", used.source),
            (Err(reason), used) => {
                if used.is_none() && chosen.refused.is_none() {
                    chosen.refused = one.refusal();
                }
                reason
            }
        };
        if one.stale.is_some() && stale.is_none() {
            stale = one.stale.map(|(x, _)| (one.source, x));
        }
        // Tags that say nothing believable are too common to speak of.
        if one.source != ResolutionSource::TiffTags || one.judge().is_ok() {
            chosen.warnings.push(Warning::new(
                WarningKind::Resolution,
                format!("{} of the {} is not used: {reason}", one.text, one.source),
            ));
        }
        chosen.ignored.push(IgnoredResolution {
            source: one.source,
            stated: one.text,
            reason,
        });
    }
    chosen
}
