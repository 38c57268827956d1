//! Tiles and strips that are missing, or larger than usual.

use super::*;

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
    let error = TiffReader::open(&path).err().unwrap();
    assert!(matches!(error, SlideError::StripTooLarge { .. }), "{error}");
    let error = error.to_string();
    for word in ["20000 x 20000", "1145 MiB", "256 MiB", "vips"] {
        assert!(error.contains(word), "{word}: {error}");
    }
}
