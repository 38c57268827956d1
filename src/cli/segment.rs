//! `ftuseg segment`: slides in, masks and RLE out.

use std::path::PathBuf;

use anyhow::bail;
use serde_json::json;

use super::common::{EngineArgs, RouteArgs, TileArgs, route_name};
use super::progress::Progress;
use crate::batch::{Batch, Outputs, Status, Summary, discover};
use crate::pipeline::{Blend, Engine};
use crate::sink::Provenance;
use crate::slide::TissueMode;

/// Arguments of `ftuseg segment`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Slides, folders of slides, or CSV manifests (id,path[,organ][,mpp], or Kaggle's with --images)
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder of the images that Kaggle's train.csv or test.csv names
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// What to write beside the records: rle, mask, geojson, overlay, or all (these four); and prob, a map of the
    /// probabilities. With rle but without mask, a rerun does all slides again
    #[arg(long, value_name = "LIST", default_value = "all", value_parser = parse_outputs)]
    write: Outputs,
    /// Do all slides again, also those that are there already
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    route: RouteArgs,
    #[command(flatten)]
    tiles: TileArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

impl Args {
    /// Whether nothing may be fetched.
    pub(super) fn is_offline(&self) -> bool {
        self.engine.offline
    }
}

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    // Inputs first: a mistyped path should not wait for a runtime to be fetched.
    let jobs = discover(&args.inputs, args.images.as_deref())?;
    if args.out.is_file() {
        bail!("--out {} is a file; name a folder", args.out.display());
    }
    let engine = args.engine.engine(&args.route, &args.tiles)?;
    let batch = Batch {
        out: args.out.clone(),
        outputs: args.write,
        overwrite: args.overwrite,
        resolution: args.route.mpp,
        provenance: provenance(&engine, &args.route, args.write),
        engine: &engine,
    };
    let progress = Progress::new();
    let summary = batch.run(&jobs, &|event| progress.show(&event))?;
    tell(&summary, &args.out);
    Ok(exit_code(&summary))
}

/// Who makes the results, for the records. Threads are left out: they do not change a result.
pub(super) fn provenance(engine: &Engine, route: &RouteArgs, outputs: Outputs) -> Provenance {
    let bundle = engine.bundle();
    let options = engine.options();
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        bundle: json!({
            "name": bundle.name,
            "version": bundle.version,
            "licence": bundle.licence,
            "sha256": bundle.sha256,
        }),
        runtime: engine.backend().about().clone(),
        settings: json!({
            "route": route_name(options.route),
            "tissue": match options.tissue {
                TissueMode::Auto => "auto",
                TissueMode::Off => "off",
            },
            "overlap": options.overlap,
            "blend": match options.blend {
                Blend::Crop => "crop",
                Blend::Gaussian => "gaussian",
            },
            "tta": options.tta.name(),
            "precision": options.precision.name(),
            "batch": options.batch,
            "mpp": route.mpp.map(|resolution| resolution.mpp),
            "write": outputs,
        }),
    }
}

/// 0 when all slides are there, 1 when some failed.
pub(super) fn exit_code(summary: &Summary) -> u8 {
    if summary.count(Status::Failed) > 0 {
        super::SOME_FAILED
    } else {
        0
    }
}

fn tell(summary: &Summary, out: &std::path::Path) {
    let failed = summary.count(Status::Failed);
    eprintln!(
        "{} done, {} there already, {failed} failed in {:.1} s; results in {}",
        summary.count(Status::Done),
        summary.count(Status::Skipped),
        summary.seconds,
        out.display()
    );
    for slide in summary.slides.iter().filter(|s| s.status == Status::Failed) {
        eprintln!(
            "  {}: {}",
            slide.id,
            slide.reason.as_deref().unwrap_or("no reason known")
        );
    }
}

fn parse_outputs(text: &str) -> Result<Outputs, String> {
    let mut outputs = Outputs {
        rle: false,
        mask: false,
        geojson: false,
        overlay: false,
        prob: false,
    };
    for name in text.split(',').map(str::trim) {
        match name {
            "all" => {
                outputs = Outputs {
                    prob: outputs.prob,
                    ..Outputs::ALL
                }
            }
            "rle" => outputs.rle = true,
            "mask" => outputs.mask = true,
            "geojson" => outputs.geojson = true,
            "overlay" => outputs.overlay = true,
            "prob" => outputs.prob = true,
            other => {
                return Err(format!(
                    "{other:?} is unknown; use rle, mask, geojson, overlay, prob, or all"
                ));
            }
        }
    }
    Ok(outputs)
}
