//! What can be written of a slide beside its record, each with its name and its sink.

use std::fmt;
use std::str::FromStr;

use super::{
    GeoJson, GeoJsonGz, Instances, MaskTiff, ObjectsAs, ObjectsCsv, Overlay, ProbabilityTiff, Sink,
};

/// Something that can be written of a slide beside `slide.json`, which always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Output {
    /// The row in `submission.csv`.
    Rle,
    /// `mask.tif`.
    Mask,
    /// `objects.csv`.
    Objects,
    /// `objects.parquet`.
    #[cfg(feature = "parquet")]
    Parquet,
    /// `objects.geojson`.
    GeoJson,
    /// `objects.geojson.gz`.
    GeoJsonGz,
    /// `overlay.png`.
    Overlay,
    /// `instances.ome.tif`.
    Instances,
    /// `segmentation.dcm`.
    #[cfg(feature = "dicom-seg")]
    DicomSeg,
    /// `prob.tif`.
    Probabilities,
    /// `labels.ome.zarr`, a folder.
    #[cfg(feature = "zarr")]
    Zarr,
}

impl Output {
    /// All outputs, in the order of their names in lists.
    pub const ALL: [Output;
        8 + cfg!(feature = "parquet") as usize
            + cfg!(feature = "zarr") as usize
            + cfg!(feature = "dicom-seg") as usize] = [
        Output::Rle,
        Output::Mask,
        Output::Objects,
        #[cfg(feature = "parquet")]
        Output::Parquet,
        Output::GeoJson,
        Output::GeoJsonGz,
        Output::Overlay,
        Output::Instances,
        #[cfg(feature = "dicom-seg")]
        Output::DicomSeg,
        Output::Probabilities,
        #[cfg(feature = "zarr")]
        Output::Zarr,
    ];

    /// Its name in lists and in records.
    pub fn name(self) -> &'static str {
        match self {
            Output::Rle => "rle",
            Output::Mask => "mask",
            Output::Objects => "objects",
            #[cfg(feature = "parquet")]
            Output::Parquet => "parquet",
            Output::GeoJson => "geojson",
            Output::GeoJsonGz => "geojson.gz",
            Output::Overlay => "overlay",
            Output::Instances => "instances",
            #[cfg(feature = "dicom-seg")]
            Output::DicomSeg => "dicom-seg",
            Output::Probabilities => "prob",
            #[cfg(feature = "zarr")]
            Output::Zarr => "zarr",
        }
    }

    /// Whether `all` means it too. What is large, and what says the same in another format, has to be asked for by name.
    pub fn is_in_all(self) -> bool {
        match self {
            Output::Rle | Output::Mask | Output::Objects | Output::GeoJson | Output::Overlay => {
                true
            }
            #[cfg(feature = "parquet")]
            Output::Parquet => false,
            #[cfg(feature = "zarr")]
            Output::Zarr => false,
            #[cfg(feature = "dicom-seg")]
            Output::DicomSeg => false,
            Output::GeoJsonGz | Output::Instances | Output::Probabilities => false,
        }
    }

    /// Whether it says how probable each object is, which only the models know.
    pub fn has_probabilities(self) -> bool {
        match self {
            #[cfg(feature = "parquet")]
            Output::Parquet => true,
            #[cfg(feature = "dicom-seg")]
            Output::DicomSeg => false,
            Output::Objects | Output::GeoJson | Output::GeoJsonGz | Output::Probabilities => true,
            #[cfg(feature = "zarr")]
            Output::Zarr => false,
            Output::Rle | Output::Mask | Output::Overlay | Output::Instances => false,
        }
    }

    /// Whether [`SinkOptions`] change it.
    pub fn is_geojson(self) -> bool {
        matches!(self, Output::GeoJson | Output::GeoJsonGz)
    }

    /// Whether it cannot be written of a slide whose um/px is not known.
    pub fn needs_resolution(self, options: SinkOptions) -> bool {
        match self {
            #[cfg(feature = "dicom-seg")]
            Output::DicomSeg => true,
            _ => self.is_geojson() && options.simplify_um.is_some(),
        }
    }

    /// Whether it is a folder in the slide's folder, not a file.
    pub fn is_folder(self) -> bool {
        match self {
            #[cfg(feature = "zarr")]
            Output::Zarr => true,
            _ => false,
        }
    }

    /// The name of its file, or folder, in the slide's folder; none for what goes elsewhere.
    pub fn file_name(self) -> Option<&'static str> {
        self.sink(SinkOptions::default())
            .map(|sink| sink.file_name())
    }

    /// What writes its file, or folder, into the slide's folder; none for what goes elsewhere.
    pub fn sink(self, options: SinkOptions) -> Option<Box<dyn Sink>> {
        let SinkOptions {
            objects_as,
            simplify_um,
        } = options;
        match self {
            Output::Rle => None,
            Output::Mask => Some(Box::new(MaskTiff)),
            Output::Objects => Some(Box::new(ObjectsCsv)),
            #[cfg(feature = "parquet")]
            Output::Parquet => Some(Box::new(super::ObjectsParquet)),
            Output::GeoJson => Some(Box::new(GeoJson {
                objects_as,
                simplify_um,
            })),
            Output::GeoJsonGz => Some(Box::new(GeoJsonGz {
                objects_as,
                simplify_um,
            })),
            Output::Overlay => Some(Box::new(Overlay::default())),
            Output::Instances => Some(Box::new(Instances)),
            #[cfg(feature = "dicom-seg")]
            Output::DicomSeg => Some(Box::new(super::DicomSeg)),
            Output::Probabilities => Some(Box::new(ProbabilityTiff)),
            #[cfg(feature = "zarr")]
            Output::Zarr => Some(Box::new(super::LabelsZarr)),
        }
    }
}

/// What is wanted of outputs that can be written in more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SinkOptions {
    /// What objects are to QuPath.
    pub objects_as: ObjectsAs,
    /// How far the outlines in GeoJSON may be from the exact ones, um; exact ones if `None`.
    pub simplify_um: Option<f64>,
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
        let of = |is_there: bool, name: &'static str| if is_there { name } else { "" };
        let parquet = of(cfg!(feature = "parquet"), "parquet,");
        let dicom = of(cfg!(feature = "dicom-seg"), "dicom-seg,");
        let zarr = of(cfg!(feature = "zarr"), "zarr,");
        assert_eq!(read("mask, rle").as_deref(), Ok("rle,mask"));
        assert_eq!(
            read("all").as_deref(),
            Ok("rle,mask,objects,geojson,overlay")
        );
        assert_eq!(
            read(&format!(
                "prob,geojson.gz,{zarr}instances,{parquet}{dicom}all"
            )),
            Ok(Output::ALL.map(Output::name).join(","))
        );
        let error = read("mask,gejson").unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "\"gejson\" is unknown; use {}, or all",
                Output::ALL.map(Output::name).join(", ")
            )
        );
    }

    #[test]
    fn no_two_write_one_file() {
        let mut files: Vec<&str> = Output::ALL
            .into_iter()
            .filter_map(Output::file_name)
            .collect();
        files.push("slide.json");
        files.sort_unstable();
        let all = files.len();
        files.dedup();
        assert_eq!(files.len(), all);
    }
}
