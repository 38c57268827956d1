//! `ftuseg inspect`: what a slide is.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use image::ImageEncoder;
use image::codecs::png::PngEncoder;

use super::console::about;
use super::inspect_table;
use ftuseg::slide::{self, SlideReader, Tissue, TissueMode, size_warning};
use ftuseg_files::whole::replace;

/// The outline of tissue in a picture: a bright line in a dark rim, which shows on any stain.
const LINE: [u8; 3] = [255, 230, 0];
const RIM: [u8; 3] = [0; 3];

/// Arguments of `ftuseg inspect`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Slides, described one by one; or folders, whose slides are listed in a table
    #[arg(required = true, value_name = "SLIDE")]
    slides: Vec<PathBuf>,
    /// Draw a small picture of the slide, with the outline of the detected tissue, into this PNG (one slide only)
    #[arg(long, value_name = "FILE.png")]
    picture: Option<PathBuf>,
}

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    ensure!(
        args.picture.is_none() || args.slides.len() == 1,
        "--picture draws one slide, but {} are given",
        args.slides.len()
    );
    let mut failed = false;
    for path in &args.slides {
        if path.is_dir() && !slide::is_zarr(path) {
            failed |= !inspect_table::list(path)?;
            continue;
        }
        if let Err(error) = inspect(path, args.picture.as_deref()) {
            tell!("error: {}", about(path, &super::advice::full(&error)));
            failed = true;
        }
    }
    Ok(if failed { super::SOME_FAILED } else { 0 })
}

fn inspect(path: &Path, picture: Option<&Path>) -> anyhow::Result<()> {
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
        None => say!("  um/px        not stated; set it with --mpp X"),
    }
    for ignored in &info.ignored {
        say!(
            "  not used     {} of the {}: {}",
            ignored.stated,
            ignored.source,
            ignored.reason
        );
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
    let tissue_warning = tissue.warning();
    let size_warning = info
        .resolution
        .and_then(|resolution| size_warning(resolution, info.width(), info.height()));
    let doubts = slide.warnings().iter().chain(&tissue_warning);
    for warning in doubts.chain(&size_warning) {
        say!("  warning      {}", super::advice::warning(warning));
    }
    if let Some(picture) = picture {
        draw(slide.as_ref(), &tissue, picture)?;
        say!("  picture      {}", picture.display());
    }
    Ok(())
}

/// Draws the slide as tissue was looked for on it, with the outline of what was found.
fn draw(slide: &dyn SlideReader, tissue: &Tissue, out: &Path) -> anyhow::Result<()> {
    let plane = tissue.plane();
    let (width, height) = (plane.width, plane.height);
    let mut rgb = vec![0; width as usize * height as usize * 3];
    plane.read(slide, 0, 0, width, height, &mut rgb)?;
    for (radius, colour) in [(2_u32, RIM), (1, LINE)] {
        for y in 0..height {
            for x in 0..width {
                // Outside, by so many px: what was found stays to be seen.
                let near = |dx: u32, dy: u32| {
                    let at = |v: u32, d: u32| v.wrapping_add(d).wrapping_sub(radius);
                    tissue.at(at(x, dx), at(y, dy))
                };
                let mut all =
                    (0..=2 * radius).flat_map(|dy| (0..=2 * radius).map(move |dx| (dx, dy)));
                if !tissue.at(x, y) && all.any(|(dx, dy)| near(dx, dy)) {
                    let at = (y as usize * width as usize + x as usize) * 3;
                    rgb[at..at + 3].copy_from_slice(&colour);
                }
            }
        }
    }
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&rgb, width, height, image::ExtendedColorType::Rgb8)
        .with_context(|| format!("{}: cannot be drawn", out.display()))?;
    replace(out, |file| file.write_all(&png))?;
    Ok(())
}
