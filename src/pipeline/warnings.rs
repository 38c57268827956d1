//! Says what looks doubtful about a slide: cells that the router was unsure of, um/px that the file contradicts.

use ftuseg_router::{OrganMap, Target};

use crate::slide::Resolution;
use crate::slide::warning::{Warning, WarningKind};

/// A warning if the router was unsure of some cells. `limit` is the confidence from which it is sure.
pub(super) fn unsure(map: &OrganMap, limit: f32, fallback: Target) -> Option<Warning> {
    let grid = map.grid();
    let (mut under, mut all) = (0_usize, 0_usize);
    for row in 0..grid.rows() {
        for column in 0..grid.columns() {
            if map.at(column, row).is_some_and(|to| to != Target::Other) {
                all += 1;
                under += usize::from(map.confidence_at(column, row) < limit);
            }
        }
    }
    (under > 0).then(|| {
        Warning::new(
            WarningKind::Unsure,
            format!(
                "the router was unsure (confidence under {limit}) of {under} of {all} cells of tissue ({:.0} %), which went to {}",
                under as f64 / all as f64 * 100.0,
                fallback.label()
            ),
        )
    })
}

/// A warning if the router took some of the tissue for none of the organs that it knows.
pub(super) fn other(map: &OrganMap) -> Option<Warning> {
    let mut shares = map.shares().into_iter();
    let other = shares.find(|share| share.target == Target::Other)?;
    Some(Warning::new(
        WarningKind::OtherTissue,
        format!(
            "{:.0} % of the tissue looks like none of the organs that the router knows (confidence {:.2}), so nothing was segmented there",
            other.share * 100.0,
            other.confidence
        ),
    ))
}

/// A warning that the networks have seen this image in training.
pub(super) fn seen_in_training(image: &str) -> Warning {
    Warning::new(
        WarningKind::TrainingImage,
        format!(
            "the bundle's networks were trained on this image ({image}); how well they do on it says nothing about new images"
        ),
    )
}

/// How far the um/px that a user gives may lie from the file's before it is spoken of, per cent. People round.
const APART: f64 = 10.0 + 1e-6;

/// A warning where the um/px that the user gave are not those that the file states. The user's count all the same.
pub(super) fn contradicted(
    given: Option<Resolution>,
    stated: Option<Resolution>,
) -> Option<Warning> {
    let (given, stated) = given.zip(stated)?;
    let by = |a: f64, b: f64| (a.max(b) / a.min(b) - 1.0) * 100.0;
    let apart = by(given.mpp, stated.mpp).max(by(given.down, stated.down));
    (apart > APART).then(|| {
        Warning::new(
            WarningKind::Resolution,
            format!(
                "{} um/px were given ({}) and the file states {:.4} ({}), {apart:.0} % apart; the value that was given is used",
                given.mpp, given.source, stated.mpp, stated.source
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slide::ResolutionSource;

    #[test]
    fn um_per_px_of_the_user_are_held_against_the_files() {
        let of = |mpp, source| Resolution::believable(mpp, source);
        let told = |given, stated| {
            let given = of(given, ResolutionSource::Option);
            contradicted(given, of(stated, ResolutionSource::OmeXml))
        };
        let text = told(0.25, 0.5).unwrap().text;
        assert!(text.contains("0.25 um/px were given (option)"), "{text}");
        assert!(text.contains("0.5000 (OME-XML), 100 % apart"), "{text}");
        assert_eq!(told(0.5, 0.5042), None);
        assert_eq!(told(0.5, 0.55), None);
        assert!(told(0.5, 0.56).is_some());
        assert_eq!(contradicted(of(0.5, ResolutionSource::Option), None), None);
    }
}
