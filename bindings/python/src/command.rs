//! The command, and where the package lies.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;

/// Runs the command `ftuseg`, whose arguments begin with its name, and returns its exit code.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| ftuseg_cli::run(arguments))
}

/// Says where the package lies: a bundle that came with it is there, in the folder `bundle`.
#[pyfunction]
pub(crate) fn set_program_folder(folder: PathBuf) {
    ftuseg::bundle::set_program_folder(folder);
}
