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
    /// `auto`, `fp32`, `bf16`, `fp16`, `int8`.
    pub precision: String,
    /// Tiles that a network is given at once.
    pub batch: usize,
    /// um/px for all slides, over what they say themselves.
    pub mpp: Option<f64>,
    /// What is written, by its name: whether it is.
    pub write: BTreeMap<String, bool>,
}

/// Something in which two runs differ and that can change a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingDifference {
    /// What differs, for people: `the bundle`, `the setting overlap`.
    pub what: String,
    /// What it was.
    pub old: String,
    /// What it is now.
    pub new: String,
}

impl std::fmt::Display for SettingDifference {
    /// `the setting overlap (was 48, now 64)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (was {}, now {})", self.what, self.old, self.new)
    }
}

impl Provenance {
    /// The first thing in which a new run differs from this one and that can change a result; threads, paths and proofs
    /// do not.
    pub fn difference(&self, new: &Provenance) -> Option<SettingDifference> {
        let (old, ours) = (self, new);
        let text = |what: &str, old: &str, new: &str| {
            (old != new).then(|| SettingDifference {
                what: what.to_owned(),
                old: old.to_owned(),
                new: new.to_owned(),
            })
        };
        let bundle = |bundle: &BundleRecord| {
            let sum = bundle.sha256.get(..8).unwrap_or(&bundle.sha256);
            format!("{} {}, {sum}", bundle.name, bundle.version)
        };
        let of_bundle = || {
            (old.bundle.sha256 != ours.bundle.sha256).then(|| SettingDifference {
                what: "the bundle".to_owned(),
                old: bundle(&old.bundle),
                new: bundle(&ours.bundle),
            })
        };
        let (a, b) = (&old.runtime, &ours.runtime);
        text("the program's version", &old.version, &ours.version)
            .or_else(of_bundle)
            .or_else(|| text("the runtime", &a.backend, &b.backend))
            .or_else(|| text("the runtime's version", &a.version, &b.version))
            // OpenVINO and bf16 round otherwise, so a px at the threshold can fall to the other side.
            .or_else(|| text("the device", &a.device, &b.device))
            .or_else(|| {
                let (old, new) = (a.arithmetic.name(), b.arithmetic.name());
                text("the arithmetic", old, new)
            })
            .or_else(|| old.settings.difference(&ours.settings))
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

    /// The first setting that is another one now.
    pub fn difference(&self, new: &Settings) -> Option<SettingDifference> {
        let given = |value: Option<String>| value.unwrap_or_else(|| "not given".to_owned());
        let all = |settings: &Settings| {
            [
                ("route", settings.route.clone()),
                ("tissue", settings.tissue.clone()),
                ("overlap", given(settings.overlap.map(|px| px.to_string()))),
                ("blend", settings.blend.clone()),
                ("tta", settings.tta.clone()),
                ("precision", settings.precision.clone()),
                ("batch", settings.batch.to_string()),
                ("mpp", given(settings.mpp.map(|mpp| mpp.to_string()))),
                ("write", settings.written().join(",")),
            ]
        };
        let pairs = all(self).into_iter().zip(all(new));
        let mut differing = pairs.filter(|((_, old), (_, new))| old != new);
        differing
            .next()
            .map(|((name, old), (_, new))| SettingDifference {
                what: format!("the setting {name}"),
                old,
                new,
            })
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
                precision: "auto".to_owned(),
                batch: 1,
                mpp: None,
                write: [("rle", true), ("mask", true), ("prob", false)]
                    .map(|(name, is)| (name.to_owned(), is))
                    .into(),
            },
        }
    }

    #[test]
    fn a_difference_names_what_it_was_and_what_it_is() {
        let old = provenance();
        let says = |change: fn(&mut Provenance)| {
            let mut new = provenance();
            change(&mut new);
            old.difference(&new).map(|found| found.to_string())
        };
        assert_eq!(says(|_| {}), None);
        assert_eq!(says(|new| new.runtime.threads = 9), None);
        assert_eq!(says(|new| new.runtime.proof = "x".to_owned()), None);
        for (change, text) in [
            (
                (|new| new.settings.overlap = Some(64)) as fn(&mut Provenance),
                "the setting overlap (was not given, now 64)",
            ),
            (
                |new| *new.settings.write.get_mut("prob").unwrap() = true,
                "the setting write (was mask,rle, now mask,prob,rle)",
            ),
            (
                |new| new.runtime.version = "0.28".to_owned(),
                "the runtime's version (was 0.27, now 0.28)",
            ),
            (
                |new| new.runtime.arithmetic = FloatFormat::Bf16,
                "the arithmetic (was fp32, now bf16)",
            ),
            (
                |new| new.bundle.sha256 = "abcdefghij".to_owned(),
                "the bundle (was b 2, 01234567, now b 2, abcdefgh)",
            ),
        ] {
            assert_eq!(says(change).as_deref(), Some(text));
        }
    }
}
