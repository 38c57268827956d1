//! The objects of a slide, one by one: each row of `objects.csv` with its outline, held against each other.

use std::path::PathBuf;

use ftuseg_mask::{Polygon, Rect};
use ftuseg_router::Target;

use crate::outline::{Outline, Outlines};
use crate::table::{Field, Table};
use crate::{ExportError, FinishedSlide};

/// An object as every format has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedObject {
    /// Its number on the slide, from 1, as in `objects.csv`.
    pub id: u64,
    /// Its name, as in `objects.csv`.
    pub uuid: String,
    /// Who found it.
    pub target: Target,
    /// What it is called: `Glomerulus`.
    pub unit: String,
    /// The RGB colour of its kind.
    pub colour: [u8; 3],
    /// Its outline, full-size px.
    pub polygon: Polygon,
    /// What it spans, full-size px.
    pub bounds: Rect,
    /// Its middle, full-size px: x and y.
    pub centroid: [f64; 2],
    /// Its row of `objects.csv`, in the order of [`Objects::columns`].
    pub fields: Vec<Field>,
}

/// The objects of a slide that are being read. Memory holds one of them.
pub struct Objects {
    path: PathBuf,
    table: Table,
    outlines: Outlines,
    places: Places,
    /// Objects of each target that the record states, in the order of the ids.
    expected: u64,
    read: u64,
    /// Target and first px of the object before.
    last: Option<(Target, (u32, u32))>,
    done: Vec<Target>,
}

/// Where the columns stand that are looked at.
struct Places {
    id: usize,
    uuid: usize,
    organ: usize,
    unit: usize,
    centroid: [usize; 2],
    bounds: [usize; 4],
    area: usize,
}

impl Objects {
    pub(crate) fn open(slide: &FinishedSlide) -> Result<Self, ExportError> {
        let path = slide.folder.join("objects.csv");
        if !path.exists() {
            return Err(ExportError::MissingOutput {
                folder: slide.folder.clone(),
                file: "objects.csv",
                output: "objects",
            });
        }
        let table = Table::open(&path)?;
        let place = |name: &str| {
            table
                .place(name)
                .expect("invariant: a table has all columns that are needed")
        };
        let places = Places {
            id: place("id"),
            uuid: place("uuid"),
            organ: place("organ"),
            unit: place("unit"),
            centroid: [place("centroid_x_px"), place("centroid_y_px")],
            bounds: ["box_x_px", "box_y_px", "box_width_px", "box_height_px"].map(place),
            area: place("area_px"),
        };
        let counts = slide.record.organs.iter().map(|organ| organ.objects);
        Ok(Objects {
            outlines: Outlines::open(&slide.folder, (slide.record.width, slide.record.height))?,
            expected: counts.fold(0, u64::saturating_add),
            path,
            table,
            places,
            read: 0,
            last: None,
            done: Vec::new(),
        })
    }

    /// How many objects the slide's record states. Whoever reads all of them finds as many, or an error.
    pub fn stated(&self) -> u64 {
        self.expected
    }

    /// The columns of `objects.csv`.
    pub fn columns(&self) -> &[String] {
        self.table.columns()
    }

    /// The next object; none at the end.
    ///
    /// # Errors
    /// When the table, the outlines and the record do not speak of the same objects.
    pub fn next_object(&mut self) -> Result<Option<ExportedObject>, ExportError> {
        let mut fields = Vec::with_capacity(self.table.columns().len());
        let has_row = self.table.next(&mut fields)?;
        let object = match (has_row, self.outlines.next()?) {
            (true, Some(outline)) => self.join(fields, outline)?,
            (false, None) if self.read == self.expected => return Ok(None),
            (false, None) => {
                return Err(self.differs(&format!(
                    "it has {} objects, but slide.json says {}",
                    self.read, self.expected
                )));
            }
            _ => return Err(self.differs("it has another number of objects than the outlines")),
        };
        self.read += 1;
        Ok(Some(object))
    }

    fn differs(&self, reason: &str) -> ExportError {
        ExportError::damaged(&self.path, reason)
    }

    /// Puts a row and an outline together, which must be of the next object.
    fn join(
        &mut self,
        fields: Vec<Field>,
        outline: Outline,
    ) -> Result<ExportedObject, ExportError> {
        let id = self.read + 1;
        let wrong = |what: &str| self.differs(&format!("object {id}: {what}"));
        let places = &self.places;
        let text = |place: usize| fields[place].text().unwrap_or_default();
        let bounds = outline.bounds;
        let span = [bounds.x, bounds.y, bounds.width, bounds.height];
        let is_same = fields[places.id].whole() == Some(id)
            && outline.id == id.to_string()
            && text(places.uuid) == outline.uuid
            && fields[places.area].whole() == Some(outline.polygon.area)
            && (places.bounds.iter().zip(span))
                .all(|(&place, px)| fields[place].whole() == Some(px.into()));
        if !is_same {
            return Err(wrong("its row and its outline are not of the same object"));
        }
        let target = Target::named(text(places.organ)).ok_or_else(|| wrong("unknown organ"))?;
        let [x, y] = outline.polygon.exterior[0];
        // Whoever paints objects relies on their order.
        if let Some((before, first)) = self.last
            && before == target
            && first >= (y, x)
        {
            return Err(wrong("it is not in the order of the first pixels"));
        }
        let is_new = self.last.is_none_or(|(before, _)| before != target);
        if is_new && self.done.contains(&target) {
            return Err(wrong("its organ came before"));
        }
        let [Some(across), Some(down)] = places.centroid.map(|place| fields[place].number()) else {
            return Err(wrong("it has no centroid"));
        };
        let object = ExportedObject {
            id,
            target,
            unit: text(places.unit).to_owned(),
            uuid: outline.uuid,
            colour: outline.colour,
            polygon: outline.polygon,
            bounds,
            centroid: [across, down],
            fields,
        };
        if is_new {
            self.done.push(target);
        }
        self.last = Some((target, (y, x)));
        Ok(object)
    }
}

/// The objects of a slide in the order of their first px, whatever found them. The files are read once for each target.
pub struct ObjectsByRow(Vec<OfTarget>);

/// The objects of one target.
struct OfTarget {
    target: Target,
    objects: Objects,
    next: Option<ExportedObject>,
}

impl ObjectsByRow {
    pub(crate) fn open(slide: &FinishedSlide) -> Result<Self, ExportError> {
        let found = slide.record.organs.iter().filter(|organ| organ.objects > 0);
        let targets = found.filter_map(|organ| Target::named(&organ.organ));
        let open = |target| -> Result<OfTarget, ExportError> {
            let mut objects = slide.objects()?;
            let mut next = objects.next_object()?;
            while next.as_ref().is_some_and(|object| object.target != target) {
                next = objects.next_object()?;
            }
            Ok(OfTarget {
                target,
                objects,
                next,
            })
        };
        Ok(ObjectsByRow(targets.map(open).collect::<Result<_, _>>()?))
    }

    /// The next object; none at the end.
    ///
    /// # Errors
    /// As [`Objects::next_object`].
    pub fn next_object(&mut self) -> Result<Option<ExportedObject>, ExportError> {
        let first = |one: &OfTarget| {
            let [x, y] = *one.next.as_ref()?.polygon.exterior.first()?;
            Some((y, x))
        };
        let all = self.0.iter_mut().filter(|one| one.next.is_some());
        let Some(one) = all.min_by_key(|one| first(one)) else {
            return Ok(None);
        };
        let following = one.objects.next_object()?;
        let following = following.filter(|object| object.target == one.target);
        Ok(std::mem::replace(&mut one.next, following))
    }
}
