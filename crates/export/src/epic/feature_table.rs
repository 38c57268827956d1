//! The table `MASK-objects.tsv`: HuBMAP's template "object by feature", version 1, with the features of a run.
//!
//! Eight rows say what each column is, a blank row follows, then the columns' names and a row an object.

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};

use super::columns::{COLUMNS, Column, Value};
use super::{About, Terms};
use crate::{ExportError, ExportedObject, Field};

/// What may stand as the tool that annotated the objects.
pub const ANNOTATION_TOOLS: [&str; 6] = [
    "Azimuth",
    "STELLAR",
    "FUSION",
    "In-house",
    "Manual",
    "Not applicable",
];

/// Whether a text can be a DOI: `10.`, digits, a slash and a name without blanks.
pub fn is_doi(text: &str) -> bool {
    let Some((registrant, name)) = text
        .strip_prefix("10.")
        .and_then(|rest| rest.split_once('/'))
    else {
        return false;
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    registrant.split('.').all(is_number)
        && !name.is_empty()
        && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}

/// A table that is being written.
pub(super) struct FeatureTable<'a> {
    path: PathBuf,
    out: BufWriter<File>,
    terms: Terms,
    image: &'a str,
    about: &'a About,
    /// Where the columns stand in `objects.csv`.
    fields: Vec<Option<usize>>,
    rows: u64,
}

impl<'a> FeatureTable<'a> {
    /// Begins the table of a mask of `image` in `folder`. `columns` are those of `objects.csv`.
    pub(super) fn new(
        folder: &Path,
        image: &'a str,
        terms: Terms,
        about: &'a About,
        columns: &[String],
    ) -> Result<Self, ExportError> {
        let path = folder.join(format!("{}-objects.tsv", terms.mask));
        let file = File::create(&path).map_err(|cause| ExportError::write(&path, cause))?;
        let fields = COLUMNS.iter().map(|column| match column.value {
            Value::Field(name) => columns.iter().position(|column| column == name),
            _ => None,
        });
        let mut table = FeatureTable {
            out: BufWriter::with_capacity(1 << 16, file),
            fields: fields.collect(),
            path,
            terms,
            image,
            about,
            rows: 0,
        };
        table.header()?;
        Ok(table)
    }

    fn header(&mut self) -> Result<(), ExportError> {
        let tools = ANNOTATION_TOOLS.join(" | ");
        let permissible = |column: &Column| match column.value {
            Value::Tool => tools.clone(),
            _ => String::new(),
        };
        let of = |get: fn(&Column) -> &'static str| COLUMNS.iter().map(get).map(str::to_owned);
        let rows: [(&str, Vec<String>); 8] = [
            ("Type", of(|c| c.kind).collect()),
            ("Unit", of(|c| c.unit).collect()),
            ("Feature class", of(|c| c.class).collect()),
            ("Description", of(|c| c.about).collect()),
            (
                "Protocol used to derive this feature value (DOI)",
                of(|c| c.doi).collect(),
            ),
            ("Alternative ID", vec![String::new(); COLUMNS.len()]),
            (
                "Permissible values",
                COLUMNS.iter().map(permissible).collect(),
            ),
            ("Requirement level", of(|c| c.needed).collect()),
        ];
        for (name, fields) in rows {
            self.line(name, &fields)?;
        }
        self.line("", &vec![String::new(); COLUMNS.len()])?;
        self.line("Object ID", &of(|c| c.name).collect::<Vec<_>>())
    }

    /// Adds the next object. Its number in the mask is returned: from 1.
    pub(super) fn add(&mut self, object: &ExportedObject) -> Result<u64, ExportError> {
        self.rows += 1;
        let value = |(column, field): (&Column, &Option<usize>)| match column.value {
            Value::SourceFile => self.image.to_owned(),
            Value::Mask => self.terms.mask.to_owned(),
            Value::MaskId => self.terms.unit.to_owned(),
            Value::Organ => self.terms.organ.to_owned(),
            Value::Protocol => self.about.protocol.clone(),
            Value::Tool => self.about.tool.clone(),
            Value::Centroid(axis) => format!("{:.0}", object.centroid[axis].floor()),
            Value::Zero => "0".to_owned(),
            Value::Field(_) => match field.map(|place| &object.fields[place]) {
                Some(Field::Text(text)) => text.clone(),
                Some(Field::Whole(number)) => number.to_string(),
                Some(Field::Real(number)) => number.to_string(),
                Some(Field::Flag(flag)) => flag.to_string(),
                Some(Field::Unknown) | None => String::new(),
            },
        };
        let fields: Vec<String> = COLUMNS.iter().zip(&self.fields).map(value).collect();
        self.line(&self.rows.to_string(), &fields)?;
        Ok(self.rows)
    }

    fn line(&mut self, first: &str, fields: &[String]) -> Result<(), ExportError> {
        let mut line = first.to_owned();
        for field in fields {
            line.push('\t');
            // Nothing that comes from outside may begin another field.
            line.extend(field.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
        line.push('\n');
        let written = self.out.write_all(line.as_bytes());
        written.map_err(|cause| ExportError::write(&self.path, cause))
    }

    /// Waits until the table is on the disk.
    pub(super) fn finish(self) -> Result<(), ExportError> {
        let path = self.path;
        let file = self.out.into_inner().map_err(IntoInnerError::into_error);
        file.and_then(|file| file.sync_all())
            .map_err(|cause| ExportError::write(&path, cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dois_are_known() {
        for doi in [
            "10.17504/protocols.io.dm6gp35p8vzp/v1",
            "10.1038/x",
            "10.1000.10/1",
        ] {
            assert!(is_doi(doi), "{doi}");
        }
        for other in [
            "",
            "https://doi.org/10.1038/x",
            "10.1038",
            "10.1038/",
            "10./x",
            "10.a/x",
            "10.1038/a b",
        ] {
            assert!(!is_doi(other), "{other}");
        }
    }
}
