//! `ftuseg export`: every format says what `objects.csv` and `mask.tif` say, an export that cannot be whole is refused, and
//! the libraries of others read what was written.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::objects::{planes, rows, with_big_slide};
use super::util::*;

/// The DOI of a protocol.
const PROTOCOL: &str = "10.17504/protocols.io.example/v1";

/// A folder with the run `out` of a large and a small slide, with all that a run writes.
fn with_run() -> Dir {
    let dir = with_big_slide();
    dir.two_organs("small.tif");
    dir.segment(["big.tif", "small.tif"], "out")
        .args(["--write", "all,instances"])
        .ends_with(0);
    dir
}

fn export(dir: &Dir, format: &str, results: &[&str], out: &str) -> TestCommand {
    dir.ftuseg("export")
        .args([format])
        .args(results)
        .args(["--out", out])
}

/// Every file below a folder, as paths from there.
fn files(dir: &Dir, folder: &str) -> Vec<String> {
    let root = dir.join(folder);
    let mut found: Vec<String> = walkdir::WalkDir::new(&root)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| {
            let path = entry.path().strip_prefix(&root).unwrap();
            path.to_str().unwrap().replace('\\', "/")
        })
        .collect();
    found.sort();
    found
}

#[test]
fn coco_has_the_same_objects() {
    let dir = with_run();
    export(&dir, "coco", &["out"], "coco")
        .ends_with(0)
        .says(&["of 2 slides"]);
    let all: Value = serde_json::from_slice(&dir.read("coco/coco.json")).unwrap();
    let table = rows(&dir, "out/objects.csv");
    let annotations = all["annotations"].as_array().unwrap();
    assert_eq!(annotations.len(), table.len());
    let images = all["images"].as_array().unwrap();
    assert_eq!(images.len(), 2);
    for (place, (annotation, row)) in annotations.iter().zip(&table).enumerate() {
        assert_eq!(annotation["id"], place + 1);
        let image = &images[annotation["image_id"].as_u64().unwrap() as usize - 1];
        assert_eq!(image["slide"], row["slide"]);
        assert_eq!(image["file_name"], format!("{}.tif", row["slide"]));
        assert_eq!(annotation["uuid"], row["uuid"]);
        for (value, column) in [
            (&annotation["object_id"], "id"),
            (&annotation["area"], "area_px"),
            (&annotation["bbox"][0], "box_x_px"),
            (&annotation["bbox"][3], "box_height_px"),
            (&annotation["score"], "mean_probability"),
        ] {
            assert_eq!(value.to_string(), row[column], "{column}");
        }
        let category = &all["categories"][annotation["category_id"].as_u64().unwrap() as usize - 1];
        assert_eq!(category["name"], row["unit"]);
        assert_eq!(annotation["iscrowd"], 0);
    }
    assert_eq!(images[0]["width"], 1201);
    assert_eq!(images[0]["um_per_px"][0], MPP);

    // What is there stays, until it is asked for; the same run gives the same bytes.
    let before = dir.read("coco/coco.json");
    export(&dir, "coco", &["out"], "coco")
        .ends_with(2)
        .says(&["coco.json is there already", "--overwrite"]);
    export(&dir, "coco", &["out"], "coco")
        .args(["--overwrite"])
        .ends_with(0);
    assert!(dir.read("coco/coco.json") == before);
    assert_eq!(files(&dir, "coco"), ["coco.json"]);

    // Polygons have the same areas, where there are no holes.
    export(&dir, "coco", &["out"], "polygons")
        .args(["--segmentation", "polygons"])
        .ends_with(0);
    let all: Value = serde_json::from_slice(&dir.read("polygons/coco.json")).unwrap();
    for (annotation, row) in all["annotations"].as_array().unwrap().iter().zip(&table) {
        let ring = annotation["segmentation"][0].as_array().unwrap();
        let number = |place: usize| ring[place % ring.len()].as_i64().unwrap();
        let twice: i64 = (0..ring.len())
            .step_by(2)
            .map(|at| number(at) * number(at + 3) - number(at + 2) * number(at + 1))
            .sum();
        let area: i64 = row["area_px"].parse().unwrap();
        let holes: i64 = row["holes_area_px"].parse().unwrap();
        assert_eq!(twice / 2, area + holes);
    }
}

#[test]
fn epic_is_laid_out_as_hubmap_wants_it() {
    let dir = with_run();
    let run = |out: &str| export(&dir, "epic", &["out"], out).args(["--protocol", PROTOCOL]);
    run("epic").ends_with(0).says(&["2 slides"]);
    let masks = "derived/segmentation_masks";
    assert_eq!(
        files(&dir, "epic/big"),
        [
            "derived/extras/objects.csv".to_owned(),
            format!("{masks}/big.segmentations.ome.tiff"),
            format!("{masks}/glomeruli-objects.tsv"),
            format!("{masks}/prostate-acini-objects.tsv"),
            "extras/slide.json".to_owned(),
        ]
    );
    let table = rows(&dir, "out/slides/big/objects.csv");
    let instances = planes(&dir, "out/slides/big/instances.ome.tif");
    let written = planes(
        &dir,
        &format!("epic/big/{masks}/big.segmentations.ome.tiff"),
    );
    assert_eq!(written.len(), 2);
    for (plane, (organ, mask, unit)) in [
        ("kidney", "glomeruli", "UBERON:0000074"),
        ("prostate", "prostate-acini", "UBERON:0004179"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = dir.read(format!("epic/big/{masks}/{mask}-objects.tsv"));
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split('\t').collect())
            .collect();
        let own: Vec<_> = table.iter().filter(|row| row["organ"] == organ).collect();
        assert_eq!(lines.len(), 10 + own.len());
        assert!(lines.iter().all(|line| line.len() == lines[0].len()));
        let names = [
            "Type",
            "Unit",
            "Feature class",
            "Description",
            "Protocol used to derive this feature value (DOI)",
            "Alternative ID",
            "Permissible values",
            "Requirement level",
            "",
            "Object ID",
        ];
        for (line, name) in lines.iter().zip(names) {
            assert_eq!(line[0], name);
        }
        let column = |name: &str| lines[9].iter().position(|column| *column == name).unwrap();
        for (number, (line, row)) in lines[10..].iter().zip(own).enumerate() {
            assert_eq!(line[0], (number + 1).to_string());
            let middle = |name: &str| row[name].parse::<f64>().unwrap().floor().to_string();
            for (name, value) in [
                ("Source file", "big.segmentations.ome.tiff"),
                ("Mask name", mask),
                ("Mask ID", unit),
                ("Protocol for mask creation (DOI)", PROTOCOL),
                ("Annotation tool", "In-house"),
                ("Object type", unit),
                ("X", &middle("centroid_x_px")),
                ("Y", &middle("centroid_y_px")),
                ("Z", "0"),
                ("Area", &row["area_um2"]),
                ("ftuseg ID", &row["id"]),
                ("ftuseg UUID", &row["uuid"]),
            ] {
                assert_eq!(line[column(name)], value, "{name}");
            }
        }
        // The same px; the numbers of a mask begin at 1.
        let number_of = |id: u32| match id {
            0 => "0".to_owned(),
            id => {
                let id = id.to_string();
                let mut lines = lines[10..].iter();
                let line = lines.find(|line| line[column("ftuseg ID")] == id);
                line.unwrap()[0].to_owned()
            }
        };
        let (width, height, labels) = &written[plane];
        assert_eq!((*width, *height), (1201, 799));
        for (label, id) in labels.iter().zip(&instances[plane].2) {
            assert_eq!(label.to_string(), number_of(*id));
        }
    }
    // The same again is the same; what is there stays until it is asked for.
    run("epic").ends_with(1).says(&["is there already"]);
    run("again").ends_with(0);
    let all = files(&dir, "epic");
    assert_eq!(all, files(&dir, "again"));
    for file in all {
        assert!(dir.read(format!("epic/{file}")) == dir.read(format!("again/{file}")));
    }
    dir.write("epic/big/mine.txt", "");
    run("epic").args(["--overwrite"]).ends_with(0);
    assert!(!dir.join("epic/big/mine.txt").exists());
    // What HuBMAP must be told is asked for.
    export(&dir, "epic", &["out"], "x")
        .args(["--protocol", "doi.org/10.1/x"])
        .ends_with(2)
        .says(&["DOI"]);
}

#[test]
fn what_no_ontology_names_is_left_out_and_said() {
    let dir = with_big_slide();
    dir.segment(["big.tif"], "out")
        .args(["--route", "baseline"])
        .ends_with(0);
    export(&dir, "epic", &["out"], "epic")
        .args(["--protocol", PROTOCOL])
        .ends_with(1)
        .says(&["big", "nothing was found that HuBMAP has a mask for"]);
    assert!(!dir.join("epic/big").exists());
    export(&dir, "coco", &["out"], "coco").ends_with(0);
    let all: Value = serde_json::from_slice(&dir.read("coco/coco.json")).unwrap();
    assert_eq!(all["categories"][5]["name"], "FTU");
    assert_eq!(all["annotations"][0]["category_id"], 6);
}

#[test]
fn a_run_that_cannot_be_exported_says_why() {
    let dir = with_run();
    let coco = |results: &[&str]| export(&dir, "coco", results, "coco");
    coco(&["nowhere"]).ends_with(2).says(&["nowhere/run.json"]);
    coco(&["out", "out"])
        .ends_with(2)
        .says(&["is in out and in out"]);
    // An outline that is another object's, in a folder that is not touched otherwise.
    let path = dir.join("out/slides/big/objects.geojson");
    let outlines = fs::read_to_string(&path).unwrap();
    for (from, to, word) in [
        ("\"id\":\"2\"", "\"id\":\"3\"", "not of the same object"),
        ("\"Polygon\"", "\"Point\"", "is no polygon"),
        ("],[", "],[9999999,9999999],[", "does not follow the edges"),
        ("]}\n", "]}", "ends in the middle of a line"),
        ("\n{", "\n[", "not as a run writes it"),
    ] {
        let forged = match word {
            "ends in the middle of a line" => outlines.trim_end().to_owned(),
            _ => outlines.replacen(from, to, 1),
        };
        assert_ne!(forged, outlines, "{word}");
        fs::write(&path, forged).unwrap();
        coco(&["out"]).ends_with(2).says(&[word, "objects."]);
        assert!(!dir.join("coco/coco.json").exists());
        assert!(files(&dir, "coco").is_empty());
    }
    fs::remove_file(&path).unwrap();
    coco(&["out"])
        .ends_with(2)
        .says(&["has no objects.geojson", "--write geojson"]);
    fs::write(&path, &outlines).unwrap();
    // Outlines that are not the objects' own.
    dir.segment(["big.tif", "small.tif"], "simplified")
        .args(["--simplify", "6"])
        .ends_with(0);
    coco(&["simplified"])
        .ends_with(2)
        .says(&["were simplified by up to 6 um", "without --simplify"]);
    dir.segment(["big.tif", "small.tif"], "simplified")
        .ends_with(0);
    coco(&["simplified"]).ends_with(0);
    fs::remove_file(dir.join("coco/coco.json")).unwrap();
    // A slide that failed is told of.
    dir.write("bad.tif", "no slide");
    dir.segment(["big.tif", "small.tif", "bad.tif"], "out")
        .args(["--write", "all,instances"])
        .ends_with(1);
    coco(&["out"]).ends_with(1).says(&["not finished", "bad"]);
    assert!(dir.join("coco/coco.json").exists());
}

#[test]
fn compressed_outlines_will_do() {
    let dir = with_big_slide();
    for (out, write) in [
        ("plain", "objects,geojson"),
        ("packed", "objects,geojson.gz"),
    ] {
        dir.segment(["big.tif"], out)
            .args(["--write", write])
            .ends_with(0);
        export(&dir, "coco", &[out], &format!("{out}-coco")).ends_with(0);
    }
    assert!(dir.read("plain-coco/coco.json") == dir.read("packed-coco/coco.json"));
}

#[test]
fn a_spatialdata_store_is_whole_and_the_same_each_time() {
    let dir = with_run();
    dir.slide("glass.tif", (300, 200), Some(MPP), |_, _| [244; 3]);
    dir.segment(["big.tif", "small.tif", "glass.tif"], "out")
        .args(["--write", "all,instances"])
        .ends_with(0);
    let run = |out: &str| export(&dir, "spatialdata", &["out"], out);
    run("stores")
        .ends_with(0)
        .says(&["3 slides", "glass", "neither shapes nor a table"]);
    run("again").env("RAYON_NUM_THREADS", "1").ends_with(0);
    let all = files(&dir, "stores");
    assert_eq!(all, files(&dir, "again"));
    for file in &all {
        assert!(
            dir.read(format!("stores/{file}")) == dir.read(format!("again/{file}")),
            "{file}"
        );
    }
    for file in [
        "big.zarr/zarr.json",
        "big.zarr/labels/objects_labels/s0/c/0/0",
        "big.zarr/shapes/objects/shapes.parquet",
        "big.zarr/tables/table/X/c/0/0",
        "glass.zarr/labels/objects_labels/zarr.json",
    ] {
        assert!(all.iter().any(|other| other == file), "{file}");
    }
    assert!(!all.iter().any(|file| file.starts_with("glass.zarr/tables")));
    run("stores").ends_with(1).says(&["is there already"]);
}

/// The libraries that people use read the files and find the same: the scripts of `tests/interop`, in the Python that
/// `FTUSEG_INTEROP_PYTHON` names (test.sh makes it).
#[test]
fn the_libraries_of_others_read_the_exports() {
    let Some(python) = std::env::var_os("FTUSEG_INTEROP_PYTHON") else {
        println!("skipped: FTUSEG_INTEROP_PYTHON names no Python with pycocotools and the others");
        return;
    };
    let dir = with_run();
    export(&dir, "coco", &["out"], "coco").ends_with(0);
    export(&dir, "epic", &["out"], "epic")
        .args(["--protocol", PROTOCOL])
        .ends_with(0);
    export(&dir, "spatialdata", &["out"], "stores").ends_with(0);
    for (script, path) in [
        ("read_coco.py", "coco/coco.json"),
        ("read_epic.py", "epic"),
        ("read_spatialdata.py", "stores"),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop");
        let read = Command::new(&python)
            .arg(folder.join(script))
            .arg(dir.join("out"))
            .arg(dir.join(path))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success(), "{script}: {said}");
        let count: usize = String::from_utf8_lossy(&read.stdout)
            .trim()
            .parse()
            .unwrap();
        assert_eq!(count, rows(&dir, "out/objects.csv").len(), "{script}");
    }
}
