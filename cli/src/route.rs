//! `ftuseg route`: the organ map alone.

use std::path::PathBuf;

use ftuseg_router::Organ;

use super::advice;
use super::console::{about, printable};
use super::engine_args::{EngineArgs, RouteArgs, TileArgs, heading};
use ftuseg::batch::discover;
use ftuseg::pipeline::{PipelineError, Request, Route};
use ftuseg::slide;

/// Arguments of `ftuseg route`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Slides, folders of slides, or CSV manifests
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Folder of the images, for Kaggle's train.csv or test.csv
    #[arg(long, value_name = "DIR", help_heading = heading::INPUT)]
    images: Option<PathBuf>,
    #[command(flatten)]
    route: RouteArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

impl Args {
    /// Whether nothing may be fetched.
    pub(super) fn is_offline(&self) -> bool {
        self.engine.offline
    }
}

/// Runs the command and returns its exit code. The table goes to standard output, tab-separated.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let jobs = discover(&args.inputs, args.images.as_deref())?;
    let engine = args.engine.engine(&args.route, &TileArgs::default())?;
    say!("id\torgan\tshare\tconfidence\tcells");
    let mut failed = false;
    for job in &jobs {
        let answer = slide::open(&job.path)
            .map_err(PipelineError::from)
            .and_then(|slide| {
                let organ = match (args.route.route, &job.organ) {
                    (Route::Given, Some(name)) => Some(name.parse::<Organ>()?),
                    _ => None,
                };
                let request = Request {
                    mpp: args.route.mpp.or(job.resolution),
                    organ,
                    ..Request::default()
                };
                engine.route(slide.as_ref(), &request)
            });
        let id = printable(&job.id);
        match answer {
            Ok(routed) => {
                let shares = routed.map.shares();
                if shares.is_empty() {
                    say!("{id}\t-\t0\t0\t0");
                }
                for share in shares {
                    say!(
                        "{id}\t{}\t{:.4}\t{:.4}\t{}",
                        share.target,
                        share.share,
                        share.confidence,
                        share.cells
                    );
                }
            }
            Err(error) => {
                tell!(
                    "{id}: FAILED: {}",
                    about(&job.path, &advice::of_slide(&error))
                );
                failed = true;
            }
        }
    }
    Ok(if failed { super::SOME_FAILED } else { 0 })
}
