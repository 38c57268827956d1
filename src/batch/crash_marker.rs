//! Marks the slide that is being worked on, so that one that ends the whole program is tried last by the next run.
//!
//! A slide can end the program in ways that nothing in it can catch: a decoder in C that aborts, memory that the system
//! takes back. While a slide is being worked on, a small file says so. A run that finds one knows that an earlier run ended
//! there, for whatever reason (a kill or a loss of power leaves it too), and tries that slide last.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// End of the name of the file that stands for a slide at hand.
const BEGUN: &str = ".begun";
/// More than any count has digits.
const MAX_BYTES: u64 = 16;

fn path_of(slides: &Path, id: &str) -> PathBuf {
    slides.join(format!(".{id}{BEGUN}"))
}

/// How often the program ended while it worked on this slide.
pub(super) fn count(slides: &Path, id: &str) -> u32 {
    let path = path_of(slides, id);
    // Never through a link, out of the folder.
    if !std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()) {
        return 0;
    }
    let mut text = String::new();
    let read = File::open(&path).and_then(|f| f.take(MAX_BYTES).read_to_string(&mut text));
    // What is there but says nothing is there: the program ended while it was written.
    read.ok()
        .and_then(|_| text.trim().parse().ok())
        .unwrap_or(1)
}

/// Marks a slide as being worked on.
pub(super) fn set(slides: &Path, id: &str) {
    let path = path_of(slides, id);
    let count = count(slides, id).saturating_add(1);
    // Made anew, so that nothing is written through a link. A disk that takes not even this tells so at the slide's files.
    let _ = std::fs::remove_file(&path);
    let _ = File::options()
        .write(true)
        .create_new(true)
        .open(&path)
        .and_then(|mut file| file.write_all(count.to_string().as_bytes()));
}

/// Takes the mark of a slide away, whatever came of it.
pub(super) fn clear(slides: &Path, id: &str) {
    let _ = std::fs::remove_file(path_of(slides, id));
}

/// Why a slide is tried last.
pub(super) fn reason(times: u32) -> String {
    match times {
        1 => "an earlier run ended while it was working on this slide, so it is tried last"
            .to_owned(),
        n => format!(
            "{n} earlier runs ended while they were working on this slide, so it is tried last"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ends_that_were_not_seen_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let slides = folder.path();
        assert_eq!(count(slides, "a"), 0);
        set(slides, "a");
        set(slides, "b");
        clear(slides, "b");
        assert_eq!((count(slides, "a"), count(slides, "b")), (1, 0));
        set(slides, "a");
        assert_eq!(count(slides, "a"), 2);
        std::fs::write(path_of(slides, "a"), "").unwrap();
        assert_eq!(count(slides, "a"), 1);
        clear(slides, "a");
        clear(slides, "a");
        assert_eq!(std::fs::read_dir(slides).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, "7").unwrap();
        std::os::unix::fs::symlink(&other, path_of(folder.path(), "a")).unwrap();
        assert_eq!(count(folder.path(), "a"), 0);
        set(folder.path(), "a");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "7");
        assert_eq!(count(folder.path(), "a"), 1);
    }
}
