//! On a slide of two organs, every px comes from the model of the organ it lies in.

use crate::support::{MPP, MemorySlide, TinyBundle, backends, rten};
use ftuseg::pipeline::{Engine, EngineOptions, PipelineError, Request, Route, Segmentation};
use ftuseg::slide::warning::WarningKind;
use ftuseg::slide::{SlideReader, TissueMode};
use ftuseg_router::{Organ, Target};
use ftuseg_samples::{Drawing, two_organs};

const KIDNEY: [u8; 3] = [200, 50, 60];
/// Paler than a green pen, which would be no tissue.
const PROSTATE: [u8; 3] = [115, 150, 115];
const GLASS: [u8; 3] = [244, 244, 243];

/// The ragged pieces of a drawn slide, in colours that the tiny router tells apart.
fn drawn_slide() -> (MemorySlide, Vec<u8>) {
    let (width, height) = (600, 300);
    let spec = two_organs(Organ::Kidney, Organ::Prostate, width, height, MPP, 5);
    let drawing = Drawing::new(&spec).unwrap();
    let mut organs = vec![0; (width * height) as usize];
    drawing.organ_at(0, 0, 0, width, height, &mut organs);
    let colours = organs.clone();
    let slide = MemorySlide::new(width, height, |x, y| {
        match colours[(y * width + x) as usize] {
            0 => GLASS,
            1 => KIDNEY,
            2 => PROSTATE,
            other => panic!("organ {other} was not asked for"),
        }
    });
    (slide, organs)
}

/// What a manifest says of one organ's model.
fn organ_lines(organ: &str) -> String {
    format!(
        "role = \"organ\"\norgan = \"{organ}\"\ninput = \"uint8-nhwc\"\noutput = \"probability\"\nmpp = {MPP:?}"
    )
}

/// Kidney's model finds red and nothing else, prostate's green and nothing else: a px that the wrong model decided
/// is missing from the mask.
fn bundle() -> TinyBundle {
    TinyBundle::new()
        .router(0.5)
        .model("kidney", "red.onnx", &organ_lines("kidney"))
        .model("prostate", "green.onnx", &organ_lines("prostate"))
        .model(
            "baseline",
            "red-float.onnx",
            &format!("role = \"baseline\"\nmean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]\noutput = \"logit\"\nmpp = {MPP:?}"),
        )
}

fn options(route: Route) -> EngineOptions {
    EngineOptions {
        route,
        readers: 2,
        ..EngineOptions::default()
    }
}

fn label_at(found: &Segmentation, x: u32, y: u32) -> Option<Target> {
    let mut targets = found
        .layers
        .iter()
        .filter(|layer| layer.mask.get(x, y))
        .map(|layer| layer.target);
    let first = targets.next();
    assert_eq!(targets.next(), None, "two models decided px ({x}, {y})");
    first
}

#[test]
fn every_px_is_decided_by_its_own_organs_model() {
    let tiny = bundle();
    let (slide, organs) = drawn_slide();
    let (width, height) = (slide.info().width(), slide.info().height());
    for backend in backends(2) {
        let engine = Engine::new(tiny.load(), backend, options(Route::Tile));
        let found = engine.segment(&slide, &Request::default()).unwrap();
        for y in 0..height {
            for x in 0..width {
                // Glass is bright in every colour, so models see something there too; what counts is tissue.
                let expected = match organs[(y * width + x) as usize] {
                    1 => Target::Organ(Organ::Kidney),
                    2 => Target::Organ(Organ::Prostate),
                    _ => continue,
                };
                assert_eq!(label_at(&found, x, y), Some(expected), "px ({x}, {y})");
            }
        }
        let shares = found.map.shares();
        assert_eq!(shares.len(), 2);
        assert!(shares.iter().all(|share| share.confidence > 0.9));
    }
}

#[test]
fn one_vote_a_slide_takes_one_model() {
    let tiny = bundle();
    let (slide, _) = drawn_slide();
    let engine = Engine::new(tiny.load(), rten(1), options(Route::Slide));
    let result = engine.segment(&slide, &Request::default());
    // Two organs of about equal size leave the one vote near a half: either one organ or the fallback gets all.
    assert_eq!(result.unwrap().layers.len(), 1);
}

#[test]
fn given_and_fixed_routes_do_as_told() {
    let tiny = bundle();
    let (slide, _) = drawn_slide();
    let lung = Target::Organ(Organ::Lung);
    let engine = Engine::new(tiny.load(), rten(1), options(Route::Given));
    let kidney = Request {
        organ: Some(Organ::Kidney),
        ..Request::default()
    };
    let found = engine.segment(&slide, &kidney).unwrap();
    assert_eq!(found.map.targets(), [Target::Organ(Organ::Kidney)]);
    assert!(matches!(
        engine.segment(&slide, &Request::default()),
        Err(PipelineError::NoOrganGiven)
    ));
    let engine = Engine::new(tiny.load(), rten(1), options(Route::Fixed(lung)));
    assert!(matches!(
        engine.segment(&slide, &Request::default()),
        Err(PipelineError::NoModel(target)) if target == lung
    ));
}

#[test]
fn unsure_tissue_goes_to_the_baseline() {
    let tiny = bundle();
    // A grey that no colour stands out of: the router gives each of three organs a third.
    let slide = MemorySlide::new(
        200,
        200,
        |x, _| {
            if x < 100 { [150, 150, 150] } else { GLASS }
        },
    );
    let engine = Engine::new(tiny.load(), rten(1), options(Route::Tile));
    let found = engine.segment(&slide, &Request::default()).unwrap();
    assert_eq!(found.map.targets(), [Target::Baseline]);
    assert!(found.map.shares()[0].confidence < 0.5);
}

/// A bundle like [`bundle`], whose router says "none of these" where blue stands out.
fn bundle_with_other() -> TinyBundle {
    TinyBundle::new()
        .router_with_other(0.5)
        .model("kidney", "red.onnx", &organ_lines("kidney"))
        .model("lung", "red.onnx", &organ_lines("lung"))
}

/// Half of it kidney, half of it tissue of no organ that the router knows; every model finds all of both.
fn half_other() -> MemorySlide {
    let other = [140, 90, 210];
    MemorySlide::new(600, 300, move |x, _| if x < 300 { KIDNEY } else { other })
}

#[test]
fn tissue_of_no_known_organ_is_left_out_and_told() {
    let tiny = bundle_with_other();
    for backend in backends(2) {
        let engine = Engine::new(tiny.load(), backend, options(Route::Tile));
        let found = engine.segment(&half_other(), &Request::default()).unwrap();
        let kidney = Target::Organ(Organ::Kidney);
        assert_eq!(found.map.targets(), [kidney, Target::Other]);
        let layers: Vec<Target> = found.layers.iter().map(|layer| layer.target).collect();
        assert_eq!(layers, [kidney]);
        assert_eq!(label_at(&found, 100, 100), Some(kidney));
        assert_eq!(label_at(&found, 500, 100), None);
        let [warning] = &found.warnings[..] else {
            panic!("{:?}", found.warnings);
        };
        assert_eq!(warning.kind, WarningKind::OtherTissue);
        assert!(
            warning.text.starts_with("50 % of the tissue"),
            "{}",
            warning.text
        );
    }
}

#[test]
fn who_names_the_organ_gets_it_whatever_the_router_would_say() {
    let tiny = bundle_with_other();
    let lung = Target::Organ(Organ::Lung);
    let engine = Engine::new(tiny.load(), rten(1), options(Route::Fixed(lung)));
    let found = engine.segment(&half_other(), &Request::default()).unwrap();
    assert_eq!(label_at(&found, 500, 100), Some(lung));
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
}

#[test]
fn a_router_with_one_output_more_than_its_bundle_says_is_refused() {
    let tiny = bundle_with_other();
    let said = std::fs::read_to_string(format!("{}/bundle.toml", tiny.path())).unwrap();
    let path = std::path::Path::new(tiny.path()).to_owned();
    std::fs::write(path.join("bundle.toml"), said.replace("other = true\n", "")).unwrap();
    let bundle = ftuseg::bundle::Bundle::load(&path).unwrap();
    let engine = Engine::new(bundle, rten(1), options(Route::Tile));
    let error = engine
        .segment(&half_other(), &Request::default())
        .unwrap_err();
    assert!(error.to_string().contains("[1, 6]"), "{error}");
}

#[test]
fn an_empty_slide_is_empty_and_no_error() {
    let tiny = bundle();
    let slide = MemorySlide::new(300, 200, |_, _| GLASS);
    let engine = Engine::new(tiny.load(), rten(1), options(Route::Tile));
    let found = engine.segment(&slide, &Request::default()).unwrap();
    assert!(found.layers.is_empty());
    assert!(found.union().unwrap().is_empty());
    assert_eq!(found.tiles.planned, 0);
}

/// A slide whose decoder panics in one place.
struct Panicking(MemorySlide);

impl SlideReader for Panicking {
    fn info(&self) -> &ftuseg::slide::SlideInfo {
        self.0.info()
    }

    fn read(
        &self,
        level: usize,
        x: i64,
        y: i64,
        width: u32,
        height: u32,
        out: &mut [u8],
    ) -> Result<(), ftuseg::slide::SlideError> {
        assert!(
            !(200..300).contains(&x) || width > 100,
            "a test's decoder panics here"
        );
        self.0.read(level, x, y, width, height, out)
    }
}

#[test]
fn a_panic_in_a_decoder_ends_the_slide_and_not_the_program() {
    let tiny = bundle();
    let slide = Panicking(MemorySlide::new(900, 600, |_, _| KIDNEY));
    let mut options = options(Route::Fixed(Target::Organ(Organ::Kidney)));
    options.readers = 4;
    options.tissue = TissueMode::Off;
    let engine = Engine::new(tiny.load(), rten(1), options);
    let result = engine.segment(&slide, &Request::default());
    assert!(
        matches!(result, Err(PipelineError::Thread(_))),
        "{result:?}"
    );
}

#[test]
fn a_little_tissue_on_much_glass_is_not_lost_without_a_router() {
    let tiny = TinyBundle::new().model(
        "baseline",
        "red.onnx",
        "role = \"baseline\"\ninput = \"uint8-nhwc\"\noutput = \"probability\"\nmpp = 2.0",
    );
    let inside = |v: u32| (500..540).contains(&v);
    let slide = MemorySlide::new(1500, 1500, |x, y| {
        if inside(x) && inside(y) {
            KIDNEY
        } else {
            GLASS
        }
    });
    let engine = Engine::new(
        tiny.load(),
        rten(1),
        options(Route::Fixed(Target::Baseline)),
    );
    let found = engine.segment(&slide, &Request::default()).unwrap();
    assert!(found.union().unwrap().get(520, 520));
    // Only the tiles around it were looked at.
    assert!(found.tiles.planned < 9, "{:?}", found.tiles);
}
