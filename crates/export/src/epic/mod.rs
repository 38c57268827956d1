//! HuBMAP's `segmentation-mask` data sets (EPIC): masks as OME-TIFF, and a table of objects for each mask.
//!
//! The folder is laid out as version 2.7 of the directory schema wants it, and the tables are those of the template
//! "object by feature", both public:
//! <https://docs.hubmapconsortium.org/segmentation-mask/current/> (repository `hubmapconsortium/ingest-validation-tools`,
//! `src/ingest_validation_tools/directory-schemas/segmentation-mask-v2.7.yaml`) and `epic/` in
//! `hubmapconsortium/dataset-metadata-spreadsheet`. HuBMAP takes one data set for each image, so each slide gets a folder:
//!
//! ```text
//! FOLDER/extras/slide.json
//! FOLDER/derived/extras/objects.csv
//! FOLDER/derived/segmentation_masks/FOLDER.segmentations.ome.tiff
//! FOLDER/derived/segmentation_masks/glomeruli-objects.tsv
//! ```

mod columns;
mod feature_table;
mod masks;
mod ontology;

use std::path::Path;

use ftuseg_files::plain;
use ftuseg_router::Target;

pub use feature_table::{ANNOTATION_TOOLS, is_doi};
pub use ontology::{Terms, terms};

use crate::output::{make_folder, whole_folder};
use crate::{ExportError, Exported, FinishedSlide, Replace, RunSlide};

/// What HuBMAP wants to know and no run knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// DOI of the protocol by which the masks were made; see [`is_doi`].
    pub protocol: String,
    /// One of [`ANNOTATION_TOOLS`].
    pub tool: String,
}

/// The largest file that is copied into the folders for extras.
const MAX_EXTRA: u64 = 4 << 30;

/// Writes the data set of a slide into the folder `out`, which is made; the data set's own folder there is named as the
/// slide's.
///
/// # Errors
/// When a file of the slide is missing or contradicts another, when nothing was found that has a term of an ontology, when
/// the data set is there already or cannot be written.
pub fn write(
    slide: &RunSlide,
    out: &Path,
    about: &About,
    replace: Replace,
) -> Result<Exported, ExportError> {
    make_folder(out)?;
    let slide = slide.open()?;
    let name = slide.folder.file_name().unwrap_or_default();
    whole_folder(&out.join(name), replace, |folder| {
        fill(&slide, &name.to_string_lossy(), folder, about)
    })
}

fn fill(
    slide: &FinishedSlide,
    name: &str,
    folder: &Path,
    about: &About,
) -> Result<Exported, ExportError> {
    let mut done = Exported {
        slides: 1,
        ..Exported::default()
    };
    let organs = &slide.record.organs;
    let found = organs.iter().filter(|organ| organ.objects > 0);
    let mut targets = Vec::new();
    for organ in found {
        match Target::named(&organ.organ).filter(|&target| terms(target).is_some()) {
            Some(target) => targets.push(target),
            None => done.doubts.push(format!(
                "{}: {} objects of `{}` are left out: no ontology has a term for what a network for all organs finds",
                slide.record.id, organ.objects, organ.organ
            )),
        }
    }
    if targets.is_empty() {
        return Err(ExportError::unsupported(
            &slide.folder,
            "nothing was found that HuBMAP has a mask for, and a data set without a mask is none",
        ));
    }
    if slide.mpp().is_none() {
        return Err(ExportError::NoResolution {
            path: slide.folder.clone(),
        });
    }
    let masks = folder.join("derived/segmentation_masks");
    make_folder(&masks)?;
    let image = format!("{name}.segmentations.ome.tiff");
    done.objects = masks::write(slide, &targets, &masks, &image, about)?;
    // Neither folder may be empty: a folder without a file is none to HuBMAP's check.
    for (file, extras) in [("slide.json", "extras"), ("objects.csv", "derived/extras")] {
        let extras = folder.join(extras);
        make_folder(&extras)?;
        copy(&slide.folder.join(file), &extras.join(file))?;
    }
    Ok(done)
}

fn copy(from: &Path, to: &Path) -> Result<(), ExportError> {
    let mut source = plain::open(from, MAX_EXTRA).map_err(|cause| ExportError::io(from, cause))?;
    ftuseg_files::whole::replace(to, |out| std::io::copy(&mut source, out).map(|_| ()))?;
    Ok(())
}
