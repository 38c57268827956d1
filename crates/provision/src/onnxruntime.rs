//! ONNX Runtime's library: its names, its wheels, and the check that a file is it.
//!
//! The search goes, in this order, through: the path that the user names (an option of the program, then the variable
//! `ORT_DYLIB_PATH`); the program's cache folder; an `onnxruntime` package of the active or default Python; and
//! at last it brings one fixed wheel with pip into the cache folder, checked against a sum in this program. How it
//! searches is in [`crate`].
//!
//! ```no_run
//! # use ftuseg_provision::onnxruntime;
//! let search = onnxruntime::search(None, false);
//! let located = onnxruntime::locate(&search, &mut |line| eprintln!("{line}"))?;
//! println!("ONNX Runtime {} at {}", located.version, located.path.display());
//! # Ok::<(), onnxruntime::LibraryError>(())
//! ```

use std::ffi::{CStr, c_char, c_void};
use std::path::{Path, PathBuf};

use libloading::Library;

pub use crate::accelerator::pinned::{ACCELERATORS, CUDA, OPENVINO};
#[cfg(feature = "pip")]
pub use crate::install;
pub use crate::{Accelerator, locate_accelerated};
pub use crate::{
    LibraryError, Located, PlaceKind, PlaceOutcome, Search, SearchedPlace, locate, survey,
};
use crate::{LibrarySpec, Wheel, reason};

/// The ONNX Runtime interface that this program is built against: the `api-24` feature of the `ort` crate.
/// Version 1.N of the library offers the interfaces 1 to N, so 1.24 is the oldest that works.
pub const API_VERSION: u32 = 24;

/// What is looked for.
pub static ONNX_RUNTIME: LibrarySpec = LibrarySpec {
    name: "ONNX Runtime",
    variable: "ORT_DYLIB_PATH",
    package: "onnxruntime",
    packages: &[
        "onnxruntime",
        "onnxruntime-gpu",
        "onnxruntime-openvino",
        "onnxruntime-directml",
    ],
    module: "onnxruntime",
    folder: "capi",
    stem: "libonnxruntime",
    dll: "onnxruntime.dll",
    places: &["", "lib", "bin", "capi", "onnxruntime/capi"],
    system: false,
    entry: ENTRY,
    oldest: (1, API_VERSION),
    wheels: &[
        LINUX_X86_64,
        LINUX_AARCH64,
        MACOS_AARCH64,
        WINDOWS_X86_64,
        WINDOWS_AARCH64,
    ],
    load,
};

/// The search of a program: `option` is the path that the user names, `offline` forbids bringing the library.
pub fn search(option: Option<PathBuf>, offline: bool) -> Search {
    Search::from_environment(&ONNX_RUNTIME, option, offline)
}

/// The one function that every ONNX Runtime library exports.
const ENTRY: &[u8] = b"OrtGetApiBase\0";
const VERSION: &str = "1.31.1";
const PYTHON: &str = "312";
const SO: &str = "onnxruntime/capi/libonnxruntime.so.1.31.1";
const DYLIB: &str = "onnxruntime/capi/libonnxruntime.1.31.1.dylib";
const DLL: &str = "onnxruntime/capi/onnxruntime.dll";

/// Linux with glibc 2.28 or newer on x86-64.
const LINUX_X86_64: Wheel = Wheel {
    version: VERSION,
    machine: ("linux", "x86_64"),
    platform: "manylinux_2_28_x86_64",
    python_version: PYTHON,
    size: 23_760_988,
    sha256: "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536",
    member: SO,
    library: "libonnxruntime.so.1.31.1",
    library_size: 29_352_200,
    library_sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
};

/// Linux with glibc 2.28 or newer on 64-bit ARM.
const LINUX_AARCH64: Wheel = Wheel {
    version: VERSION,
    machine: ("linux", "aarch64"),
    platform: "manylinux_2_28_aarch64",
    python_version: PYTHON,
    size: 21_420_803,
    sha256: "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
    member: SO,
    library: "libonnxruntime.so.1.31.1",
    library_size: 25_265_040,
    library_sha256: "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
};

/// macOS 14 or newer on Apple silicon. Intel Macs have no wheel after 1.23, which is too old.
const MACOS_AARCH64: Wheel = Wheel {
    version: VERSION,
    machine: ("macos", "aarch64"),
    platform: "macosx_14_0_arm64",
    python_version: PYTHON,
    size: 20_882_125,
    sha256: "96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c",
    member: DYLIB,
    library: "libonnxruntime.1.31.1.dylib",
    library_size: 33_037_336,
    library_sha256: "d586cbe89effc085a09d3341b3cfbd5c322517f9d397aeb20814af21433f2b36",
};

/// Windows on x86-64.
const WINDOWS_X86_64: Wheel = Wheel {
    version: VERSION,
    machine: ("windows", "x86_64"),
    platform: "win_amd64",
    python_version: PYTHON,
    size: 14_888_466,
    sha256: "ae8a9a351efda685cc59a66226cdefaa37a126c1d66872ca23a2de9425326130",
    member: DLL,
    library: "onnxruntime.dll",
    library_size: 19_288_376,
    library_sha256: "e45f61e50d8650885452be538a00bb14a715e46a1bc3691000ce947e89ed0306",
};

/// Windows on 64-bit ARM.
const WINDOWS_AARCH64: Wheel = Wheel {
    version: VERSION,
    machine: ("windows", "aarch64"),
    platform: "win_arm64",
    python_version: PYTHON,
    size: 14_740_724,
    sha256: "fe8b9ac1ae8e894e12c47ee82e4f6dfc1835768133687257866469fda80d0bf1",
    member: DLL,
    library: "onnxruntime.dll",
    library_size: 19_171_640,
    library_sha256: "dc9e2fe646a72829386a24ac9185a7a4e26d7dbe5dc433d41df063603c00bbc7",
};

/// The start of the structure that `OrtGetApiBase` returns; its layout never changes.
#[repr(C)]
struct ApiBase {
    get_api: Option<unsafe extern "system" fn(u32) -> *const c_void>,
    get_version_string: Option<unsafe extern "system" fn() -> *const c_char>,
}

/// Loads the library, asks for its version and its interface, and leaves it loaded when both will do.
fn load(product: &'static LibrarySpec, path: &Path) -> Result<String, LibraryError> {
    let not = |found: &str| product.foreign(path, found);
    // SAFETY: loading runs the file's initialisers, which no check can vouch for. The file is whole and for
    // this platform (`inspect`), and it is one that the user named or installed, or whose sum is pinned.
    let library = unsafe { Library::new(path) }.map_err(|e| LibraryError::Load {
        path: path.to_path_buf(),
        reason: reason(&e),
    })?;
    // SAFETY: this name is ONNX Runtime's own, and it has had this type since the first version.
    let entry = unsafe { library.get::<unsafe extern "system" fn() -> *const ApiBase>(ENTRY) }
        .map_err(|_| not("it does not export OrtGetApiBase"))?;
    // SAFETY: the function takes nothing and may be called at any time from any thread.
    let base = unsafe { entry() };
    // SAFETY: null, or a pointer to a constant that lives as long as the loaded library does.
    let base = unsafe { base.as_ref() }.ok_or_else(|| not("OrtGetApiBase returns nothing"))?;
    let (Some(get_api), Some(get_version)) = (base.get_api, base.get_version_string) else {
        return Err(not("its function table is empty"));
    };
    // SAFETY: the function takes nothing and returns a constant string.
    let text = unsafe { get_version() };
    if text.is_null() {
        return Err(not("it states no version"));
    }
    // SAFETY: not null, and a string constant of the library that ends with a zero byte.
    let version: String = unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .chars()
        .filter(|c| !c.is_control())
        .take(64)
        .collect();
    // An old library writes a complaint of its own when asked for an interface it lacks: ask only if need be.
    let usable = product.new_enough(&version) != Some(false) && {
        // SAFETY: any number may be asked for; null is the answer to those it does not know.
        !unsafe { get_api(API_VERSION) }.is_null()
    };
    if !usable {
        return Err(product.too_old(path, version));
    }
    // Never unloaded: the session that follows needs it, and unloading runs code of its own.
    std::mem::forget(library);
    Ok(version)
}
