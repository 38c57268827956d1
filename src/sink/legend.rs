//! The strip under a picture of a slide: which colour is which organ, how much was found, and how long 500 um are.

use ftuseg_router::Target;

use super::picture::{LINE, Picture, width_of};
use super::{SinkError, SlideFindings, colour};

/// Empty px around the strip and between its entries.
const GAP: u32 = 14;
/// Side of a coloured square, px.
const SQUARE: u32 = 16;
/// Thickness of the scale bar, px.
const BAR: u32 = 4;
/// Distance from one line of entries to the next, px.
const STEP: u32 = LINE + 8;

/// What a legend says, laid out for a width.
pub(super) struct Legend {
    /// Each with the corner that it is drawn at, relative to the strip.
    entries: Vec<((u32, u32), Entry)>,
    /// Width that the entries need, px.
    pub width: u32,
    /// Height of the strip, px.
    pub height: u32,
}

/// One thing that the legend says.
enum Entry {
    /// A colour with its meaning.
    Colour([u8; 3], String),
    /// A bar of so many px with the length that it stands for.
    Scale(u32, String),
    Words(String),
}

impl Entry {
    fn width(&self) -> u32 {
        match self {
            Entry::Colour(_, words) => SQUARE + GAP / 2 + width_of(words),
            Entry::Scale(bar, words) => bar + GAP / 2 + width_of(words),
            Entry::Words(words) => width_of(words),
        }
    }
}

impl Legend {
    /// The legend of a picture that is `width` px wide, one px of which is `scale` full-size px.
    ///
    /// # Errors
    /// When the objects cannot be found.
    pub fn of(findings: &SlideFindings<'_>, width: u32, scale: f64) -> Result<Self, SinkError> {
        let mut entries: Vec<Entry> = findings
            .objects()?
            .targets()
            .iter()
            .map(|objects| {
                let count = objects.count;
                let plural = if count == 1 { "" } else { "s" };
                let name = objects.target.label();
                let words = format!("{name}: {count} object{plural}");
                Entry::Colour(colour(objects.target), words)
            })
            .collect();
        if findings.segmentation.map.targets().contains(&Target::Other) {
            entries.push(Entry::Words("other tissue: left out".to_owned()));
        }
        if entries.is_empty() {
            entries.push(Entry::Words("no tissue".to_owned()));
        }
        entries.push(match findings.mpp() {
            Some(mpp) => scale_bar(f64::from(width) / 5.0, scale * mpp),
            None => Entry::Words("px of unknown size".to_owned()),
        });
        Ok(Legend::laid_out(entries, width))
    }

    fn laid_out(entries: Vec<Entry>, width: u32) -> Self {
        let (mut x, mut y) = (GAP, GAP / 2);
        let mut widest = 0;
        let mut placed = Vec::new();
        for entry in entries {
            let own = entry.width();
            if x > GAP && x + own + GAP > width {
                (x, y) = (GAP, y + STEP);
            }
            widest = widest.max(x + own + GAP);
            placed.push(((x, y), entry));
            x += own + 2 * GAP;
        }
        Legend {
            entries: placed,
            width: widest,
            height: y + STEP + GAP / 2,
        }
    }

    /// Draws the strip from the row `top` on.
    pub fn draw(&self, picture: &mut Picture, top: u32) {
        let size = |px: u32| i64::from(px);
        for ((x, y), entry) in &self.entries {
            let (x, y) = (size(*x), size(top + y));
            let middle = |height: u32| y + size((LINE - height) / 2);
            let after = match entry {
                Entry::Colour(ink, _) => {
                    picture.fill((x, middle(SQUARE)), (size(SQUARE), size(SQUARE)), *ink);
                    SQUARE + GAP / 2
                }
                Entry::Scale(bar, _) => {
                    picture.fill((x, middle(BAR)), (size(*bar), size(BAR)), [0; 3]);
                    for end in [x, x + size(bar.saturating_sub(2))] {
                        picture.fill((end, middle(3 * BAR)), (2, size(3 * BAR)), [0; 3]);
                    }
                    bar + GAP / 2
                }
                Entry::Words(_) => 0,
            };
            let (Entry::Colour(_, words) | Entry::Scale(_, words) | Entry::Words(words)) = entry;
            picture.words(words, (x + size(after), y));
        }
    }
}

/// A bar of a round length of at most `most` px, each of `um`.
fn scale_bar(most: f64, um: f64) -> Entry {
    let longest = most * um;
    let power = 10_f64.powf(longest.log10().floor());
    let steps = [5.0, 2.0, 1.0].map(|step| step * power);
    let length = steps
        .into_iter()
        .find(|&step| step <= longest)
        .unwrap_or(power);
    let words = match length {
        long if long >= 10_000.0 => format!("{} cm", long / 10_000.0),
        long if long >= 1000.0 => format!("{} mm", long / 1000.0),
        short => format!("{short} \u{b5}m"),
    };
    Entry::Scale((length / um).round().max(1.0) as u32, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_round_lengths() {
        for (most, um, bar, words) in [
            (320.0, 2.0, 250, "500 \u{b5}m"),
            (320.0, 4.0, 250, "1 mm"),
            (320.0, 0.25, 200, "50 \u{b5}m"),
            (320.0, 40.0, 250, "1 cm"),
            (2.0, 1.0, 2, "2 \u{b5}m"),
        ] {
            let Entry::Scale(px, text) = scale_bar(most, um) else {
                panic!("no bar");
            };
            assert_eq!((px, text.as_str()), (bar, words), "{most} px of {um} um");
        }
    }

    #[test]
    fn entries_that_do_not_fit_go_to_the_next_line() {
        let entries = || {
            let words = ["kidney: 3 objects", "large intestine: 12 objects"];
            words.map(|w| Entry::Colour([1, 2, 3], w.to_owned())).into()
        };
        let wide = Legend::laid_out(entries(), 1600);
        let narrow = Legend::laid_out(entries(), 100);
        assert_eq!(wide.height + STEP, narrow.height);
        assert!(wide.width > narrow.width && narrow.width > 100);
        assert_eq!(narrow.entries[1].0.0, GAP);
    }
}
