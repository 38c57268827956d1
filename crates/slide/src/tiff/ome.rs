//! The OME-XML that OME-TIFF keeps in its first directory's description.

use roxmltree::{Document, Node, ParsingOptions};

use super::problem::Problem;
use crate::resolution::{Stated, decimal};

/// Elements, attributes' texts and comments of a description; each takes some hundred bytes.
const MAX_NODES: u32 = 1 << 20;

/// What an image's `Pixels` element says (OME schema 2016-06).
#[derive(Debug, Default, PartialEq)]
pub(super) struct Ome {
    x: Option<(f64, Option<String>)>,
    y: Option<(f64, Option<String>)>,
    /// Width and height of the picture that it describes.
    size: Option<(u64, u64)>,
    /// `SignificantBits`: how many bits of a sample are in use.
    pub(super) bits: Option<u64>,
}

impl Ome {
    /// Reads a description; none where it is no OME-XML.
    ///
    /// # Errors
    /// When it looks like OME-XML but cannot be parsed: how many colours a px has would be unknown.
    pub(super) fn parse(description: &str) -> Result<Option<Self>, Problem> {
        Self::of_image(description, 0)
    }

    /// The same of the image of a number, in the order of their `Pixels`.
    pub(super) fn of_image(description: &str, image: usize) -> Result<Option<Self>, Problem> {
        let text = with_known_entities(description);
        let Some(document) = document(&text)? else {
            return Ok(None);
        };
        let pixels = document
            .descendants()
            .filter(|node| node.tag_name().name() == "Pixels")
            .nth(image);
        let Some(pixels) = pixels else {
            return Ok(Some(Ome::default()));
        };
        Ok(Some(Ome {
            x: size(pixels, "PhysicalSizeX", "PhysicalSizeXUnit"),
            y: size(pixels, "PhysicalSizeY", "PhysicalSizeYUnit"),
            size: number(pixels, "SizeX").zip(number(pixels, "SizeY")),
            bits: number(pixels, "SignificantBits"),
        }))
    }

    /// um/px as the file, whose first page has this size, states it.
    pub(super) fn resolution(&self, size: (u64, u64)) -> Option<Stated> {
        let (x, x_unit) = self.x.as_ref()?;
        let (y, y_unit) = self.y.as_ref()?;
        let stated = Stated::ome((*x, x_unit.as_deref()), (*y, y_unit.as_deref()));
        Some(stated.of_size(self.size, size))
    }
}

/// The text without an entity of HTML that some writers take for one of XML.
pub(super) fn with_known_entities(description: &str) -> String {
    description.replace("&micro;", "\u{b5}")
}

/// The XML of a description; none where it is no OME-XML.
pub(super) fn document(description: &str) -> Result<Option<Document<'_>>, Problem> {
    let text = description.trim_start_matches('\u{feff}').trim_start();
    let start = text.get(..2048).unwrap_or(text);
    if !text.starts_with('<') || !start.contains("<OME") && !start.contains(":OME") {
        return Ok(None);
    }
    // Without document types there are no entities that expand to gigabytes.
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options)
        .map(Some)
        .map_err(|error| Problem::format(format!("its OME-XML is broken: {error}")))
}

fn size(node: Node<'_, '_>, value: &str, unit: &str) -> Option<(f64, Option<String>)> {
    Some((
        decimal(node.attribute(value)?)?,
        node.attribute(unit).map(str::to_owned),
    ))
}

pub(super) fn number<T: std::str::FromStr>(node: Node<'_, '_>, name: &str) -> Option<T> {
    node.attribute(name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolution::choose;

    fn parse(pixels: &str) -> Ome {
        let text = format!(
            "<?xml version=\"1.0\"?><OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\"><Image>{pixels}\
             </Image></OME>"
        );
        Ome::parse(&text).unwrap().unwrap()
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        let ome = parse(
            r#"<Pixels SizeC="3" PhysicalSizeX="250" PhysicalSizeXUnit="nm" PhysicalSizeY="0.25"/>"#,
        );
        assert_eq!(
            choose(ome.resolution((9, 9))).resolution.map(|r| r.mpp),
            Some(0.25)
        );
        assert_eq!(parse("<Pixels SizeC=\"1\"/>").resolution((9, 9)), None);
        assert_eq!(parse("").resolution((9, 9)), None);
    }

    #[test]
    fn other_texts_are_no_ome_xml() {
        for text in ["", "Aperio <OME", "<html></html>", "plain", "<scn></scn>"] {
            assert_eq!(Ome::parse(text).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn broken_and_hostile_xml_is_refused() {
        let bomb = "<!DOCTYPE OME [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><OME>&b;</OME>";
        assert!(Ome::parse(bomb).is_err());
        assert!(Ome::parse("<OME><Image>").is_err());
        // Nested deeper than any stack.
        assert!(Ome::parse(&"<OME>".repeat(1 << 20)).is_err());
    }
}
