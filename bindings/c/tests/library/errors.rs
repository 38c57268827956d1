//! Every kind of error has its code, and a message that says what happened.

use ftuseg_c::*;

use super::support::*;

#[test]
fn slides_that_cannot_be_read_say_why() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    std::fs::write(scratch.join("text.tif"), "no slide at all").unwrap();
    let whole = std::fs::read(scratch.join("one.tif")).unwrap();
    std::fs::write(scratch.join("cut.tif"), &whole[..whole.len() / 3]).unwrap();
    scratch.slide("no-mpp.tif", None);
    for (name, status, kind, word) in [
        ("missing.tif", ftuseg_status::Io, "io", "missing.tif"),
        ("text.tif", ftuseg_status::Format, "format", "text.tif"),
        ("cut.tif", ftuseg_status::Format, "format", "cut.tif"),
        (
            "no-mpp.tif",
            ftuseg_status::NoResolution,
            "no-resolution",
            "um/px",
        ),
    ] {
        let refused = engine.file(&scratch.c_path(name), &request()).unwrap_err();
        assert_eq!(
            (refused, last_kind().as_str()),
            (status, kind),
            "{name}: {}",
            last_error()
        );
        assert_eq!(ftuseg_last_error_status(), status);
        assert!(last_error().contains(word), "{name}: {}", last_error());
    }
    // A success does not take the message away, and the engine goes on.
    engine.file(&scratch.c_path("one.tif"), &request()).unwrap();
    assert!(last_error().contains("um/px"));
    let wanted = ftuseg_request {
        mpp: MPP,
        ..request()
    };
    engine.file(&scratch.c_path("no-mpp.tif"), &wanted).unwrap();
}

#[test]
fn engines_that_cannot_be_made_say_why() {
    let scratch = Scratch::new();
    let nowhere = scratch.join("nowhere");
    let broken = scratch.join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("bundle.toml"), "name = 7").unwrap();
    for (name, value, status, word) in [
        (
            "bundle",
            nowhere.to_str().unwrap(),
            ftuseg_status::Bundle,
            "nowhere",
        ),
        (
            "bundle",
            broken.to_str().unwrap(),
            ftuseg_status::Bundle,
            "bundle.toml",
        ),
        ("route", "organ=spleen", ftuseg_status::NoModel, "spleen"),
        ("device", "cuda:0", ftuseg_status::Backend, "rten"),
        ("precision", "bf16", ftuseg_status::Backend, "bf16"),
        ("overlap", "4000", ftuseg_status::Usage, "overlap"),
    ] {
        let refused = Engine::new(&scratch.options(&[(name, value)])).err();
        assert_eq!(refused, Some(status), "{name}={value}: {}", last_error());
        assert!(
            last_error().contains(word),
            "{name}={value}: {}",
            last_error()
        );
    }
    // A file that was damaged after it was named.
    std::fs::write(scratch.join("bundle/green.onnx"), "damaged").unwrap();
    let refused = Engine::new(&scratch.options(&[])).err();
    assert_eq!(refused, Some(ftuseg_status::Bundle), "{}", last_error());
    assert!(last_error().contains("green.onnx"), "{}", last_error());
}

#[test]
fn a_mask_that_cannot_be_written_leaves_nothing() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    let result = engine.file(&scratch.c_path("one.tif"), &request()).unwrap();
    for (path, status) in [
        ("no/such/folder/mask.tif", ftuseg_status::Io),
        // A folder lies where the file would.
        ("bundle", ftuseg_status::Io),
        ("..", ftuseg_status::Usage),
    ] {
        let path = scratch.c_path(path);
        // SAFETY: both live.
        let refused = unsafe { ftuseg_result_write_mask(result.0, path.as_ptr()) };
        assert_eq!(refused, status, "{path:?}: {}", last_error());
    }
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 2);
}
