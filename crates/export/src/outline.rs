//! A slide's outlines, read from its `objects.geojson` (or the compressed one) feature by feature.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use ftuseg_files::plain;
use ftuseg_mask::{Polygon, Rect};
use serde::Deserialize;

use crate::ExportError;

/// The longest feature that is read.
const MAX_FEATURE: u64 = 256 << 20;
/// The most rows and columns, summed over the sides of an object, that an outline may span.
const MAX_SIDES: u64 = 1 << 28;

/// A feature as the run wrote it; whatever else stands there is passed over.
#[derive(Deserialize)]
struct Feature {
    id: String,
    geometry: Geometry,
    properties: Properties,
}

#[derive(Deserialize)]
struct Geometry {
    #[serde(rename = "type")]
    kind: String,
    coordinates: Vec<Vec<[u32; 2]>>,
}

#[derive(Deserialize)]
struct Properties {
    classification: Classification,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Classification {
    color: [u8; 3],
}

#[derive(Deserialize)]
struct Metadata {
    id: String,
}

/// The outline of one object.
pub(crate) struct Outline {
    /// The object's number, as text.
    pub id: String,
    pub uuid: String,
    /// The colour of its kind, RGB.
    pub colour: [u8; 3],
    pub polygon: Polygon,
    pub bounds: Rect,
}

/// Outlines that are being read.
pub(crate) struct Outlines {
    path: PathBuf,
    lines: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    size: (u32, u32),
}

impl Outlines {
    /// Opens the outlines of a slide of `size` px.
    pub(crate) fn open(folder: &Path, size: (u32, u32)) -> Result<Self, ExportError> {
        let (plain, packed) = (
            folder.join("objects.geojson"),
            folder.join("objects.geojson.gz"),
        );
        let open = |path: &Path| -> Result<BufReader<File>, ExportError> {
            let file = plain::open(path, u64::MAX).map_err(|cause| ExportError::io(path, cause))?;
            Ok(BufReader::with_capacity(1 << 16, file))
        };
        let (path, lines): (_, Box<dyn BufRead + Send>) = if plain.exists() {
            let file = open(&plain)?;
            (plain, Box::new(file))
        } else if packed.exists() {
            let file = GzDecoder::new(open(&packed)?);
            (packed, Box::new(BufReader::with_capacity(1 << 16, file)))
        } else {
            return Err(ExportError::MissingOutput {
                folder: folder.to_owned(),
                file: "objects.geojson",
                output: "geojson",
            });
        };
        let mut outlines = Outlines {
            path,
            lines,
            line: Vec::new(),
            size,
        };
        outlines.read_line()?;
        match outlines
            .line
            .starts_with(b"{\"type\":\"FeatureCollection\"")
        {
            true => Ok(outlines),
            false => Err(outlines.damaged("it does not begin as a run's outlines do")),
        }
    }

    fn damaged(&self, reason: impl Into<String>) -> ExportError {
        ExportError::damaged(&self.path, reason)
    }

    /// Reads a line of sane length, without its end.
    fn read_line(&mut self) -> Result<(), ExportError> {
        self.line.clear();
        let mut limited = (&mut self.lines).take(MAX_FEATURE);
        let read = limited.read_until(b'\n', &mut self.line);
        read.map_err(|cause| ExportError::io(&self.path, cause))?;
        match self.line.pop_if(|last| *last == b'\n') {
            Some(_) => Ok(()),
            None => Err(self.damaged("it ends in the middle of a line, or a line is far too long")),
        }
    }

    /// The next outline; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Outline>, ExportError> {
        self.read_line()?;
        if self.line.starts_with(b"]") {
            return Ok(None);
        }
        let text = self.line.strip_suffix(b",").unwrap_or(&self.line);
        let read = serde_json::from_slice(text);
        let feature: Feature = read.map_err(|error| {
            self.damaged(format!("a feature is not as a run writes it: {error}"))
        })?;
        let id = feature.properties.metadata.id;
        let wrong = |what: &str| {
            ExportError::damaged(&self.path, format!("the outline of object {id:.20} {what}"))
        };
        if feature.geometry.kind != "Polygon" {
            return Err(wrong("is no polygon"));
        }
        let mut rings = feature.geometry.coordinates;
        let bounds = check(&rings, self.size).map_err(wrong)?;
        let exterior = rings.remove(0);
        let mut polygon = Polygon {
            exterior,
            holes: rings,
            area: 0,
        };
        let runs = polygon.runs();
        // Whoever paints them relies on it.
        let crosses = runs.iter().any(|run| run.start >= run.end)
            || polygon.column_runs().any(|(_, rows)| rows.is_empty());
        if crosses {
            return Err(wrong("crosses itself"));
        }
        polygon.area = runs.iter().map(|run| u64::from(run.end - run.start)).sum();
        Ok(Some(Outline {
            id,
            uuid: feature.id,
            colour: feature.properties.classification.color,
            polygon,
            bounds,
        }))
    }
}

/// Checks that rings are closed, go along the edges of px of the slide and span no more than memory can hold. Returns what
/// the first one spans.
fn check(rings: &[Vec<[u32; 2]>], (width, height): (u32, u32)) -> Result<Rect, &'static str> {
    let mut sides = 0_u64;
    for ring in rings {
        if ring.len() < 5 || ring.first() != ring.last() {
            return Err("is not closed");
        }
        for pair in ring.windows(2) {
            let ([x, y], [to_x, to_y]) = (pair[0], pair[1]);
            if x > width || y > height {
                return Err("leaves the slide");
            }
            if (x == to_x) == (y == to_y) {
                return Err("does not follow the edges of pixels");
            }
            sides += u64::from(x.abs_diff(to_x) + y.abs_diff(to_y));
        }
    }
    if sides > MAX_SIDES {
        return Err("is longer than any object's");
    }
    let exterior = rings.first().ok_or("is empty")?;
    let span = |axis: usize| {
        let all = || exterior.iter().map(|corner| corner[axis]);
        let (from, to) = (all().min().unwrap_or(0), all().max().unwrap_or(0));
        (from, to - from)
    };
    let ((x, across), (y, down)) = (span(0), span(1));
    Ok(Rect {
        x,
        y,
        width: across,
        height: down,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_of_no_object_are_refused() {
        let size = (10, 10);
        let square = vec![[1, 2], [4, 2], [4, 5], [1, 5], [1, 2]];
        assert_eq!(
            check(std::slice::from_ref(&square), size),
            Ok(Rect {
                x: 1,
                y: 2,
                width: 3,
                height: 3
            })
        );
        for (rings, word) in [
            (vec![], "empty"),
            (vec![vec![]], "closed"),
            (vec![square[..4].to_vec()], "closed"),
            (
                vec![vec![[1, 2], [11, 2], [11, 5], [1, 5], [1, 2]]],
                "leaves",
            ),
            (vec![vec![[1, 2], [4, 3], [4, 5], [1, 5], [1, 2]]], "edges"),
            (vec![vec![[1, 2], [1, 2], [4, 5], [1, 5], [1, 2]]], "edges"),
        ] {
            assert!(check(&rings, size).unwrap_err().contains(word), "{word}");
        }
        let long = vec![
            [0, 0],
            [1 << 20, 0],
            [1 << 20, 1 << 20],
            [0, 1 << 20],
            [0, 0],
        ];
        let many = vec![long; 100];
        assert!(
            check(&many, (1 << 20, 1 << 20))
                .unwrap_err()
                .contains("longer")
        );
    }
}
