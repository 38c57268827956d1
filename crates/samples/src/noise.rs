//! Repeatable randomness: integer hashes, noise over the plane, and arithmetic that is equal everywhere.
//!
//! Nothing here calls the system's mathematics library, whose sine or exponential may differ between
//! machines in the last bit. Only `+ - * /`, `sqrt` and integers are used.

/// Mixes a place and a seed to 32 random bits.
#[inline(always)]
pub(super) fn hash(x: i32, y: i32, seed: u32) -> u32 {
    mix((x as u32).wrapping_mul(0x8da6_b343)
        ^ (y as u32).wrapping_mul(0xd816_3841)
        ^ seed.wrapping_mul(0xcb1a_b31f))
}

/// Scrambles 32 bits.
#[inline(always)]
pub(super) fn mix(mut bits: u32) -> u32 {
    bits ^= bits >> 15;
    bits = bits.wrapping_mul(0x2c1b_3c6d);
    bits ^= bits >> 12;
    bits = bits.wrapping_mul(0x297a_2d39);
    bits ^ (bits >> 15)
}

/// The bits as a number from 0 up to, not including, 1.
#[inline(always)]
pub(super) fn unit(bits: u32) -> f32 {
    (bits >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// The next lower whole number.
#[inline(always)]
pub(super) fn floor(x: f32) -> i32 {
    let cut = x as i32;
    cut - i32::from((cut as f32) > x)
}

/// `e` to the power of `-x` for `x` from 0; closer than 0.0003.
#[inline(always)]
pub(super) fn exp_minus(x: f32) -> f32 {
    let power = -x.clamp(0.0, 20.0) * std::f32::consts::LOG2_E;
    let whole = floor(power);
    let part = power - whole as f32;
    let root = 1.0 + part * (0.695_98 + part * (0.226_35 + part * 0.077_67));
    f32::from_bits(((whole + 127) as u32) << 23) * root
}

/// 0 below `-width / 2`, 1 above `width / 2`, a straight ramp between.
#[inline(always)]
pub(super) fn ramp(distance: f32, width: f32) -> f32 {
    (distance / width + 0.5).clamp(0.0, 1.0)
}

/// From `a` at `t` = 0 to `b` at `t` = 1.
#[inline(always)]
pub(super) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// A random number, 0 to 1, for each whole place, smoothly joined.
#[inline(always)]
pub(super) fn value(x: f32, y: f32, seed: u32) -> f32 {
    let (ix, iy) = (floor(x), floor(y));
    let (fx, fy) = (x - ix as f32, y - iy as f32);
    let (sx, sy) = (fx * fx * (3.0 - 2.0 * fx), fy * fy * (3.0 - 2.0 * fy));
    let corner = |dx: i32, dy: i32| unit(hash(ix.wrapping_add(dx), iy.wrapping_add(dy), seed));
    lerp(
        lerp(corner(0, 0), corner(1, 0), sx),
        lerp(corner(0, 1), corner(1, 1), sx),
        sy,
    )
}

/// Spots of about one unit, 0 to 1: two layers of [`value`], turned so that no squares show.
#[inline(always)]
pub(super) fn mottle(x: f32, y: f32, seed: u32) -> f32 {
    let (u, v) = (0.8 * x + 0.6 * y, 0.8 * y - 0.6 * x);
    let (s, t) = (1.1 * x - 1.9 * y, 1.9 * x + 1.1 * y);
    0.64 * value(u, v, seed) + 0.36 * value(s, t, seed ^ 0x77)
}

/// Noise without the square look of [`value`], about -1 to 1, 0 on average.
pub(super) fn wave(x: f32, y: f32, seed: u32) -> f32 {
    const SLOPES: [(f32, f32); 8] = [
        (1.0, 0.0),
        (0.707, 0.707),
        (0.0, 1.0),
        (-0.707, 0.707),
        (-1.0, 0.0),
        (-0.707, -0.707),
        (0.0, -1.0),
        (0.707, -0.707),
    ];
    let (ix, iy) = (floor(x), floor(y));
    let (fx, fy) = (x - ix as f32, y - iy as f32);
    let fade = |t: f32| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let corner = |dx: i32, dy: i32| {
        let bits = hash(ix.wrapping_add(dx), iy.wrapping_add(dy), seed);
        let slope = SLOPES[(bits >> 29) as usize];
        slope.0 * (fx - dx as f32) + slope.1 * (fy - dy as f32)
    };
    let (sx, sy) = (fade(fx), fade(fy));
    1.5 * lerp(
        lerp(corner(0, 0), corner(1, 0), sx),
        lerp(corner(0, 1), corner(1, 1), sx),
        sy,
    )
}

/// A rectangle in um.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl Bounds {
    /// The rectangle grown by `margin` um on each side.
    pub(super) fn grown(self, margin: f32) -> Bounds {
        Bounds {
            left: self.left - margin,
            top: self.top - margin,
            right: self.right + margin,
            bottom: self.bottom + margin,
        }
    }
}

/// Smooth noise, about -1 to 1, worked out on a lattice of fixed places and joined between them: cheap to
/// ask for at every pixel. The lattice does not depend on the rectangle, so neighbouring ones agree.
pub(super) struct Field {
    step: f32,
    x0: i32,
    y0: i32,
    columns: usize,
    values: Vec<f32>,
}

impl Field {
    /// Noise with bumps of about `size` um, over `bounds`.
    pub(super) fn new(seed: u32, size: f32, bounds: Bounds) -> Field {
        let step = size / 8.0;
        let (x0, y0) = (floor(bounds.left / step), floor(bounds.top / step));
        let columns = (floor(bounds.right / step) - x0 + 2) as usize;
        let rows = (floor(bounds.bottom / step) - y0 + 2) as usize;
        let mut values = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let (x, y) = ((x0 + column as i32) as f32, (y0 + row as i32) as f32);
                values.push(wave(x / 8.0, y / 8.0, seed));
            }
        }
        Field {
            step,
            x0,
            y0,
            columns,
            values,
        }
    }

    /// The noise at a place in um, which must lie in the bounds; beyond, it is 0.
    #[inline(always)]
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let (u, v) = (x / self.step, y / self.step);
        let (ix, iy) = (floor(u), floor(v));
        let (fx, fy) = (u - ix as f32, v - iy as f32);
        let place = (iy - self.y0) as usize * self.columns + (ix - self.x0) as usize;
        debug_assert!(
            ix >= self.x0
                && iy >= self.y0
                && ix - self.x0 + 1 < self.columns as i32
                && place + self.columns + 1 < self.values.len(),
            "a place outside of the bounds"
        );
        let Some(lower) = self.values.get(place..place.wrapping_add(2)) else {
            return 0.0;
        };
        let Some(upper) = self
            .values
            .get(place + self.columns..place + self.columns + 2)
        else {
            return 0.0;
        };
        lerp(
            lerp(lower[0], lower[1], fx),
            lerp(upper[0], upper[1], fx),
            fy,
        )
    }
}

/// A row of random numbers from one seed.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    state: u32,
}

impl Stream {
    /// The row that belongs to `seed`.
    pub(super) fn new(seed: u32) -> Stream {
        Stream { state: mix(seed) }
    }

    /// The next 32 random bits.
    pub(super) fn bits(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9);
        mix(self.state)
    }

    /// The next number from `low` to `high`.
    pub(super) fn range(&mut self, low: f32, high: f32) -> f32 {
        lerp(low, high, unit(self.bits()))
    }

    /// True with the given chance, 0 to 1.
    pub(super) fn chance(&mut self, chance: f32) -> bool {
        unit(self.bits()) < chance
    }

    /// A random direction of length 1.
    pub(super) fn direction(&mut self) -> (f32, f32) {
        // Points of the square that fall into the ring; the bound only guards against endless bad luck.
        for _ in 0..32 {
            let (x, y) = (self.range(-1.0, 1.0), self.range(-1.0, 1.0));
            let square = x * x + y * y;
            if (0.05..1.0).contains(&square) {
                let length = square.sqrt();
                return (x / length, y / length);
            }
        }
        (1.0, 0.0)
    }
}
