//! The truth of a drawing as a mask, and the values of its organs.

use ftuseg_router::Organ;

use super::Drawing;
use ftuseg_mask::{Mask, MaskError, Rect};

/// Side of the blocks that are drawn at once, px.
const BLOCK: u32 = 512;

/// The value of an organ in drawn truth: 1 to 5.
pub(super) fn label(organ: Organ) -> u8 {
    Organ::ALL
        .iter()
        .position(|&other| other == organ)
        .map_or(0, |index| index as u8 + 1)
}

/// What is really there in a drawing, whatever the organ, at full size. Memory grows with what is there.
///
/// # Errors
/// When the drawing is too large for a mask.
pub fn truth_mask(drawing: &Drawing) -> Result<Mask, MaskError> {
    let spec = drawing.spec();
    let mut mask = Mask::new(spec.width, spec.height)?;
    for y in (0..spec.height).step_by(BLOCK as usize) {
        for x in (0..spec.width).step_by(BLOCK as usize) {
            let block = Rect {
                x,
                y,
                width: BLOCK.min(spec.width - x),
                height: BLOCK.min(spec.height - y),
            };
            let mut labels = vec![0; block.width as usize * block.height as usize];
            drawing.truth(0, x, y, block.width, block.height, &mut labels);
            mask.set_block(block, &labels, block.width as usize)?;
        }
    }
    Ok(mask)
}
