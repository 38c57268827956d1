//! Broken files in vendors' formats: OpenSlide is C, so a process of its own reads them, whose end and memory are watched.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ftuseg::slide::SlideError;

use crate::conformance::{Picture, Random};
use crate::fixtures::folder;
use crate::openslide_library::{has_openslide, open};

/// Set for the child.
const CHILD: &str = "FTUSEG_TEST_HOSTILE_CHILD";
/// What the child may hold.
const MAX_MIB: f64 = 1024.0;
/// How long one file may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The slides, and the file of each that is broken.
const VICTIMS: [(&str, &str); 7] = [
    ("leica.scn", "leica.scn"),
    ("philips.tiff", "philips.tiff"),
    ("hamamatsu.ndpi", "hamamatsu.ndpi"),
    ("mirax.mrxs", "mirax/Slidedat.ini"),
    ("mirax.mrxs", "mirax/Index.dat"),
    ("mirax.mrxs", "mirax/Data0000.dat"),
    ("dicom/level-0.dcm", "dicom/level-0.dcm"),
];

#[test]
fn broken_foreign_slides_end_no_process_and_take_no_memory() {
    if !has_openslide() {
        return;
    }
    let started = Instant::now();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "hostile_foreign::child",
            "--ignored",
            "--nocapture",
            "--test-threads",
            "1",
        ])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().rev().take(3).collect::<Vec<_>>();
    let errors = String::from_utf8_lossy(&output.stderr);
    let end = errors.lines().rev().take(10).collect::<Vec<_>>();
    assert!(
        output.status.success(),
        "{}: {last:#?} {end:#?}",
        output.status
    );
    let count = |word: &str| text.lines().filter(|line| line.ends_with(word)).count();
    println!(
        "{} refused, {} read, {:?}",
        count(": refused"),
        count(": read"),
        started.elapsed()
    );
    assert!(count(": refused") > 150, "{last:#?}");
    if let Some(peak) = text.lines().find_map(|line| line.strip_prefix("peak ")) {
        let peak: f64 = peak.parse().unwrap();
        println!("peak {peak} MiB");
        assert!(peak < MAX_MIB, "{peak} MiB");
    }
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    copy(&folder().join("foreign"), work.path());
    for (slide, victim) in VICTIMS {
        let sound = std::fs::read(work.path().join(victim)).unwrap();
        for part in 0..20 {
            let cut = sound.len() * part / 20;
            try_one(
                work.path(),
                slide,
                victim,
                &sound[..cut],
                &format!("cut to {part} / 20"),
            );
        }
        let mut random = Random(victim.len() as u64);
        for variant in 0..70 {
            let mut bytes = sound.clone();
            for _ in 0..1 + random.below(8) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << random.below(8);
            }
            try_one(
                work.path(),
                slide,
                victim,
                &bytes,
                &format!("flipped, {variant}"),
            );
        }
        std::fs::write(work.path().join(victim), &sound).unwrap();
        read(&work.path().join(slide)).unwrap_or_else(|e| panic!("{e}"));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        let kilobytes: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        println!("peak {}", kilobytes / 1024.0);
    }
}

fn try_one(work: &Path, slide: &str, victim: &str, bytes: &[u8], what: &str) {
    std::fs::write(work.join(victim), bytes).unwrap();
    // Before, so that the last line tells of what ended the process.
    println!("{victim} {what}");
    let started = Instant::now();
    let result = read(&work.join(slide));
    assert!(started.elapsed() < LIMIT, "{victim} {what}");
    match result {
        Ok(()) => println!("{victim} {what}: read"),
        Err(error) => {
            let name = slide.rsplit('/').next().unwrap();
            assert!(error.to_string().contains(name), "{error}");
            println!("{victim} {what}: refused");
        }
    }
}

fn read(path: &Path) -> Result<(), SlideError> {
    let slide = open(path)?;
    for level in 0..slide.info().levels.len() {
        let size = slide.info().levels[level];
        if u64::from(size.width) * u64::from(size.height) <= 1 << 22 {
            Picture::level(slide.as_ref(), level)?;
            continue;
        }
        let (right, bottom) = (i64::from(size.width) - 9, i64::from(size.height) - 9);
        for (x, y) in [(0, 0), (right, bottom)] {
            slide.read(level, x, y, 9, 9, &mut [0; 243])?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// An error of one part of a slide is no error of another, whichever was read first, and from however many threads.
#[test]
fn an_error_stays_where_it_is() {
    if !has_openslide() {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    copy(&folder().join("foreign"), work.path());
    let path = work.path().join("mirax.mrxs");
    let sound = open(&path).unwrap();
    let whole = Picture::level(sound.as_ref(), 0).unwrap();
    // The last picture is one of level 1, and is not decoded before it is read.
    let data = work.path().join("mirax/Data0000.dat");
    let mut bytes = std::fs::read(&data).unwrap();
    let last = bytes
        .windows(4)
        .rposition(|part| part == b"\x89PNG")
        .unwrap();
    bytes[last..last + 8].fill(0);
    std::fs::write(&data, bytes).unwrap();
    let slide = open(&path).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (slide, whole) = (slide.as_ref(), &whole);
            scope.spawn(move || {
                for round in 0..5 {
                    if (thread + round) % 2 == 0 {
                        assert!(Picture::level(slide, 1).is_err(), "the broken level");
                    } else {
                        assert!(Picture::level(slide, 0).unwrap().rgb == whole.rgb);
                    }
                }
            });
        }
    });
}
