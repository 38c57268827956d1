//! Broken files: an error that names the file and the reason; no panic, no hang, no memory beyond the limits.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use ftuseg::slide;

use crate::conformance::{Picture, Random};
use crate::fixtures::folder;
use crate::memory;
use crate::openslide_library::open;
use crate::tiny_tiff::{Tags, TinyTiff, Value, tiled, with};

/// What the whole test process may hold: the readers' limits are below it with room for four tests at once.
const MAX_BYTES: usize = 1 << 30;

/// Six slides with different compressions, layouts and byte orders.
const SIX: [&str; 6] = [
    "plain-strips-big-endian.tif",
    "deflate-predictor-bigtiff.tif",
    "ome-subifds-bigtiff-jpeg.tif",
    "jpeg2000-lossy.tif",
    "webp.tif",
    "zstandard.tif",
];

/// Opens a file and reads all of it; gives the error as text, with the file's name in it.
///
/// A thread of its own does it, so that a hang fails this test instead of stopping all tests.
pub fn read(path: &Path) -> Result<(), String> {
    let (send, receive) = mpsc::channel();
    let owned = path.to_owned();
    std::thread::spawn(move || {
        let all = || {
            let slide = open(&owned)?;
            for level in 0..slide.info().levels.len() {
                let size = slide.info().levels[level];
                // A flipped bit can make a slide large; then its corners are enough.
                if u64::from(size.width) * u64::from(size.height) <= 1 << 22 {
                    Picture::level(slide.as_ref(), level)?;
                    continue;
                }
                let (right, bottom) = (i64::from(size.width) - 9, i64::from(size.height) - 9);
                for (x, y) in [(0, 0), (right, bottom)] {
                    slide.read(level, x, y, 9, 9, &mut [0; 243])?;
                }
            }
            Ok(())
        };
        // The other end is gone when the test has given up.
        let _ = send.send(all());
    });
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    match receive.recv_timeout(Duration::from_secs(60)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            let error: slide::SlideError = error;
            let text = error.to_string();
            assert!(text.contains(&name), "it does not name {name}: {text}");
            assert!(text.len() > name.len() + 20, "no reason: {text}");
            Err(text)
        }
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{name}: hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("{name}: panics"),
    }
}

/// Writes bytes to a file and reads it.
fn read_bytes(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), String> {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path)
}

pub fn assert_memory() {
    let peak = memory::peak();
    assert!(peak < MAX_BYTES, "{} MiB at once", peak >> 20);
}

#[test]
fn a_file_cut_off_anywhere_is_an_error() {
    let work = tempfile::tempdir().unwrap();
    let mut slides: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "tif"))
        .collect();
    slides.sort();
    assert!(slides.len() > 30);
    for path in slides {
        let whole = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        for part in 0..20 {
            let cut = whole.len() * part / 20;
            let result = read_bytes(work.path(), name, &whole[..cut]);
            assert!(result.is_err(), "{name} opens when cut to {part} / 20");
        }
        // The whole one is sound, so it was the cut.
        assert_eq!(read_bytes(work.path(), name, &whole), Ok(()));
    }
    assert_memory();
}

#[test]
fn flipped_bits_are_an_error_or_another_picture() {
    let work = tempfile::tempdir().unwrap();
    let mut random = Random(4);
    let mut refused = 0;
    for variant in 0..500 {
        let name = SIX[variant % SIX.len()];
        let mut bytes = std::fs::read(folder().join(name)).unwrap();
        for _ in 0..1 + random.below(8) {
            // Half of the flips go to the first kilobyte, where the tags of most of these files are.
            let limit = if random.below(2) == 0 {
                bytes.len().min(1024)
            } else {
                bytes.len()
            };
            let at = random.below(limit as u64) as usize;
            bytes[at] ^= 1 << random.below(8);
        }
        let result = read_bytes(work.path(), &format!("{variant}-{name}"), &bytes);
        refused += usize::from(result.is_err());
    }
    // Most flips hit something that is checked.
    assert!(refused > 150, "{refused} of 500");
    assert_memory();
}

/// A sound file of one tile, whose tags a test then changes.
fn sound() -> (TinyTiff, Tags) {
    let mut file = TinyTiff::new();
    let at = file.data(&[200; 16 * 16 * 3]);
    (file, tiled((16, 16), 16, 1, at, 16 * 16 * 3))
}

/// Asserts that a file made of the tags is refused for a reason that holds these words.
fn refused(what: &str, words: &str, make: impl FnOnce(&mut TinyTiff, Tags)) {
    let (mut file, tags) = sound();
    make(&mut file, tags);
    let work = tempfile::tempdir().unwrap();
    let result = read_bytes(work.path(), "bad.tif", &file.finish());
    let error = result.expect_err(what);
    assert!(error.contains(words), "{what}: {error}");
    assert_memory();
}

#[test]
fn the_sound_file_is_sound() {
    let (mut file, tags) = sound();
    file.directory(&tags);
    let work = tempfile::tempdir().unwrap();
    assert_eq!(read_bytes(work.path(), "sound.tif", &file.finish()), Ok(()));
}

#[test]
fn sizes_that_lie_are_refused() {
    refused("a huge header", "largest side", |file, tags| {
        let tags = with(tags, 256, Value::Longs(vec![1 << 31]));
        file.directory(&with(tags, 257, Value::Longs(vec![1 << 31])));
    });
    refused("no width", "no pixels", |file, tags| {
        file.directory(&with(tags, 256, Value::Longs(vec![0])));
    });
    refused("tiles without width", "have no pixels", |file, tags| {
        file.directory(&with(tags, 322, Value::Longs(vec![0])));
    });
    refused("huge tiles", "over the limits", |file, tags| {
        let tags = with(tags, 322, Value::Longs(vec![1 << 16]));
        file.directory(&with(tags, 323, Value::Longs(vec![1 << 16])));
    });
    refused("tiles beyond counting", "over the limits", |file, tags| {
        let tags = with(tags, 322, Value::Longs(vec![u32::MAX]));
        file.directory(&with(tags, 323, Value::Longs(vec![u32::MAX])));
    });
    refused(
        "the largest side in small tiles",
        "its size needs",
        |file, tags| {
            let tags = with(tags, 256, Value::Longs(vec![1 << 20]));
            file.directory(&with(tags, 257, Value::Longs(vec![1 << 20])));
        },
    );
    refused("65,535 samples", "samples per pixel", |file, tags| {
        file.directory(&with(tags, 277, Value::Shorts(vec![u16::MAX])));
    });
    refused(
        "no meaning",
        "PhotometricInterpretation",
        |file, mut tags| {
            tags.retain(|(tag, _)| *tag != 262);
            file.directory(&tags);
        },
    );
}

#[test]
fn tables_that_lie_are_refused() {
    let last = u32::MAX - 8;
    refused("a tile past the end", "ends too early", |file, tags| {
        file.directory(&with(tags, 324, Value::Longs(vec![last])));
    });
    refused("a tile too long", "ends too early", |file, tags| {
        file.directory(&with(tags, 325, Value::Longs(vec![1 << 20])));
    });
    refused("a tile of 4 GiB", "over the limits", |file, tags| {
        file.directory(&with(tags, 325, Value::Longs(vec![u32::MAX])));
    });
    refused("a tile of no bytes", "no bytes", |file, tags| {
        file.directory(&with(tags, 325, Value::Longs(vec![0])));
    });
    refused("a tile too short", "instead of 768", |file, tags| {
        file.directory(&with(tags, 325, Value::Longs(vec![767])));
    });
    refused("a table past the end", "ends too early", |file, tags| {
        file.directory(&with(tags, 324, Value::Raw(4, 4, last)));
    });
    refused("a table of 16 GiB", "over the limits", |file, tags| {
        file.directory(&with(tags, 324, Value::Raw(4, u32::MAX, 8)));
    });
    refused("a table of texts", "whole numbers", |file, tags| {
        file.directory(&with(tags, 324, Value::Raw(2, 1, 8)));
    });
    refused("a description of 4 GiB", "over the limits", |file, tags| {
        file.directory(&with(tags, 270, Value::Raw(2, u32::MAX, 8)));
    });
}

#[test]
fn loops_of_directories_are_refused() {
    refused("a chain into itself", "loop", |file, tags| {
        let at = file.directory(&tags);
        file.next(at);
    });
    refused("a chain into its first", "loop", |file, tags| {
        let first = file.directory(&tags);
        file.directory(&tags);
        file.directory(&tags);
        file.next(first);
    });
    refused("a SubIFD that is its parent", "loop", |file, tags| {
        // The same file once more, to learn where its directory comes to lie.
        let (mut trial, _) = sound();
        let at = trial.directory(&with(tags.clone(), 330, Value::Longs(vec![0])));
        file.directory(&with(tags, 330, Value::Longs(vec![at])));
    });
    refused("a SubIFD twice", "loop", |file, tags| {
        let below = file.loose_directory(&tags);
        file.directory(&with(tags, 330, Value::Longs(vec![below, below])));
    });
    refused("a chain out of the file", "ends too early", |file, tags| {
        file.directory(&tags);
        file.next(u32::MAX - 2);
    });
    refused(
        "a SubIFD out of the file",
        "ends too early",
        |file, tags| {
            file.directory(&with(tags, 330, Value::Longs(vec![u32::MAX - 2])));
        },
    );
    refused("no directory", "no directory", |_, _| {});
    refused("a chain of thousands", "over the limits", |file, tags| {
        for _ in 0..5000 {
            file.directory(&tags[..2]);
        }
    });
}

#[test]
fn bombs_are_refused() {
    let deflated = |length: usize| {
        let level = flate2::Compression::best();
        let mut stream = flate2::write::ZlibEncoder::new(Vec::new(), level);
        for _ in 0..length >> 20 {
            stream.write_all(&[0; 1 << 20]).unwrap();
        }
        stream.finish().unwrap()
    };
    let bomb = |what: &str, words: &str, code: u16, data: &[u8]| {
        refused(what, words, |file, _| {
            let at = file.data(data);
            file.directory(&tiled((16, 16), 16, code, at, data.len() as u32));
        });
    };
    bomb("Deflate of 1 GiB", "expands to more", 8, &deflated(1 << 30));
    // Start, and a frame header of 65,535 x 65,535 px in three components.
    let mut jpeg = vec![0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0xff, 0xff, 0xff, 0xff, 3];
    jpeg.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    jpeg.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    bomb("JPEG of 12 GiB", "65535", 7, &jpeg);
    // Start, SIZ, and a coding style of 32 layers in precincts of one px.
    let siz = |side: u32, tile: u32, components: u16| {
        let mut data = vec![0xff, 0x4f, 0xff, 0x51];
        data.extend((38 + 3 * components).to_be_bytes());
        data.extend([0, 0]);
        for number in [side, side, 0, 0, tile, tile, 0, 0] {
            data.extend(number.to_be_bytes());
        }
        data.extend(components.to_be_bytes());
        for _ in 0..components {
            data.extend([7, 1, 1]);
        }
        data.extend([0xff, 0x52, 0, 13, 1, 0, 0, 32, 0, 0, 4, 4, 0, 1, 0]);
        data.extend([0xff, 0xd9]);
        data
    };
    bomb(
        "JPEG 2000 of 2^31 px a side",
        "it states",
        33_005,
        &siz(1 << 31, 1 << 31, 3),
    );
    bomb(
        "JPEG 2000 of 16,384 planes",
        "16384 samples",
        33_005,
        &siz(16, 16, 16_384),
    );
    refused("JPEG 2000 in blocks of one px", "code-blocks", |file, _| {
        let data = siz(4096, 4096, 3);
        let at = file.data(&data);
        file.directory(&tiled((4096, 4096), 4096, 33_005, at, data.len() as u32));
    });
    refused("JPEG 2000 in tiles of one px", "66049 tiles", |file, _| {
        let data = siz(256, 1, 3);
        let at = file.data(&data);
        file.directory(&tiled((256, 256), 256, 33_005, at, data.len() as u32));
    });
    // A VP8 frame header of 16,383 x 16,383 px.
    let mut webp = b"RIFF\x2a\0\0\0WEBPVP8 \x1e\0\0\0\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f".to_vec();
    webp.resize(64, 0);
    bomb("WebP of 16,383 px a side", "it states", 50_001, &webp);
    // A Zstandard frame whose window is 2 TiB.
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0, 0, 0, 0];
    bomb(
        "Zstandard with a huge window",
        "broken compression",
        50_000,
        &zstd,
    );
}

#[test]
fn what_is_no_file_is_refused() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("folder.tif");
    std::fs::create_dir(&folder).unwrap();
    assert!(read(&folder).is_err());
    assert!(read(&work.path().join("missing.tif")).is_err());
    assert!(read_bytes(work.path(), "empty.tif", &[]).is_err());
    let fifo = work.path().join("fifo.tif");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    if made.is_ok_and(|status| status.success()) {
        assert!(read(&fifo).is_err());
    } else {
        println!("skipped: no mkfifo here");
    }
}

#[test]
fn what_our_reader_cannot_do_goes_to_openslide_or_is_refused() {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("cmyk.tif");
    // One ink each in the first px: cyan, magenta, yellow, black.
    let mut px = vec![0_u8; 16 * 16 * 4];
    for ink in 0..4 {
        px[ink * 4 + ink] = 255;
    }
    let mut file = TinyTiff::new();
    let at = file.data(&px);
    let tags = tiled((16, 16), 16, 1, at, px.len() as u32);
    let tags = with(tags, 258, Value::Shorts(vec![8; 4]));
    let tags = with(tags, 262, Value::Shorts(vec![5]));
    file.directory(&with(tags, 277, Value::Shorts(vec![4])));
    std::fs::write(&path, file.finish()).unwrap();
    match open(&path) {
        Ok(slide) => {
            assert!(
                slide.info().reader.starts_with("OpenSlide"),
                "{}",
                slide.info().reader
            );
            let mut rgb = [1; 15];
            slide.read(0, 0, 0, 5, 1, &mut rgb).unwrap();
            let wanted = [
                0, 255, 255, 255, 0, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255,
            ];
            assert_eq!(rgb, wanted);
        }
        Err(error) => {
            assert!(!crate::openslide_library::has_openslide(), "{error}");
            let text = error.to_string();
            assert!(
                text.contains("CMYK") && text.contains("OpenSlide"),
                "{text}"
            );
        }
    }
}
