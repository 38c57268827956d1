//! Says what a sample slide shows.

use ftuseg_router::Organ;

use super::SampleError;
use super::noise::Stream;

/// One piece of tissue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// What it is a piece of.
    pub organ: Organ,
    /// Its middle (x, y) in um from the slide's top left.
    pub centre: (f64, f64),
    /// Its half axes (x, y) in um.
    pub radius: (f64, f64),
    /// How ragged its outline is: 0 for a punched core, 1 for a surgical piece.
    pub irregularity: f64,
}

/// What a sample slide shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The pieces of tissue. Where two overlap, the later one lies on top.
    pub parts: Vec<Part>,
    /// Width at full size in pixels.
    pub width: u32,
    /// Height at full size in pixels.
    pub height: u32,
    /// Size of a full-size pixel in um.
    pub mpp: f64,
    /// Chooses everything that is random: stain, sizes, places. Width, height and `mpp` do not change it.
    pub seed: u64,
}

/// A round core of one organ in the middle of a square slide of `size` x `size` px at `mpp` um/px, filling
/// most of it. 3000 px at 0.4 um/px is a tissue micro-array's usual 1.2 mm.
pub fn core(organ: Organ, size: u32, mpp: f64, seed: u64) -> Spec {
    let side = f64::from(size) * mpp;
    let mut stream = Stream::new(seed as u32 ^ 0xc04e);
    // Shares of the side, so that a core is cut the same way at every um/px.
    let share = f64::from(stream.range(0.40, 0.45));
    let squeeze = f64::from(stream.range(0.93, 1.0));
    let shift = |stream: &mut Stream| 0.5 + f64::from(stream.range(-0.025, 0.025));
    Spec {
        parts: vec![Part {
            organ,
            centre: (shift(&mut stream) * side, shift(&mut stream) * side),
            radius: (share * side, share * squeeze * side),
            irregularity: 0.05,
        }],
        width: size,
        height: size,
        mpp,
        seed,
    }
}

/// Two ragged pieces side by side with bare glass between: `left` and `right`, on `width` x `height` px at
/// `mpp` um/px.
pub fn two_organs(left: Organ, right: Organ, width: u32, height: u32, mpp: f64, seed: u64) -> Spec {
    let (w, h) = (f64::from(width) * mpp, f64::from(height) * mpp);
    let part = |organ, x: f64| Part {
        organ,
        centre: (x * w, 0.5 * h),
        radius: (0.185 * w, 0.37 * h),
        irregularity: 0.6,
    };
    Spec {
        parts: vec![part(left, 0.26), part(right, 0.74)],
        width,
        height,
        mpp,
        seed,
    }
}

/// Many cores of 1.2 mm in rows, the organs in turn, as on a tissue micro-array of `width` x `height` px at
/// `mpp` um/px. A slide too small for one core gets one that fits.
pub fn tissue_array(width: u32, height: u32, mpp: f64, seed: u64) -> Spec {
    let (w, h) = (f64::from(width) * mpp, f64::from(height) * mpp);
    let pitch = 1600.0_f64.min(w).min(h);
    let (columns, rows) = ((w / pitch).floor() as usize, (h / pitch).floor() as usize);
    let mut stream = Stream::new(seed as u32 ^ 0xa44a);
    let mut parts = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let mut off = || f64::from(stream.range(-0.03, 0.03)) * pitch;
            let place = |index: usize, count: usize, side: f64| {
                (index as f64 + 0.5) * pitch + (side - count as f64 * pitch) / 2.0
            };
            parts.push(Part {
                organ: Organ::ALL[(row * 2 + column) % 5],
                centre: (
                    place(column, columns, w) + off(),
                    place(row, rows, h) + off(),
                ),
                radius: (0.375 * pitch, 0.37 * pitch),
                irregularity: 0.05,
            });
        }
    }
    Spec {
        parts,
        width,
        height,
        mpp,
        seed,
    }
}

impl Spec {
    /// Says what cannot be drawn, if anything.
    pub(super) fn check(&self) -> Result<(), SampleError> {
        let wrong = |text: String| Err(SampleError::Usage(text));
        if self.width == 0 || self.height == 0 {
            return wrong(format!(
                "{} x {} pixels hold nothing",
                self.width, self.height
            ));
        }
        if !(0.05..=64.0).contains(&self.mpp) {
            return wrong(format!("{} um/px; it must be 0.05 to 64", self.mpp));
        }
        // Beyond this, places in um are no longer exact to a part of a pixel.
        let side = f64::from(self.width.max(self.height)) * self.mpp;
        if side > 250_000.0 {
            return wrong(format!("a side of {side} um; the largest is 250000"));
        }
        for part in &self.parts {
            let numbers = [part.centre.0, part.centre.1, part.radius.0, part.radius.1];
            let near = numbers.iter().all(|number| number.abs() <= 500_000.0);
            let small = part.radius.0.min(part.radius.1);
            if !near || small < 1.0 || !(0.0..=1.0).contains(&part.irregularity) {
                return wrong(format!("a part that is no piece of tissue: {part:?}"));
            }
        }
        Ok(())
    }
}
