//! Polygons out of an annotation store: the SQLite files (`.db`) that TIAToolbox writes and shows.
//!
//! A row has its outline as well-known binary (OGC 06-103r4, section 8), plain or zlib, and its properties as JSON, whose
//! `type` is its class. Points have no outline.

use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::classes::class_name;
use super::geojson::{Rings, Shape};

/// The most bytes of one outline or of one row's properties: millions of corners.
const MAX_FIELD: u64 = 1 << 28;
/// Corners that all outlines of a store may have.
const MAX_CORNERS: u64 = 1 << 27;

/// The shapes of a store, one a row, and how many points and lines there are, which have no inside.
///
/// # Errors
/// When it is no annotation store, or a row cannot be read.
pub(super) fn shapes(path: &Path) -> Result<(Vec<Shape>, usize), String> {
    let told = |error: rusqlite::Error| format!("not a readable annotation store: {error}");
    // Nothing is written beside a file that is somebody else's.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let store = Connection::open_with_flags(path, flags).map_err(told)?;
    store
        .set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_FIELD as i32)
        .map_err(told)?;
    // Views and triggers of a stranger's file run no functions, and its pages are checked.
    store
        .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
        .map_err(told)?;
    let mut query = store
        .prepare("SELECT id, geometry, properties FROM annotations ORDER BY id")
        .map_err(told)?;
    let mut rows = query.query([]).map_err(told)?;
    let (mut found, mut lines, mut corners) = (Vec::new(), 0, MAX_CORNERS);
    while let Some(row) = rows.next().map_err(told)? {
        let id: i64 = row.get(0).map_err(told)?;
        let wrong = |reason: &str| format!("annotation {id}: {reason}");
        let outline: Option<Vec<u8>> = row.get(1).map_err(told)?;
        let Some(outline) = outline else {
            lines += 1;
            continue;
        };
        let outline = plain(outline).map_err(|reason| wrong(&reason))?;
        let mut input = Input {
            bytes: &outline,
            corners: &mut corners,
        };
        let polygons = input.geometry(0).map_err(wrong)?;
        if polygons.is_empty() {
            lines += 1;
            continue;
        }
        let properties: Option<String> = row.get(2).map_err(told)?;
        let properties: Value = serde_json::from_str(properties.as_deref().unwrap_or("{}"))
            .map_err(|error| wrong(&format!("its properties are not JSON: {error}")))?;
        found.push(Shape {
            class: class_name(&properties["type"]).unwrap_or_default(),
            polygons,
        });
    }
    Ok((found, lines))
}

/// An outline without its compression. zlib begins with 0x78, well-known binary with its byte order, 0 or 1.
fn plain(outline: Vec<u8>) -> Result<Vec<u8>, String> {
    if outline.first() != Some(&0x78) {
        return Ok(outline);
    }
    let mut bytes = Vec::new();
    ZlibDecoder::new(outline.as_slice())
        .take(MAX_FIELD)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("its outline cannot be decompressed: {error}"))?;
    Ok(bytes)
}

/// Well-known binary that is still to be read.
struct Input<'a> {
    bytes: &'a [u8],
    /// Corners that may still come.
    corners: &'a mut u64,
}

const SHORT: &str = "its outline ends too soon";

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (first, rest) = self.bytes.split_first_chunk().ok_or(SHORT)?;
        self.bytes = rest;
        Ok(*first)
    }

    fn number(&mut self, is_little: bool) -> Result<u32, &'static str> {
        let bytes = self.take()?;
        Ok(match is_little {
            true => u32::from_le_bytes(bytes),
            false => u32::from_be_bytes(bytes),
        })
    }

    fn coordinate(&mut self, is_little: bool) -> Result<f64, &'static str> {
        let bytes = self.take()?;
        let value = match is_little {
            true => f64::from_le_bytes(bytes),
            false => f64::from_be_bytes(bytes),
        };
        value
            .is_finite()
            .then_some(value)
            .ok_or("a corner of its outline is not a number")
    }

    /// The polygons of a geometry; none of points and lines.
    fn geometry(&mut self, depth: u32) -> Result<Vec<Rings>, &'static str> {
        let is_little = match self.take()? {
            [0] => false,
            [1] => true,
            _ => return Err("its outline is not well-known binary"),
        };
        match self.number(is_little)? {
            1 | 2 | 4 | 5 => Ok(Vec::new()),
            3 => Ok(vec![self.polygon(is_little)?]),
            // A collection of either kind; no tool nests them.
            6 | 7 if depth < 2 => {
                let parts = self.number(is_little)?;
                let mut all = Vec::new();
                for _ in 0..parts {
                    all.append(&mut self.geometry(depth + 1)?);
                }
                Ok(all)
            }
            _ => Err("its outline is of a kind that is not known (only flat polygons are)"),
        }
    }

    fn polygon(&mut self, is_little: bool) -> Result<Rings, &'static str> {
        let mut rings = Rings::new();
        for _ in 0..self.number(is_little)? {
            let count = self.number(is_little)?;
            // Before anything is allocated: the corners must be there.
            if self.bytes.len() / 16 < count as usize {
                return Err(SHORT);
            }
            *self.corners = self
                .corners
                .checked_sub(u64::from(count))
                .ok_or("the outlines have too many corners; simplify them")?;
            let corner = |input: &mut Self| -> Result<[f64; 2], &'static str> {
                Ok([input.coordinate(is_little)?, input.coordinate(is_little)?])
            };
            rings.push((0..count).map(|_| corner(self)).collect::<Result<_, _>>()?);
        }
        Ok(rings)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn polygon(is_little: bool, rings: &[&[[f64; 2]]]) -> Vec<u8> {
        let number = |value: u32| match is_little {
            true => value.to_le_bytes(),
            false => value.to_be_bytes(),
        };
        let coordinate = |value: f64| match is_little {
            true => value.to_le_bytes(),
            false => value.to_be_bytes(),
        };
        let mut bytes = vec![u8::from(is_little)];
        bytes.extend(number(3));
        bytes.extend(number(rings.len() as u32));
        for ring in rings {
            bytes.extend(number(ring.len() as u32));
            bytes.extend(ring.iter().flatten().flat_map(|&value| coordinate(value)));
        }
        bytes
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    /// A store as TIAToolbox makes it.
    fn store(path: &Path, rows: &[(Option<Vec<u8>>, &str)]) {
        let store = Connection::open(path).unwrap();
        store
            .execute_batch(
                "CREATE TABLE annotations(id INTEGER PRIMARY KEY, key TEXT UNIQUE, objtype TEXT, cx FLOAT NOT NULL, cy FLOAT \
                 NOT NULL, geometry BLOB, properties TEXT, area FLOAT NOT NULL);",
            )
            .unwrap();
        for (at, (outline, properties)) in rows.iter().enumerate() {
            store
                .execute(
                    "INSERT INTO annotations VALUES (?1, ?2, 'Polygon', 0, 0, ?3, ?4, 0)",
                    rusqlite::params![at as i64 + 1, at.to_string(), outline, properties],
                )
                .unwrap();
        }
    }

    const SQUARE: &[[f64; 2]] = &[[2.0, 1.0], [6.0, 1.0], [6.0, 5.0], [2.0, 5.0], [2.0, 1.0]];
    const HOLE: &[[f64; 2]] = &[[3.0, 2.0], [4.0, 2.0], [4.0, 3.0], [3.0, 2.0]];

    #[test]
    fn outlines_are_read_plain_and_compressed_in_either_byte_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut both = vec![1, 6, 0, 0, 0, 2, 0, 0, 0];
        both.extend(polygon(true, &[SQUARE]));
        both.extend(polygon(false, &[HOLE]));
        store(
            &path,
            &[
                (Some(polygon(true, &[SQUARE, HOLE])), r#"{"type": "Gland"}"#),
                (Some(zlib(&polygon(false, &[SQUARE]))), r#"{"type": 1}"#),
                (None, "{}"),
                (Some(zlib(&both)), "{}"),
            ],
        );
        let (found, lines) = shapes(&path).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|shape| (shape.class.as_str(), shape.polygons.len()))
            .collect();
        assert_eq!(told, [("Gland", 1), ("1", 1), ("", 2)]);
        assert_eq!((found[0].polygons[0].len(), lines), (2, 1));
        assert_eq!(found[1].polygons[0][0], SQUARE);
        // Nothing else lies beside it afterwards.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_store_or_lies_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(
            path("text.db"),
            "no store, but a text of some length ".repeat(99),
        )
        .unwrap();
        assert!(
            shapes(&path("text.db"))
                .unwrap_err()
                .contains("not a readable")
        );
        Connection::open(path("empty.db"))
            .unwrap()
            .execute_batch("CREATE TABLE x(y)")
            .unwrap();
        assert!(
            shapes(&path("empty.db"))
                .unwrap_err()
                .contains("annotations")
        );
        assert!(shapes(&path("none.db")).is_err() && !path("none.db").exists());
        let whole = polygon(true, &[SQUARE]);
        let mut many = whole.clone();
        many[9..13].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut nan = whole.clone();
        nan[13..21].copy_from_slice(&f64::NAN.to_le_bytes());
        for (at, (outline, word)) in [
            (whole[..whole.len() - 1].to_vec(), "too soon"),
            (many, "too soon"),
            (nan, "not a number"),
            (vec![7; 40], "well-known binary"),
            (vec![1, 0xeb, 3, 0, 0], "not known"),
            (vec![0x78, 1, 2, 3], "decompressed"),
            (Vec::new(), "too soon"),
        ]
        .into_iter()
        .enumerate()
        {
            let path = path(&format!("{at}.db"));
            store(&path, &[(Some(outline), "{}")]);
            let error = shapes(&path).unwrap_err();
            assert!(
                error.contains("annotation 1") && error.contains(word),
                "{error}"
            );
        }
    }
}
