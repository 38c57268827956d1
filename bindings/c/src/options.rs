//! What an engine is to be, as names and values: a new option is no change of the interface.

use std::ffi::c_char;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use ftuseg::backend::{BackendChoice, DeviceChoice};
use ftuseg::bundle::{Bundle, default_bundle, named_bundle};
use ftuseg::pipeline::{Blend, EngineBuilder, Precision, Split, Tta};
use ftuseg::slide::TissueMode;
use ftuseg::{Engine, Route};

use super::error::{Failure, ftuseg_status};
use super::guard::{guard, guard_or};
use super::handles;
use super::strings::{path_of, text_of};

/// The most threads that can be asked for.
const MAX_THREADS: usize = 1024;
/// The most tiles that a network can be given at once.
const MAX_BATCH: usize = 256;

/// What an engine is to be. Not to be changed by one thread while another uses it.
#[derive(Clone, Default)]
pub struct ftuseg_options(Options);

/// What the caller has set; the engine decides the rest as the command does.
#[derive(Clone, Default)]
struct Options {
    bundle: Option<PathBuf>,
    route: Option<Route>,
    tissue: Option<TissueMode>,
    overlap: Option<u32>,
    blend: Option<Blend>,
    tta: Option<Tta>,
    split: Option<Split>,
    precision: Option<Precision>,
    backend: Option<BackendChoice>,
    device: Option<DeviceChoice>,
    runtime: Option<PathBuf>,
    offline: Option<bool>,
    threads: Option<usize>,
    batch: Option<usize>,
    max_models: Option<NonZeroUsize>,
    queue_bytes: Option<u64>,
}

impl Options {
    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), Failure> {
        let said = |error: String| refused(name, value, &error);
        match name {
            "route" => self.route = value.map(str::parse).transpose().map_err(said)?,
            "device" => self.device = value.map(str::parse).transpose().map_err(said)?,
            "tissue" => self.tissue = value.map(str::parse).transpose().map_err(said)?,
            "blend" => self.blend = value.map(str::parse).transpose().map_err(said)?,
            "tta" => self.tta = value.map(str::parse).transpose().map_err(said)?,
            "split" => self.split = value.map(str::parse).transpose().map_err(said)?,
            "precision" => self.precision = value.map(str::parse).transpose().map_err(said)?,
            "backend" => self.backend = value.map(str::parse).transpose().map_err(said)?,
            "offline" => {
                let words = [("yes", true), ("true", true), ("1", true)];
                let other = [("no", false), ("false", false), ("0", false)];
                self.offline = word(name, value, &[words, other].concat())?;
            }
            "threads" => self.threads = number(name, value, 1, MAX_THREADS as u64)?,
            "batch" => self.batch = number(name, value, 1, MAX_BATCH as u64)?,
            "overlap" => self.overlap = number(name, value, 0, u64::from(u32::MAX))?,
            "queue-bytes" => self.queue_bytes = number(name, value, 1, u64::MAX)?,
            "max-models" => {
                let most: Option<usize> = number(name, value, 1, u64::from(u32::MAX))?;
                self.max_models = most.and_then(NonZeroUsize::new);
            }
            _ => {
                return Err(Failure::usage(format!(
                    "there is no option {name:?}; there are bundle, route, tissue, overlap, blend, tta, split, precision, \
                     backend, device, runtime, offline, threads, batch, max-models and queue-bytes"
                )));
            }
        }
        Ok(())
    }
}

fn refused(name: &str, value: Option<&str>, why: &str) -> Failure {
    let value = value.unwrap_or_default();
    Failure::usage(format!("the option {name} cannot be {value:?}: {why}"))
}

/// The meaning of a word, of the words that there are.
fn word<T: Copy>(
    name: &str,
    value: Option<&str>,
    words: &[(&str, T)],
) -> Result<Option<T>, Failure> {
    let Some(text) = value else { return Ok(None) };
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|&(_, meaning)| Some(meaning)).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|&(word, _)| word).collect();
        refused(name, value, &format!("expected {}", all.join(", ")))
    })
}

/// A whole number from `least` to `most`.
fn number<T: TryFrom<u64>>(
    name: &str,
    value: Option<&str>,
    least: u64,
    most: u64,
) -> Result<Option<T>, Failure> {
    let Some(text) = value else { return Ok(None) };
    let number = text.parse::<u64>().ok();
    let within = number.filter(|number| (least..=most).contains(number));
    let found = within.and_then(|number| T::try_from(number).ok());
    found.map(Some).ok_or_else(|| {
        let why = format!("expected a whole number from {least} to {most}");
        refused(name, value, &why)
    })
}

impl ftuseg_options {
    /// Begins an engine with what was set.
    pub(crate) fn builder<'a>(&self) -> Result<EngineBuilder<'a>, Failure> {
        let options = self.0.clone();
        let folder = match &options.bundle {
            Some(named) => named_bundle(Path::new(named))?,
            None => default_bundle()?,
        };
        let mut builder = Engine::builder(Bundle::load(&folder)?)
            .overlap(options.overlap)
            .batch(options.batch)
            .max_models(options.max_models)
            .queue_bytes(options.queue_bytes)
            .library(options.runtime)
            .offline(options.offline.unwrap_or(false))
            .device(options.device.unwrap_or_default())
            .runtime(options.backend.unwrap_or_default());
        if let Some(route) = options.route {
            builder = builder.route(route);
        }
        if let Some(tissue) = options.tissue {
            builder = builder.tissue(tissue);
        }
        if let Some(blend) = options.blend {
            builder = builder.blend(blend);
        }
        if let Some(tta) = options.tta {
            builder = builder.tta(tta);
        }
        if let Some(split) = options.split {
            builder = builder.split(split);
        }
        if let Some(precision) = options.precision {
            builder = builder.precision(precision);
        }
        if let Some(threads) = options.threads {
            builder = builder.threads(threads);
        }
        Ok(builder)
    }
}

/// Makes options in which nothing is set, so that all is as the command does it. Free them with `ftuseg_options_free`;
/// engines that were made with them do not need them any more.
///
/// # Safety
/// `options` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_options_new(options: *mut *mut ftuseg_options) -> ftuseg_status {
    // SAFETY: as the caller promises.
    guard(|| unsafe { handles::give(ftuseg_options::default(), options) })
}

/// Sets an option. A value of NULL sets it back. Whether options fit each other and the bundle, `ftuseg_engine_new` says.
///
/// | name | value |
/// |---|---|
/// | bundle | the bundle: its folder, or the name of an installed one; NULL: where the command looks |
/// | route | tile, slide, given, baseline, unet, or organ=NAME |
/// | tissue | auto, or off: all of the slide is tissue |
/// | overlap | px that neighbouring tiles share, at the model's um/px |
/// | blend | gaussian or crop: how overlapping tiles are joined |
/// | tta | none, flips, d4 or scales: the ways in which each tile is shown to its network |
/// | split | none, or touching: objects that touch are cut at their necks |
/// | precision | auto, fp32, bf16, fp16 or int8 |
/// | backend | auto, onnxruntime or rten |
/// | device | auto, cpu, openvino, cuda, cuda:N or cuda:all; one that is named is used, or it is an error |
/// | runtime | the shared library of ONNX Runtime, or the folder it is in |
/// | offline | yes or no: fetch nothing over the network |
/// | threads | 1 to 1024, for reading and for the networks; all cores if it is not set |
/// | batch | tiles that a network is given at once, 1 to 256 |
/// | max-models | the most networks in memory at once |
/// | queue-bytes | the most that tiles waiting between the stages may take, bytes |
///
/// # Errors
/// `FTUSEG_STATUS_USAGE` for a name or a value that there is not; then nothing is changed.
///
/// # Safety
/// `options` is NULL or not freed; `name` and `value` are NULL or end with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_options_set(
    options: *mut ftuseg_options,
    name: *const c_char,
    value: *const c_char,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let options = unsafe { options.as_mut() };
        let options = options.ok_or_else(|| Failure::usage("the options are NULL"))?;
        // SAFETY: as the caller promises.
        let name = unsafe { text_of(name, "the option's name") }?;
        match name.ok_or_else(|| Failure::usage("the option's name is NULL"))? {
            // Paths are the system's bytes.
            // SAFETY: as the caller promises.
            "bundle" => options.0.bundle = unsafe { path_of(value, "the bundle") }?,
            // SAFETY: as the caller promises.
            "runtime" => options.0.runtime = unsafe { path_of(value, "the runtime") }?,
            name => {
                // SAFETY: as the caller promises.
                let value = unsafe { text_of(value, "the option's value") }?;
                options.0.set(name, value)?;
            }
        }
        Ok(())
    })
}

/// Frees options. NULL is nothing to free.
///
/// # Safety
/// `options` is NULL, or not freed and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_options_free(options: *mut ftuseg_options) {
    // SAFETY: as the caller promises.
    guard_or((), || unsafe { handles::free(options) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_and_taken_back() {
        let mut options = Options::default();
        for (name, value) in [
            ("route", "organ=large intestine"),
            ("tissue", "off"),
            ("overlap", "0"),
            ("blend", "crop"),
            ("tta", "d4"),
            ("split", "touching"),
            ("precision", "fp32"),
            ("backend", "rten"),
            ("device", "cuda:1"),
            ("offline", "yes"),
            ("threads", "1024"),
            ("batch", "256"),
            ("max-models", "1"),
            ("queue-bytes", "1"),
        ] {
            options.set(name, Some(value)).unwrap();
            // What cannot be is refused, and leaves what is there.
            let refused = options.set(name, Some("nonsense")).unwrap_err();
            assert!(refused.message.contains(name), "{}", refused.message);
        }
        assert_eq!(options.overlap, Some(0));
        assert_eq!(options.threads, Some(1024));
        assert_eq!(options.offline, Some(true));
        options.set("threads", None).unwrap();
        assert_eq!(options.threads, None);
        for (name, value) in [
            ("threads", "0"),
            ("threads", "1025"),
            ("batch", "-1"),
            ("Threads", "1"),
        ] {
            assert!(options.set(name, Some(value)).is_err(), "{name}={value}");
        }
    }
}
