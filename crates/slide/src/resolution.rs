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
//! What no microscope can have is passed over: 0, not a number, 1 px an inch or centimetre, 72, 96 or 300 dpi. A
//! description that speaks of a picture of another size is corrected where it states both sizes, else passed over, and so
//! are tags that repeat it. Px may be up to 1 % longer one way than the other; a file of others is refused.

use serde::Serialize;

use crate::warning::{Warning, WarningKind};

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
    /// Whoever handed in the px themselves.
    Caller,
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
            ResolutionSource::Caller => "caller",
        })
    }
}

/// The size of a full-size px.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Resolution {
    /// um per full-size px, from left to right.
    #[serde(rename = "value")]
    pub mpp: f64,
    /// um per full-size px, from top to bottom; within 1 % of the other.
    pub down: f64,
    /// Who said so.
    pub source: ResolutionSource,
}

impl Resolution {
    /// A resolution, if it is one a microscope can have: 0.02 to 40 um/px.
    ///
    /// Programs that know no resolution write 1 px/cm, 72, 96 or 300 dpi; all of these are over 80 um/px.
    pub fn believable(mpp: f64, source: ResolutionSource) -> Option<Self> {
        (mpp.is_finite() && (0.02..=40.0).contains(&mpp)).then_some(Resolution {
            mpp,
            down: mpp,
            source,
        })
    }

    /// um2 of `px` full-size px.
    pub fn area(&self, px: u64) -> f64 {
        px as f64 * self.mpp * self.down
    }
}

/// A resolution as a file states it, before anybody believes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stated {
    source: ResolutionSource,
    /// As it stands in the file, for people.
    text: String,
    /// um/px across and down, or why none follows from it.
    mpp: Result<(f64, f64), String>,
    /// What a description of another picture says, which tags may repeat.
    stale: Option<(f64, f64)>,
    /// That the description's two sizes corrected it, for people.
    corrected: Option<String>,
}

/// What came of the resolutions that a file states.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// The one that is used.
    pub(crate) resolution: Option<Resolution>,
    /// Those that are not.
    pub(crate) ignored: Vec<IgnoredResolution>,
    /// What the user should know of.
    pub(crate) warnings: Vec<Warning>,
    /// Why the slide cannot be read at all.
    pub(crate) refused: Option<String>,
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
            stale: None,
            corrected: None,
        }
    }

    /// From TIFF's `XResolution`, `YResolution` (px per unit) and `ResolutionUnit` (2 inch, 3 centimetre).
    pub(crate) fn tiff_tags(x: f64, y: f64, unit: u64) -> Self {
        let (um, name) = match unit {
            2 => (Ok(25_400.0), "px an inch"),
            3 => (Ok(10_000.0), "px a centimetre"),
            _ => (Err("it has no unit".to_owned()), "without a unit"),
        };
        Stated {
            source: ResolutionSource::TiffTags,
            text: pair(x, y, name),
            mpp: um.map(|um: f64| (um / x, um / y)),
            stale: None,
            corrected: None,
        }
    }

    /// From OME-XML's `PhysicalSizeX` and `PhysicalSizeY` with their units, which are um where none is given.
    pub(crate) fn ome(x: (f64, Option<&str>), y: (f64, Option<&str>)) -> Self {
        let um = |(value, unit): (f64, Option<&str>)| {
            let factor = match unit.unwrap_or("um").trim() {
                "nm" => 1e-3,
                "mm" => 1e3,
                "cm" => 1e4,
                "m" => 1e6,
                "in" => 25_400.0,
                unit if is_micrometre(unit) => 1.0,
                _ => return Err("its unit is no length".to_owned()),
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
            stale: None,
            corrected: None,
        }
    }

    /// From an Aperio image description, `Aperio ... |MPP = 0.4990|...`; none where it has no `MPP`. `size` is the
    /// file's at full size.
    pub(crate) fn aperio(description: &str, size: (u64, u64)) -> Option<Self> {
        let value = description.split('|').find_map(|field| {
            let (key, value) = field.split_once('=')?;
            (key.trim() == "MPP").then(|| value.trim())
        })?;
        let stated = Stated {
            source: ResolutionSource::Aperio,
            text: format!("MPP = {}", value.chars().take(40).collect::<String>()),
            mpp: match decimal(value) {
                Some(mpp) => Ok((mpp, mpp)),
                None => Err("it is no number".to_owned()),
            },
            stale: None,
            corrected: None,
        };
        let text = description.split('|').next().unwrap_or_default();
        Some(stated.of_picture(AperioSizes::find(text), size))
    }

    /// From OME-XML that says how large its picture is: counts only where the file's is as large.
    pub(crate) fn of_size(self, described: Option<(u64, u64)>, size: (u64, u64)) -> Self {
        let sizes = described.map(|described| AperioSizes {
            pictures: vec![described],
            reduced: None,
        });
        self.of_picture(sizes, size)
    }

    /// Holds the size that a description speaks of against the file's.
    fn of_picture(mut self, described: Option<AperioSizes>, size: (u64, u64)) -> Self {
        let (Some(described), Ok(mpp)) = (described, &self.mpp) else {
            return self;
        };
        let Some(&picture) = described.pictures.last() else {
            return self;
        };
        let mpp = *mpp;
        let sides = |(width, height): (u64, u64)| format!("{width} x {height} px");
        if described.reduced == Some(size) && size != picture {
            let factor = |from: u64, to: u64| from as f64 / to.max(1) as f64;
            let right = (
                mpp.0 * factor(picture.0, size.0),
                mpp.1 * factor(picture.1, size.1),
            );
            // Sides that were rounded to whole px say nothing about the shape of a px.
            let round = 1.0 / size.0.min(size.1).max(1) as f64;
            let mean = (right.0 * right.1).sqrt();
            let right = if (right.0 / right.1 - 1.0).abs() <= round {
                (mean, mean)
            } else {
                right
            };
            self.stale = Some(mpp);
            self.corrected = Some(format!(
                "the {} states {} for a picture of {} and that it was reduced to {}: {} is taken",
                self.source,
                self.text,
                sides(picture),
                sides(size),
                pair(right.0, right.1, "um/px")
            ));
            self.mpp = Ok(right);
        } else if !described.pictures.contains(&size) || described.reduced.is_some() {
            self.stale = Some(mpp);
            self.mpp = Err(format!(
                "it speaks of a picture of {}, and the file's has {}",
                sides(picture),
                sides(size)
            ));
        }
        self
    }

    /// The resolution, if a microscope can have it; the sides may differ by 1 %.
    fn judge(&self) -> Result<Resolution, String> {
        let (x, y) = self.mpp.clone()?;
        if !(x.is_finite() && y.is_finite() && x > 0.0 && y > 0.0) {
            return Err("it is no size of a px".to_owned());
        }
        if self.stretch().is_some() {
            return Err("its px are not square".to_owned());
        }
        let near = |um: f64| (x / um - 1.0).abs() < 1e-3;
        match Resolution::believable(x, self.source) {
            Some(resolution) => Ok(Resolution {
                down: y,
                ..resolution
            }),
            None if [10_000.0, 25_400.0].into_iter().any(near) => {
                Err("it is what programs write that know none".to_owned())
            }
            None if [72.0, 96.0, 100.0, 150.0, 300.0, 600.0]
                .into_iter()
                .any(|dpi| near(25_400.0 / dpi)) =>
            {
                Err(
                    "it is a screen's or a printer's, which programs write that know none"
                        .to_owned(),
                )
            }
            None => Err("no microscope has it".to_owned()),
        }
    }

    /// How much longer px are one way than the other, in per cent, where that is more than 1 %.
    fn stretch(&self) -> Option<f64> {
        let (x, y) = *self.mpp.as_ref().ok()?;
        let by = (x.max(y) / x.min(y) - 1.0) * 100.0;
        // A hair of slack, so that 0.5 and 0.505 are 1 % apart.
        (by > 1.0 + 1e-6).then_some(by)
    }

    /// Why a file with such px is refused: a microscope can have them, and they are not square.
    fn refusal(&self) -> Option<String> {
        let (x, y) = *self.mpp.as_ref().ok()?;
        let by = self.stretch()?;
        Resolution::believable(x, self.source)?;
        Resolution::believable(y, self.source)?;
        Some(format!(
            "its px are not square: {x:.6} um/px across and {y:.6} um/px down ({}), {by:.1} % apart where 1 % is the most; \
             resample it to square px, or correct what it states",
            self.source
        ))
    }
}

/// The sizes of pictures that an Aperio description speaks of.
struct AperioSizes {
    /// The scan's, and then that of the part of it that was kept, where there is one.
    pictures: Vec<(u64, u64)>,
    /// What it was reduced to.
    reduced: Option<(u64, u64)>,
}

impl AperioSizes {
    /// `46000x32914 [0,100 45000x32000] (240x240) -> 1024x732`: the scan, the part that was kept, the tiles, and what it
    /// was reduced to. None where there is no size.
    fn find(text: &str) -> Option<Self> {
        // Behind it stand the texts of the files that this one was made from.
        let text = text.split(";Aperio").next().unwrap_or_default();
        let (before, after) = match text.split_once("->") {
            Some((before, after)) => (before, Some(after)),
            None => (text, None),
        };
        // The tiles' size stands in round brackets.
        let before = before.split('(').next().unwrap_or_default();
        let pictures: Vec<(u64, u64)> = sizes(before).collect();
        (!pictures.is_empty()).then(|| AperioSizes {
            pictures,
            reduced: after.and_then(|after| sizes(after).next()),
        })
    }
}

/// The words of a text that are sizes, `400x300`.
fn sizes(text: &str) -> impl Iterator<Item = (u64, u64)> {
    text.split(|c: char| c.is_whitespace() || "[](),;".contains(c))
        .filter_map(|word| {
            let (width, height) = word.split_once(['x', 'X'])?;
            Some((width.parse().ok()?, height.parse().ok()?))
        })
}

/// A number as people write it, with a point or a comma before its decimals.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.matches([',', '.']).count() {
        0 | 1 => text.replace(',', ".").parse().ok(),
        _ => None,
    }
}

/// Whether a unit is the micrometre. Micro is the only prefix that is not ASCII, so whatever a wrong encoding made of the
/// sign still means it.
fn is_micrometre(unit: &str) -> bool {
    let lower = unit.to_lowercase();
    if [
        "micron",
        "microns",
        "micrometer",
        "micrometers",
        "micrometre",
        "micrometres",
    ]
    .contains(&lower.as_str())
    {
        return true;
    }
    let Some(prefix) = unit.strip_suffix('m') else {
        return false;
    };
    let escapes = [
        "u", "\\u00b5", "\\u03bc", "\\xb5", "&#181;", "&#xb5;", "&#956;", "&#x3bc;", "&micro;",
        "&mu;",
    ];
    let broken = |c: char| c == '?' || !c.is_ascii();
    escapes.contains(&prefix.to_lowercase().as_str())
        || !prefix.is_empty() && prefix.chars().count() <= 8 && prefix.chars().all(broken)
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
pub(crate) fn choose(stated: impl IntoIterator<Item = Stated>) -> Chosen {
    let same = |a: f64, b: f64| (a / b - 1.0).abs() <= 0.02;
    let mut chosen = Chosen::default();
    let mut stale: Option<(ResolutionSource, f64)> = None;
    for one in stated {
        let repeated =
            |mpp: f64| stale.filter(|&(source, other)| source != one.source && same(mpp, other));
        let reason = match (one.judge(), chosen.resolution) {
            (Ok(resolution), used) if repeated(resolution.mpp).is_some() => {
                if used.is_some_and(|used| same(resolution.mpp, used.mpp)) {
                    continue;
                }
                "it repeats the description of another picture".to_owned()
            }
            (Ok(_), None) if stale.is_some() => {
                "the file's description speaks of another picture, and this may too".to_owned()
            }
            (Ok(resolution), None) => {
                chosen.resolution = Some(resolution);
                stale = one.stale.map(|(x, _)| (one.source, x));
                chosen.warnings.extend(
                    one.corrected
                        .map(|text| Warning::new(WarningKind::Resolution, text)),
                );
                continue;
            }
            (Ok(resolution), Some(used)) if same(resolution.mpp, used.mpp) => continue,
            (Ok(_), Some(used)) => format!("the {} goes before it", used.source),
            (Err(reason), used) => {
                if used.is_none() && chosen.refused.is_none() {
                    chosen.refused = one.refusal();
                }
                reason
            }
        };
        if one.stale.is_some() && stale.is_none() {
            stale = one.stale.map(|(x, _)| (one.source, x));
        }
        // Tags that say nothing believable are too common to speak of.
        if one.source != ResolutionSource::TiffTags || one.judge().is_ok() {
            chosen.warnings.push(Warning::new(
                WarningKind::Resolution,
                format!("{} of the {} is not used: {reason}", one.text, one.source),
            ));
        }
        chosen.ignored.push(IgnoredResolution {
            source: one.source,
            stated: one.text,
            reason,
        });
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn believed(stated: impl IntoIterator<Item = Stated>) -> Option<f64> {
        choose(stated).resolution.map(|resolution| resolution.mpp)
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
        assert_eq!(
            believed(Stated::aperio(text, (46_000, 32_914))),
            Some(0.499)
        );
        assert_eq!(believed(Stated::aperio("Aperio|MPP = 0", (9, 9))), None);
        assert_eq!(believed(Stated::aperio("Aperio|MPP = none", (9, 9))), None);
        assert_eq!(Stated::aperio("Aperio|AppMag = 20", (9, 9)), None);
    }

    #[test]
    fn what_is_not_used_says_why() {
        let reasons = |stated: Vec<Stated>| -> Vec<String> {
            let ignored = choose(stated).ignored.into_iter();
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

    #[test]
    fn decimals_may_follow_a_comma() {
        let mpp = |text| believed(Stated::aperio(text, (9, 9)));
        assert_eq!(mpp("Aperio|MPP = 0,500000"), Some(0.5));
        assert_eq!(mpp("Aperio|MPP = 1,000.5"), None);
        assert_eq!(decimal(" 0,25 "), Some(0.25));
        assert_eq!(decimal("0.2,5"), None);
    }

    #[test]
    fn the_micro_sign_may_be_broken() {
        for unit in [
            "um",
            "\u{b5}m",
            "\u{3bc}m",
            "\u{fffd}m",
            "?m",
            "\u{c2}\u{b5}m",
            "\u{ce}\u{bc}m",
            "\\u00B5m",
            "\\u03bcm",
            "&#181;m",
            "micron",
            "Micrometers",
            "\u{c3}\u{201a}\u{c2}\u{b5}m",
        ] {
            let size = (0.5, Some(unit));
            assert_eq!(believed([Stated::ome(size, size)]), Some(0.5), "{unit}");
        }
        for unit in ["pm", "km", "pixel", "reference frame", "", "\u{b5}", "dam"] {
            let size = (0.5, Some(unit));
            assert_eq!(believed([Stated::ome(size, size)]), None, "{unit}");
        }
    }

    #[test]
    fn a_description_of_another_picture_does_not_count() {
        let reduced = "Aperio v11\r\n400x300 [0,0 400x300] (64x64) -> 100x75 - |MPP = 0.4990";
        let plain = "Aperio v11\r\n400x300 [0,0 400x300] (64x64) JPEG|MPP = 0.5";
        let tags = |mpp: f64| Stated::tiff_tags(10_000.0 / mpp, 10_000.0 / mpp, 3);
        let chosen = choose(Stated::aperio(reduced, (100, 75)));
        assert!((chosen.resolution.unwrap().mpp - 1.996).abs() < 1e-9);
        assert_eq!(chosen.warnings.len(), 1);
        assert!(
            chosen.warnings[0].text.contains("400 x 300 px"),
            "{chosen:?}"
        );
        // Both sizes, and neither is the file's.
        assert_eq!(believed(Stated::aperio(reduced, (50, 37))), None);
        // The tags still say what they said of the larger picture.
        let chosen = choose(
            Stated::aperio(plain, (100, 75))
                .into_iter()
                .chain([tags(0.5)]),
        );
        assert_eq!((chosen.resolution, chosen.ignored.len()), (None, 2));
        assert_eq!(chosen.warnings.len(), 2);
        let stated = Stated::aperio(plain, (100, 75)).into_iter();
        assert_eq!(believed(stated.chain([tags(2.0)])), None);
        // A part of the scan, as large as it says.
        let part = "Aperio v11\r\n46000x32914 [42673,5576 2220x2967] (240x240) JPEG|MPP = 0.499";
        assert_eq!(believed(Stated::aperio(part, (2220, 2967))), Some(0.499));
        let made_from = "Aperio v12\r\n460x329 [19,10 16x16] (64x64) JPEG;Aperio v10\r\n469x330 (25x25) -> 16x12|MPP = 0.499";
        assert_eq!(believed(Stated::aperio(made_from, (16, 16))), Some(0.499));
        let ome = |size| Stated::ome((0.5, None), (0.5, None)).of_size(Some((40, 30)), size);
        assert_eq!(believed([ome((40, 30))]), Some(0.5));
        assert_eq!(believed([ome((20, 15))]), None);
    }

    #[test]
    fn px_that_are_nearly_square_keep_both_sides_and_others_are_refused() {
        let tags = |x: f64, y: f64| choose([Stated::tiff_tags(10_000.0 / x, 10_000.0 / y, 3)]);
        let kept = tags(0.5, 0.504).resolution.unwrap();
        assert!((kept.mpp - 0.5).abs() < 1e-9 && (kept.down - 0.504).abs() < 1e-9);
        assert!((kept.area(100) - 25.2).abs() < 1e-6);
        let text = tags(0.5, 0.509).refused.unwrap();
        assert!(text.contains("0.5") && text.contains("0.509"), "{text}");
        // Px of 72 x 36 dpi are nobody's, so nobody is refused for them.
        assert_eq!(choose([Stated::tiff_tags(72.0, 36.0, 2)]).refused, None);
        assert!(
            choose([Stated::mpp(ResolutionSource::OpenSlide, 0.5, 0.25)])
                .refused
                .is_some()
        );
    }

    #[test]
    fn what_contradicts_is_told() {
        let tags = |dpi| Stated::tiff_tags(dpi, dpi, 2);
        let ome = |mpp| Stated::ome((mpp, None), (mpp, None));
        assert_eq!(choose([ome(0.25), tags(50_800.0)]).warnings.len(), 1);
        assert_eq!(choose([ome(0.5), tags(50_800.0)]).warnings, []);
        assert_eq!(choose([ome(0.5), tags(72.0)]).warnings, []);
        assert_eq!(
            choose([Stated::ome((0.5, Some("pixel")), (0.5, None))])
                .warnings
                .len(),
            1
        );
    }
}
