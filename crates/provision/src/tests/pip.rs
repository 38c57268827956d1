//! Bringing the library, with a fake pip that hands over wheels made here.

use std::fs;
use std::io::Write;
use std::time::SystemTime;

use super::super::{LibraryError, PlaceKind, PlaceOutcome, Remedy, locate, probe::sum, survey};
use super::*;

/// The path of the library in the wheels made here.
const MEMBER: &str = "onnxruntime/capi/library";

/// A member's name and content.
type Member<'a> = (&'a str, &'a [u8]);

/// A zip archive at `path` with these members.
fn archive(path: &Path, members: &[Member]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, content) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
}

/// The pinned values that fit the archive at `path`, if its library had `content`.
fn pin(path: &Path, content: &Path) -> Wheel {
    Wheel {
        version: "1.31.1",
        machine: ("here", "any"),
        platform: "here",
        python_version: "312",
        size: fs::metadata(path).unwrap().len(),
        sha256: sum(path).unwrap().leak(),
        member: MEMBER,
        library: LIBRARY_NAME,
        library_size: fs::metadata(content).unwrap().len(),
        library_sha256: sum(content).unwrap().leak(),
    }
}

/// A Python without the package, whose pip runs `text`; `$last` is the folder to download to.
fn pip(folder: &Path, text: &str) -> Python {
    let text = format!(
        "if [ \"$1\" = -c ]; then echo ftuseg-end; exit 0; fi
        [ \"$1 $2 $3\" = '-m pip download' ] || exit 9
        for last; do :; done
        {text}"
    );
    script(folder, &text)
}

/// Everything a test of this file needs: a wheel with a fake library, and a search whose pip delivers it.
struct Stage {
    dir: tempfile::TempDir,
    library: PathBuf,
    wheel: PathBuf,
    search: Search,
}

impl Stage {
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let library = compile(dir.path(), &fake_code("1.31.1", 31))?;
        let wheel = dir.path().join("a.whl");
        archive(
            &wheel,
            &[("first", b"other"), (MEMBER, &fs::read(&library).unwrap())],
        );
        let mut search = empty_search(&dir.path().join("cache"));
        search.wheel = Some(pin(&wheel, &library));
        let copy = format!("cp '{}' \"$last/a.whl\"", wheel.display());
        search.pythons = vec![pip(dir.path(), &copy)];
        Some(Self {
            dir,
            library,
            wheel,
            search,
        })
    }

    fn target(&self) -> PathBuf {
        let cache = self.search.cache.as_ref().unwrap();
        self.search.wheel.unwrap().place(&ONNX_RUNTIME, cache)
    }

    /// The reason why nothing was brought, after checking that nothing was left behind.
    fn failure(&self) -> LibraryError {
        let error = locate(&self.search, &mut |_| ()).unwrap_err();
        let left = fs::read_dir(self.target().parent().unwrap()).map_or(0, Iterator::count);
        assert_eq!(left, 0, "something was left after: {error}");
        match error {
            LibraryError::NotFound { reason, .. } => *reason,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_wheel_is_brought_once_and_then_found() {
    let Some(stage) = Stage::new() else { return };
    let mut said = Vec::new();
    let found = locate(&stage.search, &mut |line| said.push(line.to_owned())).unwrap();
    assert_eq!(
        (found.source, &found.path),
        (PlaceKind::Brought, &stage.target())
    );
    assert_eq!(
        fs::read(&found.path).unwrap(),
        fs::read(&stage.library).unwrap()
    );
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("1.31.1") && said[0].contains(found.path.to_str().unwrap()),
        "{said:?}"
    );
    let mut names: Vec<_> = fs::read_dir(found.path.parent().unwrap())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [LIBRARY_NAME.to_owned(), format!("{LIBRARY_NAME}.sha256")]
    );

    let mut again = stage.search.clone();
    again.pythons.clear();
    again.offline = true;
    let found = locate(&again, &mut |line| panic!("{line}")).unwrap();
    assert_eq!(found.source, PlaceKind::Cache);
    let findings = survey(&again);
    assert!(
        matches!(findings[0].outcome, PlaceOutcome::Usable { .. }),
        "{findings:?}"
    );
}

#[test]
fn a_damaged_copy_in_the_cache_is_replaced() {
    let Some(stage) = Stage::new() else { return };
    let target = stage.target();
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    let whole = fs::read(&stage.library).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    let third = whole.len() / 3;
    for damaged in [&whole[..third], &changed, b""] {
        // Never written in place: the last round's library is loaded, and would change under its user.
        let _ = fs::remove_file(&target);
        fs::write(&target, damaged).unwrap();
        let mut offline = stage.search.clone();
        offline.offline = true;
        assert!(locate(&offline, &mut |_| ()).is_err());
        let found = locate(&stage.search, &mut |_| ()).unwrap();
        assert_eq!(found.source, PlaceKind::Brought);
        assert!(matches!(
            found.findings[0].outcome,
            PlaceOutcome::PassedOver { .. }
        ));
        assert_eq!(fs::read(&target).unwrap(), whole);
    }
}

#[test]
fn many_at_once_all_succeed() {
    let Some(stage) = Stage::new() else { return };
    let start = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    locate(&stage.search, &mut |_| ())
                })
            })
            .collect();
        for thread in threads {
            let found = thread.join().unwrap().unwrap();
            assert_eq!(found.path, stage.target());
        }
    });
    assert_eq!(
        fs::read_dir(stage.target().parent().unwrap())
            .unwrap()
            .count(),
        2
    );
}

#[test]
fn a_wheel_with_the_wrong_sum_is_refused() {
    let Some(stage) = Stage::new() else { return };
    let mut bytes = fs::read(&stage.wheel).unwrap();
    bytes[20] ^= 1;
    fs::write(&stage.wheel, bytes).unwrap();
    let error = stage.failure();
    assert!(matches!(error, LibraryError::WrongSum { .. }), "{error}");
    assert!(
        error.to_string().contains("The library is then in"),
        "{error}"
    );
    assert!(matches!(error.remedy(), Some(Remedy::Wheel(_))), "{error}");
}

/// Wheels whose own sum is right but whose content is not.
#[test]
fn a_wheel_with_wrong_content_is_refused() {
    let Some(mut stage) = Stage::new() else {
        return;
    };
    let whole = fs::read(&stage.library).unwrap();
    let longer = [whole.as_slice(), b"x"].concat();
    let mut changed = whole.clone();
    changed[0] ^= 1;
    let deep = format!("../../{LIBRARY_NAME}");
    let cases: [(&[Member], &str); 5] = [
        (
            &[(&deep, &whole), ("/etc/library", &whole)],
            "cannot be read",
        ),
        (&[(MEMBER, &longer)], "more bytes"),
        (&[(MEMBER, &whole[1..])], "fewer bytes"),
        (&[(MEMBER, &changed)], "sha256"),
        (&[], "cannot be read"),
    ];
    for (members, word) in cases {
        archive(&stage.wheel, members);
        stage.search.wheel = Some(pin(&stage.wheel, &stage.library));
        let error = stage.failure();
        assert!(
            matches!(&error, LibraryError::BadWheel { found, .. } if found.contains(word)),
            "{error}"
        );
    }
    fs::write(&stage.wheel, "no zip").unwrap();
    stage.search.wheel = Some(pin(&stage.wheel, &stage.library));
    let error = stage.failure();
    assert!(matches!(error, LibraryError::BadWheel { .. }), "{error}");
}

/// A member with a name that climbs out does no harm beside the wanted one: no name becomes a path.
#[test]
fn names_in_the_wheel_are_not_paths() {
    let Some(mut stage) = Stage::new() else {
        return;
    };
    let whole = fs::read(&stage.library).unwrap();
    let outside = stage.dir.path().join("outside");
    let names = [
        "../outside",
        "../../../../outside",
        outside.to_str().unwrap(),
    ];
    let mut members: Vec<Member> = names.iter().map(|n| (*n, b"evil".as_slice())).collect();
    members.push((MEMBER, &whole));
    archive(&stage.wheel, &members);
    stage.search.wheel = Some(pin(&stage.wheel, &stage.library));
    locate(&stage.search, &mut |_| ()).unwrap();
    assert_eq!(
        fs::read_dir(stage.target().parent().unwrap())
            .unwrap()
            .count(),
        2
    );
    let found = Command::new("find")
        .arg(stage.dir.path())
        .args(["-name", "outside"])
        .output()
        .unwrap();
    assert!(
        found.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&found.stdout)
    );
}

#[test]
fn what_pip_says_becomes_the_right_error() {
    let Some(mut stage) = Stage::new() else {
        return;
    };
    let network = "echo 'Failed: NewConnectionError' >&2; echo 'ERROR: No matching distribution found' >&2; exit 1";
    stage.search.pythons = vec![pip(stage.dir.path(), network)];
    assert!(matches!(stage.failure(), LibraryError::Unreachable { .. }));
    stage.search.pythons = vec![pip(
        stage.dir.path(),
        "echo 'OSError: [Errno 28] No space left on device' >&2; exit 2",
    )];
    assert!(matches!(stage.failure(), LibraryError::DiskFull { .. }));
    stage.search.pythons = vec![pip(
        stage.dir.path(),
        "echo 'ERROR: No matching distribution found' >&2; exit 1",
    )];
    let error = stage.failure();
    assert!(
        matches!(&error, LibraryError::PipFailed { said, .. } if said.contains("No matching")),
        "{error}"
    );
    assert!(error.to_string().contains("python3 -m zipfile"), "{error}");
    stage.search.pythons = vec![pip(stage.dir.path(), "exit 0")];
    assert!(matches!(stage.failure(), LibraryError::BadWheel { .. }));
    stage.search.pythons = vec![pip(
        stage.dir.path(),
        "touch \"$last/a.whl\" \"$last/b.whl\"",
    )];
    assert!(matches!(stage.failure(), LibraryError::BadWheel { .. }));
    stage.search.pythons = vec![pip(stage.dir.path(), "ln -s /dev/zero \"$last/a.whl\"")];
    assert!(matches!(stage.failure(), LibraryError::BadWheel { .. }));
    stage.search.pythons = vec![pip(stage.dir.path(), "exec sleep 600")];
    stage.search.bring_limit = Duration::from_millis(300);
    assert!(matches!(stage.failure(), LibraryError::PipFailed { .. }));
}

#[test]
fn a_python_without_pip_leaves_it_to_the_next() {
    let Some(mut stage) = Stage::new() else {
        return;
    };
    let none = pip(
        stage.dir.path(),
        "echo '/usr/bin/python3: No module named pip' >&2; exit 1",
    );
    let good = std::mem::replace(
        &mut stage.search.pythons,
        vec![none, Python::new("/no/such/python")],
    );
    let error = stage.failure();
    let LibraryError::PipMissing { tried, .. } = &error else {
        panic!("{error}");
    };
    assert!(
        tried.contains("has no pip") && tried.contains("/no/such/python"),
        "{tried}"
    );
    stage.search.pythons.extend(good);
    assert_eq!(
        locate(&stage.search, &mut |_| ()).unwrap().source,
        PlaceKind::Brought
    );
}

#[test]
fn offline_or_without_a_cache_folder_pip_is_not_run() {
    let Some(mut stage) = Stage::new() else {
        return;
    };
    let mark = stage.dir.path().join("mark");
    stage.search.pythons = vec![pip(
        stage.dir.path(),
        &format!("touch '{}'", mark.display()),
    )];
    stage.search.offline = true;
    assert!(matches!(stage.failure(), LibraryError::Offline { .. }));
    stage.search.offline = false;
    let findings = survey(&stage.search);
    assert!(matches!(
        findings.last().unwrap().outcome,
        PlaceOutcome::NotTried { .. }
    ));
    stage.search.cache = None;
    let error = locate(&stage.search, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("FTUSEG_CACHE"), "{error}");
    assert!(!mark.exists());
}

#[test]
fn only_what_a_killed_program_left_is_cleared() {
    let Some(stage) = Stage::new() else { return };
    let folder = stage.target().parent().unwrap().to_path_buf();
    let (old, fresh) = (folder.join(".bringing-old"), folder.join(".bringing-fresh"));
    for path in [&old, &fresh] {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join("file"), "x").unwrap();
    }
    let two_days_ago = SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
    fs::File::open(&old)
        .unwrap()
        .set_modified(two_days_ago)
        .unwrap();
    locate(&stage.search, &mut |_| ()).unwrap();
    assert!(!old.exists() && fresh.exists());
}

/// A cache that cannot be written: a file lies where the folder should be.
#[test]
fn a_cache_that_is_a_file_is_an_error() {
    let Some(mut stage) = Stage::new() else {
        return;
    };
    let file = stage.dir.path().join("file");
    fs::write(&file, "x").unwrap();
    stage.search.cache = Some(file.clone());
    let error = locate(&stage.search, &mut |_| ()).unwrap_err();
    assert!(
        error.to_string().contains(file.to_str().unwrap()),
        "{error}"
    );
}
