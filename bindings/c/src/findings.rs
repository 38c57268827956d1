//! The organs and objects of a result, put together when somebody first asks for them.

use std::ffi::CString;

use ftuseg::sink::SlideFindings;
use ftuseg::{Polygon, Target};

use super::error::Failure;
use super::request::ftuseg_rect;
use super::result::ftuseg_result;
use super::strings::c_text;

/// What was found, organ by organ.
pub(crate) struct Found {
    pub organs: Vec<FoundOrgan>,
    pub objects: Vec<FoundObject>,
}

/// What one target got, and what was found there.
pub(crate) struct FoundOrgan {
    pub target: Target,
    pub name: CString,
    pub unit: CString,
    pub model: Option<CString>,
    pub label: u8,
    pub share: f64,
    pub confidence: f64,
    pub threshold: Option<f64>,
    pub objects: u64,
    pub area: u64,
    pub area_mm2: Option<f64>,
}

/// One object.
pub(crate) struct FoundObject {
    pub id: u64,
    pub uuid: CString,
    /// Its place in [`Found::organs`].
    pub organ: usize,
    pub bounds: ftuseg_rect,
    pub polygon: Polygon,
    /// What was measured on it, in the order of `measurement_names`.
    pub measured: Box<[f64]>,
}

impl ftuseg_result {
    /// The result as the sinks see it.
    pub(crate) fn findings(&self) -> SlideFindings<'_> {
        SlideFindings::new(&self.id, &self.slide, &self.segmentation, &self.bundle)
    }

    /// What was found.
    pub(crate) fn found(&self) -> Result<&Found, Failure> {
        let found = self.found.get_or_init(|| self.put_together());
        found.as_ref().map_err(Failure::clone)
    }

    fn put_together(&self) -> Result<Found, Failure> {
        let findings = self.findings();
        let organs: Vec<FoundOrgan> = findings
            .organs()?
            .into_iter()
            .filter_map(|record| {
                let target = Target::named(&record.organ)?;
                Some(FoundOrgan {
                    target,
                    name: c_text(&record.organ),
                    unit: c_text(target.organ().map_or("FTU", |organ| organ.ftu())),
                    model: record.model.as_deref().map(c_text),
                    label: record.label,
                    share: record.share,
                    confidence: record.confidence,
                    threshold: record.threshold,
                    objects: record.objects,
                    area: record.area_px,
                    area_mm2: record.area_mm2,
                })
            })
            .collect();
        let mut objects = Vec::new();
        findings.each_measured(|object, measured| {
            let organ = organs
                .iter()
                .position(|organ| organ.target == object.target);
            let bounds = object.figures.bounds;
            objects.push(FoundObject {
                id: object.id,
                uuid: c_text(&object.uuid.to_string()),
                // Whatever found something got a share of the slide.
                organ: organ.unwrap_or(0),
                bounds: ftuseg_rect {
                    x: bounds.x,
                    y: bounds.y,
                    width: bounds.width,
                    height: bounds.height,
                },
                polygon: object.polygon.clone(),
                measured: measured.into(),
            });
            Ok(())
        })?;
        Ok(Found { organs, objects })
    }
}
