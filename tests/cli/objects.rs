//! `objects.csv` and what says the same: measured px by px by the tests' own code, the same in every output, true at every
//! moment, and with the same bytes however it came about.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::process::Command;

use super::util::*;
use serde_json::Value;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

pub(super) type Row = HashMap<String, String>;

/// The rows of a table, each by column.
pub(super) fn rows(dir: &Dir, path: &str) -> Vec<Row> {
    let mut table = csv::Reader::from_path(dir.join(path)).unwrap();
    table.deserialize().map(Result::unwrap).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column}: {:?}", row[column]))
}

/// A folder with a slide of two organs at four times the size.
pub(super) fn with_big_slide() -> Dir {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("big.tif", (1201, 799), Some(MPP), |x, y| {
        two_organs(x, y, 4)
    });
    dir
}

pub(super) const EVERYTHING: &str = "all,parquet,geojson.gz,instances,zarr,dicom-seg,prob";

/// The planes of `instances.ome.tif`: width, height and labels.
pub(super) fn planes(dir: &Dir, path: &str) -> Vec<(u32, u32, Vec<u32>)> {
    let mut file = Decoder::new(File::open(dir.join(path)).unwrap()).unwrap();
    let mut planes = Vec::new();
    loop {
        assert!(file.find_tag(Tag::TileWidth).unwrap().is_some(), "no tiles");
        let (width, height) = file.dimensions().unwrap();
        let DecodingResult::U32(labels) = file.read_image().unwrap() else {
            panic!("the labels have no 32 bits");
        };
        planes.push((width, height, labels));
        if !file.more_images() {
            return planes;
        }
        file.next_image().unwrap();
    }
}

#[test]
fn every_object_is_measured_and_has_one_number_everywhere() {
    let dir = with_big_slide();
    dir.segment(["big.tif"], "out")
        .args(["--write", EVERYTHING])
        .ends_with(0);
    let folder = "out/slides/big";
    let table = rows(&dir, &format!("{folder}/objects.csv"));
    assert_eq!(table.len(), 10);
    let planes = planes(&dir, &format!("{folder}/instances.ome.tif"));
    let mask = &levels(&dir.join(format!("{folder}/mask.tif")))[0];
    let prob = &levels(&dir.join(format!("{folder}/prob.tif")))[0];
    assert_eq!(planes.len(), 2, "a plane an organ");
    // From the labels: area, sums, box, probabilities, and the first px.
    let mut seen = BTreeMap::<u32, (u64, [f64; 2], [u32; 4], u64, u8, (u32, u32))>::new();
    for (plane, (width, height, labels)) in planes.iter().enumerate() {
        assert_eq!((*width, *height), (1201, 799));
        for (place, &label) in labels.iter().enumerate() {
            let (x, y) = (place as u32 % width, place as u32 / width);
            let is_own = usize::from(mask.values[place]) == plane + 1;
            assert_eq!(label != 0, is_own, "px ({x}, {y})");
            if label == 0 {
                continue;
            }
            let value = prob.values[place];
            let new = (0, [0.0; 2], [x, y, x, y], 0, 255, (y, x));
            let (area, sums, corners, sum, lowest, _) = seen.entry(label).or_insert(new);
            *area += 1;
            *sums = [sums[0] + f64::from(x) + 0.5, sums[1] + f64::from(y) + 0.5];
            *corners = [
                corners[0].min(x),
                corners[1],
                corners[2].max(x),
                corners[3].max(y),
            ];
            *sum += u64::from(value);
            *lowest = (*lowest).min(value);
        }
    }
    let geojson = dir.json(format!("{folder}/objects.geojson"));
    let features = geojson["features"].as_array().unwrap();
    let mut last: Option<(String, (u32, u32))> = None;
    for ((row, feature), id) in table.iter().zip(features).zip(1..) {
        assert_eq!(
            (row["slide"].as_str(), &row["id"]),
            ("big", &id.to_string())
        );
        let (area, sums, corners, sum, lowest, first) = &seen[&id];
        let close = |column: &str, expected: f64, tolerance: f64| {
            let found = number(row, column);
            assert!(
                (found - expected).abs() <= tolerance,
                "{id}: {column} is {found}, not {expected}"
            );
        };
        let px = *area as f64;
        close("area_px", px, 0.0);
        close("area_um2", px * MPP * MPP, 1e-9);
        for (axis, sum) in ["x", "y"].iter().zip(sums) {
            close(&format!("centroid_{axis}_px"), sum / px, 1e-4);
            close(&format!("centroid_{axis}_um"), sum / px * MPP, 1e-4);
        }
        for (name, expected) in [
            ("box_x_px", corners[0]),
            ("box_y_px", corners[1]),
            ("box_width_px", corners[2] + 1 - corners[0]),
            ("box_height_px", corners[3] + 1 - corners[1]),
        ] {
            close(name, f64::from(expected), 0.0);
        }
        close("perimeter_um", number(row, "perimeter_px") * MPP, 1e-3);
        close("mean_probability", (*sum as f64 / px + 0.5) / 256.0, 1e-4);
        close(
            "lowest_probability",
            (f64::from(*lowest) + 0.5) / 256.0,
            1e-4,
        );
        // Row by row within an organ.
        if let Some((organ, before)) = &last
            && *organ == row["organ"]
        {
            assert!(before < first);
        }
        last = Some((row["organ"].clone(), *first));
        // GeoJSON says the same.
        assert_eq!(feature["id"], row["uuid"].as_str());
        let properties = &feature["properties"];
        let metadata = &properties["metadata"];
        for (key, column) in [
            ("id", "id"),
            ("organ", "organ"),
            ("model", "model"),
            ("slide", "slide"),
        ] {
            assert_eq!(metadata[key], row[column].as_str(), "{key}");
        }
        assert_eq!(metadata["threshold"], "0.5");
        assert_eq!(properties["classification"]["name"], row["unit"].as_str());
        let measured = properties["measurements"].as_object().unwrap();
        assert!(measured.values().all(Value::is_number));
        for (name, column) in [
            ("Area px^2", "area_px"),
            ("Area µm^2", "area_um2"),
            ("Perimeter µm", "perimeter_um"),
            ("Circularity", "circularity"),
            ("Holes", "holes"),
            ("Mean probability", "mean_probability"),
        ] {
            assert_eq!(
                measured[name].as_f64().unwrap(),
                number(row, column),
                "{name}"
            );
        }
        assert!(!measured.contains_key("Perimeter px"));
    }
    // The rings have one hole, and nothing else has.
    let holes: Vec<&str> = table.iter().map(|row| row["holes"].as_str()).collect();
    assert_eq!(holes.iter().filter(|holes| **holes == "1").count(), 2);
    assert_eq!(holes.iter().filter(|holes| **holes == "0").count(), 8);
    // The disks are round, the rings are not.
    let disks = table
        .iter()
        .filter(|row| (0.8..1.0).contains(&number(row, "circularity")));
    assert!(disks.count() >= 2);
    let mut unpacked = Vec::new();
    let packed = dir.read(format!("{folder}/objects.geojson.gz"));
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_end(&mut unpacked)
        .unwrap();
    assert!(unpacked == dir.read(format!("{folder}/objects.geojson")));

    // The record: counts, densities and areas of each organ.
    let record = dir.json(format!("{folder}/slide.json"));
    let slide_mm2 = 1201.0 * 799.0 * MPP * MPP * 1e-6 * record["tissue_share"].as_f64().unwrap();
    for organ in record["organs"].as_array().unwrap() {
        let own = table
            .iter()
            .filter(|row| organ["organ"] == row["organ"].as_str());
        let mut areas: Vec<f64> = own.map(|row| number(row, "area_px")).collect();
        areas.sort_by(f64::total_cmp);
        assert_eq!(organ["objects"], areas.len());
        assert_eq!(organ["median_area_px"], areas[areas.len() / 2]);
        assert_eq!(organ["median_area_um2"], areas[areas.len() / 2] * MPP * MPP);
        let tissue = slide_mm2 * organ["share"].as_f64().unwrap();
        assert!((organ["tissue_mm2"].as_f64().unwrap() - tissue).abs() < 1e-4);
        let density = organ["objects_per_mm2"].as_f64().unwrap();
        assert!((density - areas.len() as f64 / tissue).abs() < 1e-3);
    }
}

/// Objects at the edge of the picture, at the edge of the tissue, and within.
#[test]
fn edges_are_told() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    let square = |x: u32, y: u32, left: u32, top: u32| {
        (left..left + 30).contains(&x) && (top..top + 30).contains(&y)
    };
    dir.slide("edges.tif", (400, 300), Some(MPP), |x, y| match (x, y) {
        // The right half is black, which is no tissue.
        _ if square(x, y, 60, 120) || square(x, y, 0, 20) || square(x, y, 170, 200) => KIDNEY_FTU,
        (0..200, _) => KIDNEY,
        _ => VOID,
    });
    dir.segment(["edges.tif"], "out")
        .args(["--route", "organ=kidney"])
        .ends_with(0);
    let table = rows(&dir, "out/slides/edges/objects.csv");
    let told: Vec<(f64, &str, &str)> = table
        .iter()
        .map(|row| {
            (
                number(row, "box_x_px"),
                row["touches_slide_edge"].as_str(),
                row["touches_tissue_edge"].as_str(),
            )
        })
        .collect();
    assert_eq!(told[0], (0.0, "true", "false"));
    assert_eq!(told[1], (60.0, "false", "false"));
    assert_eq!(told[2], (170.0, "false", "true"));
    // All of the slide as tissue: then only its own edge is one.
    dir.segment(["edges.tif"], "off")
        .args(["--route", "organ=kidney", "--tissue", "off"])
        .ends_with(0);
    let table = rows(&dir, "off/slides/edges/objects.csv");
    assert!(
        table
            .iter()
            .all(|row| row["touches_tissue_edge"] == "false")
    );
}

/// The table of a run must be its slides' tables, one after the other.
fn assert_joined(dir: &Dir, out: &str, folders: &[String]) {
    let own: Vec<String> = folders
        .iter()
        .map(|folder| String::from_utf8(dir.read(format!("{folder}/objects.csv"))).unwrap())
        .collect();
    let header = own[0].lines().next().unwrap().to_owned() + "\n";
    let lines: String = own
        .iter()
        .map(|text| text.strip_prefix(&header).unwrap())
        .collect();
    let all = String::from_utf8(dir.read(format!("{out}/objects.csv"))).unwrap();
    assert_eq!(all, header + &lines, "{out}");
}

fn folders(out: &str, ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| format!("{out}/slides/{id}")).collect()
}

#[test]
fn the_table_of_all_slides_is_true_after_every_run_and_a_merge() {
    let dir = Dir::with_slide();
    dir.two_organs("two.tif");
    dir.write("bad.tif", "no slide");
    dir.segment(["one.tif", "bad.tif"], "out").ends_with(1);
    assert_joined(&dir, "out", &folders("out", &["one"]));
    // A slide that was not there joins; the kept one stays, whether it is an input or not.
    dir.segment(["two.tif"], "out").ends_with(0);
    assert_joined(&dir, "out", &folders("out", &["two", "one"]));
    dir.segment(["one.tif", "two.tif"], "out").ends_with(0);
    assert_joined(&dir, "out", &folders("out", &["one", "two"]));
    let before = dir.read("out/objects.csv");
    // What somebody made of a slide's table is no table of ours: the slide is done again, and that is said.
    dir.write("out/slides/two/objects.csv", "id,area\n1,2\n");
    dir.segment(["one.tif", "two.tif"], "out")
        .ends_with(0)
        .says(&["not reused", "objects.csv"]);
    assert!(dir.read("out/objects.csv") == before);
    // Shards, joined, are one run.
    for index in 1..=3 {
        dir.segment(["one.tif", "two.tif"], &format!("shard{index}"))
            .args(["--shard", &format!("{index}/3")])
            .args(["--write", "all,parquet"])
            .ends_with(0);
    }
    dir.ftuseg("merge")
        .args(["shard1", "shard2", "shard3", "--out", "joined"])
        .ends_with(0);
    let run = dir.json("joined/run.json");
    let joined: Vec<String> = run["slides"]
        .as_array()
        .unwrap()
        .iter()
        .map(|slide| slide["folder"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(joined.len(), 2);
    assert_joined(&dir, "joined", &joined);
    assert!(dir.read("joined/objects.parquet").starts_with(b"PAR1"));
    // A run that writes everything anew and no objects leaves no table that speaks of them.
    dir.segment(["one.tif", "two.tif"], "out")
        .args(["--overwrite", "--write", "mask"])
        .ends_with(0);
    assert!(!dir.join("out/objects.csv").exists());
    assert!(!dir.join("out/slides/one/objects.csv").exists());
}

#[test]
fn the_same_bytes_whatever_the_number_of_threads() {
    let dir = with_big_slide();
    for (out, threads) in [("one", "1"), ("four", "4")] {
        dir.segment(["big.tif"], out)
            .args(["--write", EVERYTHING, "--threads", threads])
            .ends_with(0);
    }
    for file in [
        "slides/big/objects.csv",
        "slides/big/objects.parquet",
        "slides/big/objects.geojson",
        "slides/big/objects.geojson.gz",
        "slides/big/instances.ome.tif",
        "slides/big/segmentation.dcm",
        "objects.csv",
        "objects.parquet",
    ] {
        assert!(
            dir.read(format!("one/{file}")) == dir.read(format!("four/{file}")),
            "{file}"
        );
    }
}

#[test]
fn objects_are_annotations_where_that_is_asked_for() {
    let dir = Dir::with_slide();
    let types = |out: &str| {
        let geojson = dir.json(format!("{out}/slides/one/objects.geojson"));
        let features = geojson["features"].as_array().unwrap().iter();
        let mut types: Vec<String> = features
            .map(|feature| {
                feature["properties"]["objectType"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        types.dedup();
        types
    };
    dir.segment(["one.tif"], "out").ends_with(0);
    assert_eq!(types("out"), ["detection"]);
    dir.segment(["one.tif"], "fresh")
        .args(["--objects-as", "annotation"])
        .ends_with(0);
    assert_eq!(types("fresh"), ["annotation"]);
    // A finished run is told so without its models.
    dir.segment(["one.tif"], "out")
        .args(["--objects-as", "annotation", "--verbose"])
        .ends_with(0)
        .says(&["without running the models again"]);
    let file = "slides/one/objects.geojson";
    assert!(dir.read(format!("out/{file}")) == dir.read(format!("fresh/{file}")));
    dir.segment(["one.tif"], "x")
        .args(["--objects-as", "cells"])
        .ends_with(2)
        .says(&["detection or annotation"]);
}

#[test]
fn outlines_have_fewer_corners_where_that_is_asked_for() {
    let dir = with_big_slide();
    let file = "slides/big/objects.geojson";
    let features = |out: &str| {
        let geojson = dir.json(format!("{out}/{file}"));
        geojson["features"].as_array().unwrap().clone()
    };
    dir.segment(["big.tif"], "exact").ends_with(0);
    let tolerance = ["--simplify", "6"];
    dir.segment(["big.tif"], "fewer")
        .args(tolerance)
        .ends_with(0);
    let (exact, fewer) = (features("exact"), features("fewer"));
    assert_eq!(exact.len(), fewer.len());
    let corners = |feature: &Value| -> Vec<[f64; 2]> {
        let rings = feature["geometry"]["coordinates"].as_array().unwrap();
        let points = rings.iter().flat_map(|ring| ring.as_array().unwrap());
        points
            .map(|at| [0, 1].map(|axis| at[axis].as_f64().unwrap()))
            .collect()
    };
    let (mut before, mut after) = (0, 0);
    for (exact, fewer) in exact.iter().zip(&fewer) {
        // All else is the same, the figures too.
        assert_eq!(exact["properties"], fewer["properties"]);
        let (all, kept) = (corners(exact), corners(fewer));
        (before, after) = (before + all.len(), after + kept.len());
        // The tolerance is in um: this far in px, and no further.
        let far = 6.0 / MPP;
        for at in &all {
            let nearest = kept.windows(2).map(|side| distance(*at, side[0], side[1]));
            let nearest = nearest.fold(f64::MAX, f64::min);
            assert!(nearest <= far + 1e-9, "{at:?} is {nearest} px away");
        }
    }
    assert!(after * 4 < before, "{after} of {before} corners");
    assert_eq!(
        dir.json("fewer/slides/big/slide.json")["made_by"]["settings"]["simplify_um"],
        6.0
    );
    // A finished run is told so without its models, and back.
    for (options, same) in [(&tolerance[..], "fewer"), (&[], "exact")] {
        let other = if same == "fewer" { "exact" } else { "fewer" };
        let kept = dir.read(format!("{other}/{file}"));
        dir.segment(["big.tif"], other)
            .args(options)
            .args(["--verbose"])
            .ends_with(0)
            .says(&["without running the models again"]);
        assert!(dir.read(format!("{other}/{file}")) != kept);
        assert_eq!(
            features(other),
            if same == "fewer" {
                fewer.clone()
            } else {
                exact.clone()
            }
        );
        dir.segment(["big.tif"], other)
            .args(if same == "fewer" {
                &[][..]
            } else {
                &tolerance[..]
            })
            .ends_with(0);
    }
    for wrong in ["0", "-1", "nan", "inf", "x"] {
        dir.segment(["big.tif"], "x")
            .args([format!("--simplify={wrong}")])
            .ends_with(2)
            .says(&["a number of um above 0"]);
    }
}

/// How far a point is from a line between two others.
fn distance([x, y]: [f64; 2], [x0, y0]: [f64; 2], [x1, y1]: [f64; 2]) -> f64 {
    let (dx, dy) = (x1 - x0, y1 - y0);
    let length = dx * dx + dy * dy;
    let along = match length > 0.0 {
        true => (((x - x0) * dx + (y - y0) * dy) / length).clamp(0.0, 1.0),
        false => 0.0,
    };
    (x - x0 - along * dx).hypot(y - y0 - along * dy)
}

#[test]
fn what_is_added_has_the_probabilities_of_the_table_that_is_there() {
    let dir = Dir::with_slide();
    let run = |out: &str, list: &str| dir.segment(["one.tif"], out).args(["--write", list]);
    let more = "all,parquet,geojson.gz,instances";
    run("fresh", more).ends_with(0);
    run("out", "mask,objects").ends_with(0);
    run("out", more)
        .args(["--verbose"])
        .ends_with(0)
        .says(&["without running the models again"]);
    for file in [
        "objects.csv",
        "objects.parquet",
        "objects.geojson",
        "objects.geojson.gz",
        "instances.ome.tif",
    ] {
        let read = |out: &str| dir.read(format!("{out}/slides/one/{file}"));
        assert!(read("out") == read("fresh"), "{file}");
    }
    for file in ["objects.csv", "objects.parquet"] {
        assert!(
            dir.read(format!("out/{file}")) == dir.read(format!("fresh/{file}")),
            "{file}"
        );
    }
    // From the mask alone they are not known, and the record says so.
    run("bare", "mask").ends_with(0);
    run("bare", more).ends_with(0);
    let warnings = dir.json("bare/slides/one/slide.json")["warnings"].clone();
    assert!(
        warnings
            .to_string()
            .contains("how probable its objects are"),
        "{warnings}"
    );
    let fresh = rows(&dir, "fresh/slides/one/objects.csv");
    for (mut bare, mut fresh) in rows(&dir, "bare/slides/one/objects.csv")
        .into_iter()
        .zip(fresh)
    {
        for column in ["mean_probability", "lowest_probability"] {
            assert_eq!(bare.remove(column).as_deref(), Some(""));
            assert_ne!(fresh.remove(column).as_deref(), Some(""));
        }
        assert_eq!(bare, fresh);
    }
    // A table of other objects is not believed.
    let forged = String::from_utf8(dir.read("out/slides/one/objects.csv")).unwrap();
    let forged: Vec<&str> = forged.lines().collect();
    run("forged", "mask,objects").ends_with(0);
    dir.write(
        "forged/slides/one/objects.csv",
        forged[..forged.len() - 1].join("\n") + "\n",
    );
    run("forged", "mask,objects,geojson")
        .ends_with(0)
        .says(&["not reused", "objects.csv"]);
    assert!(dir.read("forged/objects.csv") == dir.read("fresh/objects.csv"));
}

#[test]
fn nothing_found_is_a_table_without_lines() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("glass.tif", (300, 200), Some(MPP), |_, _| [244; 3]);
    dir.segment(["glass.tif"], "out")
        .args(["--write", EVERYTHING])
        .ends_with(0);
    assert!(rows(&dir, "out/objects.csv").is_empty());
    assert!(rows(&dir, "out/slides/glass/objects.csv").is_empty());
    let planes = planes(&dir, "out/slides/glass/instances.ome.tif");
    assert_eq!(planes.len(), 1);
    assert!(planes[0].2.iter().all(|&label| label == 0));
}

/// The libraries that people use read the files and find the same: `tests/interop/read_objects.py` in the Python that
/// `FTUSEG_INTEROP_PYTHON` names (test.sh makes it).
#[test]
fn the_libraries_of_others_read_the_same() {
    let Some(python) = std::env::var_os("FTUSEG_INTEROP_PYTHON") else {
        println!(
            "skipped: FTUSEG_INTEROP_PYTHON names no Python with tifffile, pyarrow and the others"
        );
        return;
    };
    let dir = with_big_slide();
    dir.slide("alone.tif", (300, 200), Some(0.3), |x, y| {
        two_organs(x, y, 1)
    });
    for (out, ids, options) in [
        ("both", &["big", "alone"][..], &[][..]),
        ("kidney", &["alone"], &["--route", "organ=kidney"]),
    ] {
        dir.segment(ids.iter().map(|id| format!("{id}.tif")), out)
            .args(["--write", EVERYTHING])
            .args(options)
            .ends_with(0);
        for id in ids {
            let script = concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../tests/interop/read_objects.py"
            );
            let read = Command::new(&python)
                .arg(script)
                .arg(dir.join(format!("{out}/slides/{id}")))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&read.stderr);
            assert!(read.status.success(), "{out}/{id}: {said}");
            let count = String::from_utf8_lossy(&read.stdout);
            let lines = fs::read_to_string(dir.join(format!("{out}/slides/{id}/objects.csv")));
            assert_eq!(
                count.trim(),
                (lines.unwrap().lines().count() - 1).to_string()
            );
        }
    }
}

/// What [`planes`] tell of a file as other readers must tell it, level by level: width, height, and how many px of each channel
/// hold an object.
fn expected_levels(planes: &[(u32, u32, Vec<u32>)]) -> Vec<(u32, u32, Vec<usize>)> {
    let (mut width, mut height) = (planes[0].0, planes[0].1);
    let mut planes: Vec<Vec<u32>> = planes.iter().map(|plane| plane.2.clone()).collect();
    let mut levels = Vec::new();
    loop {
        let count = |plane: &Vec<u32>| plane.iter().filter(|&&label| label != 0).count();
        levels.push((width, height, planes.iter().map(count).collect()));
        if width.max(height) <= 256 {
            return levels;
        }
        let (w, h) = (width.div_ceil(2), height.div_ceil(2));
        for plane in &mut planes {
            let places = (0..h).flat_map(|y| (0..w).map(move |x| (2 * y * width + 2 * x) as usize));
            *plane = places.map(|place| plane[place]).collect();
        }
        (width, height) = (w, h);
    }
}

/// Viv, the loader of Vitessce, and Bio-Formats read the instances px for px: `FTUSEG_INTEROP_VIV` names a folder with
/// `read_instances.mjs` and its packages, `FTUSEG_BIOFORMATS` the jar (test.sh gets both where there are node and Java).
#[test]
fn viv_and_bio_formats_read_the_instances() {
    let (viv, jar) = (
        std::env::var_os("FTUSEG_INTEROP_VIV"),
        std::env::var_os("FTUSEG_BIOFORMATS"),
    );
    if viv.is_none() {
        println!("skipped: Viv, since FTUSEG_INTEROP_VIV names no folder with it");
    }
    if jar.is_none() {
        println!("skipped: Bio-Formats, since FTUSEG_BIOFORMATS does not name its jar");
    }
    if viv.is_none() && jar.is_none() {
        return;
    }
    let dir = with_big_slide();
    dir.segment(["big.tif"], "out")
        .args(["--write", "instances"])
        .ends_with(0);
    let file = "out/slides/big/instances.ome.tif";
    let expected = expected_levels(&planes(&dir, file));
    let said = |command: &mut Command| {
        let output = command.arg(dir.join(file)).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    };
    if let Some(viv) = viv {
        let script = std::path::Path::new(&viv).join("read_instances.mjs");
        let found: Value = serde_json::from_str(&said(Command::new("node").arg(script))).unwrap();
        assert_eq!(found["channels"], serde_json::json!(["kidney", "prostate"]));
        assert_eq!(found["tile"], 256);
        let levels = expected.iter().map(|(width, height, counts)| {
            serde_json::json!({ "width": width, "height": height, "counts": counts })
        });
        assert_eq!(found["levels"], Value::Array(levels.collect()));
    }
    if let Some(jar) = jar {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/interop/ReadInstances.java"
        );
        let found = said(Command::new("java").arg("-cp").arg(jar).arg(script));
        let levels = expected.iter().map(|(width, height, counts)| {
            let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
            format!("{width} {height} {}\n", counts.join(" "))
        });
        let head = format!("OME-TIFF uint32 series 1 kidney,prostate {MPP:?}\n");
        assert_eq!(found, head + &levels.collect::<String>());
    }
}
