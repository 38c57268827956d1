//! Reads a mask from a file of any kind that people keep masks in: an image, GeoJSON, or an annotation store.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::geojson::{self, Shape};
use super::{Classes, EvaluateError};
use ftuseg_files::plain;
use ftuseg_mask::{Mask, Objects, runs_of_rings};
use ftuseg_slide::mask_image::{LabelMask, check_size, read_mask_image};

/// The largest GeoJSON file that is read.
const MAX_GEOJSON: u64 = 1 << 30;
/// Runs of px that all polygons of a file may have: a slide full of tissue units has a tenth.
const MAX_RUNS: u64 = 1 << 25;
/// Rows of one row of the mask's tiles.
const BAND: u32 = 256;
/// Tiles that are written to before the mask is made small: 128 MiB of them.
const LOOSE_TILES: u32 = 1 << 14;

/// Extensions of the files that [`read`] reads, in lower case.
pub(super) const EXTENSIONS: [&str; 9] = [
    "tif", "tiff", "btf", "png", "jpg", "jpeg", "geojson", "json", "db",
];
/// Endings of files that tools keep masks in and that [`read`] does not read.
pub(super) const NOT_READ: [&str; 9] = [
    ".nii", ".nii.gz", ".nrrd", ".mha", ".bmp", ".npy", ".npz", ".zarr", ".dcm",
];
/// Bytes at the beginning of a `.json` file in which GeoJSON says that it is some.
const GEOJSON_HEAD: usize = 1 << 16;

/// Whether a file may hold a mask, by its name and, where many things have that name, by its beginning: tools keep settings
/// in `.json` files beside their masks, and thumbnails in `.db` files.
pub(super) fn may_hold_a_mask(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    match extension.to_lowercase().as_str() {
        "json" => {
            let kinds = [
                "\"Feature",
                "\"Polygon",
                "\"MultiPolygon",
                "\"GeometryCollection",
            ];
            let text = beginning(path, GEOJSON_HEAD);
            let text = String::from_utf8_lossy(&text);
            kinds.iter().any(|kind| text.contains(kind))
        }
        "db" => beginning(path, 16) == b"SQLite format 3\0",
        other => EXTENSIONS.contains(&other),
    }
}

/// The first bytes of a file; none where it cannot be read.
fn beginning(path: &Path, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(file) = plain::open(path, u64::MAX) {
        // Half of it is as good as nothing of it.
        let _ = file.take(most as u64).read_to_end(&mut bytes);
    }
    bytes
}

/// Reads a mask: the foreground of an image, or the inside of the polygons of a GeoJSON file or an annotation store whose
/// classes count. `size` is the image's width and height, which polygons do not state.
///
/// # Errors
/// When the file cannot be read, is of no such kind, has no sure meaning, or has polygons and `size` is not known.
pub(super) fn read(
    path: &Path,
    size: Option<(u32, u32)>,
    classes: &Classes,
) -> Result<LabelMask, EvaluateError> {
    let name = path.to_string_lossy().to_lowercase();
    let is_store = name.ends_with(".db");
    if !is_store && !name.ends_with(".geojson") && !name.ends_with(".json") {
        return Ok(read_mask_image(path)?);
    }
    let wrong = |reason: String| EvaluateError::format(path, reason);
    let Some((width, height)) = size else {
        let reason = "polygons do not state their image's size; give it as img_width and img_height in the table";
        return Err(wrong(reason.to_owned()));
    };
    check_size(width, height).map_err(wrong)?;
    let (shapes, lines) = match is_store {
        true => of_store(path).map_err(wrong)?,
        false => {
            let text = plain::read(path, MAX_GEOJSON).map_err(|e| EvaluateError::io(path, e))?;
            geojson::shapes(&text).map_err(wrong)?
        }
    };
    let mut counts = BTreeMap::new();
    for shape in &shapes {
        *counts.entry(shape.class.clone()).or_insert(0) += shape.polygons.len();
    }
    if shapes.is_empty() && lines > 0 {
        return Err(wrong(format!(
            "it has {lines} points or lines and no polygon, so nothing has an inside; outline the units with polygons"
        )));
    }
    let (chosen, mut left_out) =
        classes
            .choose(&counts)
            .map_err(|reason| EvaluateError::Classes {
                path: path.to_owned(),
                reason,
            })?;
    if lines > 0 {
        left_out.push(format!(
            "left out: {lines} points or lines, which have no inside"
        ));
    }
    let counting: Vec<Shape> = shapes
        .into_iter()
        .filter(|shape| chosen.contains(&shape.class))
        .collect();
    left_out.extend(check_place(&counting, (width, height)).map_err(wrong)?);
    let counting = counting.into_iter();
    let (mask, objects) = fill(path, counting, (width, height), MAX_RUNS)?;
    if objects.is_empty() && !chosen.is_empty() {
        return Err(wrong(
            "its polygons cover no px; are their coordinates in full-size px?".to_owned(),
        ));
    }
    Ok(LabelMask {
        mask,
        objects: Some(objects),
        left_out,
    })
}

#[cfg(feature = "annotation-store")]
fn of_store(path: &Path) -> Result<(Vec<Shape>, usize), String> {
    super::annotation_store::shapes(path)
}

#[cfg(not(feature = "annotation-store"))]
fn of_store(_path: &Path) -> Result<(Vec<Shape>, usize), String> {
    Err("this build reads no annotation stores (its feature `annotation-store` is off)".to_owned())
}

/// Refuses shapes that lie outside the image: they were drawn on another size of it, or count from another corner. Says
/// how many reach over its border.
fn check_place(shapes: &[Shape], size: (u32, u32)) -> Result<Option<String>, String> {
    let [width, height] = [size.0, size.1].map(f64::from);
    let (mut outside, mut over) = (0, 0);
    for shape in shapes {
        let corners = || shape.polygons.iter().flatten().flatten();
        let is_in = |&[x, y]: &[f64; 2]| {
            (-1.0..=width + 1.0).contains(&x) && (-1.0..=height + 1.0).contains(&y)
        };
        let ends = |axis: usize| {
            let values = corners().map(|corner| corner[axis]);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let (across, down) = (ends(0), ends(1));
        let is_apart = across.1 <= 0.0 || across.0 >= width || down.1 <= 0.0 || down.0 >= height;
        if is_apart && corners().next().is_some() {
            outside += 1;
        } else if !corners().all(is_in) {
            over += 1;
        }
    }
    if outside > 0 {
        return Err(format!(
            "{outside} of its {} outlines lie outside the image of {} x {} px; they were drawn on another size of it, or \
             count from another corner (some programs count from that of the scanned part)",
            shapes.len(),
            size.0,
            size.1
        ));
    }
    Ok((over > 0).then(|| {
        format!(
            "cut off: {over} of {} outlines reach beyond the image's border",
            shapes.len()
        )
    }))
}

/// Fills shapes into a mask. An object is a connected part of one shape, so shapes that touch or lie over each other are
/// objects of their own.
fn fill(
    path: &Path,
    shapes: impl Iterator<Item = Shape>,
    size: (u32, u32),
    most: u64,
) -> Result<(Mask, Objects), EvaluateError> {
    let mut mask = Mask::new(size.0, size.1)?;
    let (mut budget, mut tiles) = (most, 0);
    let mut rows = Vec::new();
    for shape in shapes {
        let runs = runs_of_rings(&shape.polygons, size, &mut budget)?.ok_or_else(|| {
            EvaluateError::format(
                path,
                format!("its polygons have more than {most} runs of px; simplify them"),
            )
        })?;
        // Bands of tiles, so that a shape over the whole slide is made small while it is drawn.
        for band in runs.chunk_by(|one, two| one.y / BAND == two.y / BAND) {
            let start = band.iter().map(|run| run.start).min().unwrap_or(0);
            let end = band.iter().map(|run| run.end).max().unwrap_or(0);
            tiles += (end - start) / BAND + 2;
            for run in band {
                mask.set_row_run(run.y, run.columns());
            }
            if tiles >= LOOSE_TILES {
                mask.compact();
                tiles = 0;
            }
        }
        rows.push(runs);
    }
    mask.compact();
    Ok((mask, Objects::of_shapes(rows)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (
                r#"{"type":"Polygon","coordinates":[[["a",2]]]}"#,
                Some((5, 5)),
                "coordinates",
            ),
            (SQUARE, None, "img_width"),
        ] {
            let error = read_text(text, size).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    fn read_all(text: &str, size: (u32, u32)) -> Result<LabelMask, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.geojson");
        std::fs::write(&path, text).unwrap();
        read(&path, Some(size), &Classes::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn features_that_touch_or_lie_over_each_other_are_objects_of_their_own() {
        let square = |x: u32, side: u32| {
            let (end, side) = (x + side, side);
            format!("[[[{x},0],[{end},0],[{end},{side}],[{x},{side}],[{x},0]]]")
        };
        let feature = |kind: &str, coordinates: String| {
            format!(
                r#"{{"type":"Feature","properties":{{"classification":{{"name":"Glomerulus"}},"measurements":[1]}},"geometry":{{"type":"{kind}","coordinates":{coordinates}}}}}"#
            )
        };
        let list = [
            feature("Polygon", square(0, 10)),
            feature("Polygon", square(10, 10)),
            feature("Polygon", square(15, 10)),
            // Two parts, and two that are one.
            feature(
                "MultiPolygon",
                format!("[{},{}]", square(40, 5), square(50, 5)),
            ),
            feature(
                "MultiPolygon",
                format!("[{},{}]", square(60, 5), square(64, 5)),
            ),
        ];
        let text = format!(
            r#"{{"type":"FeatureCollection","features":[{}]}}"#,
            list.join(",")
        );
        let found = read_all(&text, (100, 20)).unwrap();
        let areas: Vec<u64> = found.objects.unwrap().iter().map(|o| o.area()).collect();
        assert_eq!(areas, [100, 100, 100, 25, 25, 45]);
        assert_eq!(found.mask.count(), 250 + 50 + 45);
        // Polygons that are in no feature say nothing of objects.
        let bare = format!(
            r#"[{{"type":"Polygon","coordinates":{}}},{{"type":"Polygon","coordinates":{}}}]"#,
            square(0, 10),
            square(10, 10)
        );
        assert_eq!(
            read_all(&bare, (100, 20)).unwrap().objects.unwrap().len(),
            1
        );
    }

    #[test]
    fn what_has_no_inside_or_lies_elsewhere_is_told_or_refused() {
        let feature = |kind: &str, coordinates: &str, more: &str| {
            format!(
                r#"{{"type":"Feature","properties":{{{more}}},"geometry":{{"type":"{kind}","coordinates":{coordinates}}}}}"#
            )
        };
        let of = |features: &[String]| read_all(&format!("[{}]", features.join(",")), (100, 50));
        let unit = feature("Polygon", "[[[10,10],[20,10],[20,20],[10,20]]]", "");
        let line = feature("LineString", "[[10,10],[20,10],[20,20],[10,10]]", "");
        let point = feature("MultiPoint", "[[10,10]]", "");
        let error = of(&[line.clone(), point.clone()]).unwrap_err();
        assert!(error.contains("2 points or lines"), "{error}");
        let found = of(&[unit.clone(), line, point]).unwrap();
        assert_eq!((found.mask.count(), found.left_out.len()), (100, 1));
        // Of another size, from another corner, or as shares of the whole.
        let far = feature("Polygon", "[[[1000,900],[1020,900],[1020,920]]]", "");
        let before = feature("Polygon", "[[[-30,-20],[-10,-20],[-10,-5]]]", "");
        let shares = feature("Polygon", "[[[0.1,0.1],[0.3,0.1],[0.3,0.3]]]", "");
        for (features, word) in [
            (&[unit.clone(), far][..], "1 of its 2 outlines lie outside"),
            (&[before][..], "outside the image of 100 x 50 px"),
            (&[shares][..], "cover no px"),
        ] {
            let error = of(features).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        let over = feature("Polygon", "[[[90,10],[120,10],[120,20],[90,20]]]", "");
        let found = of(&[over]).unwrap();
        assert_eq!(found.mask.count(), 100);
        assert!(
            found.left_out[0].contains("reach beyond"),
            "{:?}",
            found.left_out
        );
        // Cores and tiles are no units.
        for kind in ["tma_core", "tile"] {
            let place = feature(
                "Polygon",
                "[[[0,0],[50,0],[50,50],[0,50]]]",
                &format!(r#""objectType":"{kind}""#),
            );
            let found = of(&[place.clone(), unit.clone()]).unwrap();
            assert_eq!(found.mask.count(), 100);
            assert!(found.left_out[0].contains(kind), "{:?}", found.left_out);
            assert!(of(&[place]).unwrap_err().contains("none of its polygons"));
        }
    }

    #[test]
    fn combs_over_the_whole_slide_are_bounded() {
        let comb = |teeth: u32, step: u32, height: u32| {
            let tooth = |at: u32| {
                let x = at * step;
                format!(
                    "[{x},{height}],[{x},1],[{},1],[{},{height}]",
                    x + step / 2,
                    x + step / 2
                )
            };
            let teeth: Vec<String> = (0..teeth).map(tooth).collect();
            format!(
                r#"{{"type":"Polygon","coordinates":[[[0,{height}],{}]]}}"#,
                teeth.join(",")
            )
        };
        let side = 1 << 18;
        // Many teeth in every row of the slide.
        let text = comb(1 << 12, 64, side);
        let (shapes, _) = geojson::shapes(text.as_bytes()).unwrap();
        let error = fill(Path::new("x"), shapes.into_iter(), (side, side), 1 << 17);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("131072 runs of px"), "{error}");
        // Few runs, over all tiles.
        let bars: Vec<String> = (0..64)
            .map(|bar| {
                let (y, end) = (bar * 1024, bar * 1024 + 1);
                format!("[[[0,{y}],[{side},{y}],[{side},{end}],[0,{end}]]]")
            })
            .collect();
        let bars = format!(
            r#"{{"type":"MultiPolygon","coordinates":[{}]}}"#,
            bars.join(",")
        );
        let found = read_all(&bars, (side, side)).unwrap();
        assert_eq!(found.objects.unwrap().len(), 64);
        assert_eq!(found.mask.count(), 64 << 18);
        assert!(
            found.mask.bytes_used() < 64 << 20,
            "{}",
            found.mask.bytes_used()
        );
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
