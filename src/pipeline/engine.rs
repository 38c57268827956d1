//! The engine: a bundle on a backend, ready to segment one slide after another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ftuseg_router::Target;

use crate::backend::{Backend, FloatFormat};
use crate::bundle::{Bundle, ModelSpec};
use crate::mask::Rect;
use crate::slide::{SlideReader, size_warning};

use super::cancellation::watched;
use super::layer_run::{RunSettings, run};
use super::model_cache::{ModelCache, Shared};
use super::postprocess::{clean_up, keep_to_region};
use super::routing::or_cancelled;
use super::{
    ComputedIn, EngineOptions, Layer, LayerPlan, Network, PipelineError, Precision, Request,
    RoutedSlide, Segmentation, TileCount, UsedModel, training_image, warnings,
};

/// A bundle on a backend. Models are loaded when first needed and kept for all slides.
///
/// One engine serves many threads: each calls [`Engine::segment`] with its own slide and gets the mask that it would have
/// got alone. A network runs for one slide at a time, so slides of one organ take turns, and slides of several organs run
/// side by side.
pub struct Engine {
    bundle: Bundle,
    backend: Box<dyn Backend>,
    options: EngineOptions,
    queue_bytes: Option<u64>,
    networks: ModelCache,
    /// The router's network, apart from the others: it is small, and every slide needs it.
    router: ModelCache,
}

impl Engine {
    /// An engine out of parts that are ready, for whoever brings a backend of its own. [`Engine::builder`] makes the
    /// parts, and checks them. Loads no model yet.
    pub fn new(bundle: Bundle, backend: Box<dyn Backend>, options: EngineOptions) -> Self {
        Engine {
            bundle,
            backend,
            networks: ModelCache::new(options.max_models),
            router: ModelCache::new(None),
            options,
            queue_bytes: None,
        }
    }

    /// The same engine with a bound on what tiles waiting between its stages may take, bytes. Results stay the same.
    #[must_use]
    pub fn with_queue_bytes(mut self, bytes: Option<u64>) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// The bundle.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The backend.
    pub fn backend(&self) -> &dyn Backend {
        self.backend.as_ref()
    }

    /// The settings.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    pub(super) fn router(&self) -> &ModelCache {
        &self.router
    }

    /// Segments one slide, or the region of it that the request names.
    ///
    /// # Errors
    /// When the slide cannot be read, its um/px is needed and not known, the bundle lacks a model, a network fails, or the
    /// region is empty or not within the slide. [`PipelineError::Cancelled`] when the request was cancelled; the engine can
    /// be used again right away.
    pub fn segment(
        &self,
        slide: &dyn SlideReader,
        request: &Request<'_>,
    ) -> Result<Segmentation, PipelineError> {
        let region = region_of(slide, request)?;
        or_cancelled(request, || self.segment_region(slide, request, region))
    }

    fn segment_region(
        &self,
        slide: &dyn SlideReader,
        request: &Request<'_>,
        region: Option<Rect>,
    ) -> Result<Segmentation, PipelineError> {
        let stated = slide.info().resolution;
        let resolution = request.mpp.or(stated);
        let RoutedSlide {
            tissue,
            map,
            mut timings,
        } = self.route(slide, request)?;
        let mut warnings = self.doubts(&tissue, &map);
        warnings.extend(warnings::contradicted(request.mpp, stated));
        let info = slide.info();
        warnings.extend(resolution.and_then(|r| size_warning(r, info.width(), info.height())));
        let training_image = training_image::find(slide, &self.bundle.training_images)?;
        warnings.extend(training_image.as_deref().map(warnings::seen_in_training));
        let plans = map
            .targets()
            .into_iter()
            .filter(|&target| target != Target::Other)
            .map(|target| {
                LayerPlan::new(
                    target,
                    &self.bundle.models_for(target),
                    self.options.overlap,
                    self.options.tta,
                    resolution.map(|r| (r.mpp, r.down)),
                    &map,
                    &tissue,
                )
                .map(|plan| match region {
                    Some(region) => plan.within(region),
                    None => plan,
                })
            })
            .collect::<Result<Vec<_>, PipelineError>>()?;
        let planned = plans.iter().map(|plan| plan.order.len() as u64).sum();
        let mut tiles = TileCount {
            planned,
            inferred: 0,
        };
        request.tell(tiles);
        let mut layers = Vec::new();
        for plan in &plans {
            let started = Instant::now();
            let keys = keys(plan, self.options.precision);
            let networks = plan
                .models
                .iter()
                .zip(&keys)
                .map(|(model, key)| {
                    self.networks.get(key, || {
                        Network::model(self.backend(), &self.bundle, model, self.options.precision)
                    })
                })
                .collect::<Result<Vec<_>, PipelineError>>()?;
            timings.load += started.elapsed().as_secs_f64();
            let started = Instant::now();
            // Counted and told in one step, so that lanes do not overtake each other.
            let done = Mutex::new(tiles.inferred);
            let tick = || {
                let mut inferred = done.lock().unwrap_or_else(PoisonError::into_inner);
                *inferred += 1;
                request.tell(TileCount {
                    planned,
                    inferred: *inferred,
                });
            };
            let mut networks = locked(&networks, &keys);
            let how = RunSettings {
                blend: self.options.blend,
                probabilities: request.probabilities,
                symmetries: self.options.tta.symmetries(),
                readers: self.options.readers,
                batch: self.options.batch,
                queue_bytes: self.queue_bytes,
                request,
            };
            let brakes: Vec<_> = networks.iter().flat_map(|one| one.brakes()).collect();
            let (stitched, inferred) = watched(&brakes, request, || {
                run(slide, plan, &map, &mut networks, how, &tick)
            })?;
            tiles.inferred += inferred;
            timings.tiles += started.elapsed().as_secs_f64();
            let mut mask = stitched.mask;
            let started = Instant::now();
            clean_up(&mut mask, plan, &map, self.options.split);
            if let Some(region) = region {
                keep_to_region(&mut mask, region);
            }
            timings.postprocess += started.elapsed().as_secs_f64();
            let named = plan.models.iter().zip(&networks);
            layers.push(Layer {
                target: plan.target,
                models: named
                    .map(|(model, network)| self.used(model, network))
                    .collect(),
                threshold: plan.first().threshold,
                mask,
                probabilities: stitched.probabilities.map(Arc::new),
            });
        }
        Ok(Segmentation {
            map,
            tissue,
            resolution,
            layers,
            tiles,
            timings,
            warnings,
            training_image,
        })
    }

    /// A model for the record, with what it was computed in where that needs saying.
    fn used(&self, model: &ModelSpec, network: &Network) -> UsedModel {
        let is_int8 = self.options.precision.file(model).2;
        let halves = self.backend.about().arithmetic == FloatFormat::Fp16;
        UsedModel {
            name: model.name.clone(),
            computed_in: match (is_int8, network.is_fp16()) {
                (true, _) => Some(ComputedIn::Int8),
                (_, true) => Some(ComputedIn::Fp16),
                // The backend is said to compute in fp16, and this file cannot.
                _ if halves => Some(ComputedIn::Fp32),
                _ => None,
            },
        }
    }
}

/// The region that a request names, if it names one and that is not all of the slide.
fn region_of(
    slide: &dyn SlideReader,
    request: &Request<'_>,
) -> Result<Option<Rect>, PipelineError> {
    let (width, height) = (slide.info().width(), slide.info().height());
    let Some(region) = request.region else {
        return Ok(None);
    };
    let within = |start: u32, length: u32, all: u32| {
        length > 0 && start.checked_add(length).is_some_and(|end| end <= all)
    };
    if !within(region.x, region.width, width) || !within(region.y, region.height, height) {
        return Err(PipelineError::Region {
            region,
            size: (width, height),
        });
    }
    let is_all = (region.width, region.height) == (width, height);
    Ok((!is_all).then_some(region))
}

/// What the networks of a plan are known by. A plan that has one network twice gets it twice, for both run at a time.
fn keys(plan: &LayerPlan, precision: Precision) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for model in &plan.models {
        let key = super::network::key(model, precision);
        let again = keys.iter().filter(|k| k.starts_with(&key)).count();
        keys.push(match again {
            0 => key,
            n => format!("{key} again {n}"),
        });
    }
    keys
}

/// Locks networks, in the order of their keys, so that two slides cannot wait for each other.
fn locked<'a>(networks: &'a [Shared], keys: &[String]) -> Vec<MutexGuard<'a, Network>> {
    let mut order: Vec<usize> = (0..networks.len()).collect();
    order.sort_by_key(|&place| &keys[place]);
    let mut locked: Vec<(usize, MutexGuard<'a, Network>)> = order
        .into_iter()
        .map(|place| {
            let network = networks[place].lock();
            (place, network.unwrap_or_else(PoisonError::into_inner))
        })
        .collect();
    locked.sort_by_key(|(place, _)| *place);
    locked.into_iter().map(|(_, network)| network).collect()
}
