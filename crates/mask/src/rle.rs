//! Kaggle's run-length encoding of a mask.
//!
//! Pixels are counted from 1, down the columns and from the left column to the right one. The text holds a start and a
//! length for every run, all with one space between: `"4 2 9 1"`. A run that ends at the bottom of a column goes on
//! at the top of the next. The text of an empty mask is empty.

use std::fmt;
use std::io;

use super::columns::ColumnBuilder;
use super::{Mask, MaskError};

/// The encoding of a mask as a text.
pub fn encode(mask: &Mask) -> String {
    let mut text = String::new();
    let Ok(()) = each_number::<std::convert::Infallible>(mask, |digits, space| {
        if space {
            text.push(' ');
        }
        text.push_str(digits);
        Ok(())
    });
    text
}

/// Writes the encoding of a mask to a formatter or another sink for text.
///
/// # Errors
///
/// Those of `out`.
pub fn encode_to(mask: &Mask, out: &mut impl fmt::Write) -> fmt::Result {
    each_number(mask, |digits, space| {
        if space {
            out.write_char(' ')?;
        }
        out.write_str(digits)
    })
}

/// Writes the encoding of a mask to a file or another sink for bytes. `out` is best buffered.
///
/// # Errors
///
/// Those of `out`.
pub fn write_to(mask: &Mask, out: &mut impl io::Write) -> io::Result<()> {
    each_number(mask, |digits, space| {
        if space {
            out.write_all(b" ")?;
        }
        out.write_all(digits.as_bytes())
    })
}

/// Hands every number of the encoding to `put`, and whether a space comes before it.
fn each_number<E>(mask: &Mask, mut put: impl FnMut(&str, bool) -> Result<(), E>) -> Result<(), E> {
    let height = u64::from(mask.height());
    let mut digits = itoa::Buffer::new();
    let mut space = false;
    let mut put_run = |start: u64, end: u64| {
        put(digits.format(start + 1), space)?;
        space = true;
        put(digits.format(end - start), true)
    };
    // The run that may still go on in the next column; empty at first.
    let (mut start, mut end) = (0, 0);
    for (x, rows) in mask.columns() {
        let column = u64::from(x) * height;
        let next = column + u64::from(rows.start);
        if next != end || start == end {
            if start != end {
                put_run(start, end)?;
            }
            start = next;
        }
        end = column + u64::from(rows.end);
    }
    if start != end {
        put_run(start, end)?;
    }
    Ok(())
}

/// Reads the encoding of a mask of `width` x `height` px.
///
/// White space around the text and between the numbers does not matter. Everything else must be right: the
/// runs are sorted, do not overlap and lie in the mask. Runs that touch are taken as they are.
///
/// Memory is in proportion to the foreground's tiles, whatever the text says.
///
/// # Errors
///
/// [`RleError`] says what is wrong, and at which number.
pub fn decode(text: &str, width: u32, height: u32) -> Result<Mask, RleError> {
    let mut builder = ColumnBuilder::new(width, height)?;
    let pixels = u64::from(width) * u64::from(height);
    each_run(text, pixels, |start, end| {
        set_flat(&mut builder, u64::from(height), start, end);
    })?;
    Ok(builder.finish())
}

/// Checks that a text is the encoding of a mask of so many px.
///
/// # Errors
///
/// [`RleError`] says what is wrong, and at which number.
pub fn check(text: &str, pixels: u64) -> Result<(), RleError> {
    each_run(text, pixels, |_, _| {})
}

/// Hands every run of the text to `put`: its first px, counted from 0, and its end.
fn each_run(text: &str, pixels: u64, mut put: impl FnMut(u64, u64)) -> Result<(), RleError> {
    let mut numbers = Numbers {
        text,
        place: 0,
        position: 0,
    };
    let (mut last_start, mut last_end) = (0, 0);
    while let Some(start) = numbers.next()? {
        let position = numbers.position;
        let Some(length) = numbers.next()? else {
            return Err(RleError::OddCount { count: position });
        };
        // `start` counts from 1.
        let start = start
            .checked_sub(1)
            .ok_or(RleError::ZeroStart { position })?;
        if length == 0 {
            return Err(RleError::ZeroLength {
                position: position + 1,
            });
        }
        if start < last_start {
            return Err(RleError::Unsorted { position });
        }
        if start < last_end {
            return Err(RleError::Overlap { position });
        }
        let end = start.saturating_add(length);
        if end > pixels {
            return Err(RleError::PastEnd { position, pixels });
        }
        put(start, end);
        (last_start, last_end) = (start, end);
    }
    Ok(())
}

/// Sets the pixels `start..end` of the mask as one long column, cut at the real columns.
fn set_flat(builder: &mut ColumnBuilder, height: u64, start: u64, end: u64) {
    // All of these fit, since `end` is at most width x height.
    let (first, from) = ((start / height) as u32, (start % height) as u32);
    let (last, to) = ((end / height) as u32, (end % height) as u32);
    if first == last {
        builder.set(first, from, to);
        return;
    }
    let mut whole = first;
    if from > 0 {
        builder.set(first, from, height as u32);
        whole += 1;
    }
    builder.set_whole(whole, last - whole);
    if to > 0 {
        builder.set(last, 0, to);
    }
}

/// The numbers of a text with white space between.
struct Numbers<'a> {
    text: &'a str,
    place: usize,
    /// How many numbers were begun so far; so the present one's position, counted from 1.
    position: usize,
}

impl Numbers<'_> {
    /// The next number; one that is too large for `u64` gives `u64::MAX`, which lies past every mask's end.
    fn next(&mut self) -> Result<Option<u64>, RleError> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.place).is_some_and(u8::is_ascii_whitespace) {
            self.place += 1;
        }
        if self.place == bytes.len() {
            return Ok(None);
        }
        self.position += 1;
        let first = self.place;
        let mut value = 0u64;
        while let Some(&byte) = bytes.get(self.place) {
            if byte.is_ascii_digit() {
                value = value
                    .saturating_mul(10)
                    .saturating_add(u64::from(byte - b'0'));
            } else if byte.is_ascii_whitespace() {
                break;
            } else {
                return Err(self.not_a_number(first));
            }
            self.place += 1;
        }
        Ok(Some(value))
    }

    /// The error for the token that begins at byte `first`.
    fn not_a_number(&self, first: usize) -> RleError {
        // A token begins after ASCII, so this is a character's border.
        let rest = self.text.get(first..).unwrap_or_default();
        let token = rest.split_ascii_whitespace().next().unwrap_or_default();
        RleError::NotANumber {
            position: self.position,
            token: token.chars().take(20).collect(),
        }
    }
}

/// What can be wrong with a run-length encoding. Positions count the numbers of the text from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RleError {
    /// The mask's size is not possible.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// A token is not a whole number without a sign.
    #[error(
        "the RLE's number {position} is {token:?}, not a whole number; RLE is \"start length start length ...\""
    )]
    NotANumber {
        /// Which token, counted from 1.
        position: usize,
        /// The token, or its beginning.
        token: String,
    },
    /// The last start has no length.
    #[error("the RLE has {count} numbers, but starts and lengths come in pairs; it may be cut off")]
    OddCount {
        /// How many numbers there are.
        count: usize,
    },
    /// A start is 0.
    #[error(
        "the RLE's number {position} is a start of 0, but pixels count from 1; it may come from another tool"
    )]
    ZeroStart {
        /// Which number, counted from 1.
        position: usize,
    },
    /// A length is 0.
    #[error("the RLE's number {position} is a length of 0; leave such a run out")]
    ZeroLength {
        /// Which number, counted from 1.
        position: usize,
    },
    /// A run begins before the run before it.
    #[error(
        "the RLE's number {position} starts a run before the previous run's start; sort the runs"
    )]
    Unsorted {
        /// Which number, counted from 1.
        position: usize,
    },
    /// A run begins inside the run before it.
    #[error(
        "the RLE's number {position} starts a run inside the previous run; runs must not overlap"
    )]
    Overlap {
        /// Which number, counted from 1.
        position: usize,
    },
    /// A run reaches past the last pixel.
    #[error(
        "the run that starts with the RLE's number {position} reaches past the mask's {pixels} px; check the image's width and height"
    )]
    PastEnd {
        /// Which number, counted from 1.
        position: usize,
        /// How many px the mask has.
        pixels: u64,
    },
}
