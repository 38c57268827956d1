//! Finds a bundle: the one that is named, or else the one that came with the program or was installed for the user.

use std::cmp::Ordering;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use etcetera::BaseStrategy;

use super::{Bundle, BundleError};

/// The folder of the bundle that a user names: a folder that holds a `bundle.toml`, or an installed bundle by its name
/// (`ftuseg-cores`, then the newest version of it) or by name and version (`ftuseg-cores-0.6.0`).
///
/// # Errors
/// When it is neither, with the bundles that are installed.
pub fn named_bundle(named: &Path) -> Result<PathBuf, BundleError> {
    if named.join("bundle.toml").is_file() {
        return Ok(named.to_owned());
    }
    let mut components = named.components();
    let name = match (components.next(), components.next()) {
        (Some(Component::Normal(name)), None) if !named.is_dir() => name.to_string_lossy(),
        _ => {
            return Err(BundleError::Missing {
                folder: named.to_owned(),
            });
        }
    };
    let all = installed_bundles();
    newest(&all, &name).ok_or_else(|| BundleError::NotInstalled {
        name: name.into_owned(),
        installed: all.iter().map(InstalledBundle::folder_name).collect(),
    })
}

/// The folder that the program lies in, where that is not its executable's.
static PROGRAM_FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Says which folder the program lies in, for a program that is loaded into another one, such as a module of an
/// interpreter: [`default_bundle`] then looks there, and not beside the executable. The first call counts; returns false
/// for any other.
pub fn set_program_folder(folder: PathBuf) -> bool {
    PROGRAM_FOLDER.set(folder).is_ok()
}

/// The folder that the program lies in.
fn program_folder() -> Option<PathBuf> {
    if let Some(said) = PROGRAM_FOLDER.get() {
        return Some(said.clone());
    }
    Some(std::env::current_exe().ok()?.parent()?.to_owned())
}

/// The bundle when the user names none: the environment variable `FTUSEG_BUNDLE` (as for [`named_bundle`]),
/// `models/bundle` in the current folder, `bundle` or `../share/ftuseg/bundle` beside the program (see
/// [`set_program_folder`]), the bundle that is installed for the user, or the folder that the program was built from.
///
/// # Errors
/// When there is none, with the list of places; or when bundles of several names are installed, so that one has to be named.
pub fn default_bundle() -> Result<PathBuf, BundleError> {
    if let Some(named) = std::env::var_os("FTUSEG_BUNDLE") {
        return named_bundle(Path::new(&named));
    }
    let mut places = vec![PathBuf::from("models/bundle")];
    if let Some(folder) = program_folder() {
        places.push(folder.join("bundle"));
        places.push(folder.join("../share/ftuseg/bundle"));
    }
    let holds = |place: &&PathBuf| place.join("bundle.toml").is_file();
    if let Some(place) = places.iter().find(holds) {
        return Ok(place.clone());
    }
    let all = installed_bundles();
    if let Some(first) = all.first() {
        let only = all.iter().all(|other| other.name == first.name);
        return newest(&all, &first.name)
            .filter(|_| only)
            .ok_or_else(|| BundleError::Several {
                installed: all.iter().map(InstalledBundle::folder_name).collect(),
            });
    }
    places.extend(bundles_folder());
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/bundle");
    if holds(&&built_from) {
        return Ok(built_from);
    }
    Err(BundleError::NotFound {
        looked: places.iter().map(|p| p.display().to_string()).collect(),
    })
}

/// The folder that installed bundles are in: `ftuseg/bundles` in the user's data folder, which the variable `FTUSEG_DATA`
/// may name instead. `None` for a user without a home folder.
pub fn bundles_folder() -> Option<PathBuf> {
    let data = match std::env::var_os("FTUSEG_DATA") {
        Some(named) => PathBuf::from(named),
        None => etcetera::choose_base_strategy()
            .ok()?
            .data_dir()
            .join("ftuseg"),
    };
    Some(data.join("bundles"))
}

/// A bundle that is installed for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledBundle {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its folder.
    pub folder: PathBuf,
}

impl InstalledBundle {
    /// Name and version in one, as its folder is called: `ftuseg-cores-0.6.0`.
    pub fn folder_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// The bundles that are installed for the user, by name, the newest version of each first. What cannot be read is left
/// out.
pub fn installed_bundles() -> Vec<InstalledBundle> {
    let Some(entries) = bundles_folder().and_then(|folder| std::fs::read_dir(folder).ok()) else {
        return Vec::new();
    };
    let mut all: Vec<InstalledBundle> = entries
        .flatten()
        .filter_map(|entry| {
            let bundle = Bundle::load(&entry.path()).ok()?;
            let found = InstalledBundle {
                name: bundle.name,
                version: bundle.version,
                folder: bundle.folder,
            };
            // A folder that is called otherwise is not whole yet, or not an installed bundle.
            (entry.file_name().to_str() == Some(&found.folder_name())).then_some(found)
        })
        .collect();
    all.sort_by(|a, b| {
        let by_version = || compare_versions(&b.version, &a.version);
        a.name.cmp(&b.name).then_with(by_version)
    });
    all
}

/// The bundle of this folder name, or else the newest of this name; `all` is sorted.
fn newest(all: &[InstalledBundle], name: &str) -> Option<PathBuf> {
    all.iter()
        .find(|bundle| bundle.folder_name() == name)
        .or_else(|| all.iter().find(|bundle| bundle.name == name))
        .map(|bundle| bundle.folder.clone())
}

/// Compares versions part by part, numbers as numbers; a version that goes on with a word is older (`1.0-beta` is before
/// `1.0`).
fn compare_versions(a: &str, b: &str) -> Ordering {
    fn parts(version: &str) -> impl Iterator<Item = &str> {
        version.split(['.', '-', '_', '+'])
    }
    let (mut left, mut right) = (parts(a), parts(b));
    loop {
        let number = |part: &str| part.parse::<u64>().ok();
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (Some(part), None) => match number(part) {
                Some(_) => Ordering::Greater,
                None => Ordering::Less,
            },
            (None, Some(part)) => match number(part) {
                Some(_) => Ordering::Less,
                None => Ordering::Greater,
            },
            (Some(one), Some(other)) => match (number(one), number(other)) {
                (Some(one), Some(other)) => one.cmp(&other),
                (Some(_), None) => Ordering::Greater,
                (None, Some(_)) => Ordering::Less,
                (None, None) => one.cmp(other),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_people_read_them() {
        for (older, newer) in [
            ("0.9.0", "0.10.0"),
            ("1.0", "1.0.1"),
            ("1.0-beta", "1.0"),
            ("1.0-alpha", "1.0-beta"),
            ("0.5.0", "1"),
        ] {
            assert_eq!(compare_versions(older, newer), Ordering::Less, "{older}");
            assert_eq!(compare_versions(newer, older), Ordering::Greater, "{older}");
        }
        assert_eq!(compare_versions("1.0", "1.0"), Ordering::Equal);
    }

    #[test]
    fn a_name_means_its_newest_version() {
        let one = |name: &str, version: &str| InstalledBundle {
            name: name.to_owned(),
            version: version.to_owned(),
            folder: PathBuf::from(format!("{name}-{version}")),
        };
        let all = [one("a", "0.10"), one("a", "0.9"), one("b", "1")];
        assert_eq!(newest(&all, "a"), Some(PathBuf::from("a-0.10")));
        assert_eq!(newest(&all, "a-0.9"), Some(PathBuf::from("a-0.9")));
        assert_eq!(newest(&all, "c"), None);
    }
}
