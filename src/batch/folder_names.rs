//! Finds a folder's name for every slide: from its id, which may hold anything, and never from its place in the batch.
//!
//! An id that is safe as a name keeps it. One that had to be changed, or that several slides have, gets a sum behind a
//! `~`, which no safe name holds.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::Job;
use crate::bundle::hex;

/// Longest id in bytes; a folder's name may have 255.
const MAX_BYTES: usize = 120;
/// Digits of a sum behind a name.
const DIGITS: usize = 10;
/// Names that Windows keeps for devices, with any extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

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
    if is_device(&name) {
        name.insert(0, '_');
    }
    // Earlier versions named what they had half-written so.
    name.replace(".part-", "_part-")
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    let numbered = ["com", "lpt"].iter().any(|port| {
        let number = stem.strip_prefix(port);
        number.is_some_and(|n| n.chars().count() == 1 && n.chars().all(char::is_numeric))
    });
    numbered || DEVICES.contains(&stem.as_str())
}

/// The names that a slide's folder can have, the plainest first: by its id; by its id and the sum of that; by its id and
/// the sum of that and its file's path.
pub(super) fn candidates(job: &Job) -> [String; 3] {
    let base = safe(&job.id);
    let sum = |parts: &[&[u8]]| {
        let mut sum = Sha256::new();
        for part in parts {
            sum.update((part.len() as u64).to_le_bytes());
            sum.update(part);
        }
        format!("{base}~{}", &hex(&sum.finalize())[..DIGITS])
    };
    let by_id = sum(&[job.id.as_bytes()]);
    // From whichever folder the program is started.
    let path = super::discover::place_of(&job.path);
    let by_path = sum(&[job.id.as_bytes(), path.as_os_str().as_encoded_bytes()]);
    let plain = match base == job.id {
        true => base,
        false => by_id.clone(),
    };
    [plain, by_id, by_path]
}

/// Gives every job its folder's name. File systems that do not tell upper from lower case are thought of.
pub(super) fn name_folders(jobs: &mut [Job]) {
    let names: Vec<[String; 3]> = jobs.iter().map(candidates).collect();
    let mut plain: HashMap<String, usize> = HashMap::new();
    let mut ids: HashMap<String, usize> = HashMap::new();
    for (job, [name, ..]) in jobs.iter().zip(&names) {
        *plain.entry(name.to_lowercase()).or_default() += 1;
        *ids.entry(job.id.clone()).or_default() += 1;
    }
    let mut twice: HashMap<String, usize> = HashMap::new();
    for (job, [name, by_id, by_path]) in jobs.iter_mut().zip(names) {
        job.folder = match (plain.get(&name.to_lowercase()), ids.get(&job.id)) {
            (Some(1), _) => name,
            (_, Some(1)) => by_id,
            _ => {
                // Rows of a table that name one file twice under one id.
                let count = twice.entry(by_path.clone()).or_default();
                *count += 1;
                match *count {
                    1 => by_path,
                    n => format!("{by_path}-{n}"),
                }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn job(id: &str, path: &str) -> Job {
        Job::new(id.to_owned(), path.into())
    }

    /// The folders of jobs, by path.
    fn folders(jobs: &[(&str, &str)]) -> HashMap<String, String> {
        let mut jobs: Vec<Job> = jobs.iter().map(|(id, path)| job(id, path)).collect();
        name_folders(&mut jobs);
        let all = jobs.iter();
        all.map(|job| (job.path.display().to_string(), job.folder.clone()))
            .collect()
    }

    #[test]
    fn folders_do_not_hang_on_the_order() {
        let mut jobs = [
            ("S1", "/a/S1.tif"),
            ("S1", "/b/S1.tif"),
            ("S1-2", "/S1-2.tif"),
            ("case 1", "/1.tif"),
            ("case_1", "/2.tif"),
            ("A", "/3.tif"),
            ("a", "/4.tif"),
        ];
        let found = folders(&jobs);
        jobs.reverse();
        assert_eq!(found, folders(&jobs));
        assert_eq!(found["/S1-2.tif"], "S1-2");
        assert_eq!(found["/2.tif"], "case_1");
        assert!(found["/1.tif"].starts_with("case_1~"));
        assert!(found["/a/S1.tif"].starts_with("S1~"));
        let mut all: Vec<String> = found.values().map(|name| name.to_lowercase()).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), jobs.len());
        // Also not on which others there are, where an id had to be changed.
        assert_eq!(folders(&[("case 1", "/1.tif")])["/1.tif"], found["/1.tif"]);
    }

    #[test]
    fn no_name_is_a_device_or_hidden_or_half_written() {
        for id in [
            "nul",
            "CON",
            "aux.x",
            "com1",
            "LPT9.tif",
            "COM\u{b9}",
            ".x",
            "a.part-1",
            "con.part-b",
        ] {
            let found = folders(&[(id, "/x.tif")])["/x.tif"].clone();
            assert!(found.contains('~') && !found.starts_with('.'), "{found}");
            assert!(!is_device(&found) && !found.contains(".part-"), "{found}");
        }
        for id in ["nullify", "com", "com10", "x.part", "lpt"] {
            assert_eq!(folders(&[(id, "/x.tif")])["/x.tif"], id);
        }
    }
}
