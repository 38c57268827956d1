//! Large intestine: crypts full of goblet cells, in the mucosa above submucosa and muscle.

use super::noise::{Field, lerp, mottle, ramp, unit, value};
use super::shape::{Blob, Scatter, cell_at};
use super::stain::{blend, thinned};
use super::tissue::{Ground, Local, Tissue};

/// How far the layers are bent in um.
const BEND: f32 = 85.0;

pub(super) struct LargeIntestine<'a> {
    ground: Ground<'a>,
    crypts: Vec<Blob>,
    follicles: Vec<Blob>,
    bend: Field,
    layers: Layers,
    vessels: Vec<Blob>,
}

/// The wall's layers from the inside of the gut outwards, each a distance in um along one direction.
#[derive(Debug, Clone, Copy)]
struct Layers {
    centre: (f32, f32),
    axis: (f32, f32),
    surface: f32,
    mucosa: f32,
    plate: f32,
    submucosa: f32,
    period: f32,
}

/// The layer that a place lies in.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Layer {
    /// Outside of the tissue, by this many um from the surface.
    Open(f32),
    /// The layer with the crypts, this deep below the surface.
    Mucosa(f32),
    /// The thin muscle below it.
    Plate,
    Submucosa,
    Muscle,
}

impl Layers {
    /// The layer at a place, `bend` um further along than it seems.
    #[inline(always)]
    fn at(&self, x: f32, y: f32, bend: f32) -> Layer {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        let along = dx * self.axis.0 + dy * self.axis.1 + bend - self.surface;
        // A large piece shows the wall again and again, as folds do.
        let depth = along - self.period * super::noise::floor((along + 130.0) / self.period) as f32;
        if depth < 0.0 {
            Layer::Open(-depth)
        } else if depth < self.mucosa {
            Layer::Mucosa(depth)
        } else if depth < self.mucosa + self.plate {
            Layer::Plate
        } else if depth < self.mucosa + self.plate + self.submucosa {
            Layer::Submucosa
        } else {
            Layer::Muscle
        }
    }
}

impl<'a> LargeIntestine<'a> {
    pub(super) fn new(ground: Ground<'a>) -> LargeIntestine<'a> {
        let mut s = ground.stream(0xc010);
        let bounds = ground.bounds;
        let seed = ground.seed;
        let axis = s.direction();
        let mucosa = s.range(480.0, 760.0);
        let layers = Layers {
            centre: ground.centre,
            axis,
            // The middle of the mucosa lies somewhere about the middle of the core.
            surface: -mucosa * s.range(0.35, 0.8),
            mucosa,
            plate: s.range(22.0, 45.0),
            submucosa: s.range(260.0, 600.0),
            period: 2000.0,
        };
        let lengthwise = s.chance(0.45);
        let long = if lengthwise {
            s.range(2.6, 5.0)
        } else {
            s.range(1.0, 1.4)
        };
        let size = s.range(33.0, 44.0);
        let across = size * s.range(2.35, 2.75);
        let radius = size * long.sqrt();
        let along = if lengthwise {
            size * long * 2.15
        } else {
            across
        };
        let bent = |x: f32, y: f32| BEND * super::noise::wave(x / 420.0, y / 420.0, seed ^ 0xbe4);
        let crypts = Scatter {
            seed: seed ^ 0xc27,
            origin: ground.centre,
            axis,
            pitch: (along, across),
            jitter: 0.11,
        }
        .blobs(bounds, 340.0, |place, s| {
            let radius = radius * s.range(0.82, 1.12);
            let tilt = s.direction();
            let mixed = (axis.0 * 4.0 + tilt.0, axis.1 * 4.0 + tilt.1);
            let length = (mixed.0 * mixed.0 + mixed.1 * mixed.1).sqrt();
            let axis = (mixed.0 / length, mixed.1 / length);
            let long = long * s.range(0.85, 1.1);
            let half = radius * long.sqrt();
            let Layer::Mucosa(depth) = layers.at(place.x, place.y, bent(place.x, place.y)) else {
                return None;
            };
            // Clear of the surface and of the muscle; few places are empty.
            let keep = depth > half * 0.9 + 18.0 && depth < mucosa - half * 0.8 && s.chance(0.93);
            keep.then(|| Blob::new((place.x, place.y), radius, axis, long, 0.045, s))
        });
        let plain = Scatter {
            seed: seed ^ 0xf01,
            origin: ground.centre,
            axis,
            pitch: (900.0, 800.0),
            jitter: 0.3,
        };
        let follicles = plain.blobs(bounds, 320.0, |place, s| {
            let keep = s.chance(0.25) && !place.middle;
            let radius = s.range(90.0, 170.0);
            keep.then(|| Blob::new((place.x, place.y), radius, axis, 1.2, 0.08, s))
        });
        let vessels = Scatter {
            seed: seed ^ 0x7e5,
            pitch: (170.0, 150.0),
            ..plain
        }
        .blobs(bounds, 120.0, |place, s| {
            let keep = s.chance(0.4);
            let (radius, axis, long) = (s.range(10.0, 34.0), s.direction(), s.range(1.0, 1.8));
            keep.then(|| Blob::new((place.x, place.y), radius, axis, long, 0.09, s))
        });
        LargeIntestine {
            crypts,
            follicles,
            bend: Field::new(seed ^ 0xbe4, 420.0, bounds.grown(2.0)),
            layers,
            vessels,
            ground,
        }
    }

    #[inline]
    fn crypt(&self, x: f32, y: f32) -> Option<(&Blob, f32)> {
        let mut best: Option<(&Blob, f32)> = None;
        for blob in &self.crypts {
            if let Some(place) = blob.depth(x, y)
                && place.depth > best.map_or(0.0, |(_, depth)| depth)
            {
                best = Some((blob, place.depth));
            }
        }
        best
    }

    fn crypt_cells(&self, blob: &Blob, depth: f32, x: f32, y: f32) -> Local {
        let style = self.ground.style;
        let shade = lerp(0.85, 1.15, unit(blob.bits)) * self.ground.grain(x, y);
        let cytoplasm = thinned(style.epithelium, 1.25 * shade);
        let cell = cell_at(self.ground.seed ^ 0x60b, 13.5, 0.75, x, y);
        // Foot of the cells with the nuclei, the goblets' pale bellies, a narrow opening in the middle.
        let belly = ramp(depth - 7.5, 3.0) * ramp(cell.edge - 1.3, 1.4);
        let filled = unit(cell.own.bits) < 0.82;
        let middle = blob.radius / blob.long.sqrt();
        let open = ramp(
            depth - middle * 0.83 - 3.0 * (value(x / 6.0, y / 6.0, blob.bits) - 0.5),
            3.0,
        );
        let mut dye = blend(
            cytoplasm,
            style.mucus,
            if filled { 0.92 * belly } else { 0.25 * belly },
        );
        dye = blend(dye, thinned(style.mucus, 1.6), 0.8 * open);
        dye = blend(thinned(style.stroma, 1.1), dye, ramp(depth - 0.8, 1.6));
        let row = 1.0 - ramp((depth - 4.6).abs() - 3.0, 1.4);
        Local::cells(dye, style.nucleus_epithelium, 0.9 * row, 2.7)
    }

    fn lamina(&self, depth: f32, x: f32, y: f32) -> Local {
        let style = self.ground.style;
        let loose = mottle(x / 11.0, y / 11.0, self.ground.seed ^ 0x1a);
        let hole = ramp(loose - 0.7, 0.12);
        let shade = (1.0 + 0.2 * self.ground.patch(x, y)) * self.ground.grain(x, y);
        let ground = blend(style.stroma, style.immune, 0.6);
        // The surface is lined like the crypts.
        let lining = 1.0 - ramp(depth - 22.0, 3.0);
        let mut dye = thinned(ground, shade * (1.0 - 0.8 * hole));
        dye = blend(dye, thinned(style.epithelium, 1.15 * shade), lining);
        let (nucleus, chance) = if lining > 0.5 {
            let row = 1.0 - ramp((depth - 16.0).abs() - 4.0, 1.5);
            (style.nucleus_epithelium, 0.85 * row)
        } else {
            (style.nucleus, 0.52 * (1.0 - hole))
        };
        Local::cells(dye, nucleus, chance, 2.7)
    }

    fn submucosa(&self, x: f32, y: f32) -> Local {
        for blob in &self.vessels {
            if let Some(place) = blob.depth(x, y)
                && place.depth > 0.0
            {
                let wall = 3.0 + blob.radius * 0.3;
                let open = ramp(place.depth - wall, 2.0);
                let mut local = self.ground.stroma(x, y, 0.4);
                let content = if blob.bits & 3 == 0 {
                    self.ground.style.blood
                } else {
                    [0.0; 3]
                };
                local.dye = blend(local.dye, content, open);
                local.chance *= 1.0 - open;
                return local;
            }
        }
        // Loose: strands with glass between them.
        let strand = self.ground.fibre(x, y, 0) * 0.6
            + 0.55 * mottle(x / 17.0, y / 17.0, self.ground.seed ^ 0x5b);
        let amount = ramp(strand - 0.62, 0.12);
        let mut local = self.ground.stroma(x, y, 0.3 * amount);
        local.dye = thinned(local.dye, 0.06 + 0.85 * amount);
        local
    }
}

impl Tissue for LargeIntestine<'_> {
    #[inline]
    fn at(&self, x: f32, y: f32) -> Local {
        let layer = self.layers.at(x, y, BEND * self.bend.at(x, y));
        match layer {
            Layer::Open(_) => Local::CLEAR,
            Layer::Mucosa(depth) => {
                if let Some((blob, inside)) = self.crypt(x, y) {
                    return self.crypt_cells(blob, inside, x, y);
                }
                let mut local = self.lamina(depth, x, y);
                for blob in &self.follicles {
                    if let Some(place) = blob.depth(x, y)
                        && place.depth > 0.0
                        && depth > 40.0
                    {
                        let amount = ramp(place.depth - 10.0, 25.0);
                        local.chance = lerp(local.chance, 0.92, amount);
                        local.dye =
                            blend(local.dye, thinned(self.ground.style.immune, 1.3), amount);
                    }
                }
                local
            }
            Layer::Plate => {
                let mut local = self.ground.stroma(x, y, 0.3);
                local.dye = thinned(local.dye, 1.15);
                local
            }
            Layer::Submucosa => self.submucosa(x, y),
            Layer::Muscle => {
                let mut local = self.ground.stroma(x, y, 0.22);
                let tear = ramp(self.ground.fibre(x, y, 1) - 0.9, 0.06);
                local.dye = thinned(local.dye, 1.15 * (1.0 - 0.85 * tear));
                local
            }
        }
    }

    fn unit(&self, x: f32, y: f32) -> bool {
        matches!(
            self.layers.at(x, y, BEND * self.bend.at(x, y)),
            Layer::Mucosa(_)
        ) && self.crypt(x, y).is_some()
    }
}
