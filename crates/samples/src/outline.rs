//! The outline of a piece of tissue on the glass.

use super::Part;
use super::noise::{Bounds, Stream, value, wave};
use super::shape::times;

/// How far noise may move the edge in um.
const FRAY: f32 = 16.0;

/// A part's edge, worked out once a slide.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    centre: (f32, f32),
    radius: (f32, f32),
    lobes: Vec<(f32, f32, f32)>,
    /// A straight cut, as where a core was torn: direction and distance from the centre in um.
    cut: Option<((f32, f32), f32)>,
    seed: u32,
    reach: (f32, f32),
}

impl Outline {
    /// The outline of `part` under its own seed.
    pub(super) fn new(part: &Part, seed: u32) -> Outline {
        let mut stream = Stream::new(seed ^ 0x0071_11e0);
        let radius = (part.radius.0 as f32, part.radius.1 as f32);
        let wobble = part.irregularity as f32;
        let strength = 0.012 + 0.16 * wobble;
        let mut sum = 0.0;
        let lobes: Vec<(f32, f32, f32)> = (0..4)
            .map(|index| {
                let (c, s) = stream.direction();
                let lobe = strength * stream.range(0.4, 1.0) / (1.0 + 0.6 * index as f32);
                sum += lobe;
                (lobe, c, s)
            })
            .collect();
        let cut = stream.chance(0.3).then(|| {
            let direction = stream.direction();
            let distance = stream.range(0.78, 0.97) * radius.0.min(radius.1);
            (direction, distance)
        });
        Outline {
            centre: (part.centre.0 as f32, part.centre.1 as f32),
            radius,
            lobes,
            cut,
            seed,
            reach: (radius.0 * (1.0 + sum) + FRAY, radius.1 * (1.0 + sum) + FRAY),
        }
    }

    /// True if the part can touch `bounds`.
    pub(super) fn touches(&self, bounds: Bounds) -> bool {
        self.centre.0 + self.reach.0 > bounds.left
            && self.centre.0 - self.reach.0 < bounds.right
            && self.centre.1 + self.reach.1 > bounds.top
            && self.centre.1 - self.reach.1 < bounds.bottom
    }

    /// About the distance to the edge in um, positive inside.
    #[inline]
    pub(super) fn depth(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        let (u, v) = (dx / self.radius.0, dy / self.radius.1);
        let distance = (u * u + v * v).sqrt();
        if distance < 0.3 {
            // Deep inside whatever the lobes; saves the middle of the slide the rest.
            return (0.5 * self.radius.0.min(self.radius.1)).min(self.cut_depth(dx, dy));
        }
        let turn = (u / distance, v / distance);
        let mut lobe_turn = turn;
        let mut limit = 1.0;
        for &(strength, c, s) in &self.lobes {
            lobe_turn = times(lobe_turn, turn);
            limit += strength * (lobe_turn.0 * c + lobe_turn.1 * s);
        }
        let smooth =
            ((limit - distance) * self.radius.0.min(self.radius.1)).min(self.cut_depth(dx, dy));
        if smooth.abs() > FRAY {
            return smooth;
        }
        smooth
            + 5.0 * wave(x / 45.0, y / 45.0, self.seed)
            + 4.0 * wave(x / 13.0, y / 13.0, self.seed ^ 1)
            + 5.0 * (value(x / 5.0, y / 5.0, self.seed ^ 2) - 0.5)
    }

    /// True only if the whole rectangle lies deep in the part.
    pub(super) fn surely_inside(&self, bounds: Bounds) -> bool {
        let middle = (
            0.5 * (bounds.left + bounds.right),
            0.5 * (bounds.top + bounds.bottom),
        );
        let (w, h) = (bounds.right - bounds.left, bounds.bottom - bounds.top);
        // A um outwards changes the depth by one, a um along a ragged edge by up to two more.
        self.depth(middle.0, middle.1) > FRAY + 8.0 + 1.5 * (w * w + h * h).sqrt()
    }

    #[inline(always)]
    fn cut_depth(&self, dx: f32, dy: f32) -> f32 {
        match self.cut {
            Some(((c, s), distance)) => distance - (dx * c + dy * s),
            None => f32::MAX,
        }
    }
}
