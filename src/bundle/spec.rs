//! What a bundle says of its router and its models, checked.

use ftuseg_router::{Organ, Target};
use serde::Deserialize;

/// How a network wants its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InputKind {
    /// RGB bytes, `[n, tile, tile, 3]`; the network normalises them itself.
    Bytes,
    /// Normalised floats, `[n, 3, tile, tile]`.
    Floats(Normalisation),
}

/// `(value / 255 - mean) / std` for red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalisation {
    /// Means of the training data on a scale of 0 to 1.
    pub mean: [f32; 3],
    /// Standard deviations of the training data on a scale of 0 to 1.
    pub std: [f32; 3],
}

/// What a network answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// Numbers that a sigmoid (or, in the router, a softmax) turns into probabilities.
    Logit,
    /// Probabilities.
    Probability,
}

/// At which scale a model sees the slide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ModelScale {
    /// At a fixed resolution in um/px.
    Mpp(f64),
    /// The whole slide squeezed into one tile, whatever its resolution.
    Whole,
}

/// The organ classifier.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RouterSpec {
    /// File in the bundle's folder.
    pub file: String,
    /// sha256 of the file.
    pub sha256: String,
    /// What the network wants.
    pub input: InputKind,
    /// What the network answers, `[n, classes]`; see [`RouterSpec::classes`].
    pub output: OutputKind,
    /// Side of the network's input, px.
    pub tile: u32,
    /// Resolution of the input, um/px.
    pub mpp: f64,
    /// Side of a routing cell, px at `mpp`; it lies in the middle of the input.
    pub cell: u32,
    /// The organs in the order of the outputs.
    pub organs: Vec<Organ>,
    /// Whether the network has one more output, behind the organs': the tissue is none of them.
    pub other: bool,
    /// Confidence under which a cell goes to the fallback.
    pub limit: f32,
    /// Where unsure cells go.
    pub fallback: Target,
    /// How many parameters the network has, if stated.
    pub parameters: Option<u64>,
    /// Measured accuracy, if stated.
    pub accuracy: Option<Accuracy>,
}

impl RouterSpec {
    /// How many outputs the network has: one for each organ, and one for none of them where it says that.
    pub fn classes(&self) -> usize {
        self.organs.len() + usize::from(self.other)
    }
}

/// A measured accuracy and what it was measured on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// The share that was right, 0..=1.
    pub value: f64,
    /// How many were measured.
    pub n: u32,
    /// What they were.
    pub set: String,
}

/// A measured Dice and what it was measured on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dice {
    /// The organ of the images.
    pub organ: Organ,
    /// Mean Dice of the images, 0..=1.
    pub mean: f64,
    /// How many images.
    pub n: u32,
    /// What they were.
    pub set: String,
}

/// The same model in int8: smaller and, on many CPUs, quicker.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Int8 {
    /// File in the bundle's folder.
    pub file: String,
    /// sha256 of the file.
    pub sha256: String,
    /// What it costs, if stated.
    pub loss: Option<Loss>,
}

/// How much mean Dice a variant of a model loses against the model, and on what that was measured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Mean Dice of the model less that of the variant; below 0 where the variant is the better one.
    pub dice: f64,
    /// How many images.
    pub n: u32,
    /// What they were.
    pub set: String,
}

/// A segmentation model.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ModelSpec {
    /// Name, unique in the bundle.
    pub name: String,
    /// What it serves: one organ, or all of them.
    pub target: Target,
    /// File in the bundle's folder.
    pub file: String,
    /// sha256 of the file.
    pub sha256: String,
    /// The same model in int8, if the bundle has it.
    pub int8: Option<Int8>,
    /// Its weight where several models of one target are averaged.
    pub weight: f32,
    /// What the network wants.
    pub input: InputKind,
    /// What the network answers, `[n, 1, tile, tile]`.
    pub output: OutputKind,
    /// Side of the network's input and output, px.
    pub tile: u32,
    /// At which scale it sees the slide.
    pub fit: ModelScale,
    /// px that neighbouring tiles share, at the model's scale.
    pub overlap: u32,
    /// Probability from which a px counts as found.
    pub threshold: f32,
    /// Smallest object that is kept, px at the model's scale.
    pub min_area: f64,
    /// Whether holes in objects are filled.
    pub fill_holes: bool,
    /// How many parameters the network has, if stated.
    pub parameters: Option<u64>,
    /// Measured Dice, by organ.
    pub dice: Vec<Dice>,
}
