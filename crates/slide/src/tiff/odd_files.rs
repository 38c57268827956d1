//! Files that are not what they seem: missing tiles, samples of fewer bits, alpha that is none, large strips.

use std::path::PathBuf;

use super::*;

/// A directory's entries, all but tables of their own: tag and values.
type Tags = Vec<(u16, Vec<u32>)>;

/// Writes a little-endian TIFF: data first, then one directory after the other. Numbers are 32-bit, bits a sample 16-bit.
fn write(data: &[u8], directories: &[Tags]) -> (tempfile::TempDir, PathBuf) {
    let mut file = b"II\x2a\0\0\0\0\0".to_vec();
    file.extend(data);
    let mut link = 4;
    for tags in directories {
        let mut entries = Vec::new();
        for (tag, values) in tags {
            let short = *tag == tag::BITS;
            let field: Vec<u8> = if short {
                values
                    .iter()
                    .flat_map(|&v| (v as u16).to_le_bytes())
                    .collect()
            } else {
                values.iter().flat_map(|v| v.to_le_bytes()).collect()
            };
            entries.extend(tag.to_le_bytes());
            entries.extend(if short { [3, 0] } else { [4, 0] });
            entries.extend((values.len() as u32).to_le_bytes());
            if field.len() <= 4 {
                entries.extend(&field);
                entries.resize(entries.len() + 4 - field.len(), 0);
            } else {
                entries.extend((file.len() as u32).to_le_bytes());
                file.extend(field);
            }
        }
        let at = file.len() as u32;
        file[link..link + 4].copy_from_slice(&at.to_le_bytes());
        file.extend((tags.len() as u16).to_le_bytes());
        file.extend(entries);
        link = file.len();
        file.extend([0; 4]);
    }
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("x.tif");
    std::fs::write(&path, file).unwrap();
    (work, path)
}

/// Uncompressed tiles of 16 px, `samples` of `bits` a px; offsets count from the end of the header.
fn tiles(size: (u32, u32), bits: u32, samples: u32, offsets: Vec<u32>, count: u32) -> Tags {
    let counts = offsets.iter().map(|&at| if at == 0 { 0 } else { count });
    vec![
        (tag::WIDTH, vec![size.0]),
        (tag::HEIGHT, vec![size.1]),
        (tag::BITS, vec![bits; samples as usize]),
        (tag::COMPRESSION, vec![1]),
        (tag::PHOTOMETRIC, vec![2]),
        (tag::SAMPLES, vec![samples]),
        (tag::TILE_WIDTH, vec![16]),
        (tag::TILE_HEIGHT, vec![16]),
        (tag::TILE_OFFSETS, offsets.clone()),
        (tag::TILE_COUNTS, counts.collect()),
    ]
}

fn whole(slide: &TiffReader, level: usize) -> Vec<u8> {
    let Level { width, height } = slide.info().levels[level];
    let mut rgb = vec![1; rgb_len(width, height).unwrap()];
    slide.read(level, 0, 0, width, height, &mut rgb).unwrap();
    rgb
}

fn kinds(slide: &TiffReader) -> Vec<WarningKind> {
    slide
        .warnings()
        .iter()
        .map(|warning| warning.kind)
        .collect()
}

#[test]
fn missing_tiles_are_filled_from_a_level_that_has_them_whatever_is_read() {
    // Level 0 is grey 10, level 1 counts up; the second tile of level 0 is missing.
    let mut data = vec![10; 768];
    data.extend((0..256_u32).flat_map(|px| [px as u8; 3]));
    let with_level = [
        tiles((32, 32), 8, 3, vec![8, 0, 8, 8], 768),
        tiles((16, 16), 8, 3, vec![8 + 768], 768),
    ];
    let (_work, path) = write(&data, &with_level);
    let slide = TiffReader::open(&path).unwrap();
    assert_eq!(kinds(&slide), [WarningKind::MissingTiles]);
    let text = &slide.warnings()[0].text;
    assert!(text.starts_with("1 of 4 tiles of level 0"), "{text}");
    let all = whole(&slide, 0);
    for y in 0..32 {
        for x in 0..32 {
            let expected = if x < 16 || y >= 16 {
                10
            } else {
                (y / 2) * 16 + x / 2
            };
            let at = (y * 32 + x) * 3;
            assert_eq!(usize::from(all[at]), expected, "{x} {y}");
            let fresh = TiffReader::open(&path).unwrap();
            let mut px = [0; 3];
            if (x + y) % 7 == 0 {
                fresh.read(0, x as i64, y as i64, 1, 1, &mut px).unwrap();
                assert_eq!(px, all[at..at + 3]);
            }
        }
    }
    // A missing tile of a small level comes from the larger one.
    let small_missing = [
        tiles((32, 32), 8, 3, vec![8; 4], 768),
        tiles((16, 16), 8, 3, vec![0], 768),
    ];
    let (_work, path) = write(&data, &small_missing);
    let slide = TiffReader::open(&path).unwrap();
    assert_eq!(whole(&slide, 1), vec![10; 768]);
    assert_eq!(kinds(&slide), [WarningKind::MissingTiles]);
}

#[test]
fn without_another_level_the_background_is_white_and_most_may_not_be_missing() {
    let half = [tiles((32, 32), 8, 3, vec![8, 0, 0, 8], 768)];
    let (_work, path) = write(&[10; 768], &half);
    let slide = TiffReader::open(&path).unwrap();
    let all = whole(&slide, 0);
    assert_eq!((all[0], all[16 * 3], all[16 * 32 * 3]), (10, 255, 255));
    let most = [tiles((32, 32), 8, 3, vec![8, 0, 0, 0], 768)];
    let (_work, path) = write(&[10; 768], &most);
    let error = TiffReader::open(&path).err().unwrap().to_string();
    assert!(
        error.contains("3 of 4 tiles") && error.contains("x.tif"),
        "{error}"
    );
}

/// A strip table of RGB px.
fn strips(
    size: (u32, u32),
    rows: u32,
    compression: u32,
    offsets: Vec<u32>,
    counts: Vec<u32>,
) -> Tags {
    vec![
        (tag::WIDTH, vec![size.0]),
        (tag::HEIGHT, vec![size.1]),
        (tag::BITS, vec![8; 3]),
        (tag::COMPRESSION, vec![compression]),
        (tag::PHOTOMETRIC, vec![2]),
        (tag::STRIP_OFFSETS, offsets),
        (tag::SAMPLES, vec![3]),
        (tag::ROWS_PER_STRIP, vec![rows]),
        (tag::STRIP_COUNTS, counts),
    ]
}

#[test]
fn uncompressed_strips_are_read_in_parts() {
    let (width, height) = (3000_u32, 1500_u32);
    let row = width * 3;
    let data: Vec<u8> = (0..height)
        .flat_map(|y| (0..row).map(move |x| (y * 7 + x / 3) as u8))
        .collect();
    // One strip, and strips that are no multiple of the parts, the last of them missing.
    let one = strips((width, height), height, 1, vec![8], vec![row * height]);
    let rows = 700;
    let several = strips(
        (width, height),
        rows,
        1,
        vec![8, 8 + row * rows, 0],
        vec![row * rows, row * rows, 0],
    );
    for (tags, last_row) in [(one, height), (several, 1400)] {
        let (_work, path) = write(&data, &[tags]);
        let slide = TiffReader::open(&path).unwrap();
        assert!(slide.levels[0].chunk.1 < 500);
        for y in [0, 465, 466, 699, 700, 1300, 1499] {
            let mut rgb = [0; 3];
            slide.read(0, 77, i64::from(y), 1, 1, &mut rgb).unwrap();
            // A part with a missing strip in it is missing.
            let there = y < last_row && last_row == height || y < 1000;
            let expected = if there { (y * 7 + 77) as u8 } else { 255 };
            if there || y >= last_row {
                assert_eq!(rgb, [expected; 3], "row {y} of {last_row}");
            }
        }
    }
    // A strip that is shorter than it should be.
    let short = strips((width, height), height, 1, vec![8], vec![row * 1000]);
    let (_work, path) = write(&data, &[short]);
    let slide = TiffReader::open(&path).unwrap();
    let error = slide
        .read(0, 0, 1400, 1, 1, &mut [0; 3])
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("instead of"), "{error}");
}

#[test]
fn compressed_strips_over_the_limit_say_which_and_what_to_do() {
    let tags = strips((20_000, 20_000), 20_000, 8, vec![8], vec![100]);
    let (_work, path) = write(&[0; 100], &[tags]);
    let error = TiffReader::open(&path).err().unwrap().to_string();
    for word in [
        "20000 x 20000",
        "1145 MiB",
        "256 MiB",
        "--max-strip",
        "vips",
    ] {
        assert!(error.contains(word), "{word}: {error}");
    }
}

#[test]
fn a_larger_picture_in_strips_that_nothing_names_is_not_the_slide() {
    let data = vec![7; 300 * 100 * 3];
    let tile = vec![8; 2];
    let macro_picture = strips((300, 100), 100, 1, vec![8], vec![90_000]);
    let slide = tiles((32, 16), 8, 3, tile.clone(), 768);
    let level = tiles((16, 8), 8, 3, tile[..1].to_vec(), 768);
    let width = |pages: &[Tags]| {
        let (_work, path) = write(&data, pages);
        let slide = TiffReader::open(&path).unwrap();
        (
            slide.info().width(),
            slide.info().levels.len(),
            kinds(&slide),
        )
    };
    let others = vec![WarningKind::OtherImages];
    let pages = [macro_picture.clone(), slide.clone(), level];
    assert_eq!(width(&pages), (32, 2, others.clone()));
    // Without levels it must be not much smaller.
    let near = tiles((112, 80), 8, 3, vec![8; 35], 768);
    assert_eq!(
        width(&[macro_picture.clone(), near]),
        (112, 1, others.clone())
    );
    assert_eq!(width(&[macro_picture.clone(), slide]), (300, 1, others));
    // A smaller copy is none of this.
    let copy = tiles((96, 32), 8, 3, vec![8; 12], 768);
    assert_eq!(width(&[macro_picture, copy]).0, 300);
}

#[test]
fn a_cameras_picture_in_ome_is_not_the_slide_beside_a_scan() {
    let image = |page: u32, mpp: f64, size: (u32, u32)| {
        format!(
            "<Image><Pixels SizeC=\"3\" SizeX=\"{}\" SizeY=\"{}\" PhysicalSizeX=\"{mpp}\" PhysicalSizeY=\"{mpp}\">\
             <Channel SamplesPerPixel=\"3\"/><TiffData IFD=\"{page}\" PlaneCount=\"1\"/></Pixels></Image>",
            size.0, size.1
        )
    };
    let width = |mpp: f64| {
        let images = image(0, mpp, (300, 100)) + &image(1, 0.5, (32, 16));
        let mut first = strips((300, 100), 100, 1, vec![8], vec![90_000]);
        first.push((tag::DESCRIPTION, text(&format!("<OME>{images}</OME>"))));
        let pages = [first, tiles((32, 16), 8, 3, vec![8; 2], 768)];
        let (_work, path) = write(&vec![7; 90_000], &pages);
        TiffReader::open(&path).unwrap().info().width()
    };
    assert_eq!(width(15.0), 32);
    assert_eq!(width(1.0), 300);
}

#[test]
fn px_that_are_to_be_turned_are_refused() {
    for (orientation, is_fine) in [(1, true), (0, true), (4, false), (6, false)] {
        let mut tags = tiles((16, 16), 8, 3, vec![8], 768);
        tags.push((tag::ORIENTATION, vec![orientation]));
        let (_work, path) = write(&[7; 768], &[tags]);
        let opened = TiffReader::open(&path).map_err(|error| error.to_string());
        let mask = crate::mask_image::read_mask_image(&path).map_err(|error| error.to_string());
        assert_eq!(opened.is_ok(), is_fine, "{orientation}");
        for error in [opened.err(), mask.err()].into_iter().flatten() {
            assert_eq!(is_fine, !error.contains("Orientation"), "{error}");
        }
    }
}

#[test]
fn a_smaller_picture_of_other_px_is_no_level() {
    let data = vec![200; 4 * 1536];
    let base = tiles((32, 32), 8, 3, vec![8; 4], 768);
    let mut grey = tiles((16, 16), 8, 1, vec![8], 256);
    grey[4].1 = vec![1];
    let deep = tiles((16, 16), 16, 3, vec![8], 1536);
    let mut mask = tiles((16, 16), 8, 3, vec![8], 768);
    mask.push((tag::NEW_SUBFILE_TYPE, vec![5]));
    let level = tiles((16, 16), 8, 3, vec![8], 768);
    for other in [grey, deep, mask] {
        for pages in [
            vec![base.clone(), other.clone(), level.clone()],
            vec![base.clone(), level.clone(), other.clone()],
        ] {
            let (_work, path) = write(&data, &pages);
            let slide = TiffReader::open(&path).unwrap();
            assert_eq!(slide.info().levels.len(), 2, "{other:?}");
            assert_eq!(whole(&slide, 1), [200; 768]);
        }
        let (_work, path) = write(&data, &[base.clone(), other]);
        assert_eq!(TiffReader::open(&path).unwrap().info().levels.len(), 1);
    }
}

/// RGB tiles of 16-bit samples, one value a tile.
fn deep(values: &[u16], across: u32) -> (tempfile::TempDir, PathBuf) {
    let data: Vec<u8> = values
        .iter()
        .flat_map(|v| v.to_le_bytes().repeat(768))
        .collect();
    let offsets = (0..values.len() as u32)
        .map(|tile| 8 + tile * 1536)
        .collect();
    let size = (across * 16, values.len() as u32 / across * 16);
    write(&data, &[tiles(size, 16, 3, offsets, 1536)])
}

#[test]
fn samples_of_fewer_bits_are_scaled_with_a_word() {
    for (values, expected) in [
        ([0, 512, 1023, 65_535], [0, 128, 255, 255]),
        ([0, 2048, 4095, 65_535], [0, 128, 255, 255]),
        ([0, 8192, 16_383, 1], [0, 128, 255, 0]),
        ([0, 128, 255, 77], [0, 128, 255, 77]),
    ] {
        let (_work, path) = deep(&values, 2);
        let slide = TiffReader::open(&path).unwrap();
        assert_eq!(kinds(&slide), [WarningKind::Samples], "{values:?}");
        let all = whole(&slide, 0);
        let found = [all[0], all[48], all[16 * 32 * 3], all[16 * 32 * 3 + 48]];
        assert_eq!(found, expected);
    }
    let (_work, path) = deep(&[0, 0x8000, 0xff00, 0xffff], 2);
    assert!(kinds(&TiffReader::open(&path).unwrap()).is_empty());
}

/// A text as 32-bit numbers, which is how `write` keeps all tags.
fn text(text: &str) -> Vec<u32> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(4) + 4, 0);
    let numbers = bytes.chunks_exact(4);
    numbers
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

#[test]
fn the_depth_that_a_file_states_counts_unless_its_samples_say_more() {
    let open = |values: &[u16], more: Tags| {
        let data: Vec<u8> = values
            .iter()
            .flat_map(|v| v.to_le_bytes().repeat(768))
            .collect();
        let offsets = (0..values.len() as u32)
            .map(|tile| 8 + tile * 1536)
            .collect();
        let mut tags = tiles((values.len() as u32 * 16, 16), 16, 3, offsets, 1536);
        tags.extend(more);
        let (work, path) = write(&data, &[tags]);
        (
            TiffReader::open(&path).map_err(|error| error.to_string()),
            work,
        )
    };
    let most = |value: u32| vec![(tag::MAX_SAMPLE, vec![value; 3])];
    let ome = |bits: u32| {
        let pixels = format!(
            "<OME><Image><Pixels SizeC=\"3\" SizeX=\"32\" SizeY=\"16\" SignificantBits=\"{bits}\">\
             <Channel SamplesPerPixel=\"3\"/><TiffData IFD=\"0\"/></Pixels></Image></OME>"
        );
        vec![(tag::DESCRIPTION, text(&pixels))]
    };
    // A dark picture of 12 bits, whose values alone would make it one of 10 bits.
    for (more, word) in [
        (most(4095), "MaxSampleValue = 4095"),
        (ome(12), "SignificantBits = 12"),
    ] {
        let (slide, _work) = open(&[1000, 16], more);
        let slide = slide.unwrap();
        let all = whole(&slide, 0);
        assert_eq!((all[0], all[48]), (62, 1), "{word}");
        assert_eq!(kinds(&slide), [WarningKind::Samples]);
        assert!(
            slide.warnings()[0].text.contains(word),
            "{:?}",
            slide.warnings()
        );
    }
    // What is not true, and what says nothing.
    let (slide, _work) = open(&[60_000, 16], most(4095));
    let slide = slide.unwrap();
    assert_eq!(whole(&slide, 0)[0], (60_000_u16 >> 8) as u8);
    assert!(
        slide.warnings()[0].text.contains("not true"),
        "{:?}",
        slide.warnings()
    );
    for more in [most(65_535), ome(16), vec![]] {
        let (slide, _work) = open(&[1000, 16], more);
        assert_eq!(whole(&slide.unwrap(), 0)[0], 250);
    }
    let mut moved = most(36_863);
    moved.push((tag::MIN_SAMPLE, vec![32_768; 3]));
    let (slide, _work) = open(&[33_000, 34_000], moved);
    let error = slide.err().unwrap();
    assert!(error.contains("from 32768 to 36863"), "{error}");
}

#[test]
fn jpeg_2000_of_fewer_bits_is_scaled_like_any_other() {
    // Made with OpenJPEG 2.5.4: 16 x 16 px, 4095 above and 2048 below, in samples of 16 and of 12 bits.
    let start = |depth: u8| {
        let mut bytes = vec![0xff, 0x4f, 0xff, 0x51, 0, 47, 0, 0];
        for side in [16_u32, 16, 0, 0, 16, 16, 0, 0] {
            bytes.extend(side.to_be_bytes());
        }
        bytes.extend([0, 3, depth - 1, 1, 1, depth - 1, 1, 1, depth - 1, 1, 1]);
        bytes.extend([0xff, 0x52, 0, 12, 0, 0, 0, 1, 0, 0, 4, 4, 0, 1]);
        bytes.extend([
            0xff,
            0x5c,
            0,
            4,
            0x40,
            if depth == 16 { 0x80 } else { 0x60 },
        ]);
        bytes
    };
    let stream = |depth: u8, plane: &[u8]| {
        let mut bytes = start(depth);
        let length = 14 + 3 * plane.len() as u32;
        bytes.extend([0xff, 0x90, 0, 10, 0, 0]);
        bytes.extend(length.to_be_bytes());
        bytes.extend([0, 1, 0xff, 0x93]);
        bytes.extend(plane.repeat(3));
        bytes.extend([0xff, 0xd9]);
        bytes
    };
    let of_16: [u8; 52] = [
        0xcf, 0xfc, 0x30, 0xc0, 0x11, 0x50, 0x54, 0xaf, 0xdf, 0x1c, 0xb2, 0xbc, 0x00, 0x00, 0x00,
        0x00, 0x61, 0x21, 0x2e, 0xeb, 0xd6, 0x00, 0x18, 0x48, 0x4b, 0xc1, 0x26, 0xc0, 0x00, 0x30,
        0x90, 0x97, 0xff, 0x4a, 0x2f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x18, 0x48, 0x4b, 0xb5,
        0xd4, 0x80, 0x06, 0x12, 0x12, 0xff, 0x7f,
    ];
    let of_12: [u8; 15] = [
        0xcf, 0xe4, 0x30, 0x14, 0x00, 0x5c, 0xad, 0x57, 0x3f, 0x90, 0x7c, 0x81, 0x05, 0xa4, 0x7f,
    ];
    for (bytes, warned) in [(stream(16, &of_16), true), (stream(12, &of_12), false)] {
        let mut tags = tiles((16, 16), 16, 3, vec![8], bytes.len() as u32);
        tags[3].1 = vec![33_005];
        let (_work, path) = write(&bytes, &[tags]);
        let slide = TiffReader::open(&path).unwrap();
        let all = whole(&slide, 0);
        assert_eq!((all[0], all[8 * 16 * 3]), (255, 128));
        assert_eq!(!kinds(&slide).is_empty(), warned);
    }
}

#[test]
fn a_tile_that_is_deeper_than_those_that_were_looked_at_is_an_error() {
    let mut values = vec![3000; 256];
    values[0] = 40_000;
    let (_work, path) = deep(&values, 16);
    let slide = TiffReader::open(&path).unwrap();
    assert_eq!(kinds(&slide), [WarningKind::Samples]);
    slide.read(0, 20, 20, 1, 1, &mut [0; 3]).unwrap();
    let error = slide
        .read(0, 0, 0, 1, 1, &mut [0; 3])
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("40000"), "{error}");
}

#[test]
fn an_alpha_channel_that_is_none_is_ignored_with_a_word() {
    let rgba = |alpha: [u8; 2], extra: Option<u32>| {
        let px = |alpha| [200, 100, 50, alpha];
        let data: Vec<u8> = (0..256)
            .flat_map(|at| px(alpha[usize::from(at >= 128)]))
            .collect();
        let mut tags = tiles((16, 16), 8, 4, vec![8], 1024);
        tags.extend(extra.map(|extra| (tag::EXTRA_SAMPLES, vec![extra])));
        write(&data, &[tags])
    };
    for (alpha, extra) in [
        ([0, 0], Some(2)),
        ([0, 0], Some(1)),
        ([1, 1], Some(2)),
        ([0, 0], Some(0)),
        ([0, 255], Some(0)),
        ([0, 90], None),
    ] {
        let (_work, path) = rgba(alpha, extra);
        let slide = TiffReader::open(&path).unwrap();
        assert_eq!(
            whole(&slide, 0),
            [200, 100, 50].repeat(256),
            "{alpha:?} {extra:?}"
        );
        assert_eq!(kinds(&slide), [WarningKind::AlphaIgnored]);
    }
    let (_work, path) = rgba([0, 255], Some(2));
    let slide = TiffReader::open(&path).unwrap();
    assert_eq!(whole(&slide, 0)[..3], [255; 3]);
    assert!(kinds(&slide).is_empty());
}

/// A file of the field cases, if they are here.
fn field(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/field_cases")
        .join(name);
    if !path.is_file() {
        println!("skipped: no {name} here");
        return None;
    }
    Some(path)
}

#[test]
fn um_per_px_of_field_cases() {
    let micro = [
        "double-utf8",
        "entity",
        "escaped",
        "latin1",
        "question",
        "utf8",
    ]
    .map(|name| (format!("06-micro-sign/{name}.ome.tif"), Some(0.5)));
    let others = [
        ("01-decimal-comma/export.svs", Some(0.5)),
        ("07-stale-mpp/source.svs", Some(0.5)),
        ("07-stale-mpp/thumb.tif", Some(1.996)),
        ("07-stale-mpp/vips-quarter.tif", None),
    ]
    .map(|(name, mpp)| (name.to_owned(), mpp));
    for (name, expected) in micro.into_iter().chain(others) {
        let Some(path) = field(&name) else { continue };
        let slide = TiffReader::open(&path).unwrap();
        let mpp = slide.info().resolution.map(|r| (r.mpp * 1e6).round() / 1e6);
        assert_eq!(mpp, expected, "{name}");
    }
    if let Some(path) = field("18-anisotropic/a.tif") {
        let error = TiffReader::open(&path).err().unwrap().to_string();
        assert!(
            error.contains("0.500") && error.contains("0.509"),
            "{error}"
        );
    }
}

#[test]
fn px_of_field_cases() {
    let ftu = |name: &str, channel: usize, doubt: Option<WarningKind>| {
        let path = field(name)?;
        let slide = TiffReader::open(&path).unwrap();
        assert_eq!(kinds(&slide).first().copied(), doubt, "{name}");
        Some(
            whole(&slide, 0)
                .chunks_exact(3)
                .filter(|px| px[channel] >= 128)
                .count(),
        )
    };
    let samples = ftu("08-12-bit/camera.tif", 1, Some(WarningKind::Samples));
    let alpha = ftu("09-alpha-zero/rgba.tif", 0, Some(WarningKind::AlphaIgnored));
    for found in [samples, alpha].into_iter().flatten() {
        assert_eq!(found, 10_577);
    }
    for name in ["02-empty-tiles/edge.svs", "02-empty-tiles/sparse.tif"] {
        ftu(name, 0, Some(WarningKind::MissingTiles));
    }
    if let Some(path) = field("13-one-strip/roi-deflate.tif") {
        let slide = TiffReader::open(&path).unwrap();
        let mut rgb = [0; 3];
        slide.read(0, 2100, 1100, 1, 1, &mut rgb).unwrap();
        assert_eq!(rgb, [210, 40, 60]);
    }
}
