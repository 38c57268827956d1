//! A batch on several machines: shards, joining them, and the Slurm example.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::status;
use super::util::*;

const COUNT: usize = 7;

/// A folder with seven slides, one of them bad.
fn seven() -> Dir {
    let dir = Dir::with_slide();
    for number in 0..COUNT - 1 {
        dir.slide(
            &format!("slides/s{number}.tif"),
            (300, 200),
            Some(MPP),
            |x, y| two_organs(x + number as u32, y, 1),
        );
    }
    dir.write("slides/bad.tif", "no image");
    dir
}

fn ids(run: &Value) -> Vec<String> {
    let slides = run["slides"].as_array().unwrap();
    let id = |slide: &Value| slide["id"].as_str().unwrap().to_owned();
    slides.iter().map(id).collect()
}

#[test]
fn shards_are_joined_into_what_one_run_gives() {
    let dir = seven();
    dir.segment(["slides"], "whole").ends_with(1);
    let mut all = Vec::new();
    for index in 1..=3 {
        let out = format!("shard{index}");
        let outcome = dir
            .segment(["slides"], &out)
            .args(["--shard", &format!("{index}/3")])
            .run();
        let run = dir.json(format!("{out}/run.json"));
        let has_bad = ids(&run).contains(&"bad".to_owned());
        assert_eq!(outcome.code, Some(i32::from(has_bad)), "{outcome:#?}");
        assert_eq!(run["shard"]["of"], 3);
        assert_eq!(run["shard"]["batch"].as_array().unwrap().len(), COUNT);
        all.extend(ids(&run));
    }
    all.sort();
    let mut expected = ids(&dir.json("whole/run.json"));
    expected.sort();
    assert_eq!(all, expected);

    let merge = |outs: &[&str], out: &str| {
        let command = dir.ftuseg("merge").args(outs).args(["--out", out]);
        command.run()
    };
    let outcome = merge(&["shard1", "shard2", "shard3"], "all");
    // Nothing is missing but what failed.
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    outcome.says(&["6 of 7 slides are done", "failed: bad"]);
    let sorted = |out: &str| {
        let mut rows = dir.submission(out);
        rows.sort();
        rows
    };
    assert_eq!(sorted("all"), sorted("whole"));
    let run = dir.json("all/run.json");
    assert_eq!(run["state"], "merged");
    assert_eq!(run["submission"]["rows"], 6);
    for slide in run["slides"].as_array().unwrap() {
        if slide["status"] != "failed" {
            let folder = slide["folder"].as_str().unwrap();
            assert!(dir.join(folder).join("mask.tif").is_file(), "{folder}");
        }
    }

    // Without one shard its slides are named.
    let outcome = merge(&["shard1", "shard3"], "two");
    assert_eq!(outcome.code, Some(1));
    outcome.says(&["shard 2/3"]);
    for id in ids(&dir.json("shard2/run.json")) {
        outcome.says(&["missing: ", &id]);
        assert_eq!(status(&dir, "two", &id)["status"], "pending");
    }
    assert_eq!(ids(&dir.json("two/run.json")).len(), COUNT);
}

#[test]
fn ids_and_folders_of_all_kinds_are_joined() {
    let dir = Dir::with_slide();
    for name in ["a/x.tif", "b/x.tif"] {
        fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
        fs::copy(dir.join("one.tif"), dir.join(name)).unwrap();
    }
    dir.write("m.csv", "id,path\ncase 1,one.tif\n\"c,2\",one.tif\n");
    dir.segment(["m.csv", "a", "b"], "share").ends_with(0);
    dir.ftuseg("merge")
        .args(["share", "--out", "all"])
        .ends_with(0)
        .says(&["4 of 4 slides are done"]);
    assert_eq!(dir.submission("all"), dir.submission("share"));
    for slide in dir.json("all/run.json")["slides"].as_array().unwrap() {
        let folder = slide["folder"].as_str().unwrap();
        assert!(dir.join(folder).join("slide.json").is_file(), "{folder}");
    }
}

#[test]
fn doubles_are_named_and_other_settings_are_not_joined() {
    let dir = Dir::with_slide();
    dir.two_organs("two.tif");
    dir.segment(["one.tif", "two.tif"], "a").ends_with(0);
    dir.segment(["two.tif"], "b").ends_with(0);
    let merge = |outs: &[&str], out: &str| dir.ftuseg("merge").args(outs).args(["--out", out]);
    merge(&["a", "b"], "alike")
        .ends_with(0)
        .says(&["2 of 2 slides are done", "duplicate, identical: two"]);
    assert_eq!(dir.submission("alike"), dir.submission("a"));

    // Another slide of the same name.
    fs::create_dir(dir.join("elsewhere")).unwrap();
    dir.slide("elsewhere/two.tif", (300, 200), Some(MPP), |x, y| {
        two_organs(x + 5, y, 1)
    });
    dir.segment(["elsewhere/two.tif"], "c").ends_with(0);
    merge(&["a", "c"], "different")
        .ends_with(1)
        .says(&["duplicate, DIFFERENT: two in a, c", "the first one is used"]);
    assert_eq!(dir.submission("different"), dir.submission("a"));

    // A slide that failed here and was done there is done.
    dir.write("d-in/two.tif", "no image");
    dir.segment(["d-in/two.tif"], "d").ends_with(1);
    for outs in [["d", "b"], ["b", "d"]] {
        merge(&outs, "mended").ends_with(0);
        assert_eq!(dir.submission("mended"), dir.submission("b"));
    }

    dir.segment(["one.tif"], "e")
        .args(["--route", "baseline"])
        .ends_with(0);
    merge(&["a", "e"], "mixed")
        .ends_with(2)
        .says(&["e:", "different settings", "a"]);
    assert!(!dir.join("mixed/run.json").exists());
    merge(&["a", "nowhere"], "none")
        .ends_with(2)
        .says(&["nowhere"]);
    merge(&["a", "b"], "a").ends_with(2).says(&["--out"]);
    merge(&["alike", "b"], "again")
        .ends_with(2)
        .says(&["joined"]);

    // A folder that was removed since is missing, whatever its report says.
    fs::remove_dir_all(dir.join("b/slides/two")).unwrap();
    merge(&["b"], "lost")
        .ends_with(1)
        .says(&["failed: two", "its folder is gone"]);
}

#[test]
fn a_shard_may_be_empty_and_senseless_ones_are_refused() {
    let dir = Dir::with_slide();
    let found: Vec<bool> = (1..=2)
        .map(|index| {
            let out = format!("shard{index}");
            dir.segment(["one.tif"], &out)
                .args(["--shard", &format!("{index}/2")])
                .ends_with(0);
            !dir.submission(&out).is_empty()
        })
        .collect();
    assert!(found[0] != found[1]);
    for wrong in ["0/2", "3/2", "1", "a/b"] {
        dir.segment(["one.tif"], "none")
            .args(["--shard", wrong])
            .ends_with(2)
            .says(&["--shard"]);
    }
}

#[cfg(unix)]
#[test]
fn the_slurm_example_does_a_batch() {
    let dir = seven();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../integrations/slurm");
    let bash = |script: &str, set: &[(&str, String)]| {
        let script = root.join(script);
        let syntax = Command::new("bash").arg("-n").arg(&script).status();
        assert!(syntax.unwrap().success());
        let mut command = Command::new("bash");
        command
            .arg(&script)
            .current_dir(dir.join(""))
            .env("FTUSEG", env!("CARGO_BIN_EXE_ftuseg"))
            .env("FTUSEG_OPTIONS", "--bundle bundle --backend rten --quiet")
            .env("OUT", "results")
            .env("SLIDES", "slides")
            .envs(set.iter().map(|(name, value)| (name, value)));
        command.output().unwrap()
    };
    // An array that Slurm counts from 5, as `sbatch --array=5-7` would.
    for task in 5..=7 {
        let output = bash(
            "segment.sbatch",
            &[
                ("SLURM_ARRAY_TASK_ID", task.to_string()),
                ("SLURM_ARRAY_TASK_MIN", "5".to_owned()),
                ("SLURM_ARRAY_TASK_COUNT", "3".to_owned()),
                ("SLURM_CPUS_PER_TASK", "2".to_owned()),
            ],
        );
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        let shard = task - 4;
        let run = dir.json(format!("results/shard-{shard}-of-3/run.json"));
        assert_eq!(run["shard"]["index"], shard);
        assert_eq!(run["runtime"]["threads"], 2);
    }
    let output = bash("merge.sbatch", &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(dir.submission("results/all").len(), COUNT - 1);
    assert_eq!(ids(&dir.json("results/all/run.json")).len(), COUNT);
    // Without its variables it says what is wanted.
    let output = bash("segment.sbatch", &[("SLIDES", String::new())]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("name the slides"));
}

#[test]
fn reports_that_cannot_be_true_are_not_joined() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "a").ends_with(0);
    let (run, table) = (dir.read("a/run.json"), dir.read("a/submission.csv"));
    let merge = || dir.ftuseg("merge").args(["a", "--out", "all"]);
    merge().ends_with(0);
    fs::remove_dir_all(dir.join("all")).unwrap();
    let untouched =
        || !dir.join("all/run.json").exists() && !dir.join("all/submission.csv").exists();

    type Forge = fn(&mut Value);
    let forgeries: [(Forge, &str); 6] = [
        (|slide| slide["objects"] = u64::MAX.into(), "objects"),
        (|slide| slide["objects"] = (1_u64 << 41).into(), "objects"),
        (|slide| slide["objects"] = (-1).into(), "expected u64"),
        (|slide| slide["id"] = "".into(), "id"),
        (|slide| slide["tiles"]["planned"] = u64::MAX.into(), "tiles"),
        (|slide| slide["seconds"] = (-1).into(), "seconds"),
    ];
    for (forge, word) in forgeries {
        let mut report: Value = serde_json::from_slice(&run).unwrap();
        forge(&mut report["slides"][0]);
        dir.write("a/run.json", report.to_string());
        merge().ends_with(2).says(&["a/run.json", word]);
        assert!(untouched(), "{word}");
    }
    // A folder is a name in the run's own, whatever path stands there.
    let mut report: Value = serde_json::from_slice(&run).unwrap();
    fs::create_dir(dir.join("elsewhere")).unwrap();
    report["slides"][0]["folder"] = "../../elsewhere".into();
    dir.write("a/run.json", report.to_string());
    merge().ends_with(1).says(&["one", "its folder is gone"]);
    assert!(dir.submission("all").is_empty());
    fs::remove_dir_all(dir.join("all")).unwrap();
    let mut report: Value = serde_json::from_slice(&run).unwrap();
    let twice = report["slides"][0].clone();
    report["slides"].as_array_mut().unwrap().push(twice);
    dir.write("a/run.json", report.to_string());
    merge().ends_with(2).says(&["a/run.json", "twice"]);
    dir.write("a/run.json", &run);

    for (rows, word) in [
        ("one,1 2 3", "damaged"),
        ("one,1 2 2 2", "damaged"),
        ("one,words", "damaged"),
        ("one,60000 2", "does not fit"),
        (",1 2", "empty"),
        ("one,1 2\none,1 2", "twice"),
    ] {
        dir.write("a/submission.csv", format!("id,rle\n{rows}\n"));
        merge().ends_with(2).says(&["a/submission.csv", word]);
        assert!(untouched(), "{rows}");
    }
    dir.write("a/submission.csv", &table);
    merge().ends_with(0);
    assert_eq!(dir.read("all/submission.csv"), table);
}
