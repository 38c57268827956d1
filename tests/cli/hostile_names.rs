//! What a name, a folder or a terminal does on purpose: nothing hangs, nothing is written elsewhere, nothing falls over.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use super::util::*;

/// `ftuseg segment one.tif --out OUT`, with its streams to be chosen.
fn segment(dir: &Dir, out: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftuseg"));
    command
        .current_dir(dir.join(""))
        .args(["segment", "one.tif", "--out", out, "--bundle", "bundle"])
        .args(["--backend", "rten"]);
    command
}

#[cfg(target_os = "linux")]
#[test]
fn streams_that_are_closed_or_full_end_no_work() {
    let dir = Dir::with_slide();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let ended = segment(&dir, "full")
        .stderr(full())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(ended.code(), Some(0));
    assert_eq!(dir.json("full/run.json")["state"], "finished");
    // A reader of standard error that went away.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = segment(&dir, "gone")
        .stderr(writer)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(ended.code(), Some(0));
    // Events that were lost are told of, and the exit code says so.
    for arguments in [&["--json-log"][..], &[]] {
        let ended = segment(&dir, "events")
            .args(arguments)
            .stdout(full())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("standard output"), "{stderr}");
        assert_eq!(dir.json("events/run.json")["state"], "finished");
    }
}

#[cfg(unix)]
#[test]
fn neither_pipes_nor_links_lead_astray() {
    use std::os::unix::fs::symlink;
    let dir = Dir::with_slide();
    let pipe = |name: &str| {
        let made = Command::new("mkfifo").arg(dir.join(name)).status().unwrap();
        assert!(made.success());
    };
    // A record and a report that never answer.
    fs::create_dir_all(dir.join("out/slides/one")).unwrap();
    pipe("out/slides/one/slide.json");
    pipe("out/run.json");
    dir.segment(["one.tif"], "out")
        .ends_with(0)
        .says(&["1 done"]);
    // Results are not written through a link.
    fs::create_dir_all(dir.join("elsewhere/.one.part")).unwrap();
    fs::create_dir(dir.join("linked")).unwrap();
    symlink("../elsewhere", dir.join("linked/slides")).unwrap();
    dir.segment(["one.tif"], "linked")
        .ends_with(2)
        .says(&["slides", "link"]);
    assert!(dir.join("elsewhere/.one.part").is_dir());
    // Nor is the lock.
    dir.write("mine.txt", "mine");
    fs::create_dir(dir.join("locked")).unwrap();
    symlink("../mine.txt", dir.join("locked/.ftuseg.lock")).unwrap();
    dir.segment(["one.tif"], "locked")
        .ends_with(2)
        .says(&["link"]);
    assert_eq!(dir.read("mine.txt"), b"mine");
    // A model without end.
    fs::remove_file(dir.join("bundle/red.onnx")).unwrap();
    symlink("/dev/zero", dir.join("bundle/red.onnx")).unwrap();
    dir.segment(["one.tif"], "endless")
        .ends_with(2)
        .says(&["red.onnx", "not a plain file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn names_do_not_speak_to_the_terminal() {
    let dir = Dir::with_slide();
    let name = "a\n\x1b[31mb.tif";
    fs::copy(dir.join("one.tif"), dir.join(name)).unwrap();
    dir.write("c\n\x1b[31md.tif", "no image");
    dir.segment([name], "out").ends_with(0);
    dir.write(
        "truth.csv",
        "id,img_height,img_width,rle\n\"e\n\x1b[31mf\",200,300,1 2\n",
    );
    let bundle = full_bundle().replace("name = \"tiny\"", "name = \"t\\u001b[31m\\n\"");
    dir.bundle("loud", &bundle);
    let outcomes = [
        dir.ftuseg("inspect").args([name, "c\n\x1b[31md.tif"]),
        dir.ftuseg("route")
            .args([name, "--bundle", "bundle", "--backend", "rten"]),
        dir.ftuseg("models").args(["list", "--bundle", "loud"]),
        dir.ftuseg("doctor")
            .args(["--bundle", "loud", "--backend", "rten", "--offline"]),
        dir.ftuseg("evaluate")
            .args(["--truth", "truth.csv", "--pred", "out", "--out", "report"]),
        dir.segment([name], "out"),
    ];
    for outcome in outcomes.map(TestCommand::run) {
        for text in [&outcome.stdout, &outcome.stderr] {
            let is_bad = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
            assert!(!text.contains(is_bad), "{text:?}");
            for forged in ["\n\\u{1b}", "\n  \\u{1b}"] {
                assert!(!text.contains(forged), "{text:?}");
            }
        }
    }
}

#[test]
fn what_looks_half_written_and_is_a_users_stays() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "out").ends_with(0);
    dir.write("out/slides/.notes.part-2/mine.txt", "mine");
    dir.write("out/slides/.x.part", "mine");
    dir.write("out/slides/.one.part", "mine");
    dir.write("out/slides/.one.old/mine.txt", "mine");
    // As a run leaves it that is killed at a slide of this id.
    dir.write("out/slides/._part-b.begun", "1");
    dir.write(
        "m.csv",
        "id,path\n.part-b,one.tif\nx.part-y,one.tif\nnul,one.tif\n",
    );
    dir.segment(["m.csv", "one.tif"], "out")
        .args(["--overwrite"])
        .ends_with(0)
        .says(&["4 done"]);
    for name in [
        ".notes.part-2/mine.txt",
        ".x.part",
        ".one.part",
        ".one.old/mine.txt",
    ] {
        assert_eq!(dir.read(format!("out/slides/{name}")), b"mine", "{name}");
    }
    let ids: Vec<String> = dir.submission("out").into_iter().map(|row| row.0).collect();
    assert_eq!(ids, [".part-b", "x.part-y", "nul", "one"]);
    assert!(!dir.join("out/slides/nul").exists());
}
