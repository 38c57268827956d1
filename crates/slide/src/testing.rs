//! What every [`SlideReader`] must do, as checks that a reader of your own can be held against.
//!
//! [`check_reader`] reads every level whole, and small pieces of it from many threads: give it slides of up to a few
//! thousand px a side.

use crate::{Level, SlideError, SlideReader};

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject} breaks the rule \"{rule}\": {detail}")]
pub struct Violation {
    /// What was checked.
    pub subject: String,
    /// The rule.
    pub rule: &'static str,
    /// What was found instead.
    pub detail: String,
}

/// Checks of one subject.
#[derive(Debug, Clone, Copy)]
pub struct Checks<'a>(&'a str);

impl<'a> Checks<'a> {
    /// Checks of what `subject` names.
    pub fn of(subject: &'a str) -> Self {
        Checks(subject)
    }

    /// Passes if the rule holds.
    ///
    /// # Errors
    /// If it does not, with `detail`.
    pub fn hold(
        self,
        rule: &'static str,
        holds: bool,
        detail: impl FnOnce() -> String,
    ) -> Result<(), Violation> {
        match holds {
            true => Ok(()),
            false => Err(self.broken(rule, detail())),
        }
    }

    /// The rule is broken.
    pub fn broken(self, rule: &'static str, detail: impl ToString) -> Violation {
        Violation {
            subject: self.0.to_owned(),
            rule,
            detail: detail.to_string(),
        }
    }
}

/// The px of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
    /// RGB, `[height, width, 3]`.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// Reads a whole level.
    ///
    /// # Errors
    /// When it cannot be read, does not exist or does not fit into memory.
    pub fn level(slide: &dyn SlideReader, level: usize) -> Result<Self, SlideError> {
        let usage = |reason: &str| SlideError::usage("level".as_ref(), reason);
        let size = slide.info().levels.get(level).copied();
        let Level { width, height } = size.ok_or_else(|| usage("no such level"))?;
        let length = crate::rgb_len(width, height).ok_or_else(|| usage("too large"))?;
        // Neither white nor black, so that px that are not written show.
        let mut rgb = vec![1; length];
        slide.read(level, 0, 0, width, height, &mut rgb)?;
        Ok(Picture { width, height, rgb })
    }

    /// Cuts a region out; what lies outside is white.
    fn cut(&self, region: Region) -> Vec<u8> {
        let mut out = vec![255; region.bytes()];
        let (width, height) = (i64::from(self.width), i64::from(self.height));
        let rows = out.chunks_exact_mut(region.width as usize * 3);
        for (y, row) in (i128::from(region.y)..).zip(rows) {
            for (x, px) in (i128::from(region.x)..).zip(row.chunks_exact_mut(3)) {
                if (0..i128::from(width)).contains(&x) && (0..i128::from(height)).contains(&y) {
                    let at = (y as usize * self.width as usize + x as usize) * 3;
                    px.copy_from_slice(&self.rgb[at..at + 3]);
                }
            }
        }
        out
    }
}

#[derive(Debug, Clone, Copy)]
struct Region {
    x: i64,
    y: i64,
    width: u32,
    height: u32,
}

impl Region {
    fn bytes(self) -> usize {
        self.width as usize * self.height as usize * 3
    }
}

/// Numbers that look random and are the same in every run (Steele and others, 2014: SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next_number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// The next number, below a limit; 0 if the limit is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next_number().checked_rem(limit).unwrap_or(0)
    }
}

/// Regions of a level: around its corners and edges, far outside, single px, and scattered ones.
fn regions(width: u32, height: u32, seed: u64) -> Vec<Region> {
    let (w, h) = (i64::from(width), i64::from(height));
    let region = |x, y, width, height| Region {
        x,
        y,
        width,
        height,
    };
    let mut all = vec![
        region(-7, -9, 20, 21),
        region(w - 8, h - 6, 19, 17),
        region(-5, h / 2, width.min(500) + 10, 3),
        region(w / 2, -5, 3, height.min(500) + 10),
        region(-40, -40, 30, 30),
        region(w + 3, 0, 5, 5),
        region(0, h, 4, 4),
        region(i64::MIN, i64::MAX, 4, 4),
        region(i64::MAX, i64::MIN, 4, 4),
        region(0, 0, 1, 1),
        region(w - 1, h - 1, 1, 1),
    ];
    let mut random = Random(seed);
    for _ in 0..30 {
        let x = random.below(u64::from(width) + 20) as i64 - 10;
        let y = random.below(u64::from(height) + 20) as i64 - 10;
        let size = |random: &mut Random| random.below(70) as u32 + 1;
        all.push(region(x, y, size(&mut random), size(&mut random)));
    }
    all
}

/// Holds a reader against the rules. `open` opens the slide anew each time; `subject` names it, and errors must name it
/// too.
///
/// # Errors
/// The first rule that the reader breaks.
pub fn check_reader<'a>(
    subject: &str,
    open: impl Fn() -> Result<Box<dyn SlideReader + 'a>, SlideError>,
) -> Result<(), Violation> {
    let checks = Checks::of(subject);
    let open = || open().map_err(|e| checks.broken("it opens, every time", e));
    let slide = open()?;
    sizes(checks, slide.as_ref())?;
    let whole = |level| {
        Picture::level(slide.as_ref(), level)
            .map_err(|e| checks.broken("every level is read whole", e))
    };
    let levels: Result<Vec<Picture>, Violation> =
        (0..slide.info().levels.len()).map(whole).collect();
    let levels = levels?;
    regions_are_cuts(checks, slide.as_ref(), &levels, 1)?;
    // A reader of its own, so that no thread finds its tiles decoded already.
    let fresh = open()?;
    checks.hold(
        "it says the same every time",
        fresh.info() == slide.info(),
        || format!("{:?}, then {:?}", slide.info(), fresh.info()),
    )?;
    std::thread::scope(|scope| {
        let (fresh, levels) = (fresh.as_ref(), &levels);
        let threads: Vec<_> = (10..14)
            .map(|seed| scope.spawn(move || regions_are_cuts(checks, fresh, levels, seed)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            let panicked = |_| Err(checks.broken("many threads may read", "a thread panicked"));
            thread.join().unwrap_or_else(panicked)
        })
    })?;
    refusals(checks, slide.as_ref(), subject)
}

/// Levels shrink, and keep the shape of the slide.
fn sizes(checks: Checks<'_>, slide: &dyn SlideReader) -> Result<(), Violation> {
    let info = slide.info();
    checks.hold("there is a level", !info.levels.is_empty(), String::new)?;
    for (number, level) in info.levels.iter().enumerate() {
        let detail = || format!("level {number} has {} x {} px", level.width, level.height);
        let is_sound = (1..=crate::MAX_SIDE).contains(&level.width)
            && (1..=crate::MAX_SIDE).contains(&level.height);
        checks.hold("a level has px, at most 2^20 a side", is_sound, detail)?;
        let (across, down) = info.downsample(number);
        let is_alike = (across / down - 1.0).abs() < 0.2;
        checks.hold("a level has the slide's shape", is_alike, detail)?;
    }
    for pair in info.levels.windows(2) {
        let shrinks = pair[1].width <= pair[0].width
            && pair[1].height <= pair[0].height
            && pair[0] != pair[1];
        checks.hold("levels shrink", shrinks, || format!("{pair:?}"))?;
    }
    if let Some(bounds) = info.bounds {
        let right = u64::from(bounds.x) + u64::from(bounds.width);
        let bottom = u64::from(bounds.y) + u64::from(bounds.height);
        let inside = right <= u64::from(info.width()) && bottom <= u64::from(info.height());
        checks.hold("what was scanned lies in the slide", inside, || {
            format!("{bounds:?}")
        })?;
    }
    Ok(())
}

/// Every region equals the same region cut from the whole level.
fn regions_are_cuts(
    checks: Checks<'_>,
    slide: &dyn SlideReader,
    levels: &[Picture],
    seed: u64,
) -> Result<(), Violation> {
    for (level, whole) in levels.iter().enumerate() {
        for region in regions(whole.width, whole.height, seed + level as u64) {
            let Region {
                x,
                y,
                width,
                height,
            } = region;
            let mut out = vec![1; region.bytes()];
            slide
                .read(level, x, y, width, height, &mut out)
                .map_err(|e| checks.broken("every region is read, outside of the level too", e))?;
            checks.hold(
                "a region is a cut of its level, white outside",
                out == whole.cut(region),
                || format!("level {level}, {width} x {height} px at ({x}, {y})"),
            )?;
        }
    }
    Ok(())
}

/// What does not exist is an error that names the slide, not a panic.
fn refusals(checks: Checks<'_>, slide: &dyn SlideReader, subject: &str) -> Result<(), Violation> {
    let beyond = slide.info().levels.len();
    for (level, length) in [(beyond, 12), (0, 11), (0, 0)] {
        let rule = "a level that is not there, or a buffer of another length, is a usage error that names the slide";
        let detail = |found: String| format!("level {level}, {length} bytes for 2 x 2 px: {found}");
        match slide.read(level, 0, 0, 2, 2, &mut vec![0; length]) {
            Ok(()) => return Err(checks.broken(rule, detail("no error".to_owned()))),
            Err(error) => {
                let holds = error.kind() == "usage" && error.to_string().contains(subject);
                checks.hold(rule, holds, || detail(error.to_string()))?;
            }
        }
    }
    Ok(())
}
