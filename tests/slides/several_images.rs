//! Files that hold more than one image: which is the slide, and what is refused.

use std::path::{Path, PathBuf};

use ftuseg::slide::warning::WarningKind;
use ftuseg::slide::{SlideError, SlideReader};

use crate::openslide_library::{has_openslide, open};
use crate::tiny_tiff::{Tags, TinyTiff, Value, tiled, with};

const TILE: u32 = 64;

/// A page of one colour: RGB where three values are given, else grey.
struct Page<'a> {
    size: (u32, u32),
    colour: &'a [u8],
    description: &'a str,
    name: &'a str,
    reduced: bool,
}

fn page(size: (u32, u32), colour: &[u8]) -> Page<'_> {
    Page {
        size,
        colour,
        description: "",
        name: "",
        reduced: false,
    }
}

fn text(tiff: &mut TinyTiff, tags: Tags, tag: u16, text: &str) -> Tags {
    if text.is_empty() {
        return tags;
    }
    // Longer than fits into an entry.
    let text = format!("{text}\0\0\0\0\0");
    let at = tiff.data(text.as_bytes());
    with(tags, tag, Value::Raw(2, text.len() as u32, at))
}

fn file(pages: &[Page<'_>]) -> Vec<u8> {
    let mut tiff = TinyTiff::new();
    for page in pages {
        let tile = page.colour.repeat((TILE * TILE) as usize);
        let at = tiff.data(&tile);
        let mut tags = tiled(page.size, TILE, 1, at, tile.len() as u32);
        if page.colour.len() == 1 {
            tags = with(tags, 258, Value::Shorts(vec![8]));
            tags = with(tags, 262, Value::Shorts(vec![1]));
            tags = with(tags, 277, Value::Shorts(vec![1]));
        }
        if page.reduced {
            tags = with(tags, 254, Value::Longs(vec![1]));
        }
        tags = text(&mut tiff, tags, 270, page.description);
        tags = text(&mut tiff, tags, 285, page.name);
        tiff.directory(&tags);
    }
    tiff.finish()
}

fn opened(pages: &[Page<'_>]) -> Result<Box<dyn SlideReader>, SlideError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.tif");
    std::fs::write(&path, file(pages)).unwrap();
    open(&path)
}

/// The levels' widths, the first px, and how many kinds of warnings there are.
fn seen(slide: &dyn SlideReader) -> (Vec<u32>, [u8; 3], usize) {
    let mut px = [0; 3];
    slide.read(0, 5, 5, 1, 1, &mut px).unwrap();
    let widths = slide.info().levels.iter().map(|l| l.width).collect();
    let doubts = slide.warnings().iter();
    let doubts = doubts.filter(|w| w.kind == WarningKind::OtherImages);
    (widths, px, doubts.count())
}

fn refusal(pages: &[Page<'_>]) -> String {
    let Err(error) = opened(pages) else {
        panic!("it opened");
    };
    assert_eq!(error.kind(), "unsupported", "{error}");
    error.to_string()
}

const RGB: [u8; 3] = [200, 100, 150];
const OTHER: [u8; 3] = [9, 9, 9];

#[test]
fn the_slide_is_the_slide_whatever_sorts_first() {
    let companions = [
        Page {
            description: "Label",
            ..page((150, 90), &OTHER)
        },
        Page {
            description: "macro image",
            ..page((500, 400), &OTHER)
        },
        // The same shape, not marked and not said to be anything.
        page((100, 75), &OTHER),
    ];
    let slide = || page((400, 300), &RGB);
    let level = || Page {
        reduced: true,
        ..page((200, 150), &RGB)
    };
    for companion in companions {
        let described = !companion.description.is_empty();
        let first = opened(&[Page { ..companion }, slide(), level()]).unwrap();
        let (widths, px, warnings) = seen(first.as_ref());
        // A smaller tiled page of the slide's shape is taken for a level, as ever.
        let levels: &[u32] = if described {
            &[400, 200]
        } else {
            &[400, 200, 100]
        };
        assert_eq!((widths.as_slice(), px, warnings), (levels, RGB, 0));
    }
    // Levels in any order.
    let upward = opened(&[level(), slide()]).unwrap();
    assert_eq!(seen(upward.as_ref()), (vec![400, 200], RGB, 0));
}

#[test]
fn other_images_are_left_out_with_a_warning() {
    let two = opened(&[page((400, 300), &RGB), page((400, 300), &OTHER)]).unwrap();
    assert_eq!(seen(two.as_ref()), (vec![400], RGB, 1));
    let two = opened(&[page((100, 300), &OTHER), page((400, 300), &RGB)]).unwrap();
    assert_eq!(seen(two.as_ref()), (vec![400], RGB, 1));
    let text = &two.warnings()[0].text;
    assert_eq!(
        text,
        "the file also contains another image, which was left out: 100 x 300 px on page 1"
    );
}

#[test]
fn a_file_without_a_slide_is_refused() {
    let label = Page {
        description: "label 150x90",
        ..page((150, 90), &OTHER)
    };
    let Err(error) = opened(&[label]) else {
        panic!("a label opened");
    };
    assert!(error.to_string().contains("only a label"), "{error}");
}

#[test]
fn an_aperio_cut_out_may_be_smaller_than_its_companions() {
    let aperio = |text: &'static str, size, colour| Page {
        description: text,
        ..page(size, colour)
    };
    let slide = opened(&[
        aperio(
            "Aperio Image Library v11\r\nmacro 1280x431",
            (1280, 431),
            &OTHER,
        ),
        aperio(
            "Aperio Image Library v11\r\n64x64 (64x64) |MPP = 0.5",
            (64, 64),
            &RGB,
        ),
    ])
    .unwrap();
    assert_eq!(seen(slide.as_ref()), (vec![64], RGB, 0));
    assert_eq!(slide.info().format, "Aperio SVS");
    assert_eq!(slide.info().resolution.map(|r| r.mpp), Some(0.5));
}

fn ome(images: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">{images}</OME>"
    )
}

#[test]
fn ome_xml_says_which_page_is_of_which_image() {
    let xml = ome(
        r#"<Image Name="label image"><Pixels SizeC="3"><Channel SamplesPerPixel="3"/><TiffData IFD="0"/></Pixels></Image>
        <Image Name="slide"><Pixels SizeC="3" PhysicalSizeX="0.5" PhysicalSizeY="0.5"><Channel SamplesPerPixel="3"/>
        <TiffData IFD="1"/></Pixels></Image>
        <Image Name="other"><Pixels SizeC="3"><Channel SamplesPerPixel="3"/><TiffData IFD="2"/></Pixels></Image>"#,
    );
    let slide = opened(&[
        Page {
            description: &xml,
            ..page((800, 600), &OTHER)
        },
        page((400, 300), &RGB),
        // Half the size, tiled: but of another image.
        page((200, 150), &OTHER),
    ])
    .unwrap();
    assert_eq!(seen(slide.as_ref()), (vec![400], RGB, 1));
    assert_eq!(slide.info().format, "OME-TIFF");
    assert_eq!(slide.info().resolution.map(|r| r.mpp), Some(0.5));
}

#[test]
fn channels_in_pages_are_joined_only_where_they_are_called_red_green_and_blue() {
    let size = (130, 70);
    let channels = |names: [&str; 3]| {
        let channels = names.map(|n| format!("<Channel Name=\"{n}\"/>")).concat();
        ome(&format!(
            "<Image><Pixels SizeC=\"3\">{channels}<TiffData/></Pixels></Image>"
        ))
    };
    let three = |xml: &str| {
        opened(&[
            Page {
                description: xml,
                ..page(size, &[200])
            },
            page(size, &[100]),
            page(size, &[150]),
        ])
    };
    let joined = three(&channels(["Red", "Green", "Blue"])).unwrap();
    assert_eq!(seen(joined.as_ref()), (vec![130], RGB, 0));
    // In the order of their names.
    let turned = three(&channels(["B", "R", "G"])).unwrap();
    assert_eq!(seen(turned.as_ref()).1, [100, 150, 200]);
    let named = |names: [&str; 3]| {
        let [a, b, c] = names;
        opened(&[
            Page {
                name: a,
                ..page(size, &[200])
            },
            Page {
                name: b,
                ..page(size, &[100])
            },
            Page {
                name: c,
                ..page(size, &[150])
            },
        ])
    };
    assert_eq!(
        seen(named(["red", "green", "blue"]).unwrap().as_ref()).1,
        RGB
    );
    for error in [
        three(&channels(["DAPI", "FITC", "Cy5"])).err().unwrap(),
        three(&channels(["", "", ""])).err().unwrap(),
        named(["", "", ""]).err().unwrap(),
    ] {
        assert_eq!(error.kind(), "unsupported");
        assert!(error.to_string().contains("convert it to RGB"), "{error}");
    }
}

#[test]
fn what_is_no_brightfield_picture_is_refused_as_such() {
    let size = (130, 70);
    let qpi = |kind: &str, name: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-16\"?><PerkinElmer-QPI-ImageDescription><ImageType>{kind}</ImageType>\
             <Name>{name}</Name></PerkinElmer-QPI-ImageDescription>"
        )
    };
    let (dapi, opal) = (
        qpi("FullResolution", "DAPI"),
        qpi("FullResolution", "Opal 520"),
    );
    let emits = ome(
        "<Image><Pixels SizeC=\"1\"><Channel EmissionWavelength=\"461\" Name=\"DAPI\"/><TiffData/></Pixels></Image>",
    );
    let grey = |description| Page {
        description,
        ..page(size, &[40])
    };
    let text = refusal(&[grey(&dapi), grey(&opal)]);
    assert!(
        text.contains("QPTIFF") && text.contains("DAPI, Opal 520"),
        "{text}"
    );
    let text = refusal(&[
        grey("ImageJ=1.53t\nimages=2\nchannels=2\nmode=composite\n"),
        grey(""),
    ]);
    assert!(text.contains("ImageJ composite of 2 channels"), "{text}");
    let text = refusal(&[grey("ImageJ=1.53t\nimages=9\nslices=9\n")]);
    assert!(text.contains("ImageJ stack of 9"), "{text}");
    let text = refusal(&[grey(&emits)]);
    assert!(
        text.contains("fluorescence") && text.contains("DAPI"),
        "{text}"
    );
    let text = refusal(&[grey("Aperio Image Library v11\r\n130x70 (64x64)")]);
    assert!(text.contains("fluorescence"), "{text}");
    // A QPTIFF of a stained slide is one, and one grey picture of ImageJ is one.
    let (full, small) = (qpi("FullResolution", ""), qpi("Overview", ""));
    let bright = opened(&[
        Page {
            description: &small,
            ..page((300, 300), &OTHER)
        },
        Page {
            description: &full,
            ..page(size, &RGB)
        },
    ]);
    assert_eq!(seen(bright.unwrap().as_ref()), (vec![130], RGB, 0));
    let lone = opened(&[grey("ImageJ=1.53t\nimages=1\n")]).unwrap();
    assert_eq!(seen(lone.as_ref()), (vec![130], [40; 3], 0));
}

/// Folder of the field cases, where they are beside the checkout.
fn field(case: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data/field_cases")
        .join(case);
    if !folder.is_dir() {
        println!("skipped: no field case at {}", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn field_cases_of_channels_in_pages_are_refused() {
    if let Some(folder) = field("04-channel-pages") {
        for (name, word) in [
            ("kidney.tiff", "3 grey pages"),
            ("hyperstack.tif", "ImageJ composite"),
        ] {
            let error = open(&folder.join(name)).err().unwrap().to_string();
            assert!(error.contains(word) && error.contains(name), "{error}");
        }
        assert!(
            open(&folder.join("same-as-rgb.tif"))
                .unwrap()
                .warnings()
                .is_empty()
        );
    }
    if let Some(folder) = field("20-qptiff") {
        let error = open(&folder.join("mif.qptiff")).err().unwrap().to_string();
        assert!(
            error.contains("fluorescence") && error.contains("3 channels"),
            "{error}"
        );
    }
}

#[test]
fn field_cases_of_missing_parts_are_refused_or_found() {
    if let Some(folder) = field("16-mrxs-preview") {
        let error = open(&folder.join("case.mrxs")).err().unwrap().to_string();
        assert!(error.contains("case/ is missing"), "{error}");
    }
    if let Some(folder) = field("22-symlinks").filter(|_| has_openslide()) {
        for name in ["store/mirax.mrxs", "store/dicom/level-1.dcm"] {
            open(&folder.join(name)).unwrap_or_else(|error| panic!("{error}"));
        }
        // A link that was copied as a text, as it is there where links cannot be.
        let link = folder.join("w2/level-0.dcm");
        if !link.is_symlink() {
            let error = open(&link).err().unwrap().to_string();
            assert!(error.contains("a link that was copied as text"), "{error}");
        }
    }
}

/// A slide's DICOM files with a TIFF header in their preamble, as a public archive's converter makes them.
#[test]
fn dicom_with_a_tiff_in_its_preamble_is_dicom() {
    if !has_openslide() {
        return;
    }
    let drawn = crate::fixtures::folder().join("foreign/dicom");
    let work = tempfile::tempdir().unwrap();
    for name in ["level-0.dcm", "level-1.dcm"] {
        let mut bytes = std::fs::read(drawn.join(name)).unwrap();
        // A whole TIFF stands behind the DICOM's end, and the header leads to it.
        let tiff = file(&[page((75, 53), &OTHER)]);
        let start = bytes.len() as u32;
        let first = u32::from_le_bytes(tiff[4..8].try_into().unwrap());
        bytes[..4].copy_from_slice(b"II*\0");
        bytes[4..8].copy_from_slice(&(start + first).to_le_bytes());
        bytes.extend(tiff);
        std::fs::write(work.path().join(name), bytes).unwrap();
    }
    let slide = open(&work.path().join("level-1.dcm")).unwrap();
    let reference = open(&drawn.join("level-0.dcm")).unwrap();
    assert_eq!(slide.info().format, "DICOM");
    assert_eq!(slide.info().levels, reference.info().levels);
}
