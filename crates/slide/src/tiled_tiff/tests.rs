use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering};

use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

use super::{Compression, Samples, TiffOptions, TileSource, TiledTiffError, write};

/// A picture whose every pixel depends on its level and place; the left part is constant.
struct Pattern {
    channels: usize,
    tile: u32,
}

impl Pattern {
    fn pixel(&self, level: usize, x: u32, y: u32, channel: usize) -> u8 {
        if x < 300 {
            return 7;
        }
        // Smooth, so that JPEG keeps it; different in each channel and level.
        (40 + x % 97 + (y / 3) % 61 + 10 * channel as u32 + 5 * level as u32) as u8
    }
}

impl TileSource for Pattern {
    fn tile(&self, level: usize, column: u32, row: u32, out: &mut [u8]) {
        for (index, place) in out.iter_mut().enumerate() {
            let pixel = (index / self.channels) as u32;
            let (x, y) = (
                column * self.tile + pixel % self.tile,
                row * self.tile + pixel / self.tile,
            );
            *place = self.pixel(level, x, y, index % self.channels);
        }
    }
}

fn options(width: u32, height: u32, samples: Samples, compression: Compression) -> TiffOptions {
    TiffOptions {
        width,
        height,
        samples,
        compression,
        tile: 256,
        mpp: Some(0.4),
        description: Some("a pattern".into()),
        palette: None,
    }
}

fn written(options: &TiffOptions) -> Vec<u8> {
    let pattern = Pattern {
        channels: options.samples.channels(),
        tile: options.tile,
    };
    let mut file = Cursor::new(Vec::new());
    write(&mut file, options, &pattern).expect("the pattern is written");
    file.into_inner()
}

/// Reads every level and hands its size and bytes to `check`.
fn read_levels(bytes: Vec<u8>, mut check: impl FnMut(usize, u32, u32, Vec<u8>)) -> usize {
    let mut decoder = Decoder::new(Cursor::new(bytes)).expect("the header is read");
    let mut level = 0;
    loop {
        let (width, height) = decoder.dimensions().expect("a size");
        let reduced = decoder
            .get_tag_u32(Tag::NewSubfileType)
            .expect("a subfile type");
        assert_eq!(reduced, u32::from(level > 0));
        let DecodingResult::U8(pixels) = decoder.read_image().expect("the pixels are read") else {
            panic!("not 8 bits");
        };
        check(level, width, height, pixels);
        level += 1;
        if !decoder.more_images() {
            return level;
        }
        decoder.next_image().expect("the next directory is read");
    }
}

#[test]
fn deflate_comes_back_pixel_for_pixel_at_every_level() {
    for samples in [Samples::Gray8, Samples::Rgb8] {
        for (width, height, levels) in [(1, 1, 1), (255, 257, 2), (256, 256, 1), (1000, 700, 3)] {
            let options = options(width, height, samples, Compression::Deflate);
            let channels = samples.channels();
            let pattern = Pattern {
                channels,
                tile: 256,
            };
            let found = read_levels(written(&options), |level, w, h, pixels| {
                assert_eq!((w, h), options.levels()[level]);
                assert_eq!(pixels.len(), w as usize * h as usize * channels);
                for (index, &value) in pixels.iter().enumerate() {
                    let (pixel, channel) = ((index / channels) as u32, index % channels);
                    assert_eq!(
                        value,
                        pattern.pixel(level, pixel % w, pixel / w, channel),
                        "level {level}, pixel {} {}",
                        pixel % w,
                        pixel / w
                    );
                }
            });
            assert_eq!(found, levels);
        }
    }
}

#[test]
fn jpeg_comes_back_close_at_every_level() {
    for (width, height) in [(1, 1), (255, 257), (1000, 700)] {
        let options = options(
            width,
            height,
            Samples::Rgb8,
            Compression::Jpeg { quality: 95 },
        );
        let pattern = Pattern {
            channels: 3,
            tile: 256,
        };
        read_levels(written(&options), |level, w, h, pixels| {
            assert_eq!((w, h), options.levels()[level]);
            let mut sum = 0.0;
            for (index, stored) in pixels.chunks_exact(3).enumerate() {
                let (x, y) = (index as u32 % w, index as u32 / w);
                // This decoder hands YCbCr over as it is stored.
                let [l, b, r] = [stored[0], stored[1], stored[2]].map(f64::from);
                let rgb = [
                    l + 1.402 * (r - 128.0),
                    l - 0.344_136 * (b - 128.0) - 0.714_136 * (r - 128.0),
                    l + 1.772 * (b - 128.0),
                ];
                for (channel, value) in rgb.into_iter().enumerate() {
                    sum += (value - f64::from(pattern.pixel(level, x, y, channel))).abs();
                }
            }
            let mean = sum / pixels.len() as f64;
            assert!(
                mean < 2.5,
                "level {level} of {width} x {height} is off by {mean}"
            );
        });
    }
}

#[test]
fn the_tags_say_what_the_file_is() {
    let options = options(1000, 700, Samples::Rgb8, Compression::Jpeg { quality: 80 });
    let mut decoder = Decoder::new(Cursor::new(written(&options))).expect("the header is read");
    let text = |decoder: &mut Decoder<_>, tag| decoder.get_tag_ascii_string(tag).expect("text");
    assert_eq!(text(&mut decoder, Tag::Software), "ftuseg");
    assert_eq!(text(&mut decoder, Tag::ImageDescription), "a pattern");
    assert_eq!(
        decoder
            .get_tag_u32(Tag::PhotometricInterpretation)
            .expect("a tag"),
        6
    );
    assert_eq!(decoder.get_tag_u32(Tag::ResolutionUnit).expect("a tag"), 3);
    for level in 0..3 {
        let resolution = decoder
            .get_tag_u32_vec(Tag::XResolution)
            .expect("a resolution");
        let mpp = 10_000.0 * f64::from(resolution[1]) / f64::from(resolution[0]);
        assert!((mpp - 0.4 * f64::from(1 << level)).abs() < 1e-9);
        if level < 2 {
            decoder.next_image().expect("another level");
        }
    }
}

#[test]
fn tiles_of_one_value_are_stored_once() {
    let options = options(4096, 4096, Samples::Gray8, Compression::Deflate);
    struct Blank;
    impl TileSource for Blank {
        fn tile(&self, _level: usize, column: u32, row: u32, out: &mut [u8]) {
            out.fill(u8::from(column == 3 && row == 5));
        }
    }
    let mut file = Cursor::new(Vec::new());
    write(&mut file, &options, &Blank).expect("written");
    let bytes = file.into_inner();
    let mut decoder = Decoder::new(Cursor::new(&bytes)).expect("the header is read");
    let offsets = decoder.get_tag_u64_vec(Tag::TileOffsets).expect("offsets");
    assert_eq!(offsets.len(), 256);
    let odd = offsets[5 * 16 + 3];
    assert_eq!(offsets.iter().filter(|&&offset| offset == odd).count(), 1);
    assert_eq!(
        offsets
            .iter()
            .filter(|&&offset| offset == offsets[0])
            .count(),
        255
    );
    let DecodingResult::U8(pixels) = decoder.read_image().expect("pixels") else {
        panic!("not 8 bits");
    };
    assert_eq!(
        pixels.iter().filter(|&&value| value == 1).count(),
        256 * 256
    );
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let options = options(2000, 1500, Samples::Rgb8, Compression::Jpeg { quality: 80 });
    let with = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool")
            .install(|| written(&options))
    };
    assert!(with(1) == with(4), "the bytes differ");
}

#[test]
fn a_possible_4_gib_makes_a_bigtiff_that_reads_back() {
    let mut options = options(70_000, 65_536, Samples::Gray8, Compression::Deflate);
    options.tile = 4096;
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    struct Corner;
    impl TileSource for Corner {
        fn tile(&self, level: usize, column: u32, row: u32, out: &mut [u8]) {
            CALLS.fetch_add(1, Ordering::Relaxed);
            if (level, column, row) == (0, 17, 15) {
                out[3] = 9;
            }
        }
    }
    let mut file = Cursor::new(Vec::new());
    write(&mut file, &options, &Corner).expect("written");
    let bytes = file.into_inner();
    assert_eq!(&bytes[..4], b"II\x2b\x00");
    assert!(
        bytes.len() < 200_000,
        "constant tiles are shared: {}",
        bytes.len()
    );
    let mut limits = tiff::decoder::Limits::default();
    limits.decoding_buffer_size = 1 << 30;
    let mut decoder = Decoder::new(Cursor::new(&bytes))
        .expect("the header")
        .with_limits(limits);
    assert_eq!(decoder.dimensions().expect("a size"), (70_000, 65_536));
    let DecodingResult::U8(pixels) = decoder.read_chunk(15 * 18 + 17).expect("a tile") else {
        panic!("not 8 bits");
    };
    assert_eq!(pixels.iter().position(|&value| value == 9), Some(3));
    // Levels of 18 x 16, 9 x 8, 5 x 4, 3 x 2, 2 x 1 and 1 x 1 tiles.
    assert_eq!(CALLS.load(Ordering::Relaxed), 288 + 72 + 20 + 6 + 2 + 1);
}

#[test]
fn impossible_options_are_named() {
    let good = options(10, 10, Samples::Gray8, Compression::Deflate);
    let refused = |options: TiffOptions, word: &str| {
        let source = Pattern {
            channels: 1,
            tile: 256,
        };
        let error = write(Cursor::new(Vec::new()), &options, &source).expect_err("refused");
        assert!(matches!(
            error,
            TiledTiffError::Usage(_) | TiledTiffError::LimitsExceeded(_)
        ));
        assert!(error.to_string().contains(word), "{error}");
    };
    refused(
        TiffOptions {
            width: 0,
            ..good.clone()
        },
        "0 x 10",
    );
    refused(
        TiffOptions {
            tile: 100,
            ..good.clone()
        },
        "multiple of 16",
    );
    refused(
        TiffOptions {
            tile: 1 << 20,
            ..good.clone()
        },
        "at most 4096",
    );
    refused(
        TiffOptions {
            mpp: Some(f64::NAN),
            ..good.clone()
        },
        "um/px",
    );
    refused(
        TiffOptions {
            mpp: Some(0.0),
            ..good.clone()
        },
        "um/px",
    );
    let jpeg = Compression::Jpeg { quality: 90 };
    refused(
        TiffOptions {
            compression: jpeg,
            ..good.clone()
        },
        "colour only",
    );
    let huge = TiffOptions {
        width: u32::MAX,
        height: u32::MAX,
        tile: 16,
        ..good
    };
    refused(huge, "tiles");
}

#[test]
fn a_failed_write_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mask.tif");
    let mut options = options(300, 300, Samples::Gray8, Compression::Deflate);
    let source = Pattern {
        channels: 1,
        tile: 256,
    };
    options.tile = 17;
    assert!(super::write_file(&path, &options, &source).is_err());
    assert_eq!(
        std::fs::read_dir(folder.path())
            .expect("the folder")
            .count(),
        0
    );
    options.tile = 256;
    super::write_file(&path, &options, &source).expect("written");
    assert_eq!(std::fs::read(&path).expect("the file"), written(&options));
    assert_eq!(
        std::fs::read_dir(folder.path())
            .expect("the folder")
            .count(),
        1
    );
}

#[test]
fn px_keep_both_sides_to_nine_digits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mask.tif");
    let source = Pattern {
        channels: 1,
        tile: 256,
    };
    for (across, down) in [
        (0.5, 0.504),
        (0.252_345_678_9, 0.252_345_678_9),
        (0.023_456_789, 39.9),
    ] {
        let mut options = options(600, 300, Samples::Gray8, Compression::Deflate);
        options.mpp = Some(across);
        super::write_file_down(&path, &options, Some(down), &source).expect("written");
        let file = std::fs::File::open(&path).expect("the file");
        let mut decoder = Decoder::new(std::io::BufReader::new(file)).expect("the header is read");
        for (tag, wanted) in [(Tag::XResolution, across), (Tag::YResolution, down)] {
            let ratio = decoder.get_tag_u32_vec(tag).expect("a resolution");
            let found = 10_000.0 * f64::from(ratio[1]) / f64::from(ratio[0]);
            assert!((found / wanted - 1.0).abs() < 1e-8, "{found} for {wanted}");
        }
    }
    let options = options(30, 30, Samples::Gray8, Compression::Deflate);
    assert!(super::write_file_down(&path, &options, Some(0.0), &source).is_err());
}
