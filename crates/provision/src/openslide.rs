//! OpenSlide's library: its names, its wheels, and the check that a file is it.

use std::ffi::{CStr, c_char};
use std::path::Path;

use libloading::Library;

use crate::{LibraryError, LibrarySpec, Wheel, reason};

/// The OpenSlide library: what is looked for, and what pip may bring.
pub static OPENSLIDE: LibrarySpec = LibrarySpec {
    name: "OpenSlide",
    variable: "FTUSEG_OPENSLIDE",
    package: "openslide-bin",
    packages: &["openslide-bin"],
    module: "openslide_bin",
    folder: "",
    stem: "libopenslide",
    dll: "libopenslide-1.dll",
    places: &["", "lib", "bin", "openslide_bin"],
    system: true,
    entry: ENTRY,
    // Version 4 is the first to read DICOM, and to be safe for many threads without conditions.
    oldest: (4, 0),
    wheels: &[LINUX_X86_64, LINUX_AARCH64, MACOS, WINDOWS_X86_64],
    load,
};

/// A function that every version exports.
const ENTRY: &[u8] = b"openslide_get_version\0";

const VERSION: &str = "4.0.1.2";
const PYTHON: &str = "312";
const SO: &str = "openslide_bin/libopenslide.so.1";

/// Linux with glibc 2.28 or newer on x86-64.
const LINUX_X86_64: Wheel = Wheel {
    version: VERSION,
    machine: ("linux", "x86_64"),
    platform: "manylinux_2_28_x86_64",
    python_version: PYTHON,
    size: 2_758_562,
    sha256: "8ac4aa3a2277ed5e218ca0019db65bdd6e853f865eb4edd3da00e2f4acf0c923",
    member: SO,
    library: "libopenslide.so.1",
    library_size: 6_398_136,
    library_sha256: "552b5b77901bc9c7e7cc6e02a0b4f2861ffa85572b036a063db4f19ed2f357df",
};

/// Linux with glibc 2.28 or newer on 64-bit ARM.
const LINUX_AARCH64: Wheel = Wheel {
    version: VERSION,
    machine: ("linux", "aarch64"),
    platform: "manylinux_2_28_aarch64",
    python_version: PYTHON,
    size: 2_660_275,
    sha256: "0dff14807e1b7ccfd476ca5b6945edf46908b76ec61777d35acb2a514e205c30",
    member: SO,
    library: "libopenslide.so.1",
    library_size: 6_033_512,
    library_sha256: "71ee1bc265a5322a8d83a811faedd3473483a4c8e810e9725897830b01e56639",
};

/// macOS 11 or newer, one file for both processors.
const MACOS: Wheel = Wheel {
    version: VERSION,
    machine: ("macos", "any"),
    platform: "macosx_11_0_universal2",
    python_version: PYTHON,
    size: 3_208_622,
    sha256: "230cdb1e2cfa88b9f28ca8f51a7b47065b20a855ad3e7ba141cd663e5a713e8c",
    member: "openslide_bin/libopenslide.1.dylib",
    library: "libopenslide.1.dylib",
    library_size: 8_165_848,
    library_sha256: "f31fd20609d00b0348d66b08dd5cded12bd7ae0d312aa357e5e556a87dc546f2",
};

/// Windows on x86-64.
const WINDOWS_X86_64: Wheel = Wheel {
    version: VERSION,
    machine: ("windows", "x86_64"),
    platform: "win_amd64",
    python_version: PYTHON,
    size: 3_852_125,
    sha256: "0c882f0693e4b43e187a51469bff8057de381e865765ac5508a7e1feba319116",
    member: "openslide_bin/libopenslide-1.dll",
    library: "libopenslide-1.dll",
    library_size: 8_704_019,
    library_sha256: "dc8e35ad0ce001c4e878f2bebc23e87fb85d2bdebec5a542af2ecec3cb5cd635",
};

/// Loads the library, asks for its version, and leaves it loaded when that will do.
fn load(product: &'static LibrarySpec, path: &Path) -> Result<String, LibraryError> {
    // SAFETY: loading runs the file's initialisers, which no check can vouch for. The file is whole and for this
    // platform, and it is one that the user named or installed, or whose sum is pinned.
    let library = unsafe { Library::new(path) }.map_err(|e| LibraryError::Load {
        path: path.to_path_buf(),
        reason: reason(&e),
    })?;
    // SAFETY: this name is OpenSlide's own, and it has had this type since the first version.
    let version = unsafe { library.get::<unsafe extern "C" fn() -> *const c_char>(ENTRY) }
        .map_err(|_| product.foreign(path, "it does not export openslide_get_version"))?;
    // SAFETY: the function takes nothing and may be called at any time from any thread.
    let text = unsafe { version() };
    if text.is_null() {
        return Err(product.foreign(path, "it states no version"));
    }
    // SAFETY: not null, and a string constant of the library that ends with a zero byte.
    let version: String = unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .chars()
        .filter(|c| !c.is_control())
        .take(64)
        .collect();
    if product.new_enough(&version) == Some(false) {
        return Err(product.too_old(path, version));
    }
    // Never unloaded: slides that are open need it, and unloading runs code of its own.
    std::mem::forget(library);
    Ok(version)
}
