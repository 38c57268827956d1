//! What every organ's tissue has in common: what a place holds, and the ground it grows on.

use super::noise::{Bounds, Field, Stream, lerp, mix, value};
use super::stain::{Dye, Style, thinned};

/// What a place in the tissue holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local {
    /// Dye without nuclei.
    pub dye: Dye,
    /// How likely a nucleus lies here, 0 to 1.
    pub chance: f32,
    /// Radius of such a nucleus in um.
    pub radius: f32,
    /// How much longer than wide it is.
    pub long: f32,
    /// Direction of its longer axis.
    pub axis: (f32, f32),
    /// Its dye.
    pub nucleus: Dye,
}

impl Local {
    /// A hole: glass shines through.
    pub(super) const CLEAR: Local = Local {
        dye: [0.0; 3],
        chance: 0.0,
        radius: 3.0,
        long: 1.0,
        axis: (1.0, 0.0),
        nucleus: [0.0; 3],
    };

    /// Cells with round nuclei.
    #[inline(always)]
    pub(super) fn cells(dye: Dye, nucleus: Dye, chance: f32, radius: f32) -> Local {
        Local {
            dye,
            chance,
            radius,
            nucleus,
            ..Local::CLEAR
        }
    }
}

/// An organ's tissue, prepared for a rectangle of the slide.
pub(super) trait Tissue {
    /// What lies at a place in um.
    fn at(&self, x: f32, y: f32) -> Local;

    /// True if the place belongs to a functional tissue unit.
    fn unit(&self, x: f32, y: f32) -> bool;
}

/// The ground an organ grows on, prepared for a rectangle: stain, fibres, uneven staining.
pub(super) struct Ground<'a> {
    pub style: &'a Style,
    pub seed: u32,
    /// Centre of the part in um.
    pub centre: (f32, f32),
    /// The rectangle in um.
    pub bounds: Bounds,
    /// Main direction of the fibres.
    pub axis: (f32, f32),
    bend: Field,
    patch: Field,
}

impl<'a> Ground<'a> {
    /// The ground of a part with its own `seed`.
    pub(super) fn new(
        style: &'a Style,
        seed: u32,
        centre: (f32, f32),
        bounds: Bounds,
    ) -> Ground<'a> {
        let wide = bounds.grown(4.0);
        Ground {
            style,
            seed,
            centre,
            bounds,
            axis: Stream::new(seed ^ 0xa715).direction(),
            bend: Field::new(seed ^ 0xbe2d, 260.0, wide),
            patch: Field::new(seed ^ 0x9a7c, 150.0, wide),
        }
    }

    /// A row of random numbers for the organ's own choices.
    pub(super) fn stream(&self, salt: u32) -> Stream {
        Stream::new(mix(self.seed ^ salt))
    }

    /// Fine unevenness of stain, about 0.75 to 1.25.
    #[inline(always)]
    pub(super) fn grain(&self, x: f32, y: f32) -> f32 {
        0.75 + 0.5 * value(x * 0.45, y * 0.45, self.seed ^ 0x6a41)
    }

    /// Coarse unevenness of stain, about -1 to 1.
    #[inline(always)]
    pub(super) fn patch(&self, x: f32, y: f32) -> f32 {
        self.patch.at(x, y)
    }

    /// Wavy fibres along the main direction, 0 to 1. Each `layer` has its own.
    #[inline(always)]
    pub(super) fn fibre(&self, x: f32, y: f32, layer: u32) -> f32 {
        let bend = 75.0 * self.bend.at(x, y);
        let along = x * self.axis.0 + y * self.axis.1;
        let across = y * self.axis.0 - x * self.axis.1 + bend;
        value(along / 42.0, across / 5.5, self.seed ^ 0xf1b2 ^ layer)
    }

    /// Connective tissue: fibres with a few long nuclei.
    #[inline(always)]
    pub(super) fn stroma(&self, x: f32, y: f32, chance: f32) -> Local {
        let fibre = self.fibre(x, y, 0);
        Local {
            dye: thinned(self.style.stroma, lerp(0.62, 1.3, fibre) * self.grain(x, y)),
            chance,
            radius: 2.6,
            long: 2.0,
            axis: self.axis,
            nucleus: self.style.nucleus,
        }
    }
}
