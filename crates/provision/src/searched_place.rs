//! A place where a library was looked for, and what was found there: for diagnosis and for error messages.

use std::fmt;
use std::path::PathBuf;

/// A place that a library can come from, in the order of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaceKind {
    /// The path that the user named.
    Named,
    /// The path in the environment variable of this name.
    Variable(&'static str),
    /// The program's cache folder.
    Cache,
    /// A folder of the system's libraries.
    System,
    /// A package of a Python on this machine.
    Python,
    /// Brought with pip just now.
    Brought,
}

impl fmt::Display for PlaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "path that was given",
            Self::Variable(name) => name,
            Self::System => "system",
            Self::Cache => "cache folder",
            Self::Python => "Python package",
            Self::Brought => "pip download",
        })
    }
}

/// What came of looking at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaceOutcome {
    /// A library that works.
    Usable {
        /// The library's name.
        product: &'static str,
        /// The version that the library says it is.
        version: String,
    },
    /// Nothing is there, and nothing had to be.
    Absent {
        /// Why there is nothing.
        reason: String,
    },
    /// Something is there that cannot be used.
    PassedOver {
        /// Why it cannot be used.
        reason: String,
    },
    /// The place was not tried, for example because a survey brings nothing.
    NotTried {
        /// Why it was not tried, and what would happen.
        reason: String,
    },
}

/// One place that was looked at, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchedPlace {
    /// The kind of place.
    pub place: PlaceKind,
    /// The file, folder or Python that was looked at, where there is one.
    pub path: Option<PathBuf>,
    /// What came of it.
    pub outcome: PlaceOutcome,
}

impl SearchedPlace {
    pub(super) fn new(place: PlaceKind, path: Option<PathBuf>, outcome: PlaceOutcome) -> Self {
        Self {
            place,
            path,
            outcome,
        }
    }

    fn reason(&self) -> &str {
        match &self.outcome {
            PlaceOutcome::Usable { .. } => "",
            PlaceOutcome::Absent { reason }
            | PlaceOutcome::PassedOver { reason }
            | PlaceOutcome::NotTried { reason } => reason,
        }
    }

    pub(super) fn absent(
        place: PlaceKind,
        path: Option<PathBuf>,
        reason: impl Into<String>,
    ) -> Self {
        let reason = reason.into();
        Self::new(place, path, PlaceOutcome::Absent { reason })
    }

    pub(super) fn passed(
        place: PlaceKind,
        path: Option<PathBuf>,
        reason: impl Into<String>,
    ) -> Self {
        let reason = reason.into();
        Self::new(place, path, PlaceOutcome::PassedOver { reason })
    }
}

impl fmt::Display for SearchedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        // Many reasons begin with the path that they are about.
        let shown = self.path.as_ref().map(|p| p.display().to_string());
        if let Some(path) = shown.filter(|p| !self.reason().starts_with(p)) {
            write!(f, " ({path})")?;
        }
        match &self.outcome {
            PlaceOutcome::Usable { product, version } => write!(f, ": {product} {version}"),
            PlaceOutcome::Absent { reason } => write!(f, ": {reason}"),
            PlaceOutcome::PassedOver { reason } => write!(f, ": passed over: {reason}"),
            PlaceOutcome::NotTried { reason } => write!(f, ": not tried: {reason}"),
        }
    }
}
