//! Runs one layer's plan: reader threads, one inference thread per lane, one stitching thread, and bounded channels
//! between them.

use std::collections::BTreeMap;
use std::ops::DerefMut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use ftuseg_router::OrganMap;

use crate::backend::BackendError;
use crate::slide::SlideReader;

use super::network::Lane;
use super::{
    Blend, KeepProbabilities, LayerPlan, Network, PipelineError, Request, Stitched, Stitcher,
    Symmetry,
};

/// How a plan is run.
#[derive(Clone, Copy)]
pub(super) struct RunSettings<'a> {
    /// How overlapping tiles are joined.
    pub blend: Blend,
    /// Whether a map of the probabilities is wanted.
    pub probabilities: KeepProbabilities,
    /// The symmetries that each tile is shown in.
    pub symmetries: &'static [Symmetry],
    /// Threads that read and resample.
    pub readers: usize,
    /// Tiles that the network is given at once.
    pub batch: usize,
    /// The most that tiles waiting between the stages may take, bytes.
    pub queue_bytes: Option<u64>,
    /// What is wanted, and whether it still is.
    pub request: &'a Request<'a>,
}

/// How many tiles may be between the stages at once.
#[derive(Debug, PartialEq, Eq)]
struct QueueLimits {
    /// Threads that read.
    readers: usize,
    /// Tiles that are being read or wait for the network.
    read: usize,
    /// Batches that are being inferred or wait to be stitched, all lanes together.
    batches: usize,
}

impl QueueLimits {
    /// Enough that no stage waits for another, or as many as the bytes allow, but at least one tile and one batch: half of
    /// the bytes for pixels (3 a px), half for answers (4 a px).
    fn new(how: &RunSettings<'_>, tile: u32, lanes: usize) -> Self {
        let (readers, batch, lanes) = (how.readers.max(1), how.batch.max(1), lanes.max(1));
        let px = u64::from(tile).pow(2);
        let within = |wanted: usize, bytes_a_px: u64| match how.queue_bytes {
            Some(bytes) => {
                let fit = usize::try_from(bytes / 2 / (px * bytes_a_px).max(1));
                wanted.min(fit.unwrap_or(wanted)).max(1)
            }
            None => wanted,
        };
        let read = within(readers + (1 + lanes) * batch, 3);
        QueueLimits {
            readers: readers.min(read),
            read,
            batches: (within((2 + lanes) * batch, 4) / batch).max(1),
        }
    }
}

/// A tile on its way, by its place in the plan.
type Read = (usize, Result<Vec<u8>, PipelineError>);

/// The answers of a batch, by the place of its first tile in the plan; `None` from a lane that has failed.
type Inferred = Option<(usize, Vec<f32>)>;

/// Runs the plan and returns what was stitched and how many tiles were inferred. `networks` are the plan's models, loaded.
///
/// `tick` is called after each tile, from any of the lanes' threads.
pub(super) fn run(
    slide: &dyn SlideReader,
    plan: &LayerPlan,
    map: &OrganMap,
    networks: &mut [impl DerefMut<Target = Network>],
    how: RunSettings<'_>,
    tick: &(dyn Fn() + Sync),
) -> Result<(Stitched, u64), PipelineError> {
    let largest = plan.views.iter().map(|view| view.tile).max();
    let mut lanes = lanes(networks);
    if lanes.is_empty() {
        return Err(PipelineError::Backend(BackendError::Usage(
            "the backend has no lanes to run networks in".to_owned(),
        )));
    }
    let limits = QueueLimits::new(&how, largest.unwrap_or(1), lanes.len());
    // A lane without a permit would wait for ever for one, and could not run anyway.
    lanes.truncate(limits.batches);
    // A reader takes a permit before it takes a tile, and inference gives it back in the plan's order. So at most
    // this many tiles are in memory, however slow one of them is to read.
    let (permits, permit) = full(limits.read)?;
    // The same for batches, between the lanes and the stitcher: however slow one lane is.
    let (batches, batch) = full(limits.batches)?;
    let (read, to_infer) = bounded::<Read>(limits.read);
    let (inferred, to_stitch) = bounded::<Inferred>(limits.batches);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading: Vec<_> = (0..limits.readers)
            .map(|_| {
                let (read, permit) = (read.clone(), permit.clone());
                let (next, stop) = (&next, &stop);
                scope.spawn(move || read_tiles(slide, plan, next, stop, &permit, &read))
            })
            .collect();
        drop((read, permit));
        let stitching = scope.spawn(move || stitch(plan, map, how, &to_stitch, &batches));
        let queue = Mutex::new(Queue {
            plan,
            batch: how.batch.max(1),
            to_infer,
            permits,
            waiting: BTreeMap::new(),
            taken: 0,
            is_torn: false,
        });
        let answer = std::thread::scope(|scope| {
            let infer = |lane| infer(plan, lane, how, &queue, &batch, &inferred, tick);
            let mut lanes = lanes.into_iter();
            let here = lanes.next();
            let others: Vec<_> = lanes.map(|lane| scope.spawn(move || infer(lane))).collect();
            let mut answers = vec![here.map_or(Ok(0), infer)];
            for other in others {
                let answer = other.join();
                answers.push(answer.unwrap_or(Err(PipelineError::Thread("inferring"))));
            }
            all_of(answers)
        });
        // Whatever happened, let the other threads come to their end.
        stop.store(true, Ordering::Relaxed);
        drop((inferred, queue, batch));
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

/// Each lane's sessions, by the networks' places.
fn lanes(networks: &mut [impl DerefMut<Target = Network>]) -> Vec<Vec<Lane<'_>>> {
    let mut lanes: Vec<Vec<Lane<'_>>> = Vec::new();
    for network in networks {
        for (place, lane) in network.lanes().enumerate() {
            if place == lanes.len() {
                lanes.push(Vec::new());
            }
            lanes[place].push(lane);
        }
    }
    lanes
}

/// A channel of permits with all of them in it.
fn full(permits: usize) -> Result<(Sender<()>, Receiver<()>), PipelineError> {
    let (give, take) = bounded(permits);
    for _ in 0..permits {
        give.send(())
            .map_err(|_| PipelineError::Thread("starting"))?;
    }
    Ok((give, take))
}

/// The tiles of all lanes together. Of several errors, one that says more than that another thread ended.
fn all_of(answers: Vec<Result<u64, PipelineError>>) -> Result<u64, PipelineError> {
    let (mut tiles, mut failed) = (0, None);
    for answer in answers {
        match (answer, &failed) {
            (Ok(count), _) => tiles += count,
            (Err(error), None | Some(PipelineError::Thread(_))) => failed = Some(error),
            (Err(_), Some(_)) => {}
        }
    }
    failed.map_or(Ok(tiles), Err)
}

/// Stitches the answers in the plan's order, whichever lane is done first.
fn stitch(
    plan: &LayerPlan,
    map: &OrganMap,
    how: RunSettings<'_>,
    to_stitch: &Receiver<Inferred>,
    batches: &Sender<()>,
) -> Result<Stitched, PipelineError> {
    let mut stitcher = Stitcher::new(plan, map, how.blend, how.probabilities)?;
    let mut waiting: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
    let mut next = 0;
    for batch in to_stitch {
        // What the lane that failed should have brought will never come. The others notice that nobody listens.
        let (first, answers) = batch.ok_or(PipelineError::Thread("inferring"))?;
        waiting.insert(first, answers);
        while let Some(answers) = waiting.remove(&next) {
            let side = plan.views[plan.order[next].0].tile as usize;
            for probabilities in answers.chunks_exact(side * side) {
                let (view, tile) = plan.order[next];
                stitcher.add(view, tile, probabilities)?;
                next += 1;
            }
            // The lanes may have left already; then nobody needs the permit.
            let _ = batches.try_send(());
        }
    }
    stitcher.finish()
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

/// What all lanes take their tiles from, in the plan's order.
struct Queue<'a> {
    plan: &'a LayerPlan,
    batch: usize,
    to_infer: Receiver<Read>,
    permits: Sender<()>,
    /// Tiles that were read before their turn.
    waiting: BTreeMap<usize, Vec<u8>>,
    /// Tiles that were handed out.
    taken: usize,
    /// A tile could not be read: it will never come, and nobody may wait for it.
    is_torn: bool,
}

impl Queue<'_> {
    /// The next batch, written into `tiles`: its first tile's place in the plan and how many there are. `None` at the
    /// end. A batch that is not full is filled with white, so that a network always sees one shape.
    fn take(&mut self, tiles: &mut Vec<u8>) -> Result<Option<(usize, usize)>, PipelineError> {
        if self.is_torn {
            return Ok(None);
        }
        let taken = self.next(tiles);
        self.is_torn = taken.is_err();
        taken
    }

    fn next(&mut self, tiles: &mut Vec<u8>) -> Result<Option<(usize, usize)>, PipelineError> {
        let first = self.taken;
        let Some(&(view, _)) = self.plan.order.get(first) else {
            return Ok(None);
        };
        // A batch holds tiles of one view.
        let rest = self.plan.order[first..].iter();
        let same = rest.take(self.batch).take_while(|next| next.0 == view);
        let wanted = same.count();
        let side = self.plan.views[view].tile as usize;
        let bytes = side * side * 3;
        tiles.resize(self.batch * bytes, 255);
        for place in 0..wanted {
            let tile = loop {
                if let Some(tile) = self.waiting.remove(&(first + place)) {
                    break tile;
                }
                let (index, tile) = self
                    .to_infer
                    .recv()
                    .map_err(|_| PipelineError::Thread("reading tiles"))?;
                self.waiting.insert(index, tile?);
            };
            tiles[place * bytes..(place + 1) * bytes].copy_from_slice(&tile);
            // The readers may have left already; then nobody needs the permit.
            let _ = self.permits.try_send(());
        }
        tiles[wanted * bytes..].fill(255);
        self.taken += wanted;
        Ok(Some((first, wanted)))
    }
}

/// One lane's work: takes batches, runs them, passes the answers on. Returns how many tiles it ran.
fn infer(
    plan: &LayerPlan,
    mut lane: Vec<Lane<'_>>,
    how: RunSettings<'_>,
    queue: &Mutex<Queue<'_>>,
    batch: &Receiver<()>,
    inferred: &Sender<Inferred>,
    tick: &(dyn Fn() + Sync),
) -> Result<u64, PipelineError> {
    let mut failing = Failing(Some(inferred));
    let mut tiles = Vec::new();
    let mut done = 0;
    // The permit first: who holds the earliest batch then never waits for one.
    while batch.recv().is_ok() {
        if how.request.is_cancelled() {
            return Err(PipelineError::Cancelled);
        }
        let taken = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(&mut tiles)?;
        let Some((first, wanted)) = taken else {
            break;
        };
        let view = &plan.views[plan.order[first].0];
        let model = lane
            .get_mut(view.model)
            .ok_or(PipelineError::Thread("inferring"))?;
        let mut answers = model.run_shown(how.batch.max(1), &tiles, how.symmetries)?;
        answers.truncate(wanted * (view.tile as usize).pow(2));
        inferred
            .send(Some((first, answers)))
            .map_err(|_| PipelineError::Thread("stitching"))?;
        for _ in 0..wanted {
            tick();
        }
        done += wanted as u64;
    }
    failing.0 = None;
    Ok(done)
}

/// Tells the stitcher when a lane ends before its work does, by an error or a panic: else all would wait for its batch.
struct Failing<'a>(Option<&'a Sender<Inferred>>);

impl Drop for Failing<'_> {
    fn drop(&mut self) {
        if let Some(inferred) = self.0 {
            // It may have ended already.
            let _ = inferred.send(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_bound_what_waits_but_never_to_nothing() {
        let limits = |queue_bytes, lanes| {
            let how = RunSettings {
                blend: Blend::Crop,
                symmetries: &[],
                probabilities: KeepProbabilities::No,
                readers: 4,
                batch: 2,
                queue_bytes,
                request: &Request::default(),
            };
            let found = QueueLimits::new(&how, 100, lanes);
            (found.readers, found.read, found.batches)
        };
        assert_eq!(limits(None, 1), (4, 8, 3));
        assert_eq!(limits(None, 4), (4, 14, 6));
        assert_eq!(limits(Some(u64::MAX), 1), (4, 8, 3));
        // 30 kB a tile of pixels, 40 kB a tile of answers.
        assert_eq!(limits(Some(300_000), 1), (4, 5, 1));
        assert_eq!(limits(Some(120_000), 1), (2, 2, 1));
        assert_eq!(limits(Some(1), 4), (1, 1, 1));
    }
}
