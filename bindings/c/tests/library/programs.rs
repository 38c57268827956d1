//! Programs in C and C++ as a user builds them, run under valgrind and AddressSanitizer.
//!
//! A C compiler has to be there. What else is missing is named on standard error, and what needs it is skipped.

use std::path::Path;
use std::process::Command;

use super::support::*;
use super::tools::*;

/// Builds a program. Warnings are errors.
fn build(compiler: &str, sources: &[&Path], out: &Path, more: &[&str]) {
    let mut command = Command::new(compiler);
    command
        .args([
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-g",
            "-O1",
            "-pthread",
        ])
        .args(more);
    command.args(sources).arg("-o").arg(out).args(flags());
    run(&mut command);
}

/// A program that was built, to be run with the installed library.
fn program(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env("LD_LIBRARY_PATH", installed().join("lib"));
    command
}

/// The same under valgrind, which fails for any error and any leak.
fn under_valgrind(path: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command
        .args([
            "--quiet",
            "--error-exitcode=99",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect,possible",
        ])
        .arg("--show-leak-kinds=definite,indirect,possible")
        .arg(format!(
            "--suppressions={}",
            here().join("tests/library/valgrind.supp").display()
        ))
        .arg(path)
        .env("LD_LIBRARY_PATH", installed().join("lib"));
    command
}

/// Whether the compiler can build and run a program with a sanitizer.
fn has_sanitizer(scratch: &Scratch, compiler: &str) -> bool {
    let (source, out) = (scratch.join("empty.c"), scratch.join("empty"));
    std::fs::write(&source, "int main(void) { return 0; }\n").unwrap();
    let compiled = Command::new(compiler)
        .arg("-fsanitize=address")
        .arg(&source)
        .arg("-o")
        .arg(&out)
        .output();
    let works = compiled.is_ok_and(|output| output.status.success())
        && Command::new(&out)
            .output()
            .is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("{compiler} has no AddressSanitizer that works: it is skipped");
    }
    works
}

/// The options that both examples are given.
fn options(scratch: &Scratch) -> Vec<String> {
    let bundle = format!("bundle={}", scratch.join("bundle").display());
    vec![bundle, "backend=rten".to_owned(), "threads=2".to_owned()]
}

/// Writes the slide of two organs as PPM.
fn write_ppm(path: &Path) {
    let head = format!("P6\n{} {}\n255\n", SIZE.0, SIZE.1);
    std::fs::write(path, [head.as_bytes(), &pixels()].concat()).unwrap();
}

/// Checks that a folder holds what the command writes.
fn same_as_the_command(folder: &Path, command: &Path) {
    let slide = command.join("slides/one");
    for name in ["objects.geojson", "mask.tif"] {
        let (ours, theirs) = (
            std::fs::read(folder.join(name)),
            std::fs::read(slide.join(name)),
        );
        assert!(ours.unwrap() == theirs.unwrap(), "{name} differs");
    }
    let rle = std::fs::read_to_string(folder.join("rle.txt")).unwrap();
    let submission = std::fs::read_to_string(command.join("submission.csv")).unwrap();
    assert_eq!(submission, format!("id,rle\none,{rle}\n"));
}

#[test]
fn the_c_example_writes_what_the_command_writes() {
    let scratch = Scratch::new();
    let command = command_folder(&scratch);
    let path = scratch.join("segment");
    build(
        "cc",
        &[&here().join("examples/segment.c")],
        &path,
        &["-std=c99"],
    );
    for (out, how) in [
        ("plain", program as fn(&Path) -> Command),
        ("checked", under_valgrind),
    ] {
        if out == "checked" && !has("valgrind") {
            continue;
        }
        std::fs::create_dir(scratch.join(out)).unwrap();
        let mut example = how(&path);
        example
            .arg(scratch.join("one.tif"))
            .arg(scratch.join(out))
            .args(options(&scratch));
        let shown = printed(&mut example);
        for word in [
            "tiny 1",
            "rten",
            "kidney:",
            "Glomerulus at",
            "300 x 200 px of 2.000 um",
        ] {
            assert!(shown.contains(word), "{word}: {shown}");
        }
        same_as_the_command(&scratch.join(out), &command);
        let small = std::fs::read(scratch.join(out).join("small.pgm")).unwrap();
        assert!(small.starts_with(b"P5 300 200 255\n"));
        assert_eq!(small.len(), b"P5 300 200 255\n".len() + 300 * 200);
    }
    // It tells people what is wrong.
    let refused = program(&path)
        .args(["missing.tif", "."])
        .args(options(&scratch))
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("missing.tif") && said.contains("(io)"),
        "{said}"
    );
}

#[test]
fn the_cpp_example_writes_what_the_command_writes() {
    if !has("c++") {
        return;
    }
    let scratch = Scratch::new();
    let path = scratch.join("segment");
    build(
        "c++",
        &[&here().join("examples/segment.cpp")],
        &path,
        &["-std=c++17"],
    );
    write_ppm(&scratch.join("one.ppm"));
    // What the px give when the library has them from C.
    let rgb = pixels();
    let expected = scratch
        .engine(&[])
        .pixels(&given(&rgb), &request())
        .unwrap();
    for (out, how) in [
        ("plain", program as fn(&Path) -> Command),
        ("checked", under_valgrind),
    ] {
        if out == "checked" && !has("valgrind") {
            continue;
        }
        std::fs::create_dir(scratch.join(out)).unwrap();
        let mut example = how(&path);
        example
            .arg(scratch.join("one.ppm"))
            .arg("2.0")
            .arg(scratch.join(out))
            .args(options(&scratch));
        assert!(printed(&mut example).contains("objects"));
        let written = |name: &str| std::fs::read_to_string(scratch.join(out).join(name)).unwrap();
        assert!(written("objects.geojson") == expected.geojson());
        assert_eq!(written("rle.txt"), expected.rle(None));
    }
}

#[test]
fn a_careless_program_is_no_danger() {
    let scratch = Scratch::new();
    let source = here().join("tests/library/misuse.c");
    let arguments = [scratch.join("bundle"), scratch.join("one.tif")];
    if has("valgrind") {
        let path = scratch.join("misuse");
        build("cc", &[&source], &path, &["-std=c11"]);
        assert_eq!(printed(under_valgrind(&path).args(&arguments)), "well\n");
    }
    // It does not see what the library does to a buffer, but counts the memory that the library took and gave back, and
    // checks the program itself.
    if has_sanitizer(&scratch, "cc") {
        let path = scratch.join("misuse-asan");
        build(
            "cc",
            &[&source],
            &path,
            &["-std=c11", "-fsanitize=address,undefined"],
        );
        let mut checked = program(&path);
        checked
            .args(&arguments)
            .env("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0");
        assert_eq!(printed(&mut checked), "well\n");
    }
}

#[test]
fn the_library_can_be_linked_in() {
    let scratch = Scratch::new();
    let archive = installed().join("lib/libftuseg.a");
    let path = scratch.join("static");
    let include = format!("-I{}", installed().join("include").display());
    // As `pkg-config --static` has them.
    let settings = std::fs::read_to_string(installed().join("lib/pkgconfig/ftuseg.pc")).unwrap();
    let private = settings
        .lines()
        .find_map(|line| line.strip_prefix("Libs.private: "))
        .unwrap();
    let mut command = Command::new("cc");
    command
        .arg(here().join("examples/segment.c"))
        .args([&include, "-o"])
        .arg(&path);
    run(command.arg(archive).args(private.split_whitespace()));
    std::fs::create_dir(scratch.join("out")).unwrap();
    let mut example = Command::new(&path);
    example
        .arg(scratch.join("one.tif"))
        .arg(scratch.join("out"))
        .args(options(&scratch));
    assert!(printed(&mut example).contains("tiny 1"));
}
