//! The stitched mask is the exact answer, px by px: networks whose answer is known by heart.

use crate::support::{MemorySlide, TinyBundle, backends, hash, rten};
use ftuseg::backend::Backend;
use ftuseg::bundle::Bundle;
use ftuseg::mask::Mask;
use ftuseg::pipeline::{Blend, Engine, EngineOptions, Request, Route, Tta};
use ftuseg::slide::{Plane, SlideReader, TissueMode};
use ftuseg_router::Target;

fn options(overlap: u32, blend: Blend, readers: usize, batch: usize) -> EngineOptions {
    EngineOptions {
        route: Route::Fixed(Target::Baseline),
        tissue: TissueMode::Off,
        overlap: Some(overlap),
        blend,
        readers,
        batch,
        ..EngineOptions::default()
    }
}

fn segment(
    bundle: &Bundle,
    backend: Box<dyn Backend>,
    slide: &dyn SlideReader,
    options: EngineOptions,
) -> Mask {
    let engine = Engine::new(bundle.clone(), backend, options);
    let found = engine.segment(slide, &Request::default()).unwrap();
    assert_eq!(found.tiles.planned, found.tiles.inferred);
    assert_eq!(found.layers.len(), 1);
    found.union().unwrap()
}

/// Every px is random: a shift by one px, a seam or a wrong border shows.
fn noise(width: u32, height: u32) -> MemorySlide {
    MemorySlide::new(width, height, |x, y| {
        let h = hash(x, y);
        [h as u8, (h >> 8) as u8, (h >> 16) as u8]
    })
}

/// Compares a mask with `red >= 128`.
fn assert_red(mask: &Mask, slide: &MemorySlide, what: &str) {
    let (width, height) = (slide.info().width(), slide.info().height());
    assert_eq!((mask.width(), mask.height()), (width, height), "{what}");
    for y in 0..height {
        for x in 0..width {
            assert_eq!(
                mask.get(x, y),
                slide.at(x, y)[0] >= 128,
                "{what}: px ({x}, {y})"
            );
        }
    }
}

const BYTES: &str =
    "role = \"baseline\"\ninput = \"uint8-nhwc\"\noutput = \"probability\"\nmpp = 2.0";
const FLOATS: &str = "role = \"baseline\"\nmean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]\noutput = \"logit\"\nmpp = 2.0";

#[test]
fn the_mask_is_the_exact_answer_for_every_size_overlap_blend_and_thread_count() {
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let bundle = tiny.load();
    for size in [
        (1, 1),
        (31, 31),
        (64, 64),
        (65, 1),
        (511, 511),
        (512, 512),
        (513, 513),
    ] {
        let slide = noise(size.0, size.1);
        for (overlap, blend, threads, batch) in [
            (0, Blend::Crop, 1, 1),
            (0, Blend::Gaussian, 4, 1),
            (1, Blend::Crop, 4, 3),
            (16, Blend::Gaussian, 1, 1),
            (31, Blend::Crop, 4, 1),
            (32, Blend::Gaussian, 4, 2),
            (32, Blend::Crop, 1, 1),
        ] {
            for backend in backends(threads) {
                let what = format!(
                    "{size:?} overlap {overlap} {blend:?} {threads} threads batch {batch} {}",
                    backend.about().backend
                );
                let mask = segment(
                    &bundle,
                    backend,
                    &slide,
                    options(overlap, blend, threads, batch),
                );
                assert_red(&mask, &slide, &what);
            }
        }
    }
}

#[test]
fn a_large_odd_slide_is_exact_too() {
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let bundle = tiny.load();
    let slide = noise(3000, 2999);
    for (overlap, blend, threads) in [(16, Blend::Crop, 4), (8, Blend::Gaussian, 1)] {
        for backend in backends(threads) {
            let mask = segment(
                &bundle,
                backend,
                &slide,
                options(overlap, blend, threads, 1),
            );
            assert_red(&mask, &slide, &format!("{overlap} {blend:?}"));
        }
    }
}

#[test]
fn normalised_floats_and_logits_give_the_same_answer() {
    let tiny = TinyBundle::new().model("red", "red-float.onnx", FLOATS);
    let bundle = tiny.load();
    let slide = noise(150, 100);
    for backend in backends(2) {
        let mask = segment(&bundle, backend, &slide, options(8, Blend::Crop, 2, 1));
        assert_red(&mask, &slide, "floats");
    }
}

#[test]
fn a_whole_slide_model_sees_the_slide_in_one_tile() {
    let whole = BYTES.replace("mpp = 2.0", "fit = \"whole\"");
    let tiny = TinyBundle::new().model("red", "red.onnx", &whole);
    let bundle = tiny.load();
    // Red on the left 5/8, which is 40 of the tile's 64 px, whatever the slide's shape.
    let slide = MemorySlide::new(640, 128, |x, _| [if x < 400 { 255 } else { 0 }, 0, 0]);
    let mask = segment(&bundle, rten(1), &slide, options(0, Blend::Crop, 1, 1));
    for x in 0..640 {
        // One px of the tile is 10 px wide: the edge may lie that far off, and no farther.
        if !(390..410).contains(&x) {
            assert_eq!(mask.get(x, 64), x < 400, "{x}");
        }
    }
}

/// Interpolates the plane's probabilities the slow way, for comparison.
fn expected_at(plane: &Plane, rgb: &[u8], x: u32, y: u32) -> f64 {
    let place = |position: u32, scale: f64, length: u32| {
        let at = ((f64::from(position) + 0.5) / scale - 0.5).clamp(0.0, f64::from(length - 1));
        let before = at.floor() as u32;
        (before, (before + 1).min(length - 1), at - at.floor())
    };
    let (x0, x1, fx) = place(x, plane.scale.0, plane.width);
    let (y0, y1, fy) = place(y, plane.scale.1, plane.height);
    let red = |x: u32, y: u32| f64::from(rgb[(y * plane.width + x) as usize * 3]) / 255.0;
    let upper = red(x0, y0) * (1.0 - fx) + red(x1, y0) * fx;
    let lower = red(x0, y1) * (1.0 - fx) + red(x1, y1) * fx;
    upper * (1.0 - fy) + lower * fy
}

#[test]
fn other_resolutions_are_interpolated_without_seams() {
    for model_mpp in ["5.0", "3.1", "1.3"] {
        let lines = BYTES.replace("2.0", model_mpp);
        let tiny = TinyBundle::new().model("red", "red.onnx", &lines);
        let bundle = tiny.load();
        let slide = MemorySlide::new(701, 333, |x, y| {
            let wave = (f64::from(x) / 23.0).sin() + (f64::from(y) / 31.0).cos();
            [(128.0 + 60.0 * wave) as u8, 0, 0]
        });
        let scale = model_mpp.parse::<f64>().unwrap() / crate::support::MPP;
        let plane = Plane::at_scale(701, 333, scale);
        let mut rgb = vec![0; plane.width as usize * plane.height as usize * 3];
        plane
            .read(&slide, 0, 0, plane.width, plane.height, &mut rgb)
            .unwrap();
        for (overlap, blend, threads) in [
            (0, Blend::Crop, 4),
            (16, Blend::Crop, 1),
            (24, Blend::Gaussian, 4),
        ] {
            let mask = segment(
                &bundle,
                rten(1),
                &slide,
                options(overlap, blend, threads, 1),
            );
            for y in 0..333 {
                for x in 0..701 {
                    let value = expected_at(&plane, &rgb, x, y);
                    // The resizer may round a tile's px by 1/255 differently than the whole's.
                    if (value - 0.5).abs() > 1.5 / 255.0 {
                        assert_eq!(
                            mask.get(x, y),
                            value >= 0.5,
                            "mpp {model_mpp} overlap {overlap} {blend:?} px ({x}, {y}): {value}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn holes_and_specks_go_as_the_bundle_says() {
    let slide = MemorySlide::new(200, 200, |x, y| {
        let ring = (20..80).contains(&x) && (20..80).contains(&y);
        let hole = (40..60).contains(&x) && (40..60).contains(&y);
        let speck = (120..124).contains(&x) && (120..124).contains(&y);
        [if (ring && !hole) || speck { 255 } else { 0 }, 0, 0]
    });
    for (lines, has_hole, has_speck) in [
        ("", true, true),
        ("fill_holes = true", false, true),
        ("min_area = 17", true, false),
        ("min_area = 16\nfill_holes = true", false, true),
    ] {
        let tiny = TinyBundle::new().model("red", "red.onnx", &format!("{BYTES}\n{lines}"));
        let mask = segment(&tiny.load(), rten(1), &slide, options(8, Blend::Crop, 1, 1));
        assert_eq!(!mask.get(50, 50), has_hole, "{lines}");
        assert_eq!(mask.get(121, 121), has_speck, "{lines}");
    }
}

/// Compares a mask with a weighted mean of red and green, `at least half`, at every px.
fn assert_mean(mask: &Mask, slide: &MemorySlide, (red, green): (f32, f32), what: &str) {
    for y in 0..slide.info().height() {
        for x in 0..slide.info().width() {
            let [r, g, _] = slide.at(x, y);
            let mean = (red * f32::from(r) + green * f32::from(g)) / (red + green) / 255.0;
            // At the very threshold the rounding of the sum decides.
            if (mean - 0.5).abs() > 1e-4 {
                assert_eq!(mask.get(x, y), mean >= 0.5, "{what}: px ({x}, {y})");
            }
        }
    }
}

#[test]
fn several_models_of_one_target_are_averaged_with_their_weights() {
    let slide = noise(150, 131);
    for (lines, weights) in [("", (1.0, 1.0)), ("weight = 3", (1.0, 3.0))] {
        let tiny = TinyBundle::new().model("red", "red.onnx", BYTES).model(
            "green",
            "green.onnx",
            &format!("{BYTES}\n{lines}"),
        );
        let bundle = tiny.load();
        for (blend, batch) in [(Blend::Crop, 1), (Blend::Gaussian, 3)] {
            for backend in backends(2) {
                let mask = segment(&bundle, backend, &slide, options(16, blend, 2, batch));
                assert_mean(&mask, &slide, weights, &format!("{lines} {blend:?}"));
            }
        }
    }
}

/// A network that looks at each px alone answers a turned tile with the turned answer, so the mean is the plain answer:
/// a tile that is not turned back the right way shows at once.
#[test]
fn turned_and_mirrored_tiles_come_back_to_their_place() {
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let bundle = tiny.load();
    let slide = noise(150, 131);
    for tta in [Tta::Flips, Tta::D4] {
        for backend in backends(2) {
            let options = EngineOptions {
                tta,
                ..options(16, Blend::Crop, 2, 2)
            };
            let mask = segment(&bundle, backend, &slide, options);
            assert_red(&mask, &slide, &format!("{tta:?}"));
        }
    }
}

/// An edge lies in the same place at every scale, to half a px of the coarsest.
#[test]
fn views_at_other_scales_agree_on_where_things_are() {
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let bundle = tiny.load();
    let edges = |at: u32| (77..201).contains(&at);
    let slide = MemorySlide::new(300, 260, |x, y| {
        if edges(x) && edges(y) {
            [250, 0, 0]
        } else {
            [5, 0, 0]
        }
    });
    let far = |at: u32| at.abs_diff(77).min(at.abs_diff(201)) > 1;
    for (overlap, blend, readers) in [(0, Blend::Crop, 1), (16, Blend::Gaussian, 3)] {
        let options = EngineOptions {
            tta: Tta::Scales,
            ..options(overlap, blend, readers, 1)
        };
        let mask = segment(&bundle, rten(1), &slide, options);
        for y in 0..260 {
            for x in 0..300 {
                if far(x) && far(y) {
                    assert_eq!(mask.get(x, y), edges(x) && edges(y), "{blend:?} ({x}, {y})");
                }
            }
        }
    }
}
