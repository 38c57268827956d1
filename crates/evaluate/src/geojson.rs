//! The polygons of a GeoJSON file, with the feature and class of each (RFC 7946, and what QuPath adds to it).
//!
//! A file of corners takes about three times its own size in memory, not the thirty times of a tree of values.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::classes::class_of;

/// A polygon: its outer ring and its holes.
pub(super) type Rings = Vec<Vec<[f64; 2]>>;

/// What one feature outlines.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Its class; empty where it has none.
    pub(super) class: String,
    pub(super) polygons: Vec<Rings>,
}

/// The shapes of a file: one a feature, and one of all polygons that are in no feature. Those without polygons are left
/// out; also how many points and lines there are, which have no inside.
///
/// # Errors
/// When it is no GeoJSON.
pub(super) fn shapes(text: &[u8]) -> Result<(Vec<Shape>, usize), String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let root: Node = serde_json::from_slice(text).map_err(|error| match error.is_data() {
        true => format!("not GeoJSON: {error}"),
        false => format!("not JSON: {error}"),
    })?;
    let (mut found, mut lines) = (vec![Shape::default()], 0);
    root.collect(None, &mut found, &mut lines)?;
    found.retain(|shape| !shape.polygons.is_empty());
    Ok((found, lines))
}

/// A value of any type that GeoJSON has, or a list of them.
enum Node {
    List(Vec<Node>),
    Object {
        kind: Option<String>,
        /// `features`, `geometry` or `geometries`.
        inner: Option<Box<Node>>,
        coordinates: Option<Coordinates>,
        class: String,
    },
    Nothing,
}

/// Numbers, corners, or lists of them.
enum Coordinates {
    Number(f64),
    Corner([f64; 2]),
    List(Vec<Coordinates>),
}

impl Node {
    /// Adds its polygons to the shape of the feature that it belongs to.
    fn collect(
        self,
        feature: Option<usize>,
        found: &mut Vec<Shape>,
        lines: &mut usize,
    ) -> Result<(), String> {
        let (kind, inner, coordinates, class) = match self {
            Node::List(list) => {
                return list
                    .into_iter()
                    .try_for_each(|node| node.collect(feature, found, lines));
            }
            Node::Nothing => return Err("not GeoJSON: a value without a type".to_owned()),
            Node::Object {
                kind,
                inner,
                coordinates,
                class,
            } => (kind, inner, coordinates, class),
        };
        let at = feature.unwrap_or(0);
        match kind.as_deref() {
            Some("FeatureCollection" | "GeometryCollection") => match inner {
                Some(inner) => inner.collect(feature, found, lines),
                None => Err("not GeoJSON: a collection without a list".to_owned()),
            },
            Some("Feature") => match inner {
                None => Ok(()),
                Some(inner) if matches!(*inner, Node::Nothing) => Ok(()),
                Some(inner) => {
                    found.push(Shape {
                        class,
                        polygons: Vec::new(),
                    });
                    let own = found.len() - 1;
                    inner.collect(Some(own), found, lines)
                }
            },
            Some("Polygon") => {
                let rings = coordinates.and_then(rings).ok_or_else(no_corners)?;
                found[at].polygons.push(rings);
                Ok(())
            }
            Some("MultiPolygon") => {
                let Some(Coordinates::List(parts)) = coordinates else {
                    return Err(no_corners());
                };
                for part in parts {
                    found[at].polygons.push(rings(part).ok_or_else(no_corners)?);
                }
                Ok(())
            }
            Some("Point" | "MultiPoint" | "LineString" | "MultiLineString") => {
                *lines += 1;
                Ok(())
            }
            Some(other) => Err(format!(
                "an unknown GeoJSON type {:?}",
                other.chars().take(40).collect::<String>()
            )),
            None => Err("not GeoJSON: a value without a type".to_owned()),
        }
    }
}

fn no_corners() -> String {
    "a polygon whose coordinates are not lists of [x, y]".to_owned()
}

fn rings(coordinates: Coordinates) -> Option<Rings> {
    let list = |coordinates| match coordinates {
        Coordinates::List(list) => Some(list),
        _ => None,
    };
    let corner = |corner: Coordinates| match corner {
        Coordinates::Corner(corner) => Some(corner),
        _ => None,
    };
    let ring = |ring| list(ring)?.into_iter().map(corner).collect();
    list(coordinates)?.into_iter().map(ring).collect()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let (mut kind, mut inner, mut coordinates) = (None, None, None);
        let mut class = String::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "type" => kind = map.next_value()?,
                "features" | "geometry" | "geometries" => inner = Some(Box::new(map.next_value()?)),
                "coordinates" => coordinates = map.next_value()?,
                "properties" => class = map.next_value::<Properties>()?.0,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Node::Object {
            kind,
            inner,
            coordinates,
            class,
        })
    }
}

/// The class among a feature's properties.
struct Properties(String);

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        /// Measurements, of which there may be many, are passed over.
        #[derive(Deserialize)]
        struct Told {
            #[serde(default)]
            classification: Value,
            #[serde(default, rename = "objectType", alias = "object_type")]
            kind: Value,
        }
        let told: Option<Told> = Option::deserialize(from)?;
        Ok(Properties(told.map_or(String::new(), |told| {
            // QuPath's cores and tiles are places to look at, whatever was found there.
            match told.kind.as_str() {
                Some(kind @ ("tma_core" | "tile")) => kind.to_owned(),
                _ => class_of(&told.classification),
            }
        })))
    }
}

impl<'de> Deserialize<'de> for Coordinates {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CoordinatesVisitor)
    }
}

struct CoordinatesVisitor;

impl<'de> Visitor<'de> for CoordinatesVisitor {
    type Value = Coordinates;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("coordinates, which are numbers in lists")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Coordinates, E> {
        Ok(Coordinates::Number(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Coordinates, E> {
        Ok(Coordinates::Number(value as f64))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Coordinates, E> {
        Ok(Coordinates::Number(value as f64))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Coordinates, A::Error> {
        let Some(first) = list.next_element()? else {
            return Ok(Coordinates::List(Vec::new()));
        };
        if let Coordinates::Number(x) = first {
            let Some(Coordinates::Number(y)) = list.next_element()? else {
                return Ok(Coordinates::List(vec![first]));
            };
            // A height says nothing here.
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Coordinates::Corner([x, y]));
        }
        let mut all = vec![first];
        while let Some(next) = list.next_element()? {
            all.push(next);
        }
        Ok(Coordinates::List(all))
    }
}
