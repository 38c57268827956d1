//! Which of a file's pages are the slide: what the metadata says of each page, else the largest.
//!
//! Labels, macro pictures and thumbnails are never the slide, whatever sorts first. Channels in pages of their own are
//! joined only where the file calls them red, green and blue; what is no brightfield picture is refused as such.

use super::directory::{Directories, Directory, tag};
use super::file_bytes::FileBytes;
use super::ome_images::{self, OmeImage};
use super::problem::Problem;
use crate::warning::{Warning, WarningKind};

/// What is read of a page's description: its kind stands near its start.
const DESCRIPTION_START: u64 = 4096;

/// um/px above which a picture is no scan, if there is one beside it: a camera's has 10 and more.
const MACRO_MPP: f64 = 5.0;

/// The pages that are the slide.
pub(super) struct Choice {
    /// One page, or those of red, green and blue.
    pub(super) pages: Vec<usize>,
    /// Pages that may be lower levels, the largest first.
    pub(super) smaller: Vec<usize>,
    /// The number of its image in OME-XML.
    pub(super) ome_image: usize,
    pub(super) warnings: Vec<Warning>,
}

/// What a page says of itself.
struct Page {
    width: u64,
    height: u64,
    samples: u64,
    tiled: bool,
    /// Marked as a reduced copy of another page.
    reduced: bool,
    /// A label, a macro picture, a thumbnail or a mask.
    companion: bool,
    /// Smaller copies hang below it.
    has_levels: bool,
    description: String,
    name: String,
}

impl Page {
    fn read(source: &FileBytes, directory: &Directory) -> Result<Self, Problem> {
        let number = |tag, missing| {
            let value = directory.number(source, tag)?;
            Ok::<u64, Problem>(value.unwrap_or(missing))
        };
        let description = directory.start_of_text(source, tag::DESCRIPTION, DESCRIPTION_START);
        Ok(Page {
            width: number(tag::WIDTH, 0)?,
            height: number(tag::HEIGHT, 0)?,
            samples: number(tag::SAMPLES, 1)?,
            tiled: directory.has(tag::TILE_OFFSETS),
            reduced: number(tag::NEW_SUBFILE_TYPE, 0)? & 1 != 0,
            // A mask of transparency (NewSubfileType 4) is no picture either.
            companion: is_companion(&description) || number(tag::NEW_SUBFILE_TYPE, 0)? & 4 != 0,
            has_levels: directory.has(tag::SUB_IFDS),
            name: directory.start_of_text(source, tag::PAGE_NAME, 64),
            description,
        })
    }

    fn area(&self) -> u64 {
        self.width.saturating_mul(self.height)
    }

    fn has_size_of(&self, other: &Page) -> bool {
        (self.width, self.height) == (other.width, other.height)
    }

    /// Whether it can be a smaller copy of another page.
    fn is_like(&self, other: &Page) -> bool {
        let [own, others] = [self, other].map(|p| p.width as f64 / p.height.max(1) as f64);
        self.area() < other.area() && (own / others - 1.0).abs() < 0.02
    }
}

/// Chooses the slide's pages.
///
/// # Errors
/// When there is no slide among them, when its channels are pages that the file does not call red, green and blue, or
/// when it is no brightfield picture.
pub(super) fn choose(source: &FileBytes, directories: &Directories) -> Result<Choice, Problem> {
    let pages = directories
        .pages
        .iter()
        .map(|directory| Page::read(source, directory))
        .collect::<Result<Vec<_>, Problem>>()?;
    // All of it, but only where it can be OME-XML.
    if pages[0].description.contains("OME") {
        let description = directories.pages[0].text(source, tag::DESCRIPTION)?;
        if let Some(images) = ome_images::read(&description, pages.len())?
            && let Some(choice) = of_ome(&pages, &images)?
        {
            return Ok(choice);
        }
    }
    of_pages(&pages)
}

/// The choice where no metadata says which page belongs to which image.
fn of_pages(pages: &[Page]) -> Result<Choice, Problem> {
    let mut candidates: Vec<usize> = (0..pages.len())
        .filter(|&at| !pages[at].companion)
        .collect();
    let mut keep = |wanted: &dyn Fn(&Page) -> bool| {
        if candidates.iter().any(|&at| wanted(&pages[at])) {
            candidates.retain(|&at| wanted(&pages[at]));
        }
    };
    // Aperio's thumbnail, label and macro picture are strips, and can be larger than a cut-out.
    let is_aperio = pages.iter().any(|p| p.description.starts_with("Aperio"));
    let has_macro = !is_aperio && has_untagged_macro(pages);
    if is_aperio || has_macro {
        keep(&|page| page.tiled);
    }
    keep(&|page| !page.reduced);
    // The first of the largest; colour before grey.
    let key = |&at: &usize| (pages[at].area(), pages[at].samples >= 3, usize::MAX - at);
    let Some(base) = candidates.iter().copied().max_by_key(key) else {
        return Err(Problem::format(
            "it contains no slide, only a label, a macro picture or a thumbnail; get the whole file from the scanner",
        ));
    };
    let slide = &pages[base];
    let same: Vec<usize> = candidates
        .iter()
        .copied()
        .filter(|&at| pages[at].has_size_of(slide))
        .collect();
    refuse_other_light(pages, slide, same.len())?;
    let mut chosen = vec![base];
    if slide.samples == 1 && same.len() > 1 {
        let names: Vec<&str> = same.iter().map(|&at| pages[at].name.as_str()).collect();
        let order = red_green_blue(&names).ok_or_else(|| {
            Problem::unsupported(format!(
                "{} grey pages of {} x {} px, and nothing says whether they are the colours of one picture; convert it \
                 to RGB in one page",
                same.len(),
                slide.width,
                slide.height
            ))
        })?;
        chosen = order.map(|at| same[at]).to_vec();
    }
    let is_told = |at: &usize| {
        let page = &pages[*at];
        candidates.contains(at) || has_macro && !page.companion && !page.reduced && !page.tiled
    };
    let others = (0..pages.len())
        .filter(is_told)
        .filter(|at| !chosen.contains(at) && !pages[*at].is_like(slide));
    Ok(Choice {
        warnings: left_out(pages, others).into_iter().collect(),
        smaller: smaller(pages, &chosen, |at| !pages[at].companion),
        pages: chosen,
        ome_image: 0,
    })
}

/// Whether the largest page is a picture in strips that nothing names, beside a tiled slide that is not a smaller copy of
/// it: scanners store what is large in tiles. The slide must have levels, or be not much smaller.
fn has_untagged_macro(pages: &[Page]) -> bool {
    let named = || pages.iter().filter(|page| !page.companion && !page.reduced);
    let Some(largest) = named().max_by_key(|page| page.area()) else {
        return false;
    };
    let has_levels = |slide: &Page| {
        slide.has_levels
            || pages
                .iter()
                .any(|other| other.tiled && other.is_like(slide))
    };
    !largest.tiled
        && named().any(|page| {
            let near = page.area().saturating_mul(4) >= largest.area();
            page.tiled && !page.is_like(largest) && (near || has_levels(page))
        })
}

/// The choice where OME-XML says which page belongs to which image; none where it names no page that there is.
fn of_ome(pages: &[Page], images: &[OmeImage]) -> Result<Option<Choice>, Problem> {
    let first_page = |image: &OmeImage| image.planes.first().copied().flatten();
    let known = images.iter().enumerate().filter_map(|(number, image)| {
        let page = first_page(image).filter(|&page| page < pages.len())?;
        Some((number, image, page))
    });
    // A camera's picture of the whole glass can have more px than a cut-out of the scan.
    let is_macro = |image: &OmeImage| image.mpp.is_some_and(|mpp| mpp > MACRO_MPP);
    let has_scan = known
        .clone()
        .any(|(_, image, _)| image.mpp.is_some_and(|mpp| mpp <= MACRO_MPP));
    let best = known
        .filter(|(_, image, _)| !(has_scan && is_macro(image)))
        .filter(|(_, image, _)| !is_companion(&image.name))
        .max_by_key(|&(number, _, page)| (pages[page].area(), usize::MAX - number));
    let Some((ome_image, image, base)) = best else {
        if let Some(elsewhere) = images.iter().find_map(|image| image.elsewhere.as_ref()) {
            return Err(Problem::format(format!(
                "the pixels lie in another file, {elsewhere}; open that one"
            )));
        }
        return if images.iter().any(|image| first_page(image).is_some()) {
            Err(Problem::format(
                "it contains no slide, only a label, a macro picture or a thumbnail; get the whole file from the scanner",
            ))
        } else {
            Ok(None)
        };
    };
    let slide = &pages[base];
    let count = image.colours.div_ceil(slide.samples.max(1));
    let shown = || match image.channel_names() {
        names if names.is_empty() => String::new(),
        names => format!(" ({names})"),
    };
    if image.is_fluorescence && slide.samples < 3 {
        return Err(Problem::unsupported(format!(
            "a fluorescence picture{}; only brightfield slides can be segmented",
            shown()
        )));
    }
    let mut chosen = vec![base];
    if count > 1 {
        let names: Vec<&str> = image.channels.iter().map(String::as_str).collect();
        let order = (slide.samples == 1)
            .then(|| red_green_blue(&names))
            .flatten()
            .ok_or_else(|| {
                Problem::unsupported(format!(
                    "{} channels as pages of their own (OME-TIFF){}, which are not called red, green and blue; convert \
                     it to RGB in one page",
                    image.colours,
                    shown()
                ))
            })?;
        chosen = order
            .into_iter()
            .map(|at| {
                image
                    .planes
                    .get(at)
                    .copied()
                    .flatten()
                    .filter(|&p| p < pages.len())
            })
            .collect::<Option<Vec<usize>>>()
            .ok_or_else(|| match &image.elsewhere {
                Some(name) => Problem::format(format!("a channel lies in another file, {name}")),
                None => Problem::format("its OME-XML names channels that are not in the file"),
            })?;
    }
    let mut warnings = Vec::new();
    let others = images
        .iter()
        .enumerate()
        .filter(|&(number, other)| number != ome_image && !is_companion(&other.name))
        .filter_map(|(_, other)| first_page(other).filter(|&page| page < pages.len()));
    warnings.extend(left_out(pages, others));
    if image.focal_planes > 1 {
        warnings.push(Warning::new(
            WarningKind::OtherImages,
            format!(
                "the image has {} focal planes or time points; the first one is used",
                image.focal_planes
            ),
        ));
    }
    // A page of an image is no level, whatever its size.
    let is_claimed = |at: usize| images.iter().any(|image| image.claims(at));
    Ok(Some(Choice {
        smaller: smaller(pages, &chosen, |at| !is_claimed(at) && !pages[at].companion),
        pages: chosen,
        ome_image,
        warnings,
    }))
}

/// Pages that may be levels, the largest first.
fn smaller(pages: &[Page], chosen: &[usize], may: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut rest: Vec<usize> = (0..pages.len())
        .filter(|&at| !chosen.contains(&at) && may(at))
        .collect();
    rest.sort_by_key(|&at| std::cmp::Reverse(pages[at].area()));
    rest
}

/// Refuses what says of itself that it is no brightfield picture.
fn refuse_other_light(pages: &[Page], slide: &Page, same: usize) -> Result<(), Problem> {
    if slide.samples >= 3 {
        return Ok(());
    }
    if slide
        .description
        .contains("<PerkinElmer-QPI-ImageDescription")
    {
        let mut names: Vec<&str> = pages
            .iter()
            .filter(|page| page.has_size_of(slide))
            .filter_map(|page| element(&page.description, "Name"))
            .collect();
        names.dedup();
        return Err(Problem::unsupported(format!(
            "a fluorescence picture (PerkinElmer QPTIFF) with {same} channel{} as pages of their own{}; only brightfield \
             slides can be segmented",
            if same == 1 { "" } else { "s" },
            list(&names)
        )));
    }
    if slide.description.starts_with("Aperio") {
        return Err(Problem::unsupported(
            "a fluorescence picture (Aperio, one channel); only brightfield slides can be segmented",
        ));
    }
    let first = &pages[0].description;
    if first.starts_with("ImageJ=") {
        let value = |key: &str| {
            let lines = first.lines().filter_map(|line| line.split_once('='));
            lines
                .filter(|(name, _)| name.trim() == key)
                .find_map(|(_, value)| value.trim().parse::<u64>().ok())
                .unwrap_or(1)
        };
        let (channels, images) = (value("channels"), value("images"));
        if channels > 1 {
            return Err(Problem::unsupported(format!(
                "an ImageJ composite of {channels} channels, which does not say that they are red, green and blue; \
                 convert it to RGB (in ImageJ: Image, Type, RGB Color)"
            )));
        }
        if images > 1 {
            return Err(Problem::unsupported(format!(
                "an ImageJ stack of {images} grey images; save the one you mean as RGB"
            )));
        }
    }
    Ok(())
}

/// A warning that names images that are not the slide; none where there are none.
fn left_out(pages: &[Page], others: impl Iterator<Item = usize>) -> Option<Warning> {
    const SHOWN: usize = 3;
    let others: Vec<usize> = others.collect();
    let mut shown: Vec<String> = others
        .iter()
        .take(SHOWN)
        .map(|&at| {
            format!(
                "{} x {} px on page {}",
                pages[at].width,
                pages[at].height,
                at + 1
            )
        })
        .collect();
    if others.len() > SHOWN {
        shown.push(format!("{} more", others.len() - SHOWN));
    }
    let images = match others.len() {
        0 => return None,
        1 => "another image".to_owned(),
        more => format!("{more} other images"),
    };
    Some(Warning::new(
        WarningKind::OtherImages,
        format!(
            "the file also contains {images}, which {} left out: {}",
            if others.len() == 1 { "was" } else { "were" },
            shown.join(", ")
        ),
    ))
}

/// Whether a description or name is that of a label, a macro picture or a thumbnail.
fn is_companion(text: &str) -> bool {
    const KINDS: [&str; 5] = ["label", "macro", "thumbnail", "overview", "preview"];
    let is_kind = |word: &str| KINDS.iter().any(|kind| word.eq_ignore_ascii_case(kind));
    if let Some(kind) = element(text, "ImageType") {
        return is_kind(kind.trim());
    }
    // Aperio's second line, or all that there is: `label 387x463`, `macro image`. More words would be about something else.
    let line = match text.strip_prefix("Aperio") {
        Some(rest) => rest.lines().nth(1).unwrap_or(""),
        None => text,
    };
    let mut words = line
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let is_filler = |word: &str| {
        ["image", "picture", "page"]
            .iter()
            .any(|filler| word.eq_ignore_ascii_case(filler))
            || word.starts_with(|c: char| c.is_ascii_digit())
    };
    words.next().is_some_and(is_kind) && words.all(is_filler)
}

/// The text of an XML element in a description that may be cut off.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once('<')?;
    Some(value).filter(|value| !value.is_empty())
}

/// Where red, green and blue are among three names.
pub(crate) fn red_green_blue(names: &[&str]) -> Option<[usize; 3]> {
    if names.len() != 3 {
        return None;
    }
    let at = |long: &str, short: &str| {
        names.iter().position(|name| {
            let name = name.trim();
            name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short)
        })
    };
    Some([at("red", "r")?, at("green", "g")?, at("blue", "b")?])
}

/// Names in brackets, the first few of them.
fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let more = if names.len() > 6 { ", ..." } else { "" };
    let names: Vec<&str> = names.iter().take(6).copied().collect();
    format!(" ({}{more})", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companions_are_told_by_their_description() {
        for text in [
            "Aperio Image Library v11.2.1\r\nlabel 387x463",
            "Aperio Image Library v11.2.1\r\nmacro 1280x431",
            "Label",
            "macro image",
            "thumbnail",
            "<?xml?><PerkinElmer-QPI-ImageDescription><ImageType>Overview</ImageType>",
        ] {
            assert!(is_companion(text), "{text}");
        }
        for text in [
            "",
            "Aperio Image Library v11.2.1\r\n46000x32914 (256x256) JPEG/RGB",
            "Label-free kidney",
            "slide.svs",
            "<PerkinElmer-QPI-ImageDescription><ImageType>FullResolution</ImageType><Name>Label</Name>",
        ] {
            assert!(!is_companion(text), "{text}");
        }
    }

    #[test]
    fn only_names_make_colours_of_channels() {
        assert_eq!(red_green_blue(&["Blue", "red", "G"]), Some([1, 2, 0]));
        assert_eq!(red_green_blue(&["DAPI", "red", "green"]), None);
        assert_eq!(red_green_blue(&["", "", ""]), None);
        assert_eq!(red_green_blue(&["r", "g", "b", "a"]), None);
    }
}
