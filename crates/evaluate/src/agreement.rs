//! Counts and areas of a run against those of the truth, organ by organ: bias and limits of agreement.

use serde::Serialize;

use super::report::groups;
use super::score::ImageScore;
use super::statistics::{deviation, plain_mean};

/// Standard deviations on both sides of the bias that hold 95 % of a normal distribution.
const LIMIT: f64 = 1.96;

/// How well counts and areas agree (Bland and Altman 1986).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Unit of the areas: `mm2`, or `px` where um/px of an image is not known.
    pub area_unit: &'static str,
    /// Per organ, in the organs' order, then images without an organ.
    pub organs: Vec<OrganAgreement>,
    /// All images.
    pub all: OrganAgreement,
}

/// How well counts and areas agree on the images of one organ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrganAgreement {
    /// The organ; none for images whose organ the truth does not say, and for all together.
    pub organ: Option<String>,
    /// Objects in an image.
    pub objects: Limits,
    /// Area of all objects in an image.
    pub area: Limits,
}

/// Bias and limits of agreement of one quantity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Limits {
    /// How many images.
    pub n: usize,
    /// Mean of what was found.
    pub found: f64,
    /// Mean of the truth.
    pub truth: f64,
    /// Mean of found less true.
    pub bias: f64,
    /// Lower limit of agreement: the bias less 1.96 standard deviations of the differences; none for one image.
    pub low: Option<f64>,
    /// Upper limit of agreement.
    pub high: Option<f64>,
}

/// Found and true value of an image.
pub(super) type Pair = (f64, f64);

/// Objects of an image, found and true.
pub(super) fn objects(score: &ImageScore) -> Pair {
    (score.objects.found as f64, score.objects.truth as f64)
}

/// Area of an image's objects, found and true, in a unit that all its images have.
pub(super) fn area(score: &ImageScore, unit: &str) -> Pair {
    match (unit, score.area.found_mm2, score.area.truth_mm2) {
        ("mm2", Some(found), Some(truth)) => (found, truth),
        _ => (score.area.found_px as f64, score.area.truth_px as f64),
    }
}

/// The agreement of a run; none where it has no image.
pub(super) fn agreement(images: &[ImageScore]) -> Option<Agreement> {
    let known = images.iter().all(|score| score.area.truth_mm2.is_some());
    let area_unit = if known { "mm2" } else { "px" };
    let of = |organ: Option<String>, images: &[&ImageScore]| {
        let pairs = |value: &dyn Fn(&ImageScore) -> Pair| -> Vec<Pair> {
            images.iter().map(|score| value(score)).collect()
        };
        Some(OrganAgreement {
            objects: limits(&pairs(&objects))?,
            area: limits(&pairs(&|score| area(score, area_unit)))?,
            organ,
        })
    };
    let organs = groups(images.iter().map(|score| score.organ.clone()))
        .into_iter()
        .filter_map(|organ| {
            let own: Vec<&ImageScore> = images.iter().filter(|s| s.organ == organ).collect();
            of(organ, &own)
        })
        .collect();
    Some(Agreement {
        area_unit,
        organs,
        all: of(None, &images.iter().collect::<Vec<_>>())?,
    })
}

/// Bias and limits of pairs (found, true); none where there are none.
pub(super) fn limits(pairs: &[Pair]) -> Option<Limits> {
    let part = |value: fn(&Pair) -> f64| -> Vec<f64> { pairs.iter().map(value).collect() };
    let differences = part(|pair| pair.0 - pair.1);
    let bias = plain_mean(&differences)?;
    let reach = deviation(&differences).map(|deviation| LIMIT * deviation);
    Some(Limits {
        n: pairs.len(),
        found: plain_mean(&part(|pair| pair.0))?,
        truth: plain_mean(&part(|pair| pair.1))?,
        bias,
        low: reach.map(|reach| bias - reach),
        high: reach.map(|reach| bias + reach),
    })
}

#[cfg(test)]
mod tests {
    use super::super::score::tests::plain;
    use super::*;

    #[test]
    fn bias_and_limits_are_those_of_bland_and_altman() {
        // Differences 1, 2 and 3: bias 2, standard deviation 1.
        let found = limits(&[(11.0, 10.0), (22.0, 20.0), (33.0, 30.0)]).unwrap();
        assert_eq!((found.n, found.bias), (3, 2.0));
        assert_eq!((found.found, found.truth), (22.0, 20.0));
        assert!((found.low.unwrap() - 0.04).abs() < 1e-12);
        assert!((found.high.unwrap() - 3.96).abs() < 1e-12);
        // One image has no spread, and none has nothing.
        assert_eq!(limits(&[(1.0, 1.0)]).unwrap().low, None);
        assert_eq!(limits(&[]), None);
    }

    #[test]
    fn areas_are_in_mm2_only_where_all_images_have_them() {
        let mut images = vec![
            plain("a", Some("lung"), 0.5),
            plain("b", Some("kidney"), 0.5),
        ];
        for image in &mut images {
            (image.area.found_mm2, image.area.truth_mm2) = (Some(0.5), Some(0.25));
        }
        let found = agreement(&images).unwrap();
        assert_eq!((found.area_unit, found.all.area.bias), ("mm2", 0.25));
        let organs: Vec<_> = found.organs.iter().map(|o| o.organ.as_deref()).collect();
        assert_eq!(organs, [Some("kidney"), Some("lung")]);
        (images[0].area.found_mm2, images[0].area.truth_mm2) = (None, None);
        let found = agreement(&images).unwrap();
        assert_eq!((found.area_unit, found.all.area.n), ("px", 2));
        assert_eq!(agreement(&[]), None);
    }
}
