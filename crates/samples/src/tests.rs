use ftuseg_router::Organ;

use super::truth::label;

use super::{Drawing, KaggleSlide, Part, Spec, core, tissue_array, two_organs};

fn drawn(spec: &Spec) -> Drawing {
    Drawing::new(spec).expect("a drawable spec")
}

fn whole_rgb(drawing: &Drawing, level: usize) -> Vec<u8> {
    let (w, h) = drawing.level_size(level);
    let mut out = vec![0; w as usize * h as usize * 3];
    drawing.rgb(level, 0, 0, w, h, &mut out);
    out
}

fn whole_truth(drawing: &Drawing, level: usize) -> Vec<u8> {
    let (w, h) = drawing.level_size(level);
    let mut out = vec![9; w as usize * h as usize];
    drawing.truth(level, 0, 0, w, h, &mut out);
    out
}

fn whole_organs(drawing: &Drawing) -> Vec<u8> {
    let (w, h) = drawing.level_size(0);
    let mut out = vec![9; w as usize * h as usize];
    drawing.organ_at(0, 0, 0, w, h, &mut out);
    out
}

/// Windows of odd sizes and places show exactly what the whole picture shows: no shape is lost or changed
/// at a window's edge.
#[test]
fn windows_join_without_a_seam() {
    for organ in Organ::ALL {
        for (size, mpp, level) in [(500, 0.5, 0), (300, 2.5, 0), (500, 1.1, 1)] {
            let drawing = drawn(&core(organ, size, mpp, 11));
            let (rgb, truth) = (whole_rgb(&drawing, level), whole_truth(&drawing, level));
            let (side, _) = drawing.level_size(level);
            for (x, y, w, h) in [(0, 0, 97, 51), (61, 83, 130, 71), (side - 40, 100, 40, 77)] {
                let mut colours = vec![0; w as usize * h as usize * 3];
                drawing.rgb(level, x, y, w, h, &mut colours);
                let mut labels = vec![9; w as usize * h as usize];
                drawing.truth(level, x, y, w, h, &mut labels);
                for row in 0..h as usize {
                    let from = (y as usize + row) * side as usize + x as usize;
                    let (own, length) = (row * w as usize, w as usize);
                    assert_eq!(labels[own..own + length], truth[from..from + length]);
                    assert!(
                        colours[own * 3..(own + length) * 3] == rgb[from * 3..(from + length) * 3],
                        "{organ:?} at {mpp} um/px, window {x} {y} {w} {h}, row {row}"
                    );
                }
            }
        }
    }
}

#[test]
fn one_seed_shows_one_slide_at_any_um_per_px() {
    for organ in Organ::ALL {
        let fine = drawn(&core(organ, 1200, 1.0, 3));
        let coarse = drawn(&core(organ, 300, 4.0, 3));
        // The mean of 4 x 4 fine pixels against one coarse one.
        let (a, b) = (whole_rgb(&fine, 0), whole_rgb(&coarse, 0));
        let mut off = 0.0;
        let mut spread = 0.0;
        for y in 0..300 {
            for x in 0..300 {
                let mut sum = 0.0;
                for (dy, dx) in (0..16).map(|i| (i / 4, i % 4)) {
                    sum += f64::from(a[((y * 4 + dy) * 1200 + x * 4 + dx) * 3]);
                }
                let one = f64::from(b[(y * 300 + x) * 3]);
                off += (sum / 16.0 - one).abs();
                spread += (one - 245.0).abs();
            }
        }
        assert!(off < 0.1 * spread, "{organ:?}: {off} against {spread}");
        // Levels of the fine slide have the coarse slide's truth, pixel for pixel.
        let (a, b) = (whole_truth(&fine, 2), whole_truth(&coarse, 0));
        let differ = a.iter().zip(&b).filter(|(a, b)| a != b).count();
        assert!(
            differ < 20,
            "{organ:?}: {differ} pixels of the truth differ"
        );
    }
}

#[test]
fn every_core_holds_units_inside_of_its_tissue_and_glass_around() {
    for organ in Organ::ALL {
        for seed in 0..12 {
            let drawing = drawn(&core(organ, 300, 4.0, seed));
            let (truth, organs) = (whole_truth(&drawing, 0), whole_organs(&drawing));
            assert_eq!((organs[0], organs[299], organs[90_000 - 1]), (0, 0, 0));
            let tissue = organs
                .iter()
                .filter(|&&value| value == label(organ))
                .count();
            let units = truth.iter().filter(|&&value| value == label(organ)).count();
            assert_eq!(tissue, organs.iter().filter(|&&label| label > 0).count());
            assert!((0.35..0.72).contains(&(tissue as f64 / 90_000.0)));
            let share = units as f64 / tissue as f64;
            assert!(
                (0.004..0.95).contains(&share),
                "{organ:?} seed {seed}: {share}"
            );
            assert!(
                truth
                    .iter()
                    .zip(&organs)
                    .all(|(&unit, &organ)| unit == 0 || unit == organ)
            );
        }
    }
}

#[test]
fn tissue_is_darker_than_glass_and_seeds_differ() {
    for organ in Organ::ALL {
        let drawing = drawn(&core(organ, 300, 4.0, 1));
        let (rgb, organs) = (whole_rgb(&drawing, 0), whole_organs(&drawing));
        let mean = |label: u8| {
            let chosen: Vec<f64> = rgb
                .chunks_exact(3)
                .zip(&organs)
                .filter(|(_, found)| **found == label)
                .map(|(pixel, _)| f64::from(pixel[1]))
                .collect();
            chosen.iter().sum::<f64>() / chosen.len() as f64
        };
        assert!(mean(0) > 238.0);
        assert!(mean(label(organ)) < 230.0);
        assert!(rgb != whole_rgb(&drawn(&core(organ, 300, 4.0, 2)), 0));
        // The seed's upper half counts as well.
        assert!(rgb != whole_rgb(&drawn(&core(organ, 300, 4.0, 1 << 40 | 1)), 0));
    }
}

#[test]
fn two_organs_lie_apart_each_with_its_own_units() {
    for seed in 0..8 {
        let drawing = drawn(&two_organs(Organ::Kidney, Organ::Lung, 600, 300, 4.0, seed));
        let (truth, organs) = (whole_truth(&drawing, 0), whole_organs(&drawing));
        for (index, (&unit, &organ)) in truth.iter().zip(&organs).enumerate() {
            let x = index % 600;
            match organ {
                1 => assert!(x < 295, "kidney at {x}"),
                5 => assert!(x > 305, "lung at {x}"),
                other => assert_eq!(other, 0),
            }
            assert!(unit == 0 || unit == organ);
        }
        assert!(truth.contains(&1) && truth.contains(&5));
    }
}

/// The pixels of a fixed slide never change by accident: demo outputs and tests rest on them. If a change is
/// meant, put the new sums here.
#[test]
fn pixels_are_the_same_on_every_machine() {
    let spec = tissue_array(900, 600, 8.0, 42);
    let drawing = drawn(&spec);
    assert_eq!(spec.parts.len(), 12);
    let sum = |bytes: &[u8]| {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |sum, &byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    };
    assert_eq!(
        (sum(&whole_rgb(&drawing, 0)), sum(&whole_truth(&drawing, 0))),
        (1561744566769392578, 4155791437314284266)
    );
}

#[test]
fn impossible_specs_are_refused() {
    let good = core(Organ::Spleen, 300, 4.0, 0);
    let refused = |spec: Spec| assert!(Drawing::new(&spec).is_err(), "{spec:?}");
    refused(Spec {
        width: 0,
        ..good.clone()
    });
    refused(Spec {
        mpp: f64::NAN,
        ..good.clone()
    });
    refused(Spec {
        mpp: 1e-9,
        ..good.clone()
    });
    refused(Spec {
        width: u32::MAX,
        ..good.clone()
    });
    for radius in [(0.0, 10.0), (f64::INFINITY, 10.0), (10.0, f64::NAN)] {
        let part = Part {
            radius,
            ..good.parts[0]
        };
        refused(Spec {
            parts: vec![part],
            ..good.clone()
        });
    }
}

#[test]
fn a_kaggle_folder_holds_the_truth_as_rle() {
    let folder = tempfile::tempdir().expect("a folder");
    let slide = |id: &str, organ| KaggleSlide {
        id: id.into(),
        spec: core(organ, 300, 4.0, 5),
    };
    let slides = [slide("7", Organ::Prostate), slide("eight", Organ::Lung)];
    super::write_kaggle_folder(folder.path(), &slides).expect("written");
    let mut table = csv::Reader::from_path(folder.path().join("train.csv")).expect("a table");
    let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 2);
    for (row, slide) in rows.iter().zip(&slides) {
        assert_eq!(&row[0], slide.id);
        assert_eq!(&row[1], slide.spec.parts[0].organ.name());
        assert_eq!((&row[3], &row[4], &row[5]), ("300", "300", "4"));
        let mut mask = vec![0; 90_000];
        let numbers: Vec<usize> = row[7]
            .split(' ')
            .map(|n| n.parse().expect("a number"))
            .collect();
        for run in numbers.chunks_exact(2) {
            for pixel in run[0] - 1..run[0] - 1 + run[1] {
                // Down the columns.
                mask[pixel % 300 * 300 + pixel / 300] = label(slide.spec.parts[0].organ);
            }
        }
        assert_eq!(mask, whole_truth(&drawn(&slide.spec), 0));
        let path = folder
            .path()
            .join(format!("train_images/{}.tiff", slide.id));
        let file = std::fs::File::open(path).expect("the image");
        let mut decoder = tiff::decoder::Decoder::new(file).expect("a TIFF");
        let tiff::decoder::DecodingResult::U8(pixels) = decoder.read_image().expect("pixels")
        else {
            panic!("not 8 bits");
        };
        assert!(pixels == whole_rgb(&drawn(&slide.spec), 0));
    }
}

#[test]
fn a_kaggle_folder_refuses_what_is_no_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |id: &str, spec: Spec| {
        let slide = KaggleSlide {
            id: id.into(),
            spec,
        };
        assert!(super::write_kaggle_folder(folder.path(), &[slide]).is_err());
        assert!(!folder.path().join("train.csv").exists());
    };
    refused("../up", core(Organ::Lung, 64, 16.0, 1));
    refused("", core(Organ::Lung, 64, 16.0, 1));
    refused(
        "two",
        two_organs(Organ::Lung, Organ::Spleen, 64, 64, 16.0, 1),
    );
}
