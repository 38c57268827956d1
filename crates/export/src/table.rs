//! A slide's `objects.csv`, read row by row.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use ftuseg_files::plain;

use crate::ExportError;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Whole,
    /// A number.
    Real,
    /// `true` or `false`.
    Flag,
}

impl Kind {
    /// What the column of that name holds.
    pub fn of(column: &str) -> Self {
        match column {
            "slide" | "uuid" | "organ" | "unit" | "model" => Kind::Text,
            "id" | "area_px" | "holes" | "holes_area_px" => Kind::Whole,
            name if name.starts_with("touches_") => Kind::Flag,
            name if name.starts_with("box_") && name.ends_with("_px") => Kind::Whole,
            _ => Kind::Real,
        }
    }
}

/// One entry of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// A text.
    Text(String),
    /// A whole number.
    Whole(u64),
    /// A number that is finite.
    Real(f64),
    /// A yes or no.
    Flag(bool),
    /// Nobody knows, or there is none.
    Unknown,
}

impl Field {
    fn read(kind: Kind, text: &str) -> Option<Self> {
        if text.is_empty() && kind != Kind::Text {
            return Some(Field::Unknown);
        }
        match kind {
            Kind::Text => Some(Field::Text(text.to_owned())),
            Kind::Whole => text.parse().ok().map(Field::Whole),
            Kind::Flag => text.parse().ok().map(Field::Flag),
            Kind::Real => {
                let number: f64 = text.parse().ok()?;
                number.is_finite().then_some(Field::Real(number))
            }
        }
    }

    /// Its number, where it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Field::Whole(number) => Some(*number as f64),
            Field::Real(number) => Some(*number),
            Field::Text(_) | Field::Flag(_) | Field::Unknown => None,
        }
    }

    /// Its whole number, where it is one.
    pub fn whole(&self) -> Option<u64> {
        match self {
            Field::Whole(number) => Some(*number),
            _ => None,
        }
    }

    /// Its text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Field::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The columns that every table has.
const NEEDED: [&str; 14] = [
    "slide",
    "id",
    "uuid",
    "organ",
    "unit",
    "model",
    "centroid_x_px",
    "centroid_y_px",
    "box_x_px",
    "box_y_px",
    "box_width_px",
    "box_height_px",
    "area_px",
    "area_um2",
];

/// A table that is being read.
pub(crate) struct Table {
    path: PathBuf,
    columns: Vec<String>,
    rows: csv::Reader<BufReader<File>>,
    record: csv::StringRecord,
}

impl Table {
    /// Opens a table and reads its header.
    pub(crate) fn open(path: &Path) -> Result<Self, ExportError> {
        let file = plain::open(path, u64::MAX).map_err(|cause| ExportError::io(path, cause))?;
        let mut rows = csv::Reader::from_reader(BufReader::with_capacity(1 << 16, file));
        let headers = rows.headers().map_err(|error| wrong(path, &error))?;
        let columns: Vec<String> = headers.iter().map(str::to_owned).collect();
        if let Some(lacking) = NEEDED
            .iter()
            .find(|name| !columns.iter().any(|c| c == *name))
        {
            let reason = format!("it has no column {lacking}; another version may have written it");
            return Err(ExportError::damaged(path, reason));
        }
        Ok(Table {
            path: path.to_owned(),
            columns,
            rows,
            record: csv::StringRecord::new(),
        })
    }

    /// The names of the columns.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Where a column stands; one of those that every table has, or another one.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// Reads the next row into `fields`; `false` at the end.
    pub(crate) fn next(&mut self, fields: &mut Vec<Field>) -> Result<bool, ExportError> {
        let read = self.rows.read_record(&mut self.record);
        if !read.map_err(|error| wrong(&self.path, &error))? {
            return Ok(false);
        }
        fields.clear();
        for (name, text) in self.columns.iter().zip(&self.record) {
            let Some(field) = Field::read(Kind::of(name), text) else {
                let line = self.record.position().map_or(0, csv::Position::line);
                let reason = format!("line {line}: {text:?} cannot be its {name}");
                return Err(ExportError::damaged(&self.path, reason));
            };
            fields.push(field);
        }
        Ok(true)
    }
}

fn wrong(path: &Path, error: &csv::Error) -> ExportError {
    ExportError::damaged(path, format!("it is no table of objects: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_what_its_column_holds() {
        let read = |column: &str, text: &str| Field::read(Kind::of(column), text);
        assert_eq!(read("area_px", "12"), Some(Field::Whole(12)));
        assert_eq!(read("area_px", "-1"), None);
        assert_eq!(read("box_x_um", "1.5"), Some(Field::Real(1.5)));
        assert_eq!(read("box_x_um", "nan"), None);
        assert_eq!(read("circularity", ""), Some(Field::Unknown));
        assert_eq!(read("touches_slide_edge", "true"), Some(Field::Flag(true)));
        assert_eq!(read("touches_slide_edge", "1"), None);
        assert_eq!(read("model", ""), Some(Field::Text(String::new())));
    }
}
