//! Draws any window of a sample slide, at any level.

use super::kidney::Kidney;
use super::large_intestine::LargeIntestine;
use super::lung::Lung;
use super::noise::{Bounds, floor, hash, mix, ramp, unit};
use super::outline::Outline;
use super::prostate::Prostate;
use super::spleen::Spleen;
use super::stain::{Dye, Style, blend};
use super::tissue::{Ground, Local, Tissue};
use super::truth::label;
use super::{SampleError, Spec};
use ftuseg_router::Organ;

/// Side of the squares that are drawn at once, in drawn pixels: few enough to stay in the processor's cache.
const BLOCK: u32 = 160;
/// Largest side of such a square in um: what is prepared for it grows with its area, not its pixels.
const BLOCK_UM: f64 = 640.0;
/// Largest drawn pixel in um. Coarser levels are drawn finer and averaged, as a scanner's are.
const FINEST: f64 = 1.3;
/// Most drawn pixels per side of a pixel: bounds the work at very coarse levels.
const MOST: f64 = 4.0;
/// Distance of places where a nucleus can lie in um.
const NUCLEI: f32 = 7.0;
/// How far a nucleus can reach from its middle in um: radius 5, half again as long, a soft rim.
const NUCLEUS_REACH: f32 = 8.0;

/// A sample slide, ready to be drawn. Cheap to make and to share between threads; holds no pixels.
#[derive(Debug, Clone)]
pub struct Drawing {
    spec: Spec,
    seed: u32,
    style: Style,
    outlines: Vec<Outline>,
}

/// A window in pixels of one level, and its place in um.
#[derive(Clone, Copy)]
struct Window {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    /// Size of a pixel in um.
    scale: f64,
}

impl Window {
    /// The x of a pixel's middle in um.
    #[inline(always)]
    fn at_x(&self, column: u32) -> f32 {
        ((f64::from(self.x + column) + 0.5) * self.scale) as f32
    }

    /// The y of a pixel's middle in um.
    #[inline(always)]
    fn at_y(&self, row: u32) -> f32 {
        ((f64::from(self.y + row) + 0.5) * self.scale) as f32
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            left: (f64::from(self.x) * self.scale) as f32,
            top: (f64::from(self.y) * self.scale) as f32,
            right: (f64::from(self.x + self.width) * self.scale) as f32,
            bottom: (f64::from(self.y + self.height) * self.scale) as f32,
        }
    }
}

/// One square while it is drawn, a value a drawn pixel.
struct Block {
    window: Window,
    dye: Vec<Dye>,
    /// How much of the pixel a nucleus covers, 0 to 1, and its dye.
    nucleus: Vec<(f32, Dye)>,
    /// How much of the pixel the part covers, 0 to 1.
    cover: Vec<f32>,
}

impl Drawing {
    /// Prepares the slide that `spec` describes.
    ///
    /// # Errors
    /// [`SampleError::Usage`] if it has no pixels, an impossible um/px, or a part of no size.
    pub fn new(spec: &Spec) -> Result<Drawing, SampleError> {
        spec.check()?;
        let seed = mix(spec.seed as u32) ^ mix((spec.seed >> 32) as u32 ^ 0x5eed);
        let outlines = spec.parts.iter().zip(0..);
        Ok(Drawing {
            style: Style::new(seed),
            outlines: outlines
                .map(|(part, index)| Outline::new(part, part_seed(seed, index)))
                .collect(),
            spec: spec.clone(),
            seed,
        })
    }

    /// What is drawn.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Width and height of `level` in pixels: the full size halved `level` times, rounded up.
    pub fn level_size(&self, level: usize) -> (u32, u32) {
        let half = |mut size: u32| {
            for _ in 0..level.min(32) {
                size = size.div_ceil(2);
            }
            size
        };
        (half(self.spec.width), half(self.spec.height))
    }

    /// Draws the `width` x `height` pixels of `level` from (`x`, `y`) on into `out`, shaped `[height, width, 3]`.
    /// Pixels beyond the level's edge show more glass or tissue. A short `out` gets what fits.
    pub fn rgb(&self, level: usize, x: u32, y: u32, width: u32, height: u32, out: &mut [u8]) {
        let scale = self.scale(level);
        let fine = (scale / FINEST).ceil().clamp(1.0, MOST) as u32;
        let side = block_side(BLOCK / fine, scale);
        for top in (0..height).step_by(side as usize) {
            for left in (0..width).step_by(side as usize) {
                let window = Window {
                    x: x + left,
                    y: y + top,
                    width: side.min(width - left),
                    height: side.min(height - top),
                    scale,
                };
                let pixels = self.square(window, fine, level);
                for (row, line) in pixels.chunks_exact(window.width as usize * 3).enumerate() {
                    let start = ((top as usize + row) * width as usize + left as usize) * 3;
                    if let Some(place) = out.get_mut(start..start + line.len()) {
                        place.copy_from_slice(line);
                    }
                }
            }
        }
    }

    /// Writes for each pixel of the window the label of the functional tissue unit it belongs to, 1 to 5, or
    /// 0, into `out`, shaped `[height, width]`. A coarser level's pixel has the label of its middle.
    pub fn truth(&self, level: usize, x: u32, y: u32, width: u32, height: u32, out: &mut [u8]) {
        self.labels(level, (x, y, width, height), true, out);
    }

    /// Writes for each pixel of the window the label of the organ whose piece of tissue it lies in, 1 to 5, or
    /// 0 on glass, into `out`, shaped `[height, width]`. Holes inside of a piece belong to it.
    pub fn organ_at(&self, level: usize, x: u32, y: u32, width: u32, height: u32, out: &mut [u8]) {
        self.labels(level, (x, y, width, height), false, out);
    }

    fn scale(&self, level: usize) -> f64 {
        self.spec.mpp * (1u64 << level.min(32)) as f64
    }

    fn ground(&self, index: usize, bounds: Bounds) -> Ground<'_> {
        let part = &self.spec.parts[index];
        let centre = (part.centre.0 as f32, part.centre.1 as f32);

        let seed = part_seed(self.seed, index as u32);
        Ground::new(&self.style, seed, centre, bounds)
    }

    fn labels(
        &self,
        level: usize,
        (x, y, width, height): (u32, u32, u32, u32),
        units: bool,
        out: &mut [u8],
    ) {
        out.fill(0);
        let side = block_side(BLOCK, self.scale(level));
        for top in (0..height).step_by(side as usize) {
            for left in (0..width).step_by(side as usize) {
                let window = Window {
                    x: x + left,
                    y: y + top,
                    width: side.min(width - left),
                    height: side.min(height - top),
                    scale: self.scale(level),
                };
                let bounds = window.bounds();
                for (index, outline) in self.outlines.iter().enumerate() {
                    if !outline.touches(bounds) {
                        continue;
                    }
                    let organ = self.spec.parts[index].organ;
                    let tissue =
                        units.then(|| prepare(organ, self.ground(index, bounds.grown(2.0))));
                    for row in 0..window.height {
                        let start = (top + row) as usize * width as usize + left as usize;
                        let Some(line) = out.get_mut(start..start + window.width as usize) else {
                            continue;
                        };
                        let y = window.at_y(row);
                        for (place, column) in line.iter_mut().zip(0..) {
                            let x = window.at_x(column);
                            if outline.depth(x, y) > 0.0 {
                                let unit = tissue.as_ref().is_none_or(|tissue| tissue.unit(x, y));
                                *place = if unit { label(organ) } else { 0 };
                            }
                        }
                    }
                }
            }
        }
    }

    /// The colours of a small window, `[height, width, 3]`, each pixel the mean of `fine` x `fine` drawn ones.
    fn square(&self, window: Window, fine: u32, level: usize) -> Vec<u8> {
        let drawn = Window {
            x: window.x * fine,
            y: window.y * fine,
            width: window.width * fine,
            height: window.height * fine,
            scale: window.scale / f64::from(fine),
        };
        let size = drawn.width as usize * drawn.height as usize;
        let bounds = drawn.bounds();
        let mut dye: Option<Vec<Dye>> = None;
        for (index, outline) in self.outlines.iter().enumerate() {
            if !outline.touches(bounds) {
                continue;
            }
            let ground = self.ground(index, bounds.grown(NUCLEUS_REACH + NUCLEI));
            let block = Block {
                window: drawn,
                dye: vec![[0.0; 3]; size],
                nucleus: vec![(0.0, [0.0; 3]); size],
                cover: vec![0.0; size],
            };
            let seed = ground.seed;
            let block = match self.spec.parts[index].organ {
                Organ::Kidney => block.draw(&Kidney::new(ground), outline, seed),
                Organ::Prostate => block.draw(&Prostate::new(ground), outline, seed),
                Organ::LargeIntestine => block.draw(&LargeIntestine::new(ground), outline, seed),
                Organ::Spleen => block.draw(&Spleen::new(ground), outline, seed),
                Organ::Lung => block.draw(&Lung::new(ground), outline, seed),
            };
            let below = dye.get_or_insert_with(|| vec![[0.0; 3]; size]);
            for (place, (cover, top)) in below.iter_mut().zip(block.cover.iter().zip(&block.dye)) {
                *place = blend(*place, *top, *cover);
            }
        }
        self.develop(window, fine, level, dye.as_deref())
    }

    /// From dye to the camera's pixels: absorption, averaging, the lamp, the sensor's noise.
    fn develop(&self, window: Window, fine: u32, level: usize, dye: Option<&[Dye]>) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(window.width as usize * window.height as usize * 3);
        let drawn_width = (window.width * fine) as usize;
        let share = 1.0 / (fine * fine) as f32;
        let noise = self.seed ^ mix(level as u32 ^ 0x0153);
        let reach = (self.spec.width.max(self.spec.height) as f64 * self.spec.mpp) as f32;
        for row in 0..window.height {
            let down = window.at_y(row) / reach - 0.5;
            for column in 0..window.width {
                let mut colour = [0.0f32; 3];
                match dye {
                    None => colour = self.style.glass(),
                    Some(dye) => {
                        for dy in 0..fine {
                            let line =
                                (row * fine + dy) as usize * drawn_width + (column * fine) as usize;
                            for amount in &dye[line..line + fine as usize] {
                                let taken = self.style.colour(*amount);
                                for (sum, value) in colour.iter_mut().zip(taken) {
                                    *sum += value * share;
                                }
                            }
                        }
                    }
                }
                let across = window.at_x(column) / reach - 0.5;
                let lamp = 1.0 + self.style.light.0 * across + self.style.light.1 * down;
                let bits = hash((window.x + column) as i32, (window.y + row) as i32, noise);
                let grey = (bits & 0xff) as f32 * (2.0 / 255.0) - 1.0;
                for (channel, value) in colour.into_iter().enumerate() {
                    let own = ((bits >> (8 + 8 * channel)) & 0xff) as f32 * (1.6 / 255.0) - 0.8;
                    // Rounded to the nearest; the cast keeps to 0..=255.
                    pixels.push((value * lamp + grey + own + 0.5) as u8);
                }
            }
        }
        pixels
    }
}

/// Pixels a side of the squares drawn at once: `most`, or fewer where pixels are large; `scale` is their um.
fn block_side(most: u32, scale: f64) -> u32 {
    // At least one pixel; the cast cuts to whole ones.
    ((BLOCK_UM / scale) as u32).clamp(1, most)
}

/// The seed of one part of a slide.
fn part_seed(seed: u32, index: u32) -> u32 {
    mix(seed ^ mix(index.wrapping_add(0x9a47)))
}

fn prepare<'a>(organ: Organ, ground: Ground<'a>) -> Box<dyn Tissue + 'a> {
    match organ {
        Organ::Kidney => Box::new(Kidney::new(ground)),
        Organ::Prostate => Box::new(Prostate::new(ground)),
        Organ::LargeIntestine => Box::new(LargeIntestine::new(ground)),
        Organ::Spleen => Box::new(Spleen::new(ground)),
        Organ::Lung => Box::new(Lung::new(ground)),
    }
}

impl Block {
    /// Draws one part: its tissue, then its nuclei over it.
    fn draw<T: Tissue>(mut self, tissue: &T, outline: &Outline, seed: u32) -> Block {
        let window = self.window;
        let soft = (window.scale as f32).max(1.2);
        let inside = outline.surely_inside(window.bounds());
        let mut index = 0;
        for row in 0..window.height {
            let y = window.at_y(row);
            for column in 0..window.width {
                let x = window.at_x(column);
                let depth = if inside {
                    f32::MAX
                } else {
                    outline.depth(x, y)
                };
                let cover = ramp(depth, soft);
                if cover > 0.0 {
                    self.cover[index] = cover;
                    // The cut edge takes more stain.
                    let edge = 1.0 + 0.35 * ramp(7.0 - depth, 8.0);
                    self.dye[index] = tissue.at(x, y).dye.map(|amount| amount * edge);
                }
                index += 1;
            }
        }
        self.nuclei(tissue, outline, seed);
        for (dye, (amount, nucleus)) in self.dye.iter_mut().zip(&self.nucleus) {
            if *amount > 0.0 {
                *dye = blend(*dye, *nucleus, *amount);
            }
        }
        self
    }

    fn nuclei<T: Tissue>(&mut self, tissue: &T, outline: &Outline, seed: u32) {
        let seed = seed ^ 0x00c1_e000;
        let bounds = self.window.bounds().grown(NUCLEUS_REACH);
        for row in floor(bounds.top / NUCLEI)..=floor(bounds.bottom / NUCLEI) {
            for column in floor(bounds.left / NUCLEI)..=floor(bounds.right / NUCLEI) {
                let bits = hash(column, row, seed);
                let x = (column as f32 + 0.1 + 0.8 * unit(bits)) * NUCLEI;
                let y = (row as f32 + 0.1 + 0.8 * unit(bits << 13)) * NUCLEI;
                let local = tissue.at(x, y);
                let more = mix(bits);
                if unit(more) < local.chance && outline.depth(x, y) > 0.0 {
                    self.nucleus(x, y, &local, more);
                }
            }
        }
    }

    /// Draws one nucleus over whatever lies there; where two overlap, the one that covers more stays.
    fn nucleus(&mut self, x: f32, y: f32, local: &Local, bits: u32) {
        let vary = 0.8 + 0.4 * unit(bits << 7);
        let radius = local.radius * vary;
        // Long nuclei lie along the tissue, round ones are a little oval in any direction.
        let long = local.long.max(1.0 + 0.45 * unit(bits << 11));
        let tilt = (unit(bits << 15) - 0.5) * if local.long > 1.5 { 0.7 } else { 6.0 };
        let length = (1.0 + tilt * tilt).sqrt();
        let (c, s) = local.axis;
        let axis = ((c - s * tilt) / length, (s + c * tilt) / length);
        let root = long.sqrt();
        let soft = 1.0 / radius.max(0.5);
        // The soft rim adds at most 0.75 um times the root; a little more, so that rounding never cuts it.
        let reach = (radius + 0.8) * root + 0.1;
        debug_assert!(reach <= NUCLEUS_REACH, "a nucleus larger than the margin");
        let dark = 0.72 + 0.5 * unit(bits << 3);
        let scale = self.window.scale as f32;
        let (left, top) = (self.window.bounds().left, self.window.bounds().top);
        let span = |low: f32, size: u32| {
            let first = floor((low - reach) / scale).max(0) as u32;
            let last = (floor((low + reach) / scale) + 1).clamp(0, size as i32) as u32;
            first..last
        };
        for row in span(y - top, self.window.height) {
            let dy = self.window.at_y(row) - y;
            for column in span(x - left, self.window.width) {
                let dx = self.window.at_x(column) - x;
                let u = (dx * axis.0 + dy * axis.1) / root;
                let v = (dy * axis.0 - dx * axis.1) * root;
                let distance = (u * u + v * v).sqrt() / radius;
                let amount = 0.92 * ramp(1.0 - distance, 1.5 * soft);
                let place = row as usize * self.window.width as usize + column as usize;
                if amount > self.nucleus[place].0 {
                    // Chromatin: darker at the rim and in a few spots.
                    let spot = hash(floor(u * 0.9 + x), floor(v * 0.9 + y), bits) & 0xff;
                    let tone = dark * (0.82 + 0.22 * distance + 0.22 * (spot as f32 / 255.0));
                    self.nucleus[place] = (amount, local.nucleus.map(|dye| dye * tone));
                }
            }
        }
    }
}
