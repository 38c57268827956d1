//! Decides which values of a mask are background, from the values that there are.

use std::collections::HashMap;

use crate::raw_values::{Format, Meaning};

/// What a px's numbers are.
#[derive(Debug, Clone)]
pub(super) struct MaskKind {
    pub bits: u32,
    pub format: Format,
    pub meaning: Meaning,
    pub alpha: Alpha,
    /// The writer is known to mean the numbers, whatever shows.
    pub by_number_only: bool,
}

/// Where transparency is told.
#[derive(Debug, Clone)]
pub(super) enum Alpha {
    None,
    /// In one more number after the colour.
    Number,
    /// By value: these are transparent.
    Values(Vec<u64>),
}

/// Which of the ways call a value background; none where a way does not apply.
type Background = [Option<bool>; 3];

const WAYS: [&str; 3] = ["by its numbers", "by its colours", "by its transparency"];

impl MaskKind {
    /// The value without transparency: what makes one label differ from another.
    pub(super) fn label(&self, value: u64) -> u64 {
        match self.alpha {
            Alpha::Number => value & (u64::MAX >> (64 - self.colour_bits()).min(63)),
            _ => value,
        }
    }

    fn colour_bits(&self) -> u32 {
        match self.meaning {
            Meaning::Rgb => 3 * self.bits,
            _ => self.bits,
        }
    }

    /// Grey of 8 bits, where the value is one.
    pub(super) fn grey(&self, value: u64) -> Option<u8> {
        let label = self.label(value);
        if self.bits != 8 {
            return None;
        }
        match self.meaning {
            Meaning::Grey => Some(label as u8),
            Meaning::InvertedGrey => Some(255 - label as u8),
            Meaning::Rgb => {
                let [r, g, b, ..] = label.to_le_bytes();
                (r == g && g == b).then_some(r)
            }
            Meaning::Palette(_) => None,
        }
    }

    fn background(&self, value: u64) -> Result<Background, String> {
        let label = self.label(value);
        let is_zero = match self.format {
            Format::Unsigned => label == 0,
            Format::Signed => {
                if label >> (self.bits - 1) & 1 == 1 {
                    return Err("it has negative numbers, which labels cannot be; save it with 0 as background and labels from 1".to_owned());
                }
                label == 0
            }
            Format::Float => {
                let number = match self.bits {
                    32 => f64::from(f32::from_bits(label as u32)),
                    _ => f64::from_bits(label),
                };
                if !number.is_finite() || number < 0.0 || number.fract() != 0.0 {
                    return Err(format!(
                        "it has the number {number}, but labels are whole numbers from 0; turn probabilities into a mask with a threshold"
                    ));
                }
                number == 0.0
            }
        };
        let all_ones = u64::MAX >> (64 - self.colour_bits()).min(63);
        let (number, black) = match &self.meaning {
            Meaning::Grey => (Some(is_zero), None),
            Meaning::InvertedGrey if self.by_number_only => (Some(is_zero), None),
            Meaning::InvertedGrey => (Some(is_zero), Some(label == all_ones)),
            Meaning::Rgb => (None, Some(is_zero)),
            Meaning::Palette(colours) => {
                let index = usize::try_from(label).ok();
                let colour = index.and_then(|index| colours.get(index));
                let colour = colour.ok_or_else(|| {
                    format!("it has the number {label}, for which its palette has no colour")
                })?;
                (Some(is_zero), Some(*colour == [0; 3]))
            }
        };
        let clear = match &self.alpha {
            Alpha::None => None,
            Alpha::Number => Some(value >> self.colour_bits() == 0),
            Alpha::Values(values) => Some(values.contains(&value)),
        };
        Ok([number, black, clear])
    }

    /// Whether each value is foreground. `counts` are the px of each value.
    pub(super) fn decide(&self, counts: &HashMap<u64, u64>) -> Result<HashMap<u64, bool>, String> {
        let mut values = Vec::with_capacity(counts.len());
        for &value in counts.keys() {
            values.push((value, self.background(value)?));
        }
        values.sort_unstable();
        let calls = |way: usize, as_background: bool| {
            let called = |background: &Background| background[way] == Some(as_background);
            values.iter().any(|(_, background)| called(background))
        };
        let tells = |&way: &usize| calls(way, true) && calls(way, false);
        let telling: Vec<usize> = (0..3).filter(tells).collect();
        let by = |way: usize| {
            let pairs = values.iter();
            pairs
                .map(|&(value, background)| (value, background[way] == Some(false)))
                .collect::<HashMap<_, _>>()
        };
        if let Some((&first, rest)) = telling.split_first() {
            for &other in rest {
                let differ =
                    |(_, background): &&(u64, Background)| background[first] != background[other];
                let count: u64 = values
                    .iter()
                    .filter(differ)
                    .filter_map(|(value, _)| counts.get(value))
                    .sum();
                if count > 0 {
                    return Err(format!(
                        "read {} or {}, it gives different masks ({count} px differ); save it as grey with 0 as background",
                        WAYS[first], WAYS[other]
                    ));
                }
            }
            return Ok(by(first));
        }
        // No way tells px apart: all are one or the other.
        let applies = |way: &usize| calls(*way, true) || calls(*way, false);
        let own: Vec<usize> = (0..2).filter(applies).collect();
        let (empty, full) = (
            own.iter().any(|&way| calls(way, true)),
            own.iter().any(|&way| calls(way, false)),
        );
        if empty && full {
            return Err(
                "all its px are the same, and since its table is inverted it is unclear whether that is background; save it as grey with 0 as background"
                    .to_owned(),
            );
        }
        if full && calls(2, true) {
            return Err(
                "all its px are transparent; save it as grey with 0 as background".to_owned(),
            );
        }
        let labels: std::collections::HashSet<u64> =
            counts.keys().map(|&value| self.label(value)).collect();
        if full && labels.len() > 1 {
            return Err(format!(
                "it has {} values and none of them is background (0, black or transparent); save it with 0 as background",
                labels.len()
            ));
        }
        Ok(by(own.first().copied().unwrap_or(0)))
    }
}
