//! Spleen: dense round follicles of white pulp, in speckled red pulp.

use super::noise::{Field, lerp, mottle, ramp, unit, value};
use super::shape::{Blob, Scatter};
use super::stain::{blend, thinned};
use super::tissue::{Ground, Local, Tissue};

pub(super) struct Spleen<'a> {
    ground: Ground<'a>,
    follicles: Vec<Blob>,
    arterioles: Vec<Blob>,
    beams: Vec<Blob>,
    blur: Field,
    sinus: f32,
    contrast: f32,
}

impl<'a> Spleen<'a> {
    pub(super) fn new(ground: Ground<'a>) -> Spleen<'a> {
        let mut s = ground.stream(0x5b1e);
        let bounds = ground.bounds;
        let density = s.range(0.35, 0.8);
        let size = s.range(115.0, 185.0);
        let scatter = Scatter {
            seed: ground.seed ^ 0xf01,
            origin: ground.centre,
            axis: ground.axis,
            pitch: (480.0, 430.0),
            jitter: 0.3,
        };
        let follicles = scatter.blobs(bounds, 520.0, |place, s| {
            let keep = s.chance(density) || place.middle;
            let radius = size * s.range(0.6, 1.3);
            let (axis, long) = (s.direction(), s.range(1.0, 1.9));
            keep.then(|| Blob::new((place.x, place.y), radius, axis, long, 0.09, s))
        });
        // One small artery off the middle of each follicle.
        let arterioles = scatter.blobs(bounds, 560.0, |place, s| {
            let off = s.direction();
            let far = size * s.range(0.15, 0.45);
            let (radius, axis, long) = (s.range(9.0, 19.0), s.direction(), s.range(1.0, 1.5));
            let middle = (place.x + off.0 * far, place.y + off.1 * far);
            Some(Blob::new(middle, radius, axis, long, 0.05, s))
        });
        let beams = Scatter {
            seed: ground.seed ^ 0xbea,
            pitch: (620.0, 560.0),
            ..scatter
        }
        .blobs(bounds, 420.0, |place, s| {
            let keep = s.chance(0.4) && !place.middle;
            let (radius, axis, long) = (s.range(28.0, 60.0), s.direction(), s.range(2.0, 6.0));
            keep.then(|| Blob::new((place.x, place.y), radius, axis, long, 0.12, s))
        });
        Spleen {
            follicles,
            arterioles,
            beams,
            blur: Field::new(ground.seed ^ 0xb10, 40.0, bounds.grown(2.0)),
            sinus: s.range(0.55, 0.72),
            contrast: s.range(0.35, 1.0),
            ground,
        }
    }

    #[inline]
    fn follicle(&self, x: f32, y: f32) -> Option<(&Blob, f32)> {
        let mut best: Option<(&Blob, f32)> = None;
        for blob in &self.follicles {
            if let Some(place) = blob.depth(x, y)
                && place.depth > best.map_or(0.0, |(_, depth)| depth)
            {
                best = Some((blob, place.depth));
            }
        }
        best
    }

    fn red_pulp(&self, x: f32, y: f32) -> Local {
        let style = self.ground.style;
        let mesh = mottle(x / 13.0, y / 13.0, self.ground.seed ^ 0x51);
        let hole = ramp(mesh - self.sinus, 0.16);
        let cords = lerp(0.7, 1.2, value(x / 5.0, y / 5.0, self.ground.seed ^ 0x52));
        let shade = cords * (1.0 + 0.2 * self.ground.patch(x, y));
        let dye = blend(
            thinned(style.immune, shade * 1.05),
            thinned(style.blood, 0.55),
            0.85 * hole,
        );
        Local::cells(dye, style.nucleus, 0.5 * (1.0 - 0.8 * hole), 2.7)
    }
}

impl Tissue for Spleen<'_> {
    #[inline]
    fn at(&self, x: f32, y: f32) -> Local {
        let style = self.ground.style;
        for blob in &self.arterioles {
            if let Some(place) = blob.depth(x, y)
                && place.depth > 0.0
            {
                let wall = 3.0 + blob.radius * 0.4;
                let mut local = self.ground.stroma(x, y, 0.3);
                local.dye = thinned(local.dye, 1.15 - ramp(place.depth - wall, 2.0));
                local.chance *= 1.0 - ramp(place.depth - wall, 1.0);
                return local;
            }
        }
        let beam = self
            .beams
            .iter()
            .filter_map(|blob| blob.depth(x, y).map(|place| (blob, place.depth)))
            .find(|&(_, depth)| depth > 0.0);
        let follicle = self.follicle(x, y);
        if let (Some((blob, depth)), None) = (beam, follicle) {
            // A beam of fibres; the broader ones hold an open vein.
            let vein = blob.radius > 45.0 && depth > blob.radius * 0.62;
            let mut local = self.ground.stroma(x, y, 0.14);
            local.dye = thinned(local.dye, if vein { 0.05 } else { 1.0 });
            local.chance *= if vein { 0.0 } else { 1.0 };
            return local;
        }
        let red = self.red_pulp(x, y);
        let Some((blob, depth)) = follicle else {
            return red;
        };
        // The follicle fades in over its marginal zone, so its edge is soft as in life.
        let soft = depth + 9.0 * self.blur.at(x, y);
        let amount = ramp(soft - 8.0, 26.0);
        let middle = depth / blob.radius;
        let dark_middle = blob.bits & 1 == 0;
        let centre = ramp(middle - 0.52, 0.22);
        let tint = if dark_middle {
            1.0 + 0.25 * centre
        } else {
            1.05 - 0.35 * centre
        };
        let crowd = if dark_middle {
            0.86 + 0.12 * centre
        } else {
            0.93 - 0.35 * centre
        };
        let base = lerp(1.2, 1.8, self.contrast) * tint * self.ground.grain(x, y);
        let mut dense = thinned(style.immune, base);
        dense[1] = style.immune[1] * lerp(0.35, 0.8, unit(blob.bits)) * tint;
        let mut local = red;
        local.dye = blend(red.dye, dense, amount);
        local.chance = lerp(red.chance, crowd, amount * lerp(0.75, 1.0, self.contrast));
        local.radius = lerp(2.7, if dark_middle { 2.9 } else { 3.0 }, amount);
        local
    }

    fn unit(&self, x: f32, y: f32) -> bool {
        self.follicle(x, y).is_some()
    }
}
