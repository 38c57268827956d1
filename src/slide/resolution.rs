//! Where a slide's um/px comes from, and which values are believed.
//!
//! The first of these that gives a believable value is taken, and the record says which it was:
//!
//! 1. the caller: `--mpp`, then the manifest's column;
//! 2. the `MPP` of an Aperio description;
//! 3. `PhysicalSizeX` of OME-XML, with its unit;
//! 4. the resolution tags of a TIFF, which many programs fill with a default.
//!
//! Of a slide that is read through OpenSlide it is 1., then `openslide.mpp-x` and `-y`.
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
    /// OpenSlide's `openslide.mpp-x`, which it takes from what the vendor wrote.
    OpenSlide,
}

impl std::fmt::Display for ResolutionSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ResolutionSource::Option => "--mpp",
            ResolutionSource::Manifest => "manifest",
            ResolutionSource::Aperio => "Aperio description",
            ResolutionSource::OmeXml => "OME-XML",
            ResolutionSource::TiffTags => "TIFF resolution tags",
            ResolutionSource::OpenSlide => "OpenSlide properties",
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
}

/// A resolution as a file states it, before anybody believes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stated {
    source: ResolutionSource,
    /// As it stands in the file, for people.
    text: String,
    /// um/px across and down, or why none follows from it.
    mpp: Result<(f64, f64), &'static str>,
}

/// A resolution that a file states and that is not used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IgnoredResolution {
    /// Who states it.
    pub source: ResolutionSource,
    /// What is stated.
    pub stated: String,
    /// Why it is not used.
    pub reason: String,
}

impl Stated {
    /// From um/px across and down.
    pub(crate) fn mpp(source: ResolutionSource, across: f64, down: f64) -> Self {
        Stated {
            source,
            text: pair(across, down, "um/px"),
            mpp: Ok((across, down)),
        }
    }

    /// From TIFF's `XResolution`, `YResolution` (px per unit) and `ResolutionUnit` (2 inch, 3 centimetre).
    pub(crate) fn tiff_tags(x: f64, y: f64, unit: u64) -> Self {
        let (um, name) = match unit {
            2 => (Ok(25_400.0), "px an inch"),
            3 => (Ok(10_000.0), "px a centimetre"),
            _ => (Err("it has no unit"), "without a unit"),
        };
        Stated {
            source: ResolutionSource::TiffTags,
            text: pair(x, y, name),
            mpp: um.map(|um: f64| (um / x, um / y)),
        }
    }

    /// From OME-XML's `PhysicalSizeX` and `PhysicalSizeY` with their units, which are um where none is given.
    pub(crate) fn ome(x: (f64, Option<&str>), y: (f64, Option<&str>)) -> Self {
        let um = |(value, unit): (f64, Option<&str>)| {
            let factor = match unit.unwrap_or("um") {
                // The micro sign, the Greek letter, and what replaces them.
                "\u{b5}m" | "\u{3bc}m" | "um" => 1.0,
                "nm" => 1e-3,
                "mm" => 1e3,
                "cm" => 1e4,
                "m" => 1e6,
                "in" => 25_400.0,
                _ => return Err("its unit is no length"),
            };
            Ok(value * factor)
        };
        let unit = |(_, unit): (f64, Option<&str>)| unit.unwrap_or("um").to_owned();
        let name = match (unit(x), unit(y)) {
            (x, y) if x == y => x,
            (x, y) => format!("{x} and {y}"),
        };
        Stated {
            source: ResolutionSource::OmeXml,
            text: pair(x.0, y.0, &name),
            mpp: um(x).and_then(|x| Ok((x, um(y)?))),
        }
    }

    /// From an Aperio image description, `Aperio ... |MPP = 0.4990|...`; none where it has no `MPP`.
    pub(crate) fn aperio(description: &str) -> Option<Self> {
        let value = description.split('|').find_map(|field| {
            let (key, value) = field.split_once('=')?;
            (key.trim() == "MPP").then(|| value.trim())
        })?;
        Some(Stated {
            source: ResolutionSource::Aperio,
            text: format!("MPP = {}", value.chars().take(40).collect::<String>()),
            mpp: match value.parse::<f64>() {
                Ok(mpp) => Ok((mpp, mpp)),
                Err(_) => Err("it is no number"),
            },
        })
    }

    /// The resolution, if a microscope can have it; the sides may differ by 2 %.
    fn judge(&self) -> Result<Resolution, &'static str> {
        let (x, y) = self.mpp?;
        if !(x.is_finite() && y.is_finite() && x > 0.0 && y > 0.0) {
            return Err("it is no size of a px");
        }
        if (x / y - 1.0).abs() > 0.02 {
            return Err("its px are not square");
        }
        let near = |um: f64| (x / um - 1.0).abs() < 1e-3;
        match Resolution::believable(x, self.source) {
            Some(resolution) => Ok(resolution),
            None if [10_000.0, 25_400.0].into_iter().any(near) => {
                Err("it is what programs write that know none")
            }
            None if [72.0, 96.0, 100.0, 150.0, 300.0, 600.0]
                .into_iter()
                .any(|dpi| near(25_400.0 / dpi)) =>
            {
                Err("it is a screen's or a printer's, which programs write that know none")
            }
            None => Err("no microscope has it"),
        }
    }
}

/// Two numbers for people, to four places, or one where they are the same.
fn pair(x: f64, y: f64, unit: &str) -> String {
    let [x, y] = [x, y].map(|value| (value * 1e4).round() / 1e4);
    if x == y {
        format!("{x} {unit}")
    } else {
        format!("{x} x {y} {unit}")
    }
}

/// The first believable one of the stated resolutions, and those that are not used, with the reason. What says the same
/// as the one that is used (within 2 %) is not among them.
pub(crate) fn choose(
    stated: impl IntoIterator<Item = Stated>,
) -> (Option<Resolution>, Vec<IgnoredResolution>) {
    let mut used: Option<Resolution> = None;
    let mut ignored = Vec::new();
    for one in stated {
        let reason = match (one.judge(), used) {
            (Ok(resolution), None) => {
                used = Some(resolution);
                continue;
            }
            (Ok(resolution), Some(used)) if (resolution.mpp / used.mpp - 1.0).abs() <= 0.02 => {
                continue;
            }
            (Ok(_), Some(used)) => format!("the {} goes before it", used.source),
            (Err(reason), _) => reason.to_owned(),
        };
        ignored.push(IgnoredResolution {
            source: one.source,
            stated: one.text,
            reason,
        });
    }
    (used, ignored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn believed(stated: impl IntoIterator<Item = Stated>) -> Option<f64> {
        choose(stated).0.map(|resolution| resolution.mpp)
    }

    #[test]
    fn tiff_tags_know_their_units() {
        let mpp = |x, y, unit| believed([Stated::tiff_tags(x, y, unit)]);
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
        let mpp = |x, y| believed([Stated::ome(x, y)]);
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
        assert_eq!(believed(Stated::aperio(text)), Some(0.499));
        assert_eq!(believed(Stated::aperio("Aperio|MPP = 0")), None);
        assert_eq!(believed(Stated::aperio("Aperio|MPP = none")), None);
        assert_eq!(Stated::aperio("Aperio|AppMag = 20"), None);
    }

    #[test]
    fn what_is_not_used_says_why() {
        let reasons = |stated: Vec<Stated>| -> Vec<String> {
            let ignored = choose(stated).1.into_iter();
            ignored
                .map(|i| format!("{}: {}: {}", i.source, i.stated, i.reason))
                .collect()
        };
        let tags = |dpi| Stated::tiff_tags(dpi, dpi, 2);
        let ome = |mpp| Stated::ome((mpp, None), (mpp, None));
        assert_eq!(
            reasons(vec![tags(72.0)]),
            [
                "TIFF resolution tags: 72 px an inch: it is a screen's or a printer's, which programs write that know none"
            ]
        );
        assert_eq!(
            reasons(vec![tags(1.0)]),
            ["TIFF resolution tags: 1 px an inch: it is what programs write that know none"]
        );
        assert_eq!(
            reasons(vec![ome(0.25), tags(50_800.0)]),
            ["TIFF resolution tags: 50800 px an inch: the OME-XML goes before it"]
        );
        // The same again is no news.
        assert_eq!(reasons(vec![ome(0.5), tags(50_800.0)]), [""; 0]);
        assert_eq!(
            reasons(vec![Stated::mpp(ResolutionSource::OpenSlide, 0.5, 0.25)]),
            ["OpenSlide properties: 0.5 x 0.25 um/px: its px are not square"]
        );
    }
}
