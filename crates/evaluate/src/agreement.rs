//! Counts, areas and densities of a run against those of the truth, organ by organ: bias, limits of agreement, intraclass
//! correlation.

use serde::Serialize;

use super::report::groups;
use super::score::ImageScore;
use super::statistics::{bootstrap, deviation, intraclass_correlation, plain_mean};

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
    /// Objects per mm2 of the tissue that the run found, over the images whose tissue is known; none where there are none.
    pub density: Option<Limits>,
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
    /// Intraclass correlation for absolute agreement, ICC(A,1) (McGraw and Wong 1996); none for one image, or where nothing
    /// varies.
    pub icc: Option<f64>,
    /// Lower end of its 95 % bootstrap interval, for which images are drawn again; none where most draws have no correlation.
    pub icc_low: Option<f64>,
    /// Upper end of it.
    pub icc_high: Option<f64>,
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

/// Objects per mm2 of an image's tissue, found and true; none where the tissue is not known.
pub(super) fn density(score: &ImageScore) -> Option<Pair> {
    let tissue = score.area.tissue_mm2?;
    let (found, truth) = objects(score);
    Some((found / tissue, truth / tissue))
}

/// The agreement of a run; none where it has no image.
pub(super) fn agreement(images: &[ImageScore], seed: u64) -> Option<Agreement> {
    let known = images.iter().all(|score| score.area.truth_mm2.is_some());
    let area_unit = if known { "mm2" } else { "px" };
    let of = |organ: Option<String>, images: &[&ImageScore]| {
        let pairs = |value: &dyn Fn(&ImageScore) -> Pair| -> Vec<Pair> {
            images.iter().map(|score| value(score)).collect()
        };
        let densities: Vec<Pair> = images.iter().filter_map(|score| density(score)).collect();
        Some(OrganAgreement {
            objects: limits(&pairs(&objects), seed)?,
            area: limits(&pairs(&|score| area(score, area_unit)), seed)?,
            density: limits(&densities, seed),
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
pub(super) fn limits(pairs: &[Pair], seed: u64) -> Option<Limits> {
    let part = |value: fn(&Pair) -> f64| -> Vec<f64> { pairs.iter().map(value).collect() };
    let differences = part(|pair| pair.0 - pair.1);
    let bias = plain_mean(&differences)?;
    let reach = deviation(&differences).map(|deviation| LIMIT * deviation);
    let icc = intraclass_correlation(pairs);
    let interval = icc.and_then(|_| {
        bootstrap(pairs.len(), seed, |drawn| {
            let drawn: Vec<Pair> = drawn.iter().map(|&place| pairs[place]).collect();
            intraclass_correlation(&drawn)
        })
    });
    Some(Limits {
        n: pairs.len(),
        found: plain_mean(&part(|pair| pair.0))?,
        truth: plain_mean(&part(|pair| pair.1))?,
        bias,
        low: reach.map(|reach| bias - reach),
        high: reach.map(|reach| bias + reach),
        icc,
        icc_low: interval.map(|interval| interval.0),
        icc_high: interval.map(|interval| interval.1),
    })
}

#[cfg(test)]
mod tests {
    use super::super::score::tests::plain;
    use super::*;

    #[test]
    fn bias_and_limits_are_those_of_bland_and_altman() {
        // Differences 1, 2 and 3: bias 2, standard deviation 1.
        let found = limits(&[(11.0, 10.0), (22.0, 20.0), (33.0, 30.0)], 1).unwrap();
        assert_eq!((found.n, found.bias), (3, 2.0));
        assert_eq!((found.found, found.truth), (22.0, 20.0));
        assert!((found.low.unwrap() - 0.04).abs() < 1e-12);
        assert!((found.high.unwrap() - 3.96).abs() < 1e-12);
        // One image has no spread, and none has nothing.
        let one = limits(&[(1.0, 1.0)], 1).unwrap();
        assert_eq!((one.low, one.icc, one.icc_low), (None, None, None));
        assert_eq!(limits(&[], 1), None);
        let icc = found.icc.unwrap();
        assert!(found.icc_low.unwrap() <= icc && icc <= found.icc_high.unwrap());
    }

    #[test]
    fn densities_are_those_of_images_whose_tissue_is_known() {
        let mut images = ["a", "b", "c"]
            .map(|id| plain(id, Some("lung"), 0.5))
            .to_vec();
        for (image, tissue) in images.iter_mut().zip([Some(2.0), Some(4.0), None]) {
            (image.objects.found, image.objects.truth) = (6, 4);
            image.area.tissue_mm2 = tissue;
        }
        let found = agreement(&images, 1).unwrap();
        let density = found.organs[0].density.unwrap();
        assert_eq!((density.n, found.all.objects.n), (2, 3));
        // 3 and 1.5 per mm2 against 2 and 1.
        assert_eq!(
            (density.found, density.truth, density.bias),
            (2.25, 1.5, 0.75)
        );
        for image in &mut images {
            image.area.tissue_mm2 = None;
        }
        assert_eq!(agreement(&images, 1).unwrap().all.density, None);
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
        let found = agreement(&images, 1).unwrap();
        assert_eq!((found.area_unit, found.all.area.bias), ("mm2", 0.25));
        let organs: Vec<_> = found.organs.iter().map(|o| o.organ.as_deref()).collect();
        assert_eq!(organs, [Some("kidney"), Some("lung")]);
        (images[0].area.found_mm2, images[0].area.truth_mm2) = (None, None);
        let found = agreement(&images, 1).unwrap();
        assert_eq!((found.area_unit, found.all.area.n), ("px", 2));
        assert_eq!(agreement(&[], 1), None);
    }
}
