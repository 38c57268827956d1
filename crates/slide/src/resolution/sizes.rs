//! The sizes of pictures in an Aperio description: of the scan, of its part, and of what it was reduced to.

/// The sizes of pictures that an Aperio description speaks of.
pub(super) struct AperioSizes {
    /// The scan's, and then that of the part of it that was kept, where there is one.
    pub(super) pictures: Vec<(u64, u64)>,
    /// What it was reduced to.
    pub(super) reduced: Option<(u64, u64)>,
}

impl AperioSizes {
    /// `46000x32914 [0,100 45000x32000] (240x240) -> 1024x732`: the scan, the part that was kept, the tiles, and what it
    /// was reduced to. None where there is no size.
    pub(super) fn find(text: &str) -> Option<Self> {
        // Behind it stand the texts of the files that this one was made from.
        let text = text.split(";Aperio").next().unwrap_or_default();
        let (before, after) = match text.split_once("->") {
            Some((before, after)) => (before, Some(after)),
            None => (text, None),
        };
        // The tiles' size stands in round brackets.
        let before = before.split('(').next().unwrap_or_default();
        let pictures: Vec<(u64, u64)> = sizes(before).collect();
        (!pictures.is_empty()).then(|| AperioSizes {
            pictures,
            reduced: after.and_then(|after| sizes(after).next()),
        })
    }
}

/// The words of a text that are sizes, `400x300`.
fn sizes(text: &str) -> impl Iterator<Item = (u64, u64)> {
    text.split(|c: char| c.is_whitespace() || "[](),;".contains(c))
        .filter_map(|word| {
            let (width, height) = word.split_once(['x', 'X'])?;
            Some((width.parse().ok()?, height.parse().ok()?))
        })
}
