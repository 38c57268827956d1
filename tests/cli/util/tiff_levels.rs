//! Reads the TIFF files of a run with the `tiff` crate, a decoder that is not the project's own.

use std::io::Cursor;
use std::path::Path;

use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

/// One level of a file of bytes.
pub struct Level {
    pub width: usize,
    pub height: usize,
    pub values: Vec<u8>,
}

impl Level {
    /// The value of a px.
    pub fn at(&self, x: usize, y: usize) -> u8 {
        self.values[y * self.width + x]
    }
}

/// All levels of a file, which must be tiled and compressed.
pub fn levels(path: &Path) -> Vec<Level> {
    let mut file = Decoder::new(Cursor::new(as_grey(std::fs::read(path).unwrap()))).unwrap();
    let mut levels = Vec::new();
    loop {
        let (width, height) = file.dimensions().unwrap();
        assert!(file.find_tag(Tag::TileWidth).unwrap().is_some(), "no tiles");
        let compression = file.get_tag_u32(Tag::Compression).unwrap();
        assert_ne!(compression, 1, "not compressed");
        let DecodingResult::U8(values) = file.read_image().unwrap() else {
            panic!("the values are no bytes");
        };
        assert_eq!(values.len(), width as usize * height as usize);
        levels.push(Level {
            width: width as usize,
            height: height as usize,
            values,
        });
        if !file.more_images() {
            return levels;
        }
        file.next_image().unwrap();
    }
}

/// A classic TIFF with the values of its palette's files as grey: the crate refuses palettes, and the values are stored
/// the same way.
pub fn as_grey(mut bytes: Vec<u8>) -> Vec<u8> {
    assert_eq!(&bytes[..4], b"II*\0", "the tests' files are classic ones");
    let long = |bytes: &[u8], at: usize| {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
    };
    let mut directory = long(&bytes, 4);
    while directory != 0 {
        let count = usize::from(u16::from_le_bytes([bytes[directory], bytes[directory + 1]]));
        for entry in (0..count).map(|index| directory + 2 + 12 * index) {
            let photometric = bytes[entry..entry + 2] == 262_u16.to_le_bytes();
            if photometric && bytes[entry + 8] == 3 {
                bytes[entry + 8] = 1;
            }
        }
        directory = long(&bytes, directory + 2 + 12 * count);
    }
    bytes
}
