//! Which directories are the levels of the slide.

/// What a directory says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) width: u64,
    pub(super) height: u64,
    pub(super) tiled: bool,
    /// Marked as a reduced copy of another directory.
    pub(super) reduced: bool,
}

/// The pages that show the same picture as the first one, ever smaller, as indices into `pages`.
///
/// A level has the first one's aspect (to a px of rounding), is smaller than the level before it, and is marked as
/// reduced or tiled like the first one; so an Aperio thumbnail, label or macro picture is none. With `trusted`, which
/// holds for SubIFDs, the mark is not asked for: to be a reduced copy is what a SubIFD is for.
pub(super) fn pyramid(pages: &[Page], trusted: bool) -> Vec<usize> {
    let base = pages[0];
    let mut last = base;
    let mut levels = vec![0];
    for (index, &next) in pages.iter().enumerate().skip(1) {
        if next.width == 0 || next.height == 0 {
            continue;
        }
        let smaller = next.width < last.width && next.height <= last.height
            || next.width <= last.width && next.height < last.height;
        let marked = if base.tiled { next.tiled } else { next.reduced };
        let like_base = trusted || marked;
        let factor = base.width as f64 / next.width as f64;
        let expected = base.height as f64 / factor;
        // Rounding the width by one px changes the factor by this part of itself.
        let slack = 1.5 + expected / next.width as f64;
        let same_aspect = (next.height as f64 - expected).abs() <= slack;
        if smaller && like_base && same_aspect {
            levels.push(index);
            last = next;
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: u64, height: u64, tiled: bool, reduced: bool) -> Page {
        Page {
            width,
            height,
            tiled,
            reduced,
        }
    }

    #[test]
    fn a_pyramid_leaves_thumbnails_and_labels_out() {
        let svs = [
            page(46_000, 32_914, true, false),
            page(1024, 732, false, false),
            page(11_500, 8228, true, false),
            page(2875, 2057, true, false),
            page(387, 463, false, true),
            page(1280, 431, false, true),
        ];
        assert_eq!(pyramid(&svs, false), [0, 2, 3]);
    }

    #[test]
    fn pages_of_one_size_are_not_levels() {
        let pages = [
            page(500, 500, false, false),
            page(500, 500, false, false),
            page(250, 250, false, false),
        ];
        assert_eq!(pyramid(&pages, false), [0]);
        assert_eq!(pyramid(&pages, true), [0, 2]);
    }
}
