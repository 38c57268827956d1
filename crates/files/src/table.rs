//! Reads a table as people's programs write it: any of three separators, several encodings, blank rows, quotes.

use std::path::Path;

use crate::plain;

/// The largest table that is read.
const MAX_BYTES: u64 = 1 << 30;
/// What separates columns.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// What programs write where nothing is known.
const NOTHING: [&str; 8] = ["nan", "na", "n/a", "<na>", "null", "none", "nil", "-"];

/// A table in memory. A field may have hundreds of megabytes, an RLE say; the file's text and the fields are the only
/// copies of it.
#[derive(Debug)]
pub struct Table {
    separator: u8,
    /// Trimmed and in lower case.
    header: Vec<String>,
    /// Trimmed fields, as many as the header has, with their line.
    rows: Vec<(u64, Vec<String>)>,
}

impl Table {
    /// Reads a table whose header has the column `key`.
    ///
    /// # Errors
    /// A sentence without the file's name: what was found, and what to do.
    pub fn read(path: &Path, key: &str) -> Result<Self, String> {
        Table::parse(&text_of(path)?, key)
    }

    fn parse(text: &str, key: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (text, stated) = separator_line(text);
        let separator = stated.unwrap_or_else(|| separator_of(text, key));
        let not_csv = |reason: String| format!("is not a CSV table: {reason}");
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .trim(csv::Trim::All)
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut header: Vec<String> = Vec::new();
        let mut rows = Vec::new();
        // A line that named the separator is not in the text any more.
        let skipped = u64::from(stated.is_some());
        for row in reader.records() {
            let row = row.map_err(|error| not_csv(error.to_string()))?;
            let line = row.position().map_or(0, csv::Position::line) + skipped;
            let mut fields: Vec<String> = row.iter().map(str::to_owned).collect();
            // Spreadsheets leave rows of separators behind what was deleted.
            if fields.iter().all(String::is_empty) {
                continue;
            }
            if header.is_empty() {
                header = fields.iter().map(|name| name.to_lowercase()).collect();
                continue;
            }
            while fields.len() > header.len() && fields.last().is_some_and(String::is_empty) {
                fields.pop();
            }
            if fields.len() != header.len() {
                return Err(not_csv(format!(
                    "line {line} has {} fields, but the header has {}",
                    fields.len(),
                    header.len()
                )));
            }
            rows.push((line, fields));
        }
        Ok(Table {
            separator,
            header,
            rows,
        })
    }

    /// Where a column stands.
    ///
    /// # Errors
    /// When there are two of that name.
    pub fn column(&self, name: &str) -> Result<Option<usize>, String> {
        let mut places = (0..self.header.len()).filter(|&place| self.header[place] == name);
        let first = places.next();
        match places.next() {
            Some(_) => Err(format!("it has two columns {name}; rename one")),
            None => Ok(first),
        }
    }

    /// The same rows, handed over one by one.
    pub fn into_rows(self) -> impl Iterator<Item = (u64, Vec<String>)> {
        self.rows.into_iter()
    }

    /// The rows that are not blank: line and fields.
    pub fn rows(&self) -> impl Iterator<Item = (u64, &[String])> {
        self.rows.iter().map(|(line, row)| (*line, row.as_slice()))
    }

    /// A number, with a point; or with a comma where commas do not separate columns.
    pub fn number(&self, text: &str) -> Option<f64> {
        self.numbers().number(text)
    }

    /// How the table writes numbers.
    pub fn numbers(&self) -> Numbers {
        Numbers {
            has_commas: self.separator != b',',
        }
    }
}

/// How a table writes numbers.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    /// Whether a comma can stand before decimals.
    has_commas: bool,
}

impl Numbers {
    /// See [`Table::number`].
    pub fn number(self, text: &str) -> Option<f64> {
        let is_decimal = self.has_commas && text.matches([',', '.']).count() == 1;
        match is_decimal {
            true => text.replace(',', ".").parse().ok(),
            false => text.parse().ok(),
        }
    }
}

/// A field that says something: neither empty nor a program's word for nothing.
pub fn said(text: &str) -> Option<&str> {
    let is_nothing = text.is_empty() || NOTHING.contains(&text.to_lowercase().as_str());
    (!is_nothing).then_some(text)
}

/// The text of a table in UTF-8 or UTF-16.
fn text_of(path: &Path) -> Result<String, String> {
    let unread = |error: std::io::Error| format!("cannot be read: {error}");
    decode(plain::read(path, MAX_BYTES).map_err(unread)?)
}

fn decode(bytes: Vec<u8>) -> Result<String, String> {
    let save = "save it as CSV in UTF-8";
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(format!(
            "is a spreadsheet (XLSX, ODS or XLS), not a CSV table; {save}"
        ));
    }
    let pairs = |order: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|b| order([b[0], b[1]])).collect();
        match bytes.len() % 2 {
            0 => String::from_utf16(&units).ok(),
            _ => None,
        }
        .ok_or_else(|| format!("is damaged: it is not valid UTF-16; {save}"))
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => pairs(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => pairs(u16::from_be_bytes, rest),
        // A header begins with two letters, or with quotes.
        [first, 0, second, 0, ..] if *first > 0 && *second > 0 => pairs(u16::from_le_bytes, &bytes),
        [0, first, 0, second, ..] if *first > 0 && *second > 0 => pairs(u16::from_be_bytes, &bytes),
        _ => utf8(bytes, save),
    }
}

/// The text that the bytes are, without a copy; a byte order mark stays for the parser to take off.
fn utf8(bytes: Vec<u8>, save: &str) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid]
            .iter()
            .filter(|&&b| b == b'\n')
            .count();
        format!(
            "has letters in an encoding that is not UTF-8 (line {}); {save}",
            line + 1
        )
    })
}

/// Takes off the line `sep=;` that spreadsheets understand, and says what it states.
fn separator_line(text: &str) -> (&str, Option<u8>) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let stated = first.trim_end_matches('\r').trim_matches('"');
    let stated = stated
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("sep="))
        .and_then(|start| match &stated.as_bytes()[start.len()..] {
            [one] if SEPARATORS.contains(one) => Some(*one),
            _ => None,
        });
    match stated {
        Some(_) => (rest, stated),
        None => (text, None),
    }
}

/// The separator by which the header has the column `key`; a comma where none does.
fn separator_of(text: &str, key: &str) -> u8 {
    let has_key = |separator: &u8| {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(*separator)
            .trim(csv::Trim::All)
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let rows = reader.records().map_while(Result::ok);
        let header = rows
            .into_iter()
            .find(|row| row.iter().any(|f| !f.is_empty()));
        // A header of one column has no separator: another may still fit better.
        header.filter(|row| row.iter().any(|name| name.eq_ignore_ascii_case(key)))
    };
    SEPARATORS
        .into_iter()
        .filter_map(|separator| Some((separator, has_key(&separator)?.len())))
        .fold((b',', 0), |best, found| match found.1 > best.1 {
            true => found,
            false => best,
        })
        .0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
        let table = Table::parse(&decode(bytes.to_vec()).unwrap(), "id").unwrap();
        let (id, path) = (
            table.column("id").unwrap().unwrap(),
            table.column("path").unwrap().unwrap(),
        );
        let row = |row: &[String]| vec![row[id].clone(), row[path].clone()];
        table.rows().map(|(_, fields)| row(fields)).collect()
    }

    #[test]
    fn tables_of_all_programs_are_read() {
        let utf16 = |order: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
            let text = if mark {
                "\u{feff}id,path\na,b\n"
            } else {
                "id,path\na,b\n"
            };
            text.encode_utf16().flat_map(order).collect()
        };
        let tables: [&[u8]; 14] = [
            b"id,path\na,b\n",
            b"\xef\xbb\xbfid,path\r\na,b\r\n",
            b"id;path;mpp\na;b;0,5\n",
            b"id\tpath\na\tb\n",
            b"sep=;\nid;path\na;b\n",
            b"ID, Path \na,b\n,\n\n,,\n",
            b"\"id\",\"path\"\r\n\"a\",\"b\"\r\n",
            b",id,path\n0,a,b\n",
            b"id,path\na,b,,\n",
            b"\n,\nid,path\na,b",
            &utf16(u16::to_le_bytes, true),
            &utf16(u16::to_be_bytes, true),
            &utf16(u16::to_le_bytes, false),
            &utf16(u16::to_be_bytes, false),
        ];
        for table in tables {
            assert_eq!(rows(table), [["a", "b"]], "{}", table.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_table_is_named() {
        for (bytes, word) in [
            (&b"PK\x03\x04..."[..], "spreadsheet"),
            (b"id,path\npr\xe4parat,b\n", "line 2"),
            (b"\xff\xfea", "UTF-16"),
        ] {
            let error = decode(bytes.to_vec()).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        let error = Table::parse("id,path\na,b,c\n", "id").unwrap_err();
        assert!(error.contains("line 2 has 3 fields"), "{error}");
        let twice = Table::parse("id,ID\na,b\n", "id").unwrap();
        assert!(twice.column("id").unwrap_err().contains("two columns"));
    }

    #[test]
    fn a_comma_is_decimal_only_where_it_separates_nothing() {
        let of = |text: &str| Table::parse(text, "id").unwrap();
        assert_eq!(of("id;path\n").number("0,5"), Some(0.5));
        assert_eq!(of("id;path\n").number("1.000,5"), None);
        assert_eq!(of("id,path\n").number("0,5"), None);
        assert_eq!(of("id,path\n").number("0.5"), Some(0.5));
        assert_eq!(
            (said("NaN"), said(""), said("lung")),
            (None, None, Some("lung"))
        );
    }
}
