//! What looks wrong and does not stop the work: a doubt that stands in the record and is shown to the user.

use serde::{Deserialize, Serialize};

/// What a [`Warning`] is about. The names in records are these in kebab case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WarningKind {
    /// No tissue was found on a picture that is not blank.
    NoTissue,
    /// Tiles of the file are missing and were filled.
    MissingTiles,
    /// An alpha channel was ignored.
    AlphaIgnored,
    /// Samples use fewer bits than the file has room for, or were converted to 8 bits in a way that loses something.
    Samples,
    /// um/px that contradict each other, or that cannot be believed.
    Resolution,
    /// The file holds images besides the slide that were left out.
    OtherImages,
    /// Routing cells were under the confidence limit.
    Unsure,
    /// Tissue that is none of the organs that the router knows; no model was asked about it.
    OtherTissue,
    /// Two inputs are the same file.
    SameFile,
    /// Another slide has the same id.
    SameId,
    /// The networks run on a slower runtime or device than asked for would be.
    Slower,
    /// A part of what was asked for was left out.
    LeftOut,
    /// The picture is dark or has no colours, as no stained slide in bright light is.
    NotBrightfield,
    /// The networks were trained on this image.
    TrainingImage,
}

impl WarningKind {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            WarningKind::NoTissue => "no-tissue",
            WarningKind::MissingTiles => "missing-tiles",
            WarningKind::AlphaIgnored => "alpha-ignored",
            WarningKind::Samples => "samples",
            WarningKind::Resolution => "resolution",
            WarningKind::OtherImages => "other-images",
            WarningKind::Unsure => "unsure",
            WarningKind::OtherTissue => "other-tissue",
            WarningKind::SameFile => "same-file",
            WarningKind::SameId => "same-id",
            WarningKind::Slower => "slower",
            WarningKind::LeftOut => "left-out",
            WarningKind::NotBrightfield => "not-brightfield",
            WarningKind::TrainingImage => "training-image",
        }
    }
}

/// A doubt about one slide or a run: what kind it is, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What it is about.
    pub kind: WarningKind,
    /// A full sentence without a period at its end; it does not repeat the slide's name.
    pub text: String,
}

impl Warning {
    /// A warning of a kind.
    pub fn new(kind: WarningKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }
}
