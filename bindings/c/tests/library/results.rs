//! What comes out: the same as the command writes, byte for byte.

use std::ptr;

use ftuseg::backend::BackendChoice;
use ftuseg::{Request, RgbSlide};
use ftuseg_c::*;

use super::support::*;

/// All px.
const ALL: ftuseg_rect = ftuseg_rect {
    x: 0,
    y: 0,
    width: SIZE.0,
    height: SIZE.1,
};

/// The names of what is measured.
fn measurements() -> Vec<std::ffi::CString> {
    let names = (0..)
        .map(|index| ftuseg_measurement_name(index))
        .take_while(|name| !name.is_null());
    let names: Vec<_> = names
        .map(|name| std::ffi::CString::new(text(name)).unwrap())
        .collect();
    assert!(
        names.len() > 30 && names.contains(&c"area_um2".into()),
        "{names:?}"
    );
    names
}

#[test]
fn a_file_gives_what_the_command_writes() {
    let scratch = Scratch::new();
    let folder = command_folder(&scratch);
    let engine = scratch.engine(&[]);
    let result = engine.file(&scratch.c_path("one.tif"), &request()).unwrap();
    // A result needs its engine no more.
    drop(engine);

    let written = std::fs::read_to_string(folder.join("slides/one/objects.geojson")).unwrap();
    assert!(result.geojson() == written);
    let submission = std::fs::read_to_string(folder.join("submission.csv")).unwrap();
    assert_eq!(submission, format!("id,rle\none,{}\n", result.rle(None)));

    let mask = folder.join("slides/one/mask.tif");
    let expected = levels(&mask);
    assert!(!expected.is_empty());
    for (level, expected) in expected.iter().enumerate() {
        let rect = ftuseg_rect {
            width: expected.width as u32,
            height: expected.height as u32,
            ..ALL
        };
        assert!(
            result.labels(rect, level as u32) == expected.values,
            "level {level}"
        );
    }
    let path = scratch.c_path("mask.tif");
    // SAFETY: both live.
    let status = unsafe { ftuseg_result_write_mask(result.0, path.as_ptr()) };
    assert_eq!(status, ftuseg_status::Ok, "{}", last_error());
    assert!(std::fs::read(scratch.join("mask.tif")).unwrap() == std::fs::read(mask).unwrap());
    assert_eq!(
        std::fs::read_dir(scratch.path()).unwrap().count(),
        4,
        "a temporary file is left"
    );

    // What is measured, by the table's columns.
    let table = std::fs::read_to_string(folder.join("slides/one/objects.csv")).unwrap();
    let mut lines = table
        .lines()
        .map(|line| line.split(',').collect::<Vec<&str>>());
    let header = lines.next().unwrap();
    let rows: Vec<Vec<&str>> = lines.collect();
    let objects = result.objects();
    assert_eq!(rows.len(), objects.len());
    for (index, (row, object)) in rows.iter().zip(&objects).enumerate() {
        let column = |name: &str| row[header.iter().position(|&known| known == name).unwrap()];
        assert_eq!(column("id"), object.id.to_string());
        assert_eq!(column("uuid"), text(object.uuid));
        for name in measurements() {
            let expected = match column(name.to_str().unwrap()) {
                "true" => 1.0,
                "false" => 0.0,
                number => number.parse().unwrap(),
            };
            assert_eq!(result.measured(index, &name), expected, "{name:?}");
        }
    }

    // And the networks of the drawing are right about all of it.
    let truth: Vec<u8> = pixels()
        .chunks_exact(3)
        .map(|px| label_of([px[0], px[1], px[2]]))
        .collect();
    assert!(result.labels(ALL, 0) == truth);
}

#[test]
fn pixels_give_what_the_library_finds_in_them() {
    let scratch = Scratch::new();
    let rgb = pixels();
    let bundle = scratch.join("bundle");
    let theirs = ftuseg::Engine::builder(bundle.as_path())
        .runtime(BackendChoice::Rten)
        .build()
        .unwrap();
    let slide = RgbSlide::new(SIZE.0, SIZE.1, &rgb[..], MPP).unwrap();
    let found = theirs.segment(&slide, &Request::default()).unwrap();
    let expected = ftuseg::mask::rle::encode(&found.union().unwrap());

    let engine = scratch.engine(&[]);
    let result = engine.pixels(&given(&rgb), &request()).unwrap();
    assert_eq!(result.rle(None), expected);
    let per_layer = |name: &str| {
        let layer = found
            .layers
            .iter()
            .find(|layer| layer.target.name() == name);
        ftuseg::mask::rle::encode(&layer.unwrap().mask)
    };
    assert_eq!(result.rle(Some(c"kidney")), per_layer("kidney"));
    assert_eq!(result.rle(Some(c"prostate")), per_layer("prostate"));
    // An organ that the slide does not have.
    assert_eq!(result.rle(Some(c"lung")), "");

    // BGRA with a gap behind each row is the same slide.
    let stride = SIZE.0 as usize * 4 + 20;
    let mut bgra = vec![0; stride * SIZE.1 as usize];
    for (place, px) in rgb.chunks_exact(3).enumerate() {
        let (row, column) = (place / SIZE.0 as usize, place % SIZE.0 as usize);
        bgra[row * stride + column * 4..][..4].copy_from_slice(&[px[2], px[1], px[0], 255]);
    }
    let other = ftuseg_pixels {
        stride,
        format: FTUSEG_PIXELS_BGRA,
        ..given(&bgra)
    };
    let other = engine.pixels(&other, &request()).unwrap();
    assert!(other.geojson() == result.geojson());

    let objects = found.objects();
    assert_eq!(result.objects().len(), objects.len());
    assert!(objects.len() > 6);
    for (index, (ours, theirs)) in result.objects().iter().zip(&objects).enumerate() {
        assert_eq!(ours.id, index as u64 + 1);
        assert_eq!(ours.area_px, theirs.polygon.area);
        assert_eq!(ours.rings, theirs.polygon.holes.len() + 1);
        assert_eq!(text(result.organs()[ours.organ].name), theirs.target.name());
        assert_eq!(result.ring(index, 0), theirs.polygon.exterior);
        for (hole, ring) in theirs.polygon.holes.iter().enumerate() {
            assert_eq!(&result.ring(index, hole + 1), ring);
        }
        let inside = |corner: &[u32; 2]| {
            let (x, y) = (corner[0] - ours.bounds.x, corner[1] - ours.bounds.y);
            x <= ours.bounds.width && y <= ours.bounds.height
        };
        assert!(theirs.polygon.exterior.iter().all(inside));
        let area = result.measured(index, c"area_um2");
        assert_eq!(area, theirs.polygon.area as f64 * MPP * MPP);
        assert_eq!(result.measured(index, c"area_px"), ours.area_px as f64);
        assert_eq!(
            result.measured(index, c"box_width_px"),
            f64::from(ours.bounds.width)
        );
    }
}

#[test]
fn organs_and_their_map_are_those_of_the_library() {
    let scratch = Scratch::new();
    let rgb = pixels();
    let engine = scratch.engine(&[]);
    let result = engine.pixels(&given(&rgb), &request()).unwrap();
    let organs = result.organs();
    let names: Vec<String> = organs.iter().map(|organ| text(organ.name)).collect();
    assert!(
        names.contains(&"kidney".to_owned()) && names.contains(&"prostate".to_owned()),
        "{names:?}"
    );
    let share: f64 = organs.iter().map(|organ| organ.share).sum();
    assert!((share - 1.0).abs() < 1e-9, "{share}");
    let mut counted = 0;
    for organ in &organs {
        if text(organ.name) == "kidney" {
            assert_eq!(
                (text(organ.unit), organ.label),
                ("Glomerulus".to_owned(), 1)
            );
            assert_eq!(text(organ.model), "kidney");
            assert_eq!(organ.threshold, 0.5);
            assert!(organ.confidence > 0.5);
            assert!((organ.area_mm2 - organ.area_px as f64 * MPP * MPP * 1e-6).abs() < 1e-12);
        }
        counted += organ.objects;
    }
    assert_eq!(counted as usize, result.objects().len());

    // SAFETY: all zero is a value, the handle lives, and the buffers have what they say.
    let (map, cells) = unsafe {
        let mut map: ftuseg_organ_map = std::mem::zeroed();
        map.size = size_of::<ftuseg_organ_map>();
        assert_eq!(
            ftuseg_result_organ_map(result.0, &mut map),
            ftuseg_status::Ok
        );
        let mut cells = vec![99; map.columns as usize * map.rows as usize];
        let status = ftuseg_result_organ_cells(result.0, cells.as_mut_ptr(), cells.len());
        assert_eq!(status, ftuseg_status::Ok);
        (map, cells)
    };
    assert_eq!(map.cell, 16.0);
    assert_eq!(
        (map.columns, map.rows),
        (SIZE.0.div_ceil(16), SIZE.1.div_ceil(16))
    );
    let at = |x: u32, y: u32| cells[(y / 16 * map.columns + x / 16) as usize];
    let name = |cell: u8| (cell > 0).then(|| names[usize::from(cell) - 1].as_str());
    assert_eq!(name(at(60, 100)), Some("kidney"));
    assert_eq!(name(at(230, 100)), Some("prostate"));
    assert_eq!(name(at(150, 100)), None);
}

#[test]
fn a_slide_says_what_it_is_and_what_is_doubtful() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    let id = c"a name of my own";
    let wanted = ftuseg_request {
        id: id.as_ptr(),
        mpp: 2.5,
        ..request()
    };
    let result = engine.file(&scratch.c_path("one.tif"), &wanted).unwrap();
    // SAFETY: all zero is a value, and the handle lives.
    let slide = unsafe {
        let mut slide: ftuseg_slide_info = std::mem::zeroed();
        slide.size = size_of::<ftuseg_slide_info>();
        assert_eq!(ftuseg_result_slide(result.0, &mut slide), ftuseg_status::Ok);
        slide
    };
    assert_eq!(text(slide.id), "a name of my own");
    assert_eq!(text(slide.reader), "ftuseg");
    assert!(text(slide.format).contains("TIFF"));
    assert_eq!(
        (slide.width, slide.height, slide.mpp_x, slide.mpp_y),
        (SIZE.0, SIZE.1, 2.5, 2.5)
    );
    assert!(slide.tissue_share > 0.3 && slide.tissue_share < 0.9);
    assert!(slide.tiles_planned > 4 && slide.tiles_planned == slide.tiles_inferred);
    // The file says 2.0.
    let warnings = result.warnings();
    assert!(
        warnings
            .iter()
            .any(|(kind, text)| kind == "resolution" && text.contains("2.5")),
        "{warnings:?}"
    );
}

#[test]
fn a_region_has_the_mask_of_the_whole_and_nothing_around() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    let rgb = pixels();
    let whole = engine.pixels(&given(&rgb), &request()).unwrap();
    let region = ftuseg_rect {
        x: 40,
        y: 30,
        width: 80,
        height: 90,
    };
    let part = engine
        .pixels(
            &given(&rgb),
            &ftuseg_request {
                region,
                ..request()
            },
        )
        .unwrap();
    assert!(part.labels(region, 0) == whole.labels(region, 0));
    let inside = part
        .labels(region, 0)
        .iter()
        .filter(|&&label| label != 0)
        .count();
    let all = part
        .labels(ALL, 0)
        .iter()
        .filter(|&&label| label != 0)
        .count();
    assert!(inside > 1000);
    assert_eq!(all, inside);
}

#[test]
fn blocks_are_cut_out_of_the_mask() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    let rgb = pixels();
    let result = engine.pixels(&given(&rgb), &request()).unwrap();
    let whole = result.labels(ALL, 0);
    let at = |x: u32, y: u32| {
        let within = x < SIZE.0 && y < SIZE.1;
        if within {
            whole[(y * SIZE.0 + x) as usize]
        } else {
            0
        }
    };
    // Over the slide's corner; the gap behind each row is not touched.
    let rect = ftuseg_rect {
        x: 200,
        y: 150,
        width: 150,
        height: 60,
    };
    let (stride, organ) = (160, c"prostate");
    let mut out = vec![7; stride * 60];
    // SAFETY: all of them live, and there are so many bytes.
    let status = unsafe {
        ftuseg_result_read_mask(
            result.0,
            organ.as_ptr(),
            rect,
            0,
            out.as_mut_ptr(),
            out.len(),
            stride,
        )
    };
    assert_eq!(status, ftuseg_status::Ok, "{}", last_error());
    for (row, line) in out.chunks_exact(stride).enumerate() {
        for (column, &value) in line.iter().enumerate() {
            let label = at(rect.x + column as u32, rect.y + row as u32);
            let expected = match (column < 150, label) {
                (false, _) => 7,
                (true, 2) => 255,
                (true, _) => 0,
            };
            assert_eq!(value, expected, "({column}, {row})");
        }
    }
    // Any organ, and one that is not there.
    for (name, expected) in [(ptr::null(), KIDNEY_FTU), (c"spleen".as_ptr(), [0; 3])] {
        let mut out = [9];
        let one = ftuseg_rect {
            x: 70,
            y: 70,
            width: 1,
            height: 1,
        };
        // SAFETY: as above.
        let status =
            unsafe { ftuseg_result_read_mask(result.0, name, one, 0, out.as_mut_ptr(), 1, 0) };
        assert_eq!(status, ftuseg_status::Ok);
        assert_eq!(out[0] == 255, expected == KIDNEY_FTU);
    }
}

#[test]
fn an_organ_can_be_given() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[("route", "given")]);
    let rgb = pixels();
    assert_eq!(
        engine.pixels(&given(&rgb), &request()).unwrap_err(),
        ftuseg_status::Usage
    );
    assert!(
        last_error().contains("organ must be given"),
        "{}",
        last_error()
    );
    let wanted = ftuseg_request {
        organ: c"Kidney".as_ptr(),
        ..request()
    };
    let result = engine.pixels(&given(&rgb), &wanted).unwrap();
    assert_eq!(result.organs().len(), 1);
    assert_eq!(text(result.organs()[0].name), "kidney");
}
