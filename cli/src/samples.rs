//! `ftuseg samples`: draws slides with their truth.

use std::path::PathBuf;

use anyhow::bail;
use ftuseg_router::Organ;

use super::engine_args::make_folder;
use ftuseg::slide::tiled_tiff::Compression;
use ftuseg_samples::{
    Drawing, KaggleSlide, core, two_organs, write_kaggle_folder, write_slide, write_truth,
};

/// Arguments of `ftuseg samples`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder for the slides: train.csv and train_images/ as Kaggle has them, two-organs.tif and its truth
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Number of cores per organ
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    cores: u16,
    /// Side of each core's slide, in px
    #[arg(long, value_name = "PX", default_value_t = 2400, value_parser = clap::value_parser!(u32).range(16..=200_000))]
    size: u32,
    /// Resolution of the slides, in um/px
    #[arg(long, value_name = "X", default_value_t = 0.5)]
    mpp: f64,
    /// Random seed; the same seed draws the same slides
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    if !(0.02..=40.0).contains(&args.mpp) {
        bail!("--mpp {} must lie between 0.02 and 40 um/px", args.mpp);
    }
    make_folder(&args.out)?;
    let slides: Vec<KaggleSlide> = Organ::ALL
        .into_iter()
        .flat_map(|organ| (0..u64::from(args.cores)).map(move |number| (organ, number)))
        .map(|(organ, number)| KaggleSlide {
            id: format!("{}-{}", organ.name(), number + 1),
            spec: core(organ, args.size, args.mpp, args.seed.wrapping_add(number)),
        })
        .collect();
    write_kaggle_folder(&args.out, &slides)?;
    let both = Drawing::new(&two_organs(
        Organ::Kidney,
        Organ::Spleen,
        args.size * 2,
        args.size,
        args.mpp,
        args.seed,
    ))?;
    write_slide(
        &both,
        &args.out.join("two-organs.tif"),
        Compression::Deflate,
    )?;
    write_truth(&both, &args.out.join("two-organs-truth.tif"))?;
    say!(
        "{} cores and a slide of two organs in {}",
        slides.len(),
        args.out.display()
    );
    Ok(0)
}
