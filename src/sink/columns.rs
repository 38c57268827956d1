//! What is said of each object, in every output alike: one list of columns, each with its name in tables and its name among
//! QuPath's measurements.
//!
//! Numbers are rounded here, to more digits than a slide can bear, so that all outputs have the very same ones.

use std::borrow::Cow;

use super::{SinkError, SlideFindings, SlideObject, TargetObjects};
use crate::slide::Resolution;

/// What a column of the table of objects holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    Text,
    /// Whole numbers from 0.
    Whole,
    /// Numbers, some of which may be unknown.
    Real,
    /// True or false.
    Flag,
}

/// One entry of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Words.
    Text(Cow<'a, str>),
    /// A whole number.
    Whole(u64),
    /// A number.
    Real(f64),
    /// True or false.
    Flag(bool),
    /// Nobody knows, or there is none.
    Unknown,
}

/// Whether a column is one of QuPath's measurements, and under which name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measurement {
    No,
    Named(&'static str),
    /// Only where um/px is not known: else it stands in um.
    InPx(&'static str),
}

/// One column.
pub(crate) struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub measurement: Measurement,
    pub value: for<'a> fn(&Row<'a>) -> Value<'a>,
}

/// An object with all that is said of it.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub slide: &'a str,
    pub objects: &'a TargetObjects,
    pub object: &'a SlideObject,
    pub resolution: Option<Resolution>,
}

impl SlideFindings<'_> {
    /// Calls `visit` with the row of every object, in the order of the ids.
    pub(crate) fn each_row(
        &self,
        mut visit: impl FnMut(&Row<'_>) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let found = self.objects()?;
        for objects in found.targets() {
            found.each_of(objects, |object| {
                visit(&Row {
                    slide: self.id,
                    objects,
                    object,
                    resolution: self.resolution(),
                })
            })?;
        }
        Ok(())
    }
}

/// The columns that are measurements: numbers, and flags as 0 and 1.
fn measured() -> impl Iterator<Item = &'static Column> {
    let columns = COLUMNS.iter();
    columns.filter(|column| column.kind != Kind::Text && column.name != ID)
}

/// The columns of the table of objects, in their order: name and kind. Of the kinds, only [`Kind::Real`] has entries that
/// are unknown.
pub fn table_columns() -> impl Iterator<Item = (&'static str, Kind)> {
    COLUMNS.iter().map(|column| (column.name, column.kind))
}

/// What is measured on every object, by the names of the tables' columns, in their order.
pub fn measurement_names() -> impl Iterator<Item = &'static str> {
    measured().map(|column| column.name)
}

impl SlideFindings<'_> {
    /// Calls `visit` with all entries of every object, in the order of the ids and of [`table_columns`].
    ///
    /// # Errors
    /// When an object cannot be read again, and what `visit` says.
    pub fn each_entries(
        &self,
        mut visit: impl FnMut(&[Value<'_>]) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        self.each_row(|row| {
            let entries: Vec<Value<'_>> =
                COLUMNS.iter().map(|column| (column.value)(row)).collect();
            visit(&entries)
        })
    }

    /// Calls `visit` with every object, in the order of the ids, and with what was measured on it, in the order of
    /// [`measurement_names`]. What nobody knows is not a number.
    ///
    /// # Errors
    /// When an object cannot be read again, and what `visit` says.
    pub fn each_measured(
        &self,
        mut visit: impl FnMut(&SlideObject, &[f64]) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let mut values = Vec::new();
        self.each_row(|row| {
            values.clear();
            values.extend(measured().map(|column| match (column.value)(row) {
                Value::Whole(number) => number as f64,
                Value::Real(number) => number,
                Value::Flag(flag) => f64::from(u8::from(flag)),
                Value::Text(_) | Value::Unknown => f64::NAN,
            }));
            visit(row.object, &values)
        })
    }
}

impl Row<'_> {
    /// A length along a row, um.
    fn across(&self, px: f64) -> Value<'static> {
        self.um(px, |r| r.mpp)
    }

    /// A length down a column, um.
    fn down(&self, px: f64) -> Value<'static> {
        self.um(px, |r| r.down)
    }

    /// A length in any direction, um. Px may be up to 1 % longer one way than the other; then their mean counts.
    fn along(&self, px: f64) -> Value<'static> {
        self.um(px, |r| (r.mpp * r.down).sqrt())
    }

    fn um(&self, px: f64, size: fn(Resolution) -> f64) -> Value<'static> {
        self.resolution
            .map_or(Value::Unknown, |r| real(px * size(r)))
    }

    fn um2(&self, px: u64) -> Value<'static> {
        self.resolution.map_or(Value::Unknown, |r| real(r.area(px)))
    }
}

/// Rounds to four digits after the point. A zero has no sign.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4 + 0.0
}

fn real(value: f64) -> Value<'static> {
    Value::Real(rounded(value))
}

fn perhaps(value: Option<f64>) -> Value<'static> {
    value.map_or(Value::Unknown, real)
}

const fn column(
    name: &'static str,
    kind: Kind,
    measurement: Measurement,
    value: for<'a> fn(&Row<'a>) -> Value<'a>,
) -> Column {
    Column {
        name,
        kind,
        measurement,
        value,
    }
}

use Kind::{Flag, Real, Text, Whole};
use Measurement::{InPx, Named, No};

/// All columns, in the order of the tables. `docs/objects.md` says what each means.
pub(crate) const COLUMNS: &[Column] = &[
    column("slide", Text, No, |row| Value::Text(row.slide.into())),
    column(ID, Whole, No, |row| Value::Whole(row.object.id)),
    column("uuid", Text, No, |row| {
        Value::Text(row.object.uuid.to_string().into())
    }),
    column("organ", Text, No, |row| {
        Value::Text(row.object.target.name().into())
    }),
    column("unit", Text, No, |row| Value::Text(unit(row.object).into())),
    column("model", Text, No, |row| {
        Value::Text(row.objects.model.as_str().into())
    }),
    column("centroid_x_px", Real, InPx("Centroid X px"), |row| {
        real(row.object.figures.centroid[0])
    }),
    column("centroid_y_px", Real, InPx("Centroid Y px"), |row| {
        real(row.object.figures.centroid[1])
    }),
    column("centroid_x_um", Real, Named("Centroid X µm"), |row| {
        row.across(row.object.figures.centroid[0])
    }),
    column("centroid_y_um", Real, Named("Centroid Y µm"), |row| {
        row.down(row.object.figures.centroid[1])
    }),
    column("box_x_px", Whole, No, |row| {
        Value::Whole(row.object.figures.bounds.x.into())
    }),
    column("box_y_px", Whole, No, |row| {
        Value::Whole(row.object.figures.bounds.y.into())
    }),
    column("box_width_px", Whole, InPx("Box width px"), |row| {
        Value::Whole(row.object.figures.bounds.width.into())
    }),
    column("box_height_px", Whole, InPx("Box height px"), |row| {
        Value::Whole(row.object.figures.bounds.height.into())
    }),
    column("box_x_um", Real, No, |row| {
        row.across(row.object.figures.bounds.x.into())
    }),
    column("box_y_um", Real, No, |row| {
        row.down(row.object.figures.bounds.y.into())
    }),
    column("box_width_um", Real, Named("Box width µm"), |row| {
        row.across(row.object.figures.bounds.width.into())
    }),
    column("box_height_um", Real, Named("Box height µm"), |row| {
        row.down(row.object.figures.bounds.height.into())
    }),
    column("area_px", Whole, Named("Area px^2"), |row| {
        Value::Whole(row.object.figures.area)
    }),
    column("area_um2", Real, Named("Area µm^2"), |row| {
        row.um2(row.object.figures.area)
    }),
    column("perimeter_px", Real, InPx("Perimeter px"), |row| {
        real(row.object.figures.perimeter)
    }),
    column("perimeter_um", Real, Named("Perimeter µm"), |row| {
        row.along(row.object.figures.perimeter)
    }),
    column(
        "equivalent_diameter_px",
        Real,
        InPx("Equivalent diameter px"),
        |row| real(row.object.figures.equivalent_diameter()),
    ),
    column(
        "equivalent_diameter_um",
        Real,
        Named("Equivalent diameter µm"),
        |row| row.along(row.object.figures.equivalent_diameter()),
    ),
    column("major_axis_px", Real, InPx("Major axis px"), |row| {
        real(row.object.figures.major_axis)
    }),
    column("major_axis_um", Real, Named("Major axis µm"), |row| {
        row.along(row.object.figures.major_axis)
    }),
    column("minor_axis_px", Real, InPx("Minor axis px"), |row| {
        real(row.object.figures.minor_axis)
    }),
    column("minor_axis_um", Real, Named("Minor axis µm"), |row| {
        row.along(row.object.figures.minor_axis)
    }),
    column("orientation_rad", Real, Named("Orientation rad"), |row| {
        real(row.object.figures.orientation)
    }),
    column("eccentricity", Real, Named("Eccentricity"), |row| {
        real(row.object.figures.eccentricity)
    }),
    column("circularity", Real, Named("Circularity"), |row| {
        perhaps(row.object.figures.circularity())
    }),
    column("solidity", Real, Named("Solidity"), |row| {
        real(row.object.figures.solidity())
    }),
    column("holes", Whole, Named("Holes"), |row| {
        Value::Whole(row.object.figures.holes)
    }),
    column("holes_area_px", Whole, InPx("Holes area px^2"), |row| {
        Value::Whole(row.object.figures.holes_area)
    }),
    column("holes_area_um2", Real, Named("Holes area µm^2"), |row| {
        row.um2(row.object.figures.holes_area)
    }),
    column(MEAN_PROBABILITY, Real, Named("Mean probability"), |row| {
        perhaps(row.object.probability.map(|p| p.mean))
    }),
    column(
        LOWEST_PROBABILITY,
        Real,
        Named("Lowest probability"),
        |row| perhaps(row.object.probability.map(|p| p.lowest)),
    ),
    column(
        "touches_slide_edge",
        Flag,
        Named("Touches slide edge"),
        |row| Value::Flag(row.object.touches_slide_edge),
    ),
    column(
        "touches_tissue_edge",
        Flag,
        Named("Touches tissue edge"),
        |row| Value::Flag(row.object.touches_tissue_edge),
    ),
];

/// The object's number, which is no measurement.
const ID: &str = "id";

/// The two columns that no mask tells of.
pub(crate) const MEAN_PROBABILITY: &str = "mean_probability";
pub(crate) const LOWEST_PROBABILITY: &str = "lowest_probability";

/// What an object is called: `Glomerulus`, or `FTU` where a network for all organs found it.
pub(crate) fn unit(object: &SlideObject) -> &'static str {
    object.target.organ().map_or("FTU", |organ| organ.ftu())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_name_of_its_own_and_a_line_in_the_docs() {
        let docs = include_str!("../../docs/objects.md");
        let mut names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        for name in &names {
            assert!(docs.contains(&format!("`{name}`")), "{name}");
        }
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_number_is_rounded_once_and_has_no_sign_at_zero() {
        assert_eq!(rounded(1.234_567), 1.2346);
        assert_eq!(rounded(-0.000_01).to_string(), "0");
        assert_eq!(rounded(rounded(0.1 + 0.2)), rounded(0.1 + 0.2));
    }
}
