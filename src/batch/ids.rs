//! Makes ids that are safe as folder names and unique in a batch.

use std::collections::HashSet;
use std::path::Path;

/// Longest id in bytes; a folder's name may have 255.
const MAX_BYTES: usize = 120;

/// The id of a file: its name without its extension; `.ome.tif` counts as one extension.
pub(super) fn of_file(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let stem = match name.rfind('.') {
        Some(0) | None => name.as_str(),
        Some(dot) => &name[..dot],
    };
    let stem = match stem.to_lowercase().strip_suffix(".ome") {
        Some(_) if stem.len() > 4 => &stem[..stem.len() - 4],
        _ => stem,
    };
    stem.to_owned()
}

/// Turns any text into a name that stays inside its folder: letters and digits of all scripts and `-`, `_`, `.`; no
/// leading dot, so neither `..` nor a hidden folder; never empty, never too long.
pub(super) fn safe(text: &str) -> String {
    let mut name = String::new();
    for letter in text.chars() {
        let letter = if letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.') {
            letter
        } else {
            '_'
        };
        if name.len() + letter.len_utf8() > MAX_BYTES {
            break;
        }
        if name.is_empty() && letter == '.' {
            name.push('_');
        } else {
            name.push(letter);
        }
    }
    // Windows drops a dot at the end of a name.
    while name.ends_with('.') {
        name.pop();
    }
    if name.is_empty() {
        name.push_str("slide");
    }
    name
}

/// Hands out each name once, also on file systems that do not tell upper from lower case.
#[derive(Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// `name`, or `name-2`, `name-3` and so on if it is taken.
    pub(super) fn take(&mut self, name: &str) -> String {
        let mut candidate = name.to_owned();
        let mut number = 2_u64;
        while !self.taken.insert(candidate.to_lowercase()) {
            candidate = format!("{name}-{number}");
            number += 1;
        }
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_lose_their_extension() {
        for (path, id) in [
            ("a/b/10044.tiff", "10044"),
            ("x.ome.tif", "x"),
            ("x.OME.TIFF", "x"),
            ("two.parts.svs", "two.parts"),
            ("noextension", "noextension"),
            (".hidden", ".hidden"),
            (".ome.tif", ".ome"),
        ] {
            assert_eq!(of_file(Path::new(path)), id, "{path}");
        }
    }

    #[test]
    fn names_stay_in_their_folder() {
        for (text, id) in [
            ("../../x", "_._.._x"),
            ("", "slide"),
            ("..", "_"),
            ("a b\n\"c\"", "a_b__c_"),
            ("\u{1f610}", "_"),
            ("组织-1", "组织-1"),
            ("C:\\x", "C__x"),
            ("end.", "end"),
        ] {
            let got = safe(text);
            assert!(!got.contains(['/', '\\']) && !got.starts_with('.'), "{got}");
            assert_eq!(got, id, "{text:?}");
        }
        assert!(safe(&"ä".repeat(500)).len() <= MAX_BYTES);
    }

    #[test]
    fn equal_names_are_told_apart() {
        let mut names = Names::default();
        assert_eq!(names.take("a"), "a");
        assert_eq!(names.take("A"), "A-2");
        assert_eq!(names.take("a-2"), "a-2-2");
        assert_eq!(names.take("a"), "a-3");
    }
}
