//! Files that are not what they seem, made by the tests themselves.

mod depth_and_alpha;
mod field_cases;
mod pages;
mod reader;
mod tiles_and_strips;

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

/// A text as 32-bit numbers, which is how `write` keeps all tags.
fn text(text: &str) -> Vec<u32> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(4) + 4, 0);
    let numbers = bytes.chunks_exact(4);
    numbers
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

fn whole(slide: &TiffReader, level: usize) -> Vec<u8> {
    let Level { width, height } = slide.info().levels[level];
    let mut rgb = vec![1; crate::rgb_len(width, height).unwrap()];
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
