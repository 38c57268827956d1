//! The engine for Python: the module `ftuseg._native`, which the package `ftuseg` shows.
//!
//! While slides are opened, segmented, outlined and painted, the interpreter is free for other threads. Nothing here is
//! `unsafe`; what crosses the border goes through `pyo3`, `numpy` and `arrow`.

mod command;
mod engine;
mod error;
mod objects;
mod organ_map;
mod pixels;
mod result;
mod run;

/// The engine of ftuseg. The package `ftuseg` shows all that is meant to be used.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::command::{run_command, set_program_folder};
    #[pymodule_export]
    use super::engine::Engine;
    #[pymodule_export]
    use super::objects::Objects;
    #[pymodule_export]
    use super::organ_map::OrganMap;
    #[pymodule_export]
    use super::result::{Doubt, SlideResult};

    /// The version of the engine, and of the package.
    #[pymodule_export]
    #[expect(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
