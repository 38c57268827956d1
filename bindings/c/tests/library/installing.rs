//! What is installed: the library's name and its symbols, the headers, what pkg-config and CMake find.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::*;
use super::tools::*;

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
    // As some programs do it.
    if has("c++") {
        let text =
            "extern \"C\" {\n#include <ftuseg.h>\n}\nftuseg_object alone = FTUSEG_OBJECT_INIT;\n";
        std::fs::write(scratch.join("within.cpp"), text).unwrap();
        let mut command = Command::new("c++");
        command.args([
            "-fsyntax-only",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-std=c++11",
            &include,
        ]);
        run(command.arg(scratch.join("within.cpp")));
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
