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
    /// Its place in [`Found::organs`].
    pub organ: usize,
    pub bounds: ftuseg_rect,
    pub polygon: Polygon,
}

impl ftuseg_result {
    /// The result as the sinks see it.
    pub(crate) fn findings(&self) -> SlideFindings<'_> {
        SlideFindings::new(&self.id, &self.slide, &self.segmentation, &self.bundle)
    }

    /// What was found.
    pub(crate) fn found(&self) -> Result<&Found, Failure> {
        let found = self.found.get_or_init(|| Ok(self.put_together()));
        found.as_ref().map_err(Failure::clone)
    }

    fn put_together(&self) -> Found {
        let findings = self.findings();
        let organs: Vec<FoundOrgan> = findings
            .organs()
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
        for group in findings.objects {
            let organ = organs.iter().position(|organ| organ.target == group.target);
            let Some(organ) = organ else { continue };
            objects.extend(group.polygons.into_iter().map(|polygon| FoundObject {
                organ,
                bounds: bounds(&polygon),
                polygon,
            }));
        }
        Found { organs, objects }
    }
}

/// The box around an outline.
fn bounds(polygon: &Polygon) -> ftuseg_rect {
    let along = |axis: usize| {
        let all = || polygon.exterior.iter().map(|corner| corner[axis]);
        let (least, most) = (all().min().unwrap_or(0), all().max().unwrap_or(0));
        (least, most - least)
    };
    let ((x, width), (y, height)) = (along(0), along(1));
    ftuseg_rect {
        x,
        y,
        width,
        height,
    }
}
