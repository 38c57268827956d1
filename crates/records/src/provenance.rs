//! Who made a result, and with which settings: what a rerun compares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Who made a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// The bundle.
    pub bundle: BundleRecord,
    /// The runtime and its device.
    pub runtime: About,
    /// The settings, as they were understood.
    pub settings: Settings,
}

/// A bundle, as records name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleRecord {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence.
    pub licence: String,
    /// sha256 over its `bundle.toml`, which holds those of its files.
    pub sha256: String,
}

/// The floats that networks are computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FloatFormat {
    /// 32 bits.
    Fp32,
    /// 16-bit brain floats.
    Bf16,
    /// 16 bits, for the networks whose files can.
    Fp16,
}

impl FloatFormat {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            FloatFormat::Fp32 => "fp32",
            FloatFormat::Bf16 => "bf16",
            FloatFormat::Fp16 => "fp16",
        }
    }
}

impl std::fmt::Display for FloatFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Who runs the networks, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct About {
    /// `onnxruntime` or `rten`.
    pub backend: String,
    /// Version of the runtime.
    pub version: String,
    /// Where the runtime's library lies, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// sha256 of the runtime's library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The device: `cpu`, `openvino`, `cuda:0`, `cuda:all`.
    pub device: String,
    /// What is computed in.
    pub arithmetic: FloatFormat,
    /// How it is known that the device is used.
    pub proof: String,
    /// Threads that one run of a network may use.
    pub threads: usize,
    /// What the user should know, such as a slower backend than asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

impl About {
    /// A backend on the processor that computes in fp32 with one thread: fill in what is otherwise.
    pub fn new(backend: impl Into<String>, version: impl Into<String>) -> Self {
        About {
            backend: backend.into(),
            version: version.into(),
            library: None,
            sha256: None,
            device: "cpu".to_owned(),
            arithmetic: FloatFormat::Fp32,
            proof: "it is the processor".to_owned(),
            threads: 1,
            warning: None,
        }
    }
}

/// The settings of a run that can change a result or a file, by the names that the command has for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// `tile`, `slide`, `given`, `baseline`, `unet`, `organ=NAME`.
    pub route: String,
    /// `auto`, `off`.
    pub tissue: String,
    /// px that neighbouring tiles share, instead of the bundle's.
    pub overlap: Option<u32>,
    /// `crop`, `gaussian`.
    pub blend: String,
    /// `none`, `flips`, `d4`, `scales`.
    pub tta: String,
    /// `none`, `touching`.
    #[serde(default = "not_split")]
    pub split: String,
    /// `auto`, `fp32`, `bf16`, `fp16`, `int8`.
    pub precision: String,
    /// Tiles that a network is given at once.
    pub batch: usize,
    /// um/px for all slides, over what they say themselves.
    pub mpp: Option<f64>,
    /// What objects are to QuPath: `detection`, `annotation`.
    #[serde(default)]
    pub objects_as: String,
    /// How far the outlines in GeoJSON may be from the exact ones, um; `None`: exact ones.
    #[serde(default)]
    pub simplify_um: Option<f64>,
    /// What is written, by its name: whether it is.
    pub write: BTreeMap<String, bool>,
}

/// What records say that are older than the setting.
fn not_split() -> String {
    "none".to_owned()
}

/// Something in which two runs differ and that can change a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingDifference {
    /// What differs, for people: `bundle`, `overlap`.
    pub what: String,
    /// What it was.
    pub old: String,
    /// What it is now.
    pub new: String,
}

impl SettingDifference {
    fn of(what: &str, old: &str, new: &str) -> Option<Self> {
        (old != new).then(|| SettingDifference {
            what: what.to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
        })
    }

    /// Several of them, as `overlap: 48 -> 64; tta: none -> flips`.
    pub fn list(all: &[SettingDifference]) -> String {
        let texts: Vec<String> = all.iter().map(SettingDifference::to_string).collect();
        texts.join("; ")
    }
}

impl std::fmt::Display for SettingDifference {
    /// `overlap: 48 -> 64`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} -> {}", self.what, self.old, self.new)
    }
}

impl Provenance {
    /// Everything in which a new run differs from this one and that can change what a model finds; threads, paths and
    /// proofs do not, and neither does what is written of it.
    pub fn differences(&self, new: &Provenance) -> Vec<SettingDifference> {
        let bundle = |bundle: &BundleRecord| {
            let sum = bundle.sha256.get(..8).unwrap_or(&bundle.sha256);
            format!("{} {} ({sum})", bundle.name, bundle.version)
        };
        let (a, b) = (&self.runtime, &new.runtime);
        let own = [
            SettingDifference::of("program version", &self.version, &new.version),
            match self.bundle.sha256 == new.bundle.sha256 {
                true => None,
                false => {
                    SettingDifference::of("bundle", &bundle(&self.bundle), &bundle(&new.bundle))
                }
            },
            SettingDifference::of("runtime", &a.backend, &b.backend),
            SettingDifference::of("runtime version", &a.version, &b.version),
            // OpenVINO and bf16 round otherwise, so a px at the threshold can fall to the other side.
            SettingDifference::of("device", &a.device, &b.device),
            SettingDifference::of("arithmetic", a.arithmetic.name(), b.arithmetic.name()),
        ];
        let settings = self.settings.differences(&new.settings);
        own.into_iter().flatten().chain(settings).collect()
    }
}

impl Settings {
    /// Whether something is written.
    pub fn writes(&self, output: &str) -> bool {
        self.write.get(output).copied().unwrap_or(false)
    }

    /// The names of what is written.
    fn written(&self) -> Vec<&str> {
        let written = self.write.iter().filter(|(_, is)| **is);
        written.map(|(name, _)| name.as_str()).collect()
    }

    /// The settings that are other ones now, without what is written.
    pub fn differences(&self, new: &Settings) -> Vec<SettingDifference> {
        let given = |value: Option<String>| value.unwrap_or_else(|| "not given".to_owned());
        let all = |settings: &Settings| {
            [
                ("route", settings.route.clone()),
                ("tissue", settings.tissue.clone()),
                ("overlap", given(settings.overlap.map(|px| px.to_string()))),
                ("blend", settings.blend.clone()),
                ("tta", settings.tta.clone()),
                ("split", settings.split.clone()),
                ("precision", settings.precision.clone()),
                ("batch", settings.batch.to_string()),
                ("mpp", given(settings.mpp.map(|mpp| mpp.to_string()))),
            ]
        };
        let pairs = all(self).into_iter().zip(all(new));
        pairs
            .filter_map(|((name, old), (_, new))| SettingDifference::of(name, &old, &new))
            .collect()
    }

    /// Where other outputs are written now: which were, and which are.
    pub fn written_difference(&self, new: &Settings) -> Option<SettingDifference> {
        SettingDifference::of("write", &self.written().join(","), &new.written().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance() -> Provenance {
        Provenance {
            version: "1".to_owned(),
            bundle: BundleRecord {
                name: "b".to_owned(),
                version: "2".to_owned(),
                licence: "none".to_owned(),
                sha256: "0123456789".to_owned(),
            },
            runtime: About::new("rten", "0.27"),
            settings: Settings {
                route: "tile".to_owned(),
                tissue: "auto".to_owned(),
                overlap: None,
                blend: "crop".to_owned(),
                tta: "none".to_owned(),
                split: "none".to_owned(),
                precision: "auto".to_owned(),
                batch: 1,
                mpp: None,
                objects_as: "detection".to_owned(),
                simplify_um: None,
                write: [("rle", true), ("mask", true), ("prob", false)]
                    .map(|(name, is)| (name.to_owned(), is))
                    .into(),
            },
        }
    }

    #[test]
    fn differences_name_what_was_and_what_is() {
        let old = provenance();
        let says = |change: fn(&mut Provenance)| {
            let mut new = provenance();
            change(&mut new);
            SettingDifference::list(&old.differences(&new))
        };
        for (change, text) in [
            ((|_| {}) as fn(&mut Provenance), ""),
            (|new| new.runtime.threads = 9, ""),
            (|new| new.runtime.proof = "x".to_owned(), ""),
            (
                |new| new.settings.overlap = Some(64),
                "overlap: not given -> 64",
            ),
            (
                |new| {
                    new.settings.tta = "flips".to_owned();
                    new.settings.blend = "gaussian".to_owned();
                    new.runtime.version = "0.28".to_owned();
                },
                "runtime version: 0.27 -> 0.28; blend: crop -> gaussian; tta: none -> flips",
            ),
            (
                |new| new.runtime.arithmetic = FloatFormat::Bf16,
                "arithmetic: fp32 -> bf16",
            ),
            (
                |new| new.bundle.sha256 = "abcdefghij".to_owned(),
                "bundle: b 2 (01234567) -> b 2 (abcdefgh)",
            ),
            // What is written changes no result.
            (
                |new| *new.settings.write.get_mut("prob").unwrap() = true,
                "",
            ),
        ] {
            assert_eq!(says(change), text);
        }
        let mut new = provenance();
        assert_eq!(old.settings.written_difference(&new.settings), None);
        *new.settings.write.get_mut("prob").unwrap() = true;
        let found = old.settings.written_difference(&new.settings).unwrap();
        assert_eq!(found.to_string(), "write: mask,rle -> mask,prob,rle");
    }
}
