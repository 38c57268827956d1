//! `ftuseg doctor`: what was found, what works, and the mend for what does not.

use std::path::PathBuf;

use super::common::EngineArgs;
use crate::backend::runtime;
use crate::library::{self, Search};
use crate::pipeline::{Network, Precision};
use crate::slide::{self, OPENSLIDE};

/// Arguments of `ftuseg doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    engine: EngineArgs,
}

impl Args {
    /// Whether nothing may be fetched.
    pub(super) fn is_offline(&self) -> bool {
        self.engine.offline
    }
}

/// Runs the command and returns its exit code: 0 when slides can be segmented, 1 when not.
pub(super) fn run(args: &Args, openslide: Option<PathBuf>) -> anyhow::Result<u8> {
    println!("ftuseg {}", env!("CARGO_PKG_VERSION"));
    println!(
        "machine     {} {}, {} threads",
        std::env::consts::OS,
        std::env::consts::ARCH,
        args.engine.threads()
    );
    println!("runtime library, in the order of the search:");
    for finding in runtime::survey(&args.engine.search()) {
        println!("  {finding}");
    }
    println!(
        "OpenSlide library (NDPI, MRXS, SCN, BIF, CZI, DICOM and others), in the order of the search:"
    );
    let search = Search::from_environment(&OPENSLIDE, openslide, args.engine.offline);
    for finding in library::survey(&search) {
        println!("  {finding}");
    }
    match slide::openslide_version() {
        Ok(version) => println!("slides      by ftuseg and OpenSlide {version}"),
        Err(reason) => println!(
            "slides      by ftuseg alone; without OpenSlide NDPI, MRXS, SCN, BIF, CZI, DICOM and others cannot be read: {reason}"
        ),
    }
    let mut well = true;
    let bundle = match args.engine.load_bundle() {
        Ok(bundle) => {
            println!(
                "bundle      {} {} in {}",
                bundle.name,
                bundle.version,
                bundle.folder.display()
            );
            Some(bundle)
        }
        Err(error) => {
            println!("bundle      NOT USABLE: {error}");
            well = false;
            None
        }
    };
    let backend = match args.engine.start_backend() {
        Ok(backend) => {
            let about = backend.about();
            println!(
                "backend     {} {} on {} ({})",
                about.backend, about.version, about.device, about.proof
            );
            Some(backend)
        }
        Err(error) => {
            println!("backend     NOT USABLE: {error}");
            well = false;
            None
        }
    };
    if let (Some(bundle), Some(backend)) = (bundle, backend) {
        if let Some(router) = &bundle.router {
            let tile = vec![200; router.tile as usize * router.tile as usize * 3];
            let tried = Network::router(backend.as_ref(), &bundle, router)
                .and_then(|mut network| Ok(network.run(1, &tile)?));
            match tried {
                Ok(_) => println!("router      {}: works", router.file),
                Err(error) => {
                    println!("router      {}: FAILS: {error}", router.file);
                    well = false;
                }
            }
        }
        for model in &bundle.models {
            let tile = vec![200; model.tile as usize * model.tile as usize * 3];
            let load = || Network::model(backend.as_ref(), &bundle, model, Precision::Fp32);
            let tried = load().and_then(|mut network| {
                network.run(1, &tile)?;
                let started = std::time::Instant::now();
                network.run(1, &tile)?;
                Ok(started.elapsed().as_secs_f64())
            });
            match tried {
                Ok(seconds) => println!(
                    "model       {}: works, {:.0} ms a tile of {} px",
                    model.name,
                    seconds * 1e3,
                    model.tile
                ),
                Err(error) => {
                    println!("model       {}: FAILS: {error}", model.name);
                    well = false;
                }
            }
        }
    }
    println!(
        "{}",
        if well {
            "All is well: slides can be segmented here."
        } else {
            "Slides cannot be segmented here yet; see above."
        }
    );
    Ok(if well { 0 } else { super::SOME_FAILED })
}
