//! Sees whether a slide is one of the images that the bundle's networks were trained on.

use crate::bundle::{Look, TrainingImages};
use crate::slide::{Plane, SlideError, SlideReader};

/// The longest side of a slide that is looked at, px: training images are cores and tiles, and a whole slide is none.
const LONGEST: u32 = 8192;

/// The longest side of the picture that the look is taken of, px: some ten for each of its cells.
const SIDE: f64 = 240.0;

/// The name of the training image that the slide looks like.
///
/// # Errors
/// When the slide cannot be read.
pub(super) fn find(
    slide: &dyn SlideReader,
    known: &TrainingImages,
) -> Result<Option<String>, SlideError> {
    let (width, height) = (slide.info().width(), slide.info().height());
    let longest = width.max(height);
    if known.is_empty() || longest > LONGEST {
        return Ok(None);
    }
    let plane = Plane::at_scale(width, height, (f64::from(longest) / SIDE).max(1.0));
    let (width, height) = (plane.width as usize, plane.height as usize);
    let mut rgb = vec![0; width * height * 3];
    plane.read(slide, 0, 0, plane.width, plane.height, &mut rgb)?;
    let look = Look::of(&rgb, width, height);
    Ok(look.and_then(|look| known.find(&look).map(str::to_owned)))
}
