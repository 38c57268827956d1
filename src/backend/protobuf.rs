//! Reads and writes the messages of an ONNX file (<https://protobuf.dev/programming-guides/encoding/>), as far as it is
//! needed to look at a network or to change a byte of it.

use std::ops::Range;

/// The file is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("not an ONNX file: {0}")]
pub(super) struct Broken(pub(super) &'static str);

/// A field of a message: where its content lies.
pub(super) enum Field {
    /// A number of variable length, or of 4 or 8 bytes.
    Number(Range<usize>),
    /// A message, a text or bytes.
    Message(Range<usize>),
}

/// The text in field `number` of a message; empty where it is not there.
pub(super) fn text<'a>(
    onnx: &'a [u8],
    message: &Range<usize>,
    number: u64,
) -> Result<&'a [u8], Broken> {
    match fields(onnx, message.clone(), number).last() {
        None => Ok(&[]),
        Some(Ok(Field::Message(place))) => Ok(&onnx[place]),
        Some(Ok(Field::Number(_))) => Err(Broken("a number where a text should be")),
        Some(Err(broken)) => Err(broken),
    }
}

/// All fields of that number in a message. Ends after the first error. Every range lies within the message.
pub(super) fn fields(
    onnx: &[u8],
    message: Range<usize>,
    number: u64,
) -> impl Iterator<Item = Result<Field, Broken>> {
    let (mut at, end) = (message.start, message.end);
    std::iter::from_fn(move || {
        while at < end {
            match field(onnx, &mut at, end) {
                Ok((found, field)) if found == number => return Some(Ok(field)),
                Ok(_) => {}
                Err(broken) => {
                    at = end;
                    return Some(Err(broken));
                }
            }
        }
        None
    })
}

/// The field at `at`, which is moved behind it.
fn field(onnx: &[u8], at: &mut usize, end: usize) -> Result<(u64, Field), Broken> {
    let key = varint(onnx, at, end)?;
    let start = *at;
    let length = match key & 7 {
        0 => {
            varint(onnx, at, end)?;
            return Ok((key >> 3, Field::Number(start..*at)));
        }
        1 => 8,
        5 => 4,
        2 => varint(onnx, at, end)?,
        _ => return Err(Broken("a field of an unknown kind")),
    };
    let start = *at;
    let stop = usize::try_from(length)
        .ok()
        .and_then(|length| start.checked_add(length))
        .filter(|&stop| stop <= end)
        .ok_or(Broken("a field is longer than what holds it"))?;
    *at = stop;
    Ok((
        key >> 3,
        match key & 7 {
            2 => Field::Message(start..stop),
            _ => Field::Number(start..stop),
        },
    ))
}

/// A number of variable length at `at`, which is moved behind it.
fn varint(onnx: &[u8], at: &mut usize, end: usize) -> Result<u64, Broken> {
    let mut value = 0_u64;
    for place in 0..10 {
        if *at >= end {
            return Err(Broken("it ends in the middle of a number"));
        }
        let byte = onnx[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Broken("a number is too long"))
}

#[cfg(any(test, feature = "onnxruntime"))]
/// Puts a field of bytes behind a message.
pub(super) fn put(message: &mut Vec<u8>, number: u8, content: &[u8]) {
    message.push(number << 3 | 2);
    let mut length = content.len();
    while length >= 0x80 {
        message.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    message.push(length as u8);
    message.extend_from_slice(content);
}
