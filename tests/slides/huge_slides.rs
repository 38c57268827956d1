//! Slides of sizes that no repository can hold.

use ftuseg::slide::MAX_SIDE;

use crate::openslide_library::open;
use crate::tiny_tiff::{TinyTiff, tiled};

#[test]
fn the_largest_slide_opens_and_its_corners_are_read() {
    // One tile of one colour, listed four million times.
    let level = flate2::Compression::best();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), level);
    std::io::Write::write_all(&mut packed, &[90; 512 * 512 * 3]).unwrap();
    let packed = packed.finish().unwrap();
    let mut file = TinyTiff::new();
    let at = file.data(&packed);
    let size = (MAX_SIDE, MAX_SIDE);
    file.directory(&tiled(size, 512, 8, at, packed.len() as u32));
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("large.tif");
    std::fs::write(&path, file.finish()).unwrap();

    let slide = open(&path).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(slide.info().width(), MAX_SIDE);
    let mut out = [1; 4 * 4 * 3];
    let end = i64::from(MAX_SIDE) - 2;
    slide.read(0, end, end, 4, 4, &mut out).unwrap();
    let inside: Vec<usize> = (0..16).filter(|i| out[i * 3] == 90).collect();
    assert_eq!(inside, [0, 1, 4, 5]);
    assert_eq!(out.iter().filter(|&&v| v == 255).count(), 12 * 3);
}
