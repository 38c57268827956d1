//! `ftuseg export`: finished runs in the formats of other tools.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::bail;

use super::advice;
use super::console::{counted, printable};
use ftuseg_export::coco::{self, Segmentation};
use ftuseg_export::{ExportError, Exported, Replace, Run, RunSlide, epic, spatialdata};

/// Arguments of `ftuseg export`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    format: Format,
}

#[derive(Debug, clap::Subcommand)]
enum Format {
    /// Write COCO JSON: one file for all slides, an annotation an object
    Coco {
        #[command(flatten)]
        common: Common,
        /// How px are stated: rle is exact; polygons are what more tools read, but they have no holes
        #[arg(long, value_name = "HOW", value_enum, default_value_t = How::Rle)]
        segmentation: How,
    },
    /// Write HuBMAP's segmentation-mask data sets (EPIC, version 2.7), a folder a slide
    Epic {
        #[command(flatten)]
        common: Common,
        /// DOI of the protocol by which the masks were made, such as 10.17504/protocols.io.NAME/v1
        #[arg(long, value_name = "DOI", value_parser = doi)]
        protocol: String,
        /// Who annotated the objects, as HuBMAP calls it
        #[arg(long, value_name = "TOOL", default_value = "In-house", value_parser = epic::ANNOTATION_TOOLS)]
        tool: String,
    },
    /// Write SpatialData stores (OME-Zarr, GeoParquet, AnnData), a store a slide
    Spatialdata {
        #[command(flatten)]
        common: Common,
    },
}

fn doi(text: &str) -> Result<String, String> {
    match epic::is_doi(text) {
        true => Ok(text.to_owned()),
        false => Err(
            "a DOI looks like 10.17504/protocols.io.NAME/v1, without an address before it"
                .to_owned(),
        ),
    }
}

/// What every format wants.
#[derive(Debug, clap::Args)]
struct Common {
    /// Results folders of `ftuseg segment`
    #[arg(required = true, value_name = "RESULTS")]
    results: Vec<PathBuf>,
    /// Folder to write into
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Replace what an earlier export left there
    #[arg(long)]
    overwrite: bool,
}

/// How an annotation states its px.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum How {
    Rle,
    Polygons,
}

/// Runs the command and returns its exit code: 0 when all slides of the runs were exported, 1 when some were not.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.format {
        Format::Coco {
            common,
            segmentation,
        } => {
            let runs = common.runs()?;
            let segmentation = match segmentation {
                How::Rle => Segmentation::Rle,
                How::Polygons => Segmentation::Polygons,
            };
            let path = common.out.join("coco.json");
            let done = coco::write(&slides(&runs)?, &path, segmentation, common.replace());
            tell_done(&done?, &path);
            Ok(missing(&runs))
        }
        Format::Epic {
            common,
            protocol,
            tool,
        } => {
            let about = epic::About {
                protocol: protocol.clone(),
                tool: tool.clone(),
            };
            each_slide(common, |slide, replace| {
                epic::write(slide, &common.out, &about, replace)
            })
        }
        Format::Spatialdata { common } => each_slide(common, |slide, replace| {
            spatialdata::write(slide, &common.out, replace)
        }),
    }
}

/// Exports slide after slide. One that cannot be exported does not keep the others from it.
fn each_slide(
    common: &Common,
    write: impl Fn(&RunSlide, Replace) -> Result<Exported, ExportError>,
) -> anyhow::Result<u8> {
    let runs = common.runs()?;
    let mut code = missing(&runs);
    let mut all = Exported::default();
    for slide in slides(&runs)? {
        match write(slide, common.replace()) {
            Ok(done) => all.add(done),
            Err(error) => {
                let error = advice::export(&error);
                tell!("error: {}: {}", printable(&slide.id), printable(&error));
                code = super::SOME_FAILED;
            }
        }
    }
    tell_done(&all, &common.out);
    Ok(code)
}

impl Common {
    fn runs(&self) -> anyhow::Result<Vec<Run>> {
        Ok(self
            .results
            .iter()
            .map(|path| Run::open(path))
            .collect::<Result<_, _>>()?)
    }

    fn replace(&self) -> Replace {
        match self.overwrite {
            true => Replace::Whole,
            false => Replace::Refuse,
        }
    }
}

/// The slides of all runs. Each stands for itself: two of one folder's name would be written to one place, and two of one id
/// could not be told apart.
fn slides(runs: &[Run]) -> anyhow::Result<Vec<&RunSlide>> {
    let mut seen: HashMap<String, &Path> = HashMap::new();
    let mut all = Vec::new();
    for run in runs {
        for slide in run.slides() {
            if let Some(before) = seen.insert(slide.folder_name(), run.path()) {
                bail!(
                    "the slide {:?} is in {} and in {}; export them one after the other into different folders",
                    slide.id,
                    before.display(),
                    run.path().display()
                );
            }
            all.push(slide);
        }
    }
    if all.is_empty() {
        bail!("there is no finished slide to export");
    }
    Ok(all)
}

fn tell_done(done: &Exported, path: &Path) {
    for doubt in &done.doubts {
        tell!("warning: {doubt}");
    }
    tell!(
        "{} of {} in {}",
        counted(done.objects, "object"),
        counted(done.slides, "slide"),
        printable(&path.display().to_string())
    );
}

/// Says which slides the runs did not finish, and returns the exit code.
fn missing(runs: &[Run]) -> u8 {
    let missing: Vec<&String> = runs.iter().flat_map(Run::missing).collect();
    let Some(first) = missing.first() else {
        return 0;
    };
    tell!(
        "warning: {} not finished and left out, such as {}",
        match missing.len() {
            1 => "1 slide was".to_owned(),
            more => format!("{more} slides were"),
        },
        printable(first)
    );
    super::SOME_FAILED
}
