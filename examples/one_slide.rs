//! A slide's file to objects.
//!
//!     cargo run --release --example one_slide -- slide.svs [BUNDLE]

use ftuseg::{Engine, Request, slide};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which slide?")?;
    let bundle = arguments.next().unwrap_or("models/bundle".to_owned());
    run(&path, &bundle)
}

/// Prints the organ and the area of every object in a slide.
pub fn run(path: &str, bundle: &str) -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::builder(bundle).build()?;
    let slide = slide::open(path.as_ref())?;
    let found = engine.segment(slide.as_ref(), &Request::default())?;
    for object in found.objects() {
        println!("{}: {} px", object.target, object.polygon.area);
    }
    for warning in slide.warnings().iter().chain(&found.warnings) {
        eprintln!("warning: {}", warning.text);
    }
    Ok(())
}
