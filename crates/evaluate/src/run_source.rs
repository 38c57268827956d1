//! What made a run: program, bundle, runtime, device and settings, as its `run.json` says.

use ftuseg_records::{RunRecord, Settings};
use serde::Serialize;

/// What made a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunSource {
    /// Version of the program.
    pub version: String,
    /// The bundle.
    pub bundle: SourceBundle,
    /// `onnxruntime` or `rten`.
    pub backend: String,
    /// Version of the runtime.
    pub backend_version: String,
    /// The device: `cpu`, `openvino`, `cuda:0`, `cuda:all`.
    pub device: String,
    /// What was computed in: `fp32`, `bf16`, `fp16`.
    pub arithmetic: String,
    /// The settings, by the names that the command has for them.
    pub settings: Settings,
}

/// A run's bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceBundle {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence.
    pub licence: String,
    /// Its sha256.
    pub sha256: String,
}

impl RunSource {
    /// What a record says.
    pub(super) fn of(record: &RunRecord) -> Self {
        let bundle = record.bundle.clone();
        RunSource {
            version: record.versions.ftuseg.clone(),
            bundle: SourceBundle {
                name: bundle.name,
                version: bundle.version,
                licence: bundle.licence,
                sha256: bundle.sha256,
            },
            backend: record.runtime.backend.clone(),
            backend_version: record.runtime.version.clone(),
            device: record.runtime.device.clone(),
            arithmetic: record.runtime.arithmetic.to_string(),
            settings: record.settings.clone(),
        }
    }

    /// The bundle, for people.
    pub(super) fn bundle_title(&self) -> String {
        format!("{} {}", self.bundle.name, self.bundle.version)
    }

    /// Runtime, device and arithmetic, for people.
    pub(super) fn device_title(&self) -> String {
        let RunSource {
            backend,
            backend_version,
            device,
            arithmetic,
            ..
        } = self;
        format!("{device}, {arithmetic} ({backend} {backend_version})")
    }

    /// The settings as `name=value`, those that are not set left out.
    pub(super) fn settings_title(&self) -> String {
        let settings = &self.settings;
        let mut words = vec![
            format!("route={}", settings.route),
            format!("tta={}", settings.tta),
            format!("blend={}", settings.blend),
            format!("split={}", settings.split),
            format!("tissue={}", settings.tissue),
            format!("precision={}", settings.precision),
            format!("batch={}", settings.batch),
        ];
        words.extend(settings.overlap.map(|px| format!("overlap={px}")));
        words.extend(settings.mpp.map(|mpp| format!("mpp={mpp}")));
        words.join(", ")
    }
}
