//! `ftuseg doctor`: what was found, what works, and the mend for what does not.

use std::path::PathBuf;

use super::advice;
use super::engine_args::EngineArgs;
use super::openvino_trial;
use ftuseg::backend::{Arithmetic, Trial};
use ftuseg::pipeline::{Network, Precision};
use ftuseg::slide::{self, OPENSLIDE};
use ftuseg_provision::onnxruntime::{self, ACCELERATORS, Accelerator, locate_accelerated};
use ftuseg_provision::{LibraryError, Search};

/// Arguments of `ftuseg doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Fetch what a device needs into the cache folder with pip, and try it: openvino (85 MB) or cuda (1.6 GB)
    #[arg(long, value_name = "NAME", value_parser = parse_accelerator)]
    install: Option<Accelerator>,
    #[command(flatten)]
    engine: EngineArgs,
}

fn parse_accelerator(name: &str) -> Result<Accelerator, String> {
    ACCELERATORS
        .into_iter()
        .find(|accelerator| accelerator.name == name)
        .ok_or_else(|| "openvino or cuda".to_owned())
}

/// Brings an accelerator; for OpenVINO, measures whether it is worth it.
fn install(args: &Args, accelerator: &Accelerator) -> anyhow::Result<u8> {
    let search = args.engine.search();
    say!(
        "fetching {} {} with pip (about {} MB) ...",
        accelerator.package,
        accelerator.version,
        accelerator.megabytes
    );
    say!(
        "installed in {}",
        onnxruntime::install(&search, accelerator)?.display()
    );
    if *accelerator != onnxruntime::OPENVINO {
        say!("now run: ftuseg doctor --device {}", accelerator.name);
        return Ok(0);
    }
    say!("timing OpenVINO against the plain runtime, which takes about a minute ...");
    let trial = openvino_trial::run(&args.engine)?;
    say!("{trial}");
    if let Some(cache) = &search.cache {
        say!("saved in {}", trial.keep(cache)?.display());
    }
    say!(
        "{}",
        if trial.speaks_for_it(args.engine.threads()) {
            "--device auto uses OpenVINO from now on (with this number of threads); --device cpu does not."
        } else {
            "No gain here: --device auto keeps using the plain runtime."
        }
    );
    Ok(0)
}

/// Says a text that may have lines of advice.
fn say_lines(text: &str) {
    for line in text.split('\n') {
        say!("{line}");
    }
}

/// A line for each accelerated runtime: where it lies, or that it is not there.
fn show_accelerators(args: &Args) {
    let search = args.engine.search();
    for accelerator in &ACCELERATORS {
        // A library that the user names is one of them at the most, and the lines above speak of it.
        let search = onnxruntime::Search {
            option: None,
            variable: None,
            ..search.clone()
        };
        match locate_accelerated(&search, accelerator) {
            Ok(located) => say!(
                "{:<11} ONNX Runtime {} in {}; --device {} uses it",
                accelerator.name,
                located.version,
                located.path.display(),
                accelerator.name
            ),
            Err(error @ LibraryError::BrokenAccelerator { .. }) => {
                say_lines(&format!(
                    "{:<11} NOT USABLE: {}",
                    accelerator.name,
                    advice::library(&error)
                ));
            }
            Err(_) => say!(
                "{:<11} not installed; `ftuseg doctor --install {}` fetches it",
                accelerator.name,
                accelerator.name
            ),
        }
    }
    if let Some(trial) = search.cache.as_deref().and_then(Trial::read) {
        say!("trial       OpenVINO: {trial}");
    }
}

impl Args {
    /// Whether nothing may be fetched.
    pub(super) fn is_offline(&self) -> bool {
        self.engine.offline
    }
}

/// Runs the command and returns its exit code: 0 when slides can be segmented, 1 when not.
pub(super) fn run(args: &Args, openslide: Option<PathBuf>) -> anyhow::Result<u8> {
    if let Some(accelerator) = &args.install {
        return install(args, accelerator);
    }
    say!("ftuseg {}", env!("CARGO_PKG_VERSION"));
    say!(
        "machine     {} {}, {} threads",
        std::env::consts::OS,
        std::env::consts::ARCH,
        args.engine.threads()
    );
    say!("runtime library, in search order:");
    for finding in onnxruntime::survey(&args.engine.search()) {
        say!("  {finding}");
    }
    show_accelerators(args);
    say!("OpenSlide library (NDPI, MRXS, SCN, BIF, CZI, DICOM and others), in search order:");
    let search = Search::from_environment(&OPENSLIDE, openslide, args.engine.offline);
    for finding in ftuseg_provision::survey(&search) {
        say!("  {finding}");
    }
    match slide::openslide_version() {
        Ok(version) => say!("slides      read by ftuseg and OpenSlide {version}"),
        Err(reason) => say_lines(&format!(
            "slides      read by ftuseg alone; NDPI, MRXS, SCN, BIF, CZI, DICOM and others need OpenSlide: {reason}\nIf it is installed elsewhere, name it with --openslide PATH"
        )),
    }
    let mut well = true;
    let bundle = match args.engine.load_bundle() {
        Ok(bundle) => {
            say!(
                "bundle      {} {} in {}",
                bundle.name,
                bundle.version,
                bundle.folder.display()
            );
            Some(bundle)
        }
        Err(error) => {
            say!("bundle      NOT USABLE: {}", advice::full(&error));
            well = false;
            None
        }
    };
    let backend = match args.engine.start_backend(Arithmetic::Auto) {
        Ok(backend) => {
            let about = backend.about();
            say!(
                "backend     {} {} on {} in {} ({})",
                about.backend,
                about.version,
                about.device,
                about.arithmetic,
                about.proof
            );
            Some(backend)
        }
        Err(error) => {
            say_lines(&format!("backend     NOT USABLE: {}", advice::full(&error)));
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
                Ok(_) => say!("router      {}: works", router.file),
                Err(error) => {
                    say!("router      {}: FAILS: {error}", router.file);
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
                Ok(seconds) => say!(
                    "model       {}: works, {:.0} ms per tile of {} px",
                    model.name,
                    seconds * 1e3,
                    model.tile
                ),
                Err(error) => {
                    say!("model       {}: FAILS: {error}", model.name);
                    well = false;
                }
            }
        }
    }
    say!(
        "{}",
        if well {
            "All is well: slides can be segmented on this machine."
        } else {
            "Slides cannot be segmented on this machine yet; see above."
        }
    );
    Ok(if well { 0 } else { super::SOME_FAILED })
}
