//! Runs that found the same: their masks agree px by px, and object by object, on every image.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::score::RunScores;
use ftuseg_mask::{Mask, Objects};

/// A number that two masks with their objects share only if they are the same. It lives no longer than the program.
pub(super) fn fingerprint(mask: &Mask, objects: &Objects) -> u64 {
    let mut hasher = DefaultHasher::new();
    (mask.width(), mask.height()).hash(&mut hasher);
    for (y, columns) in mask.rows() {
        (y, columns.start, columns.end).hash(&mut hasher);
    }
    for object in objects.iter() {
        object.runs().len().hash(&mut hasher);
        for run in object.runs() {
            (run.y, run.start, run.end).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// The names of runs that found the same, two or more at a time. A run without any image is like no other.
pub(super) fn identical(runs: &[RunScores]) -> Vec<Vec<String>> {
    let found = |run: &RunScores| -> Vec<(String, u64)> {
        let images = run.images.iter();
        images.map(|s| (s.id.clone(), s.fingerprint)).collect()
    };
    let all: Vec<_> = runs.iter().map(found).collect();
    let mut groups: Vec<(usize, Vec<String>)> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        match groups.iter_mut().find(|(first, _)| all[*first] == all[at]) {
            Some((_, names)) => names.push(run.name.clone()),
            None if all[at].is_empty() => {}
            None => groups.push((at, vec![run.name.clone()])),
        }
    }
    let several = groups.into_iter().map(|(_, names)| names);
    several.filter(|names| names.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_px_or_one_border_between_objects_makes_another_fingerprint() {
        let mut mask = Mask::new(20, 20).unwrap();
        mask.set_row_run(3, 2..8);
        let one = Objects::find(&mask);
        let same = fingerprint(&mask, &one);
        assert_eq!(same, fingerprint(&mask.clone(), &one));
        let run = |start, end| ftuseg_mask::Run { y: 3, start, end };
        let two = Objects::of_labels(vec![(1, run(2, 5)), (2, run(5, 8))]);
        assert_ne!(same, fingerprint(&mask, &two));
        mask.set(9, 9, true);
        assert_ne!(same, fingerprint(&mask, &one));
    }
}
