//! Finds the table that says how large the px of images are, where it lies among them, beside their folder or above it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ftuseg::batch::Job;
use ftuseg_files::table::{Table, said};

/// Folders above the images that are looked into.
const UP: usize = 3;
/// Tables of a folder that are looked into.
const TABLES: usize = 20;
/// The largest table that is looked into; Kaggle's has 70 MB.
const MAX_BYTES: u64 = 300 << 20;

/// A table that knows um/px of slides.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    /// The table.
    pub path: PathBuf,
    /// Of how many of the slides it knows um/px.
    pub known: usize,
    /// The folder of the images; none where the table names their files itself.
    images: Option<PathBuf>,
}

impl Found {
    /// What to type.
    pub(super) fn command(&self, out: &Path) -> String {
        let mut words = vec!["ftuseg segment".to_owned(), quoted(&self.path)];
        if let Some(images) = &self.images {
            words.push(format!("--images {}", quoted(images)));
        }
        words.push(format!("-o {}", quoted(out)));
        words.join(" ")
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-~+:,@".contains(letter);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// The table that knows most of these slides.
pub(super) fn find(lacking: &[&Job]) -> Option<Found> {
    let folder = lacking.first()?.path.parent()?;
    let in_one_folder: Vec<&&Job> = lacking
        .iter()
        .filter(|job| job.path.parent() == Some(folder))
        .collect();
    let ids: HashSet<&str> = in_one_folder.iter().map(|job| job.id.as_str()).collect();
    let mut best: Option<Found> = None;
    for place in places(folder) {
        for path in tables(&place) {
            let Some((known, names_files)) = knows(&path, &ids) else {
                continue;
            };
            if best.as_ref().is_none_or(|best| known > best.known) {
                best = Some(Found {
                    path,
                    known,
                    images: (!names_files).then(|| match folder.as_os_str().is_empty() {
                        true => PathBuf::from("."),
                        false => folder.to_owned(),
                    }),
                });
            }
        }
    }
    best
}

/// The folder itself and those above it, as they would be typed.
fn places(folder: &Path) -> Vec<PathBuf> {
    let mut places = vec![folder.to_owned()];
    while places.len() < UP {
        let last = &places[places.len() - 1];
        let above = match (last.parent(), last.file_name()) {
            (Some(above), Some(_)) => above.to_owned(),
            _ if last.as_os_str().is_empty() || last.ends_with("..") => last.join(".."),
            _ => break,
        };
        places.push(above);
    }
    places
}

/// The tables of a folder, sorted.
fn tables(folder: &Path) -> Vec<PathBuf> {
    let here = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let Ok(entries) = std::fs::read_dir(here) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| folder.join(entry.file_name()))
        .filter(|path| {
            let ending = path.extension().unwrap_or_default();
            ["csv", "tsv"]
                .iter()
                .any(|one| ending.eq_ignore_ascii_case(one))
        })
        .filter(|path| path.metadata().is_ok_and(|meta| meta.len() <= MAX_BYTES))
        .collect();
    found.sort();
    found.truncate(TABLES);
    found
}

/// Of how many of these slides a table knows um/px, and whether it names their files; none where it knows none.
fn knows(path: &Path, ids: &HashSet<&str>) -> Option<(usize, bool)> {
    let table = Table::read(path, "id").ok()?;
    let column = |name: &str| table.column(name).ok().flatten();
    let (id, size) = (column("id")?, column("mpp").or(column("pixel_size"))?);
    let field = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let known: HashSet<String> = table
        .rows()
        .filter(|(_, row)| {
            let size = field(row, size);
            said(&size).is_some_and(|text| table.number(text).is_some())
        })
        .map(|(_, row)| field(row, id))
        .filter(|id| ids.contains(id.as_str()))
        .collect();
    (!known.is_empty()).then(|| (known.len(), column("path").is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell_are_quoted_where_they_must_be() {
        for (path, words) in [
            ("hpa/train.csv", "hpa/train.csv"),
            ("my slides/t.csv", "'my slides/t.csv'"),
            ("it's", "'it'\\''s'"),
        ] {
            assert_eq!(quoted(Path::new(path)), words);
        }
        let of = |folder: &str| {
            let places = places(Path::new(folder));
            let texts = places.iter().map(|place| place.display().to_string());
            texts.collect::<Vec<_>>()
        };
        assert_eq!(of("a/b/c"), ["a/b/c", "a/b", "a"]);
        assert_eq!(of("a"), ["a", "", ".."]);
        assert_eq!(of(""), ["", "..", "../.."]);
        assert_eq!(of("/"), ["/"]);
    }
}
