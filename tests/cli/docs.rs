//! Every `ftuseg` line in README.md and docs/ works as it stands.

use std::path::Path;

use super::util::*;

/// Lines that are not run here, since they fetch much or need a device.
const ELSEWHERE: [&str; 2] = ["doctor --install", "--device openvino"];

/// The commands in a page's code blocks, without the comments behind them.
fn commands(page: &str) -> Vec<Vec<String>> {
    page.lines()
        .filter_map(|line| line.strip_prefix("    ftuseg "))
        .map(|line| line.split("  #").next().unwrap_or(line).trim())
        .filter(|line| !ELSEWHERE.iter().any(|part| line.contains(part)))
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

/// A folder with everything that the pages speak of.
fn prepared() -> Dir {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    let named = full_bundle().replace("name = \"tiny\"", "name = \"mine\"");
    dir.bundle("my_bundle", &named);
    let mut table = String::from("id,organ,img_height,img_width,pixel_size,rle\n");
    for (name, organ) in [("a", "kidney"), ("b", "prostate")] {
        for folder in ["slides", "my_slides", "train_images"] {
            std::fs::create_dir_all(dir.join(folder)).unwrap();
            dir.two_organs(&format!("{folder}/{name}.tiff"));
        }
        let (width, height) = size_of(&dir, &format!("slides/{name}.tiff"));
        table += &format!("{name},{organ},{height},{width},{MPP},1 5\n");
    }
    dir.write("train.csv", table);
    std::fs::copy(dir.join("slides/a.tiff"), dir.join("my_slide.tif")).unwrap();
    dir
}

/// Width and height of a TIFF.
fn size_of(dir: &Dir, name: &str) -> (u32, u32) {
    let file = std::fs::File::open(dir.join(name)).unwrap();
    tiff::decoder::Decoder::new(file)
        .unwrap()
        .dimensions()
        .unwrap()
}

#[test]
fn every_command_in_the_pages_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![root.join("README.md")];
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    pages.extend(
        docs.map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file()),
    );
    pages.sort();
    let mut count = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let dir = prepared();
        let commands = commands(&text);
        // Some pages begin with a run that is there.
        if commands.first().is_some_and(|first| first[0] == "evaluate") {
            dir.segment(["train.csv"], "results")
                .args(["--images", "train_images"])
                .ends_with(0);
        }
        for (index, command) in commands.into_iter().enumerate() {
            let mut args = command.clone();
            // A page shows one folder for several runs; here each has its own, unless a later line reads it.
            if args.iter().any(|arg| arg == "results") && command[0] == "segment" && index > 0 {
                args.push("--overwrite".to_owned());
            }
            let shown = format!("{}: ftuseg {}", page.display(), command.join(" "));
            println!("{shown}");
            let run = dir
                .ftuseg(&args[0])
                .args(&args[1..])
                .env("FTUSEG_BUNDLE", "bundle");
            run.ends_with(0);
            count += 1;
        }
    }
    assert!(count >= 10, "only {count} commands were found");
}

#[test]
fn every_link_in_the_pages_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![
        root.join("README.md"),
        root.join("ARCHITECTURE.md"),
        root.join("CONTRIBUTING.md"),
    ];
    pages.extend(
        std::fs::read_dir(root.join("docs"))
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    let mut count = 0;
    for page in pages.into_iter().filter(|page| page.is_file()) {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = page.parent().unwrap().join(target);
            assert!(path.exists(), "{}: {target}", page.display());
            count += 1;
        }
    }
    assert!(count >= 10, "only {count} links were found");
}
