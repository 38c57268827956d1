//! What the engine costs without networks: a stand-in backend that answers at once, and the masks alone.

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use ftuseg::mask::{polygons, rle};
use ftuseg::pipeline::Request;
use ftuseg::slide;
use ftuseg_router::Organ;

use crate::blobs::blobs;
use crate::page::line;
use crate::sections::Setting;
use crate::stand_in::stand_in;

/// Seconds of one call.
fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    black_box(work());
    started.elapsed().as_secs_f64()
}

/// Reading, resampling, stitching and clean-up of a slide whose network answers at once.
pub(crate) fn engine(setting: &Setting) -> Result<String, Box<dyn Error>> {
    let path = setting.draw(setting.side, 1.0, &[Organ::Kidney])?;
    let mut text = format!(
        "## Without networks\n\nA slide of {side} x {side} px, JPEG tiles, with a backend that answers at once: Mpx of the slide a second, by \
         wall time, for each of {threads} threads.\n\n| Mpx/s a thread | median | spread |\n| --- | --- | --- |\n",
        side = setting.side,
        threads = setting.threads
    );
    for (name, mpp) in [
        ("tiles at the slide's um/px", 0.5),
        ("tiles at 2.5 um/px", 2.5),
    ] {
        let folder = tempfile::tempdir()?;
        let engine = stand_in(folder.path(), mpp, setting.threads)?;
        let run = || -> Result<f64, Box<dyn Error>> {
            let started = Instant::now();
            let slide = slide::open(&path)?;
            black_box(engine.segment(slide.as_ref(), &Request::default())?);
            Ok(started.elapsed().as_secs_f64())
        };
        run()?;
        let mpx = (f64::from(setting.side) / 1e3).powi(2);
        let rates = (0..setting.rounds.max(5))
            .map(|_| Ok(mpx / run()? / setting.threads as f64))
            .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
        line(&mut text, name, &rates, 1);
    }
    Ok(text)
}

/// Run-length encoding and outlines of masks as they are in memory.
pub(crate) fn masks(setting: &Setting) -> Result<String, Box<dyn Error>> {
    let (core, many) = (blobs(8, 375, 3000), blobs(100, 96, 9600));
    let written = rle::encode(&core);
    let (mut encode, mut decode, mut outline) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setting.rounds.max(15) {
        let gpx = f64::from(core.width()) * f64::from(core.height()) / 1e9;
        encode.push(gpx / seconds(|| rle::encode(black_box(&core))));
        decode.push(gpx / seconds(|| rle::decode(black_box(&written), 3000, 3000)));
        outline.push(seconds(|| polygons(black_box(&many))));
    }
    let mut text = "## Masks\n\nDrawn masks: a core of 3000 x 3000 px with 64 units, and 9600 x 9600 px with 10,000.\n\n\
                    | | median | spread |\n| --- | --- | --- |\n"
        .to_owned();
    line(
        &mut text,
        "RLE of the core, encoding, Gpx/s on one thread",
        &encode,
        2,
    );
    line(
        &mut text,
        "RLE of the core, decoding, Gpx/s on one thread",
        &decode,
        2,
    );
    line(&mut text, "outlines of 10,000 units, seconds", &outline, 3);
    let _ = writeln!(text, "\nThe core's RLE has {} bytes.", written.len());
    Ok(text)
}
