//! Collects the px of a mask as runs of one value, and makes the mask and its objects of them.

use std::collections::HashMap;

use super::LabelMask;
use super::background::MaskKind;
use ftuseg_mask::{Mask, Objects, Rect, Run};

/// The most runs that are kept.
const MAX_RUNS: usize = 1 << 25;
/// From so many runs on, px that hardly ever repeat are a photograph's, and no more are read.
const EARLY: usize = 1 << 20;
/// From so many different values on, a picture that changes at every other px is no mask: few tools know so many labels,
/// and theirs have areas.
const MANY_VALUES: usize = 256;
/// A label of so many has one part or a few; a colour of a photograph that was enlarged comes again and again.
const PARTS: usize = 4;
/// Levels of grey that a mask's white may have beside it before its edges count as smoothed.
const LEVELS: usize = 6;

/// A rectangle of px of one value.
#[derive(Debug, Clone, Copy)]
struct Piece {
    rect: Rect,
    value: u64,
}

/// The px of a mask, as they come.
pub(super) struct Collector {
    width: u32,
    height: u32,
    pieces: Vec<Piece>,
    counts: HashMap<u64, u64>,
    pixels: u64,
}

impl Collector {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Collector {
            width,
            height,
            pieces: Vec::new(),
            counts: HashMap::new(),
            pixels: 0,
        }
    }

    /// Adds px of a row.
    pub(super) fn row(&mut self, x: u32, y: u32, values: &[u64]) -> Result<(), String> {
        let mut at = 0;
        for run in values.chunk_by(|one, two| one == two) {
            self.even(x + at, y, (run.len() as u32, 1), run[0])?;
            at += run.len() as u32;
        }
        Ok(())
    }

    /// Adds a rectangle of one value.
    pub(super) fn even(
        &mut self,
        x: u32,
        y: u32,
        (width, height): (u32, u32),
        value: u64,
    ) -> Result<(), String> {
        let pixels = u64::from(width) * u64::from(height);
        *self.counts.entry(value).or_insert(0) += pixels;
        self.pixels += pixels;
        if let Some(last) = self.pieces.last_mut()
            && last.value == value
            && (last.rect.x, last.rect.width) == (x, width)
            && last.rect.y + last.rect.height == y
        {
            last.rect.height += height;
            return Ok(());
        }
        let runs = self.pieces.len();
        if runs >= EARLY && self.pixels < 2 * runs as u64 {
            return Err(photograph(self.counts.len()));
        }
        if runs >= MAX_RUNS {
            return Err(format!("it has more than {MAX_RUNS} runs of px"));
        }
        self.pieces.push(Piece {
            rect: Rect {
                x,
                y,
                width,
                height,
            },
            value,
        });
        Ok(())
    }

    /// Whether most runs of one value are hardly a px long and there are many values. The glass around the tissue, a few
    /// long runs in each row, does not hide that.
    fn is_photograph(&self) -> bool {
        if self.counts.len() <= MANY_VALUES {
            return false;
        }
        let short = self.pieces.iter().filter(|piece| piece.rect.width <= 2);
        short.count() * 2 > self.pieces.len()
    }

    /// The mask.
    pub(super) fn finish(self, kind: &MaskKind) -> Result<LabelMask, String> {
        // Before all else: of a photograph it is no use to say which of its px would be background.
        if self.is_photograph() {
            return Err(photograph(self.counts.len()));
        }
        let is_foreground =
            kind.decide(&self.counts)
                .map_err(|reason| match self.counts.len() > MANY_VALUES {
                    true => photograph(self.counts.len()),
                    false => reason,
                })?;
        check_smooth(kind, &self.counts)?;
        let mut mask = Mask::new(self.width, self.height).map_err(|error| error.to_string())?;
        let (mut labels, mut several) = (None, false);
        let mut pieces = self.pieces;
        pieces.retain(|piece| is_foreground.get(&piece.value) == Some(&true));
        for piece in &mut pieces {
            piece.value = kind.label(piece.value);
            several |= *labels.get_or_insert(piece.value) != piece.value;
            mask.fill_rect(piece.rect, true);
        }
        mask.compact();
        if !several {
            return Ok(mask.into());
        }
        let mut runs = Vec::new();
        for piece in &pieces {
            for y in piece.rect.y..piece.rect.y + piece.rect.height {
                if runs.len() >= MAX_RUNS {
                    return Err(format!("it has more than {MAX_RUNS} runs of px"));
                }
                let (start, end) = (piece.rect.x, piece.rect.x + piece.rect.width);
                runs.push((piece.value, Run { y, start, end }));
            }
        }
        drop(pieces);
        join(&mut runs);
        check_picture(&mask, runs.len() as u64, self.counts.len())?;
        let objects = Objects::of_labels(runs);
        let values = self.counts.len();
        if values > MANY_VALUES && objects.len() > PARTS * values {
            return Err(photograph(values));
        }
        Ok(LabelMask {
            objects: Some(objects),
            mask,
            left_out: Vec::new(),
        })
    }
}

/// Sorts runs by label and place, and joins those that a tile's border cut.
fn join(runs: &mut Vec<(u64, Run)>) {
    runs.sort_unstable_by_key(|&(label, run)| (label, run.y, run.start));
    runs.dedup_by(|next, last| {
        let touch = next.0 == last.0 && next.1.y == last.1.y && next.1.start == last.1.end;
        if touch {
            last.1.end = next.1.end;
        }
        touch
    });
}

/// Refuses what changes from px to px: labels have areas, photographs and maps of probabilities have not.
fn check_picture(mask: &Mask, labelled_runs: u64, values: usize) -> Result<(), String> {
    let runs = mask.rows().count() as u64;
    let (pairs, changes) = (mask.count() - runs, labelled_runs - runs);
    if pairs >= 64 && changes * 4 > pairs {
        return Err(photograph(values));
    }
    Ok(())
}

fn photograph(values: usize) -> String {
    format!(
        "it is a picture and no mask: it has {values} values that change all over it, as in a photograph or a map of \
         probabilities, while a mask has areas of one value; give the mask that was made of it, or cut probabilities at a \
         threshold"
    )
}

/// Refuses white with many levels of grey around it: edges that were smoothed, where each tool would cut elsewhere.
fn check_smooth(kind: &MaskKind, counts: &HashMap<u64, u64>) -> Result<(), String> {
    let (mut white, mut between, mut levels) = (0, 0, std::collections::HashSet::new());
    for (&value, &count) in counts {
        match kind.grey(value) {
            None => return Ok(()),
            Some(0) => {}
            Some(255) => white += count,
            Some(level) => {
                between += count;
                levels.insert(level);
            }
        }
    }
    if levels.len() > LEVELS && white >= between {
        return Err(format!(
            "it has {} levels of grey next to white ({between} px), so its edges were smoothed; turn it into a mask with a threshold",
            levels.len()
        ));
    }
    Ok(())
}
