//! Problems that many images share are told once: how many there are, and examples.

use std::collections::HashMap;

/// Images that are named as examples.
pub const EXAMPLES: usize = 3;

/// Images with one kind of problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemGroup {
    /// What is wrong with the first of them; with the others it is the same but for names and numbers.
    pub reason: String,
    /// The images.
    pub ids: Vec<String>,
}

impl ProblemGroup {
    /// The first images, and how many more there are: `a, b, c and 5 more`.
    pub fn examples(&self) -> String {
        let shown: Vec<&str> = self.ids.iter().take(EXAMPLES).map(String::as_str).collect();
        match self.ids.len() - shown.len() {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

/// Sorts problems (id, reason) into groups of one kind, in the order in which they begin. Up to [`EXAMPLES`] problems of one
/// kind are groups of their own, each with its own reason.
pub fn group<'a>(problems: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<ProblemGroup> {
    let mut groups: Vec<Vec<(&str, &str)>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (id, reason) in problems {
        let place = *places.entry(kind(id, reason)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push((id, reason));
    }
    let together = |problems: &[(&str, &str)]| ProblemGroup {
        reason: problems[0].1.to_owned(),
        ids: problems.iter().map(|(id, _)| (*id).to_owned()).collect(),
    };
    groups
        .iter()
        .flat_map(|problems| {
            let size = if problems.len() > EXAMPLES {
                problems.len()
            } else {
                1
            };
            problems.chunks(size).map(together)
        })
        .collect()
}

/// A reason without what differs from image to image: its id, and numbers.
fn kind(id: &str, reason: &str) -> String {
    let without = match id.is_empty() {
        true => reason.to_owned(),
        false => reason.replace(id, "\u{0}"),
    };
    let mut kind = String::with_capacity(without.len());
    for c in without.chars() {
        match c.is_ascii_digit() {
            true if kind.ends_with('#') => {}
            true => kind.push('#'),
            false => kind.push(c),
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_only_in_names_and_numbers_is_told_once() {
        let problems = [
            (
                "a1",
                "masks/a1.png: it is 10 x 20 px, but the truth is 3 x 4 px",
            ),
            ("b", "no mask"),
            (
                "a2",
                "masks/a2.png: it is 300 x 20 px, but the truth is 3 x 4 px",
            ),
            (
                "c",
                "masks/c.png: it is 1 x 2 px, but the truth is 3 x 4 px",
            ),
            (
                "d",
                "masks/d.png: it is 1 x 2 px, but the truth is 3 x 4 px",
            ),
            ("e", "its brightest px is 100 of 255"),
            ("f", "its brightest px is 120 of 255"),
        ];
        let groups = group(problems.into_iter());
        // Two are few enough to be told one by one, each with its own numbers.
        let reasons: Vec<&str> = groups[2..]
            .iter()
            .map(|group| group.reason.as_str())
            .collect();
        assert_eq!(reasons, [problems[5].1, problems[6].1]);
        assert_eq!(groups[0].examples(), "a1, a2, c and 1 more");
        assert_eq!(groups[0].reason, problems[0].1);
        assert_eq!(
            (groups[1].ids.len(), groups[1].examples()),
            (1, "b".to_owned())
        );
    }
}
