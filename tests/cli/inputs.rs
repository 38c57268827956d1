//! Names of files, ids of manifests, and Kaggle's tables.

use std::fs;
use std::path::Path;

use super::util::*;
use super::{assert_failed, slides_of};

#[test]
fn ids_stand_as_they_are_and_folders_are_safe_and_unique() {
    let dir = Dir::with_slide();
    let names = [
        "a/same.tif",
        "b/same.tif",
        "b/Same.ome.tif",
        "it's \"quoted\", with space.tif",
        "切片-ä-Ω.tif",
        "$(touch pwned);.tif",
    ];
    for name in names {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(dir.join("one.tif"), path).unwrap();
    }
    dir.segment(names, "out").ends_with(0);
    let run = dir.json("out/run.json");
    let slides = run["slides"].as_array().unwrap();
    let ids: Vec<&str> = slides.iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        [
            "same",
            "same",
            "Same",
            "it's \"quoted\", with space",
            "切片-ä-Ω",
            "$(touch pwned);"
        ]
    );
    let rows = dir.submission("out");
    for ((slide, name), row) in slides.iter().zip(names).zip(&rows) {
        assert_eq!(row.0, slide["id"].as_str().unwrap());
        assert_eq!(row.1, rows[0].1, "{name}");
        let folder = slide["folder"].as_str().unwrap();
        let record = dir.json(format!("out/{folder}/slide.json"));
        assert_eq!(record["id"], slide["id"]);
        assert_eq!(
            format!("slides/{}", record["folder"].as_str().unwrap()),
            folder
        );
        assert!(record["input"]["path"].as_str().unwrap().ends_with(name));
    }
    assert_eq!(slides[4]["folder"], "slides/切片-ä-Ω");
    assert_eq!(slides[0]["warnings"][0]["kind"], "same-id");
    assert_eq!(slides_of(&dir, "out").len(), names.len());
}

#[test]
fn a_manifest_cannot_write_outside_the_results() {
    let dir = Dir::with_slide();
    let path = dir.join("one.tif");
    let path = path.display();
    let ids = [
        "../../x",
        "/abs",
        "..",
        ".",
        "a/b",
        "..\\..\\y",
        ".hidden",
        "x\u{0}y",
    ];
    let rows: String = ids.iter().map(|id| format!("{id},{path}\n")).collect();
    dir.write("deep/m.csv", format!("id,path\n{rows}"));
    fs::create_dir_all(dir.join("deep/er")).unwrap();
    let around = |dir: &Dir| -> Vec<_> {
        let all = dir.snapshot("").into_keys();
        all.filter(|path| !path.starts_with("deep/er/out"))
            .collect()
    };
    let before = around(&dir);
    dir.segment(["deep/m.csv"], "deep/er/out").ends_with(0);
    assert_eq!(around(&dir), before);
    assert!(!Path::new("/abs").exists());
    let slides = slides_of(&dir, "deep/er/out");
    assert_eq!(slides.len(), ids.len());
    assert!(
        slides.iter().all(|name| !name.starts_with('.')),
        "{slides:?}"
    );
    assert_eq!(dir.submission("deep/er/out").len(), ids.len());
}

#[test]
fn kaggles_tables_name_images_resolutions_and_organs() {
    let dir = Dir::with_slide();
    for id in ["10", "20", "30", "40"] {
        dir.slide(&format!("images/{id}.tiff"), (300, 200), None, |x, y| {
            two_organs(x, y, 1)
        });
    }
    dir.write(
        "train.csv",
        "id,organ,data_source,pixel_size,rle\n10,kidney,HPA,2.0,1 2\n20,prostate,HPA,2.0,\n30,liver,HPA,2.0,\n40,lung,HPA,,\n",
    );
    let command = |out: &str| dir.segment(["train.csv"], out).args(["--images", "images"]);
    // The router decides; the organs of the table, right or wrong, are not looked at.
    command("tile").ends_with(1);
    assert_failed(&dir, "tile", "40", "no-resolution", &["40.tiff", "um/px"]);
    let rows = dir.submission("tile");
    assert_eq!(rows.len(), 3);
    assert!(
        rows.iter()
            .all(|row| row.1 == rows[0].1 && !row.1.is_empty())
    );
    let record = dir.json("tile/slides/10/slide.json");
    assert_eq!(record["mpp"]["source"], "manifest");
    assert_eq!(record["mpp"]["value"], 2.0);

    command("given").args(["--route", "given"]).ends_with(1);
    assert_failed(&dir, "given", "30", "usage", &["liver"]);
    assert_failed(&dir, "given", "40", "no-resolution", &["40.tiff"]);
    for (id, organ, colour) in [
        ("10", "kidney", KIDNEY_FTU),
        ("20", "prostate", PROSTATE_FTU),
    ] {
        let record = dir.json(format!("given/slides/{id}/slide.json"));
        let organs = record["organs"].as_array().unwrap();
        assert_eq!(organs.len(), 1);
        assert_eq!(organs[0]["organ"], organ);
        assert_eq!(organs[0]["confidence"], 1.0);
        let (_, text) = dir
            .submission("given")
            .into_iter()
            .find(|(row, _)| row == id)
            .unwrap();
        for (index, set) in decode_rle(&text, 300, 200).into_iter().enumerate() {
            let (x, y) = (index as u32 % 300, index as u32 / 300);
            assert_eq!(set, two_organs(x, y, 1) == colour, "{id}: px ({x}, {y})");
        }
    }
    // Slides without an organ in their manifest cannot be given one.
    dir.segment(["one.tif"], "bare")
        .args(["--route", "given"])
        .ends_with(2)
        .says(&["column organ", "--route organ=kidney"]);
    assert!(!dir.join("bare").exists());
    dir.segment(["one.tif"], "lung")
        .args(["--route", "organ=lung"])
        .ends_with(0);
    let record = dir.json("lung/slides/one/slide.json");
    assert_eq!(record["organ"], "lung");
    assert_eq!(record["organs"][0]["label"], 5);
}
