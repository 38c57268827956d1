//! Says which option helps against an error: the library says what is wrong, and knows of no options.

use ftuseg::backend::{BackendError, DeviceChoice};
use ftuseg::batch::{BatchError, SlideStatus};
use ftuseg::bundle::BundleError;
use ftuseg::pipeline::PipelineError;
use ftuseg::slide::SlideError;
use ftuseg::slide::warning::{Warning, WarningKind};
use ftuseg_evaluate::{ClassError, EvaluateError, ImageProblem};
use ftuseg_export::ExportError;
use ftuseg_provision::{LibraryError, PlaceKind, Remedy};
use ftuseg_records::{About, Help};

use super::console;

/// An error with its causes and with what to type, where something helps.
pub(super) fn full(error: &anyhow::Error) -> String {
    let advice = error.chain().find_map(|cause| {
        let of = |cause: &(dyn std::error::Error + 'static)| {
            None.or_else(|| cause.downcast_ref().map(of_pipeline))
                .or_else(|| cause.downcast_ref().map(of_backend))
                .or_else(|| cause.downcast_ref().map(of_library))
                .or_else(|| cause.downcast_ref().map(of_bundle))
                .or_else(|| cause.downcast_ref().map(of_batch))
                .or_else(|| cause.downcast_ref().map(of_slide_error))
                .or_else(|| cause.downcast_ref().map(of_evaluate))
                .or_else(|| cause.downcast_ref().map(of_export))
        };
        of(cause)?
    });
    with(console::chain(error), advice)
}

/// An error of the engine about one slide, with what to type.
pub(super) fn of_slide(error: &PipelineError) -> String {
    with(error.to_string(), of_pipeline(error))
}

/// An error about a library, with what to type.
pub(super) fn library(error: &LibraryError) -> String {
    with(error.to_string(), of_library(error))
}

/// Why a slide failed or waits, with what to type.
pub(super) fn reason(slide: &SlideStatus) -> String {
    let reason = slide.reason.as_deref().unwrap_or("no reason known");
    with(reason.to_owned(), slide.help.and_then(of_help))
}

/// Why a slide could not be exported, with what to type.
pub(super) fn export(error: &ExportError) -> String {
    with(error.to_string(), of_export(error))
}

/// Why an image could not be scored, with what to type.
pub(super) fn problem(problem: &ImageProblem) -> String {
    let advice = problem.needs_classes.then(|| NAME_CLASSES.to_owned());
    with(problem.reason.clone(), advice)
}

/// A warning, with what to type.
pub(super) fn warning(warning: &Warning) -> String {
    let advice = match warning.kind {
        WarningKind::NoTissue => " (--tissue off takes all of it as tissue)",
        WarningKind::OtherTissue => " (--route organ=NAME takes all tissue for that organ)",
        _ => "",
    };
    format!("{}{advice}", warning.text)
}

/// What to type where a device was chosen for the user that they may not want, or one was passed over.
pub(super) fn of_start(about: &About, device: DeviceChoice) -> Option<&'static str> {
    let is_plain = about.backend == "onnxruntime" && about.device == "cpu";
    match (device, &about.warning) {
        (DeviceChoice::Auto, _) if about.device == "openvino" => {
            Some("--device cpu runs without OpenVINO")
        }
        (DeviceChoice::Auto, Some(_)) if is_plain => Some(
            "`ftuseg doctor --install openvino` tries OpenVINO again; --device cpu runs without it",
        ),
        (_, Some(_)) if about.backend == "rten" => Some(
            "`ftuseg doctor` shows where ONNX Runtime was looked for, and --runtime PATH names it",
        ),
        _ => None,
    }
}

const NAME_BUNDLE: &str = "name a bundle's folder with --bundle DIR, or install one with `ftuseg models install FOLDER|ARCHIVE` (the project's own is the folder models/bundle of its repository)";
const NAME_CLASSES: &str = "name those that count with --class NAME";

fn with(text: String, advice: Option<String>) -> String {
    match advice {
        // A text of several lines ends with a list or with commands.
        Some(advice) if text.contains('\n') => format!("{text}\n{advice}"),
        Some(advice) => format!("{}; {advice}", text.trim_end_matches('.')),
        None => text,
    }
}

fn of_help(help: Help) -> Option<String> {
    let advice = match help {
        Help::Resolution => "give it with --mpp X or in a table's column mpp",
        Help::StripLimit => "--max-strip MIB raises the limit",
        Help::OpenSlide => {
            "`ftuseg doctor` shows where OpenSlide was looked for, and --openslide PATH names it"
        }
        Help::Time => "--slide-timeout SECONDS sets the limit",
        _ => return None,
    };
    Some(advice.to_owned())
}

fn of_slide_error(error: &SlideError) -> Option<String> {
    Help::for_slide(error).and_then(of_help)
}

fn of_pipeline(error: &PipelineError) -> Option<String> {
    let advice = match error {
        PipelineError::NoRouter => "choose --route given, organ=NAME, baseline or unet",
        PipelineError::NoModel(_) => "choose another --route or another --bundle",
        PipelineError::OneScale(_) => "choose another --tta than scales",
        PipelineError::Overlap { .. } => "choose a smaller --overlap",
        PipelineError::Backend(error) => return of_backend(error),
        PipelineError::Bundle(error) => return of_bundle(error),
        error => return error.help().and_then(of_help),
    };
    Some(advice.to_owned())
}

fn of_bundle(error: &BundleError) -> Option<String> {
    match error {
        BundleError::Missing { .. }
        | BundleError::NotFound { .. }
        | BundleError::NotInstalled { .. } => Some(NAME_BUNDLE.to_owned()),
        BundleError::Several { .. } => Some("name one with --bundle NAME".to_owned()),
        _ => None,
    }
}

fn of_backend(error: &BackendError) -> Option<String> {
    Some(match error {
        BackendError::Runtime(error) => return of_library(error),
        BackendError::OnlyCpu { device } => {
            format!("leave --backend out for --device {device}")
        }
        BackendError::Precision { instead, .. } => format!("use --precision {instead}"),
        BackendError::NoFp16 { .. } => {
            "export it again with ftuseg-models, or use --precision fp32".to_owned()
        }
        BackendError::Device { device, .. } => {
            format!("`ftuseg doctor --device {device}` shows more; --device cpu works everywhere")
        }
        _ => return None,
    })
}

/// The option that names a library.
fn option_of(product: &str) -> &'static str {
    match product {
        "OpenSlide" => "--openslide",
        _ => "--runtime",
    }
}

fn of_library(error: &LibraryError) -> Option<String> {
    let product = match error {
        LibraryError::Unusable { product, .. } | LibraryError::NotFound { product, .. } => product,
        LibraryError::NoWheel { product, .. } => {
            return Some(format!("and name it with {} PATH", option_of(product)));
        }
        _ => "",
    };
    let accelerator = match error.remedy() {
        Some(Remedy::Accelerator {
            name, megabytes, ..
        }) => Some(format!(
            "or type: ftuseg doctor --install {name} (about {megabytes} MB)"
        )),
        _ => None,
    };
    let own = match error {
        LibraryError::Unusable { given_by, .. } => Some(match given_by {
            PlaceKind::Variable(name) => format!("fix it, or unset {name}"),
            _ => format!("fix it, or leave {} out", option_of(product)),
        }),
        LibraryError::NotFound { reason, .. } if reason.remedy().is_none() => {
            return of_library(reason);
        }
        error => match error.remedy() {
            Some(Remedy::Wheel(by_hand)) => Some(format!(
                "name the library with {} {}/{}",
                option_of(product),
                by_hand.folder,
                by_hand.library
            )),
            _ => None,
        },
    };
    match (own, accelerator) {
        (Some(own), Some(more)) => Some(format!("{own}; {more}")),
        (own, more) => own.or(more),
    }
}

fn of_batch(error: &BatchError) -> Option<String> {
    let advice = match error {
        BatchError::ImagesNotNeeded { .. } => "leave --images out",
        BatchError::NoPaths { .. } => "name it with --images DIR",
        BatchError::Locked { .. } => "wait for it (--wait), or choose another --out",
        BatchError::NoLocks { .. } => "if no other program writes into it, use --no-lock",
        BatchError::NotAFolder { .. } => "remove it, or choose another --out",
        BatchError::HoldsResults { .. } => "choose another --out for the joined report",
        BatchError::OtherSettings { .. } => {
            "choose another --out, or --redo-changed to do such slides again, or --overwrite to do all slides again"
        }
        BatchError::OthersDiffer { .. } => {
            "choose another --out, or name those inputs as well, or --redo-changed to leave them where they are and out of submission.csv"
        }
        BatchError::Report(error) => return of_batch(error),
        _ => return None,
    };
    Some(advice.to_owned())
}

fn of_evaluate(error: &EvaluateError) -> Option<String> {
    match error {
        EvaluateError::Classes {
            reason: ClassError::Unknown { .. },
            ..
        } => Some(NAME_CLASSES.to_owned()),
        EvaluateError::Image(error) => of_slide_error(error),
        _ => None,
    }
}

fn of_export(error: &ExportError) -> Option<String> {
    match error {
        ExportError::MissingOutput { output, .. } => Some(format!(
            "the same `ftuseg segment` with --write {output} adds it without the models"
        )),
        ExportError::Simplified { .. } => Some(
            "the same `ftuseg segment` without --simplify writes exact ones without the models"
                .to_owned(),
        ),
        ExportError::Exists { .. } => Some("--overwrite replaces it".to_owned()),
        ExportError::TooManyPixels { .. } => Some("--segmentation polygons counts none".to_owned()),
        ExportError::NoResolution { .. } => {
            Some("segment it again and give the size with --mpp".to_owned())
        }
        _ => None,
    }
}
