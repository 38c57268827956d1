//! The images of OME-XML and the pages that belong to each (OME schema 2016-06, `TiffData`).

use roxmltree::Node;

use super::ome::{Ome, document, number, with_known_entities};
use super::problem::Problem;
use crate::resolution::{decimal, micrometres};

/// Channels of one image that are followed.
const MAX_CHANNELS: u64 = 64;

/// One `Image` with its `Pixels`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct OmeImage {
    pub(super) name: String,
    /// `SizeC`: samples of all channels.
    pub(super) colours: u64,
    /// `SizeZ` times `SizeT`.
    pub(super) focal_planes: u64,
    /// um/px across, where it is stated.
    pub(super) mpp: Option<f64>,
    /// The channels' names, empty where they have none.
    pub(super) channels: Vec<String>,
    /// Whether the metadata speaks of fluorescence.
    pub(super) is_fluorescence: bool,
    /// The page of each channel's first plane, where it is in this file.
    pub(super) planes: Vec<Option<usize>>,
    /// The name of another file that planes lie in.
    pub(super) elsewhere: Option<String>,
    /// Pages of this image, as first page and count.
    claimed: Vec<(u64, u64)>,
}

impl OmeImage {
    /// Whether a page belongs to this image.
    pub(super) fn claims(&self, page: usize) -> bool {
        self.claimed
            .iter()
            .any(|&(first, count)| (first..first.saturating_add(count)).contains(&(page as u64)))
    }

    /// The channels' names for people.
    pub(super) fn channel_names(&self) -> String {
        let names: Vec<&str> = self.channels.iter().map(String::as_str).collect();
        let named = names.iter().filter(|name| !name.is_empty()).take(6);
        named.copied().collect::<Vec<_>>().join(", ")
    }
}

/// The images of a description; none where it is no OME-XML.
///
/// # Errors
/// When it looks like OME-XML but cannot be parsed.
pub(super) fn read(description: &str, pages: usize) -> Result<Option<Vec<OmeImage>>, Problem> {
    if Ome::parse(description)?.is_none() {
        return Ok(None);
    }
    let text = with_known_entities(description);
    let Some(document) = document(&text)? else {
        return Ok(None);
    };
    let own = document.root_element().attribute("UUID");
    let pixels = document
        .descendants()
        .filter(|node| node.tag_name().name() == "Pixels");
    Ok(Some(pixels.map(|node| image(node, own, pages)).collect()))
}

fn image(pixels: Node<'_, '_>, own: Option<&str>, pages: usize) -> OmeImage {
    let size = |name| number::<u64>(pixels, name).unwrap_or(1).max(1);
    let nodes = |name: &'static str| {
        let children = pixels.children();
        children.filter(move |node| node.tag_name().name() == name)
    };
    let colours = size("SizeC");
    let focal_planes = size("SizeZ").saturating_mul(size("SizeT"));
    let channels: Vec<Node<'_, '_>> = nodes("Channel").take(MAX_CHANNELS as usize).collect();
    let samples = |node: &Node<'_, '_>| number::<u64>(*node, "SamplesPerPixel").unwrap_or(1).max(1);
    // A writer that says nothing of samples has a channel for each, or none for all of them.
    let count = if channels.iter().any(|node| samples(node) > 1) {
        channels.len() as u64
    } else {
        colours
    };
    let count = count.clamp(1, MAX_CHANNELS);
    let sizes = [size("SizeZ"), count, size("SizeT")];
    let order = pixels.attribute("DimensionOrder").unwrap_or("XYCZT");
    let mut found = OmeImage {
        name: pixels
            .parent()
            .and_then(|image| image.attribute("Name"))
            .unwrap_or("")
            .to_owned(),
        colours,
        focal_planes,
        mpp: mpp(pixels),
        is_fluorescence: channels.iter().any(speaks_of_fluorescence),
        channels: channels
            .iter()
            .map(|node| node.attribute("Name").unwrap_or("").to_owned())
            .collect(),
        planes: vec![None; count as usize],
        ..OmeImage::default()
    };
    for data in nodes("TiffData") {
        let uuid = data
            .children()
            .find(|node| node.tag_name().name() == "UUID");
        let text = uuid.and_then(|node| node.text()).map(str::trim);
        if let (Some(text), Some(own)) = (text, own)
            && !text.eq_ignore_ascii_case(own.trim())
        {
            let name = uuid.and_then(|node| node.attribute("FileName"));
            found.elsewhere = Some(name.unwrap_or("whose name it does not give").to_owned());
            continue;
        }
        let first = number::<u64>(data, "IFD");
        let many = number::<u64>(data, "PlaneCount");
        let planes = sizes.iter().fold(1_u64, |all, &n| all.saturating_mul(n));
        let many = many.unwrap_or(if first.is_some() { 1 } else { planes });
        let first = first.unwrap_or(0);
        found.claimed.push((first, many));
        let at = ["FirstZ", "FirstC", "FirstT"].map(|name| number(data, name).unwrap_or(0));
        let start = place(order, sizes, at);
        for channel in 0..count {
            let offset = place(order, sizes, [0, channel, 0]).checked_sub(start);
            let page = offset
                .filter(|&offset| offset < many)
                .and_then(|offset| first.checked_add(offset))
                .filter(|&page| page < pages as u64);
            if let Some(page) = page {
                found.planes[channel as usize] = Some(page as usize);
            }
        }
    }
    found
}

/// `PhysicalSizeX` in um.
fn mpp(pixels: Node<'_, '_>) -> Option<f64> {
    let value = decimal(pixels.attribute("PhysicalSizeX")?)?;
    let unit = pixels.attribute("PhysicalSizeXUnit").unwrap_or("um");
    Some(value * micrometres(unit)?).filter(|mpp| mpp.is_finite() && *mpp > 0.0)
}

/// The number of a plane, given as z, channel and time, in the order of the file.
fn place(order: &str, sizes: [u64; 3], at: [u64; 3]) -> u64 {
    let mut step = 1_u64;
    let mut sum = 0_u64;
    for axis in order.chars().filter_map(|c| "ZCT".find(c)) {
        sum = sum.saturating_add(at[axis].saturating_mul(step));
        step = step.saturating_mul(sizes[axis]);
    }
    sum
}

fn speaks_of_fluorescence(channel: &Node<'_, '_>) -> bool {
    let has = |name| channel.attribute(name).is_some();
    let says = |name: &str, word: &str| {
        channel
            .attribute(name)
            .is_some_and(|value| value.to_ascii_lowercase().contains(word))
    };
    has("EmissionWavelength")
        || has("Fluor")
        || says("ContrastMethod", "fluorescence")
        || says("IlluminationType", "epifluorescence")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(inner: &str) -> Vec<OmeImage> {
        read(&format!("<OME UUID=\"urn:uuid:1\">{inner}</OME>"), 10)
            .unwrap()
            .unwrap()
    }

    #[test]
    fn pages_belong_to_images() {
        let found = images(
            r#"<Image Name="macro image"><Pixels SizeC="3" SizeZ="1" SizeT="1"><Channel SamplesPerPixel="3"/>
            <TiffData IFD="0" PlaneCount="1"/></Pixels></Image>
            <Image Name="s"><Pixels DimensionOrder="XYZCT" SizeC="3" SizeZ="2" SizeT="1"><Channel Name="Red"/>
            <Channel Name="Green"/><Channel Name="Blue"/><TiffData IFD="1" PlaneCount="6"/></Pixels></Image>"#,
        );
        assert_eq!(found[0].planes, [Some(0)]);
        assert_eq!(found[1].planes, [Some(1), Some(3), Some(5)]);
        assert_eq!(found[1].focal_planes, 2);
        assert!(found[1].claims(6) && !found[1].claims(7) && !found[1].claims(0));
    }

    #[test]
    fn planes_can_be_named_one_by_one_or_not_at_all() {
        let found = images(
            r#"<Image><Pixels SizeC="2"><TiffData IFD="4" FirstC="1"/><TiffData IFD="3" FirstC="0"/></Pixels></Image>
            <Image><Pixels SizeC="2"><TiffData/></Pixels></Image><Image><Pixels SizeC="2"/></Image>
            <Image><Pixels SizeC="1"><TiffData IFD="0"><UUID FileName="b.tif">urn:uuid:2</UUID></TiffData></Pixels></Image>"#,
        );
        assert_eq!(found[0].planes, [Some(3), Some(4)]);
        assert_eq!(found[1].planes, [Some(0), Some(1)]);
        assert_eq!(found[2].planes, [None, None]);
        assert_eq!(found[3].elsewhere.as_deref(), Some("b.tif"));
    }

    #[test]
    fn hostile_numbers_are_harmless() {
        let most = u64::MAX;
        let found = images(&format!(
            "<Image><Pixels SizeC=\"{most}\" SizeZ=\"{most}\" SizeT=\"{most}\"><TiffData IFD=\"{most}\" \
             PlaneCount=\"{most}\" FirstC=\"{most}\"/></Pixels></Image>"
        ));
        assert_eq!(found[0].planes.len(), MAX_CHANNELS as usize);
        assert!(found[0].planes.iter().all(Option::is_none));
    }
}
