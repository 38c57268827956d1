//! `objects.csv`: a line an object, with all that was measured.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::columns::{COLUMNS, Value};
use super::{Sink, SinkError, SlideFindings};

/// Writes `objects.csv`.
#[derive(Debug, Clone, Copy, Default)]
pub struct ObjectsCsv;

impl Sink for ObjectsCsv {
    fn file_name(&self) -> &'static str {
        "objects.csv"
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        let io = |cause| SinkError::io(path, cause);
        let mut out = BufWriter::with_capacity(1 << 16, File::create(path).map_err(io)?);
        out.write_all(header().as_bytes()).map_err(io)?;
        let mut line = String::new();
        findings.each_row(|row| {
            line.clear();
            for (place, column) in COLUMNS.iter().enumerate() {
                if place > 0 {
                    line.push(',');
                }
                add((column.value)(row), &mut line);
            }
            line.push('\n');
            out.write_all(line.as_bytes()).map_err(io)
        })?;
        let out = out.into_inner().map_err(io::IntoInnerError::into_error);
        out.and_then(|file| file.sync_all()).map_err(io)
    }
}

/// The first line of every table of objects.
pub(crate) fn header() -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    names.join(",") + "\n"
}

fn add(value: Value<'_>, line: &mut String) {
    use std::fmt::Write;
    // Writing to a text does not fail.
    let _ = match value {
        Value::Text(text) => write!(line, "{}", field(&text)),
        Value::Whole(number) => write!(line, "{number}"),
        Value::Real(number) => write!(line, "{number}"),
        Value::Flag(is_so) => write!(line, "{is_so}"),
        Value::Unknown => Ok(()),
    };
}

/// A text as a field of a CSV table. What a spreadsheet would take for a formula stands after an apostrophe, as in the
/// other tables.
fn field(text: &str) -> String {
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    let is_plain =
        text.trim() == text && !text.is_empty() && !text.contains([',', '"', '\n', '\r']);
    match is_plain {
        true => text,
        false => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_fields_and_no_formulas() {
        for (text, expected) in [
            ("a b", "a b"),
            ("=1+1", "'=1+1"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("", "\"\""),
            ("-\n", "\"'-\n\""),
        ] {
            assert_eq!(field(text), expected);
        }
    }
}
