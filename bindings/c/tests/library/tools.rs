//! The tools of the machine, and the library as it is installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The package's folder.
pub fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where Cargo puts the libraries: beside the tests.
pub fn built() -> PathBuf {
    std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned()
}

/// Runs a command that has to go well.
pub fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

pub fn printed(command: &mut Command) -> String {
    String::from_utf8(run(command).stdout).unwrap()
}

/// Whether a tool is there. Says so if it is not.
pub fn has(tool: &str) -> bool {
    let found = Command::new(tool)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("there is no {tool}: what needs it is skipped");
    }
    found
}

/// The library as install.sh installs it. One copy serves all tests.
pub fn installed() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        // In the target folder, so that what a test run leaves is where such things are.
        let prefix = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("installed");
        let _ = std::fs::remove_dir_all(&prefix);
        install(&prefix, &[]);
        prefix
    })
}

pub fn install(prefix: &Path, more: &[&str]) {
    let mut script = Command::new(here().join("install.sh"));
    run(script
        .arg("--prefix")
        .arg(prefix)
        .arg("--built")
        .arg(built())
        .args(more));
}

/// The flags with which a program is built, as pkg-config says them.
pub fn flags() -> Vec<String> {
    let libraries = installed().join("lib");
    let flags = if has("pkg-config") {
        let mut ask = Command::new("pkg-config");
        printed(
            ask.env("PKG_CONFIG_PATH", libraries.join("pkgconfig"))
                .args(["--cflags", "--libs", "ftuseg"]),
        )
    } else {
        let (prefix, libraries) = (installed().display(), libraries.display());
        format!("-I{prefix}/include -L{libraries} -lftuseg")
    };
    flags.split_whitespace().map(str::to_owned).collect()
}
