//! OME-Zarr images as slides: as the same picture in a TIFF, wherever the command takes a slide, and written by the libraries
//! of others.

use std::fs;
use std::path::Path;
use std::process::Command;

use ftuseg::slide::{self, SlideReader};
use ftuseg::testing::{Picture, check_reader};
use serde_json::json;

use super::status;
use super::util::*;

/// Writes [`two_organs`] as OME-Zarr with the levels of the drawn TIFF, a file a chunk.
fn zarr(dir: &Dir, name: &str) {
    const SIDE: u32 = 128;
    let sizes = [(300_u32, 200_u32), (150, 100), (75, 50), (38, 25)];
    for (level, (width, height)) in sizes.into_iter().enumerate() {
        let array = json!({
            "zarr_format": 3,
            "node_type": "array",
            "shape": [3, height, width],
            "data_type": "uint8",
            "chunk_grid": { "name": "regular", "configuration": { "chunk_shape": [3, SIDE, SIDE] } },
            "chunk_key_encoding": { "name": "default" },
            "fill_value": 0,
            "codecs": [{ "name": "bytes" }],
        });
        dir.write(&format!("{name}/{level}/zarr.json"), array.to_string());
        for row in 0..height.div_ceil(SIDE) {
            for column in 0..width.div_ceil(SIDE) {
                let px = |y: u32, x: u32| {
                    let (x, y) = (column * SIDE + x, row * SIDE + y);
                    two_organs(x << level, y << level, 1)
                };
                let chunk: Vec<u8> = (0..3)
                    .flat_map(|channel| {
                        let rows = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x)));
                        rows.map(move |(y, x)| px(y, x)[channel])
                    })
                    .collect();
                dir.write(&format!("{name}/{level}/c/0/{row}/{column}"), chunk);
            }
        }
    }
    let datasets = (0..sizes.len()).map(|level| {
        let scale = MPP * f64::from(1 << level);
        json!({
            "path": level.to_string(),
            "coordinateTransformations": [{ "type": "scale", "scale": [1.0, scale, scale] }],
        })
    });
    let group = json!({ "zarr_format": 3, "node_type": "group", "attributes": { "ome": {
        "version": "0.5",
        "multiscales": [{
            "axes": [
                { "name": "c", "type": "channel" },
                { "name": "y", "type": "space", "unit": "micrometer" },
                { "name": "x", "type": "space", "unit": "micrometer" },
            ],
            "datasets": datasets.collect::<Vec<_>>(),
        }],
        "omero": { "channels": [{ "label": "red" }, { "label": "green" }, { "label": "blue" }] },
    } } });
    dir.write(&format!("{name}/zarr.json"), group.to_string());
}

#[test]
fn the_format_changes_nothing() {
    let dir = Dir::with_slide();
    zarr(&dir, "zarr/one.ome.zarr");
    dir.segment(["one.tif"], "tiff")
        .args(["--write", "all,instances"])
        .ends_with(0);
    // A folder that is searched, and in it the slide, which is a folder.
    dir.segment(["zarr"], "out")
        .args(["--write", "all,instances"])
        .ends_with(0)
        .says(&["1 done"]);
    for file in [
        "mask.tif",
        "objects.csv",
        "objects.geojson",
        "overlay.png",
        "instances.ome.tif",
    ] {
        let read = |out: &str| dir.read(format!("{out}/slides/one/{file}"));
        assert!(read("out") == read("tiff"), "{file}");
    }
    assert_eq!(dir.submission("out"), dir.submission("tiff"));
    let record = dir.json("out/slides/one/slide.json");
    assert_valid(&record, "slide");
    assert_eq!(record["format"], "OME-Zarr 0.5");
    assert_eq!(record["reader"], "ftuseg");
    assert_eq!(record["mpp"]["source"], "ome-zarr");
    let files = slide::files_of_slide(&dir.join("zarr/one.ome.zarr")).unwrap();
    let bytes: u64 = files
        .iter()
        .map(|file| fs::metadata(file).unwrap().len())
        .sum();
    assert_eq!(record["input"]["bytes"], bytes);
}

#[test]
fn a_folder_is_a_slide_wherever_one_is_asked_for() {
    let dir = Dir::with_slide();
    zarr(&dir, "slides/a.zarr");
    fs::rename(dir.join("one.tif"), dir.join("slides/b.tif")).unwrap();
    let route = |input: &str| {
        dir.ftuseg("route")
            .args([input, "--bundle", "bundle", "--backend", "rten"])
            .ends_with(0)
    };
    route("slides/a.zarr").prints(&["a\tkidney"]);
    dir.ftuseg("inspect")
        .args(["slides/a.zarr"])
        .ends_with(0)
        .prints(&[
            "OME-Zarr 0.5",
            "300 x 200 px",
            "2 (from the OME-Zarr metadata)",
        ]);
    dir.ftuseg("inspect")
        .args(["slides"])
        .ends_with(0)
        .prints(&["a.zarr", "b.tif"])
        .says(&["2 slides"]);
    dir.write("table.csv", "id,path\nz,slides/a.zarr\n");
    dir.segment(["table.csv"], "out").ends_with(0);
    assert_eq!(status(&dir, "out", "z")["objects"], 10);
    // Kaggle's tables name images by their ids.
    dir.write("train.csv", "id,organ,pixel_size\na,kidney,2\n");
    dir.segment(["train.csv"], "kaggle")
        .args(["--images", "slides"])
        .ends_with(0);
    assert_eq!(status(&dir, "kaggle", "a")["status"], "done");
    // A broken one fails alone.
    fs::remove_file(dir.join("slides/a.zarr/zarr.json")).unwrap();
    dir.segment(["slides"], "both")
        .ends_with(1)
        .says(&["without Zarr's metadata"]);
    assert_eq!(status(&dir, "both", "b")["status"], "done");
    assert_eq!(status(&dir, "both", "a")["kind"], "format");
}

#[test]
fn a_slide_in_a_folder_is_known_by_all_of_its_files() {
    let dir = Dir::with_slide();
    zarr(&dir, "one.zarr");
    for options in [&[][..], &["--verify-input"]] {
        let run = || {
            dir.segment(["one.zarr"], "out")
                .args(options)
                .args(["--verbose"])
        };
        run().args(["--overwrite"]).ends_with(0);
        run().ends_with(0).says(&["1 already done"]);
        // A chunk of the same size, whose time of change is another or put back.
        let chunk = dir.join("one.zarr/0/c/0/1/1");
        let time = fs::metadata(&chunk).unwrap().modified().unwrap();
        let mut bytes = fs::read(&chunk).unwrap();
        bytes[5] ^= 1;
        fs::write(&chunk, bytes).unwrap();
        if !options.is_empty() {
            let file = fs::File::options().write(true).open(&chunk).unwrap();
            file.set_modified(time).unwrap();
        }
        run().ends_with(0).says(&["1 done"]);
        assert_eq!(status(&dir, "out", "one")["status"], "done");
        // A file more is another slide, too.
        dir.write("one.zarr/notes.txt", "mine");
        run().ends_with(0).says(&["1 done"]);
        fs::remove_file(dir.join("one.zarr/notes.txt")).unwrap();
    }
}

/// What ome-zarr, spatialdata and zarr-python write is read px by px: `tests/interop/write_ome_zarr.py` in the Python that
/// `FTUSEG_INTEROP_PYTHON` names (test.sh makes it).
#[test]
fn what_the_libraries_of_others_write_is_read() {
    let Some(python) = std::env::var_os("FTUSEG_INTEROP_PYTHON") else {
        println!("skipped: FTUSEG_INTEROP_PYTHON names no Python with ome-zarr and the others");
        return;
    };
    let dir = Dir::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop/write_ome_zarr.py");
    let written = Command::new(&python)
        .arg(script)
        .arg(dir.join(""))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&written.stderr);
    assert!(written.status.success(), "{said}");
    let mut table = csv::Reader::from_path(dir.join("levels.csv")).unwrap();
    let mut stores = 0;
    for row in table.records() {
        let row = row.unwrap();
        let number = |column: usize| row[column].parse::<u32>().unwrap();
        let (path, level) = (dir.join(&row[0]), number(2) as usize);
        let slide: Box<dyn SlideReader> = slide::open(&path).unwrap();
        let picture = Picture::level(slide.as_ref(), level).unwrap();
        assert_eq!(
            (picture.width, picture.height),
            (number(3), number(4)),
            "{}",
            &row[0]
        );
        let expected = dir.read(format!("{}.{level}.rgb", &row[1]));
        assert!(picture.rgb == expected, "{}, level {level}", &row[0]);
        if level == 0 {
            let mpp = row[5].parse().ok();
            assert_eq!(slide.info().resolution.map(|r| r.mpp), mpp, "{}", &row[0]);
            check_reader(&row[0], || slide::open(&path)).unwrap();
            stores += 1;
        }
    }
    assert_eq!(
        stores.to_string(),
        String::from_utf8_lossy(&written.stdout).trim()
    );
    assert!(stores > 20);
}
