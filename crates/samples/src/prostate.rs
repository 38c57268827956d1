//! Prostate: branched glands with a lined, folded lumen, in muscular stroma.

use super::noise::{Field, lerp, ramp, unit, value};
use super::shape::{Blob, Scatter, times};
use super::stain::{blend, thinned};
use super::tissue::{Ground, Local, Tissue};

pub(super) struct Prostate<'a> {
    ground: Ground<'a>,
    glands: Vec<Blob>,
    vessels: Vec<Blob>,
    muscle: Field,
    rim: f32,
    fold: f32,
    clefts: f32,
}

impl<'a> Prostate<'a> {
    pub(super) fn new(ground: Ground<'a>) -> Prostate<'a> {
        let mut s = ground.stream(0x9205);
        let bounds = ground.bounds;
        let density = s.range(0.35, 0.85);
        let size = s.range(46.0, 66.0);
        let pitch = s.range(150.0, 200.0);
        let seed = ground.seed;
        let scatter = Scatter {
            seed: seed ^ 0x61a,
            origin: ground.centre,
            axis: ground.axis,
            pitch: (pitch, pitch * 0.87),
            jitter: 0.3,
        };
        let along = ground.axis;
        let glands = scatter.blobs(bounds, 330.0, |place, s| {
            // Glands come in groups.
            let group = super::noise::wave(place.x / 420.0, place.y / 420.0, seed ^ 0x620);
            let keep = s.chance((density + 0.6 * group).clamp(0.06, 0.95)) || place.middle;
            let radius = size * s.range(0.5, 1.45);
            let tilt = s.direction();
            let mixed = (along.0 * 1.2 + tilt.0, along.1 * 1.2 + tilt.1);
            let length = (mixed.0 * mixed.0 + mixed.1 * mixed.1).sqrt().max(0.1);
            let axis = (mixed.0 / length, mixed.1 / length);
            let long = s.range(1.0, 2.6);
            keep.then(|| Blob::new((place.x, place.y), radius, axis, long, 0.16, s))
        });
        let vessels = Scatter {
            seed: seed ^ 0x7e5,
            pitch: (390.0, 340.0),
            ..scatter
        }
        .blobs(bounds, 120.0, |place, s| {
            let keep = s.chance(0.35) && !place.middle;
            let (radius, long) = (s.range(8.0, 22.0), s.range(1.2, 4.0));
            keep.then(|| Blob::new((place.x, place.y), radius, along, long, 0.1, s))
        });
        Prostate {
            glands,
            vessels,
            muscle: Field::new(seed ^ 0x305, 190.0, bounds.grown(2.0)),
            rim: s.range(15.0, 24.0),
            fold: s.range(0.3, 1.0),
            clefts: s.range(0.0, 1.0),
            ground,
        }
    }

    /// Depth inside the glands in um, negative outside; where two meet, a wall stays between them.
    #[inline]
    fn gland(&self, x: f32, y: f32) -> Option<(&Blob, f32, (f32, f32))> {
        let mut best: Option<(&Blob, f32, (f32, f32))> = None;
        let mut second = 0.0f32;
        for blob in &self.glands {
            let Some(place) = blob.depth(x, y) else {
                continue;
            };
            if place.depth <= 0.0 {
                continue;
            }
            match best {
                Some((_, depth, _)) if depth >= place.depth => second = second.max(place.depth),
                _ => {
                    second = second.max(best.map_or(0.0, |(_, depth, _)| depth));
                    best = Some((blob, place.depth, place.turn));
                }
            }
        }
        best.map(|(blob, depth, turn)| (blob, depth - second, turn))
    }
}

impl Tissue for Prostate<'_> {
    #[inline]
    fn at(&self, x: f32, y: f32) -> Local {
        let style = self.ground.style;
        if let Some((blob, depth, turn)) = self.gland(x, y) {
            // Folds of the lining reach into the lumen, in spokes around the middle.
            let sway = 0.5 * (value(x / 22.0, y / 22.0, blob.bits ^ 5) - 0.5);
            let swayed = (turn.0 - turn.1 * sway, turn.1 + turn.0 * sway);
            let mut spoke = swayed;
            for _ in 0..4 + blob.bits % 5 {
                spoke = times(spoke, swayed);
            }
            let spoke = (spoke.0 * blob.lobes[1].1 + spoke.1 * blob.lobes[1].2).max(0.0);
            // Some spokes are long, some are missing, none is straight.
            let length = value(
                turn.0 * 1.7 + x / 60.0,
                turn.1 * 1.7 + y / 60.0,
                blob.bits ^ 7,
            );
            let spoke = spoke * (1.6 * length - 0.3).clamp(0.0, 1.0);
            let uneven = value(x / 17.0, y / 17.0, blob.bits) - 0.4;
            let wall = self.rim * (1.0 + 0.7 * self.fold * uneven)
                + self.fold * blob.radius * 0.5 * spoke * spoke * spoke;
            let open = ramp(
                depth - wall - 3.0 * (value(x * 0.3, y * 0.3, blob.bits ^ 3) - 0.5),
                2.5,
            );
            let shade = lerp(0.8, 1.15, unit(blob.bits)) * (1.0 + 0.2 * self.ground.patch(x, y));
            // Pale towards the lumen, where the cells' tops are.
            let top = 1.35 - 0.45 * ramp(depth - wall * 0.7, wall * 0.7);
            let lining = thinned(style.epithelium, shade * top * self.ground.grain(x, y));
            let held = unit(blob.bits << 9);
            let content = if held > 0.86 {
                thinned(style.blood, 0.8)
            } else {
                thinned(style.mucus, 0.5)
            };
            let basal = 1.0 - ramp((depth - 4.5).abs() - 2.8, 1.5);
            let second = 1.0 - ramp((depth - 11.5).abs() - 3.0, 1.5);
            let deep = if depth > 15.0 { 0.35 } else { 0.0 };
            let mut local = Local::cells(
                blend(lining, content, open),
                style.nucleus_epithelium,
                (0.92 * basal).max(0.8 * second).max(deep) * (1.0 - open),
                3.0,
            );
            local.dye = blend(
                thinned(style.stroma, 1.1),
                local.dye,
                ramp(depth - 0.8, 1.6),
            );
            return local;
        }
        for blob in &self.vessels {
            if let Some(place) = blob.depth(x, y)
                && place.depth > 0.0
            {
                let mut local = self.ground.stroma(x, y, 0.5);
                local.dye = thinned(local.dye, 1.0 - ramp(place.depth - 3.5, 2.0));
                local.chance *= 1.0 - ramp(place.depth - 3.0, 1.0);
                return local;
            }
        }
        let mut local = self.ground.stroma(x, y, 0.2);
        // Bundles of muscle take more stain; clefts tear open along the fibres.
        let muscle = ramp(self.muscle.at(x, y), 0.7);
        local.dye = thinned(local.dye, lerp(0.85, 1.2, muscle));
        let cleft = self.ground.fibre(x, y, 1);
        let tear = ramp(cleft - 0.93 + 0.09 * self.clefts * (1.0 - muscle), 0.04);
        local.dye = thinned(local.dye, 1.0 - 0.85 * tear);
        local.chance *= 1.0 - tear;
        local
    }

    fn unit(&self, x: f32, y: f32) -> bool {
        self.gland(x, y).is_some()
    }
}
