//! `objects.csv` and `objects.parquet` of a whole run: the rows of the slides' own tables, one after the other. And what
//! such a table tells that no mask does.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use ftuseg_files::plain;
use ftuseg_files::whole::replace;

use super::{BatchError, Output, Outputs, SlideStatus};
use crate::sink::columns::{LOWEST_PROBABILITY, MEAN_PROBABILITY};
use crate::sink::objects_csv::header;
#[cfg(feature = "parquet")]
use crate::sink::objects_parquet;
use crate::sink::{FoundObjects, ObjectProbability};

/// The outputs whose slides' tables are joined.
const JOINED: &[Output] = &[
    Output::Objects,
    #[cfg(feature = "parquet")]
    Output::Parquet,
];

/// Below this a table is replaced after every slide.
const SMALL_TABLE_BYTES: u64 = 4 << 20;
/// A larger one is replaced when it has grown by this share, so that what is written stays in proportion to it.
const GROWTH: u64 = 16;

/// The tables of objects that a run keeps. Their rows stay in the slides' folders until a table of all is written.
#[derive(Default)]
pub(super) struct ObjectTables(Vec<JoinedTable>);

/// The tables of one format, by the slides' places in the report.
struct JoinedTable {
    output: Output,
    slides: BTreeMap<usize, (PathBuf, u64)>,
    bytes: u64,
    /// Bytes of the slides' tables that are in the one on the disk.
    written: u64,
}

impl ObjectTables {
    /// Tables for these outputs.
    pub(super) fn new(outputs: Outputs) -> Self {
        let wanted = JOINED.iter().filter(|&&output| outputs.contains(output));
        let tables = wanted.map(|&output| JoinedTable {
            output,
            slides: BTreeMap::new(),
            bytes: 0,
            written: 0,
        });
        ObjectTables(tables.collect())
    }

    /// Takes the tables in the folder of a slide, but those of outputs that are still to be made there.
    ///
    /// # Errors
    /// When one is not there, or is none of this version.
    pub(super) fn put(
        &mut self,
        index: usize,
        folder: &Path,
        missing: Outputs,
    ) -> Result<(), String> {
        let tables = self.0.iter_mut();
        for table in tables.filter(|table| !missing.contains(table.output)) {
            let name = table.name();
            let path = folder.join(name);
            let bytes = check(table.output, &path)
                .map_err(|error| format!("its {name} cannot be used: {error}"))?;
            let before = table.slides.insert(index, (path, bytes));
            table.bytes += bytes;
            table.bytes -= before.map_or(0, |(_, bytes)| bytes);
        }
        Ok(())
    }

    /// Replaces the tables in the folder `out` by the rows of all slides that are there; while a run goes on, only those
    /// that lag behind too far. Tables that an earlier run with other outputs left are removed: they would speak of slides
    /// that are no more.
    ///
    /// # Errors
    /// When one cannot be written, or a slide's table is not there any more.
    pub(super) fn write(
        &mut self,
        out: &Path,
        slides: &[SlideStatus],
        goes_on: bool,
    ) -> Result<(), BatchError> {
        for table in &mut self.0 {
            if !goes_on || table.is_due() {
                table.write(out, slides)?;
            }
        }
        for output in JOINED {
            if self.0.iter().all(|table| table.output != *output) {
                remove(&out.join(output.file_name().unwrap_or_default()))?;
            }
        }
        Ok(())
    }
}

impl JoinedTable {
    /// The name of the file, in the folder of the run as in that of a slide.
    fn name(&self) -> &'static str {
        self.output.file_name().unwrap_or_default()
    }

    fn is_due(&self) -> bool {
        let new = self.bytes.saturating_sub(self.written);
        self.bytes < SMALL_TABLE_BYTES || new >= self.written / GROWTH
    }

    fn write(&mut self, out: &Path, slides: &[SlideStatus]) -> Result<(), BatchError> {
        // A slide that an earlier run made with other settings has none.
        let there = |(index, slide): (usize, &SlideStatus)| {
            let (path, _) = self.slides.get(&index)?;
            slide.is_there().then_some(path.as_path())
        };
        let mut paths = slides.iter().enumerate().filter_map(there);
        replace(&out.join(self.name()), |file| {
            join(self.output, &mut paths, file)
        })?;
        self.written = self.bytes;
        Ok(())
    }
}

/// Writes one table of several.
fn join(
    output: Output,
    paths: &mut dyn Iterator<Item = &Path>,
    out: &mut (impl Write + Send + ?Sized),
) -> io::Result<()> {
    let named = |path: &Path, error: io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    #[cfg(feature = "parquet")]
    if output == Output::Parquet {
        use objects_parquet::{ParquetTable, io_error};
        let mut table = ParquetTable::new(&mut *out).map_err(io_error)?;
        for path in paths {
            let added = open_plain(path).and_then(|file| {
                let rows = objects_parquet::open(file).map_err(io_error)?;
                table.add_all(&rows).map_err(io_error)
            });
            added.map_err(|error| named(path, error))?;
        }
        return table.finish().map(|_| ()).map_err(io_error);
    }
    debug_assert_eq!(output, Output::Objects);
    out.write_all(header().as_bytes())?;
    for path in paths {
        let copied = open_csv(path).and_then(|mut lines| io::copy(&mut lines, out));
        copied.map_err(|error| named(path, error))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), BatchError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(BatchError::output(
            path,
            format!("the table of an earlier run cannot be removed: {error}"),
        )),
    }
}

/// Looks whether the table of a slide is one of this version, and says how large it is.
fn check(output: Output, path: &Path) -> io::Result<u64> {
    let bytes = open_plain(path)?.metadata()?.len();
    #[cfg(feature = "parquet")]
    if output == Output::Parquet {
        objects_parquet::open(open_plain(path)?).map_err(objects_parquet::io_error)?;
        return Ok(bytes);
    }
    debug_assert_eq!(output, Output::Objects);
    open_csv(path)?;
    Ok(bytes)
}

/// Opens a table of ours, never through a link.
fn open_plain(path: &Path) -> io::Result<std::fs::File> {
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    plain::open(path, u64::MAX)
}

/// Opens the table of a slide behind its header.
fn open_csv(path: &Path) -> io::Result<impl BufRead + use<>> {
    let mut lines = BufReader::new(open_plain(path)?);
    let wanted = header();
    let mut found = vec![0; wanted.len()];
    let read = lines.read_exact(&mut found);
    if read.is_err() || found != wanted.as_bytes() {
        return Err(io::Error::other(
            "it does not begin with the columns of this version",
        ));
    }
    Ok(lines)
}

/// The probabilities that the `objects.csv` of a slide has, for the objects that were found again in its mask; none where it
/// has none.
///
/// # Errors
/// When it is a table of other objects, or none.
pub(super) fn probabilities(
    folder: &Path,
    objects: &FoundObjects,
) -> Result<Option<Vec<ObjectProbability>>, String> {
    let path = folder.join("objects.csv");
    let wrong = |what: &dyn std::fmt::Display| format!("its objects.csv cannot be used: {what}");
    check(Output::Objects, &path).map_err(|error| wrong(&error))?;
    let file = open_plain(&path).map_err(|error| wrong(&error))?;
    let mut table = csv::Reader::from_reader(BufReader::new(file));
    let headers = table.headers().map_err(|error| wrong(&error))?;
    let place = |name: &str| headers.iter().position(|column| column == name);
    let places = [
        "id",
        "uuid",
        "area_px",
        MEAN_PROBABILITY,
        LOWEST_PROBABILITY,
    ]
    .map(place);
    let [Some(id), Some(uuid), Some(area), Some(mean), Some(lowest)] = places else {
        return Err(wrong(&"it lacks a column"));
    };
    let mut rows = table.records();
    let (mut known, mut unknown, mut differs) = (Vec::new(), 0_u64, None);
    let visited = objects.each(|object| {
        let row = rows.next().and_then(Result::ok).unwrap_or_default();
        let is = |place: usize, text: String| row.get(place) == Some(text.as_str());
        let is_same = is(id, object.id.to_string())
            && is(uuid, object.uuid.to_string())
            && is(area, object.figures.area.to_string());
        let number = |place: usize| {
            let number: f64 = row.get(place)?.parse().ok()?;
            (0.0..=1.0).contains(&number).then_some(number)
        };
        match (is_same, number(mean), number(lowest)) {
            (true, Some(mean), Some(lowest)) => known.push(ObjectProbability { mean, lowest }),
            (true, ..) => unknown += 1,
            (false, ..) => {
                differs.get_or_insert(object.id);
            }
        }
        Ok(())
    });
    visited.map_err(|error| error.to_string())?;
    if let Some(object) = differs {
        let what = format!("its object {object} is another one in the mask");
        return Err(wrong(&what));
    }
    if rows.next().is_some() {
        return Err(wrong(&"it has objects that are not in the mask"));
    }
    Ok((unknown == 0).then_some(known))
}
