//! What the first directory says about the scanner: the format's name, whether it is a TIFF by its frame only, um/px.

use std::path::Path;

use super::directory::{Directory, tag};
use super::file_bytes::FileBytes;
use super::ome::Ome;
use super::problem::Problem;
use crate::resolution::{Stated, choose};
use crate::warning::Warning;
use crate::{IgnoredResolution, Resolution};

/// What is known of the slide as a whole.
pub(super) struct Origin {
    /// For people: `TIFF`, `OME-TIFF`, `Aperio SVS`.
    pub(super) format: &'static str,
    pub(super) resolution: Option<Resolution>,
    pub(super) ignored: Vec<IgnoredResolution>,
    pub(super) warnings: Vec<Warning>,
    /// How many bits of a sample OME-XML says to be in use.
    pub(super) bits: Option<u64>,
}

impl Origin {
    /// Reads the description, which the file's first page or the slide's own has, and the resolution of the slide.
    pub(super) fn read(
        path: &Path,
        source: &FileBytes,
        first: &Directory,
        slide: &Directory,
        ome_image: usize,
    ) -> Result<Self, Problem> {
        if let Some(vendor) = foreign(path, source, first)? {
            return Err(Problem::unsupported(format!(
                "{vendor} is a TIFF in name only; OpenSlide reads it"
            )));
        }
        if has_extension(path, "vsi") {
            return Err(Problem::unsupported(
                "Olympus VSI: this file holds the overview only, and its pixels lie in a folder beside it that nothing \
                 here can read; convert it to OME-TIFF with bfconvert",
            ));
        }
        let own = slide.text(source, tag::DESCRIPTION)?;
        let description = if own.starts_with("Aperio") {
            own
        } else {
            first.text(source, tag::DESCRIPTION)?
        };
        let side = |tag| slide.number(source, tag).map(Option::unwrap_or_default);
        let size = (side(tag::WIDTH)?, side(tag::HEIGHT)?);
        let mut bits = None;
        let (format, stated) = if description.starts_with("Aperio") {
            ("Aperio SVS", Stated::aperio(&description, size))
        } else if let Some(ome) = Ome::of_image(&description, ome_image)? {
            bits = ome.bits;
            ("OME-TIFF", ome.resolution(size))
        } else {
            ("TIFF", None)
        };
        // The order is documented in `resolution.rs`.
        let chosen = choose(stated.into_iter().chain(tags(source, slide, &description)?));
        if let Some(reason) = chosen.refused {
            // Not `unsupported`: OpenSlide would be asked next, and need not look.
            return Err(Problem::format(reason));
        }
        Ok(Origin {
            format,
            resolution: chosen.resolution,
            ignored: chosen.ignored,
            warnings: chosen.warnings,
            bits,
        })
    }
}

/// The vendor's format, if the file is a TIFF by its frame only: read as plain TIFF it would give a wrong picture.
pub(super) fn foreign(
    path: &Path,
    source: &FileBytes,
    first: &Directory,
) -> Result<Option<&'static str>, Problem> {
    let software = first.text(source, tag::SOFTWARE)?;
    let description = first.text(source, tag::DESCRIPTION)?;
    Ok(if description.contains("<scn") {
        Some("Leica SCN")
    } else if first.has(tag::NDPI) || has_extension(path, "ndpi") {
        Some("Hamamatsu NDPI")
    } else if first.text(source, tag::XMP)?.contains("<iScan") {
        Some("Ventana BIF")
    } else if software.starts_with("MedScan") {
        // Its tiles overlap.
        Some("Trestle TIFF")
    } else if software.starts_with("Philips") && description.contains("DPUfsImport") {
        // Its levels are padded, and empty tiles are left out.
        Some("Philips TIFF")
    } else {
        None
    })
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case(extension))
}

/// What the resolution tags state, in the unit of an ImageJ description first, which ImageJ itself goes by.
fn tags(source: &FileBytes, slide: &Directory, description: &str) -> Result<Vec<Stated>, Problem> {
    let side = |tag| slide.real(source, tag);
    let Some((x, y)) = side(tag::X_RESOLUTION).zip(side(tag::Y_RESOLUTION)) else {
        return Ok(Vec::new());
    };
    // Inches are the format's default.
    let unit = slide.number(source, tag::RESOLUTION_UNIT)?.unwrap_or(2);
    let mut stated: Vec<Stated> = Stated::imagej(description, x, y).into_iter().collect();
    // Tags without a unit of their own say nothing more.
    if stated.is_empty() || unit != 1 {
        stated.push(Stated::tiff_tags(x, y, unit));
    }
    Ok(stated)
}
