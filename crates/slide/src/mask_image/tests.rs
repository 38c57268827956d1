//! Two boxes as masks of every kind that tools write, and what is refused.

use std::path::PathBuf;

use super::*;

const WIDTH: usize = 16;
const HEIGHT: usize = 12;

/// 1 in the left box, 2 in the right one, 0 elsewhere; they touch.
fn label(x: usize, y: usize) -> u64 {
    match (x, y) {
        (2..=5, 3..=8) => 1,
        (6..=10, 3..=8) => 2,
        _ => 0,
    }
}

const AREA: u64 = 9 * 6;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// A PNG of these numbers, `channels` a px.
fn png_of(
    colour: png::ColorType,
    bits: u32,
    palette: Option<(Vec<u8>, Vec<u8>)>,
    numbers: impl Fn(u64) -> Vec<u64>,
) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..HEIGHT {
        let mut row = Vec::new();
        let (mut byte, mut used) = (0_u64, 0);
        for number in (0..WIDTH).flat_map(|x| numbers(label(x, y))) {
            if bits == 16 {
                row.extend((number as u16).to_be_bytes());
                continue;
            }
            (byte, used) = (byte << bits | number, used + bits);
            if used == 8 {
                row.push(byte as u8);
                (byte, used) = (0, 0);
            }
        }
        rows.extend(row);
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, WIDTH as u32, HEIGHT as u32);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::from_u8(bits as u8).unwrap());
    if let Some((colours, alphas)) = palette {
        encoder.set_palette(colours);
        if !alphas.is_empty() {
            encoder.set_trns(alphas);
        }
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&rows).unwrap();
    writer.finish().unwrap();
    out
}

/// An uncompressed little-endian TIFF of one strip, with further tags of numbers of 16 bits.
fn tiff_of(
    bits: u16,
    format: u16,
    photometric: u16,
    more: &[(u16, Vec<u16>)],
    number: impl Fn(u64) -> u64,
) -> Vec<u8> {
    let mut strip = Vec::new();
    for y in 0..HEIGHT {
        let mut line = Vec::new();
        for x in 0..WIDTH {
            line.extend(&number(label(x, y)).to_le_bytes()[..usize::from(bits / 8).max(1)]);
        }
        if bits == 1 {
            line = line
                .chunks(8)
                .map(|px| px.iter().fold(0, |b, p| b << 1 | p))
                .collect();
        }
        strip.extend(line);
    }
    let mut tags: Vec<(u16, Vec<u16>)> = vec![
        (256, vec![WIDTH as u16]),
        (257, vec![HEIGHT as u16]),
        (258, vec![bits]),
        (259, vec![1]),
        (262, vec![photometric]),
        (273, vec![8]),
        (277, vec![1]),
        (278, vec![HEIGHT as u16]),
        (279, vec![strip.len() as u16]),
        (339, vec![format]),
    ];
    tags.extend(more.iter().cloned());
    tags.sort();
    let mut beside = Vec::new();
    let start = 8 + strip.len();
    let mut entries = Vec::new();
    for (tag, values) in &tags {
        // An ASCII text is told as its bytes.
        let kind: u16 = if *tag == 270 { 2 } else { 3 };
        let bytes: Vec<u8> = match kind {
            2 => values.iter().map(|&byte| byte as u8).collect(),
            _ => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        };
        entries.extend(tag.to_le_bytes());
        entries.extend(kind.to_le_bytes());
        entries.extend((values.len() as u32).to_le_bytes());
        if bytes.len() <= 4 {
            let mut value = bytes;
            value.resize(4, 0);
            entries.extend(value);
        } else {
            entries.extend(((start + beside.len()) as u32).to_le_bytes());
            beside.extend(bytes);
        }
    }
    let directory = (start + beside.len()) as u32;
    let mut file = b"II\x2a\0".to_vec();
    file.extend(directory.to_le_bytes());
    file.extend(strip);
    file.extend(beside);
    file.extend((tags.len() as u16).to_le_bytes());
    file.extend(entries);
    file.extend([0; 4]);
    file
}

fn right(name: &str, bytes: &[u8], objects: usize) {
    let folder = Folder::new();
    let read = read_mask_image(&folder.put("x", bytes)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let found = read.objects.unwrap_or_else(|| Objects::find(&read.mask));
    assert_eq!((read.mask.count(), found.len()), (AREA, objects), "{name}");
    assert!(read.mask.get(2, 3) && !read.mask.get(0, 0), "{name}");
}

fn refused(name: &str, bytes: &[u8], words: &str) {
    let folder = Folder::new();
    let error = match read_mask_image(&folder.put("x", bytes)) {
        Ok(read) => panic!("{name}: {} px", read.mask.count()),
        Err(error) => error.to_string(),
    };
    assert!(error.contains(words), "{name}: {error}");
}

const GREY: png::ColorType = png::ColorType::Grayscale;
const INDEXED: png::ColorType = png::ColorType::Indexed;

#[test]
fn masks_of_every_kind_are_the_same_mask() {
    let on = |label: u64| u64::from(label > 0);
    let colours = |label: u64| [[0, 0, 0], [255, 0, 0], [0, 0, 9]][label as usize];
    right("0 and 1", &png_of(GREY, 8, None, |l| vec![on(l)]), 1);
    right(
        "0 and 255",
        &png_of(GREY, 8, None, |l| vec![255 * on(l)]),
        1,
    );
    right("bilevel", &png_of(GREY, 1, None, |l| vec![on(l)]), 1);
    right("4 bits", &png_of(GREY, 4, None, |l| vec![l]), 2);
    right("labels", &png_of(GREY, 8, None, |l| vec![l]), 2);
    right("labels of 16 bits", &png_of(GREY, 16, None, |l| vec![l]), 2);
    right(
        "labels that are 0 as bytes",
        &png_of(GREY, 16, None, |l| vec![l * 256]),
        2,
    );
    right(
        "RGB",
        &png_of(png::ColorType::Rgb, 8, None, |l| colours(l).to_vec()),
        2,
    );
    let opaque = |l: u64| [&colours(l)[..], &[255]].concat();
    right(
        "opaque RGBA",
        &png_of(png::ColorType::Rgba, 8, None, opaque),
        2,
    );
    let overlay = |l: u64| match l {
        0 => vec![255, 255, 255, 0],
        _ => vec![200, 0, 0, 90],
    };
    right(
        "an overlay",
        &png_of(png::ColorType::Rgba, 8, None, overlay),
        1,
    );
    let in_alpha = |l: u64| vec![0, 0, 0, 255 * on(l)];
    right(
        "black in alpha",
        &png_of(png::ColorType::Rgba, 8, None, in_alpha),
        1,
    );
    let no_alpha = |l: u64| vec![255 * on(l), 0];
    right(
        "alpha 0",
        &png_of(png::ColorType::GrayscaleAlpha, 8, None, no_alpha),
        1,
    );
    let voc = vec![0, 0, 0, 128, 0, 0, 0, 128, 0];
    right(
        "a palette",
        &png_of(INDEXED, 8, Some((voc, vec![])), |l| vec![l]),
        2,
    );
    let on_white = vec![255, 255, 255, 128, 0, 0, 0, 128, 0];
    right(
        "a palette on white",
        &png_of(INDEXED, 2, Some((on_white.clone(), vec![])), |l| vec![l]),
        2,
    );
    right(
        "a palette on glass",
        &png_of(INDEXED, 2, Some((on_white, vec![0, 255, 255])), |l| vec![l]),
        2,
    );
    for (bits, format) in [(8, 1), (16, 1), (32, 1), (64, 1), (8, 2), (16, 2), (32, 2)] {
        right("TIFF", &tiff_of(bits, format, 1, &[], |l| l), 2);
    }
    right("bilevel TIFF", &tiff_of(1, 1, 1, &[], on), 1);
    right(
        "floats",
        &tiff_of(32, 3, 1, &[], |l| u64::from((l as f32).to_bits())),
        2,
    );
    right("inverted labels", &tiff_of(8, 1, 0, &[], |l| l), 2);
    let imagej = "ImageJ=1.53t\n\0".bytes().map(u16::from).collect();
    right(
        "ImageJ's inverting table",
        &tiff_of(8, 1, 0, &[(270, imagej)], |l| 255 * on(l)),
        1,
    );
    let mut reversed = tiff_of(1, 1, 1, &[(266, vec![2])], on);
    let strip = 8..8 + HEIGHT * WIDTH / 8;
    reversed[strip]
        .iter_mut()
        .for_each(|byte| *byte = byte.reverse_bits());
    right("bits from the right", &reversed, 1);
    let mut map = vec![0; 768];
    (map[1], map[258]) = (65535, 65535);
    right(
        "a TIFF's palette",
        &tiff_of(8, 1, 3, &[(320, map)], |l| l),
        2,
    );
}

#[test]
fn what_can_be_meant_in_two_ways_is_refused() {
    let on = |label: u64| u64::from(label > 0);
    refused(
        "WhiteIsZero",
        &tiff_of(8, 1, 0, &[], |l| 255 * on(l)),
        "by its numbers or by its colours",
    );
    refused(
        "bilevel WhiteIsZero",
        &tiff_of(1, 1, 0, &[], on),
        "by its colours",
    );
    refused(
        "empty WhiteIsZero",
        &tiff_of(8, 1, 0, &[], |_| 0),
        "inverted",
    );
    let inverted = vec![255, 255, 255, 0, 0, 0];
    refused(
        "an inverted palette",
        &png_of(INDEXED, 1, Some((inverted, vec![])), |l| vec![on(l)]),
        "by its colours",
    );
    let hole = |l: u64| match l {
        0 => vec![0, 0, 0, 255],
        _ => vec![255, 255, 255, 0],
    };
    refused(
        "transparent white on black",
        &png_of(png::ColorType::Rgba, 8, None, hole),
        "transparency",
    );
    refused(
        "no background",
        &png_of(GREY, 8, None, |l| vec![l + 1]),
        "none of them is background",
    );
    refused(
        "below 0",
        &tiff_of(32, 2, 1, &[], |l| l.wrapping_sub(1)),
        "negative",
    );
    refused(
        "probabilities",
        &tiff_of(32, 3, 1, &[], |l| u64::from((l as f32 / 3.0).to_bits())),
        "whole",
    );
    refused("cut off", &png_of(GREY, 8, None, |l| vec![l])[..60], "");
}

#[test]
fn photographs_and_smoothed_edges_are_refused() {
    let mut collector = Collector::new(100, 100);
    for y in 0..100 {
        let row: Vec<u64> = (0..100_u64)
            .map(|x| ((x * 31) ^ (u64::from(y) * 17)) & 255)
            .collect();
        collector.row(0, y, &row).unwrap();
    }
    let error = collector
        .finish(&MaskKind::plain(8, Meaning::Grey))
        .unwrap_err();
    assert!(error.contains("photograph"), "{error}");
    let mut collector = Collector::new(100, 100);
    for y in 0..100_u32 {
        let row: Vec<u64> = (0..100_u64)
            .map(|x| (x.saturating_sub(20) * 20).min(255))
            .collect();
        collector.row(0, y, &row).unwrap();
    }
    let error = collector
        .finish(&MaskKind::plain(8, Meaning::Grey))
        .unwrap_err();
    assert!(error.contains("smoothed"), "{error}");
}

/// A pale core on white glass, a quarter of the picture, as a scanner sees it: hardly two px are alike.
fn stained(at: usize, side: usize, dot: bool) -> [u8; 3] {
    let (x, y) = (at % side, at / side);
    let noise = (x * 7919 + y * 104_729 + x * y * 31) as u32;
    match (x.abs_diff(side / 2), y.abs_diff(side / 2)) {
        (0, 0) if dot => [0; 3],
        (dx, dy) if dx * dx + dy * dy < side * side / 16 => [
            220 - (noise % 23) as u8,
            180 - (noise / 23 % 41) as u8,
            215 - (noise / 7 % 19) as u8,
        ],
        _ => [255; 3],
    }
}

#[test]
fn pictures_of_tissue_are_refused_with_what_was_found() {
    let side = 240;
    // One black px is enough for a background, and glass makes most px alike.
    for dot in [false, true] {
        let mut collector = Collector::new(side as u32, side as u32);
        for y in 0..side {
            let row: Vec<u64> = (0..side)
                .map(|x| {
                    let [r, g, b] = stained(y * side + x, side, dot).map(u64::from);
                    r | g << 8 | b << 16
                })
                .collect();
            collector.row(0, y as u32, &row).unwrap();
        }
        let error = collector.finish(&MaskKind::plain(8, Meaning::Rgb));
        let error = error.unwrap_err();
        assert!(
            error.contains("it is a picture and no mask") && error.contains(" values that change"),
            "{error}"
        );
        // As JPEG, pale tissue would be a rim of a mask of the glass.
        let rgb: Vec<u8> = (0..side * side)
            .flat_map(|at| stained(at, side, false).map(|v| v.saturating_add(10)))
            .collect();
        let mut out = Vec::new();
        jpeg_encoder::Encoder::new(&mut out, 90)
            .encode(&rgb, side as u16, side as u16, jpeg_encoder::ColorType::Rgb)
            .unwrap();
        refused("a photograph", &out, "it is a photograph and no mask");
    }
}

#[test]
fn a_photograph_that_was_enlarged_is_one_all_the_same() {
    // Each px as a square of 4 x 4. With black px among them it would pass for coloured labels: each square has a colour
    // of its own, as each object of a label image may have.
    let side = 480;
    let mut collector = Collector::new(side as u32, side as u32);
    for y in 0..side {
        let row: Vec<u64> = (0..side)
            .map(|x| {
                let [r, g, b] = stained(y / 4 * 120 + x / 4, 120, false).map(u64::from);
                r | g << 8 | b << 16
            })
            .collect();
        collector.row(0, y as u32, &row).unwrap();
    }
    let error = collector.finish(&MaskKind::plain(8, Meaning::Rgb));
    let error = error.unwrap_err();
    assert!(error.contains("it is a picture and no mask"), "{error}");
}

#[test]
fn coloured_labels_by_the_thousand_are_a_mask_all_the_same() {
    // 2500 objects of 4 x 4 px, each in a colour of its own.
    let side = 250_u32;
    let mut collector = Collector::new(side, side);
    for y in 0..side {
        let row: Vec<u64> = (0..side)
            .map(|x| match (x % 5 < 4, y % 5 < 4) {
                (true, true) => u64::from((x / 5 + y / 5 * 50) * 5003 % 0xff_ffff + 1),
                _ => 0,
            })
            .collect();
        collector.row(0, y, &row).unwrap();
    }
    let read = collector.finish(&MaskKind::plain(8, Meaning::Rgb)).unwrap();
    assert_eq!(
        (read.mask.count(), read.objects.unwrap().len()),
        (40_000, 2500)
    );
}

#[test]
fn jpeg_is_cut_in_the_middle_where_there_is_a_middle() {
    let jpeg = |value: &dyn Fn(usize) -> [u8; 3]| {
        let rgb: Vec<u8> = (0..64 * 64).flat_map(value).collect();
        let mut out = Vec::new();
        jpeg_encoder::Encoder::new(&mut out, 90)
            .encode(&rgb, 64, 64, jpeg_encoder::ColorType::Rgb)
            .unwrap();
        let folder = Folder::new();
        let read = read_mask_image(&folder.put("x.JPG", &out));
        read.map(|read| read.mask.count())
            .map_err(|e| e.to_string())
    };
    let inside = |at: usize| (13..40).contains(&(at % 64)) && (9..50).contains(&(at / 64));
    assert_eq!(jpeg(&|at| [255 * u8::from(inside(at)); 3]), Ok(27 * 41));
    assert_eq!(jpeg(&|_| [0; 3]), Ok(0));
    for (value, word) in [
        (
            &(|at| [u8::from(inside(at)) * 100; 3]) as &dyn Fn(usize) -> [u8; 3],
            "brightest",
        ),
        (&|at| [255 * u8::from(inside(at)), 0, 0], "colour picture"),
        (&|at| [(at % 64 * 4) as u8; 3], "neither black nor white"),
    ] {
        let error = jpeg(value).unwrap_err();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn an_empty_mask_takes_neither_time_nor_memory_whatever_it_claims() {
    // 100,000 squared in tiles of 4096, all of them the same bytes.
    let side = 100_000_u32;
    let tiles = side.div_ceil(4096).pow(2);
    for value in [0_u8, 7] {
        let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut deflate, &vec![value; 4096 * 4096]).unwrap();
        let packed = deflate.finish().unwrap();
        let mut file = b"II\x2a\0".to_vec();
        let tables = 8 + packed.len() as u32;
        file.extend((tables + 8 * tiles).to_le_bytes());
        file.extend(&packed);
        file.extend((0..tiles).flat_map(|_| 8_u32.to_le_bytes()));
        file.extend((0..tiles).flat_map(|_| (packed.len() as u32).to_le_bytes()));
        let entries: [[u32; 3]; 9] = [
            [256 | 4 << 16, 1, side],
            [257 | 4 << 16, 1, side],
            [258 | 3 << 16, 1, 8],
            [259 | 3 << 16, 1, 8],
            [262 | 3 << 16, 1, 1],
            [322 | 4 << 16, 1, 4096],
            [323 | 4 << 16, 1, 4096],
            [324 | 4 << 16, tiles, tables],
            [325 | 4 << 16, tiles, tables + 4 * tiles],
        ];
        file.extend(9_u16.to_le_bytes());
        file.extend(entries.as_flattened().iter().flat_map(|n| n.to_le_bytes()));
        file.extend([0; 4]);
        let folder = Folder::new();
        let started = std::time::Instant::now();
        let read = read_mask_image(&folder.put("x.tif", &file)).unwrap();
        let wanted = u64::from(value.min(1)) * u64::from(side) * u64::from(side);
        assert_eq!(read.mask.count(), wanted);
        assert!(read.mask.bytes_used() < 100 << 20);
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
