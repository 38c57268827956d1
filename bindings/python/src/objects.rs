//! The table of objects: the columns of `objects.csv`, lent through the Arrow C interface.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::ffi::to_ffi;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchIterator, StructArray};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use ftuseg::sink::{ColumnKind, ColumnValue, SlideFindings, table_columns};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};

use super::error::Failure;

/// The objects that were found, as a table: one row an object, in the order of their numbers.
#[pyclass(frozen, module = "ftuseg")]
pub(crate) struct Objects {
    batch: RecordBatch,
}

/// A column that is being filled.
enum Filling {
    Text(StringBuilder),
    Whole(Int64Builder),
    Real(Float64Builder),
    Flag(BooleanBuilder),
}

impl Filling {
    fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text => Filling::Text(StringBuilder::new()),
            ColumnKind::Whole => Filling::Whole(Int64Builder::new()),
            ColumnKind::Real => Filling::Real(Float64Builder::new()),
            ColumnKind::Flag => Filling::Flag(BooleanBuilder::new()),
        }
    }

    fn field(&self, name: &str) -> Field {
        let (kind, can_be_unknown) = match self {
            Filling::Text(_) => (DataType::Utf8, false),
            Filling::Whole(_) => (DataType::Int64, false),
            Filling::Real(_) => (DataType::Float64, true),
            Filling::Flag(_) => (DataType::Boolean, false),
        };
        Field::new(name, kind, can_be_unknown)
    }

    /// Adds an entry; false where it is of another kind than the column.
    fn add(&mut self, entry: &ColumnValue<'_>) -> bool {
        match (self, entry) {
            (Filling::Text(all), ColumnValue::Text(text)) => all.append_value(text),
            (Filling::Whole(all), &ColumnValue::Whole(number)) => match i64::try_from(number) {
                Ok(number) => all.append_value(number),
                Err(_) => return false,
            },
            (Filling::Real(all), &ColumnValue::Real(number)) => all.append_value(number),
            (Filling::Real(all), ColumnValue::Unknown) => all.append_null(),
            (Filling::Flag(all), &ColumnValue::Flag(flag)) => all.append_value(flag),
            _ => return false,
        }
        true
    }

    fn finish(self) -> ArrayRef {
        match self {
            Filling::Text(mut all) => Arc::new(all.finish()),
            Filling::Whole(mut all) => Arc::new(all.finish()),
            Filling::Real(mut all) => Arc::new(all.finish()),
            Filling::Flag(mut all) => Arc::new(all.finish()),
        }
    }
}

impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Self {
        Failure::internal(format!("the table of objects cannot be made: {error}"))
    }
}

impl Objects {
    /// The table of what was found.
    pub fn of(findings: &SlideFindings<'_>) -> Result<Self, Failure> {
        let (names, mut columns): (Vec<&str>, Vec<Filling>) = table_columns()
            .map(|(name, kind)| (name, Filling::new(kind)))
            .unzip();
        let mut is_sound = true;
        findings.each_entries(|entries| {
            for (column, entry) in columns.iter_mut().zip(entries) {
                is_sound &= column.add(entry);
            }
            Ok(())
        })?;
        if !is_sound {
            return Err(Failure::internal("an object does not fit its table"));
        }
        let fields: Vec<Field> = names
            .iter()
            .zip(&columns)
            .map(|(name, column)| column.field(name))
            .collect();
        let arrays = columns.into_iter().map(Filling::finish).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        Ok(Objects { batch })
    }

    fn row<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyDict>> {
        use arrow_array::cast::AsArray;
        use arrow_array::types::{Float64Type, Int64Type};
        let entries = PyDict::new(py);
        let schema = self.batch.schema_ref();
        for (field, column) in schema.fields().iter().zip(self.batch.columns()) {
            let name = field.name();
            if column.is_null(row) {
                entries.set_item(name, py.None())?;
                continue;
            }
            match field.data_type() {
                DataType::Utf8 => entries.set_item(name, column.as_string::<i32>().value(row))?,
                DataType::Int64 => {
                    entries.set_item(name, column.as_primitive::<Int64Type>().value(row))?;
                }
                DataType::Boolean => entries.set_item(name, column.as_boolean().value(row))?,
                _ => entries.set_item(name, column.as_primitive::<Float64Type>().value(row))?,
            }
        }
        Ok(entries)
    }
}

#[pymethods]
impl Objects {
    /// The names of the columns, which docs/objects.md describes.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        let schema = self.batch.schema_ref();
        schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    /// One object, by its place or from the end; what is not known is None.
    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyDict>> {
        let rows = self.batch.num_rows();
        let place = match index < 0 {
            true => rows.checked_sub(index.unsigned_abs()),
            false => Some(index.unsigned_abs()),
        };
        match place.filter(|&place| place < rows) {
            Some(place) => self.row(py, place),
            None => Err(PyIndexError::new_err(format!(
                "there are {rows} objects, and none at {index}"
            ))),
        }
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        let rows = (0..self.batch.num_rows()).map(|row| self.row(py, row));
        let rows = PyList::new(py, rows.collect::<PyResult<Vec<_>>>()?)?;
        rows.as_any().try_iter()
    }

    fn __repr__(&self) -> String {
        format!(
            "<ftuseg.Objects: {} rows, {} columns>",
            self.batch.num_rows(),
            self.batch.num_columns()
        )
    }

    /// The schema, as the Arrow C interface hands it over.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.batch.schema_ref().as_ref());
        PyCapsule::new_with_value(py, schema.map_err(Failure::from)?, c"arrow_schema")
    }

    /// Schema and rows, as the Arrow C interface hands them over; not copied. The schema is always the table's own.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // A wish that the interface allows to be left unheard.
        let _ = requested_schema;
        let rows = StructArray::from(self.batch.clone());
        let (array, _) = to_ffi(&rows.to_data()).map_err(Failure::from)?;
        Ok((
            self.__arrow_c_schema__(py)?,
            PyCapsule::new_with_value(py, array, c"arrow_array")?,
        ))
    }

    /// The rows as a stream, as the Arrow C interface hands it over; not copied. The schema is always the table's own.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let rows = std::iter::once(Ok(self.batch.clone()));
        let reader = RecordBatchIterator::new(rows, self.batch.schema());
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}
