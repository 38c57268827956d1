//! What the first directory says about the scanner: the format's name, files to refuse, um/px.

use std::path::Path;

use super::directory::{Directory, tag};
use super::ome::Ome;
use super::problem::Problem;
use super::source::Source;
use crate::slide::Resolution;

/// What is known of the slide as a whole.
pub(super) struct Origin {
    /// For people: `TIFF`, `OME-TIFF`, `Aperio SVS`.
    pub(super) format: &'static str,
    pub(super) resolution: Option<Resolution>,
}

impl Origin {
    /// Reads the first directory's description and resolution.
    pub(super) fn read(path: &Path, source: &Source, first: &Directory) -> Result<Self, Problem> {
        let description = first.text(source, tag::DESCRIPTION)?;
        refuse_foreign(path, first, &description)?;
        let (format, stated) = if description.starts_with("Aperio") {
            ("Aperio SVS", Resolution::from_aperio(&description))
        } else if let Some(ome) = Ome::parse(&description)? {
            let samples = first.number(source, tag::SAMPLES)?.unwrap_or(1);
            ome.refuse_split_colours(samples)?;
            ("OME-TIFF", ome.resolution())
        } else {
            ("TIFF", None)
        };
        // The order is documented in `resolution.rs`.
        Ok(Origin {
            format,
            resolution: stated.or_else(|| tag_resolution(source, first)),
        })
    }
}

/// Refuses vendors' files that are TIFF by their frame only: read as plain TIFF they would give a wrong picture.
fn refuse_foreign(path: &Path, first: &Directory, description: &str) -> Result<(), Problem> {
    let is_bif = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("bif"));
    let vendor = if description.contains("<scn") {
        "Leica SCN"
    } else if first.has(tag::NDPI) {
        "Hamamatsu NDPI"
    } else if first.has(tag::XMP) && is_bif {
        "Ventana BIF"
    } else {
        return Ok(());
    };
    Err(Problem::unsupported(format!(
        "{vendor} cannot be read yet; convert it to a tiled pyramidal TIFF"
    )))
}

fn tag_resolution(source: &Source, first: &Directory) -> Option<Resolution> {
    let x = first.real(source, tag::X_RESOLUTION)?;
    let y = first.real(source, tag::Y_RESOLUTION)?;
    // Inches are the format's default.
    let unit = first
        .number(source, tag::RESOLUTION_UNIT)
        .ok()?
        .unwrap_or(2);
    Resolution::from_tiff_tags(x, y, u16::try_from(unit).ok()?)
}
