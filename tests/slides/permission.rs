//! A slide that may not be read is an error with the system's reason.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixtures::folder;
use crate::openslide_library::open;

/// Names the slide for the child.
const SLIDE: &str = "FTUSEG_TEST_UNREADABLE";
/// `nobody` on most systems; any user that is not root will do.
const NOBODY: u32 = 65_534;

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn assert_refused(path: &Path) {
    let Err(error) = open(path) else {
        panic!("{} opened", path.display());
    };
    assert_eq!(error.kind(), "io", "{error}");
    let text = error.to_string().to_lowercase();
    assert!(
        text.contains("unreadable.tif") && text.contains("permission denied"),
        "{text}"
    );
}

#[test]
fn a_slide_without_permission_is_an_error() {
    let work = tempfile::tempdir().unwrap();
    mode(work.path(), 0o755);
    let path = work.path().join("unreadable.tif");
    std::fs::copy(folder().join("grey.tif"), &path).unwrap();
    mode(&path, 0o000);
    if std::fs::File::open(&path).is_err() {
        return assert_refused(&path);
    }
    // Root may read anything, so somebody else has to try.
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "permission::child", "--ignored", "--nocapture"])
        .env(SLIDE, &path)
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output();
    match child {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => println!("skipped: root, and no other user can be had: {error}"),
    }
}

#[test]
#[ignore = "run by the test above, as another user"]
fn child() {
    if let Some(path) = std::env::var_os(SLIDE) {
        assert_refused(&PathBuf::from(path));
    }
}
