//! `objects.geojson`: every object as a polygon with its holes, for QuPath and GIS tools; and the same compressed,
//! `objects.geojson.gz`.
//!
//! A FeatureCollection (RFC 7946 in structure; coordinates are full-size px, not degrees). QuPath reads `id`, `objectType`,
//! `classification`, `measurements` and `metadata`, whose values are texts; it drops what else stands at the root.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::str::FromStr;

use flate2::write::GzEncoder;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::columns::{COLUMNS, Measurement, Row, Value, unit};
use super::{Output, Sink, SinkError, SlideFindings, colour};
use crate::mask::Ring;

/// Writes `objects.geojson`.
#[derive(Debug, Clone, Copy, Default)]
pub struct GeoJson {
    /// What the objects are to QuPath.
    pub objects_as: ObjectsAs,
    /// How far the outlines may be from the exact ones, um; exact ones if `None`.
    pub simplify_um: Option<f64>,
}

/// Writes `objects.geojson.gz`.
#[derive(Debug, Clone, Copy, Default)]
pub struct GeoJsonGz {
    /// What the objects are to QuPath.
    pub objects_as: ObjectsAs,
    /// How far the outlines may be from the exact ones, um; exact ones if `None`.
    pub simplify_um: Option<f64>,
}

/// How hard gzip looks for repetitions: as hard as it does by itself (6), coordinates get 8 % smaller in four times the time.
const LEVEL: u32 = 3;

/// What the objects of a GeoJSON file are to QuPath.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ObjectsAs {
    /// Detections: QuPath handles a million of them, and they cannot be edited by hand.
    #[default]
    Detection,
    /// Annotations: they can be edited, and some thousands slow QuPath down.
    Annotation,
}

impl ObjectsAs {
    /// Its name in GeoJSON, in lists and in records.
    pub fn name(self) -> &'static str {
        match self {
            ObjectsAs::Detection => "detection",
            ObjectsAs::Annotation => "annotation",
        }
    }
}

/// A name that QuPath knows no objects by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is unknown; use detection or annotation")]
pub struct UnknownObjectsAs(pub String);

impl FromStr for ObjectsAs {
    type Err = UnknownObjectsAs;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "detection" => Ok(ObjectsAs::Detection),
            "annotation" => Ok(ObjectsAs::Annotation),
            other => Err(UnknownObjectsAs(other.to_owned())),
        }
    }
}

impl GeoJson {
    /// Writes what would stand in the file.
    ///
    /// # Errors
    /// When the objects cannot be read again, or `out` takes nothing more.
    pub fn write_to(
        &self,
        findings: &SlideFindings<'_>,
        out: &mut impl Write,
    ) -> Result<(), SinkError> {
        let wanted = (self.objects_as, self.simplify_um);
        write_collection(findings, wanted, out, Path::new(self.file_name()))
    }
}

impl Sink for GeoJson {
    fn file_name(&self) -> &'static str {
        "objects.geojson"
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        let io = |cause| SinkError::io(path, cause);
        let mut out = BufWriter::with_capacity(1 << 16, File::create(path).map_err(io)?);
        let wanted = (self.objects_as, self.simplify_um);
        write_collection(findings, wanted, &mut out, path)?;
        finish(out).map_err(io)
    }
}

impl Sink for GeoJsonGz {
    fn file_name(&self) -> &'static str {
        "objects.geojson.gz"
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        let io = |cause| SinkError::io(path, cause);
        let file = BufWriter::with_capacity(1 << 16, File::create(path).map_err(io)?);
        // Neither a name nor a time stands in the header, so that the same objects give the same bytes.
        let mut out = GzEncoder::new(file, flate2::Compression::new(LEVEL));
        let wanted = (self.objects_as, self.simplify_um);
        write_collection(findings, wanted, &mut out, path)?;
        finish(out.finish().map_err(io)?).map_err(io)
    }
}

/// Waits until a file is on the disk, so that a full disk is told of.
fn finish(out: BufWriter<File>) -> io::Result<()> {
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

/// Writes feature by feature, so that memory does not grow with the number of objects.
fn write_collection(
    findings: &SlideFindings<'_>,
    (objects_as, simplify_um): (ObjectsAs, Option<f64>),
    out: &mut impl Write,
    path: &Path,
) -> Result<(), SinkError> {
    let tolerance_px = simplify_um.map(|um| match findings.resolution() {
        Some(resolution) => Ok(um / resolution.mpp.max(resolution.down)),
        None => Err(SinkError::NoResolution {
            path: path.to_owned(),
            output: Output::GeoJson,
        }),
    });
    let tolerance_px = tolerance_px.transpose()?;
    let io = |cause| SinkError::io(path, cause);
    out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")
        .map_err(io)?;
    let mut first = true;
    findings.each_row(|row| {
        out.write_all(if first { b"\n" } else { b",\n" })
            .map_err(io)?;
        first = false;
        let polygon = &row.object.polygon;
        let fewer = tolerance_px.map(|tolerance| polygon.simplified(tolerance));
        let rings = match &fewer {
            Some(rings) => rings.iter().collect(),
            None => std::iter::once(&polygon.exterior)
                .chain(&polygon.holes)
                .collect(),
        };
        serde_json::to_writer(&mut *out, &Feature::of(row, objects_as, rings))
            .map_err(|error| io(error.into()))
    })?;
    out.write_all(b"\n]}\n").map_err(io)
}

/// One object, as it is written: straight from what is known of it, since an outline may have thousands of corners.
#[derive(Serialize)]
struct Feature<'a> {
    r#type: &'static str,
    id: String,
    geometry: Geometry<'a>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Geometry<'a> {
    r#type: &'static str,
    coordinates: Vec<&'a Ring>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    object_type: &'static str,
    classification: Classification,
    measurements: Measurements<'a>,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
struct Classification {
    name: &'static str,
    color: [u8; 3],
}

/// Texts, as QuPath wants them.
#[derive(Serialize)]
struct Metadata<'a> {
    id: String,
    slide: &'a str,
    organ: &'static str,
    model: &'a str,
    /// A record of an older version may not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<String>,
}

impl<'a> Feature<'a> {
    fn of(row: &'a Row<'a>, objects_as: ObjectsAs, rings: Vec<&'a Ring>) -> Self {
        let (object, threshold) = (row.object, row.objects.threshold);
        Feature {
            r#type: "Feature",
            id: object.uuid.to_string(),
            geometry: Geometry {
                r#type: "Polygon",
                coordinates: rings,
            },
            properties: Properties {
                object_type: objects_as.name(),
                classification: Classification {
                    name: unit(object),
                    color: colour(object.target),
                },
                measurements: Measurements(row),
                metadata: Metadata {
                    id: object.id.to_string(),
                    slide: row.slide,
                    organ: object.target.name(),
                    model: &row.objects.model,
                    threshold: (!threshold.is_nan()).then(|| threshold.to_string()),
                },
            },
        }
    }
}

/// The figures, as QuPath names them. It knows numbers only: what is so is 1.
struct Measurements<'a>(&'a Row<'a>);

impl Serialize for Measurements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.0;
        let mut all = serializer.serialize_map(None)?;
        for column in COLUMNS {
            let name = match column.measurement {
                Measurement::Named(name) => name,
                Measurement::InPx(name) if row.resolution.is_none() => name,
                Measurement::InPx(_) | Measurement::No => continue,
            };
            match (column.value)(row) {
                Value::Whole(number) => all.serialize_entry(name, &number)?,
                Value::Real(number) => all.serialize_entry(name, &number)?,
                Value::Flag(is_so) => all.serialize_entry(name, &u8::from(is_so))?,
                Value::Text(_) | Value::Unknown => {}
            }
        }
        all.end()
    }
}
