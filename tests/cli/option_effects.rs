//! Options whose effect shows in what is written: routes and the mask's legend, GeoJSON classes, the limit of strips.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use super::evaluate::{report, rows};
use super::util::*;
use super::{slides_of, status};

/// What `mask.tif` says of its values, and the values that occur.
fn legend(dir: &Dir, out: &str) -> (String, Vec<u8>) {
    let file = std::io::Cursor::new(as_grey(dir.read(format!("{out}/slides/one/mask.tif"))));
    let mut decoder = tiff::decoder::Decoder::new(file).unwrap();
    let text = decoder.get_tag_ascii_string(tiff::tags::Tag::ImageDescription);
    let tiff::decoder::DecodingResult::U8(mut values) = decoder.read_image().unwrap() else {
        panic!("the mask has other values than bytes");
    };
    values.sort_unstable();
    values.dedup();
    (text.unwrap(), values)
}

#[test]
fn the_masks_legend_names_who_decided() {
    let dir = Dir::with_slide();
    let unet = organ_model("unet", "green.onnx").replace("organ = \"unet\"", "role = \"unet\"");
    dir.bundle("bundle", &(full_bundle() + &unet));
    for (route, single, values) in [
        ("unet", "255 unet", &[0, 255][..]),
        ("baseline", "255 baseline", &[0, 255]),
        ("organ=kidney", "255 baseline or unet", &[0, 1]),
        ("organ=prostate", "255 baseline or unet", &[0, 2]),
    ] {
        dir.segment(["one.tif"], route)
            .args(["--route", route])
            .ends_with(0);
        let (text, found) = legend(&dir, route);
        let organs = "0 background, 1 kidney, 2 prostate, 3 largeintestine, 4 spleen, 5 lung";
        assert_eq!(text, format!("ftuseg mask: {organs}, {single}"), "{route}");
        assert_eq!(found, values, "{route}");
    }
    // Where no single model could have decided, 255 is what it always was.
    dir.bundle("bundle", &full_bundle());
    dir.segment(["one.tif"], "plain").ends_with(0);
    let (text, found) = legend(&dir, "plain");
    assert!(text.ends_with("255 baseline"), "{text}");
    assert!(found.contains(&1) && found.contains(&2), "{found:?}");
}

#[test]
fn classes_that_are_named_count_and_the_others_are_told_of() {
    let dir = Dir::new();
    let square = |class: &str, x: u32| {
        let (right, ring) = (x + 4, "coordinates");
        format!(
            r#"{{"type":"Feature","properties":{{"classification":{{"name":"{class}"}}}},"geometry":{{"type":"Polygon","{ring}":[[[{x},2],[{right},2],[{right},6],[{x},6],[{x},2]]]}}}}"#
        )
    };
    dir.write(
        "truth.geojson",
        format!(
            r#"{{"type":"FeatureCollection","features":[{},{}]}}"#,
            square("Nest", 2),
            square("Stroma", 12)
        ),
    );
    dir.write(
        "truth.csv",
        "id,organ,img_width,img_height,mask\na,kidney,20,10,truth.geojson\n",
    );
    // Columns 2 to 5 of 10 px each, rows 2 to 5.
    dir.write("run/submission.csv", "id,rle\na,23 4 33 4 43 4 53 4\n");
    let evaluate = |classes: &[&str]| {
        let command = dir
            .ftuseg("evaluate")
            .args(["--truth", "truth.csv", "--pred", "run/submission.csv"])
            .args(["--out", "r"]);
        classes
            .iter()
            .fold(command, |command, class| command.args(["--class", class]))
    };
    evaluate(&[])
        .ends_with(1)
        .says(&["Nest", "Stroma", "--class"]);
    for (classes, dice, left) in [
        (&["nest"][..], "1.000000", Some("Stroma")),
        (&["Stroma"], "0.000000", Some("Nest")),
        (&["Nest", "stroma"], "0.666667", None),
    ] {
        let outcome = evaluate(classes).ends_with(0);
        assert_eq!(rows(&dir, "r")[0]["dice"], dice, "{classes:?}");
        let notes = report(&dir, "r")["notes"].to_string();
        match left {
            Some(left) => {
                assert!(notes.contains(left), "{notes}");
                outcome.says(&[left]);
            }
            None => assert!(!notes.contains("left out"), "{notes}"),
        }
    }
    evaluate(&["Liver"]).ends_with(1).says(&["Nest", "Stroma"]);
    evaluate(&["Ignore*"]).ends_with(2).says(&["--class"]);
}

/// An RGB TIFF with all its px in one deflated strip.
fn one_strip(width: u32, height: u32) -> Vec<u8> {
    let mut strip = ZlibEncoder::new(Vec::new(), Compression::fast());
    for y in 0..height {
        for x in 0..width {
            strip.write_all(&two_organs(x, y, 1)).unwrap();
        }
    }
    let strip = strip.finish().unwrap();
    let mut file = b"II*\0".to_vec();
    file.extend((8 + strip.len() as u32).to_le_bytes());
    file.extend(&strip);
    let tags: [(u16, u32); 9] = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 8),
        (262, 2),
        (273, 8),
        (277, 3),
        (278, height),
        (279, strip.len() as u32),
    ];
    file.extend((tags.len() as u16).to_le_bytes());
    for (tag, value) in tags {
        file.extend(tag.to_le_bytes());
        file.extend([4, 0, 1, 0, 0, 0]);
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file
}

#[test]
fn a_strip_over_the_limit_fails_its_slide_until_the_limit_is_raised() {
    let dir = Dir::with_slide();
    // 1.03 MiB decoded.
    dir.write("large.tif", one_strip(600, 600));
    let segment = |mib: &str| {
        dir.segment(["one.tif", "large.tif"], "out")
            .args(["--mpp", "2", "--max-strip", mib])
    };
    segment("1")
        .ends_with(1)
        .says(&["large.tif", "--max-strip"]);
    assert_eq!(status(&dir, "out", "large")["status"], "failed");
    assert_eq!(slides_of(&dir, "out"), ["one"]);
    segment("2").ends_with(0).says(&["1 done, 1 already done"]);
    assert_eq!(slides_of(&dir, "out"), ["large", "one"]);
    for wrong in ["0", "-1", "1.5", "65537", "much"] {
        dir.segment(["one.tif"], "none")
            .args([format!("--max-strip={wrong}")])
            .ends_with(2)
            .says(&["--max-strip"]);
    }
}

#[test]
fn objects_that_touch_are_split_when_asked_for() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    // Two discs that touch.
    dir.slide("one.tif", (400, 200), Some(MPP), |x, y| {
        let within = |middle: f64| {
            (f64::from(x) - middle).powi(2) + (f64::from(y) - 100.0).powi(2) <= 3600.0
        };
        match within(130.0) || within(240.0) {
            true => KIDNEY_FTU,
            false => KIDNEY,
        }
    });
    let route = ["--route", "organ=kidney"];
    for (out, split, count) in [("plain", "none", 1), ("split", "touching", 2)] {
        dir.segment(["one.tif"], out)
            .args(route)
            .args(["--split", split, "--write", "all,instances"])
            .ends_with(0);
        let record = dir.json(format!("{out}/slides/one/slide.json"));
        assert_eq!(record["made_by"]["settings"]["split"], split);
        assert_eq!(record["organs"][0]["objects"], count, "{split}");
        // Every output has as many.
        let mut table = csv::Reader::from_path(dir.join(format!("{out}/objects.csv"))).unwrap();
        assert_eq!(table.records().count(), count, "{split}");
        let outlines = dir.json(format!("{out}/slides/one/objects.geojson"));
        assert_eq!(outlines["features"].as_array().unwrap().len(), count);
        let file = std::fs::File::open(dir.join(format!("{out}/slides/one/instances.ome.tif")));
        let mut labels = tiff::decoder::Decoder::new(file.unwrap()).unwrap();
        let tiff::decoder::DecodingResult::U32(labels) = labels.read_image().unwrap() else {
            panic!("labels have 32 bits");
        };
        assert_eq!(labels.iter().max(), Some(&(count as u32)), "{split}");
    }
    let [plain, split] = ["plain", "split"].map(|out| {
        let text = dir.submission(out).remove(0).1;
        let numbers = text.split(' ').map(|word| word.parse::<u64>().unwrap());
        numbers.skip(1).step_by(2).sum::<u64>()
    });
    assert!(
        plain > split && plain - split < 100,
        "{plain} px and {split} px"
    );
    // Results of the one are no results of the other.
    dir.segment(["one.tif"], "split")
        .args(route)
        .ends_with(2)
        .says(&["split: touching -> none"]);
}
