//! What was found on a slide, in words: organs with their share of the tissue and the router's confidence.

use ftuseg::Target;
use ftuseg::batch::{OrganFound, SlideStatus};
use ftuseg::slide::warning::WarningKind;

/// A target's name for people, from its name in records.
pub(super) fn label(name: &str) -> &str {
    match Target::named(name) {
        Some(target) => target.label(),
        None => name,
    }
}

/// `kidney 62 % (.91), spleen 30 % (.80)`; the confidence only where a router gave one.
pub(super) fn of(slide: &SlideStatus) -> String {
    if slide.organs.is_empty() {
        // Reports of earlier versions name the largest alone.
        return slide.organ.as_deref().map_or("no tissue", label).to_owned();
    }
    let all: Vec<String> = slide.organs.iter().map(one).collect();
    all.join(", ")
}

fn one(organ: &OrganFound) -> String {
    let name = label(&organ.organ);
    let is_told = organ.confidence >= 1.0;
    match (organ.share >= 1.0, is_told) {
        (true, true) => name.to_owned(),
        (_, true) => format!("{name} {}", percent(organ.share)),
        (_, false) => format!(
            "{name} {} ({})",
            percent(organ.share),
            hundredths(organ.confidence)
        ),
    }
}

/// A share in per cent; what is there is never 0, and what is not all is never 100.
fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        some if some < 1.0 => "<1 %".to_owned(),
        some if some > 99.0 && some < 100.0 => ">99 %".to_owned(),
        some => format!("{some:.0} %"),
    }
}

/// `.91`: a number below 1 without its zero; what is not 1 is never 1.00.
fn hundredths(value: f64) -> String {
    let text = format!("{:.2}", value.min(0.99));
    text.trim_start_matches('0').to_owned()
}

/// Whether the router was unsure of some of the tissue.
pub(super) fn is_unsure(slide: &SlideStatus) -> bool {
    slide.warnings.iter().any(|w| w.kind == WarningKind::Unsure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftuseg::batch::Status;

    #[test]
    fn organs_are_told_with_share_and_confidence() {
        let told = |organs: &[(&str, f64, f64)]| {
            let mut slide = SlideStatus::new("a", String::new(), Status::Done);
            slide.organs = organs
                .iter()
                .map(|&(organ, share, confidence)| OrganFound {
                    organ: organ.to_owned(),
                    share,
                    confidence,
                    objects: 0,
                    objects_per_mm2: None,
                    median_area_um2: None,
                    area_mm2: None,
                })
                .collect();
            of(&slide)
        };
        assert_eq!(told(&[]), "no tissue");
        assert_eq!(told(&[("largeintestine", 1.0, 1.0)]), "large intestine");
        assert_eq!(told(&[("kidney", 1.0, 0.914)]), "kidney 100 % (.91)");
        assert_eq!(
            told(&[
                ("kidney", 0.624, 0.91),
                ("spleen", 0.3755, 0.7),
                ("lung", 0.0005, 0.999)
            ]),
            "kidney 62 % (.91), spleen 38 % (.70), lung <1 % (.99)"
        );
        assert_eq!(told(&[("other", 0.9999, 0.5)]), "other >99 % (.50)");
    }
}
