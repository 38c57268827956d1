//! Which pages of a file are the slide, and which are other pictures.

use super::*;

#[test]
fn a_larger_picture_in_strips_that_nothing_names_is_not_the_slide() {
    let data = vec![7; 300 * 100 * 3];
    let tile = vec![8; 2];
    let macro_picture = strips((300, 100), 100, 1, vec![8], vec![90_000]);
    let slide = tiles((32, 16), 8, 3, tile.clone(), 768);
    let level = tiles((16, 8), 8, 3, tile[..1].to_vec(), 768);
    let width = |pages: &[Tags]| {
        let (_work, path) = write(&data, pages);
        let slide = TiffReader::open(&path).unwrap();
        (
            slide.info().width(),
            slide.info().levels.len(),
            kinds(&slide),
        )
    };
    let others = vec![WarningKind::OtherImages];
    let pages = [macro_picture.clone(), slide.clone(), level];
    assert_eq!(width(&pages), (32, 2, others.clone()));
    // Without levels it must be not much smaller.
    let near = tiles((112, 80), 8, 3, vec![8; 35], 768);
    assert_eq!(
        width(&[macro_picture.clone(), near]),
        (112, 1, others.clone())
    );
    assert_eq!(width(&[macro_picture.clone(), slide]), (300, 1, others));
    // A smaller copy is none of this.
    let copy = tiles((96, 32), 8, 3, vec![8; 12], 768);
    assert_eq!(width(&[macro_picture, copy]).0, 300);
}

#[test]
fn a_cameras_picture_in_ome_is_not_the_slide_beside_a_scan() {
    let image = |page: u32, mpp: f64, size: (u32, u32)| {
        format!(
            "<Image><Pixels SizeC=\"3\" SizeX=\"{}\" SizeY=\"{}\" PhysicalSizeX=\"{mpp}\" PhysicalSizeY=\"{mpp}\">\
             <Channel SamplesPerPixel=\"3\"/><TiffData IFD=\"{page}\" PlaneCount=\"1\"/></Pixels></Image>",
            size.0, size.1
        )
    };
    let width = |mpp: f64| {
        let images = image(0, mpp, (300, 100)) + &image(1, 0.5, (32, 16));
        let mut first = strips((300, 100), 100, 1, vec![8], vec![90_000]);
        first.push((tag::DESCRIPTION, text(&format!("<OME>{images}</OME>"))));
        let pages = [first, tiles((32, 16), 8, 3, vec![8; 2], 768)];
        let (_work, path) = write(&vec![7; 90_000], &pages);
        TiffReader::open(&path).unwrap().info().width()
    };
    assert_eq!(width(15.0), 32);
    assert_eq!(width(1.0), 300);
}

#[test]
fn px_that_are_to_be_turned_are_refused() {
    for (orientation, is_fine) in [(1, true), (0, true), (4, false), (6, false)] {
        let mut tags = tiles((16, 16), 8, 3, vec![8], 768);
        tags.push((tag::ORIENTATION, vec![orientation]));
        let (_work, path) = write(&[7; 768], &[tags]);
        let opened = TiffReader::open(&path).map_err(|error| error.to_string());
        let mask = crate::mask_image::read_mask_image(&path).map_err(|error| error.to_string());
        assert_eq!(opened.is_ok(), is_fine, "{orientation}");
        for error in [opened.err(), mask.err()].into_iter().flatten() {
            assert_eq!(is_fine, !error.contains("Orientation"), "{error}");
        }
    }
}

#[test]
fn a_smaller_picture_of_other_px_is_no_level() {
    let data = vec![200; 4 * 1536];
    let base = tiles((32, 32), 8, 3, vec![8; 4], 768);
    let mut grey = tiles((16, 16), 8, 1, vec![8], 256);
    grey[4].1 = vec![1];
    let deep = tiles((16, 16), 16, 3, vec![8], 1536);
    let mut mask = tiles((16, 16), 8, 3, vec![8], 768);
    mask.push((tag::NEW_SUBFILE_TYPE, vec![5]));
    let level = tiles((16, 16), 8, 3, vec![8], 768);
    for other in [grey, deep, mask] {
        for pages in [
            vec![base.clone(), other.clone(), level.clone()],
            vec![base.clone(), level.clone(), other.clone()],
        ] {
            let (_work, path) = write(&data, &pages);
            let slide = TiffReader::open(&path).unwrap();
            assert_eq!(slide.info().levels.len(), 2, "{other:?}");
            assert_eq!(whole(&slide, 1), [200; 768]);
        }
        let (_work, path) = write(&data, &[base.clone(), other]);
        assert_eq!(TiffReader::open(&path).unwrap().info().levels.len(), 1);
    }
}
