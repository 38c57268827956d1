//! The pinned wheel for each platform: which file is brought, and the sums that prove it is that file.

/// One wheel of the Python package `onnxruntime`, and the library inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheel {
    /// Version of the package, such as `1.31.1`.
    pub version: &'static str,
    /// The platform tag that pip is asked for.
    pub platform: &'static str,
    /// The Python version that pip is asked for, without a dot (old pips want it so). It says nothing
    /// about the local Python: the library inside does not depend on it.
    pub python_version: &'static str,
    /// Size of the wheel in bytes.
    pub size: u64,
    /// sha256 of the wheel, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// Path of the library inside the wheel.
    pub member: &'static str,
    /// File name of the library in the cache folder: one plain name, no folder.
    pub library: &'static str,
    /// Size of the library in bytes.
    pub library_size: u64,
    /// sha256 of the library.
    pub library_sha256: &'static str,
}

const VERSION: &str = "1.31.1";
const PYTHON: &str = "312";
const SO: &str = "onnxruntime/capi/libonnxruntime.so.1.31.1";
const DYLIB: &str = "onnxruntime/capi/libonnxruntime.1.31.1.dylib";
const DLL: &str = "onnxruntime/capi/onnxruntime.dll";

/// Linux with glibc 2.28 or newer on x86-64.
const LINUX_X86_64: Wheel = Wheel {
    version: VERSION,
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
    platform: "win_arm64",
    python_version: PYTHON,
    size: 14_740_724,
    sha256: "fe8b9ac1ae8e894e12c47ee82e4f6dfc1835768133687257866469fda80d0bf1",
    member: DLL,
    library: "onnxruntime.dll",
    library_size: 19_171_640,
    library_sha256: "dc9e2fe646a72829386a24ac9185a7a4e26d7dbe5dc433d41df063603c00bbc7",
};

impl Wheel {
    /// Every pinned wheel.
    pub const ALL: [Wheel; 5] = [
        LINUX_X86_64,
        LINUX_AARCH64,
        MACOS_AARCH64,
        WINDOWS_X86_64,
        WINDOWS_AARCH64,
    ];

    /// The wheel for the platform that this program was built for, or `None` where there is none.
    pub fn for_this_platform() -> Option<Wheel> {
        // The Linux wheels are linked with glibc; a program linked with another libc cannot load them.
        if cfg!(all(target_os = "linux", not(target_env = "gnu"))) {
            return None;
        }
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Some(LINUX_X86_64),
            ("linux", "aarch64") => Some(LINUX_AARCH64),
            ("macos", "aarch64") => Some(MACOS_AARCH64),
            ("windows", "x86_64") => Some(WINDOWS_X86_64),
            ("windows", "aarch64") => Some(WINDOWS_AARCH64),
            _ => None,
        }
    }

    /// What pip is told after `-m pip`, without the folder to download to.
    pub(super) fn pip_arguments(&self) -> Vec<String> {
        [
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--platform",
            self.platform,
            "--python-version",
            self.python_version,
            "--implementation",
            "cp",
        ]
        .map(String::from)
        .into_iter()
        .chain([format!("onnxruntime=={}", self.version)])
        .collect()
    }

    /// How a user gets the library without this program's help.
    pub(super) fn by_hand(&self) -> String {
        format!(
            "By hand, on any machine with a network:\n    python3 -m pip {} -d ort\n    \
             python3 -m zipfile -e ort/{} ort\n\
             then here: ftuseg --runtime ort/onnxruntime/capi ...",
            self.pip_arguments().join(" "),
            self.file_name(),
        )
    }

    /// The name that the package index gives the wheel.
    fn file_name(&self) -> String {
        let (version, python) = (self.version, self.python_version);
        format!(
            "onnxruntime-{version}-cp{python}-cp{python}-{}.whl",
            self.platform
        )
    }
}
