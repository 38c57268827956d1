//! The real thing: pip, its index and the pinned wheel of this platform.

use std::fs;

use super::super::{LibraryError, PlaceKind, locate, probe};
use super::*;

#[test]
fn the_pinned_wheel_is_brought_and_works() {
    let dir = tempfile::tempdir().unwrap();
    let mut search = Search::from_environment(&ONNX_RUNTIME, None, false);
    if search.offline {
        return println!("skipped: FTUSEG_OFFLINE is set");
    }
    search.option = None;
    search.variable = None;
    search.cache = Some(dir.path().to_path_buf());
    for python in &mut search.pythons {
        python.has_packages = false;
    }
    let found = match locate(&search, &mut |_| ()) {
        Ok(found) => found,
        Err(LibraryError::NotFound { reason, .. }) => match *reason {
            // What depends on the machine; a wrong sum or a wrong content does not.
            LibraryError::Unreachable { .. }
            | LibraryError::PipMissing { .. }
            | LibraryError::PipFailed { .. }
            | LibraryError::DiskFull { .. }
            | LibraryError::NoWheel { .. } => return println!("skipped: {reason}"),
            other => panic!("{other}"),
        },
        Err(other) => panic!("{other}"),
    };
    let wheel = search.wheel.unwrap();
    assert_eq!(
        (found.source, found.version.as_str()),
        (PlaceKind::Brought, wheel.version)
    );
    assert_eq!(found.sha256, wheel.library_sha256);
    assert_eq!(
        locate(&search, &mut |_| ()).unwrap().source,
        PlaceKind::Cache
    );

    let bytes = fs::read(&found.path).unwrap();
    let cut = dir.path().join("cut");
    for length in [1, 63, 64, 4096, bytes.len() / 2, bytes.len() * 3 / 4] {
        fs::write(&cut, &bytes[..length]).unwrap();
        assert!(probe(&ONNX_RUNTIME, &cut).is_err(), "{length}");
    }
}
