//! What is known of a slide that is not open any more.

use std::path::Path;

use super::warning::Warning;
use super::{SlideError, SlideInfo, SlideReader};

/// A slide's description without its pixels, for results that outlive the slide.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedSlide {
    info: SlideInfo,
    warnings: Vec<Warning>,
}

impl ClosedSlide {
    /// What is known of a slide.
    pub fn of(slide: &dyn SlideReader) -> Self {
        ClosedSlide {
            info: slide.info().clone(),
            warnings: slide.warnings().to_vec(),
        }
    }
}

impl SlideReader for ClosedSlide {
    fn info(&self) -> &SlideInfo {
        &self.info
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Always an error: the pixels are not there.
    fn read(
        &self,
        _level: usize,
        _x: i64,
        _y: i64,
        _width: u32,
        _height: u32,
        _out: &mut [u8],
    ) -> Result<(), SlideError> {
        let why = "its px are not read any more, once it is segmented";
        Err(SlideError::usage(Path::new("the slide"), why))
    }

    /// Always an error: its files are not there, and a slide that is DICOM must not pass for one that is not.
    #[cfg(feature = "files")]
    fn dicom_headers(
        &self,
        _is_wanted: fn(super::dicom::DicomTag) -> bool,
    ) -> Result<Option<Vec<super::dicom::DicomHeader>>, SlideError> {
        let why = "its files are not read any more, once it is segmented";
        Err(SlideError::usage(Path::new("the slide"), why))
    }
}
