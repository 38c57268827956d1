//! OpenSlide for the tests: taken where it is on the machine, never brought over the network.

use std::path::Path;
use std::sync::Once;

use ftuseg::slide::{self, OPENSLIDE, SlideError, SlideReader};
use ftuseg_provision::Search;

/// Set by `test.sh`, which installs OpenSlide: then its absence is a failure and not a reason to skip.
const REQUIRED: &str = "FTUSEG_REQUIRE_OPENSLIDE";

fn set_search() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let search = Search::from_environment(&OPENSLIDE, None, true);
        assert!(slide::use_search(
            search,
            Box::new(|line| println!("{line}"))
        ));
    });
}

/// Opens a slide. All tests open slides by this, so that none sends for a library.
pub fn open(path: &Path) -> Result<Box<dyn SlideReader>, SlideError> {
    set_search();
    slide::open(path)
}

/// Whether OpenSlide is here; says so where it is not.
pub fn has_openslide() -> bool {
    set_search();
    match slide::openslide_version() {
        Ok(_) => true,
        Err(reason) => {
            assert!(std::env::var_os(REQUIRED).is_none(), "{reason}");
            println!("skipped: no OpenSlide here: {reason}");
            false
        }
    }
}
