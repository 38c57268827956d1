//! `--write zarr`: images of labels with the px and numbers of `instances.ome.tif`, in a folder that comes, stays and goes as
//! the files beside it do.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use zarrs::array::Array;
use zarrs::filesystem::FilesystemStore;

use super::objects::{EVERYTHING, planes, rows, with_big_slide};
use super::util::*;

const STORE: &str = "labels.ome.zarr";

/// What lies in the store of a slide: the bytes of its files by path.
fn store(dir: &Dir, out: &str, id: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let all = dir.snapshot(format!("{out}/slides/{id}/{STORE}"));
    assert!(!all.is_empty());
    all.into_iter()
        .map(|(path, (bytes, _))| (path, bytes))
        .collect()
}

/// The attributes `ome` of a group of a slide's store.
fn ome(dir: &Dir, folder: &str, node: &str) -> Value {
    let group = dir.json(format!("{folder}/{STORE}/{node}/zarr.json"));
    assert_eq!(
        (&group["zarr_format"], &group["node_type"]),
        (&json!(3), &json!("group"))
    );
    group["attributes"]["ome"].clone()
}

/// The levels of an image of labels: height, width and labels.
fn levels_of(dir: &Dir, folder: &str, node: &str, count: usize) -> Vec<(u64, u64, Vec<u32>)> {
    let files = Arc::new(FilesystemStore::new(dir.join(format!("{folder}/{STORE}"))).unwrap());
    (0..count)
        .map(|level| {
            let array = Array::open(files.clone(), &format!("/{node}/s{level}")).unwrap();
            let all = array.retrieve_array_subset(&array.subset_all()).unwrap();
            (array.shape()[0], array.shape()[1], all)
        })
        .collect()
}

#[test]
fn labels_are_the_instances() {
    let dir = with_big_slide();
    dir.segment(["big.tif"], "out")
        .args(["--write", EVERYTHING])
        .ends_with(0);
    let folder = "out/slides/big";
    assert_eq!(ome(&dir, folder, ""), json!({ "version": "0.5" }));
    assert_eq!(
        ome(&dir, folder, "labels"),
        json!({ "version": "0.5", "labels": ["kidney", "prostate"] })
    );
    let planes = planes(&dir, &format!("{folder}/instances.ome.tif"));
    let table = rows(&dir, &format!("{folder}/objects.csv"));
    for ((width, height, labels), organ) in planes.into_iter().zip(["kidney", "prostate"]) {
        let node = format!("labels/{organ}");
        let about = ome(&dir, folder, &node);
        let image = &about["multiscales"][0];
        assert_eq!(
            image["axes"],
            json!([
                { "name": "y", "type": "space", "unit": "micrometer" },
                { "name": "x", "type": "space", "unit": "micrometer" },
            ])
        );
        let datasets = image["datasets"].as_array().unwrap();
        assert_eq!(datasets.len(), 4);
        for (level, dataset) in datasets.iter().enumerate() {
            let scale = MPP * f64::from(1 << level);
            assert_eq!(
                *dataset,
                json!({
                    "path": format!("s{level}"),
                    "coordinateTransformations": [{ "type": "scale", "scale": [scale, scale] }],
                })
            );
        }
        let levels = levels_of(&dir, folder, &node, 4);
        assert_eq!((levels[0].0, levels[0].1), (height.into(), width.into()));
        assert!(levels[0].2 == labels, "{organ}");
        for pair in levels.windows(2) {
            let [(_, above, from), (height, width, to)] = pair else {
                unreachable!()
            };
            let expected: Vec<u32> = (0..*height)
                .flat_map(|y| (0..*width).map(move |x| (2 * y * above + 2 * x) as usize))
                .map(|place| from[place])
                .collect();
            assert!(*to == expected, "{organ}");
        }
        let own: Vec<_> = table.iter().filter(|row| row["organ"] == organ).collect();
        let properties = about["image-label"]["properties"].as_array().unwrap();
        let colours = about["image-label"]["colors"].as_array().unwrap();
        assert_eq!((properties.len(), colours.len()), (own.len(), own.len()));
        for ((told, coloured), row) in properties.iter().zip(colours).zip(own) {
            assert_eq!(told["label-value"].to_string(), row["id"]);
            assert_eq!(coloured["label-value"], told["label-value"]);
            assert_eq!(told["uuid"], row["uuid"]);
            assert_eq!(told["unit"], row["unit"]);
            assert_eq!(told["area_px"].to_string(), row["area_px"]);
            let area: f64 = row["area_um2"].parse().unwrap();
            assert_eq!(told["area_um2"].as_f64(), Some(area));
        }
        assert_eq!(colours[0]["rgba"].as_array().unwrap().len(), 4);
    }
    // A large slide has few files: tiles that stand side by side share one.
    let files = store(&dir, "out", "big").into_keys();
    let chunks: Vec<_> = files
        .filter(|path| path.starts_with("labels/kidney/s0/c") && path.iter().count() == 6)
        .collect();
    assert!((1..=4).contains(&chunks.len()), "{chunks:?}");
}

#[test]
fn the_store_does_not_hang_on_threads_or_on_when_it_is_made() {
    let dir = with_big_slide();
    let run = |out: &str, list: &str| dir.segment(["big.tif"], out).args(["--write", list]);
    run("one", "mask,zarr")
        .args(["--threads", "1"])
        .ends_with(0);
    run("four", "mask,zarr")
        .args(["--threads", "4"])
        .ends_with(0);
    let fresh = store(&dir, "one", "big");
    assert!(fresh == store(&dir, "four", "big"));
    // Added to what is there, it is the same.
    for first in ["mask", "rle"] {
        run(first, first).ends_with(0);
        run(first, "zarr")
            .args(["--verbose"])
            .ends_with(0)
            .says(&["without running the models again", "1 done"]);
        assert!(fresh == store(&dir, first, "big"), "{first}");
        run(first, "zarr").ends_with(0).says(&["1 already done"]);
    }
    // What is there stays when others are added.
    run("mask", "geojson").ends_with(0).says(&["1 done"]);
    assert!(fresh == store(&dir, "mask", "big"));
    assert!(dir.join("mask/slides/big/objects.geojson").is_file());
    // What is done again is what was asked for.
    run("mask", "mask").args(["--overwrite"]).ends_with(0);
    assert!(!dir.join("mask/slides/big").join(STORE).exists());
}

#[test]
fn a_store_that_is_not_as_it_was_written_is_made_again() {
    let dir = Dir::with_slide();
    let run = || {
        dir.segment(["one.tif"], "out")
            .args(["--write", "mask,zarr"])
    };
    run().ends_with(0);
    let fresh = store(&dir, "out", "one");
    let path = dir.join("out/slides/one").join(STORE);
    let is_made_again = |what: &str| {
        run()
            .ends_with(0)
            .says(&["will get zarr made from what is there"]);
        assert!(fresh == store(&dir, "out", "one"), "{what}");
    };
    fs::remove_dir_all(&path).unwrap();
    is_made_again("deleted");
    fs::remove_dir_all(&path).unwrap();
    fs::write(&path, "a file").unwrap();
    is_made_again("a file");
    fs::remove_file(path.join("zarr.json")).unwrap();
    is_made_again("without its metadata");
    #[cfg(unix)]
    {
        // Links out of the folder are no results of ours, and what they point to stays.
        dir.write("elsewhere/0", "mine");
        std::os::unix::fs::symlink(dir.join("elsewhere"), path.join("labels/0")).unwrap();
        is_made_again("a link inside");
        fs::remove_dir_all(&path).unwrap();
        std::os::unix::fs::symlink(dir.join("elsewhere"), &path).unwrap();
        is_made_again("a link");
        assert_eq!(dir.read("elsewhere/0"), b"mine");
    }
}

#[test]
fn nothing_found_is_an_empty_list() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("glass.tif", (300, 200), Some(MPP), |_, _| [244; 3]);
    dir.segment(["glass.tif"], "out")
        .args(["--write", "zarr"])
        .ends_with(0);
    let list = ome(&dir, "out/slides/glass", "labels");
    assert_eq!(list, json!({ "version": "0.5", "labels": [] }));
    assert_eq!(store(&dir, "out", "glass").len(), 4);
}
