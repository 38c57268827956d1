//! One model of the bundle, loaded: takes RGB tiles, gives probabilities.

use std::sync::Arc;

use ndarray::{Array4, ArrayView4};

use crate::backend::{
    Backend, BackendError, Brake, FloatFormat, NetworkInput, Session, SessionOptions,
};
use crate::bundle::{
    Bundle, BundleError, InputKind, ModelSpec, Normalisation, OutputKind, RouterSpec,
};

use super::{PipelineError, Symmetry};

/// Which variant of a model is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// The fp32 file, computed in what the backend holds best.
    #[default]
    Auto,
    /// 32-bit floats.
    Fp32,
    /// The fp32 file, computed in 16-bit brain floats.
    Bf16,
    /// The fp32 file, computed in 16-bit floats; an error for a file that cannot.
    Fp16,
    /// The bundle's int8 file of a model; a model without one runs in fp32, which the record says.
    Int8,
}

impl Precision {
    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Auto => "auto",
            Precision::Fp32 => "fp32",
            Precision::Bf16 => "bf16",
            Precision::Fp16 => "fp16",
            Precision::Int8 => "int8",
        }
    }

    /// The file of a model and its sha256, and whether it is the int8 one.
    pub fn file(self, spec: &ModelSpec) -> (&str, &str, bool) {
        match (self, &spec.int8) {
            (Precision::Int8, Some(int8)) => (&int8.file, &int8.sha256, true),
            _ => (&spec.file, &spec.sha256, false),
        }
    }
}

impl std::str::FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => Precision::Auto,
            "fp32" => Precision::Fp32,
            "bf16" => Precision::Bf16,
            "fp16" => Precision::Fp16,
            "int8" => Precision::Int8,
            _ => return Err("expected auto, fp32, bf16, fp16 or int8".to_owned()),
        })
    }
}

/// A loaded model with what the bundle says of its input and output.
///
/// It has a session for each of the backend's lanes; they can run at the same time.
pub struct Network {
    io: ModelIo,
    sessions: Vec<Box<dyn Session>>,
}

/// One of a network's sessions.
pub(super) struct Lane<'a> {
    io: &'a ModelIo,
    session: &'a mut dyn Session,
}

/// What goes into a network and what comes out, as the bundle states it.
#[derive(Debug, Clone)]
struct ModelIo {
    name: String,
    input: InputKind,
    output: OutputKind,
    tile: u32,
    /// Values that one tile is answered with.
    answers: Answers,
    /// How far beyond 0 and 1 a probability may lie by rounding.
    rounding: f32,
}

/// How far beyond 0 and 1 the answers of a backend may lie. A 16-bit brain float keeps 8 bits, so that 1 and its
/// neighbour are 1/128 apart.
fn rounding(backend: &dyn Backend) -> f32 {
    match backend.about().arithmetic {
        FloatFormat::Bf16 => 1.0 / 128.0,
        _ => 0.001,
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Answers {
    /// One for each px.
    Pixels,
    /// One for each class.
    Classes(usize),
}

/// What tells loaded models apart: the file, and how its input and output are understood. Two models of one file, at two
/// scales say, are one network.
pub(super) fn key(spec: &ModelSpec, precision: Precision) -> String {
    let (_, sha256, _) = precision.file(spec);
    format!(
        "{} {:?} {:?} {} {}",
        sha256.to_lowercase(),
        spec.input,
        spec.output,
        spec.tile,
        can_be_bytes(spec)
    )
}

/// Whether its answers can come as bytes. A threshold within the first steps would be met by everything.
fn can_be_bytes(spec: &ModelSpec) -> bool {
    spec.output == OutputKind::Probability && spec.threshold >= 0.02
}

impl Network {
    /// Loads a segmentation model in a precision; its file is checked against its sha256 first.
    ///
    /// # Errors
    /// When the file is not the one of the manifest, or the backend cannot load it.
    pub fn model(
        backend: &dyn Backend,
        bundle: &Bundle,
        spec: &ModelSpec,
        precision: Precision,
    ) -> Result<Self, PipelineError> {
        let (file, sha256, _) = precision.file(spec);
        let bytes = verified(bundle, file, sha256)?;
        let load = |lane| {
            let how = SessionOptions {
                lane,
                fp16: true,
                byte_answers: can_be_bytes(spec),
            };
            backend.load(&spec.name, &bytes, how)
        };
        Ok(Network {
            sessions: (0..backend.lanes())
                .map(load)
                .collect::<Result<_, BackendError>>()?,
            io: ModelIo {
                name: spec.name.clone(),
                input: spec.input,
                output: spec.output,
                tile: spec.tile,
                answers: Answers::Pixels,
                rounding: rounding(backend),
            },
        })
    }

    /// Loads the organ classifier; its file is checked against its sha256 first.
    ///
    /// # Errors
    /// When the file is not the one of the manifest, or the backend cannot load it.
    pub fn router(
        backend: &dyn Backend,
        bundle: &Bundle,
        spec: &RouterSpec,
    ) -> Result<Self, PipelineError> {
        let bytes = verified(bundle, &spec.file, &spec.sha256)?;
        Ok(Network {
            // It is small and runs for a moment, so one lane will do.
            sessions: vec![backend.load("router", &bytes, SessionOptions::default())?],
            io: ModelIo {
                name: "router".to_owned(),
                input: spec.input,
                output: spec.output,
                tile: spec.tile,
                answers: Answers::Classes(spec.classes()),
                rounding: rounding(backend),
            },
        })
    }

    /// Side of a tile, px.
    pub fn tile(&self) -> u32 {
        self.io.tile
    }

    /// Whether it computes in 16-bit floats.
    pub fn is_fp16(&self) -> bool {
        self.sessions.first().is_some_and(|one| one.is_fp16())
    }

    /// What ends the runs of its sessions from another thread, as far as the backend has a way to.
    pub(super) fn brakes(&self) -> impl Iterator<Item = Arc<dyn Brake>> {
        self.sessions.iter().filter_map(|session| session.brake())
    }

    /// Its sessions, to be run by a thread each.
    pub(super) fn lanes(&mut self) -> impl Iterator<Item = Lane<'_>> {
        self.sessions.iter_mut().map(|session| Lane {
            io: &self.io,
            session: session.as_mut(),
        })
    }

    /// Runs `n` tiles, RGB `[n, tile, tile, 3]`, and returns their probabilities: `[n, tile, tile]` for a model,
    /// `[n, classes]` for a router, row-major.
    ///
    /// # Errors
    /// When the tiles have another size, the network fails, or its answer has another shape.
    pub fn run(&mut self, n: usize, tiles: &[u8]) -> Result<Vec<f32>, BackendError> {
        match self.lanes().next() {
            Some(mut lane) => lane.run(n, tiles),
            None => Err(BackendError::Usage("the backend has no lanes".to_owned())),
        }
    }
}

impl Lane<'_> {
    /// Runs `n` tiles as [`Network::run`] does, shown in each of some symmetries, and returns the mean of the answers.
    ///
    /// # Errors
    /// As [`Network::run`].
    pub(super) fn run_shown(
        &mut self,
        n: usize,
        tiles: &[u8],
        symmetries: &[Symmetry],
    ) -> Result<Vec<f32>, BackendError> {
        if symmetries.iter().all(|symmetry| symmetry.is_identity()) {
            return self.run(n, tiles);
        }
        let side = self.io.tile as usize;
        let (bytes, values) = (side * side * 3, side * side);
        if tiles.len() != n * bytes {
            return self.run(n, tiles); // It says what is wrong.
        }
        let mut shown = vec![0; tiles.len()];
        let mut sum = vec![0.0; n * values];
        for symmetry in symmetries {
            for (tile, shown) in tiles.chunks_exact(bytes).zip(shown.chunks_exact_mut(bytes)) {
                symmetry.show(side, tile, shown);
            }
            let answers = self.run(n, &shown)?;
            for (answer, sum) in answers
                .chunks_exact(values)
                .zip(sum.chunks_exact_mut(values))
            {
                symmetry.add_back(side, answer, sum);
            }
        }
        let share = 1.0 / symmetries.len() as f32;
        sum.iter_mut().for_each(|value| *value *= share);
        Ok(sum)
    }

    /// As [`Network::run`].
    fn run(&mut self, n: usize, tiles: &[u8]) -> Result<Vec<f32>, BackendError> {
        let side = self.io.tile as usize;
        let view = ArrayView4::from_shape((n, side, side, 3), tiles).map_err(|_| {
            BackendError::Usage(format!(
                "{} bytes are not {n} RGB tiles of {side} px",
                tiles.len()
            ))
        })?;
        let output = match self.io.input {
            InputKind::Bytes => self.session.run(NetworkInput::Bytes(view))?,
            InputKind::Floats(normalisation) => {
                let floats = normalise(view, normalisation);
                self.session.run(NetworkInput::Floats(floats.view()))?
            }
        };
        let (fits, expected, count) = match self.io.answers {
            Answers::Pixels => (
                matches!(output.shape[..], [a, 1, h, w] | [a, h, w, 1] | [a, h, w]
                    if (a, h, w) == (n, side, side)),
                format!("[{n}, 1, {side}, {side}]"),
                n * side * side,
            ),
            Answers::Classes(classes) => (
                output.shape[..] == [n, classes],
                format!("[{n}, {classes}]"),
                n * classes,
            ),
        };
        if !fits || output.values.len() != count {
            return Err(BackendError::Shape {
                name: self.io.name.clone(),
                expected,
                found: format!("{:?}", output.shape),
            });
        }
        let mut values = output.values;
        match (self.io.output, self.io.answers) {
            (OutputKind::Probability, _) => {}
            (OutputKind::Logit, Answers::Pixels) => {
                for value in &mut values {
                    *value = 1.0 / (1.0 + (-*value).exp());
                }
            }
            (OutputKind::Logit, Answers::Classes(classes)) => {
                values.chunks_mut(classes).for_each(softmax);
            }
        }
        // A NaN is under every threshold, and a logit taken for a probability makes a mask that looks plausible.
        let most = 1.0 + self.io.rounding;
        let sane = |value: f32| (-self.io.rounding..=most).contains(&value);
        // Without a way out of the loop it goes by many values at a time.
        let mut all = true;
        for &value in &values {
            all &= sane(value);
        }
        if !all {
            let bad = values.iter().copied().find(|&value| !sane(value));
            return Err(BackendError::Run {
                name: self.io.name.clone(),
                backend: "the engine",
                reason: format!(
                    "it answered {}, which is not a probability; if it answers logits, bundle.toml must say output = \"logit\"",
                    bad.unwrap_or(f32::NAN)
                ),
            });
        }
        values
            .iter_mut()
            .for_each(|value| *value = value.clamp(0.0, 1.0));
        Ok(values)
    }
}

fn verified(bundle: &Bundle, file: &str, sha256: &str) -> Result<Vec<u8>, PipelineError> {
    bundle
        .verified_file(file, sha256)
        .map_err(|error: BundleError| PipelineError::Bundle(error))
}

/// `(value / 255 - mean) / std`, from `[n, h, w, 3]` to `[n, 3, h, w]`.
fn normalise(tiles: ArrayView4<'_, u8>, by: Normalisation) -> Array4<f32> {
    let (n, h, w, _) = tiles.dim();
    let scale: [f32; 3] = std::array::from_fn(|c| 1.0 / (255.0 * by.std[c]));
    let shift: [f32; 3] = std::array::from_fn(|c| by.mean[c] / by.std[c]);
    Array4::from_shape_fn((n, 3, h, w), |(n, c, y, x)| {
        f32::from(tiles[[n, y, x, c]]) * scale[c] - shift[c]
    })
}

fn softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = (*value - top).exp();
        sum += *value;
    }
    for value in row.iter_mut() {
        *value /= sum;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::backend::NetworkOutput;

    /// A network that answers nothing, for tests of who holds it.
    pub(in crate::pipeline) fn answering() -> Network {
        struct Nothing;
        impl Session for Nothing {
            fn run(&mut self, _: NetworkInput<'_>) -> Result<NetworkOutput, BackendError> {
                Err(BackendError::Usage("it answers nothing".to_owned()))
            }
        }
        Network {
            sessions: vec![Box::new(Nothing)],
            io: ModelIo {
                name: "nothing".to_owned(),
                input: InputKind::Bytes,
                output: OutputKind::Probability,
                tile: 16,
                answers: Answers::Pixels,
                rounding: 0.001,
            },
        }
    }

    #[test]
    fn normalisation_is_the_usual_one() {
        let tile = Array4::from_shape_vec((1, 1, 1, 3), vec![255, 0, 51]).unwrap();
        let by = Normalisation {
            mean: [0.5, 0.5, 0.2],
            std: [0.5, 0.25, 1.0],
        };
        let out = normalise(tile.view(), by);
        let expected = [1.0, -2.0, 0.0];
        for (value, expected) in out.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        }
    }

    #[test]
    fn what_rounding_left_beyond_0_and_1_is_put_back_and_more_is_no_probability() {
        struct Says(f32);
        impl Session for Says {
            fn run(&mut self, _: NetworkInput<'_>) -> Result<NetworkOutput, BackendError> {
                let (shape, mut values) = (vec![1, 1, 16, 16], vec![0.5; 256]);
                values[7] = self.0;
                Ok(NetworkOutput { shape, values })
            }
        }
        let says = |value, rounding| {
            let mut network = answering();
            network.sessions = vec![Box::new(Says(value))];
            network.io.rounding = rounding;
            network.run(1, &[0; 16 * 16 * 3]).map(|values| values[7])
        };
        let bf16 = 1.0 / 128.0;
        // 1.0038757 is what OpenVINO made of 1 in bf16
        assert_eq!(says(1.003_875_7, bf16).unwrap(), 1.0);
        assert_eq!(says(-0.003, bf16).unwrap(), 0.0);
        assert_eq!(says(0.25, bf16).unwrap(), 0.25);
        assert!(says(1.003_875_7, 0.001).is_err());
        assert!(says(1.01, bf16).is_err());
        assert!(says(f32::NAN, bf16).is_err());
    }

    #[test]
    fn softmax_sums_to_one_even_for_large_numbers() {
        let mut row = [1000.0, 1000.0, 0.0];
        softmax(&mut row);
        assert_eq!(row, [0.5, 0.5, 0.0]);
    }
}
