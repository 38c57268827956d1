//! Draws pyramidal slides of any size quickly: a pattern of tissue that repeats, and each tile that differs stored once.

#![allow(
    dead_code,
    reason = "several benches share it, and none uses all of it"
)]

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use ftuseg_router::Organ;
use ftuseg_samples::{Drawing, Part, Spec};

/// Side of the pattern, and of a tile, px.
const PATTERN: u32 = 2048;
const TILE: u32 = 256;
/// Each level is so many times smaller than the one before.
const STEP: u32 = 4;
/// Glass.
const GLASS: [u8; 3] = [244, 243, 245];

/// What is repeated, at one level: `[side, side, 3]`.
pub struct Pattern {
    side: u32,
    rgb: Vec<u8>,
}

impl Pattern {
    /// A pattern of `side` x `side` px, a multiple of 256, whose px are given by a function.
    pub fn of(side: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Self {
        let px = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
        Pattern {
            side,
            rgb: px.flat_map(|(x, y)| colour(x, y)).collect(),
        }
    }

    fn tissue(mpp: f64) -> Self {
        let um = f64::from(PATTERN) * mpp;
        // A prostate far larger than the pattern, so that all of it is tissue.
        let prostate = Part {
            organ: Organ::Prostate,
            centre: (um / 2.0, um / 2.0),
            radius: (4.0 * um, 4.0 * um),
            irregularity: 0.0,
        };
        let drawing = Drawing::new(&Spec {
            parts: vec![prostate],
            width: PATTERN,
            height: PATTERN,
            mpp,
            seed: 1,
        })
        .expect("a drawing");
        let mut rgb = vec![0; (PATTERN * PATTERN * 3) as usize];
        drawing.rgb(0, 0, 0, PATTERN, PATTERN, &mut rgb);
        Pattern { side: PATTERN, rgb }
    }

    /// Averages squares of [`STEP`] px.
    fn smaller(&self) -> Self {
        let side = self.side / STEP;
        let mut rgb = Vec::with_capacity((side * side * 3) as usize);
        for y in 0..side {
            for x in 0..side {
                for channel in 0..3 {
                    let square =
                        (0..STEP * STEP).map(|i| (x * STEP + i % STEP, y * STEP + i / STEP));
                    let sum: u32 = square.map(|(x, y)| u32::from(self.at(x, y)[channel])).sum();
                    rgb.push((sum / (STEP * STEP)) as u8);
                }
            }
        }
        Pattern { side, rgb }
    }

    fn at(&self, x: u32, y: u32) -> &[u8] {
        let at = ((y % self.side) * self.side + x % self.side) as usize * 3;
        &self.rgb[at..at + 3]
    }
}

/// What makes a tile: its level, where it lies in the pattern, and which part of it is tissue.
type Key = (usize, u32, u32, [u32; 4]);

/// Writes a slide of `side` x `side` px at `mpp` um/px as a BigTIFF with JPEG tiles; the middle quarter is tissue.
pub fn write(path: &Path, side: u32, mpp: f64) -> io::Result<()> {
    let middle = |size: u32| size / 4..size - size / 4;
    write_pattern(path, (side, mpp), Pattern::tissue(mpp), middle, 85)
}

/// Writes such a slide of a pattern, in JPEG of some quality. `shown` says, for the side of a level, from where to where the
/// pattern is seen in both directions; the rest is glass.
pub fn write_pattern(
    path: &Path,
    (side, mpp): (u32, f64),
    mut pattern: Pattern,
    shown: impl Fn(u32) -> std::ops::Range<u32>,
    quality: u8,
) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    // Header: little-endian BigTIFF, offsets of 8 bytes, the first directory's place to be filled in.
    file.write_all(b"II\x2b\0\x08\0\0\0\0\0\0\0\0\0\0\0")?;
    let mut stored: HashMap<Key, (u64, u64)> = HashMap::new();
    let mut directories = Vec::new();
    let (mut level, mut size) = (0, side);
    loop {
        let tissue = shown(size);
        let across = size.div_ceil(TILE);
        let mut table = Vec::with_capacity((across * across) as usize);
        for row in 0..across {
            for column in 0..across {
                let (x, y) = (column * TILE, row * TILE);
                let inside = |start: u32| {
                    let from = tissue.start.clamp(start, start + TILE) - start;
                    let to = tissue.end.clamp(start, start + TILE) - start;
                    [from, to]
                };
                let ([left, right], [top, bottom]) = (inside(x), inside(y));
                let part = [left, right, top, bottom];
                let key = if left == right || top == bottom {
                    (level, 0, 0, [0; 4])
                } else {
                    (level, x % pattern.side, y % pattern.side, part)
                };
                let place = match stored.get(&key) {
                    Some(&place) => place,
                    None => {
                        let jpeg = tile(&pattern, (x, y), key.3, quality)?;
                        let at = file.stream_position()?;
                        file.write_all(&jpeg)?;
                        stored.insert(key, (at, jpeg.len() as u64));
                        (at, jpeg.len() as u64)
                    }
                };
                table.push(place);
            }
        }
        directories.push((size, table));
        if size <= 1500 || pattern.side < STEP * 8 {
            break;
        }
        pattern = pattern.smaller();
        size = size.div_ceil(STEP);
        level += 1;
    }
    let mut links = vec![8];
    for (number, (size, table)) in directories.iter().enumerate() {
        let at = directory(&mut file, *size, table, number > 0, mpp)?;
        let next = file.stream_position()? - 8;
        patch(&mut file, links[number], at)?;
        links.push(next);
    }
    file.flush()
}

fn tile(
    pattern: &Pattern,
    (x0, y0): (u32, u32),
    [left, right, top, bottom]: [u32; 4],
    quality: u8,
) -> io::Result<Vec<u8>> {
    let mut rgb = Vec::with_capacity((TILE * TILE * 3) as usize);
    for y in 0..TILE {
        for x in 0..TILE {
            let is_tissue = (left..right).contains(&x) && (top..bottom).contains(&y);
            rgb.extend_from_slice(if is_tissue {
                pattern.at(x0 + x, y0 + y)
            } else {
                &GLASS
            });
        }
    }
    let mut jpeg = Vec::new();
    let side = TILE as u16;
    jpeg_encoder::Encoder::new(&mut jpeg, quality)
        .encode(&rgb, side, side, jpeg_encoder::ColorType::Rgb)
        .map_err(io::Error::other)?;
    Ok(jpeg)
}

/// Writes a directory with its tables and returns where it is; its last eight bytes are the place of the next one.
fn directory(
    file: &mut (impl Write + Seek),
    side: u32,
    table: &[(u64, u64)],
    reduced: bool,
    mpp: f64,
) -> io::Result<u64> {
    let side = u64::from(side);
    let mut places = [0_u64; 2];
    for (place, column) in places.iter_mut().zip([0, 1]) {
        *place = file.stream_position()?;
        for entry in table {
            let value = if column == 0 { entry.0 } else { entry.1 };
            file.write_all(&value.to_le_bytes())?;
        }
    }
    let count = table.len() as u64;
    let single = |value: u64, place: u64| if count == 1 { value } else { place };
    // 10,000 um a centimetre, in hundredths.
    let per_cm = (1e6 / mpp) as u64 | 100 << 32;
    let entries: [(u16, u16, u64, u64); 14] = [
        (254, 4, 1, u64::from(reduced)),
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 3, 8 | 8 << 16 | 8 << 32),
        (259, 3, 1, 7),
        (262, 3, 1, 6),
        (277, 3, 1, 3),
        (282, 5, 1, per_cm),
        (283, 5, 1, per_cm),
        (296, 3, 1, 3),
        (322, 4, 1, TILE.into()),
        (323, 4, 1, TILE.into()),
        (324, 16, count, single(table[0].0, places[0])),
        (325, 16, count, single(table[0].1, places[1])),
    ];
    let at = file.stream_position()?;
    file.write_all(&(entries.len() as u64).to_le_bytes())?;
    for (tag, kind, count, value) in entries {
        file.write_all(&tag.to_le_bytes())?;
        file.write_all(&kind.to_le_bytes())?;
        file.write_all(&count.to_le_bytes())?;
        file.write_all(&value.to_le_bytes())?;
    }
    file.write_all(&[0; 8])?;
    Ok(at)
}

fn patch(file: &mut (impl Write + Seek), place: u64, value: u64) -> io::Result<()> {
    let end = file.stream_position()?;
    file.seek(io::SeekFrom::Start(place))?;
    file.write_all(&value.to_le_bytes())?;
    file.seek(io::SeekFrom::Start(end))?;
    Ok(())
}
