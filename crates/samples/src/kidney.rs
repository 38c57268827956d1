//! Kidney: round glomeruli in Bowman's space, among packed tubules.

use super::noise::{Field, lerp, mottle, ramp, unit, value};
use super::shape::{Blob, Cells, Scatter};
use super::stain::{blend, thinned};
use super::tissue::{Ground, Local, Tissue};

/// How far the plane of tubules is bent in um, and its largest stretch: tubules outside of the rectangle
/// by this much can be bent into it.
const BEND: f32 = 16.0;

pub(super) struct Kidney<'a> {
    ground: Ground<'a>,
    glomeruli: Vec<Blob>,
    vessels: Vec<Blob>,
    tubules: Cells,
    bend: [Field; 2],
    stretch: f32,
    gap: f32,
    lumen: f32,
    halo: f32,
}

impl<'a> Kidney<'a> {
    pub(super) fn new(ground: Ground<'a>) -> Kidney<'a> {
        let mut s = ground.stream(0x61d0);
        let bounds = ground.bounds;
        let density = s.range(0.15, 0.55);
        let size = s.range(72.0, 98.0);
        let scatter = |seed, pitch| Scatter {
            seed,
            origin: ground.centre,
            axis: (1.0, 0.0),
            pitch: (pitch, pitch * 0.87),
            jitter: 0.27,
        };
        let pitch = s.range(310.0, 380.0);
        let glomeruli = scatter(ground.seed ^ 0x610, pitch).blobs(bounds, 200.0, |place, s| {
            let keep = s.chance(density) || place.middle;
            let radius = size * s.range(0.72, 1.15);
            let (axis, long) = (s.direction(), s.range(1.0, 1.45));
            keep.then(|| Blob::new((place.x, place.y), radius, axis, long, 0.035, s))
        });
        let vessels = scatter(ground.seed ^ 0x7e5, 420.0).blobs(bounds, 200.0, |place, s| {
            let keep = s.chance(0.3) && !place.middle;
            let (radius, axis, long) = (s.range(16.0, 42.0), s.direction(), s.range(1.0, 2.2));
            keep.then(|| Blob::new((place.x, place.y), radius, axis, long, 0.08, s))
        });
        let stretch = s.range(1.0, 2.3);
        let tubule_pitch = s.range(44.0, 56.0) / stretch.sqrt();

        let turned = turned_bounds(&ground, stretch);
        Kidney {
            glomeruli,
            vessels,
            tubules: Cells::new(ground.seed ^ 0x70b, tubule_pitch, 0.85, turned),
            bend: [0, 1].map(|i| Field::new(ground.seed ^ (0xbe0 + i), 75.0, bounds.grown(10.0))),
            stretch,
            gap: s.range(1.6, 4.2),
            lumen: s.range(0.0, 1.0),
            halo: s.range(4.0, 11.0),
            ground,
        }
    }

    fn tubule(&self, x: f32, y: f32) -> Local {
        let style = self.ground.style;
        let (bx, by) = (
            x + BEND * self.bend[0].at(x, y),
            y + BEND * self.bend[1].at(x, y),
        );
        let (axis, bent) = (self.ground.axis, (bx, by));
        let u = (bent.0 * axis.0 + bent.1 * axis.1) / self.stretch;
        let v = bent.1 * axis.0 - bent.0 * axis.1;
        let mut stroma = self.ground.stroma(x, y, 0.22);
        let Some(cell) = self.tubules.at(u, v) else {
            return stroma;
        };
        let bits = cell.own.bits;
        let pale = unit(bits << 12);
        // Rounded corners: the border, but no further from the middle than a circle.
        let inside = (cell.edge - self.gap).min(30.0 + 4.0 * pale - cell.from_site);
        if inside < -1.0 {
            return stroma;
        }
        let wide = unit(bits) < 0.25 + 0.5 * self.lumen;
        let wall = if wide {
            lerp(6.0, 9.5, pale)
        } else {
            lerp(10.5, 15.0, pale)
        };
        let uneven = 3.5 * (value(x * 0.28, y * 0.28, self.ground.seed ^ 0x11) - 0.5);
        let shade = lerp(0.65, 1.2, unit(bits << 5)) * (1.0 + 0.25 * self.ground.patch(x, y));
        // Darker towards the foot of the cells, striped a little.
        let foot = 1.15 - 0.3 * ramp(inside - wall * 0.6, wall);
        let mut dye = thinned(style.epithelium, shade * foot * self.ground.grain(x, y));
        let open = ramp(inside - wall - uneven, 2.2);
        dye = blend(
            dye,
            thinned(style.mucus, 0.6),
            open * if wide { 1.0 } else { 0.8 },
        );
        let rim = ramp(inside, 1.6);
        let row = 1.0 - ramp((inside - wall * 0.55).abs() - 3.2, 1.5);
        stroma.dye = blend(thinned(stroma.dye, 1.15), dye, rim);
        if inside > 1.0 {
            stroma.chance = 0.62 * row * (1.0 - open);
            stroma.radius = 2.9;
            stroma.long = 1.0;
            stroma.nucleus = style.nucleus_epithelium;
        }
        stroma
    }

    fn glomerulus(&self, blob: &Blob, depth: f32, turn: (f32, f32), x: f32, y: f32) -> Local {
        let style = self.ground.style;
        // Bowman's space is a crescent: wide on one side, closed at the stalk.
        let side = turn.0 * blob.lobes[0].1 + turn.1 * blob.lobes[0].2;
        let space = self.halo * (0.65 + 0.6 * side);
        let tuft = depth - 2.5 - space + 5.0 * (value(x / 9.0, y / 9.0, blob.bits) - 0.5);
        let mut local = self.ground.stroma(x, y, 0.0);
        if tuft < 0.0 {
            let capsule = 1.0 - ramp(depth - 2.2, 1.5);
            let membrane = blend(style.stroma, style.epithelium, 0.3);
            local.dye = thinned(membrane, 1.35 * capsule);
            local.chance = if depth < 2.5 { 0.3 } else { 0.0 };
            local.nucleus = style.nucleus;
            return local;
        }
        // Loops of capillaries: a mesh with small pale holes.
        let loops = mottle(x / 7.5, y / 7.5, blob.bits ^ 1);
        let lobule = value(x / 26.0, y / 26.0, blob.bits ^ 2);
        let mesh = blend(style.stroma, style.epithelium, 0.35);
        let hole = ramp(loops - 0.66, 0.2);
        let dye = thinned(
            mesh,
            lerp(0.85, 1.25, lobule) * (1.0 - 0.72 * hole) * self.ground.grain(x, y),
        );
        Local {
            dye: thinned(dye, ramp(tuft - 0.5, 2.0)),
            ..Local::cells(dye, style.nucleus, 0.68 - 0.5 * hole, 2.8)
        }
    }
}

/// The rectangle of the tubules' own plane that places of the ground's bounds can come from.
fn turned_bounds(ground: &Ground, stretch: f32) -> super::noise::Bounds {
    let wide = ground.bounds.grown(BEND * 1.6 + 4.0);
    let mut turned = super::noise::Bounds {
        left: f32::MAX,
        top: f32::MAX,
        right: f32::MIN,
        bottom: f32::MIN,
    };
    for (x, y) in [
        (wide.left, wide.top),
        (wide.right, wide.top),
        (wide.left, wide.bottom),
        (wide.right, wide.bottom),
    ] {
        let u = (x * ground.axis.0 + y * ground.axis.1) / stretch;
        let v = y * ground.axis.0 - x * ground.axis.1;
        turned.left = turned.left.min(u);
        turned.right = turned.right.max(u);
        turned.top = turned.top.min(v);
        turned.bottom = turned.bottom.max(v);
    }
    turned
}

impl Tissue for Kidney<'_> {
    #[inline]
    fn at(&self, x: f32, y: f32) -> Local {
        for blob in &self.glomeruli {
            if let Some(place) = blob.depth(x, y)
                && place.depth > 0.0
            {
                return self.glomerulus(blob, place.depth, place.turn, x, y);
            }
        }
        for blob in &self.vessels {
            if let Some(place) = blob.depth(x, y)
                && place.depth > 0.0
            {
                let wall = 5.0 + blob.radius * 0.22;
                let mut local = self.ground.stroma(x, y, 0.35);
                local.dye = thinned(local.dye, 1.1 * (1.0 - ramp(place.depth - wall, 2.0)));
                if place.depth > wall {
                    local.chance = 0.0;
                }
                return local;
            }
        }
        self.tubule(x, y)
    }

    fn unit(&self, x: f32, y: f32) -> bool {
        self.glomeruli
            .iter()
            .any(|blob| blob.depth(x, y).is_some_and(|place| place.depth > 0.0))
    }
}
