//! Says which option helps against an error: the library says what is wrong, and knows of no options.

use ftuseg::pipeline::PipelineError;

/// An error of an engine that could not be made, with what to type.
pub(super) fn with_advice(error: PipelineError) -> anyhow::Error {
    let advice = match &error {
        PipelineError::NoRouter => "choose --route given, organ=NAME, baseline or unet",
        PipelineError::NoModel(_) => "choose another --route or another --bundle",
        PipelineError::OneScale(_) => "choose another --tta than scales",
        PipelineError::Overlap { .. } => "choose a smaller --overlap",
        _ => return error.into(),
    };
    anyhow::anyhow!("{error}; {advice}")
}

/// Why a slide failed, with what to type. `kind` is the one that `run.json` states.
pub(super) fn reason(reason: Option<&str>, kind: Option<&str>) -> String {
    let reason = reason.unwrap_or("no reason known");
    let advice = match kind {
        Some("no-resolution") => "; give it with --mpp X or as a column mpp of a table",
        _ => "",
    };
    format!("{reason}{advice}")
}
