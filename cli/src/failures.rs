//! Tells failures of one kind once: with their count, and some of the slides.

use std::collections::BTreeMap;

use super::advice;
use super::console::{printable, some_of};
use ftuseg::batch::SlideStatus;

/// What slides that failed for the same reason have in common: the kind, and the reason without the slide's own name.
pub(super) fn key_of(slide: &SlideStatus) -> (String, String) {
    let kind = slide.kind.clone().unwrap_or_default();
    (kind, reason_without_name(slide))
}

/// The reason, with what to type, without the slide's path and id.
fn reason_without_name(slide: &SlideStatus) -> String {
    let reason = advice::reason(slide);
    let name = std::path::Path::new(&slide.path).file_name();
    let name = name.unwrap_or_default().to_string_lossy().into_owned();
    let mut text = reason;
    for name in [slide.path.as_str(), name.as_str(), slide.id.as_str()] {
        if !name.is_empty() {
            text = without(&text, name);
        }
    }
    let text = text.trim_start_matches(|letter: char| letter == ':' || letter.is_whitespace());
    text.to_owned()
}

/// A text without a word, where that stands for itself: an id may be a part of any other word.
fn without(text: &str, word: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let joins = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let stands_alone = !joins(before.chars().next_back()) && !joins(after.chars().next());
        out.push_str(before);
        if !stands_alone {
            out.push_str(word);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The lines that tell of slides: one for each reason, in the order of their first slides.
pub(super) fn lines<'a>(slides: impl Iterator<Item = &'a SlideStatus>) -> Vec<String> {
    let mut order: Vec<Vec<&SlideStatus>> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    for slide in slides {
        let place = *places.entry(key_of(slide)).or_insert(order.len());
        match order.get_mut(place) {
            Some(group) => group.push(slide),
            None => order.push(vec![slide]),
        }
    }
    order
        .iter()
        .map(|group| match group.as_slice() {
            [slide] => {
                let reason = advice::reason(slide);
                format!("{}: {}", printable(&slide.id), printable(&reason))
            }
            group => {
                let ids: Vec<&str> = group.iter().map(|slide| slide.id.as_str()).collect();
                format!(
                    "{} slides ({}): {}",
                    group.len(),
                    some_of(&ids),
                    printable(&reason_without_name(group[0]))
                )
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftuseg::batch::Status;

    fn failed(id: &str, kind: &str, reason: &str) -> SlideStatus {
        let mut slide = SlideStatus::new(id, format!("in/{id}.tif"), Status::Failed);
        slide.kind = Some(kind.to_owned());
        slide.reason = Some(reason.to_owned());
        slide
    }

    #[test]
    fn one_reason_is_one_line() {
        let no_px = |id: &str| failed(id, "no-resolution", &format!("in/{id}.tif: no um/px"));
        let slides = [
            no_px("a"),
            failed("t", "io", "in/t.tif: cannot be read"),
            no_px("b"),
            // Another kind of the same text, and another text of the same kind.
            failed("c", "format", "in/c.tif: no um/px"),
            failed("d", "no-resolution", "in/d.tif: no um/px at all"),
            no_px("e"),
            no_px("f"),
            no_px("g"),
        ];
        assert_eq!(
            lines(slides.iter()),
            [
                "5 slides (a, b, e and 2 more): no um/px",
                // The id is a part of other words, which stay whole.
                "t: in/t.tif: cannot be read",
                "c: in/c.tif: no um/px",
                "d: in/d.tif: no um/px at all",
            ]
        );
        assert_eq!(key_of(&slides[1]).1, "cannot be read");
    }
}
