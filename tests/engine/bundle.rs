//! The bundle that the project ships: whole, small enough, and honest about itself.

use std::path::Path;

use crate::support::{backends, rten};
use ftuseg::backend::{Arithmetic, Device, OnnxRuntime};
use ftuseg::bundle::{Bundle, Look};
use ftuseg::mask::rle;
use ftuseg::pipeline::{Engine, EngineOptions, Network, Precision, Request, Route};
use ftuseg::slide::{self, Resolution, ResolutionSource, TissueMode};
use ftuseg_evaluate::dice;
use ftuseg_provision::onnxruntime as runtime;
use ftuseg_router::{Organ, Target};

fn shipped() -> Bundle {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/bundle");
    Bundle::load(&folder).unwrap()
}

#[test]
fn it_has_a_model_for_every_route() {
    let bundle = shipped();
    let router = bundle.router.as_ref().unwrap();
    assert_eq!(router.organs, Organ::ALL);
    assert!(!bundle.models_for(router.fallback).is_empty());
    for organ in Organ::ALL {
        assert!(
            !bundle.models_for(Target::Organ(organ)).is_empty(),
            "{organ}"
        );
    }
    assert!(!bundle.models_for(Target::Baseline).is_empty());
    assert!(!bundle.models_for(Target::Unet).is_empty());
    for (index, organ) in Organ::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(bundle.label(Target::Organ(organ))), index + 1);
    }
}

#[test]
fn its_files_are_the_ones_it_speaks_of_and_small() {
    let bundle = shipped();
    let router = bundle.router.as_ref().unwrap();
    let mut total = bundle
        .verified_file(&router.file, &router.sha256)
        .unwrap()
        .len();
    for model in &bundle.models {
        let int8 = model.int8.iter().map(|i| (&i.file, &i.sha256));
        for (file, sha256) in std::iter::once((&model.file, &model.sha256)).chain(int8) {
            total += bundle.verified_file(file, sha256).unwrap().len();
        }
    }
    assert!(total <= 140_000_000, "{total} bytes");
}

#[test]
fn every_model_states_its_dice_with_n() {
    let bundle = shipped();
    for model in &bundle.models {
        let organs: Vec<Organ> = match model.target.organ() {
            Some(organ) => vec![organ],
            None => Organ::ALL.to_vec(),
        };
        for organ in organs {
            let dice = model.dice.iter().find(|dice| dice.organ == organ);
            let dice = dice.unwrap_or_else(|| panic!("{}: no Dice for {organ}", model.name));
            assert!(dice.n > 0 && (0.0..=1.0).contains(&dice.mean) && !dice.set.is_empty());
        }
    }
}

/// What torch says of one drawn tile was kept when the bundle was exported; both runtimes must say the same.
#[test]
fn every_network_says_what_torch_says() {
    let bundle = shipped();
    let kept = std::fs::read(bundle.folder.join("parity.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    let expected = |name: &str| -> Vec<f32> {
        let values = kept["probabilities"][name].as_array().unwrap();
        values.iter().map(|v| v.as_f64().unwrap() as f32).collect()
    };
    let step = kept["step"].as_u64().unwrap() as usize;
    let image = image::open(bundle.folder.join(kept["tile"].as_str().unwrap())).unwrap();
    let image = image.into_rgb8();
    let tile = |side: u32| -> Vec<u8> {
        (0..side * side)
            .flat_map(|at| {
                image
                    .get_pixel(at % side % image.width(), at / side % image.height())
                    .0
            })
            .collect()
    };
    for backend in backends(2) {
        let runtime = backend.about().backend.clone();
        let near = |name: &str, found: &[f32], expected: &[f32]| {
            assert_eq!(found.len(), expected.len(), "{name}");
            let worst = found
                .iter()
                .zip(expected)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            println!("{name} in {runtime}: largest difference {worst:.6}");
            assert!(worst < 1e-3, "{name} in {runtime}: {worst}");
        };
        for model in &bundle.models {
            let load = Network::model(backend.as_ref(), &bundle, model, Precision::Fp32);
            let found = load.unwrap().run(1, &tile(model.tile)).unwrap();
            let side = model.tile as usize;
            let sampled: Vec<f32> = (0..side)
                .step_by(step)
                .flat_map(|y| (0..side).step_by(step).map(move |x| (x, y)))
                .map(|(x, y)| found[y * side + x])
                .collect();
            near(&model.name, &sampled, &expected(&model.name));
        }
        let router = bundle.router.as_ref().unwrap();
        let mut network = Network::router(backend.as_ref(), &bundle, router).unwrap();
        let found = network.run(1, &tile(router.tile)).unwrap();
        near("router", &found, &expected("router"));
    }
}

/// An int8 file answers nearly as its model does, in ONNX Runtime.
#[test]
fn int8_files_answer_nearly_the_same() {
    let bundle = shipped();
    let Some(backend) = crate::support::onnxruntime(2) else {
        return;
    };
    let image = image::open(bundle.folder.join("parity.png"))
        .unwrap()
        .into_rgb8();
    for model in bundle.models.iter().filter(|model| model.int8.is_some()) {
        let side = model.tile;
        let tile: Vec<u8> = (0..side * side)
            .flat_map(|at| {
                image
                    .get_pixel(at % side % image.width(), at / side % image.height())
                    .0
            })
            .collect();
        let mut answers = [Precision::Fp32, Precision::Int8].map(|precision| {
            let load = Network::model(backend.as_ref(), &bundle, model, precision);
            load.unwrap().run(1, &tile).unwrap()
        });
        let (int8, fp32) = (answers[1].split_off(0), answers[0].split_off(0));
        let mean = int8
            .iter()
            .zip(&fp32)
            .map(|(a, b)| (a - b).abs())
            .sum::<f32>()
            / int8.len() as f32;
        println!("{}: mean difference {mean:.4}", model.name);
        assert!(mean > 0.0, "{}: it is the same file", model.name);
        assert!(mean < 0.05, "{}: {mean}", model.name);
    }
}

/// The same files compute in fp16 as well, as they do on a GPU, and their answers come back as bytes.
#[test]
fn its_files_answer_nearly_the_same_in_fp16_and_in_bytes() {
    let bundle = shipped();
    let Some(plain) = crate::support::onnxruntime(2) else {
        return;
    };
    let located = runtime::locate(&runtime::search(None, true), &mut |_| {}).unwrap();
    let halves = OnnxRuntime::start_on(&located, 2, Device::Cpu, Arithmetic::Fp16).unwrap();
    let halves = halves.as_gpus_do(2);
    let image = image::open(bundle.folder.join("parity.png"))
        .unwrap()
        .into_rgb8();
    for model in &bundle.models {
        let side = model.tile;
        let tile: Vec<u8> = (0..side * side)
            .flat_map(|at| {
                image
                    .get_pixel(at % side % image.width(), at / side % image.height())
                    .0
            })
            .collect();
        let mut network = Network::model(plain.as_ref(), &bundle, model, Precision::Fp32).unwrap();
        assert!(!network.is_fp16());
        let expected = network.run(1, &tile).unwrap();
        let mut network = Network::model(&halves, &bundle, model, Precision::Fp16).unwrap();
        assert!(network.is_fp16(), "{}", model.name);
        let found = network.run(1, &tile).unwrap();
        let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let mean = apart.sum::<f32>() / found.len() as f32;
        println!("{}: mean difference {mean:.4}", model.name);
        assert!(mean > 0.0 && mean < 0.005, "{}: {mean}", model.name);
    }
}

/// The pure-Rust runtime must serve where ONNX Runtime cannot be had, so it must know every operator.
#[test]
fn the_pure_rust_runtime_can_run_it() {
    let bundle = shipped();
    let backend = rten(2);
    let router = bundle.router.as_ref().unwrap();
    let mut network = Network::router(backend.as_ref(), &bundle, router).unwrap();
    let side = router.tile as usize;
    let probabilities = network.run(1, &vec![200; side * side * 3]).unwrap();
    assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-3);
    for model in &bundle.models {
        let mut network =
            Network::model(backend.as_ref(), &bundle, model, Precision::Fp32).unwrap();
        let side = model.tile as usize;
        let probabilities = network.run(1, &vec![200; side * side * 3]).unwrap();
        assert!(
            probabilities.iter().all(|p| (0.0..=1.0).contains(p)),
            "{}",
            model.name
        );
    }
}

/// The engine must reach, core by core, the Dice that the training package measured with its own code: a swapped
/// channel, a shift by half a px or a wrong scale would show here.
#[test]
fn the_engine_reaches_the_dice_that_was_measured_in_training() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = root.join("../shared/data/hpa");
    if !data.is_dir() {
        println!("skipped: there are no real cores in {}", data.display());
        return;
    }
    let metrics = std::fs::read(root.join("models/bundle/metrics.json")).unwrap();
    let metrics: serde_json::Value = serde_json::from_slice(&metrics).unwrap();
    let mut bundle = shipped();
    for model in &mut bundle.models {
        // Measured in training at 0.5 and without clean-up.
        model.threshold = 0.5;
        model.fill_holes = false;
        model.min_area = 0.0;
    }
    // One network may serve several organs; what several find together was not measured.
    let networks: std::collections::HashMap<&str, String> = Organ::ALL
        .into_iter()
        .filter_map(|organ| match bundle.models_for(Target::Organ(organ))[..] {
            [model] => Some((
                organ.name(),
                model.file.trim_end_matches(".onnx").to_owned(),
            )),
            _ => None,
        })
        .collect();
    let options = EngineOptions {
        route: Route::Given,
        tissue: TissueMode::Off,
        readers: 2,
        ..EngineOptions::default()
    };
    let backend = backends(2).swap_remove(0);
    let engine = Engine::new(bundle, backend, options);
    let mut table = csv::Reader::from_path(data.join("train.csv")).unwrap();
    let mut off: Vec<f64> = Vec::new();
    for row in table.deserialize() {
        let row: std::collections::HashMap<String, String> = row.unwrap();
        let network = networks.get(row["organ"].as_str());
        let measured = network.and_then(|name| metrics["cores"][&row["id"]][name].as_f64());
        let Some(measured) = measured else {
            continue;
        };
        let image = slide::open(&data.join(format!("train_images/{}.tiff", row["id"]))).unwrap();
        let request = Request {
            mpp: Resolution::believable(
                row["pixel_size"].parse().unwrap(),
                ResolutionSource::Manifest,
            ),
            organ: Some(row["organ"].parse().unwrap()),
            ..Request::default()
        };
        let found = engine.segment(image.as_ref(), &request).unwrap();
        let (width, height) = (image.info().width(), image.info().height());
        let truth = rle::decode(&row["rle"], width, height).unwrap();
        let reached = dice(&found.union().unwrap(), &truth).unwrap();
        println!(
            "{} {}: {reached:.4}, in training {measured:.4}",
            row["organ"], row["id"]
        );
        off.push((reached - measured).abs());
    }
    assert!(off.len() >= 10, "only {} cores were compared", off.len());
    // Resizers round differently, and near its threshold a weak network is easily moved; a real mistake moves all.
    let mean = off.iter().sum::<f64>() / off.len() as f64;
    let worst = off.iter().copied().fold(0.0, f64::max);
    assert!(
        mean < 0.015 && worst < 0.1,
        "differences of the Dice: {off:?}"
    );
}

#[test]
fn it_knows_the_cores_that_its_networks_were_trained_on() {
    let cores = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/hpa/train_images");
    let Ok(entries) = std::fs::read_dir(&cores) else {
        println!("left out: {} is not there", cores.display());
        return;
    };
    let known = shipped().training_images;
    for entry in entries {
        let path = entry.unwrap().path();
        let slide = slide::open(&path).unwrap();
        let (width, height) = (slide.info().width(), slide.info().height());
        let mut rgb = vec![0; width as usize * height as usize * 3];
        let plane = slide::Plane::at_scale(width, height, 1.0);
        plane
            .read(slide.as_ref(), 0, 0, width, height, &mut rgb)
            .unwrap();
        let look = Look::of(&rgb, width as usize, height as usize).unwrap();
        let id = path.file_stem().unwrap().to_str().unwrap();
        let expected = format!("hpa {id}");
        assert_eq!(known.find(&look), Some(expected.as_str()));
    }
}
