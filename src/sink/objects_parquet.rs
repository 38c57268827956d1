//! `objects.parquet`: the columns of `objects.csv` in Apache Parquet, for tables that are too large for text.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::columns::{COLUMNS, Kind, Row, Value};
use super::{Sink, SinkError, SlideFindings};

/// Writes `objects.parquet`.
#[derive(Debug, Clone, Copy, Default)]
pub struct ObjectsParquet;

/// Rows that are written at once: as many as are held in memory.
const GROUP: usize = 1 << 16;

impl Sink for ObjectsParquet {
    fn file_name(&self) -> &'static str {
        "objects.parquet"
    }

    fn write(
        &self,
        findings: &SlideFindings<'_>,
        path: &Path,
    ) -> std::result::Result<(), SinkError> {
        let parquet = |error| SinkError::io(path, io_error(error));
        let io = |cause| SinkError::io(path, cause);
        let mut table = ParquetTable::new(File::create(path).map_err(io)?).map_err(parquet)?;
        findings.each_row(|row| table.add(row).map_err(parquet))?;
        let file = table.finish().map_err(parquet)?;
        file.sync_all().map_err(io)
    }
}

/// What the system said, where it is the system that refused.
pub(crate) fn io_error(error: ParquetError) -> std::io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
            Ok(cause) => *cause,
            Err(cause) => std::io::Error::other(cause),
        },
        other => std::io::Error::other(other),
    }
}

/// The columns as Parquet types. Numbers that may be unknown are optional.
fn schema() -> Result<Type> {
    let fields = COLUMNS.iter().map(|column| {
        let (physical, logical, repetition) = match column.kind {
            Kind::Text => (
                Physical::BYTE_ARRAY,
                Some(LogicalType::String),
                Repetition::REQUIRED,
            ),
            Kind::Whole => (Physical::INT64, None, Repetition::REQUIRED),
            Kind::Real => (Physical::DOUBLE, None, Repetition::OPTIONAL),
            Kind::Flag => (Physical::BOOLEAN, None, Repetition::REQUIRED),
        };
        let made = Type::primitive_type_builder(column.name, physical)
            .with_logical_type(logical)
            .with_repetition(repetition)
            .build();
        made.map(Arc::new)
    });
    Type::group_type_builder("objects")
        .with_fields(fields.collect::<Result<Vec<_>>>()?)
        .build()
}

/// The entries of a column that wait to be written.
enum Waiting {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
    /// The numbers that are known, and for each row 1 where it is.
    Real(Vec<f64>, Vec<i16>),
    Flag(Vec<bool>),
}

/// A table that is being written.
pub(crate) struct ParquetTable<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Waiting>,
    rows: usize,
}

impl<W: Write + Send> ParquetTable<W> {
    pub(crate) fn new(out: W) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("ftuseg ", env!("CARGO_PKG_VERSION")).to_owned());
        let writer =
            SerializedFileWriter::new(out, Arc::new(schema()?), Arc::new(properties.build()))?;
        let columns = COLUMNS.iter().map(|column| match column.kind {
            Kind::Text => Waiting::Text(Vec::new()),
            Kind::Whole => Waiting::Whole(Vec::new()),
            Kind::Real => Waiting::Real(Vec::new(), Vec::new()),
            Kind::Flag => Waiting::Flag(Vec::new()),
        });
        Ok(ParquetTable {
            writer,
            columns: columns.collect(),
            rows: 0,
        })
    }

    /// Adds an object.
    fn add(&mut self, row: &Row<'_>) -> Result<()> {
        for (column, waiting) in COLUMNS.iter().zip(&mut self.columns) {
            match (waiting, (column.value)(row)) {
                (Waiting::Text(all), Value::Text(text)) => {
                    all.push(text.as_bytes().to_vec().into())
                }
                (Waiting::Whole(all), Value::Whole(number)) => {
                    // No mask has 2^63 px.
                    all.push(i64::try_from(number).unwrap_or(i64::MAX));
                }
                (Waiting::Flag(all), Value::Flag(is_so)) => all.push(is_so),
                (Waiting::Real(all, known), Value::Real(number)) => {
                    all.push(number);
                    known.push(1);
                }
                (Waiting::Real(_, known), Value::Unknown) => known.push(0),
                _ => {
                    return Err(ParquetError::General(format!(
                        "the column {} holds something else",
                        column.name
                    )));
                }
            }
        }
        self.count(1)
    }

    /// Adds all rows of a table of the same columns, group by group.
    ///
    /// # Errors
    /// When it has other columns, or groups that are larger than this program writes.
    #[cfg(feature = "batch")]
    pub(crate) fn add_all(&mut self, table: &SerializedFileReader<File>) -> Result<()> {
        for place in 0..table.num_row_groups() {
            let group = table.get_row_group(place)?;
            let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
            if rows > GROUP {
                return Err(ParquetError::General(format!(
                    "a group of {rows} rows; this program writes at most {GROUP}"
                )));
            }
            // Never more than two groups in memory.
            if self.rows + rows > GROUP {
                self.flush()?;
            }
            for (place, waiting) in self.columns.iter_mut().enumerate() {
                read(group.as_ref(), place, rows, waiting)?;
            }
            self.count(rows)?;
        }
        Ok(())
    }

    fn count(&mut self, rows: usize) -> Result<()> {
        self.rows += rows;
        match self.rows >= GROUP {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for waiting in &mut self.columns {
            match waiting {
                Waiting::Text(all) => {
                    put::<ByteArrayType, _>(&mut group, &std::mem::take(all), None)?
                }
                Waiting::Whole(all) => put::<Int64Type, _>(&mut group, &std::mem::take(all), None)?,
                Waiting::Flag(all) => put::<BoolType, _>(&mut group, &std::mem::take(all), None)?,
                Waiting::Real(all, known) => {
                    let known = std::mem::take(known);
                    put::<DoubleType, _>(&mut group, &std::mem::take(all), Some(&known))?;
                }
            }
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    /// Writes what waits, and the end of the file.
    pub(crate) fn finish(mut self) -> Result<W> {
        self.flush()?;
        self.writer.into_inner()
    }
}

/// Writes the next column of a group.
fn put<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    known: Option<&[i16]>,
) -> Result<()> {
    let missing = || ParquetError::General("there are more columns than were said".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, known, None)?;
    column.close()
}

/// Opens a table of objects.
///
/// # Errors
/// When it is no Parquet file, or has other columns than this version.
#[cfg(feature = "batch")]
pub(crate) fn open(file: File) -> Result<SerializedFileReader<File>> {
    let table = SerializedFileReader::new(file)?;
    let found = table.metadata().file_metadata().schema().get_fields();
    let wanted = schema()?;
    if found != wanted.get_fields() {
        return Err(ParquetError::General(
            "it has not the columns of this version".to_owned(),
        ));
    }
    Ok(table)
}

/// Adds a column of a group to what waits.
#[cfg(feature = "batch")]
fn read(
    group: &dyn RowGroupReader,
    place: usize,
    rows: usize,
    waiting: &mut Waiting,
) -> Result<()> {
    let mut got = 0;
    let mut next = |read: &mut dyn FnMut(usize) -> Result<usize>| -> Result<()> {
        while got < rows {
            match read(rows - got)? {
                0 => {
                    return Err(ParquetError::EOF(format!(
                        "column {place} has {got} of {rows} rows"
                    )));
                }
                some => got += some,
            }
        }
        Ok(())
    };
    match (group.get_column_reader(place)?, waiting) {
        (ColumnReader::ByteArrayColumnReader(mut column), Waiting::Text(all)) => {
            next(&mut |most| Ok(column.read_records(most, None, None, all)?.0))
        }
        (ColumnReader::Int64ColumnReader(mut column), Waiting::Whole(all)) => {
            next(&mut |most| Ok(column.read_records(most, None, None, all)?.0))
        }
        (ColumnReader::BoolColumnReader(mut column), Waiting::Flag(all)) => {
            next(&mut |most| Ok(column.read_records(most, None, None, all)?.0))
        }
        (ColumnReader::DoubleColumnReader(mut column), Waiting::Real(all, known)) => {
            next(&mut |most| Ok(column.read_records(most, Some(known), None, all)?.0))
        }
        _ => Err(ParquetError::General(format!(
            "column {place} is of another type"
        ))),
    }
}
