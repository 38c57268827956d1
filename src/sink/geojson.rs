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
use serde_json::{Map, json};

use super::columns::{COLUMNS, Measurement, Row, Value, unit};
use super::{Sink, SinkError, SlideFindings, colour};

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
        let mut out = GzEncoder::new(file, flate2::Compression::default());
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
        serde_json::to_writer(&mut *out, &feature(row, objects_as, tolerance_px))
            .map_err(|error| io(error.into()))
    })?;
    out.write_all(b"\n]}\n").map_err(io)
}

/// One object.
fn feature(row: &Row<'_>, objects_as: ObjectsAs, tolerance_px: Option<f64>) -> serde_json::Value {
    let object = row.object;
    let rings = match tolerance_px {
        Some(tolerance) => json!(object.polygon.simplified(tolerance)),
        None => {
            let exact = std::iter::once(&object.polygon.exterior).chain(&object.polygon.holes);
            json!(exact.collect::<Vec<_>>())
        }
    };
    let mut metadata = Map::new();
    for (key, text) in [
        ("id", object.id.to_string()),
        ("slide", row.slide.to_owned()),
        ("organ", object.target.name().to_owned()),
        ("model", row.objects.model.clone()),
        ("threshold", row.objects.threshold.to_string()),
    ] {
        metadata.insert(key.to_owned(), text.into());
    }
    // A record of an older version may not tell it.
    if row.objects.threshold.is_nan() {
        metadata.remove("threshold");
    }
    json!({
        "type": "Feature",
        "id": object.uuid.to_string(),
        "geometry": { "type": "Polygon", "coordinates": rings },
        "properties": {
            "objectType": objects_as.name(),
            "classification": { "name": unit(object), "color": colour(object.target) },
            "measurements": measurements(row),
            "metadata": metadata,
        },
    })
}

/// The figures, as QuPath names them. It knows numbers only: what is so is 1.
fn measurements(row: &Row<'_>) -> Map<String, serde_json::Value> {
    let mut all = Map::new();
    for column in COLUMNS {
        let name = match column.measurement {
            Measurement::Named(name) => name,
            Measurement::InPx(name) if row.resolution.is_none() => name,
            Measurement::InPx(_) | Measurement::No => continue,
        };
        let number = match (column.value)(row) {
            Value::Whole(number) => json!(number),
            Value::Real(number) => json!(number),
            Value::Flag(is_so) => json!(u8::from(is_so)),
            Value::Text(_) | Value::Unknown => continue,
        };
        all.insert(name.to_owned(), number);
    }
    all
}
