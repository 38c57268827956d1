//! What was found on one slide.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ftuseg::bundle::Bundle;
use ftuseg::mask::rle;
use ftuseg::records::{InputRecord, Provenance};
use ftuseg::sink::{FoundObjects, GeoJson, ObjectsAs, Overlay, RecordSink, SlideFindings};
use ftuseg::slide::ClosedSlide;
use ftuseg::{Mask, Organ, Rect, Segmentation, SlideReader, Target};
use numpy::{PyArray2, PyArrayMethods, PyReadonlyArray3};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::error::Failure;
use super::objects::Objects;
use super::organ_map::OrganMap;
use super::pixels::slide_of;

/// The longest side of the picture that a notebook shows, px.
const NOTEBOOK_SIDE: u32 = 1000;

/// Something that looks doubtful about a slide or its result.
#[pyclass(frozen, get_all, module = "ftuseg")]
pub(crate) struct Doubt {
    /// Its kind, as in the records: "unsure", "no-tissue", ...
    kind: &'static str,
    /// A sentence for people.
    text: String,
}

#[pymethods]
impl Doubt {
    fn __repr__(&self) -> String {
        format!("<ftuseg.Doubt {}: {}>", self.kind, self.text)
    }

    fn __str__(&self) -> &str {
        &self.text
    }
}

/// Where the px of a slide can be had again, for a picture.
pub(crate) enum Source {
    File(PathBuf),
    /// The caller's array, which is kept as long as the result.
    Array(Py<PyAny>),
}

/// A segmented slide.
#[pyclass(frozen, name = "Result", module = "ftuseg")]
pub(crate) struct SlideResult {
    pub(crate) seen: Seen,
    pub(crate) source: Source,
    pub(crate) mask: PyOnceLock<Py<PyArray2<u8>>>,
    pub(crate) instances: PyOnceLock<Py<PyArray2<u32>>>,
    pub(crate) objects: PyOnceLock<Py<Objects>>,
}

/// What is known without the interpreter.
pub(crate) struct Seen {
    pub id: String,
    pub slide: ClosedSlide,
    pub segmentation: Segmentation,
    pub bundle: Arc<Bundle>,
    pub provenance: Provenance,
    pub input: InputRecord,
    pub seconds: f64,
    /// Outlined when somebody first asks for them. Locked only while the interpreter is free.
    pub found: Mutex<Option<Arc<FoundObjects>>>,
}

impl Seen {
    /// The result as the sinks see it, with the slide itself or what is known of it.
    fn findings<'a>(&'a self, slide: &'a dyn SlideReader) -> Result<SlideFindings<'a>, Failure> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, segmentation, bundle) = (&self.id, &self.segmentation, &self.bundle);
        let findings = match &*found {
            Some(objects) => {
                let objects = Arc::clone(objects);
                SlideFindings::with_objects(id, slide, segmentation, bundle, objects)
            }
            None => SlideFindings::new(id, slide, segmentation, bundle),
        };
        *found = Some(Arc::clone(findings.objects()?));
        Ok(findings)
    }

    /// Works on the findings while the interpreter is free.
    fn with_findings<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&SlideFindings<'_>) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        py.detach(|| work(&self.findings(&self.slide)?))
    }

    fn size(&self) -> (u32, u32) {
        (self.slide.info().width(), self.slide.info().height())
    }

    /// The picture, out of the px that the slide has now.
    fn picture(&self, slide: &dyn SlideReader, side: u32) -> Result<Vec<u8>, Failure> {
        let size = (slide.info().width(), slide.info().height());
        if size != self.size() {
            return Err(Failure::usage(format!(
                "the slide {:?} has another size now: {} x {} px",
                self.id, size.0, size.1
            )));
        }
        let findings = self.findings(slide)?;
        Ok(Overlay { side }.png(&findings, Path::new("the picture"))?)
    }
}

/// The target that a name stands for: an organ as people type it, or a network for all organs.
fn target_named(name: &str) -> Result<Target, Failure> {
    let organ = name.parse::<Organ>().ok().map(Target::Organ);
    let target = organ.or_else(|| Target::named(name));
    target.ok_or_else(|| Failure::usage(format!("there is no organ {name:?}")))
}

/// An array of zeros, `[height, width]`. Python asks for the memory, so that too much of it is a `MemoryError`.
fn zeros<'py, T: numpy::Element>(
    py: Python<'py>,
    (width, height): (u32, u32),
) -> PyResult<Bound<'py, PyArray2<T>>> {
    let shape = (height as usize, width as usize);
    let array = py
        .import("numpy")?
        .call_method1("zeros", (shape, numpy::dtype::<T>(py)))?;
    Ok(array.cast_into()?)
}

/// What is kept and handed out again is not to be written to.
fn locked<T: numpy::Element>(array: Bound<'_, PyArray2<T>>) -> PyResult<Py<PyArray2<T>>> {
    array.getattr("flags")?.setattr("writeable", false)?;
    Ok(array.unbind())
}

#[pymethods]
impl SlideResult {
    /// The slide's id.
    #[getter]
    fn id(&self) -> &str {
        &self.seen.id
    }

    /// Rows and columns of the slide at full size, px.
    #[getter]
    fn shape(&self) -> (u32, u32) {
        let (width, height) = self.seen.size();
        (height, width)
    }

    /// um per px from left to right and from top to bottom, as they were used; None where they were not known.
    #[getter]
    fn mpp(&self) -> Option<(f64, f64)> {
        self.seen.segmentation.resolution.map(|r| (r.mpp, r.down))
    }

    /// The value of each organ in `mask`, of those that tissue was sent to.
    #[getter]
    fn labels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let labels = PyDict::new(py);
        for layer in &self.seen.segmentation.layers {
            labels.set_item(layer.target.name(), self.seen.bundle.label(layer.target))?;
        }
        Ok(labels)
    }

    /// What each organ got and what was found there, as in the record, the largest share first.
    #[getter]
    fn organs<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>, Failure> {
        let text = self.seen.with_findings(py, |findings| {
            serde_json::to_string(&findings.organs()?)
                .map_err(|error| Failure::internal(error.to_string()))
        })?;
        Ok(py.import("json")?.call_method1("loads", (text,))?)
    }

    /// Labels at full size, as in the command's mask.tif: uint8 `[height, width]`, 0 background, else see `labels`. Made
    /// when it is first asked for, and kept; not to be written to.
    #[getter]
    fn mask(&self, py: Python<'_>) -> Result<Py<PyArray2<u8>>, Failure> {
        let mask = self.mask.get_or_try_init(py, || {
            let (width, height) = self.seen.size();
            let all = Rect {
                x: 0,
                y: 0,
                width,
                height,
            };
            let array = self.block(py, all, 0)?;
            Ok::<_, Failure>(locked(array)?)
        })?;
        Ok(mask.clone_ref(py))
    }

    /// A block of the labels at a level: 0 is full size, and each level has half the px of the one before along each side.
    /// What lies beyond the slide is 0.
    #[pyo3(signature = (x, y, width, height, level=0))]
    fn read_mask(
        &self,
        py: Python<'_>,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        level: u32,
    ) -> Result<Py<PyArray2<u8>>, Failure> {
        let most = ftuseg::mask::MAX_SIDE;
        let is_within =
            |start: u32, length: u32| start.checked_add(length).is_some_and(|end| end <= most);
        if !is_within(x, width) || !is_within(y, height) {
            return Err(Failure::usage(format!(
                "a block of {width} x {height} px at ({x}, {y}) reaches beyond any slide"
            )));
        }
        let rect = Rect {
            x,
            y,
            width,
            height,
        };
        Ok(self.block(py, rect, level)?.unbind())
    }

    /// Each px's object by its number: uint32 `[height, width]`, 0 background, else the `id` in `objects`. Made when it is
    /// first asked for, and kept; not to be written to.
    #[getter]
    fn instances(&self, py: Python<'_>) -> Result<Py<PyArray2<u32>>, Failure> {
        let instances = self.instances.get_or_try_init(py, || {
            let (width, height) = self.seen.size();
            let array = zeros::<u32>(py, (width, height))?;
            let mut borrowed = array.readwrite();
            let px = borrowed.as_slice_mut().map_err(PyErr::from)?;
            self.seen.with_findings(py, |findings| {
                let found = findings.objects()?;
                if found.len() > u64::from(u32::MAX) {
                    let objects = found.len();
                    return Err(Failure::Kind(
                        "limits",
                        format!("32 bits cannot tell {objects} objects apart"),
                    ));
                }
                found.each(|object| {
                    for run in object.polygon.runs() {
                        let line = run.y as usize * width as usize;
                        let (from, to) = (line + run.start as usize, line + run.end as usize);
                        // There are no more than 32 bits count, as was checked.
                        px[from..to].fill(object.id as u32);
                    }
                    Ok(())
                })?;
                Ok(())
            })?;
            drop(borrowed);
            Ok::<_, Failure>(locked(array)?)
        })?;
        Ok(instances.clone_ref(py))
    }

    /// The objects as a table, made when it is first asked for.
    #[getter]
    fn objects(&self, py: Python<'_>) -> Result<Py<Objects>, Failure> {
        let objects = self.objects.get_or_try_init(py, || {
            let objects = self.seen.with_findings(py, Objects::of)?;
            Ok::<_, Failure>(Py::new(py, objects)?)
        })?;
        Ok(objects.clone_ref(py))
    }

    /// The outline of each object, in the order of `objects`: its rings, of which the first is the outer one and the
    /// others are holes, each uint32 `[corners, 2]` of x and y at full size. The last corner is the first one again.
    fn outlines<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyList>, Failure> {
        let mut polygons = self.seen.with_findings(py, |findings| {
            let mut polygons = Vec::new();
            findings.objects()?.each(|object| {
                polygons.push(object.polygon.clone());
                Ok(())
            })?;
            Ok(polygons)
        })?;
        let outlines = polygons.drain(..).map(|polygon| {
            let rings = std::iter::once(&polygon.exterior).chain(&polygon.holes);
            let rings = rings.map(|ring| {
                let corners = ring.as_flattened();
                let flat = numpy::PyArray1::from_slice(py, corners);
                flat.reshape([ring.len(), 2])
            });
            PyList::new(py, rings.collect::<PyResult<Vec<_>>>()?)
        });
        let outlines = outlines.collect::<PyResult<Vec<_>>>()?;
        Ok(PyList::new(py, outlines)?)
    }

    /// All objects as GeoJSON, the very text of the command's objects.geojson; as QuPath's detections, or annotations.
    #[pyo3(signature = (objects_as="detection"))]
    fn geojson(&self, py: Python<'_>, objects_as: &str) -> Result<String, Failure> {
        let objects_as: ObjectsAs = objects_as
            .parse()
            .map_err(|error| Failure::usage(format!("{error}")))?;
        let text = self.seen.with_findings(py, |findings| {
            let mut text = Vec::new();
            GeoJson {
                objects_as,
                simplify_um: None,
            }
            .write_to(findings, &mut text)?;
            Ok(text)
        })?;
        String::from_utf8(text).map_err(|_| Failure::internal("the GeoJSON is no text"))
    }

    /// Kaggle's run-length encoding of one organ, or of all that was found: px counted from 1, down the columns; "" where
    /// nothing was found.
    #[pyo3(signature = (organ=None))]
    fn rle(&self, py: Python<'_>, organ: Option<&str>) -> Result<String, Failure> {
        let target = organ.map(target_named).transpose()?;
        py.detach(|| {
            let Some(target) = target else {
                return Ok(rle::encode(&self.seen.segmentation.union()?));
            };
            let mut layers = self.seen.segmentation.layers.iter();
            let layer = layers.find(|layer| layer.target == target);
            Ok(layer.map_or_else(String::new, |layer| rle::encode(&layer.mask)))
        })
    }

    /// Which organ each part of the slide is.
    #[getter]
    fn organ_map(&self, py: Python<'_>) -> PyResult<OrganMap> {
        OrganMap::of(py, &self.seen.segmentation)
    }

    /// What looks doubtful about the slide or the result.
    #[getter]
    fn warnings(&self) -> Vec<Doubt> {
        let of_slide = self.seen.slide.warnings().iter();
        let all = of_slide.chain(&self.seen.segmentation.warnings);
        all.map(|warning| Doubt {
            kind: warning.kind.name(),
            text: warning.text.clone(),
        })
        .collect()
    }

    /// What was done, by whom, and what came of it: slide.json of the command, without the name of a folder.
    #[getter]
    fn record<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>, Failure> {
        let seen = &self.seen;
        let text = seen.with_findings(py, |findings| {
            let warnings = [seen.slide.warnings(), &seen.segmentation.warnings].concat();
            let record = RecordSink {
                provenance: seen.provenance.clone(),
                folder: String::new(),
                input: seen.input.clone(),
                seconds: seen.seconds,
                warnings,
                rle: None,
            }
            .record(findings)?;
            let failed = |error: serde_json::Error| Failure::internal(error.to_string());
            let mut record = serde_json::to_value(&record).map_err(failed)?;
            if let Some(entries) = record.as_object_mut() {
                entries.remove("folder");
            }
            serde_json::to_string(&record).map_err(failed)
        })?;
        Ok(py.import("json")?.call_method1("loads", (text,))?)
    }

    /// The slide with the outlines of what was found and a legend, as PNG. `side` is the longest side of the slide in it,
    /// px. The slide's px are read again: from its file, or from the array, which may have changed.
    #[pyo3(signature = (side=1600))]
    fn overlay<'py>(&self, py: Python<'py>, side: u32) -> Result<Bound<'py, PyBytes>, Failure> {
        if !(16..=16_384).contains(&side) {
            return Err(Failure::usage(format!(
                "a picture of {side} px; its side is from 16 to 16384"
            )));
        }
        let seen = &self.seen;
        let png = match &self.source {
            Source::File(path) => py.detach(|| {
                let slide = ftuseg::slide::open(path)?;
                seen.picture(slide.as_ref(), side)
            })?,
            Source::Array(array) => {
                let array: PyReadonlyArray3<'_, u8> = array.bind(py).extract()?;
                let slide = slide_of(&array, None)?;
                py.detach(|| seen.picture(&slide, side))?
            }
        };
        Ok(PyBytes::new(py, &png))
    }

    fn _repr_png_<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, Failure> {
        self.overlay(py, NOTEBOOK_SIDE)
    }

    fn __repr__(&self) -> String {
        let (width, height) = self.seen.size();
        let organs: Vec<&str> = self
            .seen
            .segmentation
            .map
            .shares()
            .iter()
            .map(|share| share.target.name())
            .collect();
        format!(
            "<ftuseg.Result {:?}: {width} x {height} px, {}>",
            self.seen.id,
            match organs.is_empty() {
                true => "no tissue".to_owned(),
                false => organs.join(", "),
            }
        )
    }
}

impl SlideResult {
    /// A block of the labels, painted straight into Python's array.
    fn block<'py>(
        &self,
        py: Python<'py>,
        rect: Rect,
        level: u32,
    ) -> Result<Bound<'py, PyArray2<u8>>, Failure> {
        let array = zeros::<u8>(py, (rect.width, rect.height))?;
        let mut borrowed = array.readwrite();
        let px = borrowed.as_slice_mut().map_err(PyErr::from)?;
        let (layers, bundle) = (&self.seen.segmentation.layers, &self.seen.bundle);
        py.detach(|| {
            layers.iter().try_for_each(|layer| {
                let mask: &Mask = &layer.mask;
                let label = bundle.label(layer.target);
                mask.read_block(rect, level, label, px, rect.width as usize)
            })
        })?;
        drop(borrowed);
        Ok(array)
    }
}
