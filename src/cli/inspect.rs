//! `ftuseg inspect`: what a slide is.

use std::path::{Path, PathBuf};

use crate::slide::{self, SlideError, Tissue, TissueMode};

/// Arguments of `ftuseg inspect`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Slides
    #[arg(required = true, value_name = "SLIDE")]
    slides: Vec<PathBuf>,
}

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mut failed = false;
    for path in &args.slides {
        if let Err(error) = inspect(path) {
            eprintln!("error: {error}");
            failed = true;
        }
    }
    Ok(if failed { super::SOME_FAILED } else { 0 })
}

fn inspect(path: &Path) -> Result<(), SlideError> {
    let slide = slide::open(path)?;
    let info = slide.info();
    let tissue = Tissue::find(slide.as_ref(), TissueMode::Auto)?;
    say!("{}", path.display());
    say!("  format       {}", info.format);
    say!("  reader       {}", info.reader);
    say!("  compression  {}", info.compression);
    say!("  size         {} x {} px", info.width(), info.height());
    match info.resolution {
        Some(resolution) if resolution.mpp != resolution.down => say!(
            "  um/px        {} across, {} down (from the {})",
            resolution.mpp,
            resolution.down,
            resolution.source
        ),
        Some(resolution) => say!(
            "  um/px        {} (from the {})",
            resolution.mpp,
            resolution.source
        ),
        None => say!("  um/px        not stated; give it with --mpp X"),
    }
    for ignored in &info.ignored {
        say!(
            "  not used     {} of the {}: {}",
            ignored.stated,
            ignored.source,
            ignored.reason
        );
    }
    for warning in slide.warnings() {
        say!("  warning      {}", warning.text);
    }
    if let Some(bounds) = info.bounds {
        say!(
            "  scanned      {} x {} px at {}, {}",
            bounds.width,
            bounds.height,
            bounds.x,
            bounds.y
        );
    }
    for (number, level) in info.levels.iter().enumerate() {
        let (downsample, _) = info.downsample(number);
        say!(
            "  level {number}      {} x {} px, downsample {downsample:.3}",
            level.width,
            level.height
        );
    }
    say!("  tissue       {:.1} %", tissue.share() * 100.0);
    Ok(())
}
