//! The compressions of TIFF.

/// How the bytes of a tile or strip are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Lzw,
    Deflate,
    PackBits,
    #[cfg(feature = "zstd")]
    Zstandard,
    Jpeg,
    #[cfg(feature = "jpeg2000")]
    Jpeg2000,
    #[cfg(feature = "webp")]
    WebP,
}

impl Packing {
    /// From the tag `Compression`.
    pub(super) fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            1 => Packing::None,
            5 => Packing::Lzw,
            7 => Packing::Jpeg,
            8 | 32_946 => Packing::Deflate,
            32_773 => Packing::PackBits,
            #[cfg(feature = "jpeg2000")]
            33_003 | 33_005 | 34_712 => Packing::Jpeg2000,
            #[cfg(feature = "zstd")]
            34_926 | 50_000 => Packing::Zstandard,
            #[cfg(feature = "webp")]
            34_927 | 50_001 => Packing::WebP,
            _ => return None,
        })
    }

    /// Whether every sample comes out as a number of its own, not as a lossy codec's guess at 8 bits.
    pub(super) fn is_exact(self) -> bool {
        #[cfg(feature = "jpeg2000")]
        if self == Packing::Jpeg2000 {
            return true;
        }
        !self.is_image()
    }

    /// Whether an image codec does the work, with its own header and its own idea of samples.
    pub(super) fn is_image(self) -> bool {
        match self {
            Packing::Jpeg => true,
            #[cfg(feature = "jpeg2000")]
            Packing::Jpeg2000 => true,
            #[cfg(feature = "webp")]
            Packing::WebP => true,
            _ => false,
        }
    }
}

/// The name of a compression, for people.
pub(super) fn compression_name(code: u64) -> String {
    match code {
        1 => "none",
        2..=4 => "CCITT fax",
        5 => "LZW",
        6 => "old JPEG",
        7 => "JPEG",
        8 | 32_946 => "Deflate",
        32_773 => "PackBits",
        33_003 | 33_005 | 34_712 => "JPEG 2000",
        34_887 => "LERC",
        34_892 => "lossy JPEG",
        34_925 => "LZMA",
        34_926 | 50_000 => "Zstandard",
        34_927 | 50_001 => "WebP",
        34_933 | 50_002 => "JPEG XL",
        _ => return format!("number {code}"),
    }
    .to_owned()
}
