//! The table as AnnData in Zarr: a row an object, the figures as variables, what else is known as observations.
//!
//! Rows are written a chunk at a time. Of a million objects, memory holds what has a byte each.

use ftuseg_slide::zarr_store::{ZarrChunks, ZarrElement, ZarrGrid, ZarrStore, ZarrType};
use serde_json::{Value, json};

use super::SHAPES;
use crate::{ExportError, ExportedObject, Field, FinishedSlide, Kind, Objects};

/// Rows of a chunk.
const ROWS: usize = 4096;
/// The column that says which element a row is of.
const REGION: &str = "region";
/// The column that says which object of it.
const INSTANCE: &str = "id";
/// The column that is the index.
const INDEX: &str = "uuid";
/// Texts that many objects have in common.
const CATEGORIES: [&str; 3] = ["organ", "unit", "model"];

/// A table that is being written.
pub(super) struct Table<'a> {
    store: &'a ZarrStore,
    node: String,
    rows: usize,
    /// Where the variables stand in `objects.csv`.
    variables: Vec<usize>,
    x: Waiting<f64>,
    spatial: Waiting<f64>,
    ids: Waiting<i64>,
    names: Waiting<String>,
    flags: Vec<(usize, Waiting<bool>)>,
    categories: Vec<Category>,
}

/// Values of an array that wait until a chunk is full.
struct Waiting<T> {
    chunks: ZarrChunks,
    waiting: Vec<T>,
    /// Values of a row.
    width: usize,
    written: u64,
}

/// A column of few different texts.
struct Category {
    name: &'static str,
    place: usize,
    texts: Vec<String>,
    codes: Vec<i8>,
}

impl<'a> Table<'a> {
    /// Writes the groups of the table `node` and begins its arrays.
    pub(super) fn create(
        store: &'a ZarrStore,
        node: &str,
        slide: &FinishedSlide,
        objects: &Objects,
    ) -> Result<Self, ExportError> {
        let columns = objects.columns();
        let is_variable =
            |name: &str| matches!(Kind::of(name), Kind::Real | Kind::Whole) && name != INSTANCE;
        let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<usize> {
            let all = columns.iter().enumerate();
            all.filter(|(_, name)| wanted(name))
                .map(|(place, _)| place)
                .collect()
        };
        let variables = of(&is_variable);
        let flags = of(&|name| Kind::of(name) == Kind::Flag);
        let name_of = |&place: &usize| columns[place].as_str();
        let mut order = vec![REGION, INSTANCE];
        order.extend(CATEGORIES);
        order.extend(flags.iter().map(name_of));
        store.group(
            node,
            json!({
                "encoding-type": "anndata",
                "encoding-version": "0.1.0",
                "spatialdata-encoding-type": "ngff:regions_table",
                "region": SHAPES,
                "region_key": REGION,
                "instance_key": INSTANCE,
                "version": "0.2",
            }),
        )?;
        let frame = |index: &str, order: &[&str]| {
            json!({
                "encoding-type": "dataframe",
                "encoding-version": "0.2.0",
                "_index": index,
                "column-order": order,
            })
        };
        store.group(&format!("{node}/obs"), frame(INDEX, &order))?;
        store.group(&format!("{node}/var"), frame("_index", &[]))?;
        for name in ["obsm", "obsp", "varm", "varp", "layers", "uns"] {
            store.group(&format!("{node}/{name}"), dict())?;
        }
        let names: Vec<&str> = variables.iter().map(name_of).collect();
        store.list(
            &format!("{node}/var/_index"),
            ZarrType::Text,
            &names,
            texts(),
        )?;
        write_uns(store, node, slide)?;
        let rows = objects.stated();
        let array = |name: &str, holds: ZarrType, width: Option<usize>, attributes: Value| {
            let chunk = ROWS.min(usize::try_from(rows).unwrap_or(ROWS)).max(1) as u64;
            let (shape, chunk) = match width {
                Some(width) => (vec![rows, width as u64], vec![chunk, width as u64]),
                None => (vec![rows], vec![chunk]),
            };
            store.array(
                &format!("{node}/{name}"),
                holds,
                ZarrGrid::plain(&shape, &chunk),
                None,
                attributes,
            )
        };
        let flags = flags.into_iter().map(|place| {
            let name = format!("obs/{}", columns[place]);
            Ok((
                place,
                Waiting::new(array(&name, ZarrType::Flag, None, numbers())?, 1),
            ))
        });
        let width = variables.len();
        let categories = CATEGORIES.into_iter().map(|name| Category {
            name,
            place: columns
                .iter()
                .position(|column| column == name)
                .unwrap_or(0),
            texts: Vec::new(),
            codes: Vec::new(),
        });
        Ok(Table {
            store,
            node: node.to_owned(),
            rows: usize::try_from(rows).unwrap_or(usize::MAX),
            x: Waiting::new(array("X", ZarrType::Real, Some(width), numbers())?, width),
            spatial: Waiting::new(
                array("obsm/spatial", ZarrType::Real, Some(2), numbers())?,
                2,
            ),
            ids: Waiting::new(array("obs/id", ZarrType::Whole, None, numbers())?, 1),
            names: Waiting::new(array("obs/uuid", ZarrType::Text, None, texts())?, 1),
            flags: flags.collect::<Result<_, ExportError>>()?,
            categories: categories.collect(),
            variables,
        })
    }

    /// Adds the next object.
    pub(super) fn add(&mut self, object: &ExportedObject) -> Result<(), ExportError> {
        let number = |&place: &usize| object.fields[place].number().unwrap_or(f64::NAN);
        self.x.waiting.extend(self.variables.iter().map(number));
        self.spatial.waiting.extend(object.centroid);
        // No slide has 2^63 objects.
        self.ids
            .waiting
            .push(i64::try_from(object.id).unwrap_or(i64::MAX));
        self.names.waiting.push(object.uuid.clone());
        for (place, flags) in &mut self.flags {
            flags
                .waiting
                .push(object.fields[*place] == Field::Flag(true));
            flags.flush_full()?;
        }
        for category in &mut self.categories {
            let text = object.fields[category.place].text().unwrap_or_default();
            let known = category.texts.iter().position(|other| other == text);
            let code = known.unwrap_or_else(|| {
                category.texts.push(text.to_owned());
                category.texts.len() - 1
            });
            let code = i8::try_from(code).map_err(|_| {
                let path = self.store.folder(&self.node);
                ExportError::unsupported(
                    &path,
                    format!(
                        "its objects have more than 128 different texts as {}",
                        category.name
                    ),
                )
            })?;
            category.codes.push(code);
        }
        self.x.flush_full()?;
        self.spatial.flush_full()?;
        self.ids.flush_full()?;
        self.names.flush_full()
    }

    /// Writes the rest.
    pub(super) fn finish(self) -> Result<(), ExportError> {
        let chunk = ROWS.min(self.rows);
        self.x.finish(chunk)?;
        self.spatial.finish(chunk)?;
        self.ids.finish(chunk)?;
        self.names.finish(chunk)?;
        for (_, flags) in self.flags {
            flags.finish(chunk)?;
        }
        let region = Category {
            name: REGION,
            place: 0,
            texts: vec![SHAPES.to_owned()],
            codes: vec![0; self.rows],
        };
        for category in self.categories.iter().chain([&region]) {
            let node = format!("{}/obs/{}", self.node, category.name);
            self.store.group(
                &node,
                json!({ "encoding-type": "categorical", "encoding-version": "0.2.0", "ordered": false }),
            )?;
            let (codes, names) = (format!("{node}/codes"), format!("{node}/categories"));
            self.store
                .list(&codes, ZarrType::Code, &category.codes, numbers())?;
            self.store
                .list(&names, ZarrType::Text, &category.texts, texts())?;
        }
        Ok(())
    }
}

impl<T: Clone + Default + ZarrElement> Waiting<T> {
    fn new(chunks: ZarrChunks, width: usize) -> Self {
        Waiting {
            chunks,
            waiting: Vec::new(),
            width,
            written: 0,
        }
    }

    fn flush_full(&mut self) -> Result<(), ExportError> {
        match self.waiting.len() >= ROWS * self.width {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let place = [self.written, 0];
        let dimensions = if self.width > 1 { 2 } else { 1 };
        self.chunks.put(&place[..dimensions], &self.waiting)?;
        self.written += 1;
        self.waiting.clear();
        Ok(())
    }

    /// Writes the last chunk, whose end lies beyond the array; `rows` are those of a chunk.
    fn finish(mut self, rows: usize) -> Result<(), ExportError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.waiting.resize(rows * self.width, T::default());
        self.flush()
    }
}

/// What is said of the table as a whole.
fn write_uns(store: &ZarrStore, node: &str, slide: &FinishedSlide) -> Result<(), ExportError> {
    let text = json!({ "encoding-type": "string", "encoding-version": "0.2.0" });
    for (group, entries) in [
        (
            "spatialdata_attrs",
            [
                ("region", SHAPES),
                ("region_key", REGION),
                ("instance_key", INSTANCE),
            ]
            .as_slice(),
        ),
        (
            "ftuseg",
            [
                ("slide", slide.record.id.as_str()),
                ("version", slide.record.made_by.version.as_str()),
            ]
            .as_slice(),
        ),
    ] {
        let group = format!("{node}/uns/{group}");
        store.group(&group, dict())?;
        for (name, value) in entries {
            store.text(&format!("{group}/{name}"), value, text.clone())?;
        }
    }
    Ok(())
}

fn dict() -> Value {
    json!({ "encoding-type": "dict", "encoding-version": "0.1.0" })
}

fn numbers() -> Value {
    json!({ "encoding-type": "array", "encoding-version": "0.2.0" })
}

fn texts() -> Value {
    json!({ "encoding-type": "string-array", "encoding-version": "0.2.0" })
}
