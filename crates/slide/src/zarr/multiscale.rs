//! Which image of a Zarr hierarchy is the slide, and what OME-Zarr's metadata (0.4 and 0.5) says of it.

use serde_json::Value;

use crate::problem::Problem;
use crate::tiff::red_green_blue;
use crate::warning::{Warning, WarningKind};

use super::store::{Store, is_inside, join};

/// The most levels, as of other formats.
const MAX_LEVELS: usize = 32;
/// Images of one hierarchy that are counted.
const MAX_IMAGES: usize = 1000;

/// An array's path, and the size of its px along all axes, where that is stated.
type Dataset = (String, Option<Vec<f64>>);

/// The slide's image.
pub(super) struct Image {
    /// Its group; empty where it is the hierarchy itself.
    pub node: String,
    /// The version of OME-Zarr.
    pub version: String,
    pub axes: Axes,
    /// The levels' arrays, the full-size one first.
    pub datasets: Vec<Dataset>,
    /// Where red, green and blue are among the channels.
    pub colours: [u64; 3],
    pub warnings: Vec<Warning>,
}

/// Where the axes are.
pub(super) struct Axes {
    pub count: usize,
    pub y: usize,
    pub x: usize,
    pub channel: usize,
    /// The units of y and x, where they are stated.
    pub units: [Option<String>; 2],
}

/// The attributes of a group.
struct Group {
    /// What OME-Zarr says; nothing where it says nothing.
    ome: Value,
    is_array: bool,
    /// SpatialData's mark.
    is_spatialdata: bool,
}

impl Group {
    /// Reads the attributes of a node; none where there is no node.
    fn read(store: &Store, node: &str) -> Result<Option<Self>, Problem> {
        if let Some(told) = store.json(&join(node, "zarr.json"))? {
            let attributes = told.get("attributes").cloned().unwrap_or_default();
            return Ok(Some(Group {
                ome: attributes.get("ome").cloned().unwrap_or_default(),
                is_array: told.get("node_type") == Some(&"array".into()),
                is_spatialdata: attributes.get("spatialdata_attrs").is_some(),
            }));
        }
        let is_array = store.find(&join(node, ".zarray"))?.is_some();
        if let Some(ome) = store.json(&join(node, ".zattrs"))? {
            return Ok(Some(Group {
                is_spatialdata: ome.get("spatialdata_attrs").is_some(),
                ome,
                is_array,
            }));
        }
        let is_group = store.find(&join(node, ".zgroup"))?.is_some();
        Ok((is_group || is_array).then_some(Group {
            ome: Value::Null,
            is_array,
            is_spatialdata: false,
        }))
    }

    fn has(&self, key: &str) -> bool {
        self.ome.get(key).is_some()
    }
}

impl Image {
    /// Finds the slide.
    pub(super) fn find(store: &Store) -> Result<Self, Problem> {
        let Some(root) = Group::read(store, "")? else {
            return Err(Problem::format(
                "a folder without Zarr's metadata (zarr.json, .zattrs); give the folder that holds it, and copy hidden files \
                 too",
            ));
        };
        if root.has("multiscales") {
            return Image::read(&root, "", Vec::new());
        }
        if root.has("bioformats2raw.layout") {
            return first_of_several(store);
        }
        let reason = if root.has("plate") || root.has("well") {
            "a plate or a well, not a slide; give one of the images in it, by its folder"
        } else if root.has("labels") || root.has("image-label") {
            "labels, not a slide"
        } else if root.is_array {
            "an array without the metadata of OME-Zarr around it; give the folder above it"
        } else if root.is_spatialdata {
            "a SpatialData store, not an image; give the image in it, such as images/NAME"
        } else {
            "a Zarr hierarchy that is no OME-Zarr image; give the folder of the image in it"
        };
        Err(Problem::unsupported(reason))
    }

    fn read(group: &Group, node: &str, mut warnings: Vec<Warning>) -> Result<Self, Problem> {
        let all = group.ome.get("multiscales").and_then(Value::as_array);
        let all = all.filter(|all| !all.is_empty());
        let all = all.ok_or_else(|| Problem::format("its multiscales are no list of images"))?;
        if group.has("image-label") {
            return Err(Problem::unsupported("labels, not a slide"));
        }
        if all.len() > 1 {
            warnings.push(others(format!(
                "its metadata holds {} images; the first one is read",
                all.len()
            )));
        }
        let multiscale = &all[0];
        let version = [group.ome.get("version"), multiscale.get("version")];
        let version = version.into_iter().flatten().find_map(Value::as_str);
        let version = version.unwrap_or("0.4");
        if !["0.4", "0.5"]
            .iter()
            .any(|known| version.starts_with(known))
        {
            return Err(Problem::unsupported(format!(
                "OME-Zarr {}; versions 0.4 and 0.5 are read: convert it to one of these",
                version.chars().take(20).collect::<String>()
            )));
        }
        let axes = Axes::read(multiscale.get("axes"))?;
        let datasets = datasets(multiscale, axes.count)?;
        let colours = colours(group.ome.get("omero"), &mut warnings)?;
        Ok(Image {
            node: node.to_owned(),
            version: version.chars().take(3).collect(),
            axes,
            datasets,
            colours,
            warnings,
        })
    }
}

/// The slide of a hierarchy with several images, as bioformats2raw writes it: the first.
fn first_of_several(store: &Store) -> Result<Image, Problem> {
    let series = Group::read(store, "OME")?;
    let series = series.as_ref().and_then(|group| group.ome.get("series"));
    let named: Option<Vec<String>> = series.and_then(Value::as_array).map(|all| {
        let names = all.iter().filter_map(Value::as_str);
        names.take(MAX_IMAGES).map(str::to_owned).collect()
    });
    let names = match named.filter(|names| !names.is_empty()) {
        Some(names) => names,
        None => {
            let mut names = Vec::new();
            while names.len() < MAX_IMAGES
                && Group::read(store, &names.len().to_string())?.is_some()
            {
                names.push(names.len().to_string());
            }
            names
        }
    };
    let Some(first) = names.first().filter(|name| is_inside(name)) else {
        return Err(Problem::format("it names no image"));
    };
    let group = Group::read(store, first)?
        .filter(|group| group.has("multiscales"))
        .ok_or_else(|| {
            Problem::format(format!(
                "the image {first}, which it names, is missing; copy the whole folder"
            ))
        })?;
    let mut warnings = Vec::new();
    if names.len() > 1 {
        warnings.push(others(format!(
            "it holds {} images; the first one, {first}, is read, and the others are left out",
            names.len()
        )));
    }
    Image::read(&group, first, warnings)
}

fn others(text: String) -> Warning {
    Warning::new(WarningKind::OtherImages, text)
}

impl Axes {
    fn read(axes: Option<&Value>) -> Result<Self, Problem> {
        let wrong = |reason: &str| {
            Problem::unsupported(format!(
                "{reason}; it must have the axes y and x and a channel axis with red, green and blue"
            ))
        };
        let axes = axes.and_then(Value::as_array);
        let axes = axes.ok_or_else(|| wrong("its axes are not told"))?;
        let word = |axis: &Value, key: &str| {
            let word = axis.get(key).and_then(Value::as_str);
            word.map(str::to_lowercase)
        };
        let named = |name: &str| {
            axes.iter()
                .position(|axis| word(axis, "name").as_deref() == Some(name))
        };
        let is_channel = |axis: &Value| word(axis, "type").as_deref() == Some("channel");
        let channel = axes.iter().position(is_channel).or_else(|| named("c"));
        // Case tells units apart where they are not written out.
        let unit = |place: usize| {
            let unit = axes[place].get("unit").and_then(Value::as_str);
            unit.filter(|unit| !unit.is_empty()).map(str::to_owned)
        };
        match (named("y"), named("x"), channel) {
            (Some(y), Some(x), Some(channel)) if y != channel && x != channel => Ok(Axes {
                count: axes.len(),
                units: [unit(y), unit(x)],
                y,
                x,
                channel,
            }),
            (Some(_), Some(_), _) => Err(wrong("a picture without channels")),
            _ => Err(wrong("its axes are not those of a picture")),
        }
    }
}

/// The levels: each array's path, and the size of its px along all axes.
fn datasets(multiscale: &Value, axes: usize) -> Result<Vec<Dataset>, Problem> {
    let all = multiscale.get("datasets").and_then(Value::as_array);
    let all = all.filter(|all| !all.is_empty());
    let all = all.ok_or_else(|| Problem::format("its metadata names no array"))?;
    if all.len() > MAX_LEVELS {
        return Err(Problem::limits(format!(
            "{} levels; the maximum is {MAX_LEVELS}",
            all.len()
        )));
    }
    let whole = scale(multiscale, axes);
    let one = |dataset: &Value| {
        let path = dataset
            .get("path")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !is_inside(path) {
            let shown: String = path.chars().take(80).collect();
            return Err(Problem::format(format!(
                "its metadata names an array {shown:?}, which is no path within it"
            )));
        }
        let own = scale(dataset, axes);
        let both = |own: Vec<f64>| match &whole {
            Some(whole) => own
                .iter()
                .zip(whole)
                .map(|(own, whole)| own * whole)
                .collect(),
            None => own,
        };
        Ok((path.to_owned(), own.map(both)))
    };
    all.iter().map(one).collect()
}

/// The scale among the transformations of a level, or of all levels. One that leads from a named system to another is not
/// OME-Zarr's and does not say how large px are.
fn scale(of: &Value, axes: usize) -> Option<Vec<f64>> {
    let all = of.get("coordinateTransformations")?.as_array()?;
    let is_scale =
        |one: &&Value| one.get("type") == Some(&"scale".into()) && one.get("output").is_none();
    let scale = all.iter().find(is_scale)?.get("scale")?.as_array()?;
    let scale: Vec<f64> = scale.iter().map(Value::as_f64).collect::<Option<_>>()?;
    (scale.len() == axes).then_some(scale)
}

/// Where red, green and blue are, by the channels' names, else by their colours, else as they come.
fn colours(omero: Option<&Value>, warnings: &mut Vec<Warning>) -> Result<[u64; 3], Problem> {
    let channels = omero.and_then(|omero| omero.get("channels"));
    let channels = channels
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    fn words<'a>(channels: &'a [Value], key: &str) -> Vec<&'a str> {
        let word = |channel: &'a Value| channel.get(key).and_then(Value::as_str);
        let all = channels
            .iter()
            .map(|channel| word(channel).unwrap_or_default());
        all.map(str::trim).collect()
    }
    let (names, tints) = (words(channels, "label"), words(channels, "color"));
    let tints: Vec<&str> = tints.into_iter().map(tint).collect();
    let says_nothing = names.iter().all(|name| is_number_only(name));
    let order = match says_nothing {
        true => red_green_blue(&tints),
        false => red_green_blue(&names),
    };
    if let Some(order) = order {
        return Ok(order.map(|place| place as u64));
    }
    let is_coloured = tints.iter().any(|tint| !tint.is_empty());
    if !says_nothing || is_coloured {
        let shown: Vec<&str> = names
            .iter()
            .filter(|name| !name.is_empty())
            .take(6)
            .copied()
            .collect();
        return Err(Problem::unsupported(format!(
            "its {} channels{} are not called red, green and blue, as in fluorescence; only brightfield slides can be \
             segmented, and their channels must be called so",
            channels.len(),
            match shown.is_empty() {
                true => String::new(),
                false => format!(
                    " ({})",
                    shown.join(", ").chars().take(100).collect::<String>()
                ),
            }
        )));
    }
    warnings.push(Warning::new(
        WarningKind::Samples,
        "it does not say what its three channels are; they are taken for red, green and blue",
    ));
    Ok([0, 1, 2])
}

/// What a channel's colour says: nothing if it is a grey, or none.
fn tint(colour: &str) -> &str {
    let upper = colour.to_uppercase();
    match upper.as_str() {
        "FF0000" => "red",
        "00FF00" => "green",
        "0000FF" => "blue",
        grey if grey.len() != 6
            || grey.get(..2) == grey.get(2..4) && grey.get(..2) == grey.get(4..) =>
        {
            ""
        }
        _ => colour,
    }
}

/// Whether a channel's name says no more than its number: `2`, `Channel 2`, `C:2`.
fn is_number_only(name: &str) -> bool {
    let lower = name.to_lowercase();
    let rest = lower.strip_prefix("channel");
    let rest = rest.or_else(|| lower.strip_prefix("c")).unwrap_or(&lower);
    let rest = rest.trim_start_matches([' ', '_', '-', ':']);
    rest.bytes().all(|byte| byte.is_ascii_digit())
}
