//! What the reader keeps in its cache, and the um/px that it takes from tags.

use super::*;

#[test]
fn the_cache_holds_a_chunk_that_is_larger_than_it_usually_is() {
    let (width, height) = (6000_u32, 5000_u32);
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &vec![7; (width * height) as usize]).unwrap();
    let packed = packed.finish().unwrap();
    let entries: [[u32; 3]; 8] = [
        [256 | 4 << 16, 1, width],
        [257 | 4 << 16, 1, height],
        [258 | 3 << 16, 1, 8],
        [259 | 3 << 16, 1, 8],
        [262 | 3 << 16, 1, 1],
        [273 | 4 << 16, 1, 200],
        [278 | 4 << 16, 1, height],
        [279 | 4 << 16, 1, packed.len() as u32],
    ];
    let mut file = b"II\x2a\0\x08\0\0\0\x08\0".to_vec();
    file.extend(entries.as_flattened().iter().flat_map(|n| n.to_le_bytes()));
    // No further directory.
    file.extend([0; 4]);
    // One strip of grey px, 90 MB as RGB.
    file.resize(200, 0);
    file.extend(packed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("strip.tif");
    std::fs::write(&path, file).unwrap();
    let slide = TiffReader::open(&path).unwrap();
    assert!(3 * u64::from(width * height) > crate::chunks::CACHE_BYTES);
    let mut rgb = [0; 3];
    slide.read(0, 10, 4000, 1, 1, &mut rgb).unwrap();
    assert_eq!((rgb, slide.cache.len()), ([7; 3], 1));
}

#[test]
fn resolutions_are_read_from_tags() {
    use crate::tiled_tiff::{Compression, Samples, TiffOptions, TileSource, write_file};
    struct Grey;
    impl TileSource for Grey {
        fn tile(&self, _: usize, _: u32, _: u32, out: &mut [u8]) {
            out.fill(99);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.tif");
    for (mpp, expected) in [(Some(0.4), Some(0.4)), (Some(2.5), Some(2.5)), (None, None)] {
        let options = TiffOptions {
            width: 40,
            height: 30,
            samples: Samples::Rgb8,
            compression: Compression::Deflate,
            tile: 16,
            mpp,
            description: None,
            palette: None,
        };
        write_file(&path, &options, &Grey).unwrap();
        let slide = TiffReader::open(&path).unwrap();
        assert_eq!(slide.info().resolution.map(|r| r.mpp), expected);
        assert_eq!(slide.info().levels.len(), 3);
    }
}
