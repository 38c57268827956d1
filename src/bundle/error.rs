//! What can be wrong with a bundle.

use std::path::{Path, PathBuf};

/// Errors of the bundle room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// No bundle in the folder.
    #[error("no model bundle in {}: there is no bundle.toml", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// No folder was named and none was found.
    #[error("no model bundle found (looked at: {})", looked.join(", "))]
    NotFound {
        /// The places looked at.
        looked: Vec<String>,
    },
    /// What was named is neither a folder nor an installed bundle.
    #[error(
        "no model bundle \"{name}\": there is no such folder with a bundle.toml, and {}",
        installed_ones(installed)
    )]
    NotInstalled {
        /// What was named.
        name: String,
        /// The bundles that are installed.
        installed: Vec<String>,
    },
    /// Bundles of several names are installed, and none was named.
    #[error("several model bundles are installed: {}", installed.join(", "))]
    Several {
        /// The bundles that are installed.
        installed: Vec<String>,
    },
    /// The manifest is wrong.
    #[error("{}: {reason}", path.display())]
    Manifest {
        /// The manifest or the file it names.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file is not the one the manifest speaks of.
    #[error("{}: its sha256 is {found}, but bundle.toml says {stated}; the file is damaged or was replaced", path.display())]
    WrongSum {
        /// The file.
        path: PathBuf,
        /// The sum in the manifest.
        stated: String,
        /// The sum of the file.
        found: String,
    },
    /// The operating system could not read a file.
    #[error("{}: cannot be read: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
}

impl BundleError {
    pub(crate) fn manifest(path: &Path, reason: impl Into<String>) -> Self {
        BundleError::Manifest {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}

fn installed_ones(installed: &[String]) -> String {
    match installed {
        [] => "no bundle is installed".to_owned(),
        all => format!("installed are {}", all.join(", ")),
    }
}
