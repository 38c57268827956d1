//! Lung: thin walls around open alveoli, with vessels, airways and torn larger spaces.
//!
//! The truth is each whole small alveolus: its air and the half of its walls. Spaces that have merged to
//! larger ones are none.

use super::noise::{Bounds, Field, lerp, ramp, unit, value};
use super::shape::{Blob, Cells, Scatter, Within};
use super::stain::{blend, thinned};
use super::tissue::{Ground, Local, Tissue};

/// How far the walls are bent in um.
const BEND: f32 = 26.0;

pub(super) struct Lung<'a> {
    ground: Ground<'a>,
    alveoli: Cells,
    bend: [Field; 2],
    vessels: Vec<Blob>,
    septa: Field,
    septum: f32,
    wall: f32,
    merged: f32,
    thick: Field,
    dense: Field,
}

impl<'a> Lung<'a> {
    pub(super) fn new(ground: Ground<'a>) -> Lung<'a> {
        let mut s = ground.stream(0x10f6);
        let bounds = ground.bounds;
        let pitch = s.range(85.0, 145.0);
        let vessels = Scatter {
            seed: ground.seed ^ 0x7e5,
            origin: ground.centre,
            axis: ground.axis,
            pitch: (430.0, 380.0),
            jitter: 0.3,
        }
        .blobs(bounds, 330.0, |place, s| {
            let keep = s.chance(0.45) && !place.middle;
            let large = s.chance(0.25);
            let radius = if large {
                s.range(90.0, 190.0)
            } else {
                s.range(22.0, 70.0)
            };
            let (axis, long) = (s.direction(), s.range(1.0, 1.7));
            keep.then(|| Blob::new((place.x, place.y), radius, axis, long, 0.07, s))
        });
        let wide: Bounds = bounds.grown(BEND * 1.6 + 4.0);
        Lung {
            alveoli: Cells::new(ground.seed ^ 0xa1f, pitch, 0.9, wide),
            bend: [0, 1].map(|i| Field::new(ground.seed ^ (0xbe0 + i), 60.0, bounds.grown(10.0))),
            vessels,
            septa: Field::new(ground.seed ^ 0x5e9, 420.0, bounds.grown(2.0)),
            septum: s.range(0.015, 0.055),
            wall: s.range(3.0, 7.0),
            merged: s.range(0.2, 0.5),
            dense: Field::new(ground.seed ^ 0xde5, 300.0, bounds.grown(2.0)),
            thick: Field::new(ground.seed ^ 0x7c, 70.0, bounds.grown(2.0)),
            ground,
        }
    }

    /// The alveolus at a place, and whether its space has merged with others.
    #[inline(always)]
    fn alveolus(&self, x: f32, y: f32) -> Option<(Within, bool, bool)> {
        let (bx, by) = (
            x + BEND * self.bend[0].at(x, y),
            y + BEND * self.bend[1].at(x, y),
        );
        let cell = self.alveoli.at(bx, by)?;
        let merged = |bits: u32| unit(bits) < self.merged;
        Some((cell, merged(cell.own.bits), merged(cell.next.bits)))
    }

    #[inline(always)]
    fn solid(&self, x: f32, y: f32) -> Option<(&Blob, f32)> {
        self.vessels.iter().find_map(|blob| {
            let place = blob.depth(x, y)?;
            (place.depth > 0.0).then_some((blob, place.depth))
        })
    }

    #[inline(always)]
    fn septum(&self, x: f32, y: f32) -> f32 {
        self.septum - self.septa.at(x, y).abs()
    }

    fn vessel(&self, blob: &Blob, depth: f32, x: f32, y: f32) -> Local {
        let style = self.ground.style;
        let wall = 5.0 + blob.radius * 0.24;
        let mut local = self.ground.stroma(x, y, 0.2);
        local.dye = thinned(local.dye, 1.1);
        let airway = blob.bits.is_multiple_of(3) && blob.radius > 50.0;
        if airway {
            // A lined airway: fibres, a band of high cells, air.
            let band = depth - wall;
            let edge = band + 6.0 * (value(x / 16.0, y / 16.0, blob.bits) - 0.5);
            if edge > 0.0 {
                local = Local::cells(
                    thinned(style.epithelium, 1.1 * (1.0 - ramp(edge - 17.0, 2.5))),
                    style.nucleus_epithelium,
                    if edge < 12.0 { 0.85 } else { 0.0 },
                    2.9,
                );
            }
            return local;
        }
        let filled = blob.bits % 5 < 2;
        let content = if filled {
            thinned(style.blood, 0.9 * self.ground.grain(x, y))
        } else {
            [0.0; 3]
        };
        let open = ramp(
            depth - wall - 3.0 * (value(x / 7.0, y / 7.0, blob.bits) - 0.5),
            2.0,
        );
        local.dye = blend(local.dye, content, open);
        local.chance *= 1.0 - open;
        local
    }
}

impl Tissue for Lung<'_> {
    #[inline]
    fn at(&self, x: f32, y: f32) -> Local {
        let style = self.ground.style;
        if let Some((blob, depth)) = self.solid(x, y) {
            return self.vessel(blob, depth, x, y);
        }
        if self.septum(x, y) > 0.0 {
            let mut local = self.ground.stroma(x, y, 0.16);
            let tear = ramp(self.ground.fibre(x, y, 1) - 0.8, 0.1);
            local.dye = thinned(local.dye, 1.0 - 0.8 * tear);
            return local;
        }
        let Some((cell, own, next)) = self.alveolus(x, y) else {
            return Local::CLEAR;
        };
        let thick = self.thick.at(x, y);
        let uneven = value(x / 8.0, y / 8.0, self.ground.seed ^ 0x31);
        let mut half = self.wall * (0.75 + 0.8 * thick.max(-0.4)) + 3.6 * (uneven - 0.4);
        // Where the lung has fallen together, the walls are thick and full of cells.
        half *= 1.0 + 2.2 * (self.dense.at(x, y) - 0.12).max(0.0);
        if own && next {
            // Between merged spaces the wall is gone, but for a stump here and there.
            half = if thick > 0.55 { half * 0.8 } else { -5.0 };
        }
        let amount = ramp(half - cell.edge, 1.8);
        // A loose cell floats in some alveoli.
        let loose = !own && cell.edge > 14.0 && unit(cell.own.bits << 7) > 0.6;
        if amount <= 0.0 {
            return Local {
                chance: if loose { 0.035 } else { 0.0 },
                nucleus: blend(style.nucleus, style.immune, 0.4),
                radius: 4.2,
                ..Local::CLEAR
            };
        }
        let lining = blend(style.stroma, style.epithelium, 0.55);
        let dye = thinned(
            lining,
            lerp(0.8, 1.35, uneven) * amount * (1.0 + 0.25 * self.ground.patch(x, y)),
        );
        let nucleus = blend(style.nucleus, style.nucleus_epithelium, 0.5);
        Local::cells(dye, nucleus, 0.62 * amount, 2.8)
    }

    fn unit(&self, x: f32, y: f32) -> bool {
        self.solid(x, y).is_none()
            && self.septum(x, y) <= 0.0
            && self.alveolus(x, y).is_some_and(|(_, merged, _)| !merged)
    }
}
