//! The model bundle: a folder with `bundle.toml` and the ONNX files it names.
//!
//! [`Bundle::load`] reads and checks the manifest; nothing of a model file is read before its sha256 was found to be
//! the one the manifest states ([`Bundle::verified_file`]).

mod error;
mod find;
mod manifest;
mod spec;

use std::path::{Path, PathBuf};

use ftuseg_router::{Organ, Target};
use sha2::{Digest, Sha256};

use ftuseg_files::plain;

pub use error::BundleError;
pub use find::default_bundle;
pub use spec::{
    Accuracy, Dice, InputKind, Int8, Loss, ModelScale, ModelSpec, Normalisation, OutputKind,
    RouterSpec,
};

/// The largest model file that is read: 2 GiB, the limit of an ONNX file without external data.
const MAX_MODEL_BYTES: u64 = 2 << 30;
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
    /// sha256 of `bundle.toml`; as that holds the sums of all files, it stands for the whole bundle.
    pub sha256: String,
}

impl Bundle {
    /// Loads and checks `FOLDER/bundle.toml`. The model files are not read yet.
    ///
    /// # Errors
    /// When the manifest is missing, unreadable, has an unknown key or a value that makes no sense.
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
        manifest::parse(folder, &path, &text, sha256)
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
