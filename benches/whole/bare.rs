//! The networks alone: one session, one tile over and over.

use std::path::Path;
use std::time::Instant;

use ftuseg::backend::{Backend, BackendChoice, choose};
use ftuseg::bundle::Bundle;
use ftuseg::pipeline::{Network, Precision};

/// A model of a bundle, loaded, with a tile to run it on.
pub(crate) struct Bare {
    network: Network,
    tile: Vec<u8>,
}

/// The runtime that the program uses by default, with as many threads.
pub(crate) fn backend(threads: usize) -> Result<Box<dyn Backend>, Box<dyn std::error::Error>> {
    let search = ftuseg_provision::onnxruntime::search(None, false);
    Ok(choose(
        BackendChoice::OnnxRuntime,
        &search,
        threads,
        &mut |line| eprintln!("{line}"),
    )?)
}

impl Bare {
    /// Loads the model `name` and runs it twice, so that everything it needs is there.
    pub(crate) fn load(
        backend: &dyn Backend,
        folder: &Path,
        name: &str,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let bundle = Bundle::load(folder)?;
        let spec = bundle
            .models
            .iter()
            .find(|model| model.name == name)
            .ok_or("no such model")?;
        let network = Network::model(backend, &bundle, spec, Precision::Fp32)?;
        let side = spec.tile as usize;
        let tile = (0..side * side * 3)
            .map(|place| (place * 7919 % 251) as u8)
            .collect();
        let mut bare = Bare { network, tile };
        bare.seconds_a_tile(2)?;
        Ok(bare)
    }

    /// Mean seconds of one tile over `tiles` runs.
    pub(crate) fn seconds_a_tile(
        &mut self,
        tiles: usize,
    ) -> Result<f64, Box<dyn std::error::Error>> {
        let started = Instant::now();
        for _ in 0..tiles {
            self.network.run(1, &self.tile)?;
        }
        Ok(started.elapsed().as_secs_f64() / tiles as f64)
    }
}
