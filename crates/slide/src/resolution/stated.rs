//! What a file states of its um/px, read and turned into numbers; nothing is believed yet.

use super::ResolutionSource;
use super::sizes::AperioSizes;
#[cfg(feature = "zarr")]
use super::units::ngff_micrometres;
use super::units::{decimal, micrometres, pair};

/// A resolution as a file states it, before anybody believes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stated {
    pub(super) source: ResolutionSource,
    /// As it stands in the file, for people.
    pub(super) text: String,
    /// um/px across and down, or why none follows from it.
    pub(super) mpp: Result<(f64, f64), String>,
    /// What a description of another picture says, which tags may repeat.
    pub(super) stale: Option<(f64, f64)>,
    /// That the description's two sizes corrected it, for people.
    pub(super) corrected: Option<String>,
}

impl Stated {
    #[cfg(feature = "openslide")]
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
            2 => (Ok(25_400.0), "px per inch"),
            3 => (Ok(10_000.0), "px per centimetre"),
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

    /// From TIFF's `XResolution` and `YResolution` where ImageJ wrote them: px per `unit` of its description, and per
    /// `yunit` down, if there is one. None where the description is not ImageJ's or names no length.
    pub(crate) fn imagej(description: &str, x: f64, y: f64) -> Option<Self> {
        if !description.starts_with("ImageJ=") {
            return None;
        }
        let value = |key: &str| {
            let mut lines = description.lines().filter_map(|line| line.split_once('='));
            lines.find_map(|(name, value)| (name.trim() == key).then(|| value.trim()))
        };
        let unit = value("unit")?;
        let down = value("yunit").unwrap_or(unit);
        let (um, um_down) = (micrometres(unit)?, micrometres(down)?);
        Some(Stated {
            source: ResolutionSource::ImageJ,
            text: pair(x, y, &format!("px a {unit}")),
            mpp: Ok((um / x, um_down / y)),
            stale: None,
            corrected: None,
        })
    }

    /// From OME-XML's `PhysicalSizeX` and `PhysicalSizeY` with their units, which are um where none is given.
    pub(crate) fn ome(x: (f64, Option<&str>), y: (f64, Option<&str>)) -> Self {
        let um = |(value, unit): (f64, Option<&str>)| {
            let factor = micrometres(unit.unwrap_or("um"));
            Ok::<f64, String>(value * factor.ok_or("its unit is not a length")?)
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

    /// From the scale of an OME-Zarr image across and down, each with its axis' unit; none where it is the scale of px that
    /// nobody measured: 1, without a unit.
    #[cfg(feature = "zarr")]
    pub(crate) fn ngff(x: (f64, Option<&str>), y: (f64, Option<&str>)) -> Option<Self> {
        if (x, y) == ((1.0, None), (1.0, None)) {
            return None;
        }
        let um = |(value, unit): (f64, Option<&str>)| match unit.map(ngff_micrometres) {
            Some(Some(factor)) => Ok(value * factor),
            Some(None) => Err("its unit is not a length".to_owned()),
            None => Err("it has no unit".to_owned()),
        };
        let name = match (x.1, y.1) {
            (Some(x), Some(y)) if x == y => x.chars().take(40).collect(),
            (None, None) => "without a unit".to_owned(),
            _ => "in two units".to_owned(),
        };
        Some(Stated {
            source: ResolutionSource::OmeZarr,
            text: pair(x.0, y.0, &name),
            mpp: um(x).and_then(|x| Ok((x, um(y)?))),
            stale: None,
            corrected: None,
        })
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
                None => Err("it is not a number".to_owned()),
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
                "the {} states {} for a picture of {} that was reduced to {}, so {} is used",
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
                "it is about a picture of {}, but the one in the file has {}",
                sides(picture),
                sides(size)
            ));
        }
        self
    }
}
