//! Says what looks doubtful about a slide that was routed: no tissue on a picture, cells that the router was unsure of.

use ftuseg_router::{OrganMap, Target};

use crate::slide::{Plane, SlideReader};
use crate::warning::{Warning, WarningKind};

use super::PipelineError;

/// Longest side of the view that is looked at, px.
const SIDE: f64 = 512.0;
/// The share of px at either end of a scale that count as dust or noise.
const STRAY: u32 = 2000;
/// A blank picture's px differ by no more than this in brightness: light falls off towards the rim of a slide.
const FALL_OFF: i32 = 40;
/// And by no more than this in colour.
const TINT: i32 = 12;

/// A warning if nothing was taken for tissue on a picture that shows something.
///
/// # Errors
/// When the slide cannot be read.
pub(super) fn no_tissue(
    slide: &dyn SlideReader,
    map: &OrganMap,
) -> Result<Option<Warning>, PipelineError> {
    if !map.targets().is_empty() || is_blank(slide)? {
        return Ok(None);
    }
    Ok(Some(Warning::new(
        WarningKind::NoTissue,
        "no tissue was found although the picture is not blank, so nothing was looked for; if there is tissue, segment the whole picture (--tissue off)",
    )))
}

/// A warning if the router was unsure of some cells. `limit` is the confidence from which it is sure.
pub(super) fn unsure(map: &OrganMap, limit: f32, fallback: Target) -> Option<Warning> {
    let grid = map.grid();
    let (mut under, mut all) = (0_usize, 0_usize);
    for row in 0..grid.rows() {
        for column in 0..grid.columns() {
            if map.at(column, row).is_some() {
                all += 1;
                under += usize::from(map.confidence_at(column, row) < limit);
            }
        }
    }
    (under > 0).then(|| {
        Warning::new(
            WarningKind::Unsure,
            format!(
                "the router was unsure (confidence under {limit}) of {under} of {all} cells of tissue ({:.0} %), which went to {fallback}",
                under as f64 / all as f64 * 100.0
            ),
        )
    })
}

fn is_blank(slide: &dyn SlideReader) -> Result<bool, PipelineError> {
    let (width, height) = (slide.info().width(), slide.info().height());
    let scale = (f64::from(width.max(height)) / SIDE).max(1.0);
    let plane = Plane::at_scale(width, height, scale);
    let mut rgb = vec![255; plane.width as usize * plane.height as usize * 3];
    plane.read(slide, 0, 0, plane.width, plane.height, &mut rgb)?;
    let range = |of: &dyn Fn([i32; 3]) -> i32| {
        let mut counts = [0_u32; 511];
        let mut all = 0_u32;
        for px in rgb.chunks_exact(3) {
            let value = of([px[0].into(), px[1].into(), px[2].into()]);
            counts[(value + 255) as usize] += 1;
            all += 1;
        }
        let stray = all / STRAY;
        let end = |mut values: Box<dyn Iterator<Item = usize>>| {
            let mut seen = 0;
            let found = values.find(|&value| {
                seen += counts[value];
                seen > stray
            });
            found.map_or(0, |value| value as i32)
        };
        end(Box::new((0..counts.len()).rev())) - end(Box::new(0..counts.len()))
    };
    Ok(range(&|[r, g, b]| (r + g + b) / 3) <= FALL_OFF
        && range(&|[r, g, _]| r - g) <= TINT
        && range(&|[_, g, b]| g - b) <= TINT)
}
