//! `ftuseg demo`: draws sample slides and does the whole job on them.

use std::path::PathBuf;

use ftuseg_router::Organ;

use super::engine_args::{EngineArgs, RouteArgs, TileArgs, TissueArg, heading, make_folder};
use super::progress::{Progress, Shown};
use super::segment::exit_code;
use super::{contact_sheet, organs};
use ftuseg::batch::{Batch, Rerun, discover};
use ftuseg::pipeline::Route;
use ftuseg::slide;
use ftuseg::slide::mask_image::read_mask;
use ftuseg::slide::tiled_tiff::Compression;
use ftuseg_evaluate::dice;
use ftuseg_samples::{Drawing, Spec, core, truth_mask, two_organs, write_slide};

/// Side of each core's slide, in px at 0.5 um/px: the 1.2 mm of a tissue micro-array.
const SIZE: u32 = 2400;
const MPP: f64 = 0.5;

/// Arguments of `ftuseg demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder for the slides and the results
    #[arg(short, long, value_name = "DIR", default_value = "ftuseg-demo", help_heading = heading::OUTPUT)]
    out: PathBuf,
    /// Random seed of the drawn slides
    #[arg(long, value_name = "N", default_value_t = 2026)]
    seed: u64,
    #[command(flatten)]
    engine: EngineArgs,
}

/// A sample slide: its name and what it shows.
fn sample_slides(seed: u64) -> Vec<(String, Spec)> {
    let mut slides: Vec<(String, Spec)> = Organ::ALL
        .into_iter()
        .map(|organ| (organ.name().to_owned(), core(organ, SIZE, MPP, seed)))
        .collect();
    slides.push((
        "two-organs".to_owned(),
        two_organs(Organ::Kidney, Organ::Spleen, 2 * SIZE, SIZE, MPP, seed),
    ));
    slides
}

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let route = RouteArgs {
        route: Route::Tile,
        mpp: None,
        tissue: TissueArg::Auto,
    };
    let engine = args.engine.engine(&route, &TileArgs::default())?;
    let (slides, results) = (args.out.join("slides"), args.out.join("results"));
    make_folder(&slides)?;
    tell!("drawing sample slides in {}", slides.display());
    let mut drawings = Vec::new();
    for (name, spec) in sample_slides(args.seed) {
        let drawing = Drawing::new(&spec)?;
        let path = slides.join(format!("{name}.tif"));
        write_slide(&drawing, &path, Compression::Jpeg { quality: 90 })?;
        drawings.push((name, path, drawing));
    }
    let inputs: Vec<PathBuf> = drawings.iter().map(|(_, path, _)| path.clone()).collect();
    let jobs = discover(&inputs, None)?;
    let batch = Batch {
        // The slides were just drawn anew.
        rerun: Rerun::All,
        ..Batch::new(&engine, results.clone())
    };
    let areas = vec![None; jobs.len()];
    let progress = Progress::new(Shown::Progress, results.clone(), areas);
    let summary = batch.run(&jobs, &|event| progress.show(&event))?;
    progress.end();
    say!("slide           routed to                            objects  Dice (n = 1 drawn slide)");
    let mut sheet = Vec::new();
    for (status, (name, _, drawing)) in summary.slides.iter().zip(&drawings) {
        let mut score = "-".to_owned();
        if status.is_there() {
            let folder = results.join("slides").join(status.folder_name());
            let image = slide::open(&folder.join("mask.tif"))?;
            let found = read_mask(image.as_ref())?;
            score = format!("{:.3}", dice(&found, &truth_mask(drawing)?)?);
            let size = (found.width(), found.height());
            sheet.push(contact_sheet::Shown {
                name: name.clone(),
                picture: contact_sheet::read_overlay(&folder.join("overlay.png"), size)?,
                organs: status.organs.clone(),
            });
        }
        say!(
            "{name:<15} {:<36} {:>7}  {score}",
            organs::of(status),
            status.objects,
        );
    }
    let picture = args.out.join("demo.png");
    contact_sheet::draw(&sheet, &picture)?;
    say!(
        "These slides are drawings; `ftuseg models list` shows how accurate the models are on real tissue."
    );
    say!("Now look at {}", picture.display());
    say!("and segment slides of your own: ftuseg segment my_slides/ -o results");
    Ok(exit_code(&summary))
}
