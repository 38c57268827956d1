//! Decides which target each part of a slide goes to.

use std::sync::PoisonError;
use std::time::Instant;

use ftuseg_router::{CellGrid, OrganMap, Target, assign_all, decide_by_cell, decide_by_slide};

use crate::slide::warning::Warning;
use crate::slide::{SlideReader, Tissue};

use super::cancellation::watched;
use super::{Engine, Network, PipelineError, Request, Route, Timings, organ_votes, warnings};

/// Where the tissue of a slide is, and which target each part of it goes to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RoutedSlide {
    /// Where tissue was found.
    pub tissue: Tissue,
    /// Which target decides where.
    pub map: OrganMap,
    /// Seconds for finding tissue and for routing.
    pub timings: Timings,
}

impl Engine {
    /// Finds tissue and makes the organ map alone; [`Request::region`] does not matter.
    ///
    /// # Errors
    /// When the slide cannot be read, its um/px is needed and not known, the router fails, or the work was cancelled.
    pub fn route(
        &self,
        slide: &dyn SlideReader,
        request: &Request<'_>,
    ) -> Result<RoutedSlide, PipelineError> {
        or_cancelled(request, || {
            let mut timings = Timings::default();
            let started = Instant::now();
            let tissue = Tissue::find(slide, self.options().tissue)?;
            timings.tissue = started.elapsed().as_secs_f64();
            let started = Instant::now();
            let mpp = request.mpp.or(slide.info().resolution);
            let mpp = mpp.map(|resolution| (resolution.mpp, resolution.down));
            let map = self.organ_map(slide, &tissue, mpp, request)?;
            timings.route = started.elapsed().as_secs_f64();
            Ok(RoutedSlide {
                tissue,
                map,
                timings,
            })
        })
    }

    /// What looks doubtful about how a slide was routed.
    pub fn doubts(&self, tissue: &Tissue, map: &OrganMap) -> Vec<Warning> {
        let unsure = match (self.options().route, &self.bundle().router) {
            (Route::Tile | Route::Slide, Some(spec)) => {
                warnings::unsure(map, spec.limit, spec.fallback)
            }
            _ => None,
        };
        let of_tissue = tissue.warning().into_iter().chain(tissue.light_warning());
        of_tissue
            .chain(warnings::other(map))
            .chain(unsure)
            .collect()
    }

    fn organ_map(
        &self,
        slide: &dyn SlideReader,
        tissue: &Tissue,
        mpp: Option<(f64, f64)>,
        request: &Request<'_>,
    ) -> Result<OrganMap, PipelineError> {
        let decide = match self.options().route {
            Route::Tile => decide_by_cell,
            Route::Slide => decide_by_slide,
            Route::Given => {
                let organ = request.organ.ok_or(PipelineError::NoOrganGiven)?;
                return self.one_target(slide, tissue, mpp, Target::Organ(organ));
            }
            Route::Fixed(target) => return self.one_target(slide, tissue, mpp, target),
        };
        let spec = self
            .bundle()
            .router
            .as_ref()
            .ok_or(PipelineError::NoRouter)?;
        let mpp = mpp.ok_or_else(|| PipelineError::NoResolution {
            who: format!("the router (it works at {} um/px)", spec.mpp),
        })?;
        let grid = organ_votes::grid(slide, spec, mpp)?;
        let shares = organ_votes::worth_a_vote(organ_votes::tissue_shares(&grid, tissue));
        if shares.iter().all(|&share| share <= 0.0) {
            return Ok(assign_all(grid, &shares, spec.fallback));
        }
        let network = self.router().get("router", || {
            Network::router(self.backend(), self.bundle(), spec)
        })?;
        let mut network = network.lock().unwrap_or_else(PoisonError::into_inner);
        let brakes: Vec<_> = network.brakes().collect();
        let votes = watched(&brakes, request, || {
            organ_votes::vote(slide, spec, &mut network, grid, mpp, &shares, request)
        })?;
        Ok(decide(&votes, spec.limit, spec.fallback))
    }

    fn one_target(
        &self,
        slide: &dyn SlideReader,
        tissue: &Tissue,
        mpp: Option<(f64, f64)>,
        target: Target,
    ) -> Result<OrganMap, PipelineError> {
        if self.bundle().models_for(target).is_empty() {
            return Err(PipelineError::NoModel(target));
        }
        let grid = match (&self.bundle().router, mpp) {
            (Some(spec), Some(mpp)) => organ_votes::grid(slide, spec, mpp)?,
            _ => CellGrid::whole(slide.info().width(), slide.info().height())?,
        };
        Ok(assign_all(
            grid,
            &organ_votes::tissue_shares(&grid, tissue),
            target,
        ))
    }
}

/// Does something for a request. What fails after the request was cancelled is [`PipelineError::Cancelled`], whatever the
/// thread that was stopped had to say.
pub(super) fn or_cancelled<T>(
    request: &Request<'_>,
    work: impl FnOnce() -> Result<T, PipelineError>,
) -> Result<T, PipelineError> {
    if request.is_cancelled() {
        return Err(PipelineError::Cancelled);
    }
    work().map_err(|error| match request.is_cancelled() {
        true => PipelineError::Cancelled,
        false => error,
    })
}
