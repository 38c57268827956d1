//! How well objects are found by their size.

use serde::Serialize;

use super::score::ImageScore;
use super::statistics::{Estimate, clustered, percentile};

/// The most classes that objects are sorted into.
const MOST: usize = 8;
/// Fewer objects than this are too few for one more class.
const IN_A_CLASS: usize = 20;

/// Dice of the true objects by their size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObjectSizes {
    /// Unit of the areas: `um2`, or `px` where um/px of an image is not known.
    pub unit: &'static str,
    /// Classes of about as many objects each, the smallest first.
    pub classes: Vec<SizeClass>,
}

/// True objects of about one size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SizeClass {
    /// Area of the smallest.
    pub from: f64,
    /// Median area.
    pub median: f64,
    /// Area of the largest.
    pub to: f64,
    /// In how many images they lie.
    pub images: usize,
    /// Fraction that was matched.
    pub matched: f64,
    /// Dice with the found object that fits best, 0 where none touches it; the interval draws whole images.
    pub dice: Estimate,
}

/// An object of the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sized {
    pub area: f64,
    pub dice: f64,
    image: usize,
    matched: bool,
}

/// All true objects of a run, the smallest first, and the unit of their areas.
pub(super) fn all_objects(images: &[ImageScore]) -> (Vec<Sized>, &'static str) {
    let known = images.iter().all(|score| score.mpp.is_some());
    let mut all: Vec<Sized> = images
        .iter()
        .enumerate()
        .flat_map(|(image, score)| {
            let px = score.mpp.filter(|_| known).map_or(1.0, |mpp| mpp * mpp);
            score.true_objects.iter().map(move |object| Sized {
                area: object.area as f64 * px,
                dice: object.dice,
                image,
                matched: object.matched,
            })
        })
        .collect();
    all.sort_by(|a, b| a.area.total_cmp(&b.area));
    (all, if known { "um2" } else { "px" })
}

/// Dice by size; none where the truth has no objects.
pub(super) fn by_size(images: &[ImageScore], seed: u64) -> Option<ObjectSizes> {
    let (all, unit) = all_objects(images);
    let count = (all.len() / IN_A_CLASS).clamp(1, MOST);
    let classes = (0..count)
        .filter_map(|class| {
            let bound = |at: usize| at * all.len() / count;
            size_class(&all[bound(class)..bound(class + 1)], images.len(), seed)
        })
        .collect::<Vec<_>>();
    (!classes.is_empty()).then_some(ObjectSizes { unit, classes })
}

fn size_class(objects: &[Sized], images: usize, seed: u64) -> Option<SizeClass> {
    let mut dices = vec![Vec::new(); images];
    for object in objects {
        dices[object.image].push(object.dice);
    }
    let mut areas: Vec<f64> = objects.iter().map(|object| object.area).collect();
    let matched = objects.iter().filter(|object| object.matched).count();
    Some(SizeClass {
        from: objects.first()?.area,
        median: percentile(&mut areas, 0.5),
        to: objects.last()?.area,
        images: dices.iter().filter(|dices| !dices.is_empty()).count(),
        matched: matched as f64 / objects.len() as f64,
        dice: clustered(&dices, seed)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::objects::TrueObject;
    use super::super::score::tests::plain;
    use super::*;

    #[test]
    fn large_objects_that_are_found_better_stand_in_the_last_class() {
        let object = |area: u64| TrueObject {
            area,
            dice: area as f64 / 100.0,
            matched: area > 50,
        };
        let mut images = vec![plain("a", None, 0.5), plain("b", None, 0.5)];
        images[0].true_objects = (1..=40).map(object).collect();
        images[1].true_objects = (41..=100).rev().map(object).collect();
        images.iter_mut().for_each(|image| image.mpp = Some(2.0));
        let found = by_size(&images, 1).unwrap();
        assert_eq!((found.unit, found.classes.len()), ("um2", 5));
        let [first, .., last] = &found.classes[..] else {
            panic!("{found:?}");
        };
        assert_eq!((first.from, first.to, first.images), (4.0, 80.0, 1));
        assert_eq!((last.from, last.to, last.matched), (324.0, 400.0, 1.0));
        assert_eq!((first.dice.n, last.dice.n), (20, 20));
        assert!((first.dice.mean - 0.105).abs() < 1e-12 && (last.dice.mean - 0.905).abs() < 1e-12);
        // Without um/px of one image, areas are in px.
        images[0].mpp = None;
        assert_eq!(by_size(&images, 1).unwrap().unit, "px");
        assert_eq!(by_size(&[], 1), None);
    }
}
