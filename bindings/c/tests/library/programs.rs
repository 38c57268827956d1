//! Programs in C and C++ as a user builds them: against an installed copy, found by pkg-config or CMake, and run under
//! valgrind and AddressSanitizer.
//!
//! A C compiler has to be there. What else is missing is named on standard error, and its test does nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::support::*;

/// The package's folder.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where Cargo puts the libraries: beside the tests.
fn built() -> PathBuf {
    std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned()
}

/// Runs a command that has to go well.
fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn printed(command: &mut Command) -> String {
    String::from_utf8(run(command).stdout).unwrap()
}

/// Whether a tool is there. Says so if it is not.
fn has(tool: &str) -> bool {
    let found = Command::new(tool)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("there is no {tool}: what needs it is skipped");
    }
    found
}

/// The library as install.sh installs it. One copy serves all tests; the folder is removed by the last one that ends.
fn installed() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        // In the target folder, so that what a test run leaves is where such things are.
        let prefix = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("installed");
        let _ = std::fs::remove_dir_all(&prefix);
        install(&prefix, &[]);
        prefix
    })
}

fn install(prefix: &Path, more: &[&str]) {
    let mut script = Command::new(here().join("install.sh"));
    run(script
        .arg("--prefix")
        .arg(prefix)
        .arg("--built")
        .arg(built())
        .args(more));
}

/// The flags with which a program is built, as pkg-config says them.
fn flags() -> Vec<String> {
    let libraries = installed().join("lib");
    let flags = if has("pkg-config") {
        let mut ask = Command::new("pkg-config");
        printed(
            ask.env("PKG_CONFIG_PATH", libraries.join("pkgconfig"))
                .args(["--cflags", "--libs", "ftuseg"]),
        )
    } else {
        let (prefix, libraries) = (installed().display(), libraries.display());
        format!("-I{prefix}/include -L{libraries} -lftuseg")
    };
    flags.split_whitespace().map(str::to_owned).collect()
}

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
        assert_eq!(written("objects.geojson"), expected.geojson());
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
fn only_names_of_our_own_are_exported() {
    let library = installed().join("lib/libftuseg.so");
    if !cfg!(target_os = "linux") || !has("nm") || !has("readelf") {
        return;
    }
    let names = printed(
        Command::new("nm")
            .args(["-D", "--defined-only", "--format=posix"])
            .arg(&library),
    );
    let names: Vec<&str> = names
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    let foreign: Vec<&&str> = names
        .iter()
        .filter(|name| !name.starts_with("ftuseg_"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    // All that the header speaks of, and nothing that it does not.
    let header = std::fs::read_to_string(installed().join("include/ftuseg.h")).unwrap();
    for name in &names {
        assert!(
            header.contains(&format!("{name}(")),
            "{name} is not in the header"
        );
    }
    assert!(names.len() > 30, "{names:?}");

    let dynamic = printed(Command::new("readelf").arg("-d").arg(&library));
    let abi = ftuseg_c::FTUSEG_ABI_VERSION;
    assert!(
        dynamic.contains(&format!("Library soname: [libftuseg.so.{abi}]")),
        "{dynamic}"
    );
    let link = std::fs::read_link(&library).unwrap();
    assert_eq!(link, PathBuf::from(format!("libftuseg.so.{abi}")));
}

#[test]
fn headers_stand_on_their_own() {
    let scratch = Scratch::new();
    let include = format!("-I{}", installed().join("include").display());
    for (compiler, standard, header) in [
        ("cc", "-std=c99", "ftuseg.h"),
        ("cc", "-std=c17", "ftuseg.h"),
        ("c++", "-std=c++11", "ftuseg.h"),
        ("c++", "-std=c++17", "ftuseg.hpp"),
        ("c++", "-std=c++20", "ftuseg.hpp"),
    ] {
        if compiler == "c++" && !has("c++") {
            continue;
        }
        let name = if compiler == "c++" {
            "alone.cpp"
        } else {
            "alone.c"
        };
        let text =
            format!("#include <{header}>\n#include <{header}>\nint alone = FTUSEG_ABI_VERSION;\n");
        std::fs::write(scratch.join(name), text).unwrap();
        let mut command = Command::new(compiler);
        command.args([
            "-fsyntax-only",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            standard,
            &include,
        ]);
        run(command.arg(scratch.join(name)));
    }
}

#[test]
fn what_the_pages_show_compiles() {
    let scratch = Scratch::new();
    let include = format!("-I{}", installed().join("include").display());
    for page in ["README.md", "../../docs/embed.md"] {
        let text = std::fs::read_to_string(here().join(page)).unwrap();
        let shown: Vec<&str> = text
            .split("```c\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap())
            .collect();
        assert!(!shown.is_empty(), "{page}");
        for lines in shown {
            let program = format!(
                "#include <ftuseg.h>\n#include <stdio.h>\nvoid show(const uint8_t *data, size_t length);\n\
                 void show(const uint8_t *data, size_t length) {{\n(void)data; (void)length;\n{lines}}}\n"
            );
            std::fs::write(scratch.join("shown.c"), program).unwrap();
            let mut command = Command::new("cc");
            command.args([
                "-fsyntax-only",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-std=c99",
                &include,
            ]);
            run(command.arg(scratch.join("shown.c")));
        }
    }
}

#[test]
fn versions_stand_in_one_place() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(text(ftuseg_c::ftuseg_version()), version);
    let header = std::fs::read_to_string(here().join("include/ftuseg.h")).unwrap();
    let abi = ftuseg_c::ftuseg_abi_version();
    assert!(header.contains(&format!("#define FTUSEG_ABI_VERSION {abi}\n")));
    if has("pkg-config") {
        let mut ask = Command::new("pkg-config");
        ask.env("PKG_CONFIG_PATH", installed().join("lib/pkgconfig"))
            .args(["--modversion", "ftuseg"]);
        assert_eq!(printed(&mut ask).trim(), version);
    }
}

#[test]
fn packages_are_installed_below_another_folder() {
    let scratch = Scratch::new();
    let root = scratch.join("root");
    install(
        Path::new("/opt/ftuseg"),
        &["--destdir", root.to_str().unwrap(), "--libdir", "lib64"],
    );
    let settings =
        std::fs::read_to_string(root.join("opt/ftuseg/lib64/pkgconfig/ftuseg.pc")).unwrap();
    assert!(
        settings.contains("prefix=/opt/ftuseg\nlibdir=${prefix}/lib64\n"),
        "{settings}"
    );
    assert!(!settings.contains('@'), "{settings}");
    assert!(root.join("opt/ftuseg/include/ftuseg.hpp").is_file());
    for wrong in [
        &["--prefix"][..],
        &["--colour", "red"],
        &["--prefix", "/a b"],
    ] {
        let refused = Command::new(here().join("install.sh"))
            .args(wrong)
            .output()
            .unwrap();
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
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

#[test]
fn cmake_finds_it() {
    if !has("cmake") || !has("c++") {
        return;
    }
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.join("project")).unwrap();
    let lists = format!(
        r#"cmake_minimum_required(VERSION 3.16)
project(viewer C CXX)
list(APPEND CMAKE_MODULE_PATH "{prefix}/share/ftuseg/cmake")
find_package(Ftuseg {version} REQUIRED)
add_executable(one "{here}/examples/segment.c")
target_link_libraries(one PRIVATE Ftuseg::Ftuseg)
find_package(Threads REQUIRED)
add_executable(two "{here}/examples/segment.cpp")
set_target_properties(two PROPERTIES CXX_STANDARD 17)
target_link_libraries(two PRIVATE Ftuseg::Ftuseg Threads::Threads)
if(NOT Ftuseg_ABI_VERSION EQUAL {abi})
    message(FATAL_ERROR "interface ${{Ftuseg_ABI_VERSION}}")
endif()
"#,
        prefix = installed().display(),
        here = here().display(),
        version = env!("CARGO_PKG_VERSION"),
        abi = ftuseg_c::FTUSEG_ABI_VERSION,
    );
    std::fs::write(scratch.join("project/CMakeLists.txt"), lists).unwrap();
    let made = scratch.join("made");
    run(Command::new("cmake")
        .arg("-S")
        .arg(scratch.join("project"))
        .arg("-B")
        .arg(&made));
    run(Command::new("cmake").arg("--build").arg(&made));
    for name in ["one", "two"] {
        // CMake has written where the library lies, so nothing else has to say so.
        let usage = Command::new(made.join(name)).output().unwrap();
        assert_eq!(usage.status.code(), Some(2), "{usage:?}");
    }
}
