//! What can be written of a slide beside its record, each with its name and its sink.

use std::fmt;
use std::str::FromStr;

use super::{GeoJson, MaskTiff, Overlay, ProbabilityTiff, Sink};

/// Something that can be written of a slide beside `slide.json`, which always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Output {
    /// The row in `submission.csv`.
    Rle,
    /// `mask.tif`.
    Mask,
    /// `objects.geojson`.
    GeoJson,
    /// `overlay.png`.
    Overlay,
    /// `prob.tif`.
    Probabilities,
}

impl Output {
    /// All outputs, in the order of their names in lists.
    pub const ALL: [Output; 5] = [
        Output::Rle,
        Output::Mask,
        Output::GeoJson,
        Output::Overlay,
        Output::Probabilities,
    ];

    /// Its name in lists and in records.
    pub fn name(self) -> &'static str {
        match self {
            Output::Rle => "rle",
            Output::Mask => "mask",
            Output::GeoJson => "geojson",
            Output::Overlay => "overlay",
            Output::Probabilities => "prob",
        }
    }

    /// Whether `all` means it too. What is large has to be asked for by name.
    pub fn is_in_all(self) -> bool {
        self != Output::Probabilities
    }

    /// What writes its file into the slide's folder; none for what goes elsewhere.
    pub fn sink(self) -> Option<Box<dyn Sink>> {
        match self {
            Output::Rle => None,
            Output::Mask => Some(Box::new(MaskTiff)),
            Output::GeoJson => Some(Box::new(GeoJson)),
            Output::Overlay => Some(Box::new(Overlay::default())),
            Output::Probabilities => Some(Box::new(ProbabilityTiff)),
        }
    }
}

/// Some outputs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Outputs(u32);

impl Outputs {
    /// No output.
    pub const NONE: Outputs = Outputs(0);

    /// All that people look at: what `all` means.
    pub fn all() -> Self {
        let usual = Output::ALL.into_iter().filter(|output| output.is_in_all());
        usual.fold(Outputs::NONE, Outputs::with)
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, output: Output) -> Self {
        Outputs(self.0 | 1 << output as u32)
    }

    /// Whether they hold this one.
    pub const fn contains(self, output: Output) -> bool {
        self.0 & 1 << output as u32 != 0
    }

    /// Each of them, in the order of [`Output::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Output> {
        Output::ALL
            .into_iter()
            .filter(move |&output| self.contains(output))
    }
}

impl fmt::Display for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Output::name).collect();
        f.write_str(&names.join(","))
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outputs({self})")
    }
}

/// A name that no output has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is unknown; use {names}, or all", names = names())]
pub struct UnknownOutput(pub String);

fn names() -> String {
    Output::ALL.map(Output::name).join(", ")
}

impl FromStr for Outputs {
    type Err = UnknownOutput;

    /// Names with commas in between; `all` stands for [`Outputs::all`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut outputs = Outputs::NONE;
        for name in text.split(',').map(str::trim) {
            let named = Output::ALL.into_iter().find(|output| output.name() == name);
            outputs = match (name, named) {
                (_, Some(output)) => outputs.with(output),
                ("all", None) => Outputs(outputs.0 | Outputs::all().0),
                (other, None) => return Err(UnknownOutput(other.to_owned())),
            };
        }
        Ok(outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_are_read_and_written() {
        let read = |text: &str| text.parse::<Outputs>().map(|outputs| outputs.to_string());
        assert_eq!(read("mask, rle").as_deref(), Ok("rle,mask"));
        assert_eq!(read("all").as_deref(), Ok("rle,mask,geojson,overlay"));
        assert_eq!(
            read("prob,all"),
            Ok(Output::ALL.map(Output::name).join(","))
        );
        let error = read("mask,gejson").unwrap_err().to_string();
        assert_eq!(
            error,
            "\"gejson\" is unknown; use rle, mask, geojson, overlay, prob, or all"
        );
    }

    #[test]
    fn no_two_write_one_file() {
        let sinks = Output::ALL.into_iter().filter_map(Output::sink);
        let mut files: Vec<&str> = sinks.map(|sink| sink.file_name()).collect();
        files.push("slide.json");
        files.sort_unstable();
        let all = files.len();
        files.dedup();
        assert_eq!(files.len(), all);
    }
}
