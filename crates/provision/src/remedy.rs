//! How a user gets a library that this program could not find or bring, as data.

use std::fmt;

/// What a user can do by hand. A program that has options of its own adds which of them helps.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// Download the library's wheel on any machine with a network, and unpack it.
    Wheel(Box<WheelByHand>),
    /// Install a Python package that holds the library.
    Package {
        /// The package.
        package: &'static str,
    },
    /// Install an accelerated build, which this program can also bring when it is asked to.
    Accelerator {
        /// Its name: `openvino` or `cuda`.
        name: &'static str,
        /// The Python package that holds it.
        package: &'static str,
        /// About how many megabytes come over the network.
        megabytes: u32,
    },
}

/// How a wheel is downloaded and unpacked by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WheelByHand {
    /// What pip is told after `-m pip`.
    pub pip: String,
    /// The folder to download to and to unpack in.
    pub folder: String,
    /// The folder in it that holds the library then.
    pub library: String,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remedy::Wheel(by_hand) => {
                let WheelByHand {
                    pip,
                    folder,
                    library,
                } = by_hand.as_ref();
                write!(
                    f,
                    "By hand, on any machine with a network:\n    python3 -m pip {pip} -d {folder}\n    \
                     python3 -m zipfile -e {folder}/*.whl {folder}\nThe library is then in {folder}/{library}"
                )
            }
            Remedy::Package { package } | Remedy::Accelerator { package, .. } => {
                write!(f, "By hand: python3 -m pip install {package}")
            }
        }
    }
}
