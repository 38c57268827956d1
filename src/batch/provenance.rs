//! Says who makes the results of a batch, for the records.

use ftuseg_records::{BundleRecord, Provenance, Settings};

use super::{Batch, Output};
use crate::pipeline::Blend;
use crate::slide::TissueMode;

impl Batch<'_> {
    /// Who makes the results, and with which settings. Threads are left out: they do not change a result.
    pub fn provenance(&self) -> Provenance {
        let bundle = self.engine.bundle();
        let options = self.engine.options();
        Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            bundle: BundleRecord {
                name: bundle.name.clone(),
                version: bundle.version.clone(),
                licence: bundle.licence.clone(),
                sha256: bundle.sha256.clone(),
            },
            runtime: self.engine.backend().about().clone(),
            settings: Settings {
                route: options.route.to_string(),
                tissue: match options.tissue {
                    TissueMode::Auto => "auto".to_owned(),
                    TissueMode::Off => "off".to_owned(),
                },
                overlap: options.overlap,
                blend: match options.blend {
                    Blend::Crop => "crop".to_owned(),
                    Blend::Gaussian => "gaussian".to_owned(),
                },
                tta: options.tta.name().to_owned(),
                split: options.split.name().to_owned(),
                precision: options.precision.name().to_owned(),
                batch: options.batch,
                mpp: self.resolution.map(|resolution| resolution.mpp),
                objects_as: self.sink_options.objects_as.name().to_owned(),
                simplify_um: self.sink_options.simplify_um,
                write: Output::ALL
                    .map(|output| (output.name().to_owned(), self.outputs.contains(output)))
                    .into(),
            },
        }
    }
}
