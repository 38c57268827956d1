//! Recognises the images that a bundle's networks were trained on: what is found on those says nothing about accuracy.
//!
//! An image is known by its look: the mean brightness of 24 x 24 cells. Two looks are compared by their correlation, in all
//! eight orientations, so that another size, compression or format changes nothing.

/// Cells across and down.
pub const CELLS: usize = 24;

/// How far from 1 the correlation of two pictures of one image may lie. Among 84 cores, the same core saved as JPEG of
/// quality 30 to 90 at .37 to 2.3 times the size stayed within .003, and two different cores were .019 apart or more.
const SAME: f64 = 0.01;

/// How an image looks: the mean brightness of its cells, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look([u8; CELLS * CELLS]);

impl Look {
    /// The look of an RGB picture, `[height, width, 3]`. `None` for one with fewer px than cells.
    pub fn of(rgb: &[u8], width: usize, height: usize) -> Option<Self> {
        if width < CELLS || height < CELLS || rgb.len() < width * height * 3 {
            return None;
        }
        let (across, down) = (shares(width), shares(height));
        let mut sums = vec![0.0; CELLS * CELLS];
        for (row, cells) in rgb.chunks_exact(width * 3).zip(&down) {
            let mut means = [0.0; CELLS];
            for (px, parts) in row.chunks_exact(3).zip(&across) {
                let [r, g, b] = [0, 1, 2].map(|c| f64::from(px[c]));
                let grey = 0.299 * r + 0.587 * g + 0.114 * b;
                for &(cell, share) in parts {
                    means[cell] += share * grey;
                }
            }
            for &(cell, share) in cells {
                let line = &mut sums[cell * CELLS..(cell + 1) * CELLS];
                for (sum, mean) in line.iter_mut().zip(means) {
                    *sum += share * mean;
                }
            }
        }
        let mut look = [0; CELLS * CELLS];
        for (cell, sum) in look.iter_mut().zip(sums) {
            *cell = (sum + 0.5).floor().clamp(0.0, 255.0) as u8;
        }
        Some(Look(look))
    }

    /// The look as a bundle's table of training images has it: hexadecimal bytes, row by row.
    pub fn to_hex(&self) -> String {
        super::hex(&self.0)
    }

    /// The cells less their mean, of length 1; all 0 for a picture of one brightness.
    fn unit(&self) -> Vec<f64> {
        let mean = self.0.iter().map(|&c| f64::from(c)).sum::<f64>() / self.0.len() as f64;
        let apart: Vec<f64> = self.0.iter().map(|&c| f64::from(c) - mean).collect();
        let length = apart.iter().map(|a| a * a).sum::<f64>().sqrt();
        // A grid of a few grey levels is nothing to be known by: blank glass correlates with anything.
        match length > CELLS as f64 {
            true => apart.iter().map(|a| a / length).collect(),
            false => vec![0.0; self.0.len()],
        }
    }

    /// The look of the picture mirrored along its diagonal, which with a mirror image makes a quarter turn.
    fn transposed(&self) -> Look {
        self.moved(|row, column| (column, row))
    }

    fn mirrored(&self) -> Look {
        self.moved(|row, column| (row, CELLS - 1 - column))
    }

    fn moved(&self, from: impl Fn(usize, usize) -> (usize, usize)) -> Look {
        let mut cells = [0; CELLS * CELLS];
        for (index, cell) in cells.iter_mut().enumerate() {
            let (row, column) = from(index / CELLS, index % CELLS);
            *cell = self.0[row * CELLS + column];
        }
        Look(cells)
    }

    /// All eight orientations.
    fn orientations(&self) -> Vec<Look> {
        let mut all = vec![self.clone()];
        for _ in 0..3 {
            let last = &all[all.len() - 1];
            all.push(last.transposed().mirrored());
        }
        let turned: Vec<Look> = all.iter().map(Look::mirrored).collect();
        all.extend(turned);
        all
    }
}

/// For each px of a side, the cells that it lies in with its share in their mean: one, or two at a border.
fn shares(length: usize) -> Vec<Vec<(usize, f64)>> {
    let side = length as f64 / CELLS as f64;
    (0..length)
        .map(|px| {
            let (from, to) = (px as f64, px as f64 + 1.0);
            let (first, last) = ((from / side) as usize, (to / side).ceil() as usize);
            (first..last.min(CELLS))
                .map(|cell| {
                    let (low, high) = (cell as f64 * side, (cell as f64 + 1.0) * side);
                    (cell, (high.min(to) - low.max(from)).max(0.0) / side)
                })
                .collect()
        })
        .collect()
}

/// The images that a bundle's networks were trained on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingImages(Vec<(String, Vec<f64>)>);

impl TrainingImages {
    /// Reads the bundle's table: a line `image,look`, then each image's name and its look as hexadecimal bytes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().zip(1..);
        if lines
            .next()
            .is_none_or(|(head, _)| head.trim() != "image,look")
        {
            return Err("its first line is not \"image,look\"".to_owned());
        }
        let mut images = Vec::new();
        for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
            let wrong = || format!("line {number} is no name with {} bytes", CELLS * CELLS);
            let (name, hex) = line.trim().rsplit_once(',').ok_or_else(wrong)?;
            let mut look = [0; CELLS * CELLS];
            if hex.len() != 2 * look.len() || !hex.is_ascii() {
                return Err(wrong());
            }
            for (cell, at) in look.iter_mut().zip((0..).step_by(2)) {
                *cell = u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| wrong())?;
            }
            images.push((name.to_owned(), Look(look).unit()));
        }
        Ok(TrainingImages(images))
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of the training image that looks like this one, the most alike if there are several.
    pub fn find(&self, look: &Look) -> Option<&str> {
        let orientations: Vec<Vec<f64>> = look.orientations().iter().map(Look::unit).collect();
        let apart = |unit: &[f64]| {
            let of = |other: &Vec<f64>| 1.0 - dot(unit, other);
            orientations.iter().map(of).fold(f64::INFINITY, f64::min)
        };
        self.0
            .iter()
            .map(|(name, unit)| (apart(unit), name.as_str()))
            .filter(|(apart, _)| *apart <= SAME)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, name)| name)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of soft shapes, each seed another one.
    fn picture(width: usize, height: usize, seed: f64) -> Vec<u8> {
        let mut rgb = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let (u, v) = (x as f64 / width as f64, y as f64 / height as f64);
                let wave =
                    (u * (9.0 + seed) + 2.0 * seed).sin() + (v * (7.0 + seed) + u * 5.0).cos();
                rgb.extend([(128.0 + 50.0 * wave) as u8; 3]);
            }
        }
        rgb
    }

    fn look(width: usize, height: usize, seed: f64) -> Look {
        Look::of(&picture(width, height, seed), width, height).unwrap()
    }

    fn table(looks: &[Look]) -> TrainingImages {
        let lines = looks
            .iter()
            .enumerate()
            .map(|(n, look)| format!("set {n},{}", look.to_hex()));
        let text: Vec<String> = std::iter::once("image,look".to_owned())
            .chain(lines)
            .collect();
        TrainingImages::parse(&text.join("\n")).unwrap()
    }

    #[test]
    fn an_image_is_known_at_any_size_and_in_any_orientation() {
        let known = table(&[look(600, 500, 1.0), look(600, 500, 2.0)]);
        assert_eq!(known.find(&look(173, 210, 2.0)), Some("set 1"));
        for turned in look(300, 300, 1.0).orientations() {
            assert_eq!(known.find(&turned), Some("set 0"));
        }
        assert_eq!(known.find(&look(600, 500, 3.0)), None);
    }

    #[test]
    fn orientations_are_eight_different_ones() {
        let mut all: Vec<_> = look(300, 200, 1.0)
            .orientations()
            .iter()
            .map(|l| l.0)
            .collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 8);
    }

    #[test]
    fn blank_pictures_look_like_nothing() {
        let blank = Look::of(&vec![244; 100 * 100 * 3], 100, 100).unwrap();
        assert_eq!(table(std::slice::from_ref(&blank)).find(&blank), None);
        assert_eq!(Look::of(&[0; 20 * 30 * 3], 20, 30), None);
    }

    #[test]
    fn cells_are_exact_means() {
        // Columns of 0 and 255: each cell of 2.5 px holds its share of both.
        let width = CELLS * 5 / 2;
        let rgb: Vec<u8> = (0..CELLS)
            .flat_map(|_| (0..width).flat_map(|x| [if x % 5 < 2 { 0 } else { 255 }; 3]))
            .collect();
        let look = Look::of(&rgb, width, CELLS).unwrap();
        assert_eq!(&look.0[..4], &[51, 255, 51, 255]);
    }

    #[test]
    fn a_wrong_table_is_refused_with_its_line() {
        for (text, words) in [
            ("", "first line"),
            ("id,hash\n", "first line"),
            ("image,look\na,00", "line 2"),
            ("image,look\nnothing", "line 2"),
        ] {
            let error = TrainingImages::parse(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let odd = format!("image,look\na,{}", "x".repeat(2 * CELLS * CELLS));
        assert!(TrainingImages::parse(&odd).is_err());
        assert!(TrainingImages::parse("image,look\n").unwrap().is_empty());
    }
}
