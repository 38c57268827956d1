//! The page with the results, and how figures stand on it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A part of the page: its name and its text.
pub type Part = (String, String);

/// Where the page is.
pub fn path() -> PathBuf {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut pages = found.map(|folder| folder.join("benches/RESULTS.md"));
    pages.find(|page| page.exists()).unwrap_or_default()
}

/// The page's head and its parts, in their order; nothing where there is no page.
pub fn read(path: &Path) -> (String, Vec<Part>) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut parts = text.split("\n<!-- ");
    let head = parts.next().unwrap_or_default().to_owned();
    let parts = parts.filter_map(|part| part.split_once(" -->\n"));
    let own = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
    (head, parts.map(own).collect())
}

/// The page with this head and these parts.
pub fn of(head: &str, parts: &[Part]) -> String {
    let mut page = head.to_owned();
    for (name, text) in parts {
        let _ = write!(page, "\n<!-- {name} -->\n{text}");
    }
    page
}

/// The machine's processor, for people.
pub fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()));
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// The number in the middle, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

/// Adds a line of a table: a name, the median with its n, and the lowest and the highest.
pub fn line(text: &mut String, name: &str, values: &[f64], digits: usize) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let _ = writeln!(
        text,
        "| {name} | {:.digits$} (n = {}) | [{low:.digits$}, {high:.digits$}] |",
        median(values),
        values.len()
    );
}
