//! Reads a mask from a file of any kind that people keep masks in: an image, or GeoJSON.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::classes::class_of;
use super::{Classes, EvaluateError};
use ftuseg_mask::rasterize_rings;
use ftuseg_slide::mask_image::{LabelMask, check_size, read_mask_image};

/// The largest GeoJSON file that is read.
const MAX_GEOJSON: u64 = 1 << 30;

/// Extensions of the files that [`read`] reads, in lower case.
pub(super) const EXTENSIONS: [&str; 8] = [
    "tif", "tiff", "btf", "png", "jpg", "jpeg", "geojson", "json",
];

/// Reads a mask: the foreground of an image, or the inside of a GeoJSON file's polygons whose classes count. `size` is
/// the image's width and height, which GeoJSON does not state.
///
/// # Errors
/// When the file cannot be read, is of neither kind, has no sure meaning, or is GeoJSON and `size` is not known.
pub(super) fn read(
    path: &Path,
    size: Option<(u32, u32)>,
    classes: &Classes,
) -> Result<LabelMask, EvaluateError> {
    let name = path.to_string_lossy().to_lowercase();
    if !name.ends_with(".geojson") && !name.ends_with(".json") {
        return Ok(read_mask_image(path)?);
    }
    let wrong = |reason: String| EvaluateError::format(path, reason);
    let Some((width, height)) = size else {
        let reason = "GeoJSON does not state its image's size; give it as img_width and img_height in the table";
        return Err(wrong(reason.to_owned()));
    };
    check_size(width, height).map_err(wrong)?;
    let polygons = polygons(path)?;
    let mut counts = BTreeMap::new();
    for (class, _) in &polygons {
        *counts.entry(class.clone()).or_insert(0) += 1;
    }
    let (chosen, left_out) = classes.choose(&counts).map_err(wrong)?;
    let rings: Vec<Rings> = polygons
        .into_iter()
        .filter_map(|(class, rings)| chosen.contains(&class).then_some(rings))
        .collect();
    Ok(LabelMask {
        mask: rasterize_rings(&rings, width, height)?,
        objects: None,
        left_out,
    })
}

type Rings = Vec<Vec<[f64; 2]>>;

/// The polygons of a GeoJSON file, with their classes: a FeatureCollection, a Feature, a geometry, or a bare list of
/// features.
fn polygons(path: &Path) -> Result<Vec<(String, Rings)>, EvaluateError> {
    let meta = std::fs::metadata(path).map_err(|e| EvaluateError::io(path, e))?;
    if !meta.is_file() {
        return Err(EvaluateError::format(path, "it is not a regular file"));
    }
    let file = std::fs::File::open(path).map_err(|e| EvaluateError::io(path, e))?;
    let mut text = String::new();
    let length = file
        .take(MAX_GEOJSON + 1)
        .read_to_string(&mut text)
        .map_err(|e| EvaluateError::io(path, e))?;
    if length as u64 > MAX_GEOJSON {
        return Err(EvaluateError::format(path, "it is larger than 1 GiB"));
    }
    let wrong = |reason: String| EvaluateError::format(path, reason);
    let text = text.trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(text).map_err(|e| wrong(format!("not JSON: {e}")))?;
    let mut found = Vec::new();
    collect(&value, "", &mut found).map_err(wrong)?;
    Ok(found)
}

/// Adds the polygons of one value. Depth is bounded, since `serde_json` refuses deep nesting.
fn collect(value: &Value, class: &str, found: &mut Vec<(String, Rings)>) -> Result<(), String> {
    if let Some(list) = value.as_array() {
        return list.iter().try_for_each(|item| collect(item, class, found));
    }
    match value["type"].as_str() {
        Some("FeatureCollection") => collect(&value["features"], class, found),
        Some("Feature") if value["geometry"].is_null() => Ok(()),
        Some("Feature") => collect(&value["geometry"], &class_of(value), found),
        Some("GeometryCollection") => collect(&value["geometries"], class, found),
        Some("Polygon") => {
            found.push((class.to_owned(), rings(&value["coordinates"])?));
            Ok(())
        }
        Some("MultiPolygon") => {
            let parts = value["coordinates"].as_array();
            for part in parts.ok_or("a MultiPolygon without coordinates")? {
                found.push((class.to_owned(), rings(part)?));
            }
            Ok(())
        }
        // Points and lines have no inside.
        Some("Point" | "MultiPoint" | "LineString" | "MultiLineString") => Ok(()),
        Some(other) => Err(format!("a GeoJSON type {other:?} that is not known")),
        None => Err("not GeoJSON: a value without a type".to_owned()),
    }
}

fn rings(value: &Value) -> Result<Rings, String> {
    let corner = |corner: &Value| -> Option<[f64; 2]> {
        Some([corner.get(0)?.as_f64()?, corner.get(1)?.as_f64()?])
    };
    let ring =
        |ring: &Value| -> Option<Vec<[f64; 2]>> { ring.as_array()?.iter().map(corner).collect() };
    let all = value
        .as_array()
        .and_then(|all| all.iter().map(ring).collect());
    all.ok_or_else(|| "a polygon whose coordinates are not lists of [x, y]".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftuseg_mask::Mask;

    fn read_text(text: &str, size: Option<(u32, u32)>) -> Result<Mask, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.geojson");
        std::fs::write(&path, text).unwrap();
        let read = read(&path, size, &Classes::default());
        read.map(|found| found.mask)
            .map_err(|error| error.to_string())
    }

    const SQUARE: &str = r#"{"type":"Polygon","coordinates":[[[2,1],[6,1],[6,5],[2,5],[2,1]],[[3,2],[4,2],[4,3],[3,3]]]}"#;

    #[test]
    fn every_wrapping_of_a_polygon_is_read_with_its_holes() {
        let feature = format!(r#"{{"type":"Feature","geometry":{SQUARE},"properties":{{}}}}"#);
        for text in [
            SQUARE.to_owned(),
            feature.clone(),
            format!(r#"{{"type":"FeatureCollection","features":[{feature}]}}"#),
            format!("[{feature},{{\"type\":\"Feature\",\"geometry\":null}}]"),
            SQUARE
                .replace("Polygon", "MultiPolygon")
                .replace("[[[2", "[[[[2")
                .replace("]]]}", "]]]]}"),
        ] {
            let mask = read_text(&text, Some((10, 10))).unwrap();
            assert_eq!((mask.count(), mask.get(3, 2)), (15, false), "{text}");
        }
    }

    #[test]
    fn what_is_no_geojson_is_refused() {
        for (text, size, word) in [
            ("{", Some((5, 5)), "JSON"),
            ("{}", Some((5, 5)), "type"),
            (
                r#"{"type":"Polygon","coordinates":[[1,2]]}"#,
                Some((5, 5)),
                "coordinates",
            ),
            (r#"{"type":"Circle"}"#, Some((5, 5)), "Circle"),
            (SQUARE, None, "img_width"),
        ] {
            let error = read_text(text, size).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn annotations_that_are_no_units_do_not_count() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = folder.join("../../../shared/data/field_cases/27-qupath-truth");
        if !folder.is_dir() {
            println!("skipped: no {}", folder.display());
            return;
        }
        let right = read_mask_image(&folder.join("glom/x.png")).unwrap().mask;
        for (name, left_out) in [
            ("one", ""),
            ("with-region", "Region*"),
            ("ignore-class", "Ignore*"),
        ] {
            let path = folder.join(format!("{name}.geojson"));
            let found = read(&path, Some((400, 300)), &Classes::default()).unwrap();
            assert_eq!((found.mask.count(), &found.mask), (2800, &right), "{name}");
            let told = found.left_out.join("; ");
            assert!(
                told.contains(left_out) && told.is_empty() == left_out.is_empty(),
                "{told}"
            );
        }
    }
}
