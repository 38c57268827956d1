//! Test-time augmentation: a tile is shown turned, mirrored and at other scales, and the answers are averaged.

/// Which ways a tile is shown. Every way costs a run of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tta {
    /// Once, as it is.
    #[default]
    None,
    /// As it is and mirrored along each axis and both: 4 runs.
    Flips,
    /// The eight symmetries of a square: 8 runs.
    D4,
    /// At the model's um/px, and at 0.8 and 1.25 of it: about 3 runs.
    Scales,
}

impl std::str::FromStr for Tta {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "none" => Tta::None,
            "flips" => Tta::Flips,
            "d4" => Tta::D4,
            "scales" => Tta::Scales,
            _ => return Err("expected none, flips, d4 or scales".to_owned()),
        })
    }
}

impl Tta {
    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Tta::None => "none",
            Tta::Flips => "flips",
            Tta::D4 => "d4",
            Tta::Scales => "scales",
        }
    }

    /// The symmetries that every tile is shown in.
    pub fn symmetries(self) -> &'static [Symmetry] {
        const fn symmetry(transpose: bool, across: bool, down: bool) -> Symmetry {
            Symmetry {
                transpose,
                across,
                down,
            }
        }
        const ALL: [Symmetry; 8] = [
            symmetry(false, false, false),
            symmetry(false, true, false),
            symmetry(false, false, true),
            symmetry(false, true, true),
            symmetry(true, false, false),
            symmetry(true, true, false),
            symmetry(true, false, true),
            symmetry(true, true, true),
        ];
        match self {
            Tta::None | Tta::Scales => &ALL[..1],
            Tta::Flips => &ALL[..4],
            Tta::D4 => &ALL,
        }
    }

    /// What the model's um/px is multiplied by in each view. The model's own comes first.
    pub fn scales(self) -> &'static [f64] {
        match self {
            Tta::Scales => &[1.0, 0.8, 1.25],
            _ => &[1.0],
        }
    }
}

/// One of the eight ways to lay a square onto itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symmetry {
    /// Whether rows and columns change places, before the mirrors.
    transpose: bool,
    /// Whether left and right change places.
    across: bool,
    /// Whether top and bottom change places.
    down: bool,
}

impl Symmetry {
    /// Whether nothing moves.
    pub fn is_identity(self) -> bool {
        !(self.transpose || self.across || self.down)
    }

    /// The place in the tile that is shown at `(x, y)` of a square of `side` px.
    fn source(self, side: usize, x: usize, y: usize) -> (usize, usize) {
        let x = if self.across { side - 1 - x } else { x };
        let y = if self.down { side - 1 - y } else { y };
        if self.transpose { (y, x) } else { (x, y) }
    }

    /// Lays an RGB tile, `[side, side, 3]`, into `shown`.
    pub fn show(self, side: usize, tile: &[u8], shown: &mut [u8]) {
        for (y, line) in shown.chunks_exact_mut(side * 3).enumerate() {
            for (x, px) in line.chunks_exact_mut(3).enumerate() {
                let (from_x, from_y) = self.source(side, x, y);
                let at = (from_y * side + from_x) * 3;
                px.copy_from_slice(&tile[at..at + 3]);
            }
        }
    }

    /// Adds the answer to a shown tile, `[side, side]`, to `sum`, where everything is back in its place.
    pub fn add_back(self, side: usize, answer: &[f32], sum: &mut [f32]) {
        for (y, line) in answer.chunks_exact(side).enumerate() {
            for (x, value) in line.iter().enumerate() {
                let (to_x, to_y) = self.source(side, x, y);
                sum[to_y * side + to_x] += value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_comes_back_to_its_place() {
        let side = 5;
        let tile: Vec<u8> = (0..side * side * 3).map(|i| i as u8).collect();
        let mut looks = Vec::new();
        for symmetry in Tta::D4.symmetries() {
            let mut shown = vec![0; tile.len()];
            symmetry.show(side, &tile, &mut shown);
            let red: Vec<f32> = shown.iter().step_by(3).map(|&v| f32::from(v)).collect();
            let mut back = vec![0.0; side * side];
            symmetry.add_back(side, &red, &mut back);
            let expected: Vec<f32> = tile.iter().step_by(3).map(|&v| f32::from(v)).collect();
            assert_eq!(back, expected, "{symmetry:?}");
            assert_eq!(symmetry.is_identity(), shown == tile);
            looks.push(shown);
        }
        looks.sort();
        looks.dedup();
        assert_eq!(looks.len(), 8, "eight different looks");
    }
}
