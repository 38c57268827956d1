//! Files of labels, read by decoders that are not ours.

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

use super::{LabelImage, LabelTiff, LabelTiffOptions, TiledTiffError};

/// The tags of a classic file's directory: by number, the type, the count and the four bytes of value or offset.
fn tags(
    bytes: &[u8],
    directory: usize,
) -> (std::collections::BTreeMap<u16, (u16, u32, u32)>, usize) {
    let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let long = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let count = usize::from(short(directory));
    let entries = (0..count).map(|entry| directory + 2 + 12 * entry);
    let tags = entries.map(|at| (short(at), (short(at + 2), long(at + 4), long(at + 8))));
    (tags.collect(), long(directory + 2 + 12 * count) as usize)
}

#[test]
fn labels_are_planes_with_their_smaller_levels_behind_them() {
    let options = LabelTiffOptions {
        width: 300,
        height: 200,
        planes: 2,
        tile: 128,
        mpp: Some((0.5, 0.25)),
        description: "<OME/>".to_owned(),
    };
    assert_eq!(options.levels(), [(300, 200), (150, 100), (75, 50)]);
    let labels = |seed: u32| {
        (0..128 * 128)
            .map(|place| place * 1000 + seed)
            .collect::<Vec<u32>>()
    };
    let mut file = Cursor::new(Vec::new());
    let mut tiff = LabelTiff::new(&mut file, &options).unwrap();
    // In any order, and not all of them.
    tiff.put(1, 0, &[(2, 1, labels(7)), (0, 0, labels(8))])
        .unwrap();
    tiff.put(0, 0, &[(1, 1, labels(9))]).unwrap();
    tiff.put(0, 1, &[(1, 0, labels(10))]).unwrap();
    for (plane, level, column, row) in [(2, 0, 0, 0), (0, 3, 0, 0), (0, 0, 3, 0), (0, 0, 0, 2)] {
        let wrong = tiff.put(plane, level, &[(column, row, labels(0))]);
        assert!(matches!(wrong, Err(TiledTiffError::Usage(_))));
    }
    assert!(tiff.put(0, 0, &[(0, 0, vec![1; 5])]).is_err());
    tiff.finish().unwrap();
    let bytes = file.into_inner();

    let mut decoder = Decoder::new(Cursor::new(bytes.clone())).unwrap();
    let expected = [vec![(1, 1, 9)], vec![(2, 1, 7), (0, 0, 8)]];
    for (plane, tiles) in expected.iter().enumerate() {
        assert_eq!(decoder.dimensions().unwrap(), (300, 200));
        let described = decoder.find_tag(Tag::ImageDescription).unwrap().is_some();
        assert_eq!(described, plane == 0);
        let DecodingResult::U32(found) = decoder.read_image().unwrap() else {
            panic!("not 32 bits");
        };
        for (place, &label) in (0..).zip(&found) {
            let (x, y) = (place % 300, place / 300);
            let own = tiles
                .iter()
                .find(|&&(column, row, _)| (x / 128, y / 128) == (column, row));
            let wanted = own.map_or(0, |&(_, _, seed)| (y % 128 * 128 + x % 128) * 1000 + seed);
            assert_eq!(label, wanted, "plane {plane}, px ({x}, {y})");
        }
        assert_eq!(decoder.more_images(), plane == 0);
        if plane == 0 {
            decoder.next_image().unwrap();
        }
    }

    // The smaller levels are no part of the chain.
    let first = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let (main, next) = tags(&bytes, first);
    assert_eq!(
        (main[&254].2, main[&258], main[&339]),
        (0, (3, 1, 32), (3, 1, 1))
    );
    let (kind, count, at) = main[&330];
    assert_eq!((kind, count), (4, 2));
    let mut sizes = Vec::new();
    for place in [at as usize, at as usize + 4] {
        let smaller = u32::from_le_bytes(bytes[place..place + 4].try_into().unwrap()) as usize;
        let (level, next) = tags(&bytes, smaller);
        assert_eq!((level[&254].2, next), (1, 0));
        sizes.push((level[&256].2, level[&257].2));
    }
    assert_eq!(sizes, [(150, 100), (75, 50)]);
    assert_eq!(tags(&bytes, next).1, 0);

    // One level needs no SubIFDs, and no plane is no file.
    let small = LabelTiffOptions {
        width: 20,
        height: 20,
        planes: 1,
        ..options.clone()
    };
    let mut file = Cursor::new(Vec::new());
    LabelTiff::new(&mut file, &small).unwrap().finish().unwrap();
    let bytes = file.into_inner();
    let first = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    assert!(!tags(&bytes, first).0.contains_key(&330));
    let none = LabelTiffOptions {
        planes: 0,
        ..options
    };
    assert!(LabelTiff::new(Cursor::new(Vec::new()), &none).is_err());
}

/// A file of labels whose tiles and directories lie beyond 4 GiB, read by two decoders that are not ours: the crate `tiff`,
/// and tifffile where `FTUSEG_INTEROP_PYTHON` names a Python that has it (test.sh makes it).
#[cfg(unix)]
#[test]
fn labels_beyond_4_gib_are_found_again() {
    let (width, height) = (30_000, 40_000);
    let image = LabelImage {
        name: "large",
        uuid: "298e8996-c94c-57ce-b9a4-d77099e2823c",
        creator: "a test",
        width,
        height,
        mpp: Some((0.5, 0.5)),
        channels: vec![("kidney", None), ("lung", None)],
    };
    let options = LabelTiffOptions {
        width,
        height,
        planes: 2,
        tile: 256,
        mpp: Some((0.5, 0.5)),
        description: image.ome_xml(),
    };
    let labels = |first: u32| (first..first + 256 * 256).collect::<Vec<u32>>();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.ome.tif");
    let file = std::fs::File::create(&path).unwrap();
    let mut tiff = LabelTiff::new(&file, &options).unwrap();
    tiff.put(0, 0, &[(0, 0, labels(1))]).unwrap();
    // Nothing is stored of the gap.
    tiff.skip(5 << 30);
    tiff.put(0, 1, &[(3, 2, labels(2))]).unwrap();
    tiff.put(1, 0, &[(117, 156, labels(3))]).unwrap();
    tiff.finish().unwrap();

    let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let mut decoder = Decoder::new(file).unwrap();
    for (plane, chunk, first) in [(0, 0, 1), (1, 156 * 118 + 117, 3)] {
        assert_eq!(decoder.dimensions().unwrap(), (width, height));
        let offsets = decoder.get_tag_u64_vec(Tag::TileOffsets).unwrap();
        assert_eq!(offsets[chunk as usize] > 5 << 30, plane == 1);
        let DecodingResult::U32(found) = decoder.read_chunk(chunk).unwrap() else {
            panic!("not 32 bits");
        };
        // At the picture's corner, only what lies within it is given.
        assert_eq!(found[..40], labels(first)[..40], "plane {plane}");
        if plane == 0 {
            decoder.next_image().unwrap();
        }
    }

    let Some(python) = std::env::var_os("FTUSEG_INTEROP_PYTHON") else {
        println!("skipped: FTUSEG_INTEROP_PYTHON names no Python with tifffile");
        return;
    };
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/interop/read_big_labels.py"
    );
    let read = std::process::Command::new(python)
        .arg(script)
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{said}");
    assert_eq!(
        String::from_utf8_lossy(&read.stdout),
        "plane 0 level 0 tile 0: from 1\nplane 0 level 1 tile 121: from 2\nplane 1 level 0 tile 18525: from 3\n"
    );
}
