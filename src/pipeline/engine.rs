//! The engine: a bundle on a backend, ready to segment one slide after another.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ftuseg_router::{CellGrid, Organ, OrganMap, Policy, Target, assign_all, decide};

use crate::backend::Backend;
use crate::bundle::Bundle;
use crate::mask::{Mask, Rect, fill_holes, remove_small};
use crate::slide::{Resolution, SlideReader, Tissue, TissueMode};

use super::loaded::{Loaded, Shared};
use super::run::{How, run};
use super::watch::{GivenUp, watched};
use super::{
    Blend, LayerPlan, Network, PipelineError, Precision, ProbabilityMap, Tta, doubt, route,
};
use crate::slide::warning::Warning;

/// How slides are sent to models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The router decides for each cell.
    Tile,
    /// The router decides once for the whole slide.
    Slide,
    /// The caller names each slide's organ.
    Given,
    /// All tissue goes to one target.
    Fixed(Target),
}

/// Settings that hold for every slide.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How slides are sent to models.
    pub route: Route,
    /// Whether tissue is looked for.
    pub tissue: TissueMode,
    /// px that neighbouring tiles share, instead of the bundle's.
    pub overlap: Option<u32>,
    /// How overlapping tiles are joined.
    pub blend: Blend,
    /// The ways each tile is shown to its network.
    pub tta: Tta,
    /// Which variant of each model is run.
    pub precision: Precision,
    /// Threads that read tiles.
    pub readers: usize,
    /// Tiles that a network is given at once.
    pub batch: usize,
    /// The most segmentation networks in memory at once, each with a session for every lane; the longest unused is given
    /// up for another. `None` keeps all. It changes no result.
    pub max_models: Option<NonZeroUsize>,
}

impl Default for Options {
    /// What the command does if it is not told otherwise: the router decides for each cell, on all cores.
    fn default() -> Self {
        Options {
            route: Route::Tile,
            tissue: TissueMode::Auto,
            overlap: None,
            blend: Blend::Crop,
            tta: Tta::None,
            precision: Precision::Auto,
            readers: std::thread::available_parallelism().map_or(1, usize::from),
            batch: 1,
            max_models: None,
        }
    }
}

/// What is known of one slide beside its pixels, and what is wanted of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// The slide's resolution: from an option or manifest, else what the file says.
    pub resolution: Option<Resolution>,
    /// The slide's organ, for [`Route::Given`].
    pub organ: Option<Organ>,
    /// Whether a map of the probabilities is wanted beside each mask.
    pub probabilities: bool,
}

/// What one target's models found.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The target.
    pub target: Target,
    /// Names of the models in the bundle, with the word int8 where that file was run; on a backend that computes in fp16
    /// with fp16, or fp32 for a file that cannot. Their probabilities were averaged.
    pub models: Vec<String>,
    /// Probability from which a px counts as found.
    pub threshold: f32,
    /// What was found, full size. Never lies in another target's cells, so masks of two layers never overlap.
    pub mask: Mask,
    /// The probabilities before any clean-up, where they were asked for; 0 outside the target's cells.
    pub probabilities: Option<Arc<ProbabilityMap>>,
}

/// How many tiles there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TileCount {
    /// Tiles in the plans.
    pub planned: u64,
    /// Tiles that a network was run on.
    pub inferred: u64,
}

/// Seconds spent in each stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Timings {
    /// Finding tissue.
    pub tissue: f64,
    /// Routing, the router's loading included.
    pub route: f64,
    /// Loading models that were not loaded yet.
    pub load: f64,
    /// Reading, inferring and stitching tiles.
    pub tiles: f64,
    /// Filling holes and dropping small objects.
    pub postprocess: f64,
}

/// A segmented slide.
#[derive(Debug, Clone)]
pub struct Segmentation {
    /// Which target decided where.
    pub map: OrganMap,
    /// Where tissue was found.
    pub tissue: Tissue,
    /// The resolution that was used.
    pub resolution: Option<Resolution>,
    /// One layer a target, in the order of [`Target`].
    pub layers: Vec<Layer>,
    /// Tiles planned and inferred.
    pub tiles: TileCount,
    /// Seconds by stage.
    pub timings: Timings,
    /// What looks doubtful about it, beside what the reader says.
    pub warnings: Vec<Warning>,
}

impl Segmentation {
    /// Everything that was found, whatever the target.
    ///
    /// # Errors
    /// Never in practice: all layers have the slide's size.
    pub fn union(&self) -> Result<Mask, PipelineError> {
        let grid = self.map.grid();
        let mut all = Mask::new(grid.width(), grid.height())?;
        for layer in &self.layers {
            all.or_assign(&layer.mask)?;
        }
        Ok(all)
    }
}

/// A bundle on a backend. Models are loaded when first needed and kept for all slides.
pub struct Engine {
    bundle: Bundle,
    backend: Box<dyn Backend>,
    options: Options,
    queue_bytes: Option<u64>,
    networks: Loaded,
    /// The router's network, apart from the others: it is small, and every slide needs it.
    router: Loaded,
}

impl Engine {
    /// An engine. Loads no model yet.
    pub fn new(bundle: Bundle, backend: Box<dyn Backend>, options: Options) -> Self {
        Engine {
            bundle,
            backend,
            networks: Loaded::new(options.max_models),
            router: Loaded::new(None),
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
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Finds tissue and makes the organ map alone.
    ///
    /// # Errors
    /// When the slide cannot be read, its um/px is needed and not known, or the router fails.
    pub fn route(
        &self,
        slide: &dyn SlideReader,
        request: &Request,
    ) -> Result<(Tissue, OrganMap, Timings), PipelineError> {
        self.route_until(slide, request, &|| false)
    }

    fn route_until(
        &self,
        slide: &dyn SlideReader,
        request: &Request,
        is_given_up: GivenUp<'_>,
    ) -> Result<(Tissue, OrganMap, Timings), PipelineError> {
        let mut timings = Timings::default();
        let started = Instant::now();
        let tissue = Tissue::find(slide, self.options.tissue)?;
        timings.tissue = started.elapsed().as_secs_f64();
        let started = Instant::now();
        let mpp = request
            .resolution
            .or(slide.info().resolution)
            .map(|resolution| (resolution.mpp, resolution.down));
        let map = self.organ_map(slide, &tissue, mpp, request.organ, is_given_up)?;
        timings.route = started.elapsed().as_secs_f64();
        Ok((tissue, map, timings))
    }

    /// Segments one slide. `progress` is called with the tiles done and planned so far.
    ///
    /// # Errors
    /// When the slide cannot be read, its um/px is needed and not known, the bundle lacks a model, or a network fails.
    pub fn segment(
        &self,
        slide: &dyn SlideReader,
        request: &Request,
        progress: &(dyn Fn(TileCount) + Sync),
    ) -> Result<Segmentation, PipelineError> {
        self.segment_until(slide, request, progress, &|| false)
    }

    /// As [`Engine::segment`], until `is_given_up` says so, which is asked a few times a second. A network that runs is
    /// then stopped, as far as the backend has a way to, and can be run again for the next slide.
    ///
    /// # Errors
    /// As [`Engine::segment`]; [`BackendError::Stopped`](crate::backend::BackendError::Stopped) when a network was stopped.
    pub fn segment_until(
        &self,
        slide: &dyn SlideReader,
        request: &Request,
        progress: &(dyn Fn(TileCount) + Sync),
        is_given_up: &(dyn Fn() -> bool + Sync),
    ) -> Result<Segmentation, PipelineError> {
        let resolution = request.resolution.or(slide.info().resolution);
        let (tissue, map, mut timings) = self.route_until(slide, request, is_given_up)?;
        let mut warnings = self.doubts(&tissue, &map);
        warnings.extend(doubt::contradicted(
            request.resolution,
            slide.info().resolution,
        ));
        let plans = map
            .targets()
            .into_iter()
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
            })
            .collect::<Result<Vec<_>, PipelineError>>()?;
        let planned = plans.iter().map(|plan| plan.order.len() as u64).sum();
        let mut tiles = TileCount {
            planned,
            inferred: 0,
        };
        progress(tiles);
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
                progress(TileCount {
                    planned,
                    inferred: *inferred,
                });
            };
            let mut networks = locked(&networks, &keys);
            let how = How {
                blend: self.options.blend,
                probabilities: request.probabilities,
                symmetries: self.options.tta.symmetries(),
                readers: self.options.readers,
                batch: self.options.batch,
                queue_bytes: self.queue_bytes,
            };
            let brakes: Vec<_> = networks.iter().flat_map(|one| one.brakes()).collect();
            let (stitched, inferred) = watched(&brakes, is_given_up, || {
                run(slide, plan, &map, &mut networks, how, &tick)
            })?;
            tiles.inferred += inferred;
            timings.tiles += started.elapsed().as_secs_f64();
            let mut mask = stitched.mask;
            let started = Instant::now();
            postprocess(&mut mask, plan, &map);
            timings.postprocess += started.elapsed().as_secs_f64();
            layers.push(Layer {
                target: plan.target,
                models: plan
                    .models
                    .iter()
                    .zip(&networks)
                    .map(|(model, network)| {
                        let is_int8 = self.options.precision.file(model).2;
                        let halves = self.backend.about().arithmetic == "fp16";
                        match (is_int8, network.in_halves()) {
                            (true, _) => format!("{} int8", model.name),
                            (_, true) => format!("{} fp16", model.name),
                            // The backend is said to compute in fp16, and this file cannot.
                            _ if halves => format!("{} fp32", model.name),
                            _ => model.name.clone(),
                        }
                    })
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
        })
    }

    /// What looks doubtful about how a slide was routed.
    pub fn doubts(&self, tissue: &Tissue, map: &OrganMap) -> Vec<Warning> {
        let unsure = match (self.options.route, &self.bundle.router) {
            (Route::Tile | Route::Slide, Some(spec)) => {
                doubt::unsure(map, spec.limit, spec.fallback)
            }
            _ => None,
        };
        tissue.warning().into_iter().chain(unsure).collect()
    }

    fn organ_map(
        &self,
        slide: &dyn SlideReader,
        tissue: &Tissue,
        mpp: Option<(f64, f64)>,
        organ: Option<Organ>,
        is_given_up: GivenUp<'_>,
    ) -> Result<OrganMap, PipelineError> {
        let policy = match self.options.route {
            Route::Tile => Policy::Tile,
            Route::Slide => Policy::Slide,
            Route::Given => {
                let organ = organ.ok_or(PipelineError::NoOrganGiven)?;
                return self.one_target(slide, tissue, mpp, Target::Organ(organ));
            }
            Route::Fixed(target) => return self.one_target(slide, tissue, mpp, target),
        };
        let spec = self.bundle.router.as_ref().ok_or(PipelineError::NoRouter)?;
        let mpp = mpp.ok_or_else(|| PipelineError::NoResolution {
            who: format!("the router (it works at {} um/px)", spec.mpp),
        })?;
        let grid = route::grid(slide, spec, mpp)?;
        let shares = route::worth_a_vote(route::tissue_shares(&grid, tissue));
        if shares.iter().all(|&share| share <= 0.0) {
            return Ok(assign_all(grid, &shares, spec.fallback));
        }
        let network = self.router.get("router", || {
            Network::router(self.backend(), &self.bundle, spec)
        })?;
        let mut network = network.lock().unwrap_or_else(PoisonError::into_inner);
        let brakes: Vec<_> = network.brakes().collect();
        let votes = watched(&brakes, is_given_up, || {
            route::vote(slide, spec, &mut network, grid, mpp, &shares)
        })?;
        Ok(decide(&votes, policy, spec.limit, spec.fallback))
    }

    fn one_target(
        &self,
        slide: &dyn SlideReader,
        tissue: &Tissue,
        mpp: Option<(f64, f64)>,
        target: Target,
    ) -> Result<OrganMap, PipelineError> {
        if self.bundle.models_for(target).is_empty() {
            return Err(PipelineError::NoModel(target));
        }
        let grid = match (&self.bundle.router, mpp) {
            (Some(spec), Some(mpp)) => route::grid(slide, spec, mpp)?,
            _ => CellGrid::whole(slide.info().width(), slide.info().height())?,
        };
        Ok(assign_all(
            grid,
            &route::tissue_shares(&grid, tissue),
            target,
        ))
    }
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

/// Fills holes and drops small objects, as the bundle says for this model.
fn postprocess(mask: &mut Mask, plan: &LayerPlan, map: &OrganMap) {
    let model = plan.first();
    if model.fill_holes {
        fill_holes(mask, None);
        keep_to_own_cells(mask, plan, map);
    }
    // The first view is the first model at its own scale.
    let scale = plan.views[0].plane.scale;
    let full_size = model.min_area * scale.0 * scale.1;
    remove_small(mask, full_size.round() as u64);
}

/// Clears what a filled hole took from cells that another target decides.
fn keep_to_own_cells(mask: &mut Mask, plan: &LayerPlan, map: &OrganMap) {
    let grid = map.grid();
    for row in 0..grid.rows() {
        for column in 0..grid.columns() {
            if map
                .at(column, row)
                .is_some_and(|target| target != plan.target)
            {
                let (x0, y0, x1, y1) = grid.bounds(column, row);
                let cell = Rect {
                    x: x0,
                    y: y0,
                    width: x1 - x0,
                    height: y1 - y0,
                };
                mask.fill_rect(cell, false);
            }
        }
    }
}
