//! Where a slide's um/px comes from, and which values are believed.
//!
//! The first of these that gives a believable value is taken, and the record says which it was:
//!
//! 1. the caller: `--mpp`, then the manifest's column;
//! 2. the `MPP` of an Aperio description;
//! 3. `PhysicalSizeX` of OME-XML, with its unit;
//! 4. the resolution tags of a TIFF, which many programs fill with a default.
//!
//! What no microscope can have is passed over: 0, not a number, 1 px an inch or centimetre, 72, 96 or 300 dpi, and px
//! that are not square.

use serde::Serialize;

/// Who said how large a px is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolutionSource {
    /// The option `--mpp`.
    Option,
    /// The manifest's `mpp` or `pixel_size`.
    Manifest,
    /// The `MPP` of an Aperio image description.
    Aperio,
    /// The `PhysicalSizeX` of OME-XML.
    OmeXml,
    /// The resolution tags of a TIFF.
    TiffTags,
}

impl std::fmt::Display for ResolutionSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ResolutionSource::Option => "--mpp",
            ResolutionSource::Manifest => "manifest",
            ResolutionSource::Aperio => "Aperio description",
            ResolutionSource::OmeXml => "OME-XML",
            ResolutionSource::TiffTags => "TIFF resolution tags",
        })
    }
}

/// The size of a full-size px.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Resolution {
    /// um per full-size px.
    #[serde(rename = "value")]
    pub mpp: f64,
    /// Who said so.
    pub source: ResolutionSource,
}

impl Resolution {
    /// A resolution, if it is one a microscope can have: 0.02 to 40 um/px.
    ///
    /// Programs that know no resolution write 1 px/cm, 72, 96 or 300 dpi; all of these are over 80 um/px.
    pub fn believable(mpp: f64, source: ResolutionSource) -> Option<Self> {
        (mpp.is_finite() && (0.02..=40.0).contains(&mpp)).then_some(Resolution { mpp, source })
    }

    /// From TIFF's `XResolution`, `YResolution` (px per unit) and `ResolutionUnit` (2 inch, 3 centimetre).
    /// None when the unit is another, the sides differ by more than 2 %, or the value is not believable.
    pub(crate) fn from_tiff_tags(x: f64, y: f64, unit: u16) -> Option<Self> {
        let um = match unit {
            2 => 25_400.0,
            3 => 10_000.0,
            _ => return None,
        };
        Resolution::square(um / x, um / y, ResolutionSource::TiffTags)
    }

    /// From OME-XML's `PhysicalSizeX` and `PhysicalSizeY` with their units, which are um where none is given.
    /// None when a unit is no length, the sides differ by more than 2 %, or the value is not believable.
    pub(crate) fn from_ome(x: (f64, Option<&str>), y: (f64, Option<&str>)) -> Option<Self> {
        let um = |(value, unit): (f64, Option<&str>)| {
            let factor = match unit.unwrap_or("um") {
                // The micro sign, the Greek letter, and what replaces them.
                "\u{b5}m" | "\u{3bc}m" | "um" => 1.0,
                "nm" => 1e-3,
                "mm" => 1e3,
                "cm" => 1e4,
                "m" => 1e6,
                "in" => 25_400.0,
                _ => return None,
            };
            Some(value * factor)
        };
        Resolution::square(um(x)?, um(y)?, ResolutionSource::OmeXml)
    }

    /// From um/px across and down, which may differ by 2 %.
    fn square(x: f64, y: f64, source: ResolutionSource) -> Option<Self> {
        let alike = x > 0.0 && y > 0.0 && (x / y - 1.0).abs() <= 0.02;
        alike.then(|| Resolution::believable(x, source))?
    }

    /// From an Aperio image description, `Aperio ... |MPP = 0.4990|...`.
    pub(crate) fn from_aperio(description: &str) -> Option<Self> {
        let value = description.split('|').find_map(|field| {
            let (key, value) = field.split_once('=')?;
            (key.trim() == "MPP").then(|| value.trim().parse::<f64>().ok())?
        })?;
        Resolution::believable(value, ResolutionSource::Aperio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiff_tags_know_their_units() {
        let mpp = |x, y, unit| Resolution::from_tiff_tags(x, y, unit).map(|r| r.mpp);
        assert_eq!(mpp(25_000.0, 25_000.0, 3), Some(0.4));
        assert_eq!(mpp(50_800.0, 50_800.0, 2), Some(0.5));
        assert_eq!(mpp(25_000.0, 25_000.0, 1), None);
        assert_eq!(mpp(72.0, 72.0, 2), None);
        assert_eq!(mpp(300.0, 300.0, 2), None);
        assert_eq!(mpp(1.0, 1.0, 3), None);
        assert_eq!(mpp(0.0, 25_000.0, 3), None);
        assert_eq!(mpp(f64::NAN, 25_000.0, 3), None);
        assert_eq!(mpp(25_000.0, 50_000.0, 3), None);
    }

    #[test]
    fn ome_sizes_know_their_units() {
        let mpp = |x, y| Resolution::from_ome(x, y).map(|r| r.mpp);
        assert_eq!(mpp((0.5, None), (0.5, None)), Some(0.5));
        assert_eq!(mpp((0.5, Some("\u{3bc}m")), (500.0, Some("nm"))), Some(0.5));
        assert_eq!(
            mpp((0.25, Some("\u{b5}m")), (0.25, Some("\u{b5}m"))),
            Some(0.25)
        );
        assert_eq!(mpp((0.5, Some("mm")), (0.5, Some("mm"))), None);
        assert_eq!(mpp((1.0, Some("pixel")), (1.0, Some("pixel"))), None);
        assert_eq!(mpp((0.5, None), (0.25, None)), None);
        assert_eq!(mpp((0.0, None), (0.0, None)), None);
        assert_eq!(mpp((f64::NAN, None), (0.5, None)), None);
    }

    #[test]
    fn aperio_descriptions_give_their_mpp() {
        let text = "Aperio Image Library v11.2.1\r\n46000x32914 (240x240) JPEG/RGB Q=30|AppMag = 20|MPP = 0.4990|Left = 25.6";
        assert_eq!(Resolution::from_aperio(text).map(|r| r.mpp), Some(0.499));
        assert_eq!(Resolution::from_aperio("Aperio|MPP = 0"), None);
        assert_eq!(Resolution::from_aperio("Aperio|AppMag = 20"), None);
    }
}
