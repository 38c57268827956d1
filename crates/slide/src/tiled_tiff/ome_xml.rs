//! The OME-XML of a file of labels.

/// The schema that the XML keeps to.
const NAMESPACE: &str = "http://www.openmicroscopy.org/Schemas/OME/2016-06";

/// What is said of an image of labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelImage<'a> {
    /// The image's name.
    pub name: &'a str,
    /// What the file is called within OME: a UUID.
    pub uuid: &'a str,
    /// Who wrote it.
    pub creator: &'a str,
    /// Width at full size in pixels.
    pub width: u32,
    /// Height at full size in pixels.
    pub height: u32,
    /// Size of a full-size pixel in um, from left to right and from top to bottom.
    pub mpp: Option<(f64, f64)>,
    /// The name of each plane and the RGB colour that it is shown in.
    pub channels: Vec<(&'a str, Option<[u8; 3]>)>,
}

impl LabelImage<'_> {
    /// The OME-XML, in UTF-8: one channel a plane, 32-bit labels. No letter stands in it as a number: Bio-Formats turns every
    /// `&#` into a space, no longer knows the unit then, and takes the file for a plain TIFF.
    pub fn ome_xml(&self) -> String {
        let size = self.mpp.map_or_else(String::new, |(across, down)| {
            format!(
                " PhysicalSizeX=\"{across}\" PhysicalSizeXUnit=\"\u{b5}m\" PhysicalSizeY=\"{down}\" PhysicalSizeYUnit=\"\u{b5}m\""
            )
        });
        let channels: String = (0..)
            .zip(&self.channels)
            .map(|(place, (name, colour))| {
                // Red in the highest of four bytes, opaque in the lowest, as a number with a sign.
                let colour = colour.map_or_else(String::new, |[red, green, blue]| {
                    format!(" Color=\"{}\"", i32::from_be_bytes([red, green, blue, 255]))
                });
                format!(
                    "<Channel ID=\"Channel:0:{place}\" Name=\"{}\" SamplesPerPixel=\"1\"{colour}/>",
                    xml_text(name)
                )
            })
            .collect();
        let count = self.channels.len();
        let planes: String = (0..count)
            .map(|place| {
                format!("<TiffData IFD=\"{place}\" FirstC=\"{place}\" FirstZ=\"0\" FirstT=\"0\" PlaneCount=\"1\"/>")
            })
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <OME xmlns=\"{NAMESPACE}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
             xsi:schemaLocation=\"{NAMESPACE} {NAMESPACE}/ome.xsd\" UUID=\"urn:uuid:{uuid}\" Creator=\"{creator}\">\
             <Image ID=\"Image:0\" Name=\"{name}\">\
             <Pixels ID=\"Pixels:0\" DimensionOrder=\"XYCZT\" Type=\"uint32\" BigEndian=\"false\" Interleaved=\"false\" \
             SizeX=\"{width}\" SizeY=\"{height}\" SizeC=\"{count}\" SizeZ=\"1\" SizeT=\"1\"{size}>\
             {channels}{planes}</Pixels></Image></OME>",
            uuid = self.uuid,
            creator = xml_text(self.creator),
            name = xml_text(self.name),
            width = self.width,
            height = self.height,
        )
    }
}

/// A text within an attribute. What XML cannot say becomes a question mark, and an end of a line a space.
fn xml_text(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            ' '..='~' | '\u{80}'..='\u{fffd}' | '\u{10000}'.. => out.push(letter),
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_keep_within_xml() {
        assert_eq!(
            xml_text("a<b>&\"\u{b5}\u{1}\n"),
            "a&lt;b&gt;&amp;&quot;\u{b5}? "
        );
    }

    #[test]
    fn every_plane_is_a_channel() {
        let image = LabelImage {
            name: "a & b",
            uuid: "298e8996-c94c-57ce-b9a4-d77099e2823c",
            creator: "ftuseg",
            width: 30,
            height: 20,
            mpp: Some((0.5, 0.502)),
            channels: vec![("one", None), ("two", Some([0, 200, 0]))],
        };
        let xml = image.ome_xml();
        assert!(!xml.contains("&#"), "{xml}");
        for part in [
            "Name=\"a &amp; b\"",
            "SizeX=\"30\" SizeY=\"20\" SizeC=\"2\"",
            "PhysicalSizeY=\"0.502\"",
            "Name=\"one\" SamplesPerPixel=\"1\"/>",
            "Name=\"two\" SamplesPerPixel=\"1\" Color=\"13107455\"/>",
            "<TiffData IFD=\"1\" FirstC=\"1\"",
        ] {
            assert!(xml.contains(part), "{part}: {xml}");
        }
    }
}
