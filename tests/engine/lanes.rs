//! Several sessions of one network share a slide's tiles, as GPUs do: the masks stay the same, and an error of one is
//! an error of the slide and never a standstill.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{MemorySlide, TinyBundle, hash, onnxruntime, rten};
use ftuseg::backend::{
    About, Backend, BackendError, NetworkInput, NetworkOutput, OnnxRuntime, Session, SessionOptions,
};
use ftuseg::backend::{Arithmetic, Device};
use ftuseg::mask::Mask;
use ftuseg::pipeline::{Blend, Engine, EngineOptions, PipelineError, Request, Route, Tta};
use ftuseg::slide::{SlideError, SlideInfo, SlideReader, TissueMode};
use ftuseg_provision::onnxruntime as runtime;
use ftuseg_router::Target;

const BYTES: &str =
    "role = \"baseline\"\ninput = \"uint8-nhwc\"\noutput = \"probability\"\nmpp = 2.0";

fn options(batch: usize, blend: Blend) -> EngineOptions {
    EngineOptions {
        route: Route::Fixed(Target::Baseline),
        tissue: TissueMode::Off,
        overlap: Some(16),
        blend,
        readers: 3,
        batch,
        ..EngineOptions::default()
    }
}

fn noise(width: u32, height: u32) -> MemorySlide {
    MemorySlide::new(width, height, |x, y| {
        let h = hash(x, y);
        [h as u8, (h >> 8) as u8, (h >> 16) as u8]
    })
}

fn segment(
    tiny: &TinyBundle,
    backend: Box<dyn Backend>,
    slide: &MemorySlide,
    options: EngineOptions,
) -> Result<Mask, PipelineError> {
    let engine = Engine::new(tiny.load(), backend, options);
    let found = engine.segment(slide, &Request::default())?;
    assert_eq!(found.tiles.planned, found.tiles.inferred);
    found.union()
}

/// What the lane of that number does in its third run.
#[derive(Clone, Copy)]
enum Trouble {
    None,
    Error(usize),
    Panic(usize),
}

/// Answers the red channel from several lanes, each at a pace of its own.
struct Lanes {
    about: About,
    lanes: usize,
    trouble: Trouble,
    runs: Arc<Vec<AtomicUsize>>,
    loads: Arc<AtomicUsize>,
}

impl Lanes {
    fn new(lanes: usize, trouble: Trouble) -> Self {
        Lanes {
            about: rten(1).about().clone(),
            lanes,
            trouble,
            runs: Arc::new((0..lanes).map(|_| AtomicUsize::new(0)).collect()),
            loads: Arc::default(),
        }
    }
}

impl Backend for Lanes {
    fn about(&self) -> &About {
        &self.about
    }

    fn lanes(&self) -> usize {
        self.lanes
    }

    fn load(
        &self,
        _: &str,
        _: &[u8],
        how: SessionOptions,
    ) -> Result<Box<dyn Session>, BackendError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Red {
            lane: how.lane,
            trouble: self.trouble,
            runs: Arc::clone(&self.runs),
        }))
    }
}

struct Red {
    lane: usize,
    trouble: Trouble,
    runs: Arc<Vec<AtomicUsize>>,
}

impl Session for Red {
    fn run(&mut self, input: NetworkInput<'_>) -> Result<NetworkOutput, BackendError> {
        let NetworkInput::Bytes(tiles) = input else {
            return Err(BackendError::Usage("bytes are wanted".to_owned()));
        };
        let run = self.runs[self.lane].fetch_add(1, Ordering::Relaxed);
        // The first lane is the slowest, so that the others run far ahead of it.
        let pause = if self.lane == 0 { 20 } else { run % 3 };
        std::thread::sleep(Duration::from_millis(pause as u64));
        match self.trouble {
            Trouble::Error(lane) if lane == self.lane && run == 2 => {
                return Err(BackendError::Usage("a lane has had enough".to_owned()));
            }
            Trouble::Panic(lane) if lane == self.lane && run == 2 => {
                panic!("a lane has fallen over");
            }
            _ => {}
        }
        let (n, height, width, _) = tiles.dim();
        let values = tiles.index_axis(ndarray::Axis(3), 0);
        Ok(NetworkOutput {
            shape: vec![n, 1, height, width],
            values: values.iter().map(|&red| f32::from(red) / 255.0).collect(),
        })
    }
}

#[test]
fn lanes_that_are_done_in_any_order_give_the_same_mask() {
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let slide = noise(700, 500);
    for blend in [Blend::Crop, Blend::Gaussian] {
        for batch in [1, 4] {
            let alone = Lanes::new(1, Trouble::None);
            let expected = segment(&tiny, Box::new(alone), &slide, options(batch, blend)).unwrap();
            for lanes in [2, 5] {
                let several = Lanes::new(lanes, Trouble::None);
                let runs = Arc::clone(&several.runs);
                let found =
                    segment(&tiny, Box::new(several), &slide, options(batch, blend)).unwrap();
                assert!(found == expected, "{lanes} lanes, batch {batch}, {blend:?}");
                let all = runs.iter().all(|runs| runs.load(Ordering::Relaxed) > 0);
                assert!(all, "every one of {lanes} lanes had work");
            }
        }
    }
}

#[test]
fn an_error_of_one_lane_is_the_slides_error_and_stops_the_others() {
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let slide = noise(900, 900);
    for (lanes, failing) in [(1, 0), (2, 0), (2, 1), (5, 0), (5, 4)] {
        let backend = Box::new(Lanes::new(lanes, Trouble::Error(failing)));
        let error = segment(&tiny, backend, &slide, options(1, Blend::Crop)).unwrap_err();
        assert!(error.to_string().contains("has had enough"), "{error}");
    }
}

#[test]
fn a_lane_that_falls_over_is_an_error_too() {
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let slide = noise(900, 900);
    let backend = Box::new(Lanes::new(3, Trouble::Panic(2)));
    let error = segment(&tiny, backend, &slide, options(1, Blend::Crop)).unwrap_err();
    assert!(error.to_string().contains("inferring"), "{error}");
    // The first lane is the caller's own thread, so its panic is the caller's; all that matters is that it comes.
    let backend = Box::new(Lanes::new(3, Trouble::Panic(0)));
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        segment(&tiny, backend, &slide, options(1, Blend::Crop))
    }));
    assert!(ended.is_err());
}

#[test]
fn with_next_to_no_memory_for_waiting_tiles_all_lanes_still_come_to_their_end() {
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let slide = noise(700, 500);
    let expected = segment(
        &tiny,
        Box::new(Lanes::new(1, Trouble::None)),
        &slide,
        options(1, Blend::Crop),
    );
    let expected = expected.unwrap();
    for bytes in [1, 40_000, 200_000] {
        for (lanes, batch) in [(2, 1), (2, 16), (5, 3)] {
            let backend = Box::new(Lanes::new(lanes, Trouble::None));
            let engine = Engine::new(tiny.load(), backend, options(batch, Blend::Crop))
                .with_queue_bytes(Some(bytes));
            let found = engine.segment(&slide, &Request::default());
            assert!(found.unwrap().union().unwrap() == expected);
        }
    }
}

#[test]
fn a_backend_without_lanes_is_an_error_and_no_empty_mask() {
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let backend = Box::new(Lanes::new(0, Trouble::None));
    let error = segment(&tiny, backend, &noise(64, 64), options(1, Blend::Crop)).unwrap_err();
    assert!(error.to_string().contains("no lanes"), "{error}");
}

/// A slide that cannot be read from some row on.
struct Torn(MemorySlide);

impl SlideReader for Torn {
    fn info(&self) -> &SlideInfo {
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
    ) -> Result<(), SlideError> {
        if y > 400 {
            return Err(SlideError::Format {
                path: "torn.tif".into(),
                reason: "it ends here".to_owned(),
            });
        }
        self.0.read(level, x, y, width, height, out)
    }
}

#[test]
fn a_tile_that_cannot_be_read_ends_all_lanes() {
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let slide = Torn(noise(900, 900));
    for lanes in [1, 2, 5] {
        for batch in [1, 4] {
            let backend = Box::new(Lanes::new(lanes, Trouble::None));
            let engine = Engine::new(tiny.load(), backend, options(batch, Blend::Crop));
            let error = engine.segment(&slide, &Request::default());
            let error = error.unwrap_err().to_string();
            assert!(error.contains("it ends here"), "{error}");
        }
    }
}

#[test]
fn a_file_that_several_models_share_is_loaded_once() {
    let organ = |organ: &str, more: &str| {
        BYTES.replace("role = \"baseline\"", &format!("organ = \"{organ}\"")) + more
    };
    let slide = noise(100, 100);
    for (second, loads) in [
        // What is done with the answers is no matter of the network's, nor is the scale.
        (organ("prostate", "\nthreshold = 0.7\nmin_area = 9.0"), 1),
        (organ("prostate", "").replace("mpp = 2.0", "mpp = 4.0"), 1),
        // What its answers are is one.
        (organ("prostate", "").replace("probability", "logit"), 2),
    ] {
        let tiny = TinyBundle::new()
            .model("first", "red.onnx", &organ("kidney", ""))
            .model("second", "red.onnx", &second);
        let backend = Lanes::new(1, Trouble::None);
        let count = Arc::clone(&backend.loads);
        let options = EngineOptions {
            route: Route::Given,
            ..options(1, Blend::Crop)
        };
        let engine = Engine::new(tiny.load(), Box::new(backend), options);
        for name in ["kidney", "prostate", "kidney"] {
            let request = Request {
                organ: name.parse().ok(),
                ..Request::default()
            };
            let found = engine.segment(&slide, &request).unwrap();
            let expected = if name == "kidney" { "first" } else { "second" };
            assert_eq!(found.layers[0].models[0].name, expected);
        }
        assert_eq!(count.load(Ordering::Relaxed), loads, "{second}");
    }
}

/// ONNX Runtime on the processor, but with lanes, batches and answers in bytes.
fn as_gpus_do(lanes: usize) -> Option<Box<dyn Backend>> {
    onnxruntime(2)?; // It says where it cannot be had.
    let located = runtime::locate(&runtime::search(None, true), &mut |_| {}).unwrap();
    let runtime = OnnxRuntime::start_on(&located, 2, Device::Cpu, Arithmetic::Auto).unwrap();
    Some(Box::new(runtime.as_gpus_do(lanes)))
}

#[test]
fn the_way_of_gpus_gives_the_exact_mask() {
    for (size, lanes, batch, tta, threshold) in [
        ((1, 1), 2, 16, Tta::None, 0.5),
        ((65, 64), 2, 3, Tta::None, 0.5),
        ((513, 511), 4, 3, Tta::None, 0.3),
        ((513, 511), 1, 1, Tta::D4, 0.5),
        ((700, 300), 2, 16, Tta::Flips, 0.35),
    ] {
        let lines = format!("{BYTES}\nthreshold = {threshold}");
        let tiny = TinyBundle::new().model("red", "red.onnx", &lines);
        let slide = noise(size.0, size.1);
        let Some(backend) = as_gpus_do(lanes) else {
            return;
        };
        assert_eq!((backend.lanes(), backend.usual_batch()), (lanes, 16));
        let options = EngineOptions {
            tta,
            ..options(batch, Blend::Crop)
        };
        let mask = segment(&tiny, backend, &slide, options).unwrap();
        for y in 0..size.1 {
            for x in 0..size.0 {
                // Such thresholds are borders between two steps, so bytes decide as floats do.
                let expected = f32::from(slide.at(x, y)[0]) / 255.0 >= threshold;
                assert_eq!(mask.get(x, y), expected, "{size:?} px ({x}, {y})");
            }
        }
    }
}

#[test]
fn a_logit_that_is_called_a_probability_is_noticed_in_bytes_too() {
    // 4 (red - 0.5) reaches from -2 to 2.
    let lines = BYTES.replace(
        "input = \"uint8-nhwc\"",
        "mean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]",
    );
    let tiny = TinyBundle::new().model("red", "red-float.onnx", &lines);
    let Some(backend) = as_gpus_do(2) else {
        return;
    };
    let error = segment(&tiny, backend, &noise(64, 64), options(1, Blend::Crop)).unwrap_err();
    assert!(error.to_string().contains("not a probability"), "{error}");
}

#[test]
fn fp16_is_an_error_for_a_file_that_cannot() {
    if onnxruntime(1).is_none() {
        return;
    }
    let located = runtime::locate(&runtime::search(None, true), &mut |_| {}).unwrap();
    let runtime = OnnxRuntime::start_on(&located, 1, Device::Cpu, Arithmetic::Fp16).unwrap();
    let tiny = TinyBundle::new().model("red", "red.onnx", BYTES);
    let error = segment(
        &tiny,
        Box::new(runtime),
        &noise(64, 64),
        options(1, Blend::Crop),
    );
    let error = error.unwrap_err().to_string();
    assert!(error.contains("half:") && error.contains("fp16"), "{error}");
}
