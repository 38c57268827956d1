//! `objects.geojson`: every object as a polygon with its holes, for QuPath and GIS tools.
//!
//! A FeatureCollection (RFC 7946 in structure; coordinates are full-size px, not degrees). QuPath reads
//! `objectType` and `classification`; what is known beyond that stands in `measurements`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::json;

use super::{Sink, SinkError, SlideFindings, colour};

/// Writes `objects.geojson`.
#[derive(Debug, Clone, Copy, Default)]
pub struct GeoJson;

impl GeoJson {
    /// Writes what would stand in the file.
    ///
    /// # Errors
    /// When `out` takes nothing more.
    pub fn write_to(
        &self,
        findings: &SlideFindings<'_>,
        out: &mut impl Write,
    ) -> Result<(), SinkError> {
        write_collection(findings, out)
            .map_err(|source| SinkError::io(Path::new(self.file_name()), source))
    }
}

impl Sink for GeoJson {
    fn file_name(&self) -> &'static str {
        "objects.geojson"
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        let write = || -> std::io::Result<()> {
            let mut out = BufWriter::new(File::create(path)?);
            write_collection(findings, &mut out)?;
            out.into_inner()
                .map_err(std::io::IntoInnerError::into_error)?
                .sync_all()
        };
        write().map_err(|source| SinkError::io(path, source))
    }
}

/// Writes feature by feature, so that memory does not grow with the number of objects.
fn write_collection(findings: &SlideFindings<'_>, out: &mut impl Write) -> std::io::Result<()> {
    out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
    let mut first = true;
    for objects in &findings.objects {
        let target = objects.target;
        let name = target.organ().map_or("FTU", |organ| organ.ftu());
        for polygon in &objects.polygons {
            let rings: Vec<_> = std::iter::once(&polygon.exterior)
                .chain(&polygon.holes)
                .collect();
            let mut measurements = json!({ "Area px^2": polygon.area });
            if let Some(resolution) = findings.resolution() {
                measurements["Area um^2"] = json!(resolution.area(polygon.area));
            }
            let feature = json!({
                "type": "Feature",
                "geometry": { "type": "Polygon", "coordinates": rings },
                "properties": {
                    "objectType": "annotation",
                    "classification": { "name": name, "color": colour(target) },
                    "organ": target.name(),
                    "model": objects.model,
                    "measurements": measurements,
                },
            });
            out.write_all(if first { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *out, &feature)?;
            first = false;
        }
    }
    out.write_all(b"\n]}\n")
}
