//! Writes the slides of a finished run as SpatialData stores.
//!
//! ```sh
//! cargo run -p ftuseg-export --features spatialdata --example spatialdata -- results stores
//! ```

use std::path::Path;

use ftuseg_export::{Replace, Run, spatialdata};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(results), Some(out)) = (args.next(), args.next()) else {
        return Err("usage: spatialdata RESULTS OUT".into());
    };
    for slide in Run::open(Path::new(&results))?.slides() {
        let done = spatialdata::write(slide, Path::new(&out), Replace::Refuse)?;
        println!("{}: {} objects", slide.id, done.objects);
    }
    Ok(())
}
