//! Images that a run's networks were trained on, and the figures without them: on what it has seen, a network is no measure
//! of itself.

use serde::Serialize;

use super::report::{Figures, OrganFigures, organ_figures};
use super::score::ImageScore;

/// The headline figures over the images that a run's networks have not seen in training.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Unseen {
    /// Images that they have seen.
    pub seen_images: usize,
    /// Images that they have not seen, as far as the bundle's hashes can tell.
    pub unseen_images: usize,
    /// Per organ, over the unseen images.
    pub organs: Vec<OrganFigures>,
    /// The mean of the organs' means, over the unseen images; none where there are none.
    pub mean_of_organ_means: Option<Figures>,
    /// The mean of all unseen images; none where there are none.
    pub mean_of_images: Option<Figures>,
}

/// The figures without seen images; none where no image was seen.
pub(super) fn unseen(images: &[ImageScore], seed: u64) -> Option<Unseen> {
    let new: Vec<&ImageScore> = images
        .iter()
        .filter(|score| score.training_image.is_none())
        .collect();
    if new.len() == images.len() {
        return None;
    }
    let (organs, mean_of_organ_means, mean_of_images) = organ_figures(&new, seed);
    Some(Unseen {
        seen_images: images.len() - new.len(),
        unseen_images: new.len(),
        organs,
        mean_of_organ_means,
        mean_of_images,
    })
}

#[cfg(test)]
mod tests {
    use super::super::score::tests::plain;
    use super::*;

    #[test]
    fn figures_without_seen_images_have_their_own_n() {
        let mut images = vec![
            plain("a", Some("kidney"), 0.9),
            plain("b", Some("kidney"), 0.5),
            plain("c", Some("lung"), 0.7),
        ];
        assert_eq!(unseen(&images, 1), None);
        images[0].training_image = Some("62".to_owned());
        let found = unseen(&images, 1).unwrap();
        assert_eq!((found.seen_images, found.unseen_images), (1, 2));
        let kidney = &found.organs[0].figures.dice;
        assert_eq!((kidney.n, kidney.mean), (1, 0.5));
        assert_eq!(found.mean_of_images.unwrap().dice.mean, 0.6);
        for image in &mut images {
            image.training_image = Some("62".to_owned());
        }
        let found = unseen(&images, 1).unwrap();
        assert_eq!((found.unseen_images, found.mean_of_images), (0, None));
    }
}
