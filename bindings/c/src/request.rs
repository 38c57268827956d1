//! What is wanted of one slide, and how it goes.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use ftuseg::pipeline::{KeepProbabilities, TileCount};
use ftuseg::slide::{Resolution, ResolutionSource};
use ftuseg::{Organ, Rect};

use super::cancel::ftuseg_cancel;
use super::error::Failure;
use super::sized::{self, Versioned};
use super::strings::text_of;

/// A rectangle of px at full size, counted from the top left of the slide.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ftuseg_rect {
    /// The leftmost column.
    pub x: u32,
    /// The topmost row.
    pub y: u32,
    /// How many columns.
    pub width: u32,
    /// How many rows.
    pub height: u32,
}

impl From<ftuseg_rect> for Rect {
    fn from(rect: ftuseg_rect) -> Self {
        Rect {
            x: rect.x,
            y: rect.y,
            width: rect.width,
            height: rect.height,
        }
    }
}

/// Told how many tiles are done, of how many. Return 0 to go on, anything else to cancel. Called from the thread that
/// waits for the result and from others, but never twice at once for one slide. It must return soon, for work waits for
/// it; it must not segment anything itself; and it must return: no exception and no longjmp may leave it.
pub type ftuseg_progress_fn =
    Option<unsafe extern "C" fn(done: u64, planned: u64, user: *mut c_void) -> i32>;

/// What is wanted of one slide. Begin with `FTUSEG_REQUEST_INIT`, which asks for all of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ftuseg_request {
    /// sizeof(ftuseg_request).
    pub size: usize,
    /// The slide's id; NULL for the name of its file without the extension.
    pub id: *const c_char,
    /// The slide's organ, for the route "given"; else NULL.
    pub organ: *const c_char,
    /// um per px, instead of what the slide states; 0 to believe the slide.
    pub mpp: f64,
    /// The part that is wanted; all zero for all of it. Tissue is found and routed on the whole slide all the same.
    pub region: ftuseg_rect,
    /// Told of progress; may be NULL.
    pub progress: ftuseg_progress_fn,
    /// Handed to `progress` as it is.
    pub user: *mut c_void,
    /// Cancels the work from another thread; may be NULL.
    pub cancel: *const ftuseg_cancel,
}

// SAFETY: `repr(C)`, begins with its size; numbers, pointers, and a function that is `None` as zero.
unsafe impl Versioned for ftuseg_request {
    const NAME: &'static str = "ftuseg_request";
    const FIRST: usize = std::mem::offset_of!(Self, cancel) + size_of::<*const ftuseg_cancel>();
}

/// A request as the library understands it.
pub(crate) struct Wish<'a> {
    pub id: Option<&'a str>,
    organ: Option<Organ>,
    resolution: Option<Resolution>,
    region: Option<Rect>,
    progress: ftuseg_progress_fn,
    user: User,
    cancel: Option<&'a ftuseg_cancel>,
}

/// The resolution that a caller states; 0 is none.
fn resolution(mpp: f64) -> Result<Option<Resolution>, Failure> {
    if mpp == 0.0 {
        return Ok(None);
    }
    match Resolution::believable(mpp, ResolutionSource::Caller) {
        Some(resolution) => Ok(Some(resolution)),
        None => Err(Failure::usage(format!(
            "{mpp} um is no size that a px can have; it is from 0.02 to 40, or 0 if it is not known"
        ))),
    }
}

/// What the caller's function is to get. The caller says that other threads may hand it over.
#[derive(Clone, Copy)]
struct User(*mut c_void);

// SAFETY: it is not followed here, and the header says that `progress` is called from several threads.
unsafe impl Send for User {}
// SAFETY: as above.
unsafe impl Sync for User {}

impl User {
    fn get(self) -> *mut c_void {
        self.0
    }
}

impl Wish<'_> {
    /// Reads a request; NULL asks for all of a slide.
    ///
    /// # Safety
    /// `request` is NULL, or states its size and holds what its fields promise, while the wish lives.
    pub unsafe fn read(request: *const ftuseg_request) -> Result<Self, Failure> {
        if request.is_null() {
            return Ok(Wish {
                id: None,
                organ: None,
                resolution: None,
                region: None,
                progress: None,
                user: User(std::ptr::null_mut()),
                cancel: None,
            });
        }
        // SAFETY: as the caller promises.
        let request = unsafe { sized::read(request) }?;
        // SAFETY: as the caller promises.
        let organ = unsafe { text_of(request.organ, "the organ") }?;
        let organ = organ
            .map(|name| {
                let known = name.parse::<Organ>();
                known.map_err(|error| Failure::usage(error.to_string()))
            })
            .transpose()?;
        Ok(Wish {
            // SAFETY: as the caller promises.
            id: unsafe { text_of(request.id, "the slide's id") }?,
            organ,
            resolution: resolution(request.mpp)?,
            region: (request.region != ftuseg_rect::default()).then(|| request.region.into()),
            progress: request.progress,
            user: User(request.user),
            // SAFETY: as the caller promises.
            cancel: unsafe { request.cancel.as_ref() },
        })
    }

    /// Does the work with this wish as the engine wants it.
    pub fn run<T>(&self, work: impl FnOnce(&ftuseg::Request<'_>) -> T) -> T {
        let stopped = AtomicBool::new(false);
        let one_at_a_time = Mutex::new(());
        let user = self.user;
        let progress = |tiles: TileCount| {
            let Some(progress) = self.progress else {
                return;
            };
            let _turn = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
            // SAFETY: the caller's function takes two numbers and what the caller wanted it to get.
            if unsafe { progress(tiles.inferred, tiles.planned, user.get()) } != 0 {
                stopped.store(true, Ordering::Relaxed);
            }
        };
        let is_cancelled =
            || stopped.load(Ordering::Relaxed) || self.cancel.is_some_and(ftuseg_cancel::is_raised);
        work(&ftuseg::Request {
            mpp: self.resolution,
            organ: self.organ,
            region: self.region,
            // As the command keeps them: objects have the mean of theirs.
            probabilities: KeepProbabilities::FullSize,
            stop: Some(&is_cancelled),
            progress: Some(&progress),
        })
    }
}
