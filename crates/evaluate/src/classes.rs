//! Which polygons of a GeoJSON file count: those of classes that mean functional tissue units.

use std::collections::{BTreeMap, BTreeSet};

use ftuseg_router::Organ;
use serde_json::Value;

/// Words that classes of other things than units begin with: parts of the slide, and what is to be passed over.
const NEVER: [&str; 10] = [
    "ignore",
    "region",
    "roi",
    "tissue",
    "background",
    "exclude",
    "artefact",
    "artifact",
    "tma_core",
    "tile",
];
/// Other words for units than the organs' own.
const UNITS: [&str; 9] = [
    "ftu",
    "ftus",
    "glomeruli",
    "gland",
    "glands",
    "glandular acini",
    "crypts",
    "alveoli",
    "white pulps",
];

/// Why it cannot be said which polygons of a file count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassError {
    /// None of several classes is known to mean functional tissue units, and none was chosen.
    #[error(
        "it has polygons of several classes ({found}), and it is unclear which of them are functional tissue units"
    )]
    Unknown {
        /// The classes, with the number of polygons of each.
        found: String,
    },
    /// No class counts.
    #[error("none of its polygons is of a class that counts; it has {found}")]
    NoneCounts {
        /// The classes, with the number of polygons of each.
        found: String,
    },
}

/// The classes that were chosen to count; none chosen leaves it to what they are called.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Classes(Vec<String>);

impl Classes {
    /// These classes, whatever their case.
    ///
    /// # Errors
    /// When one of them never counts.
    pub fn of(names: &[String]) -> Result<Self, String> {
        match names.iter().find(|name| name.trim_end().ends_with('*')) {
            Some(name) => Err(format!(
                "the class {name:?} never counts: QuPath ignores classes with a star"
            )),
            None => Ok(Classes(names.iter().map(|name| plain(name)).collect())),
        }
    }

    /// Which of the classes in a file count. `found` holds the polygons of each, the empty name those without a class.
    /// Also says what is left out.
    ///
    /// # Errors
    /// When it is not sure which count, or none does though there are some.
    pub(super) fn choose(
        &self,
        found: &BTreeMap<String, usize>,
    ) -> Result<(BTreeSet<String>, Vec<String>), ClassError> {
        let all = || found.keys();
        let mut chosen: BTreeSet<String> = match self.0.is_empty() {
            false => all()
                .filter(|name| self.0.contains(&plain(name)))
                .cloned()
                .collect(),
            true => all().filter(|name| !is_never(name)).cloned().collect(),
        };
        if self.0.is_empty() && chosen.len() > 1 {
            let units: BTreeSet<String> = chosen
                .iter()
                .filter(|name| is_unit(name))
                .cloned()
                .collect();
            if units.is_empty() {
                return Err(ClassError::Unknown { found: list(found) });
            }
            chosen = units;
        }
        if chosen.is_empty() && !found.is_empty() {
            return Err(ClassError::NoneCounts { found: list(found) });
        }
        let left = found.iter().filter(|(name, _)| !chosen.contains(*name));
        let words = left.map(|(name, count)| format!("left out: {}", told(name, *count)));
        Ok((chosen.clone(), words.collect()))
    }
}

/// A class's name, which some tools write as a number.
pub(super) fn class_name(name: &Value) -> Option<String> {
    match name {
        Value::String(name) => Some(name.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The name in a `classification`, as QuPath writes it or as a plain word; empty where it has none.
pub(super) fn class_of(class: &Value) -> String {
    let named = class_name(&class["name"]).or_else(|| class_name(class));
    match (named, class["names"].as_array()) {
        (Some(name), _) => name,
        (None, Some(names)) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(": ")
        }
        _ => String::new(),
    }
}

fn plain(name: &str) -> String {
    name.trim().to_lowercase()
}

fn is_never(name: &str) -> bool {
    let name = plain(name);
    // The class 0 of tools that only count classes is the background.
    name == "0" || name.ends_with('*') || NEVER.iter().any(|word| name.starts_with(word))
}

fn is_unit(name: &str) -> bool {
    let name = plain(name);
    UNITS.contains(&name.as_str())
        || Organ::ALL
            .iter()
            .any(|organ| name == organ.ftu().to_lowercase())
}

fn list(found: &BTreeMap<String, usize>) -> String {
    let words: Vec<String> = found
        .iter()
        .map(|(name, count)| told(name, *count))
        .collect();
    words.join(", ")
}

fn told(name: &str, count: usize) -> String {
    let polygons = if count == 1 { "polygon" } else { "polygons" };
    match name {
        "" => format!("{count} {polygons} without a class"),
        name => format!("{count} {polygons} of the class {name:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(chosen: &[&str], found: &[&str]) -> Result<(Vec<String>, String), String> {
        let chosen: Vec<String> = chosen.iter().map(|&name| name.to_owned()).collect();
        let found = found.iter().map(|&name| (name.to_owned(), 1)).collect();
        let (names, left) = Classes::of(&chosen)?
            .choose(&found)
            .map_err(|error| error.to_string())?;
        Ok((names.into_iter().collect(), left.join("; ")))
    }

    #[test]
    fn only_classes_that_mean_units_count_and_the_rest_is_told_of() {
        for (chosen, found, right, told) in [
            (&[][..], &["Glomerulus"][..], "Glomerulus", ""),
            (&[], &[""], "", ""),
            (&[], &["G"], "G", ""),
            (&[], &["Glomerulus", "Region*"], "Glomerulus", "Region*"),
            (&[], &["Glomerulus", "Ignore*"], "Glomerulus", "Ignore*"),
            (&[], &["X", "Region 1"], "X", "Region 1"),
            (&[], &["Glomerulus", "Tubule"], "Glomerulus", "Tubule"),
            (&[], &["Glomerulus", ""], "Glomerulus", "without a class"),
            (&[], &["0", "1"], "1", "0"),
            (&["0"], &["0", "1"], "0", "1"),
            (
                &["tubule"],
                &["Glomerulus", "Tubule"],
                "Tubule",
                "Glomerulus",
            ),
        ] {
            let (names, left) = choose(chosen, found).unwrap();
            assert_eq!(names, [right], "{found:?}");
            assert!(
                left.contains(told) && left.is_empty() == told.is_empty(),
                "{left}"
            );
        }
    }

    #[test]
    fn classes_are_words_numbers_and_lists() {
        for (class, name) in [
            (r#"{"name": " Gland "}"#, "Gland"),
            (r#"{"name": 1, "color": [1, 2, 3]}"#, "1"),
            (r#"{"names": ["A", "B"]}"#, "A: B"),
            (r#""Gland""#, "Gland"),
            ("3", "3"),
            ("null", ""),
            ("{}", ""),
        ] {
            let class: Value = serde_json::from_str(class).unwrap();
            assert_eq!(class_of(&class), name);
        }
    }

    #[test]
    fn what_is_not_sure_is_refused() {
        for (chosen, found, word) in [
            (&[][..], &["A", "B"][..], "unclear"),
            (&[], &["A", ""], "without a class"),
            (&[], &["Region*"], "none of its polygons"),
            (&["C"], &["A", "B"], "none of its polygons"),
            (&["Region*"], &["Region*"], "never counts"),
        ] {
            let error = choose(chosen, found).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        // A file without polygons is an empty mask.
        assert!(choose(&[], &[]).unwrap().0.is_empty());
    }
}
