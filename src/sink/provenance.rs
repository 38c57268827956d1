//! Says who makes results, for the records.

use ftuseg_records::{BundleRecord, Provenance, Settings};

use super::{Output, Outputs, SinkOptions};
use crate::pipeline::{Blend, Engine};
use crate::slide::{Resolution, TissueMode};

/// Who makes results, and with which settings. Threads are left out: they do not change a result. `resolution` is what
/// holds instead of what slides state.
pub fn provenance(
    engine: &Engine,
    resolution: Option<Resolution>,
    sinks: SinkOptions,
    outputs: Outputs,
) -> Provenance {
    let bundle = engine.bundle();
    let options = engine.options();
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        bundle: BundleRecord {
            name: bundle.name.clone(),
            version: bundle.version.clone(),
            licence: bundle.licence.clone(),
            sha256: bundle.sha256.clone(),
        },
        runtime: engine.backend().about().clone(),
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
            mpp: resolution.map(|resolution| resolution.mpp),
            objects_as: sinks.objects_as.name().to_owned(),
            simplify_um: sinks.simplify_um,
            write: Output::ALL
                .map(|output| (output.name().to_owned(), outputs.contains(output)))
                .into(),
        },
    }
}
