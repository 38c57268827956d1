//! Times OpenVINO against the plain runtime on this machine, on a drawn core.

use std::time::Instant;

use anyhow::{Context, bail};
use ftuseg_router::Organ;

use super::engine_args::EngineArgs;
use ftuseg::backend::{Arithmetic, Device, OnnxRuntime, Trial};
use ftuseg::bundle::ModelScale;
use ftuseg::pipeline::{Network, Precision};
use ftuseg_provision::onnxruntime::{OPENVINO, locate_accelerated};
use ftuseg_samples::{Drawing, core};

/// Rounds of one tile each; an odd number has a median of its own.
const ROUNDS: usize = 15;

/// Runs the first organ's model of the bundle on one tile in both, in turn, and compares their masks.
pub(super) fn run(args: &EngineArgs) -> anyhow::Result<Trial> {
    let bundle = args.load_bundle()?;
    let Some(spec) = bundle
        .models
        .iter()
        .find(|model| model.target.organ().is_some())
        .or(bundle.models.first())
    else {
        bail!("the bundle {:?} has no model to try", bundle.name);
    };
    let located = locate_accelerated(&args.search(), &OPENVINO)?;
    let threads = args.threads();
    // Both from one library: a process can have only one, and its plain processor code is the same runtime's.
    let plain = OnnxRuntime::start(&located, threads)?;
    let openvino = OnnxRuntime::start_on(&located, threads, Device::OpenVino, Arithmetic::Auto)?;
    let mut networks = [
        Network::model(&plain, &bundle, spec, Precision::Fp32)?,
        Network::model(&openvino, &bundle, spec, Precision::Auto)?,
    ];
    let mpp = match spec.fit {
        ModelScale::Mpp(mpp) => mpp,
        ModelScale::Whole => 2.0,
    };
    let organ = spec.target.organ().unwrap_or(Organ::Kidney);
    let drawing = Drawing::new(&core(organ, spec.tile, mpp, 1))?;
    let mut tile = vec![255; spec.tile as usize * spec.tile as usize * 3];
    drawing.rgb(0, 0, 0, spec.tile, spec.tile, &mut tile);
    let mut masks = [Vec::new(), Vec::new()];
    for (network, mask) in networks.iter_mut().zip(&mut masks) {
        let answer = network.run(1, &tile)?;
        *mask = answer
            .iter()
            .map(|&probability| probability > spec.threshold)
            .collect();
    }
    let mut ratios = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let mut seconds = [0.0; 2];
        for (network, seconds) in networks.iter_mut().zip(&mut seconds) {
            let started = Instant::now();
            network.run(1, &tile)?;
            *seconds = started.elapsed().as_secs_f64();
        }
        ratios.push(seconds[0] / seconds[1]);
    }
    ratios.sort_by(f64::total_cmp);
    let speed = *ratios.get(ROUNDS / 2).context("a trial has rounds")?;
    let about = ftuseg::backend::Backend::about(&openvino);
    Ok(Trial::new(
        &located.sha256,
        threads,
        about.arithmetic.name(),
        speed,
        ROUNDS,
        dice(&masks[0], &masks[1]),
    ))
}

/// Dice of two masks of one size; 1 where both are empty.
fn dice(one: &[bool], other: &[bool]) -> f64 {
    let count = |mask: &[bool]| mask.iter().filter(|&&px| px).count();
    let both = one.iter().zip(other).filter(|(a, b)| **a && **b).count();
    match count(one) + count(other) {
        0 => 1.0,
        all => 2.0 * both as f64 / all as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_is_the_usual_one() {
        assert_eq!(dice(&[false, false], &[false, false]), 1.0);
        assert_eq!(dice(&[true, true, false], &[true, false, false]), 2.0 / 3.0);
        assert_eq!(dice(&[true], &[false]), 0.0);
    }
}
