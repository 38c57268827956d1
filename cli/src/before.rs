//! Finds out before the first slide what can be known by then: folders that are not there, organs and um/px that nothing
//! names, an output folder that takes nothing, a disk that is too small.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, bail};

use super::console::{counted, printable, some_of};
use super::kaggle_table;
use ftuseg::Organ;
use ftuseg::batch::{Job, Output, Outputs, SinkOptions, SurveyedSlide, survey};
use ftuseg::bundle::Bundle;
use ftuseg::pipeline::Route;

/// The longest that headers are looked at; a network drive may not answer at all.
const SURVEY: Duration = Duration::from_secs(10);

/// What a run is going to do, as far as it matters here.
pub(super) struct Wanted<'a> {
    pub jobs: &'a [Job],
    pub bundle: &'a Bundle,
    pub route: Route,
    /// um/px for all slides.
    pub mpp: Option<f64>,
    pub out: &'a Path,
    pub outputs: Outputs,
    pub sink_options: SinkOptions,
}

/// What is known of the slides before the first one is done.
pub(super) struct Known {
    /// Area of each slide where its header could be read: mm2, or px where um/px is not known.
    pub areas: Vec<Option<f64>>,
    /// Whether slides without um/px were told of.
    pub told_of_resolutions: bool,
}

/// Checks that the folder of images is there.
///
/// # Errors
/// When it is not.
pub(super) fn check_images(images: Option<&Path>) -> anyhow::Result<()> {
    let Some(images) = images else {
        return Ok(());
    };
    match std::fs::metadata(images) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => bail!("--images {} is not a folder", images.display()),
        Err(error) => bail!("--images {}: {error}", images.display()),
    }
}

/// Checks that results can be written: the folder, or the one that it will be made in, takes files.
///
/// # Errors
/// When it does not.
pub(super) fn check_out(out: &Path) -> anyhow::Result<()> {
    let folder = existing(out);
    if !folder.is_dir() {
        bail!(
            "--out {} cannot be made: {} is a file; give a folder",
            out.display(),
            folder.display()
        );
    }
    tempfile::tempfile_in(&folder).with_context(|| {
        format!(
            "--out {}: nothing can be written into {}",
            out.display(),
            folder.display()
        )
    })?;
    Ok(())
}

/// The path itself, or the nearest above it that is there.
fn existing(folder: &Path) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut above = absolute.ancestors();
    let found = above.find(|one| one.exists()).map(Path::to_owned);
    found.unwrap_or(absolute)
}

/// Checks what the slides say of themselves, and tells what is doubtful.
///
/// # Errors
/// When no slide can be done, or the disk cannot hold the results.
pub(super) fn check(wanted: &Wanted<'_>, stop: &AtomicBool) -> anyhow::Result<Known> {
    check_organs(wanted)?;
    let slides = survey(wanted.jobs, SURVEY, stop);
    let told_of_resolutions = tell_resolutions(wanted, &slides);
    check_space(wanted, &slides)?;
    let areas = wanted.jobs.iter().zip(&slides).map(|(job, slide)| {
        let slide = (*slide)?;
        let px = f64::from(slide.width) * f64::from(slide.height);
        let of_file = slide.resolution.map(|resolution| resolution.mpp);
        let given = wanted
            .mpp
            .or(job.resolution.map(|resolution| resolution.mpp));
        Some(given.or(of_file).map_or(px, |mpp| px * mpp * mpp * 1e-6))
    });
    Ok(Known {
        areas: areas.collect(),
        told_of_resolutions,
    })
}

/// With organs from the tables, some slide must have one.
fn check_organs(wanted: &Wanted<'_>) -> anyhow::Result<()> {
    if wanted.route != Route::Given {
        return Ok(());
    }
    let is_known = |job: &&Job| {
        let organ = job.organ.as_deref();
        organ.is_some_and(|name| name.parse::<Organ>().is_ok())
    };
    let lacking: Vec<&str> = wanted
        .jobs
        .iter()
        .filter(|job| !is_known(job))
        .map(|job| job.id.as_str())
        .collect();
    if lacking.len() == wanted.jobs.len() {
        bail!(
            "--route given takes each slide's organ from the column organ of a table, and none of the {} has one that is known; give a table (id,path,organ), name one organ for all (--route organ=kidney), or leave --route out",
            counted(lacking.len() as u64, "slide")
        );
    }
    if !lacking.is_empty() {
        tell!(
            "warning: {} of {} have no organ in their table that is known, and will fail: {}",
            lacking.len(),
            counted(wanted.jobs.len() as u64, "slide"),
            some_of(&lacking)
        );
    }
    Ok(())
}

/// Tells of slides that do not say how large their px are, once for all, with what to type; whether there are any.
fn tell_resolutions(wanted: &Wanted<'_>, slides: &[Option<SurveyedSlide>]) -> bool {
    if wanted.mpp.is_some() {
        return false;
    }
    let needs = |output: &Output| output.needs_resolution(wanted.sink_options);
    // Without um/px the models fail first, whatever is written.
    let (reason, instead) = if wanted.route.needs_resolution(wanted.bundle) {
        (String::new(), String::new())
    } else if let Some(output) = wanted.outputs.iter().find(needs) {
        match output.is_geojson() {
            true => (
                ", since --simplify is in um".to_owned(),
                ", or leave --simplify out".to_owned(),
            ),
            false => (
                format!(", since {} states the size of a px", output.name()),
                format!(", or leave {} out", output.name()),
            ),
        }
    } else {
        return false;
    };
    let lacking: Vec<&Job> = wanted
        .jobs
        .iter()
        .zip(slides)
        .filter(|(job, slide)| {
            job.resolution.is_none() && slide.is_some_and(|slide| slide.resolution.is_none())
        })
        .map(|(job, _)| job)
        .collect();
    if lacking.is_empty() {
        return false;
    }
    let (count, all) = (lacking.len(), wanted.jobs.len());
    let ids: Vec<&str> = lacking.iter().map(|job| job.id.as_str()).collect();
    let who = match (count, all) {
        (1, _) => format!("{} does not state its um/px", printable(ids[0])),
        (count, all) if count == all => format!("none of the {all} slides states its um/px"),
        (count, all) => format!(
            "{count} of {all} slides do not state their um/px ({})",
            some_of(&ids)
        ),
    };
    let advice = match kaggle_table::find(&lacking) {
        Some(table) => format!(
            "{} does for {} of them; try: {}",
            printable(&table.path.display().to_string()),
            table.known,
            printable(&table.command(wanted.out))
        ),
        None => "give it with --mpp X, or in a table's column mpp".to_owned(),
    };
    tell!(
        "warning: {who}, so {} will fail{reason}; {advice}{instead}",
        if count == 1 { "it" } else { "they" },
    );
    true
}

/// What a slide leaves on the disk at the very least: its record, a mask and a picture of next to nothing.
const LEAST: u64 = 8 << 10;
/// What is taken for a slide whose size is not known.
const UNKNOWN: u64 = 20 << 20;

/// Checks that the disk can hold the results of the slides that are not there yet.
fn check_space(wanted: &Wanted<'_>, slides: &[Option<SurveyedSlide>]) -> anyhow::Result<()> {
    // Where nobody can say, the run finds out.
    let Ok(free) = fs4::available_space(existing(wanted.out)) else {
        return Ok(());
    };
    let folder = wanted.out.join("slides");
    let missing = wanted
        .jobs
        .iter()
        .zip(slides)
        .filter(|(job, _)| !folder.join(&job.folder).join("slide.json").exists());
    let (mut count, mut bytes) = (0_u64, 0_u64);
    for (_, slide) in missing {
        count += 1;
        bytes = bytes.saturating_add(slide.map_or(UNKNOWN, |slide| {
            expected(slide.width, slide.height, wanted.outputs)
        }));
    }
    match verdict(free, count, bytes) {
        Space::Enough => Ok(()),
        Space::Tight => {
            tell!(
                "warning: {} may take about {}, and {} has {} free",
                counted(count, "slide"),
                size(bytes),
                printable(&wanted.out.display().to_string()),
                size(free)
            );
            Ok(())
        }
        Space::TooLittle => bail!(
            "--out {}: the disk has {} free, and the results of {} take more than {} (about {}); free some space or choose another folder",
            wanted.out.display(),
            size(free),
            counted(count, "slide"),
            size(count.saturating_mul(LEAST)),
            size(bytes)
        ),
    }
}

/// Whether results fit onto a disk.
#[derive(Debug, PartialEq, Eq)]
enum Space {
    Enough,
    Tight,
    TooLittle,
}

fn verdict(free: u64, slides: u64, expected: u64) -> Space {
    if free < slides.saturating_mul(LEAST) {
        Space::TooLittle
    } else if free < expected {
        Space::Tight
    } else {
        Space::Enough
    }
}

/// About what the results of a slide take, rather too much than too little: a picture of at most 1600 px, whose PNG has
/// some 1.6 bytes a px on tissue; bits that compress well; and probabilities that do not.
fn expected(width: u32, height: u32, outputs: Outputs) -> u64 {
    let px = f64::from(width) * f64::from(height);
    let longest = f64::from(width.max(height)).max(1.0);
    let of = |output: Output, bytes: f64| match outputs.contains(output) {
        true => bytes,
        false => 0.0,
    };
    let shown = px * (1600.0 / longest).min(4.0).powi(2);
    let bytes = of(Output::Overlay, shown * 1.6)
        + of(Output::Mask, px / 200.0)
        + of(Output::Objects, px / 1000.0)
        + of(Output::Parquet, px / 2000.0)
        + of(Output::GeoJson, px / 200.0)
        + of(Output::GeoJsonGz, px / 800.0)
        + of(Output::Instances, px / 100.0)
        + of(Output::Zarr, px / 100.0)
        + of(Output::DicomSeg, px / 16.0)
        + of(Output::Rle, px / 800.0)
        + of(Output::Probabilities, px / 6.0);
    bytes as u64 + LEAST
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    match unit == 0 || value >= 10.0 {
        true => format!("{value:.0} {}", UNITS[unit]),
        false => format!("{value:.1} {}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_does_not_fit_is_refused() {
        assert_eq!(verdict(10_000_000, 3, 9_000_000), Space::Enough);
        assert_eq!(verdict(8_000_000, 3, 9_000_000), Space::Tight);
        assert_eq!(verdict(3 * LEAST, 3, 9_000_000), Space::Tight);
        assert_eq!(verdict(3 * LEAST - 1, 3, 9_000_000), Space::TooLittle);
        assert_eq!(verdict(0, 0, 0), Space::Enough);
        for (bytes, text) in [(999, "999 bytes"), (1500, "1.5 kB"), (25_000_000, "25 MB")] {
            assert_eq!(size(bytes), text);
        }
        let all = Outputs::all();
        let with_map = all.with(Output::Probabilities);
        let large = expected(80_000, 80_000, all);
        assert!((10_000_000..100_000_000).contains(&large), "{large}");
        assert!(expected(80_000, 80_000, with_map) > 500_000_000);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_made_in_one_that_is() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(existing(&dir.path().join("a/b/c")), dir.path());
        check_out(&dir.path().join("a/b")).unwrap();
        assert!(!dir.path().join("a").exists());
        std::fs::write(dir.path().join("f"), "").unwrap();
        assert!(check_out(&dir.path().join("f")).is_err());
        assert!(check_images(Some(&dir.path().join("f"))).is_err());
        assert!(check_images(Some(&dir.path().join("none"))).is_err());
        check_images(Some(dir.path())).unwrap();
    }
}
