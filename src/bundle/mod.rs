//! The model bundle: a folder with `bundle.toml` and the ONNX files it names.
//!
//! [`Bundle::load`] reads and checks the manifest; nothing of a model file is read before its sha256 was found to be
//! the one the manifest states ([`Bundle::verified_file`]).

mod error;
mod find;
#[cfg(feature = "install")]
mod install;
mod manifest;
mod spec;
mod training_images;

use std::path::{Path, PathBuf};

use ftuseg_router::{Organ, Target};
use sha2::{Digest, Sha256};

use ftuseg_files::plain;

pub use error::BundleError;
pub use find::{
    InstalledBundle, bundles_folder, default_bundle, installed_bundles, named_bundle,
    set_program_folder,
};
#[cfg(feature = "install")]
pub use install::{InstallError, install_bundle};
pub use spec::{
    Accuracy, Dice, InputKind, Int8, Loss, ModelScale, ModelSpec, Normalisation, OutputKind,
    RouterSpec,
};
pub use training_images::{Look, TrainingImages};

/// The largest model file that is read: 2 GiB, the limit of an ONNX file without external data.
const MAX_MODEL_BYTES: u64 = 2 << 30;
/// The largest table of training images that is read.
const MAX_TABLE_BYTES: usize = 64 << 20;
/// The largest manifest that is read.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// A checked bundle.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Bundle {
    /// The folder.
    pub folder: PathBuf,
    /// Name, for records.
    pub name: String,
    /// Version, for records.
    pub version: String,
    /// Licence of the weights.
    pub licence: String,
    /// A sentence about the bundle, if it has one.
    pub description: Option<String>,
    /// The organ classifier, if the bundle has one.
    pub router: Option<RouterSpec>,
    /// The segmentation models.
    pub models: Vec<ModelSpec>,
    /// The images that the networks were trained on, as far as the bundle says so.
    pub training_images: TrainingImages,
    /// The file that they are listed in.
    training_table: Option<(String, String)>,
    /// sha256 of `bundle.toml`; as that holds the sums of all files, it stands for the whole bundle.
    pub sha256: String,
}

impl Bundle {
    /// Loads and checks `FOLDER/bundle.toml` and the list of training images, if it names one. The model files are not
    /// read yet.
    ///
    /// # Errors
    /// When the manifest is missing, unreadable, has an unknown key or a value that makes no sense, or the list is wrong.
    pub fn load(folder: &Path) -> Result<Self, BundleError> {
        let path = folder.join("bundle.toml");
        if !path.is_file() {
            return Err(BundleError::Missing {
                folder: folder.to_owned(),
            });
        }
        let io = |cause| BundleError::Io {
            path: path.clone(),
            cause,
        };
        let text = plain::read_text(&path, MAX_MANIFEST_BYTES).map_err(io)?;
        let sha256 = hex(&Sha256::digest(text.as_bytes()));
        let mut bundle = manifest::parse(folder, &path, &text, sha256)?;
        if let Some((file, sum)) = &bundle.training_table {
            let path = folder.join(file);
            let bytes = bundle.verified_file(file, sum)?;
            let wrong = |reason: String| BundleError::manifest(&path, reason);
            if bytes.len() > MAX_TABLE_BYTES {
                return Err(wrong(
                    "it is too large for a table of training images".to_owned(),
                ));
            }
            let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text".to_owned()))?;
            bundle.training_images = TrainingImages::parse(&text).map_err(wrong)?;
        }
        Ok(bundle)
    }

    /// The models that serve a target, in the manifest's order: their probabilities are averaged.
    pub fn models_for(&self, target: Target) -> Vec<&ModelSpec> {
        self.models
            .iter()
            .filter(|model| model.target == target)
            .collect()
    }

    /// The value that `target` has in `mask.tif`: 1.. for organs in the bundle's order, 255 for the single models. Nothing
    /// is found in tissue of no organ, so it has the background's.
    pub fn label(&self, target: Target) -> u8 {
        let organ = match target {
            Target::Organ(organ) => organ,
            Target::Baseline | Target::Unet => return 255,
            Target::Other => return 0,
        };
        let order = self.organs();
        order
            .iter()
            .position(|&o| o == organ)
            .map_or(255, |index| index as u8 + 1)
    }

    /// The organs in the bundle's order: the router's outputs, or the models' order where there is no router.
    pub fn organs(&self) -> Vec<Organ> {
        match &self.router {
            Some(router) => router.organs.clone(),
            None => {
                let mut organs = Vec::new();
                for organ in self.models.iter().filter_map(|model| model.target.organ()) {
                    if !organs.contains(&organ) {
                        organs.push(organ);
                    }
                }
                organs
            }
        }
    }

    /// The files that the manifest names, each with the sha256 that it states: the router's first, then the models', then
    /// the list of training images.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let router = self
            .router
            .iter()
            .map(|r| (r.file.as_str(), r.sha256.as_str()));
        router
            .chain(self.models.iter().flat_map(|model| {
                let int8 = model
                    .int8
                    .iter()
                    .map(|i| (i.file.as_str(), i.sha256.as_str()));
                std::iter::once((model.file.as_str(), model.sha256.as_str())).chain(int8)
            }))
            .chain(
                self.training_table
                    .iter()
                    .map(|(file, sum)| (file.as_str(), sum.as_str())),
            )
    }

    /// Reads all files and compares them with the sums that the manifest states.
    ///
    /// # Errors
    /// For the first file that cannot be read, or is another one.
    pub fn verify(&self) -> Result<(), BundleError> {
        self.files()
            .try_for_each(|(file, sum)| self.verified_file(file, sum).map(drop))
    }

    /// Reads a file of the bundle, checks its sha256, and returns its bytes.
    ///
    /// The bytes are handed to the runtime rather than the path, so that what was checked is what is run.
    ///
    /// # Errors
    /// When the file cannot be read, or has another sha256 than the manifest states.
    pub fn verified_file(&self, file: &str, sha256: &str) -> Result<Vec<u8>, BundleError> {
        let path = self.folder.join(file);
        let io = |cause| BundleError::Io {
            path: path.clone(),
            cause,
        };
        let bytes = plain::read(&path, MAX_MODEL_BYTES).map_err(io)?;
        let found = hex(&Sha256::digest(&bytes));
        if !found.eq_ignore_ascii_case(sha256) {
            return Err(BundleError::WrongSum {
                path,
                stated: sha256.to_owned(),
                found,
            });
        }
        Ok(bytes)
    }
}

/// Lower-case hexadecimal text of some bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
