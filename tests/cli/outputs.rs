//! The files of one run speak of the same pixels, and say all that the contract promises.
//!
//! Nothing here reads them with the project's own code: masks go through the `tiff` crate, RLE and polygons through
//! naive code of the tests.

use std::fs::File;
use std::io::BufReader;

use super::util::*;
use serde_json::Value;
use tiff::decoder::Decoder;
use tiff::tags::Tag;

/// All levels of a slide's `mask.tif`: values with a palette, numbers for programs and colours for eyes.
fn read_mask(dir: &Dir, out: &str, id: &str) -> Vec<Level> {
    let path = dir.join(out).join("slides").join(id).join("mask.tif");
    let mut file = Decoder::new(BufReader::new(File::open(&path).unwrap())).unwrap();
    loop {
        assert_eq!(file.get_tag_u32(Tag::PhotometricInterpretation).unwrap(), 3);
        let palette = file.get_tag_u16_vec(Tag::ColorMap).unwrap();
        assert_eq!(palette.len(), 3 * 256);
        let colour = |label: usize| [0, 1, 2].map(|c| palette[c * 256 + label]);
        assert_eq!((colour(0), colour(1)), ([0; 3], [0, 200 * 257, 0]));
        if !file.more_images() {
            return levels(&path);
        }
        file.next_image().unwrap();
    }
}

/// Paints a GeoJSON polygon by the even-odd rule, px centre by px centre. Returns how many px it holds.
fn paint(rings: &[Value], label: u8, labels: &mut Level) -> usize {
    let mut crossings = vec![Vec::new(); labels.height];
    // The first px whose centre lies at or beyond a coordinate.
    let first = |at: f64| (at - 0.5).ceil() as usize;
    for ring in rings {
        let corners: Vec<[f64; 2]> = serde_json::from_value(ring.clone()).unwrap();
        assert!(corners.len() >= 5);
        assert_eq!(corners.first(), corners.last(), "the ring is open");
        for side in corners.windows(2) {
            let ([x0, y0], [x1, y1]) = (side[0], side[1]);
            for (y, row) in crossings
                .iter_mut()
                .enumerate()
                .take(first(y0.max(y1)))
                .skip(first(y0.min(y1)))
            {
                row.push(x0 + (x1 - x0) * (y as f64 + 0.5 - y0) / (y1 - y0));
            }
        }
    }
    let mut painted = 0;
    for (y, row) in crossings.iter_mut().enumerate() {
        row.sort_by(f64::total_cmp);
        for pair in row.chunks(2) {
            for x in first(pair[0])..first(pair[1]) {
                let value = &mut labels.values[y * labels.width + x];
                assert_eq!(*value, 0, "two objects share px ({x}, {y})");
                *value = label;
                painted += 1;
            }
        }
    }
    painted
}

/// Checks that mask, RLE, GeoJSON and record of a slide agree px by px; returns the labels at full size.
fn check_agreement(dir: &Dir, out: &str, id: &str) -> Level {
    let mask = read_mask(dir, out, id).swap_remove(0);
    let (width, height) = (mask.width, mask.height);
    let folder = dir.join(out).join("slides").join(id);
    let record = dir.json(folder.join("slide.json"));
    assert_eq!(record["width"], width);
    assert_eq!(record["height"], height);

    let rows = dir.submission(out);
    let (_, text) = rows.iter().find(|(row, _)| row == id).unwrap();
    let set: Vec<bool> = mask.values.iter().map(|&v| v != 0).collect();
    assert!(decode_rle(text, width, height) == set, "{id}: the RLE");

    let collection = dir.json(folder.join("objects.geojson"));
    assert_eq!(collection["type"], "FeatureCollection");
    let mut painted = Level {
        width,
        height,
        values: vec![0; width * height],
    };
    let organs = record["organs"].as_array().unwrap();
    let mpp = record["mpp"]["value"].as_f64();
    let mut counts = std::collections::BTreeMap::<String, (u64, usize)>::new();
    for feature in collection["features"].as_array().unwrap() {
        assert_eq!(feature["type"], "Feature");
        assert_eq!(feature["geometry"]["type"], "Polygon");
        let properties = &feature["properties"];
        // What QuPath needs to make an annotation with a class of it.
        assert_eq!(properties["objectType"], "detection");
        assert!(properties["classification"]["name"].is_string());
        assert_eq!(
            properties["classification"]["color"]
                .as_array()
                .unwrap()
                .len(),
            3
        );
        let name = properties["metadata"]["organ"].as_str().unwrap();
        let label = match name {
            "kidney" => 1,
            "prostate" => 2,
            "largeintestine" => 3,
            "spleen" => 4,
            "lung" => 5,
            "baseline" | "unet" => 255,
            other => panic!("{other}"),
        };
        let rings = feature["geometry"]["coordinates"].as_array().unwrap();
        let area = paint(rings, label, &mut painted);
        assert_eq!(properties["measurements"]["Area px^2"], area);
        let count = counts.entry(name.to_owned()).or_default();
        *count = (count.0 + 1, count.1 + area);
    }
    assert!(painted.values == mask.values, "{id}: the polygons");

    for organ in organs {
        let name = organ["organ"].as_str().unwrap();
        let (objects, area) = counts.remove(name).unwrap_or_default();
        assert_eq!(organ["objects"], objects, "{id}: {name}");
        let mm2 = mpp.map(|mpp| area as f64 * mpp * mpp / 1e6);
        match (organ["area_mm2"].as_f64(), mm2) {
            (Some(stated), Some(counted)) => assert!((stated - counted).abs() < 1e-12),
            (stated, counted) => assert_eq!(stated, counted),
        }
    }
    assert!(
        counts.is_empty(),
        "{id}: not in the record: {:?}",
        counts.keys()
    );
    mask
}

/// Checks the labels against what a function says.
fn assert_labels(labels: &Level, expected: impl Fn(u32, u32) -> u8) {
    for y in 0..labels.height {
        for x in 0..labels.width {
            assert_eq!(
                labels.values[y * labels.width + x],
                expected(x as u32, y as u32),
                "px ({x}, {y})"
            );
        }
    }
}

#[test]
fn all_files_of_a_run_describe_the_same_known_pixels() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("big.tif", (1200, 800), Some(MPP), |x, y| {
        two_organs(x, y, 4)
    });
    dir.segment(["big.tif"], "out").ends_with(0);
    let labels = check_agreement(&dir, "out", "big");
    assert_eq!((labels.width, labels.height), (1200, 800));
    assert_labels(&labels, |x, y| label_of(two_organs(x, y, 4)));

    let features = dir.json("out/slides/big/objects.geojson");
    let features = features["features"].as_array().unwrap();
    // Each organ has a ring, a speck in its hole, a disk, and two squares that only touch.
    assert_eq!(features.len(), 10);
    for (organ, name) in [("kidney", "Glomerulus"), ("prostate", "Prostate gland")] {
        let own: Vec<_> = features
            .iter()
            .filter(|f| f["properties"]["metadata"]["organ"] == organ)
            .collect();
        assert_eq!(own.len(), 5);
        let holes = own
            .iter()
            .map(|f| f["geometry"]["coordinates"].as_array().unwrap().len() - 1)
            .sum::<usize>();
        assert_eq!(holes, 1, "{organ}: the ring's hole");
        for feature in own {
            let class = feature["properties"]["classification"]["name"]
                .as_str()
                .unwrap();
            assert_eq!(class, name);
        }
    }
}

#[test]
fn the_mask_is_a_pyramid_of_itself() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("big.tif", (1201, 799), Some(MPP), |x, y| {
        two_organs(x, y, 4)
    });
    dir.segment(["big.tif"], "out").ends_with(0);
    let levels = read_mask(&dir, "out", "big");
    let sizes: Vec<_> = levels.iter().map(|l| (l.width, l.height)).collect();
    assert_eq!(sizes, [(1201, 799), (601, 400), (301, 200)]);
    for (number, level) in levels.iter().enumerate().skip(1) {
        for y in 0..level.height {
            for x in 0..level.width {
                // Labels are never mixed: a reduced px is a label of the px it stands for.
                let value = level.values[y * level.width + x];
                let side = 1 << number;
                let full = &levels[0];
                let found = (y * side..((y + 1) * side).min(full.height)).any(|y| {
                    (x * side..((x + 1) * side).min(full.width))
                        .any(|x| full.values[y * full.width + x] == value)
                });
                assert!(found, "level {number} px ({x}, {y}) is {value}");
            }
        }
        assert!([1, 2].iter().all(|label| level.values.contains(label)));
    }
}

#[test]
fn they_agree_at_other_resolutions_blends_and_routes_too() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("fine.tif", (700, 450), Some(0.9), |x, y| {
        two_organs(x, y, 2)
    });
    dir.slide("coarse.tif", (300, 200), Some(3.3), |x, y| {
        two_organs(x, y, 1)
    });
    for (out, options, values) in [
        ("crop", &["--blend", "crop"][..], &[1, 2][..]),
        (
            "gaussian",
            &["--blend", "gaussian", "--overlap", "24"],
            &[1, 2],
        ),
        ("baseline", &["--route", "baseline"], &[255]),
        ("lung", &["--route", "organ=lung", "--tissue", "off"], &[5]),
    ] {
        dir.segment(["fine.tif", "coarse.tif"], out)
            .args(options)
            .ends_with(0);
        for id in ["fine", "coarse"] {
            let mut found = check_agreement(&dir, out, id).values;
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, [&[0], values].concat(), "{out} {id}");
        }
    }
}

#[test]
fn the_records_hold_what_the_contract_names() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "out").ends_with(0);
    let slide = dir.json("out/slides/one/slide.json");
    for key in [
        "width",
        "height",
        "mpp",
        "organ",
        "organs",
        "organ_map",
        "tiles",
        "timings",
    ] {
        assert!(!slide[key].is_null(), "slide.json has no {key}");
    }
    assert_eq!(
        (&slide["width"], &slide["height"]),
        (&300.into(), &200.into())
    );
    assert_eq!(slide["mpp"]["value"], MPP);
    assert_eq!(slide["mpp"]["source"], "tiff-tags");
    let organs = slide["organs"].as_array().unwrap();
    assert_eq!(organs.len(), 2);
    assert_eq!(slide["organ"], organs[0]["organ"]);
    let mut shares = 0.0;
    for organ in organs {
        let share = organ["share"].as_f64().unwrap();
        assert!((0.4..0.6).contains(&share), "{organ}");
        assert!((0.8..=1.0).contains(&organ["confidence"].as_f64().unwrap()));
        assert_eq!(organ["objects"], 5);
        shares += share;
    }
    assert!((shares - 1.0).abs() < 1e-6);
    let map = &slide["organ_map"];
    assert_eq!(map["cell_px"], 16.0);
    assert_eq!((&map["columns"], &map["rows"]), (&19.into(), &13.into()));
    let cells: Vec<Vec<char>> = map["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_str().unwrap().chars().collect())
        .collect();
    assert_eq!(cells.len(), 13);
    assert_eq!((cells[6][4], cells[6][9], cells[6][14]), ('1', '.', '2'));
    assert_eq!(map["legend"]["1"], "kidney");
    assert_eq!(map["legend"]["2"], "prostate");
    let tiles = &slide["tiles"];
    assert!(tiles["planned"].as_u64().unwrap() > 10);
    assert_eq!(tiles["planned"], tiles["inferred"]);
    let timings = slide["timings"].as_object().unwrap();
    assert!(!timings.is_empty());
    assert!(timings.values().all(|t| t.as_f64().unwrap() >= 0.0));

    let run = dir.json("out/run.json");
    assert!(run["schema"].is_string());
    assert_eq!(run["versions"]["ftuseg"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        run["bundle"]["sha256"],
        sha256(&dir.read("bundle/bundle.toml"))
    );
    assert_eq!(run["device"]["name"], "cpu");
    assert!(!run["device"]["proof"].as_str().unwrap().is_empty());
    assert_eq!(run["totals"]["slides"], 1);
    assert_eq!(run["totals"]["done"], 1);
    assert_eq!(run["totals"]["failed"], 0);
    let one = &run["slides"][0];
    assert_eq!(one["id"], "one");
    assert_eq!(one["status"], "done");
    assert!(one["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(&one["tiles"], tiles);
}

#[test]
fn the_overlay_shows_the_slide_and_the_outlines() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "out").ends_with(0);
    let picture = image::open(dir.join("out/slides/one/overlay.png"))
        .unwrap()
        .into_rgb8();
    // The slide is shown four times as large, the legend below it.
    let (width, height) = picture.dimensions();
    let (scale, bottom) = (4.0, 800);
    assert!(
        width == 1200 && (830..900).contains(&height),
        "{width} x {height}"
    );
    let at = |x: f64, y: f64| picture.get_pixel((x * scale) as u32, (y * scale) as u32).0;
    // Inside the ring's band and outside the tissue, far from any outline, the slide is as it was.
    assert_eq!(at(70.0, 43.0), KIDNEY_FTU);
    assert_eq!(at(150.0, 100.0), VOID);
    assert_eq!(at(20.0, 170.0), KIDNEY);
    // The outlines of both organs are there, in colours of their own, and only where the organ lies.
    let features = dir.json("out/slides/one/objects.geojson");
    for (organ, left) in [("kidney", true), ("prostate", false)] {
        let feature = features["features"]
            .as_array()
            .unwrap()
            .iter()
            .find(|f| f["properties"]["metadata"]["organ"] == organ)
            .unwrap();
        let colour: [u8; 3] =
            serde_json::from_value(feature["properties"]["classification"]["color"].clone())
                .unwrap();
        let places: Vec<u32> = picture
            .enumerate_pixels()
            .filter(|(_, y, px)| *y < bottom && px.0 == colour)
            .map(|(x, _, _)| x)
            .collect();
        let legend = picture.enumerate_pixels();
        let square = legend.filter(|(_, y, px)| *y >= bottom && px.0 == colour);
        assert_eq!(square.count(), 16 * 16, "{organ} in the legend");
        assert!(places.len() > 200, "{organ}: {} px", places.len());
        assert!(places.iter().all(|&x| (x < width / 2) == left), "{organ}");
    }
}

#[test]
fn an_empty_slide_has_all_files_too() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("glass.tif", (300, 200), Some(MPP), |_, _| [244; 3]);
    dir.segment(["glass.tif"], "out").ends_with(0);
    assert_labels(&check_agreement(&dir, "out", "glass"), |_, _| 0);
    assert_eq!(dir.submission("out"), [("glass".to_owned(), String::new())]);
    assert!(image::open(dir.join("out/slides/glass/overlay.png")).is_ok());
    assert_eq!(dir.json("out/run.json")["slides"][0]["status"], "done");
}

/// What may differ between two records of the same result.
fn without_times(mut record: Value) -> Value {
    for key in ["seconds", "timings"] {
        record.as_object_mut().unwrap().remove(key).unwrap();
    }
    let runtime = record["made_by"]["runtime"].as_object_mut().unwrap();
    runtime.remove("threads").unwrap();
    record
}

#[test]
fn threads_and_company_change_no_byte() {
    let dir = Dir::with_slide();
    dir.slide("fine.tif", (700, 450), Some(0.9), |x, y| {
        two_organs(x, y, 2)
    });
    for blend in ["crop", "gaussian"] {
        let out = |what: &str| format!("{blend}-{what}");
        let common = ["--blend", blend, "--overlap", "20"];
        for (what, inputs, threads) in [
            ("1", &["one.tif", "fine.tif"][..], "1"),
            ("4", &["one.tif", "fine.tif"], "4"),
            ("alone", &["fine.tif"], "3"),
        ] {
            dir.segment(inputs, &out(what))
                .args(common)
                .args(["--threads", threads])
                .ends_with(0);
        }
        let same = |name: &str, other: &str| {
            let (one, two) = (
                dir.read(format!("{}/{name}", out("1"))),
                dir.read(format!("{}/{name}", out(other))),
            );
            assert!(one == two, "{blend}, {other}: {name} differs");
        };
        same("submission.csv", "4");
        for file in ["mask.tif", "objects.geojson", "overlay.png"] {
            same(&format!("slides/one/{file}"), "4");
            same(&format!("slides/fine/{file}"), "4");
            same(&format!("slides/fine/{file}"), "alone");
        }
        let record =
            |what: &str| without_times(dir.json(format!("{}/slides/fine/slide.json", out(what))));
        assert_eq!(record("1"), record("4"));
        assert_eq!(record("1"), record("alone"));
    }
}

#[test]
fn both_runtimes_give_the_same_files() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "rten").ends_with(0);
    let outcome = dir
        .ftuseg("segment")
        .args(["one.tif", "--out", "ort", "--bundle", "bundle"])
        .args(["--backend", "onnxruntime"])
        .run();
    if outcome.code == Some(2) && outcome.stderr.contains("no usable ONNX Runtime library") {
        println!("skipped: {}", outcome.stderr);
        return;
    }
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for file in [
        "submission.csv",
        "slides/one/mask.tif",
        "slides/one/objects.geojson",
    ] {
        assert!(
            dir.read(format!("rten/{file}")) == dir.read(format!("ort/{file}")),
            "{file} differs"
        );
    }
    let run = dir.json("ort/run.json");
    assert_eq!(run["runtime"]["backend"], "onnxruntime");
    let library = run["runtime"]["library"].as_str().unwrap();
    assert_eq!(run["runtime"]["sha256"], sha256(&dir.read(library)));
    assert!(!run["device"]["proof"].as_str().unwrap().is_empty());
    assert_eq!(dir.json("rten/run.json")["runtime"]["backend"], "rten");
}

#[test]
fn a_real_aperio_slide_keeps_its_size_and_resolution() {
    let path = std::env::var_os("FTUSEG_SHARED")
        .map_or_else(
            || concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared").into(),
            std::path::PathBuf::from,
        )
        .join("data/slides/cmu-1-small-region.svs");
    if !path.is_file() {
        println!("skipped: {} is not here", path.display());
        return;
    }
    let dir = Dir::new();
    // Whatever the tiny router takes it for.
    let all = full_bundle()
        + &organ_model("largeintestine", "red.onnx")
        + &organ_model("spleen", "red.onnx");
    dir.bundle("bundle", &all);
    dir.segment([path.as_os_str()], "out").ends_with(0);
    let slide = dir.json("out/slides/cmu-1-small-region/slide.json");
    assert_eq!(slide["mpp"]["value"], 0.499);
    assert_eq!(slide["mpp"]["source"], "aperio");
    assert_eq!(
        (&slide["width"], &slide["height"]),
        (&2220.into(), &2967.into())
    );
    let labels = check_agreement(&dir, "out", "cmu-1-small-region");
    assert_eq!((labels.width, labels.height), (2220, 2967));
    assert!(labels.values.iter().any(|&v| v != 0));
    // Stained tissue is what is found as tissue: some of the region, and not all of it.
    let tissue = slide["tissue_share"].as_f64().unwrap();
    assert!((0.05..0.99).contains(&tissue), "{tissue}");
}
