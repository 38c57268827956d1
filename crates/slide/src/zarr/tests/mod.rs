//! Small stores as other programs write them, and the same with lies in them.

mod lies;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;

const SIZE: (usize, usize) = (75, 53);
const SIDE: usize = 32;

/// A channel of a px of level 0.
fn px(channel: usize, y: usize, x: usize) -> u8 {
    ((x * 3 + y * 5 + channel * 70) % 251) as u8
}

/// A store that is being made.
struct Drawn(tempfile::TempDir);

impl Drawn {
    /// An image of two levels, version 0.5, each chunk a file with all channels.
    fn new() -> Self {
        let drawn = Drawn(tempfile::tempdir().unwrap());
        drawn.json("zarr.json", &group(&image()));
        drawn.level("s0", 1);
        drawn.level("s1", 2);
        drawn
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn json(&self, name: &str, value: &Value) {
        self.write(name, value.to_string().as_bytes());
    }

    /// A level of every `step`th px.
    fn level(&self, name: &str, step: usize) {
        let (width, height) = (SIZE.0.div_ceil(step), SIZE.1.div_ceil(step));
        self.json(&format!("{name}/zarr.json"), &array(height, width));
        for row in 0..height.div_ceil(SIDE) {
            for column in 0..width.div_ceil(SIDE) {
                let chunk = chunk(row, column, step);
                self.write(&format!("{name}/c/0/{row}/{column}"), &chunk);
            }
        }
    }

    /// Changes a file of JSON.
    fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let text = std::fs::read(self.0.path().join(name)).unwrap();
        let mut value = serde_json::from_slice(&text).unwrap();
        change(&mut value);
        self.json(name, &value);
    }

    fn open(&self) -> Result<ZarrReader, SlideError> {
        ZarrReader::open(self.0.path())
    }

    /// Opens the store and reads all of it.
    fn read(&self) -> Result<Vec<u8>, SlideError> {
        let slide = self.open()?;
        let mut all = Vec::new();
        for (number, level) in slide.info.levels.iter().enumerate() {
            let mut rgb = vec![1; level.width as usize * level.height as usize * 3];
            slide.read(number, 0, 0, level.width, level.height, &mut rgb)?;
            all.extend(rgb);
        }
        Ok(all)
    }
}

fn chunk(row: usize, column: usize, step: usize) -> Vec<u8> {
    let at = |channel| {
        let rows = row * SIDE..(row + 1) * SIDE;
        let columns = column * SIDE..(column + 1) * SIDE;
        rows.flat_map(move |y| {
            columns
                .clone()
                .map(move |x| px(channel, y * step, x * step))
        })
    };
    (0..3).flat_map(at).collect()
}

fn expected(step: usize) -> Vec<u8> {
    let rows = (0..SIZE.1).step_by(step);
    let all = rows.flat_map(|y| (0..SIZE.0).step_by(step).map(move |x| (y, x)));
    all.flat_map(|(y, x)| [px(0, y, x), px(1, y, x), px(2, y, x)])
        .collect()
}

fn both() -> Vec<u8> {
    [expected(1), expected(2)].concat()
}

fn group(ome: &Value) -> Value {
    json!({ "zarr_format": 3, "node_type": "group", "attributes": { "ome": ome } })
}

fn image() -> Value {
    let dataset = |level: u32| {
        let scale = 0.25 * f64::from(1 << level);
        json!({
            "path": format!("s{level}"),
            "coordinateTransformations": [{ "type": "scale", "scale": [1.0, scale, scale] }],
        })
    };
    json!({
        "version": "0.5",
        "multiscales": [{
            "axes": [
                { "name": "c", "type": "channel" },
                { "name": "y", "type": "space", "unit": "micrometer" },
                { "name": "x", "type": "space", "unit": "micrometer" },
            ],
            "datasets": [dataset(0), dataset(1)],
        }],
        "omero": { "channels": [{ "label": "R" }, { "label": "G" }, { "label": "B" }] },
    })
}

fn array(height: usize, width: usize) -> Value {
    json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": [3, height, width],
        "data_type": "uint8",
        "chunk_grid": { "name": "regular", "configuration": { "chunk_shape": [3, SIDE, SIDE] } },
        "chunk_key_encoding": { "name": "default", "configuration": { "separator": "/" } },
        "fill_value": 0,
        "codecs": [{ "name": "bytes" }],
    })
}

const SCALE: &str = "/attributes/ome/multiscales/0/datasets/0/coordinateTransformations/0/scale";

#[test]
fn the_sound_store_is_sound() {
    let drawn = Drawn::new();
    let slide = drawn.open().unwrap();
    assert_eq!(slide.info.format, "OME-Zarr 0.5");
    assert_eq!(slide.info.compression, "none");
    let sizes: Vec<_> = slide
        .info
        .levels
        .iter()
        .map(|l| (l.width, l.height))
        .collect();
    assert_eq!(sizes, [(75, 53), (38, 27)]);
    let resolution = slide.info.resolution.unwrap();
    assert_eq!((resolution.mpp, resolution.down), (0.25, 0.25));
    assert_eq!(slide.warnings, []);
    assert!(drawn.read().unwrap() == both());
}

#[test]
fn chunks_may_lie_and_be_named_in_any_way() {
    // A file a channel, as numbers with points between, with a slow axis that is the fast one in the chunk.
    let drawn = Drawn::new();
    std::fs::remove_dir_all(drawn.path().join("s0/c")).unwrap();
    drawn.change("s0/zarr.json", |array| {
        array["chunk_grid"]["configuration"]["chunk_shape"] = json!([1, 32, 32]);
        array["chunk_key_encoding"] = json!({ "name": "v2" });
        array["codecs"] = json!([
            { "name": "transpose", "configuration": { "order": [0, 2, 1] } }, "bytes", { "name": "crc32c" },
        ]);
    });
    for (channel, row, column) in
        (0..3).flat_map(|c| (0..2).flat_map(move |r| (0..3).map(move |k| (c, r, k))))
    {
        let all = chunk(row, column, 1);
        let plane = &all[channel * SIDE * SIDE..][..SIDE * SIDE];
        let mut turned: Vec<u8> = (0..SIDE)
            .flat_map(|x| (0..SIDE).map(move |y| plane[y * SIDE + x]))
            .collect();
        let sum = crc32c::crc32c(&turned);
        turned.extend(sum.to_le_bytes());
        drawn.write(&format!("s0/{channel}.{row}.{column}"), &turned);
    }
    assert!(drawn.read().unwrap() == both());
    assert_eq!(drawn.open().unwrap().warnings, []);
    // A sum that is not that of the bytes.
    let mut wrong = std::fs::read(drawn.path().join("s0/1.1.1")).unwrap();
    wrong[7] ^= 1;
    drawn.write("s0/1.1.1", &wrong);
    let error = drawn.read().unwrap_err().to_string();
    assert!(
        error.contains("chunk 1 x 1 x 1 of level 0") && error.contains("CRC32C"),
        "{error}"
    );
}

/// A store whose first level is one shard of 2 x 3 chunks.
fn sharded(index_at_start: bool) -> Drawn {
    let drawn = Drawn::new();
    std::fs::remove_dir_all(drawn.path().join("s0/c")).unwrap();
    drawn.change("s0/zarr.json", |array| {
        array["chunk_grid"]["configuration"]["chunk_shape"] = json!([3, 64, 96]);
        array["codecs"] = json!([{
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": [3, 32, 32],
                "codecs": [{ "name": "bytes" }],
                "index_codecs": [
                    { "name": "bytes", "configuration": { "endian": "little" } },
                    { "name": "crc32c" },
                ],
                "index_location": if index_at_start { "start" } else { "end" },
            },
        }]);
    });
    let length = 6 * 16 + 4;
    let (mut index, mut content) = (Vec::new(), Vec::new());
    for place in 0..6 {
        let chunk = chunk(place / 3, place % 3, 1);
        let before = if index_at_start { length } else { 0 };
        index.extend(((before + content.len()) as u64).to_le_bytes());
        index.extend((chunk.len() as u64).to_le_bytes());
        content.extend(chunk);
    }
    write_shard(&drawn, index, &content, index_at_start);
    drawn
}

fn write_shard(drawn: &Drawn, mut index: Vec<u8>, content: &[u8], index_at_start: bool) {
    let sum = crc32c::crc32c(&index);
    index.extend(sum.to_le_bytes());
    let shard = match index_at_start {
        true => [&index, content].concat(),
        false => [content, &index].concat(),
    };
    drawn.write("s0/c/0/0/0", &shard);
}

#[test]
fn files_may_hold_several_chunks() {
    for index_at_start in [false, true] {
        assert!(sharded(index_at_start).read().unwrap() == both());
    }
    let drawn = sharded(true);
    let shard = std::fs::read(drawn.path().join("s0/c/0/0/0")).unwrap();
    let (index, content) = (&shard[..96], &shard[100..]);
    let with = |entry: usize, start: u64, length: u64| {
        let mut index = index.to_vec();
        index[entry * 16..][..8].copy_from_slice(&start.to_le_bytes());
        index[entry * 16 + 8..][..8].copy_from_slice(&length.to_le_bytes());
        write_shard(&drawn, index, content, true);
        drawn.read()
    };
    // One that is not there is of the fill value.
    let filled = with(0, u64::MAX, u64::MAX).unwrap();
    assert_eq!(filled[..3], [0; 3]);
    assert!(filled[32 * 3..75 * 3] == both()[32 * 3..75 * 3]);
    for (start, length, words) in [
        (u64::MAX, 3072, "too short"),
        (1 << 40, 3072, "too short"),
        (100, 3071, "instead of"),
        (100, u64::MAX, "more than it can need"),
        (100, 1 << 30, "more than it can need"),
    ] {
        let error = with(4, start, length).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    drawn.write("s0/c/0/0/0", &shard[..99]);
    assert!(drawn.read().unwrap_err().to_string().contains("too short"));
    let mut flipped = shard.clone();
    flipped[3] ^= 1;
    drawn.write("s0/c/0/0/0", &flipped);
    assert!(drawn.read().unwrap_err().to_string().contains("CRC32C"));
}

#[test]
fn older_stores_are_read() {
    // Version 0.4 with all five axes, in the order of Fortran, behind the layout of bioformats2raw.
    let drawn = Drawn(tempfile::tempdir().unwrap());
    drawn.json(".zgroup", &json!({ "zarr_format": 2 }));
    drawn.json(".zattrs", &json!({ "bioformats2raw.layout": 3 }));
    drawn.json("OME/.zattrs", &json!({ "series": ["0", "1"] }));
    let axis = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let mut space = ["z", "y", "x"].map(|name| axis(name, "space"));
    (space[1]["unit"], space[2]["unit"]) = ("millimeter".into(), "nanometer".into());
    let [z, y, x] = space;
    drawn.json(
        "0/.zattrs",
        &json!({
            "multiscales": [{
                "version": "0.4",
                "axes": [axis("t", "time"), axis("c", "channel"), z, y, x],
                "datasets": [{ "path": "full", "coordinateTransformations": [
                    { "type": "scale", "scale": [1, 1, 1, 0.0005, 5] },
                    { "type": "translation", "translation": [0, 0, 0, 7, 7] },
                ] }],
                "coordinateTransformations": [{ "type": "scale", "scale": [1, 1, 1, 1, 100.2] }],
            }],
            "omero": { "channels": [{ "color": "0000FF" }, { "color": "00FF00" }, { "color": "ff0000", "label": "Channel 2" }] },
        }),
    );
    drawn.json(
        "0/full/.zarray",
        &json!({
            "zarr_format": 2, "shape": [1, 3, 1, 53, 75], "chunks": [1, 3, 1, 53, 75], "dtype": "|u1", "order": "F",
            "compressor": { "id": "zlib", "level": 1 }, "fill_value": null, "filters": null, "dimension_separator": "/",
        }),
    );
    // The channels stand the other way round.
    let all = (0..75).flat_map(|x| (0..53).flat_map(move |y| (0..3).map(move |c| px(2 - c, y, x))));
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut zlib, &all.collect::<Vec<_>>()).unwrap();
    drawn.write("0/full/0/0/0/0/0", &zlib.finish().unwrap());
    let slide = drawn.open().unwrap();
    assert_eq!(slide.info.format, "OME-Zarr 0.4, image 0");
    assert_eq!(slide.info.compression, "Deflate");
    let resolution = slide.info.resolution.unwrap();
    assert!((resolution.mpp - 0.501).abs() < 1e-12 && (resolution.down - 0.5).abs() < 1e-12);
    assert_eq!(slide.warnings.len(), 1);
    assert!(
        slide.warnings[0]
            .text
            .contains("2 images; the first one, 0"),
        "{:?}",
        slide.warnings
    );
    assert!(drawn.read().unwrap() == expected(1));
    // The image in it is a slide, too.
    let inner = ZarrReader::open(&drawn.path().join("0")).unwrap();
    assert_eq!(
        (inner.info.format.as_str(), inner.warnings.len()),
        ("OME-Zarr 0.4", 0)
    );
    // Without the list of images, they are counted.
    std::fs::remove_dir_all(drawn.path().join("OME")).unwrap();
    assert_eq!(drawn.open().unwrap().warnings, []);
}

#[test]
fn missing_chunks_are_filled_and_told_of() {
    let drawn = Drawn::new();
    let remove = |name: &str| std::fs::remove_file(drawn.path().join(name)).unwrap();
    remove("s0/c/0/0/1");
    remove("s1/c/0/0/0");
    let slide = drawn.open().unwrap();
    assert_eq!(slide.warnings.len(), 1);
    assert_eq!(slide.warnings[0].kind, WarningKind::MissingTiles);
    assert_eq!(
        slide.warnings[0].text,
        "1 of 6 chunks of level 0 and 1 of 2 chunks of the levels below it are missing; they are filled with the value that \
         the arrays state (0)"
    );
    let read = drawn.read().unwrap();
    assert_eq!(read[32 * 3..64 * 3], [0; 96]);
    assert!(read[64 * 3..75 * 3] == both()[64 * 3..75 * 3]);
    // Mostly nothing is no slide, unless it says that nothing is white.
    for chunk in ["s0/c/0/0/0", "s0/c/0/0/2", "s0/c/0/1/0"] {
        remove(chunk);
    }
    let error = drawn.open().err().unwrap().to_string();
    assert!(error.contains("4 of 6 chunks at full size"), "{error}");
    for level in ["s0", "s1"] {
        drawn.change(&format!("{level}/zarr.json"), |array| {
            array["fill_value"] = 255.into()
        });
    }
    assert_eq!(drawn.read().unwrap()[..96], [255; 96]);
    std::fs::remove_dir_all(drawn.path().join("s0/c")).unwrap();
    assert!(drawn.open().is_err());
}

#[test]
fn every_unit_of_the_format_is_known() {
    let mpp = |unit: &str, scale: f64| {
        let drawn = Drawn::new();
        drawn.change("zarr.json", |told| {
            *told.pointer_mut(SCALE).unwrap() = json!([1, scale, scale]);
            for axis in [1, 2] {
                told.pointer_mut("/attributes/ome/multiscales/0/axes")
                    .unwrap()[axis]["unit"] = unit.into();
            }
        });
        drawn.open().unwrap().info.resolution.map(|r| r.mpp)
    };
    for (unit, um) in [
        ("angstrom", 1e-4),
        ("attometer", 1e-12),
        ("centimeter", 1e4),
        ("decimeter", 1e5),
        ("exameter", 1e24),
        ("femtometer", 1e-9),
        ("foot", 304_800.0),
        ("gigameter", 1e15),
        ("hectometer", 1e8),
        ("inch", 25_400.0),
        ("kilometer", 1e9),
        ("megameter", 1e12),
        ("meter", 1e6),
        ("micrometer", 1.0),
        ("mile", 1_609_344_000.0),
        ("millimeter", 1e3),
        ("nanometer", 1e-3),
        ("parsec", 3.085_677_581_491_367e22),
        ("petameter", 1e21),
        ("picometer", 1e-6),
        ("terameter", 1e18),
        ("yard", 914_400.0),
        ("yoctometer", 1e-18),
        ("yottameter", 1e30),
        ("zeptometer", 1e-15),
        ("zettameter", 1e27),
        ("Micrometer", 1.0),
        ("µm", 1.0),
    ] {
        let found = mpp(unit, 0.5 / um).unwrap_or_else(|| panic!("{unit}"));
        assert!((found - 0.5).abs() < 1e-9, "{unit}: {found}");
    }
}
