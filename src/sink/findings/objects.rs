//! The objects of a slide: found, measured and outlined in one pass over the masks.

use std::io;

use ftuseg_router::Target;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::names;
use super::sorter::Sorter;
use super::stored::{List, Place, Store, Stored};
use crate::mask::{Figures, Object, Polygon, Rect, Run, Tally, each_object_counted, outline};
use crate::pipeline::{Layer, Segmentation};
use crate::sink::SinkError;
use crate::slide::{SlideReader, Tissue};

/// One object, as the sinks see it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SlideObject {
    /// Its number on the slide, from 1: target by target, and within one row by row in the order of the first px.
    pub id: u64,
    /// A name that is the same whenever this object is found again: see [`object_uuid`].
    pub uuid: Uuid,
    /// Who found it.
    pub target: Target,
    /// Its shape, full-size px.
    pub figures: Figures,
    /// Its outline, full-size px.
    pub polygon: Polygon,
    /// How sure the network was, where that is known.
    pub probability: Option<ObjectProbability>,
    /// Whether it reaches the edge of the picture, or of the part of it that was scanned.
    pub touches_slide_edge: bool,
    /// Whether it reaches the edge of the tissue: see [`Tissue::is_at_edge`].
    pub touches_tissue_edge: bool,
}

/// The probabilities of an object's px before any clean-up, from bytes: `floor(256 p)` is taken for `p` in the middle of its
/// step, so that both are off by at most 1/512. Rounded to four digits, as every output has them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ObjectProbability {
    /// Their mean.
    pub mean: f64,
    /// The lowest.
    pub lowest: f64,
}

impl ObjectProbability {
    fn of(counted: &Counted, area: u64) -> Self {
        let probability = |byte: f64| ((byte + 0.5) / 256.0 * 1e4).round() / 1e4;
        ObjectProbability {
            mean: probability(counted.sum as f64 / area as f64),
            lowest: probability(f64::from(counted.lowest)),
        }
    }
}

/// The objects of one target, taken together.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TargetObjects {
    /// The target.
    pub target: Target,
    /// Name of the model that found them.
    pub model: String,
    /// Probability from which a px counted as found.
    pub threshold: f32,
    /// How many there are.
    pub count: u64,
    /// Area of all objects, full-size px.
    pub area: u64,
    /// Median of their areas, full-size px: the mean of the two in the middle where their number is even.
    pub median_area: Option<f64>,
    /// The id of the first.
    first: u64,
    /// Where they lie, in the order of their ids.
    list: List,
}

/// All objects of a slide, in an unnamed file of the temporary folder. Memory holds a fixed number of them, however many
/// there are.
#[derive(Debug)]
pub struct FoundObjects {
    slide: String,
    store: Store,
    targets: Vec<TargetObjects>,
    /// By id, where they are known from elsewhere.
    probabilities: Option<Vec<ObjectProbability>>,
}

/// What is summed over the px of an object.
#[derive(Default, Clone, Copy)]
struct Counted {
    sum: u64,
    lowest: u8,
    any: bool,
}

impl Tally for Counted {
    fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.lowest = match (self.any, other.any) {
            (true, true) => self.lowest.min(other.lowest),
            (true, false) => self.lowest,
            (false, _) => other.lowest,
        };
        self.any |= other.any;
    }
}

/// Runs whose objects are measured at once: enough for all threads, and little memory.
const AT_ONCE: usize = 1 << 16;
/// Places that are written at once.
const PLACES_AT_ONCE: usize = 1 << 12;

impl FoundObjects {
    /// Finds the objects of all layers.
    pub(super) fn find(
        id: &str,
        slide: &dyn SlideReader,
        segmentation: &Segmentation,
    ) -> Result<Self, SinkError> {
        let info = slide.info();
        let edges = Edges {
            scanned: info.bounds.unwrap_or(Rect {
                x: 0,
                y: 0,
                width: info.width(),
                height: info.height(),
            }),
            tissue: &segmentation.tissue,
        };
        let mut found = FoundObjects {
            slide: id.to_owned(),
            store: Store::new().map_err(SinkError::Temporary)?,
            targets: Vec::new(),
            probabilities: None,
        };
        for layer in &segmentation.layers {
            found.add(layer, &edges).map_err(SinkError::Temporary)?;
        }
        Ok(found)
    }

    fn add(&mut self, layer: &Layer, edges: &Edges<'_>) -> io::Result<()> {
        let kept = layer.probabilities.as_deref();
        let count = |runs: &[Run]| -> io::Result<Vec<Counted>> {
            let Some(map) = kept else {
                return Ok(vec![Counted::default(); runs.len()]);
            };
            let sums = map.sums(runs)?.into_iter();
            let counted = sums.map(|(sum, lowest)| Counted {
                sum,
                lowest,
                any: true,
            });
            Ok(counted.collect())
        };
        // They come in the order of their ends, and are put in that of their first px. Each begins with another one.
        let mut ended = Sorter::<3>::new();
        let mut areas = Sorter::<1>::new();
        let mut all_px = 0;
        let (mut waiting, mut runs) = (Vec::new(), 0);
        let store = &mut self.store;
        let mut measure = |waiting: &mut Vec<(Vec<Run>, Counted)>| -> io::Result<()> {
            // Measured side by side, written in order: the file is the same with any number of threads.
            let made: Vec<io::Result<(u64, u64, Vec<u8>)>> = waiting
                .par_iter()
                .with_min_len(16)
                .map(|(runs, counted)| {
                    let object = Object::of(runs);
                    let figures = object.figures();
                    let (area, first) = (figures.area, runs[0]);
                    let stored = Stored {
                        polygon: outline(&object),
                        probability: kept.map(|_| ObjectProbability::of(counted, area)),
                        touches_slide_edge: edges.of_slide(&figures.bounds),
                        touches_tissue_edge: edges.of_tissue(&object, &figures.bounds),
                        figures,
                    };
                    let key = u64::from(first.y) << 32 | u64::from(first.start);
                    Ok((key, area, stored.encode()?))
                })
                .collect();
            waiting.clear();
            let (mut keys, mut all) = (Vec::new(), Vec::new());
            for one in made {
                let (key, area, bytes) = one?;
                keys.push((key, area));
                all.push(bytes);
            }
            let places = store.append(all.into_iter())?;
            for ((key, area), place) in keys.into_iter().zip(places) {
                ended.push([key, place.offset, u64::from(place.length)])?;
                areas.push([area])?;
                all_px += area;
            }
            Ok(())
        };
        each_object_counted(&layer.mask, count, |object, counted| {
            runs += object.len();
            waiting.push((object, counted));
            if runs >= AT_ONCE {
                runs = 0;
                measure(&mut waiting)?;
            }
            Ok(())
        })?;
        measure(&mut waiting)?;
        let (first, count) = (self.len() + 1, ended.len());
        let mut list = self.store.begin_list();
        let mut places = Vec::new();
        ended.each(|[_, offset, length]| {
            // It was put in as one.
            let length = length as u32;
            places.push(Place { offset, length });
            if places.len() == PLACES_AT_ONCE {
                self.store.append_places(&mut list, &places)?;
                places.clear();
            }
            Ok(())
        })?;
        self.store.append_places(&mut list, &places)?;
        self.targets.push(TargetObjects {
            target: layer.target,
            model: names(&layer.models),
            threshold: layer.threshold,
            count,
            area: all_px,
            median_area: median(areas)?,
            first,
            list,
        });
        Ok(())
    }

    /// What each target found, in the order of the segmentation's layers.
    pub fn targets(&self) -> &[TargetObjects] {
        &self.targets
    }

    /// How many objects there are.
    pub fn len(&self) -> u64 {
        self.targets.iter().map(|target| target.count).sum()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives every object the probability that is known from elsewhere, in the order of the ids.
    #[cfg(feature = "batch")]
    pub(super) fn put_probabilities(&mut self, known: Vec<ObjectProbability>) {
        debug_assert_eq!(known.len() as u64, self.len());
        self.probabilities = Some(known);
    }

    /// Calls `visit` with every object, in the order of the ids. It may be called as often as is wanted, and from several
    /// threads at once.
    ///
    /// # Errors
    /// When the unnamed file cannot be read, and what `visit` says.
    pub fn each(
        &self,
        mut visit: impl FnMut(&SlideObject) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let mut targets = self.targets.iter();
        targets.try_for_each(|target| self.each_of(target, &mut visit))
    }

    /// As [`FoundObjects::each`], for the objects of one of its [`targets`](FoundObjects::targets).
    ///
    /// # Errors
    /// As [`FoundObjects::each`].
    pub fn each_of(
        &self,
        target: &TargetObjects,
        mut visit: impl FnMut(&SlideObject) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let mut ids = target.first..;
        self.store
            .each(&target.list, SinkError::Temporary, |stored| {
                let id = ids.next().unwrap_or_default();
                visit(&self.object(target.target, id, stored))
            })
    }

    fn object(&self, target: Target, id: u64, stored: Stored) -> SlideObject {
        let [x, y] = stored.polygon.exterior.first().copied().unwrap_or_default();
        let known = self.probabilities.as_ref();
        SlideObject {
            id,
            uuid: object_uuid(&self.slide, target, (x, y)),
            target,
            figures: stored.figures,
            polygon: stored.polygon,
            probability: known.map_or(stored.probability, |all| Some(all[(id - 1) as usize])),
            touches_slide_edge: stored.touches_slide_edge,
            touches_tissue_edge: stored.touches_tissue_edge,
        }
    }
}

/// The number in the middle, or the mean of the two in the middle; none of none.
fn median(numbers: Sorter<1>) -> io::Result<Option<f64>> {
    let Some(last) = numbers.len().checked_sub(1) else {
        return Ok(None);
    };
    let (mut place, mut sum) = (0, 0.0);
    numbers.each(|[number]| {
        for middle in [last / 2, last.div_ceil(2)] {
            if place == middle {
                sum += number as f64 / 2.0;
            }
        }
        place += 1;
        Ok(())
    })?;
    Ok(Some(sum))
}

/// What the names of objects are made in.
const NAMESPACE: Uuid = Uuid::from_u128(0x350be5f9_d5db_5ef2_886f_07f7eda81485);

/// The name of an object: version 5 (RFC 9562) of the slide's id, the target and the object's first px (the leftmost of its
/// topmost row), with slashes in between: `slide-7/kidney/120/44`. No other object of the slide has that px, and who finds
/// it again gives it the same name.
pub fn object_uuid(slide: &str, target: Target, (x, y): (u32, u32)) -> Uuid {
    let name = format!("{slide}/{}/{x}/{y}", target.name());
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// What an object can touch.
struct Edges<'a> {
    scanned: Rect,
    tissue: &'a Tissue,
}

impl Edges<'_> {
    /// Whether an object reaches the edge of what was scanned.
    fn of_slide(&self, bounds: &Rect) -> bool {
        let all = &self.scanned;
        bounds.x <= all.x
            || bounds.y <= all.y
            || bounds.x + bounds.width >= all.x + all.width
            || bounds.y + bounds.height >= all.y + all.height
    }

    /// Whether an object reaches the edge of the tissue.
    fn of_tissue(&self, object: &Object<'_>, bounds: &Rect) -> bool {
        let (right, bottom) = (bounds.x + bounds.width, bounds.y + bounds.height);
        let is_at_edge = |run: &Run| self.tissue.is_at_edge(run.start, run.y, run.end, run.y + 1);
        self.tissue.is_at_edge(bounds.x, bounds.y, right, bottom)
            && object.runs().iter().any(is_at_edge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_those_of_the_middle() {
        for (numbers, expected) in [
            (vec![], None),
            (vec![7], Some(7.0)),
            (vec![9, 2], Some(5.5)),
            (vec![5, 1, 9], Some(5.0)),
            (vec![8, 1, 3, 2], Some(2.5)),
            (vec![4, 4, 4, 4, 1], Some(4.0)),
        ] {
            let mut sorter = Sorter::new();
            for &number in &numbers {
                sorter.push([number]).unwrap();
            }
            assert_eq!(median(sorter).unwrap(), expected, "{numbers:?}");
        }
    }

    #[test]
    fn names_are_those_that_any_tool_makes_of_the_same_text() {
        // Python: uuid.uuid5(uuid.UUID("350be5f9-d5db-5ef2-886f-07f7eda81485"), "slide 7/kidney/120/44")
        let name = object_uuid("slide 7", Target::named("kidney").unwrap(), (120, 44));
        assert_eq!(name.to_string(), "298e8996-c94c-57ce-b9a4-d77099e2823c");
        let other = object_uuid("slide 7", Target::named("lung").unwrap(), (120, 44));
        assert_ne!(name, other);
    }

    #[test]
    fn what_is_counted_does_not_depend_on_the_order() {
        let one = |sum, lowest| Counted {
            sum,
            lowest,
            any: true,
        };
        for parts in [[one(5, 3), one(9, 200)], [one(9, 200), one(5, 3)]] {
            let mut all = Counted::default();
            parts.into_iter().for_each(|part| all.add(part));
            assert_eq!((all.sum, all.lowest), (14, 3));
        }
        let sure = ObjectProbability::of(&one(255 * 4, 255), 4);
        assert_eq!((sure.mean, sure.lowest), (0.998, 0.998));
    }
}
