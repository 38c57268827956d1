//! One colour per target, the same in pictures and in QuPath.

use ftuseg_router::{Organ, Target};

/// The RGB colour of a target: bright, and far from the browns, blues and pinks of stained tissue.
pub fn colour(target: Target) -> [u8; 3] {
    match target {
        Target::Organ(Organ::Kidney) => [0, 200, 0],
        Target::Organ(Organ::Prostate) => [255, 215, 0],
        Target::Organ(Organ::LargeIntestine) => [0, 190, 255],
        Target::Organ(Organ::Spleen) => [255, 60, 0],
        Target::Organ(Organ::Lung) => [255, 0, 200],
        Target::Baseline => [0, 255, 190],
        Target::Unet => [150, 255, 0],
        Target::Other => [128, 128, 128],
    }
}
