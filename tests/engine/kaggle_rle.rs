//! The RLE of every row of Kaggle's training table survives decoding and encoding.

use std::path::PathBuf;

use ftuseg::mask::{polygons, rasterize, rle};

/// The folder with shared data sets, which is not part of the project.
fn shared() -> PathBuf {
    std::env::var_os("FTUSEG_SHARED").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").into(),
        PathBuf::from,
    )
}

#[test]
fn every_row_comes_back_identical() {
    let path = shared().join("data/kaggle_rows/train.csv");
    let Ok(table) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not here", path.display());
        return;
    };
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|&title| title == name).unwrap();
    let (id, width, height, text) = (
        column("id"),
        column("img_width"),
        column("img_height"),
        column("rle"),
    );
    let mut rows = 0;
    for line in lines.filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), header.len(), "row {}", fields[id]);
        let (width, height) = (
            fields[width].parse().unwrap(),
            fields[height].parse().unwrap(),
        );
        let mask = rle::decode(fields[text], width, height).unwrap();
        assert!(mask.count() > 0, "row {}", fields[id]);
        assert!(
            rle::encode(&mask) == fields[text],
            "row {} differs",
            fields[id]
        );
        assert!(
            rasterize(&polygons(&mask), width, height).unwrap() == mask,
            "outlines of row {}",
            fields[id]
        );
        rows += 1;
    }
    println!("{rows} rows came back identical");
    assert!(rows > 0);
}
