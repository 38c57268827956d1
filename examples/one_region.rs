//! One region of a slide, for a viewer say, which can change its mind.
//!
//!     cargo run --release --example one_region -- slide.svs [BUNDLE]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ftuseg::{Engine, PipelineError, Rect, Request, slide};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which slide?")?;
    let bundle = arguments.next().unwrap_or("models/bundle".to_owned());
    run(&path, &bundle, Duration::from_secs(60))
}

/// Segments the middle of a slide, unless that takes longer than `patience`.
pub fn run(path: &str, bundle: &str, patience: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::builder(bundle).build()?;
    let slide = slide::open(path.as_ref())?;
    let (width, height) = (slide.info().width(), slide.info().height());
    let stop = AtomicBool::new(false);
    let request = Request {
        region: Some(Rect {
            x: width / 4,
            y: height / 4,
            width: (width / 2).max(1),
            height: (height / 2).max(1),
        }),
        stop: Some(&stop),
        progress: Some(&|tiles| eprintln!("{} of {} tiles", tiles.inferred, tiles.planned)),
        ..Request::default()
    };
    std::thread::scope(|scope| {
        let (done, ended) = std::sync::mpsc::channel::<()>();
        let stop = &stop;
        // What a viewer does when its user moves on.
        scope.spawn(move || {
            if ended.recv_timeout(patience).is_err() {
                stop.store(true, Ordering::Relaxed);
            }
        });
        let found = engine.segment(slide.as_ref(), &request);
        let _ = done.send(());
        match found {
            Ok(found) => println!("{} objects", found.objects().len()),
            Err(PipelineError::Cancelled) => println!("nobody waits for it any more"),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    })
}
