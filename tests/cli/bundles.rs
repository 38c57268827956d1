//! Bundles that are installed for the user: from folders and archives, by name, several side by side; hostile archives.
//! And images that a bundle says its networks were trained on.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::util::*;
use ftuseg::bundle::Look;

/// A folder with a slide, a bundle, and its own place for installed bundles.
struct Home(Dir);

impl Home {
    fn new() -> Self {
        Home(Dir::with_slide())
    }

    /// The command, run where no bundle lies.
    fn ftuseg(&self, subcommand: &str) -> TestCommand {
        fs::create_dir_all(self.0.join("elsewhere")).unwrap();
        self.0.ftuseg(subcommand).within("elsewhere")
    }

    fn install(&self, source: &str) -> TestCommand {
        self.ftuseg("models").args(["install", source])
    }

    /// Folders among the installed bundles, temporary ones too.
    fn folders(&self) -> Vec<String> {
        let bundles = self.0.join("data/bundles");
        let Ok(entries) = fs::read_dir(bundles) else {
            return Vec::new();
        };
        let name = |e: Result<fs::DirEntry, _>| e.unwrap().file_name().into_string().unwrap();
        let mut all: Vec<String> = entries.map(name).collect();
        all.sort();
        all
    }

    /// Another version of the bundle in the folder `name`.
    fn version(&self, name: &str, version: &str) {
        let manifest = String::from_utf8(self.0.read("bundle/bundle.toml")).unwrap();
        let line = manifest.lines().find(|l| l.starts_with("version")).unwrap();
        self.0.bundle(name, &full_bundle());
        let other = manifest.replace(line, &format!("version = \"{version}\""));
        self.0.write(&format!("{name}/bundle.toml"), other);
    }
}

fn files_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read(path).unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

fn zip_of(path: &Path, files: &[(String, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // Written as it is: the crate's own function refuses what a hostile archive holds.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn an_installed_bundle_is_found_from_anywhere() {
    let home = Home::new();
    home.install("../bundle")
        .ends_with(0)
        .prints(&["installed"]);
    let folders = home.folders();
    assert_eq!(folders.len(), 1, "{folders:?}");
    home.ftuseg("models")
        .args(["list"])
        .ends_with(0)
        .prints(&[&folders[0]]);
    home.ftuseg("segment")
        .args(["../one.tif", "--out", "../out"])
        .ends_with(0);
    // Once more changes nothing; the bundle's own folder may go.
    home.install("../bundle").ends_with(0);
    fs::remove_dir_all(home.0.join("bundle")).unwrap();
    home.ftuseg("models").args(["verify"]).ends_with(0);
    assert_eq!(home.folders(), folders);
}

#[test]
fn several_versions_stand_side_by_side_and_the_newest_is_used() {
    let home = Home::new();
    for version in ["0.9.0", "0.10.0"] {
        home.version("next", version);
        home.install("../next").ends_with(0);
    }
    let names = home.folders();
    let (newest, older) = (names[0].clone(), names[1].clone());
    assert!(
        newest.ends_with("-0.10.0") && older.ends_with("-0.9.0"),
        "{names:?}"
    );
    let used = |args: &[&str]| home.ftuseg("models").args(["list"]).args(args).ends_with(0);
    used(&[]).prints(&[&newest]);
    used(&["--bundle", newest.trim_end_matches("-0.10.0")]).prints(&[&newest]);
    used(&["--bundle", &older]).prints(&[&older]);
    home.ftuseg("models")
        .args(["installed"])
        .ends_with(0)
        .prints(&[&newest, &older, "used where none is named"]);
    home.ftuseg("models")
        .args(["list", "--bundle", "unheard-of"])
        .ends_with(2)
        .says(&["unheard-of", &newest, &older]);
}

#[test]
fn archives_are_unpacked_wherever_the_bundle_lies_in_them() {
    let home = Home::new();
    let files = files_of(&home.0.join("bundle"));
    let below = |folder: &str| -> Vec<(String, Vec<u8>)> {
        let mut all = vec![("README.md".to_owned(), b"a repository".to_vec())];
        all.extend(
            files
                .iter()
                .map(|(name, bytes)| (format!("{folder}{name}"), bytes.clone())),
        );
        all
    };
    zip_of(&home.0.join("flat.zip"), &below(""));
    zip_of(&home.0.join("deep.zip"), &below("project/models/bundle/"));
    home.0.write(
        "deep.tar.gz",
        gzip(&tar_of(&below("project/models/bundle/"))),
    );
    home.0.write("deep.tar", tar_of(&below("./bundle/")));
    for archive in ["flat.zip", "deep.zip", "deep.tar.gz", "deep.tar"] {
        let _ = fs::remove_dir_all(home.0.join("data"));
        home.install(&format!("../{archive}")).ends_with(0);
        let folder = home.0.join("data/bundles").join(&home.folders()[0]);
        let found: Vec<_> = files_of(&folder)
            .into_iter()
            .filter(|(name, _)| name != "README.md")
            .collect();
        assert!(found == files, "{archive}");
    }
}

#[test]
fn what_is_no_good_bundle_is_refused_and_leaves_nothing() {
    let home = Home::new();
    let files = files_of(&home.0.join("bundle"));
    let with = |extra: (&str, &[u8])| {
        let mut all = files.clone();
        all.push((extra.0.to_owned(), extra.1.to_vec()));
        all
    };
    home.0
        .write("escape.tar", tar_of(&with(("../../escaped.txt", b"x"))));
    zip_of(&home.0.join("escape.zip"), &with(("../escaped.txt", b"x")));
    for archive in ["escape.tar", "escape.zip"] {
        // What lies elsewhere is no file of the bundle.
        home.install(&format!("../{archive}")).ends_with(0);
        assert!(!home.0.join("data/escaped.txt").exists() && !home.0.join("escaped.txt").exists());
        fs::remove_dir_all(home.0.join("data")).unwrap();
    }
    let mut damaged = files.clone();
    let model = damaged
        .iter_mut()
        .find(|(name, _)| name == "green.onnx")
        .unwrap();
    model.1[0] ^= 1;
    zip_of(&home.0.join("damaged.zip"), &damaged);
    zip_of(&home.0.join("two.zip"), &with(("other/bundle.toml", b"")));
    zip_of(
        &home.0.join("none.zip"),
        &files[1..]
            .iter()
            .filter(|(n, _)| n != "bundle.toml")
            .cloned()
            .collect::<Vec<_>>(),
    );
    let tar = gzip(&tar_of(&files));
    home.0.write("half.tar.gz", &tar[..tar.len() / 2]);
    home.0.write("words.txt", "no archive");
    fs::create_dir(home.0.join("empty")).unwrap();
    home.version("odd", "../../1");
    for (source, words) in [
        ("damaged.zip", &["green.onnx", "sha256"][..]),
        ("two.zip", &["several bundles"]),
        ("none.zip", &["no bundle.toml"]),
        ("half.tar.gz", &["half.tar.gz"]),
        ("words.txt", &["words.txt", "archive"]),
        ("empty", &["empty", "bundle.toml"]),
        ("odd", &["letters"]),
        ("missing.zip", &["missing.zip"]),
    ] {
        home.install(&format!("../{source}"))
            .ends_with(2)
            .says(words);
        assert_eq!(home.folders(), [""; 0], "{source}");
    }
}

#[test]
fn another_bundle_of_the_same_name_does_not_take_its_place() {
    let home = Home::new();
    home.install("../bundle").ends_with(0);
    let text = String::from_utf8(home.0.read("bundle/bundle.toml")).unwrap();
    home.0.bundle("changed", &full_bundle());
    home.0
        .write("changed/bundle.toml", format!("{text}\n# another one\n"));
    home.install("../changed")
        .ends_with(2)
        .says(&["another bundle", "remove"]);
    home.ftuseg("models").args(["verify"]).ends_with(0);
}

#[test]
fn where_there_is_no_bundle_it_says_where_one_comes_from() {
    let home = Home::new();
    let outcome = home
        .ftuseg("models")
        .args(["list", "--bundle", "../nowhere"]);
    outcome
        .ends_with(2)
        .says(&["nowhere", "ftuseg models install"]);
}

#[test]
fn images_of_the_networks_training_are_recognised_and_said() {
    let dir = Dir::new();
    // Soft shapes: what is known again is brightness, so a flat picture would be known by nothing.
    let shade =
        |x: f64, y: f64| [(128.0 + 60.0 * ((9.0 * x).sin() + (7.0 * y + 4.0 * x).cos())) as u8; 3];
    let mirrored = |x: f64, y: f64| shade(1.0 - x, y);
    let other = |x: f64, y: f64| shade(1.7 * x, 0.4 + y);
    let slide =
        |name: &str, (width, height): (u32, u32), of: &(dyn Fn(f64, f64) -> [u8; 3] + Sync)| {
            dir.slide(name, (width, height), Some(MPP), |x, y| {
                of(
                    f64::from(x) / f64::from(width),
                    f64::from(y) / f64::from(height),
                )
            });
        };
    slide("seen.tif", (300, 200), &shade);
    slide("larger.tif", (700, 470), &mirrored);
    slide("new.tif", (300, 200), &other);
    let rgb: Vec<u8> = (0..200_u32)
        .flat_map(|y| (0..300_u32).map(move |x| (x, y)))
        .flat_map(|(x, y)| shade(f64::from(x) / 300.0, f64::from(y) / 200.0))
        .collect();
    let look = Look::of(&rgb, 300, 200).unwrap().to_hex();
    let table = format!("image,look\ncores 17,{look}\n");
    let line = format!(
        "training_images = {{ file = \"seen.csv\", sha256 = \"{}\" }}\n",
        sha256(table.as_bytes())
    );
    dir.bundle("bundle", &(line + &full_bundle()));
    dir.write("bundle/seen.csv", &table);
    dir.segment(["seen.tif", "larger.tif", "new.tif"], "out")
        .ends_with(0);
    for (id, seen) in [("seen", true), ("larger", true), ("new", false)] {
        let record = dir.json(format!("out/slides/{id}/slide.json"));
        let named = record.get("training_image").and_then(|name| name.as_str());
        assert_eq!(named, seen.then_some("cores 17"), "{id}");
        let warnings = record["warnings"].as_array().unwrap();
        let told = warnings.iter().any(|w| w["kind"] == "training-image");
        assert_eq!(told, seen, "{id}: {warnings:?}");
    }
    // A table that is not what the manifest states is no table.
    dir.write("bundle/seen.csv", table + "\n");
    dir.segment(["new.tif"], "other")
        .ends_with(2)
        .says(&["seen.csv", "sha256"]);
}
