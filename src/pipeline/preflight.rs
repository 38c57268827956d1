//! Checks before the first slide what can be checked then, so that it does not show in the middle of a night.

use crate::bundle::{Bundle, ModelScale, ModelSpec};

use super::{EngineOptions, PipelineError, Precision, Route, Tta};

/// Checks that the bundle has what the settings ask for.
///
/// # Errors
/// When it lacks a router or a model, or a setting does not go with a model.
pub(super) fn check_settings(
    bundle: &Bundle,
    options: &EngineOptions,
) -> Result<(), PipelineError> {
    match options.route {
        Route::Tile | Route::Slide if bundle.router.is_none() => {
            return Err(PipelineError::NoRouter);
        }
        Route::Fixed(target) if bundle.models_for(target).is_empty() => {
            return Err(PipelineError::NoModel(target));
        }
        _ => {}
    }
    let needed = |model: &&ModelSpec| is_needed(bundle, options.route, model);
    let mut whole = bundle
        .models
        .iter()
        .filter(|model| model.fit == ModelScale::Whole);
    if options.tta == Tta::Scales
        && let Some(model) = whole.find(needed)
    {
        return Err(PipelineError::OneScale(model.name.clone()));
    }
    if let Some(overlap) = options.overlap
        && let Some(model) = bundle.models.iter().find(|model| overlap > model.tile / 2)
    {
        return Err(PipelineError::Overlap {
            overlap,
            model: model.name.clone(),
            tile: model.tile,
        });
    }
    Ok(())
}

/// Checks the sha256 of every file that the settings can need. Each is checked once more when it is loaded. `say` gets a
/// line for each model that has no file of the precision that was asked for.
///
/// # Errors
/// When a file cannot be read or is not the one that the bundle names.
pub(super) fn check_sums(
    bundle: &Bundle,
    options: &EngineOptions,
    say: &mut dyn FnMut(&str),
) -> Result<(), PipelineError> {
    let needed = |model: &&ModelSpec| is_needed(bundle, options.route, model);
    for model in bundle.models.iter().filter(needed) {
        let (file, sha256, is_int8) = options.precision.file(model);
        bundle.verified_file(file, sha256)?;
        if options.precision == Precision::Int8 && !is_int8 {
            say(&format!(
                "the bundle has no int8 file for the model {:?}, so it runs in fp32",
                model.name
            ));
        }
    }
    if let (Route::Tile | Route::Slide, Some(router)) = (options.route, &bundle.router) {
        bundle.verified_file(&router.file, &router.sha256)?;
    }
    Ok(())
}

/// Whether some model that the settings can need works at a um/px of its own, so that slides have to state theirs.
pub(super) fn needs_resolution(bundle: &Bundle, route: Route) -> bool {
    let needed = bundle
        .models
        .iter()
        .filter(|model| is_needed(bundle, route, model));
    matches!(route, Route::Tile | Route::Slide)
        || needed
            .into_iter()
            .any(|model| model.fit != ModelScale::Whole)
}

/// Whether a route can need a model.
fn is_needed(bundle: &Bundle, route: Route, model: &ModelSpec) -> bool {
    let fallback = bundle.router.as_ref().map(|router| router.fallback);
    match route {
        Route::Fixed(target) => model.target == target,
        Route::Given => model.target.organ().is_some(),
        Route::Tile | Route::Slide => {
            model.target.organ().is_some() || Some(model.target) == fallback
        }
    }
}
