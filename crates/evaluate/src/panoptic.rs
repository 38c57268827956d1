//! Panoptic quality and its two parts, over the objects of many images together (Kirillov et al. 2019).

use serde::Serialize;

use super::report::groups;
use super::score::ImageScore;
use super::statistics::bootstrap;

/// Panoptic quality of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Panoptic {
    /// Per organ, in the organs' order, then images without an organ.
    pub organs: Vec<PanopticQuality>,
    /// All images.
    pub all: PanopticQuality,
}

/// How well the objects of some images were found, all of them pooled: an image with many objects counts for more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PanopticQuality {
    /// The organ; none for images whose organ the truth does not say, and for all together.
    pub organ: Option<String>,
    /// How many images.
    pub n: usize,
    /// Matched pairs of a found and a true object.
    pub matched: usize,
    /// True objects that were not found.
    pub missed: usize,
    /// Found objects that are not true.
    pub spurious: usize,
    /// Recognition quality: matched over matched and half of the missed and the spurious; none without objects.
    pub rq: Option<f64>,
    /// Segmentation quality: mean IoU of the matched pairs; none where there are none.
    pub sq: Option<f64>,
    /// Panoptic quality: their product, 0 where nothing is matched; none without objects.
    pub pq: Option<f64>,
    /// Lower end of its 95 % bootstrap interval; whole images are drawn.
    pub pq_low: Option<f64>,
    /// Upper end of it.
    pub pq_high: Option<f64>,
}

/// What images add up to.
#[derive(Clone, Copy, Default)]
struct Sums {
    matched: usize,
    found: usize,
    truth: usize,
    iou: f64,
}

impl Sums {
    fn of<'a>(images: impl Iterator<Item = &'a ImageScore>) -> Self {
        images.fold(Sums::default(), |sum, score| {
            let objects = &score.objects;
            Sums {
                matched: sum.matched + objects.matched,
                found: sum.found + objects.found,
                truth: sum.truth + objects.truth,
                iou: sum.iou + objects.matched_iou.unwrap_or(0.0) * objects.matched as f64,
            }
        })
    }

    fn rq(self) -> Option<f64> {
        let all = self.found + self.truth;
        (all > 0).then(|| 2.0 * self.matched as f64 / all as f64)
    }

    fn sq(self) -> Option<f64> {
        (self.matched > 0).then(|| self.iou / self.matched as f64)
    }

    fn pq(self) -> Option<f64> {
        Some(self.rq()? * self.sq().unwrap_or(0.0))
    }
}

/// The panoptic quality of a run; none where it has no image.
pub(super) fn panoptic(images: &[ImageScore], seed: u64) -> Option<Panoptic> {
    if images.is_empty() {
        return None;
    }
    let of = |organ: Option<String>, images: &[&ImageScore]| {
        let sums = Sums::of(images.iter().copied());
        let interval = bootstrap(images.len(), seed, |drawn| {
            Sums::of(drawn.iter().map(|&place| images[place])).pq()
        });
        PanopticQuality {
            organ,
            n: images.len(),
            matched: sums.matched,
            missed: sums.truth - sums.matched,
            spurious: sums.found - sums.matched,
            rq: sums.rq(),
            sq: sums.sq(),
            pq: sums.pq(),
            pq_low: interval.map(|interval| interval.0),
            pq_high: interval.map(|interval| interval.1),
        }
    };
    let organs = groups(images.iter().map(|score| score.organ.clone()));
    let organs = organs.into_iter().map(|organ| {
        let own: Vec<&ImageScore> = images.iter().filter(|s| s.organ == organ).collect();
        of(organ, &own)
    });
    Some(Panoptic {
        organs: organs.collect(),
        all: of(None, &images.iter().collect::<Vec<_>>()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::score::tests::plain;
    use super::*;

    fn image(id: &str, organ: &str, [found, truth, matched]: [usize; 3], iou: f64) -> ImageScore {
        let mut score = plain(id, Some(organ), 0.5);
        (score.objects.found, score.objects.truth) = (found, truth);
        score.objects.matched = matched;
        score.objects.matched_iou = (matched > 0).then_some(iou);
        score
    }

    #[test]
    fn objects_are_pooled() {
        let images = [
            image("a", "kidney", [10, 8, 8], 0.75),
            image("b", "kidney", [0, 2, 0], 0.0),
            image("c", "lung", [0, 0, 0], 0.0),
        ];
        let found = panoptic(&images, 1).unwrap();
        let names: Vec<_> = found
            .organs
            .iter()
            .map(|one| one.organ.as_deref())
            .collect();
        assert_eq!(names, [Some("kidney"), Some("lung")]);
        let (kidney, lung) = (&found.organs[0], &found.organs[1]);
        assert_eq!(
            (kidney.n, kidney.matched, kidney.missed, kidney.spurious),
            (2, 8, 2, 2)
        );
        assert_eq!((kidney.rq, kidney.sq), (Some(0.8), Some(0.75)));
        assert!((kidney.pq.unwrap() - 0.6).abs() < 1e-12);
        // Either image alone may be drawn.
        assert_eq!(kidney.pq_low, Some(0.0));
        assert!((kidney.pq_high.unwrap() - 8.0 / 9.0 * 0.75).abs() < 1e-12);
        // No objects, no quality.
        assert_eq!((lung.rq, lung.sq), (None, None));
        assert_eq!((lung.pq, lung.pq_low), (None, None));
        assert_eq!((found.all.n, found.all.pq), (3, kidney.pq));
        assert_eq!(panoptic(&[], 1), None);
    }
}
