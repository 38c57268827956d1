//! `ftuseg evaluate --figures`: every figure and table of the page as files.

use super::evaluate::with_run;
use super::util::*;

fn evaluate(dir: &Dir, pred: &[&str]) -> TestCommand {
    dir.ftuseg("evaluate")
        .args([
            "--truth",
            "truth.csv",
            "--out",
            "r",
            "--no-pictures",
            "--figures",
            "f",
            "--pred",
        ])
        .args(pred)
}

fn names(dir: &Dir, ending: &str) -> Vec<String> {
    let files = std::fs::read_dir(dir.join("f")).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(ending)?.to_owned()))
        .collect();
    names.sort();
    names
}

#[test]
fn figures_are_svg_png_and_pdf_and_tables_are_csv_markdown_and_latex() {
    let dir = with_run();
    dir.segment(["one.tif", "two.tif"], "base")
        .args(["--route", "baseline", "--write", "mask,prob"])
        .ends_with(0);
    evaluate(&dir, &["out", "base"])
        .ends_with(0)
        .says(&["files with figures and tables in f"]);
    let svg = names(&dir, ".svg");
    let expected = [
        "area-1",
        "area-2",
        "density-1",
        "density-2",
        "dice-by-object-size",
        "dice-per-image",
        "objects-1",
        "objects-2",
        "reliability-1",
        "thresholds-2",
    ];
    assert_eq!(svg, expected);
    assert_eq!(names(&dir, ".png"), expected);
    assert_eq!(names(&dir, ".pdf"), expected);
    for name in expected {
        let text = String::from_utf8(dir.read(format!("f/{name}.svg"))).unwrap();
        assert!(
            text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"")
                && text.ends_with("</svg>\n")
        );
        // Nothing of it is elsewhere.
        assert_eq!(text.matches("http").count(), 1, "{name}");
        let picture = image::open(dir.join(format!("f/{name}.png")))
            .unwrap()
            .into_rgb8();
        assert!(picture.width() > 900, "{name}");
        let white = picture.pixels().filter(|px| px.0 == [255; 3]).count();
        let all = (picture.width() * picture.height()) as usize;
        assert!(
            white * 2 > all && white < all - 2000,
            "{name}: {white} of {all}"
        );
    }
    let tables = names(&dir, ".csv");
    for name in [
        "dice",
        "objects-1-agreement",
        "density-2-agreement",
        "panoptic-1",
    ] {
        assert!(tables.contains(&name.to_owned()), "{name}");
    }
    // Each table by itself, and all of them one after another.
    let with_all: Vec<String> = {
        let mut names = [tables.clone(), vec!["tables".to_owned()]].concat();
        names.sort();
        names
    };
    for ending in ["md", "tex"] {
        assert_eq!(names(&dir, &format!(".{ending}")), with_all);
        let all = String::from_utf8(dir.read(format!("f/tables.{ending}"))).unwrap();
        for name in &tables {
            let one = String::from_utf8(dir.read(format!("f/{name}.{ending}"))).unwrap();
            assert!(all.contains(&one), "{name}");
        }
    }
    let pdf = dir.read("f/area-1.pdf");
    assert!(pdf.starts_with(b"%PDF-"));
    let mut table = csv::Reader::from_path(dir.join("f/dice.csv")).unwrap();
    let head = table.headers().unwrap().clone();
    assert_eq!(
        head.iter().take(6).collect::<Vec<_>>(),
        ["organ", "out", "out low", "out high", "out median", "out n"]
    );
    let last = table.records().last().unwrap().unwrap();
    let mean = &dir.json("r/report.json")["runs"][0]["mean_of_images"]["dice"];
    assert_eq!(last[0], *"mean of all images");
    assert_eq!(last[1], format!("{:.6}", mean["mean"].as_f64().unwrap()));
    assert_eq!(last[5], mean["n"].to_string());
    let latex = String::from_utf8(dir.read("f/dice.tex")).unwrap();
    assert!(latex.contains("\\begin{tabular}{lrr}") && latex.contains("mean of all images &"));
}

#[test]
fn figures_of_an_earlier_report_go_and_other_files_stay() {
    let dir = with_run();
    evaluate(&dir, &["out", "out/submission.csv"]).ends_with(0);
    dir.write("f/my-figure.svg", "mine");
    dir.write("f/dice.txt", "mine");
    assert!(dir.join("f/area-2.svg").is_file());
    let first = dir.read("f/area-1.png");
    evaluate(&dir, &["out"]).ends_with(0);
    assert!(!dir.join("f/area-2.svg").exists() && dir.join("f/my-figure.svg").is_file());
    assert!(dir.join("f/dice.txt").is_file());
    assert!(
        dir.read("f/area-1.png") == first,
        "the same figure is the same bytes"
    );
    // Whole or not at all: a folder in a figure's place leaves all as it was.
    std::fs::remove_file(dir.join("f/dice.csv")).unwrap();
    std::fs::create_dir(dir.join("f/dice.csv")).unwrap();
    let before = dir.read("r/report.json");
    evaluate(&dir, &["out", "out/submission.csv"])
        .ends_with(2)
        .says(&["dice.csv"]);
    assert!(dir.read("r/report.json") == before && !dir.join("f/area-2.svg").exists());
    dir.write("file", "");
    evaluate(&dir, &["out"])
        .args(["--figures", "file"])
        .ends_with(2);
}
