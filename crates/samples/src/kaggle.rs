//! Writes drawn cores as a training folder in Kaggle's layout.

use std::fs;
use std::io::Write;
use std::path::Path;

use ftuseg_mask::rle;
use ftuseg_slide::tiled_tiff::Compression;

use super::{Drawing, SampleError, Spec, truth_mask, write_slide};

/// One slide of a training folder.
#[derive(Debug, Clone, PartialEq)]
pub struct KaggleSlide {
    /// Name of the image without its extension.
    pub id: String,
    /// What it shows: parts of one organ.
    pub spec: Spec,
}

/// Writes `dir/train_images/ID.tiff` for each slide, then `dir/train.csv` with the truth as RLE (column-major,
/// 1-based). `data_source` is `drawn`; age and sex are empty. The table comes last and at once: a folder
/// that has one is complete.
///
/// # Errors
/// [`SampleError::Usage`] for a slide without parts, with parts of several organs, or with an ID that is no plain
/// file name; [`SampleError::Tiff`] and [`SampleError::Io`] when a file cannot be written.
pub fn write_kaggle_folder(dir: &Path, slides: &[KaggleSlide]) -> Result<(), SampleError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |cause: std::io::Error| SampleError::Io { path, cause }
    };
    let images = dir.join("train_images");
    fs::create_dir_all(&images).map_err(io(&images))?;
    let table = dir.join("train.csv");
    let mut rows = csv::Writer::from_writer(Vec::new());
    let broken = |error: csv::Error| SampleError::Io {
        path: table.clone(),
        cause: error.into(),
    };
    rows.write_record([
        "id",
        "organ",
        "data_source",
        "img_height",
        "img_width",
        "pixel_size",
        "tissue_thickness",
        "rle",
        "age",
        "sex",
    ])
    .map_err(broken)?;
    for KaggleSlide { id, spec } in slides {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || !id.chars().all(plain) {
            return Err(SampleError::Usage(format!(
                "the ID {id:?}; use letters, digits, - and _"
            )));
        }
        let organ = match spec.parts.split_first() {
            Some((first, rest)) if rest.iter().all(|part| part.organ == first.organ) => first.organ,
            _ => {
                return Err(SampleError::Usage(format!(
                    "{id} must show exactly one organ to be a row of train.csv"
                )));
            }
        };
        let drawing = Drawing::new(spec)?;
        let truth = truth_mask(&drawing).map_err(|error| SampleError::Usage(error.to_string()))?;
        write_slide(
            &drawing,
            &images.join(format!("{id}.tiff")),
            Compression::Deflate,
        )?;
        rows.write_record([
            id.as_str(),
            organ.name(),
            "drawn",
            &spec.height.to_string(),
            &spec.width.to_string(),
            &spec.mpp.to_string(),
            "4",
            &rle::encode(&truth),
            "",
            "",
        ])
        .map_err(broken)?;
    }
    let text = rows
        .into_inner()
        .map_err(|error| io(&table)(error.into_error()))?;
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(io(dir))?;
    file.write_all(&text).map_err(io(&table))?;
    #[cfg(unix)]
    {
        // A temporary file is private; the table is for others to read, as the images are.
        use std::os::unix::fs::PermissionsExt;
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))
            .map_err(io(&table))?;
    }
    file.persist(&table)
        .map_err(|error| io(&table)(error.error))?;
    Ok(())
}
