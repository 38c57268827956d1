//! Runs one layer's plan: reader threads, one inference thread, one stitching thread, bounded channels between.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use ftuseg_router::OrganMap;

use crate::mask::Mask;
use crate::slide::SlideReader;

use super::{Blend, LayerPlan, Network, PipelineError, Stitcher};

/// How wide the pipeline is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width {
    /// Threads that read and resample.
    pub readers: usize,
    /// Tiles that the network is given at once.
    pub batch: usize,
}

/// A tile on its way, by its place in the plan.
type Read = (usize, Result<Vec<u8>, PipelineError>);

/// Runs the plan and returns the mask and how many tiles were inferred.
///
/// `tick` is called after each tile, from the inference thread.
pub(super) fn run(
    slide: &dyn SlideReader,
    plan: &LayerPlan,
    map: &OrganMap,
    network: &mut Network,
    blend: Blend,
    width: Width,
    tick: &(dyn Fn() + Sync),
) -> Result<(Mask, u64), PipelineError> {
    let readers = width.readers.max(1);
    let batch = width.batch.max(1);
    // A reader takes a permit before it takes a tile, and inference gives it back in the plan's order. So at most
    // this many tiles are in memory, however slow one of them is to read.
    let window = readers + 2 * batch;
    let (permits, permit) = bounded::<()>(window);
    for _ in 0..window {
        permits
            .send(())
            .map_err(|_| PipelineError::Thread("starting"))?;
    }
    let (read, to_infer) = bounded::<Read>(window);
    let (inferred, to_stitch) = bounded::<(usize, Vec<f32>)>(2 * batch);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading: Vec<_> = (0..readers)
            .map(|_| {
                let (read, permit) = (read.clone(), permit.clone());
                let (next, stop) = (&next, &stop);
                scope.spawn(move || read_tiles(slide, plan, next, stop, &permit, &read))
            })
            .collect();
        drop((read, permit));
        let stitching = scope.spawn(move || {
            let mut stitcher = Stitcher::new(plan, map, blend)?;
            for (index, probabilities) in to_stitch {
                stitcher.add(plan.tiles[index], &probabilities)?;
            }
            Ok::<Mask, PipelineError>(stitcher.finish()?)
        });
        let answer = infer(plan, network, batch, &to_infer, &permits, &inferred, tick);
        // Whatever happened, let the other threads come to their end.
        stop.store(true, Ordering::Relaxed);
        drop((inferred, to_infer, permits));
        // Joined one by one, so that a panic becomes this slide's error and not the program's end.
        let read_well = reading.into_iter().all(|reader| reader.join().is_ok());
        let mask = stitching
            .join()
            .map_err(|_| PipelineError::Thread("stitching"))?;
        match answer {
            Err(PipelineError::Thread("stitching")) => {
                Err(mask.err().unwrap_or(PipelineError::Thread("stitching")))
            }
            Err(error) => Err(error),
            Ok(_) if !read_well => Err(PipelineError::Thread("reading tiles")),
            Ok(tiles) => Ok((mask?, tiles)),
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
    let side = plan.model.tile;
    // A closed channel means that the run is over.
    while permit.recv().is_ok() && !stop.load(Ordering::Relaxed) {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(tile) = plan.tiles.get(index) else {
            return;
        };
        // A decoder that panics must still answer for its tile: inference waits for every one in turn. Nothing of the
        // slide's state is trusted afterwards, for the error ends it.
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut rgb = vec![255; side as usize * side as usize * 3];
            let (x, y) = (plan.across.origin(tile.column), plan.down.origin(tile.row));
            plan.plane.read(slide, x, y, side, side, &mut rgb)?;
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
    network: &mut Network,
    batch: usize,
    to_infer: &Receiver<Read>,
    permits: &Sender<()>,
    inferred: &Sender<(usize, Vec<f32>)>,
    tick: &(dyn Fn() + Sync),
) -> Result<u64, PipelineError> {
    let side = plan.model.tile as usize;
    let (bytes, values) = (side * side * 3, side * side);
    let mut waiting: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    let mut tiles = vec![255; batch * bytes];
    let (mut done, mut total) = (0, 0);
    while done < plan.tiles.len() {
        let wanted = batch.min(plan.tiles.len() - done);
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
        // A last batch that is not full is filled with white, so that the network always sees one shape.
        tiles[wanted * bytes..].fill(255);
        let answers = network.run(batch, &tiles)?;
        for (place, answer) in answers.chunks_exact(values).take(wanted).enumerate() {
            inferred
                .send((done + place, answer.to_vec()))
                .map_err(|_| PipelineError::Thread("stitching"))?;
            total += 1;
            tick();
        }
        done += wanted;
    }
    Ok(total)
}
