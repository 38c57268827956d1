//! What `probe` and `locate` say to libraries, and to things that are none.

use std::fs;

use super::super::{LibraryError, PlaceKind, PlaceOutcome, locate, probe, survey};
use super::*;

#[test]
fn a_good_library_is_used_by_file_and_by_folder() {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = compile(dir.path(), &fake_code("1.31.1", 31)) else {
        return;
    };
    let info = probe(&ONNX_RUNTIME, &library).unwrap();
    assert_eq!(info.version, "1.31.1");
    assert_eq!(info.size, fs::metadata(&library).unwrap().len());
    let by_hand = super::super::probe::sum(&library).unwrap();
    assert_eq!(info.sha256, by_hand);
    for path in [library.clone(), library.parent().unwrap().to_path_buf()] {
        let mut search = empty_search(dir.path());
        search.variable = Some(path.clone());
        let found = locate(&search, &mut |_| ()).unwrap();
        assert_eq!(
            (found.path, found.source),
            (library.clone(), PlaceKind::Variable("ORT_DYLIB_PATH"))
        );
        // The option goes before the variable, which is then not looked at.
        search.variable = Some("nowhere".into());
        search.option = Some(path);
        let found = locate(&search, &mut |_| ()).unwrap();
        assert_eq!(
            (found.path, found.source),
            (library.clone(), PlaceKind::Named)
        );
    }
}

#[test]
fn too_old_says_so() {
    let dir = tempfile::tempdir().unwrap();
    // By its version, by its missing interface, and by both.
    for (version, newest) in [("1.10.0", 10), ("1.23.9", 99), ("1.31.1", 23)] {
        let Some(library) = compile(dir.path(), &fake_code(version, newest)) else {
            return;
        };
        match probe(&ONNX_RUNTIME, &library) {
            Err(LibraryError::TooOld {
                path,
                found,
                needed,
                ..
            }) => {
                assert_eq!(
                    (path, found.as_str(), needed.as_str()),
                    (library, version, "1.24")
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        probe(
            &ONNX_RUNTIME,
            &compile(dir.path(), &fake_code("1.24.0", 24)).unwrap()
        )
        .is_ok()
    );
}

#[test]
fn other_libraries_are_not_onnx_runtime() {
    let dir = tempfile::tempdir().unwrap();
    let codes = [
        "int something(void) { return 1; }",
        "const char* name = \"OrtGetApiBase\"; int something(void) { return 1; }",
        "void* OrtGetApiBase(void) { return 0; }",
        "static void* base[2]; void* OrtGetApiBase(void) { return base; }",
    ];
    for code in codes {
        let Some(library) = compile(dir.path(), code) else {
            return;
        };
        let result = probe(&ONNX_RUNTIME, &library);
        assert!(
            matches!(result, Err(LibraryError::Foreign { .. })),
            "{code}: {result:?}"
        );
    }
}

/// Where the header can tell, a library that does not even name the entry function never gets to run anything.
#[cfg(target_os = "linux")]
#[test]
fn a_foreign_library_is_not_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let code =
        "#include <stdlib.h>\n__attribute__((constructor)) static void start(void) { abort(); }";
    if let Some(library) = compile(dir.path(), code) {
        assert!(matches!(
            probe(&ONNX_RUNTIME, &library),
            Err(LibraryError::Foreign { .. })
        ));
    }
}

#[test]
fn wrong_files_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str, content: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let text = at(LIBRARY_NAME, b"not a library");
    let empty = at("empty", b"");
    assert!(matches!(
        probe(&ONNX_RUNTIME, &text),
        Err(LibraryError::Format { .. })
    ));
    assert!(matches!(
        probe(&ONNX_RUNTIME, &empty),
        Err(LibraryError::Format { .. })
    ));
    assert!(matches!(
        probe(&ONNX_RUNTIME, dir.path()),
        Err(LibraryError::NotAFile { .. })
    ));
    assert!(matches!(
        probe(&ONNX_RUNTIME, &dir.path().join("none")),
        Err(LibraryError::Missing { .. })
    ));
    assert!(matches!(
        probe(&ONNX_RUNTIME, "".as_ref()),
        Err(LibraryError::Io { .. } | LibraryError::Missing { .. })
    ));
    #[cfg(unix)]
    {
        let pipe = dir.path().join("pipe");
        if Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .is_ok_and(|s| s.success())
        {
            assert!(matches!(
                probe(&ONNX_RUNTIME, &pipe),
                Err(LibraryError::NotAFile { .. })
            ));
        }
    }
}

#[test]
fn a_cut_library_is_an_error_at_any_length() {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = compile(dir.path(), &fake_code("1.31.1", 31)) else {
        return;
    };
    let bytes = fs::read(&library).unwrap();
    let cut = dir.path().join("cut");
    for length in (0..bytes.len() / 2).step_by(97) {
        fs::write(&cut, &bytes[..length]).unwrap();
        let result = probe(&ONNX_RUNTIME, &cut);
        assert!(
            matches!(
                result,
                Err(LibraryError::Truncated { .. } | LibraryError::Format { .. })
            ),
            "{length}: {result:?}"
        );
    }
}

#[test]
fn a_named_library_that_does_not_work_is_never_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("bad");
    fs::write(&bad, "text").unwrap();
    let nothing = tempfile::tempdir_in(dir.path()).unwrap();
    for path in [bad, nothing.path().to_path_buf(), dir.path().join("none")] {
        for source in [PlaceKind::Named, PlaceKind::Variable("ORT_DYLIB_PATH")] {
            let mut search = empty_search(dir.path());
            match source {
                PlaceKind::Named => search.option = Some(path.clone()),
                _ => search.variable = Some(path.clone()),
            }
            let error = locate(&search, &mut |_| ()).unwrap_err();
            assert!(matches!(error, LibraryError::Unusable { given_by, .. } if given_by == source));
            let text = error.to_string();
            let who = match source {
                PlaceKind::Variable(name) => name,
                _ => "that was named",
            };
            assert!(
                text.contains(who) && text.contains(path.to_str().unwrap()),
                "{text}"
            );
            let findings = survey(&search);
            assert!(
                matches!(findings[0].outcome, PlaceOutcome::PassedOver { .. }),
                "{findings:?}"
            );
        }
    }
}

#[test]
fn without_a_wheel_the_error_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let error = locate(&empty_search(dir.path()), &mut |_| ()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(std::env::consts::ARCH) && text.contains("or newer"),
        "{text}"
    );
    assert!(
        matches!(error, LibraryError::NotFound { reason, .. } if matches!(*reason, LibraryError::NoWheel { .. }))
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_gives_the_plain_name_then_the_highest_version() {
    use super::super::folder::library_in;
    let dir = tempfile::tempdir().unwrap();
    let capi = dir.path().join("onnxruntime/capi");
    fs::create_dir_all(&capi).unwrap();
    assert!(matches!(
        library_in(&ONNX_RUNTIME, dir.path()),
        Err(LibraryError::NoLibraryInFolder { .. })
    ));
    for name in [
        "libonnxruntime_providers_shared.so",
        "libonnxruntime.so.txt",
        "libonnxruntime.so.",
    ] {
        fs::write(capi.join(name), "").unwrap();
    }
    assert!(library_in(&ONNX_RUNTIME, dir.path()).is_err());
    for name in ["libonnxruntime.so.1.9.0", "libonnxruntime.so.1.31.1"] {
        fs::write(capi.join(name), "").unwrap();
    }
    assert_eq!(
        library_in(&ONNX_RUNTIME, dir.path()).unwrap(),
        capi.join("libonnxruntime.so.1.31.1")
    );
    fs::write(capi.join("libonnxruntime.so"), "").unwrap();
    assert_eq!(
        library_in(&ONNX_RUNTIME, dir.path()).unwrap(),
        capi.join("libonnxruntime.so")
    );
}
