//! Runs one layer's plan: reader threads, one inference thread, one stitching thread, bounded channels between.

use std::collections::BTreeMap;
use std::ops::DerefMut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use ftuseg_router::OrganMap;

use crate::slide::SlideReader;

use super::{Blend, LayerPlan, Network, PipelineError, Stitched, Stitcher, Symmetry};

/// How a plan is run.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// How overlapping tiles are joined.
    pub blend: Blend,
    /// Whether a map of the probabilities is wanted.
    pub probabilities: bool,
    /// The symmetries that each tile is shown in.
    pub symmetries: &'static [Symmetry],
    /// Threads that read and resample.
    pub readers: usize,
    /// Tiles that the network is given at once.
    pub batch: usize,
    /// The most that tiles waiting between the stages may take, bytes.
    pub queue_bytes: Option<u64>,
}

/// How many tiles may be between the stages at once.
#[derive(Debug, PartialEq, Eq)]
struct Bounds {
    /// Threads that read.
    readers: usize,
    /// Tiles that are being read or wait for the network.
    read: usize,
    /// Tiles whose answers wait to be stitched.
    inferred: usize,
}

impl Bounds {
    /// Enough that no stage waits for another, or as many as the bytes allow, but at least one tile in each: half of
    /// the bytes for pixels (3 a px), half for answers (4 a px).
    fn new(how: &How, tile: u32) -> Self {
        let (readers, batch) = (how.readers.max(1), how.batch.max(1));
        let px = u64::from(tile).pow(2);
        let within = |wanted: usize, bytes_a_px: u64| match how.queue_bytes {
            Some(bytes) => {
                let fit = usize::try_from(bytes / 2 / (px * bytes_a_px).max(1));
                wanted.min(fit.unwrap_or(wanted)).max(1)
            }
            None => wanted,
        };
        let read = within(readers + 2 * batch, 3);
        Bounds {
            readers: readers.min(read),
            read,
            inferred: within(2 * batch, 4),
        }
    }
}

/// A tile on its way, by its place in the plan.
type Read = (usize, Result<Vec<u8>, PipelineError>);

/// Runs the plan and returns what was stitched and how many tiles were inferred. `networks` are the plan's models, loaded.
///
/// `tick` is called after each tile, from the inference thread.
pub(super) fn run(
    slide: &dyn SlideReader,
    plan: &LayerPlan,
    map: &OrganMap,
    networks: &mut [impl DerefMut<Target = Network>],
    how: How,
    tick: &(dyn Fn() + Sync),
) -> Result<(Stitched, u64), PipelineError> {
    let largest = plan.views.iter().map(|view| view.tile).max();
    let bounds = Bounds::new(&how, largest.unwrap_or(1));
    // A reader takes a permit before it takes a tile, and inference gives it back in the plan's order. So at most
    // this many tiles are in memory, however slow one of them is to read.
    let (permits, permit) = bounded::<()>(bounds.read);
    for _ in 0..bounds.read {
        permits
            .send(())
            .map_err(|_| PipelineError::Thread("starting"))?;
    }
    let (read, to_infer) = bounded::<Read>(bounds.read);
    let (inferred, to_stitch) = bounded::<(usize, Vec<f32>)>(bounds.inferred);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading: Vec<_> = (0..bounds.readers)
            .map(|_| {
                let (read, permit) = (read.clone(), permit.clone());
                let (next, stop) = (&next, &stop);
                scope.spawn(move || read_tiles(slide, plan, next, stop, &permit, &read))
            })
            .collect();
        drop((read, permit));
        let stitching = scope.spawn(move || {
            let mut stitcher = Stitcher::new(plan, map, how.blend, how.probabilities)?;
            for (index, probabilities) in to_stitch {
                let (view, tile) = plan.order[index];
                stitcher.add(view, tile, &probabilities)?;
            }
            stitcher.finish()
        });
        let answer = infer(plan, networks, how, &to_infer, &permits, &inferred, tick);
        // Whatever happened, let the other threads come to their end.
        stop.store(true, Ordering::Relaxed);
        drop((inferred, to_infer, permits));
        // Joined one by one, so that a panic becomes this slide's error and not the program's end.
        let read_well = reading.into_iter().all(|reader| reader.join().is_ok());
        let stitched = stitching
            .join()
            .map_err(|_| PipelineError::Thread("stitching"))?;
        match answer {
            Err(PipelineError::Thread("stitching")) => {
                Err(stitched.err().unwrap_or(PipelineError::Thread("stitching")))
            }
            Err(error) => Err(error),
            Ok(_) if !read_well => Err(PipelineError::Thread("reading tiles")),
            Ok(tiles) => Ok((stitched?, tiles)),
        }
    })
}

fn read_tiles(
    slide: &dyn SlideReader,
    plan: &LayerPlan,
    next: &AtomicUsize,
    stop: &AtomicBool,
    permit: &Receiver<()>,
    read: &Sender<Read>,
) {
    // A closed channel means that the run is over.
    while permit.recv().is_ok() && !stop.load(Ordering::Relaxed) {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(&(view, tile)) = plan.order.get(index) else {
            return;
        };
        let view = &plan.views[view];
        // A decoder that panics must still answer for its tile: inference waits for every one in turn. Nothing of the
        // slide's state is trusted afterwards, for the error ends it.
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let side = view.tile;
            let mut rgb = vec![255; side as usize * side as usize * 3];
            let (x, y) = (view.across.origin(tile.column), view.down.origin(tile.row));
            view.plane.read(slide, x, y, side, side, &mut rgb)?;
            Ok(rgb)
        }));
        let answer = answer.unwrap_or(Err(PipelineError::Thread("reading a tile")));
        if read.send((index, answer)).is_err() {
            return;
        }
    }
}

/// Takes tiles in the plan's order, runs them in batches of one fixed size, and passes the answers on.
fn infer(
    plan: &LayerPlan,
    networks: &mut [impl DerefMut<Target = Network>],
    how: How,
    to_infer: &Receiver<Read>,
    permits: &Sender<()>,
    inferred: &Sender<(usize, Vec<f32>)>,
    tick: &(dyn Fn() + Sync),
) -> Result<u64, PipelineError> {
    let batch = how.batch.max(1);
    let mut waiting: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    let mut tiles = Vec::new();
    let mut done = 0;
    while let Some(&(view, _)) = plan.order.get(done) {
        // A batch holds tiles of one view.
        let rest = plan.order[done..].iter();
        let wanted = rest.take(batch).take_while(|next| next.0 == view).count();
        let view = &plan.views[view];
        let side = view.tile as usize;
        let (bytes, values) = (side * side * 3, side * side);
        tiles.resize(batch * bytes, 255);
        for place in 0..wanted {
            let tile = loop {
                if let Some(tile) = waiting.remove(&(done + place)) {
                    break tile;
                }
                let (index, tile) = to_infer
                    .recv()
                    .map_err(|_| PipelineError::Thread("reading tiles"))?;
                waiting.insert(index, tile?);
            };
            tiles[place * bytes..(place + 1) * bytes].copy_from_slice(&tile);
            // The readers may have left already; then nobody needs the permit.
            let _ = permits.try_send(());
        }
        // A batch that is not full is filled with white, so that the network always sees one shape.
        tiles[wanted * bytes..].fill(255);
        let answers = networks[view.model].run_shown(batch, &tiles, how.symmetries)?;
        for (place, answer) in answers.chunks_exact(values).take(wanted).enumerate() {
            inferred
                .send((done + place, answer.to_vec()))
                .map_err(|_| PipelineError::Thread("stitching"))?;
            tick();
        }
        done += wanted;
    }
    Ok(done as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_bound_what_waits_but_never_to_nothing() {
        let bounds = |queue_bytes| {
            let how = How {
                blend: Blend::Crop,
                symmetries: &[],
                probabilities: false,
                readers: 4,
                batch: 2,
                queue_bytes,
            };
            let found = Bounds::new(&how, 100);
            (found.readers, found.read, found.inferred)
        };
        assert_eq!(bounds(None), (4, 8, 4));
        assert_eq!(bounds(Some(u64::MAX)), (4, 8, 4));
        // 30 kB a tile of pixels, 40 kB a tile of answers.
        assert_eq!(bounds(Some(300_000)), (4, 5, 3));
        assert_eq!(bounds(Some(120_000)), (2, 2, 1));
        assert_eq!(bounds(Some(1)), (1, 1, 1));
    }
}
