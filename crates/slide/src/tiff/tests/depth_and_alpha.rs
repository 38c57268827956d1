//! Samples of fewer bits than they are stored in, and alpha channels that are none.

use super::*;

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
        slide.warnings()[0]
            .text
            .contains("is wrong, since a sample is 60000"),
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
