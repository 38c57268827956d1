//! `prob.tif` holds what the models said: known px, several organs in one slide, a pyramid of means, the same bytes
//! with any number of threads. Read by the `tiff` crate, not by the project's own code.

use super::util::*;

/// All levels of a file of a slide's folder.
fn levels_of(dir: &Dir, out: &str, file: &str) -> Vec<Level> {
    levels(&dir.join(out).join("slides").join(file))
}

/// A folder with a slide of two organs at four times the size, so that there are several levels.
fn with_big_slide() -> Dir {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("big.tif", (1201, 799), Some(MPP), |x, y| {
        two_organs(x, y, 4)
    });
    dir
}

#[test]
fn each_px_holds_what_its_own_organs_model_says() {
    let dir = with_big_slide();
    dir.segment(["big.tif"], "out")
        .args(["--write", "prob,all"])
        .ends_with(0);
    let levels = levels_of(&dir, "out", "big/prob.tif");
    let full = &levels[0];
    assert_eq!((full.width, full.height), (1201, 799));
    // Kidney's model answers red / 255, prostate's green / 255; a value is floor(256 p).
    let value = |shade: u8| (f32::from(shade) / 255.0 * 256.0) as u8;
    for y in 0..full.height {
        for x in 0..full.width {
            let expected = match two_organs(x as u32, y as u32, 4) {
                VOID => 0,
                KIDNEY | PROSTATE => value(110),
                PROSTATE_FTU => value(135),
                _ => value(220),
            };
            assert_eq!(full.at(x, y), expected, "px ({x}, {y})");
        }
    }
    // The record says which threshold made the mask, and the map says the same as the mask.
    let record = dir.json("out/slides/big/slide.json");
    let organs = record["organs"].as_array().unwrap();
    assert_eq!(organs.len(), 2);
    assert!(organs.iter().all(|organ| organ["threshold"] == 0.5));
    let mask = &levels_of(&dir, "out", "big/mask.tif")[0];
    let same = |(p, label): (&u8, &u8)| (*p >= 128) == (*label != 0);
    assert!(full.values.iter().zip(&mask.values).all(same));
}

#[test]
fn smaller_levels_are_means() {
    let dir = with_big_slide();
    dir.segment(["big.tif"], "out")
        .args(["--write", "prob"])
        .ends_with(0);
    assert!(!dir.join("out/slides/big/mask.tif").exists());
    let levels = levels_of(&dir, "out", "big/prob.tif");
    let sizes: Vec<_> = levels.iter().map(|l| (l.width, l.height)).collect();
    assert_eq!(sizes, [(1201, 799), (601, 400), (301, 200), (151, 100)]);
    for pair in levels.windows(2) {
        for y in 0..pair[1].height {
            for x in 0..pair[1].width {
                let of: Vec<f64> = [(0, 0), (1, 0), (0, 1), (1, 1)]
                    .map(|(dx, dy)| (2 * x + dx, 2 * y + dy))
                    .into_iter()
                    .filter(|&(x, y)| x < pair[0].width && y < pair[0].height)
                    .map(|(x, y)| f64::from(pair[0].at(x, y)))
                    .collect();
                let mean = of.iter().sum::<f64>() / of.len() as f64;
                let off = f64::from(pair[1].at(x, y)) - mean;
                assert!(off.abs() <= 1.0, "px ({x}, {y}) is off by {off}");
            }
        }
    }
}

#[test]
fn threads_change_no_byte_and_views_and_blends_agree_with_the_mask() {
    let dir = Dir::with_slide();
    dir.slide("fine.tif", (700, 450), Some(0.9), |x, y| {
        two_organs(x, y, 2)
    });
    for options in [
        &["--blend", "crop"][..],
        &["--blend", "gaussian", "--overlap", "20"],
        &["--tta", "scales"],
    ] {
        for threads in ["1", "4"] {
            dir.segment(["fine.tif"], threads)
                .args(["--write", "all,prob", "--overwrite", "--threads", threads])
                .args(options)
                .ends_with(0);
        }
        let bytes = |out: &str| dir.read(format!("{out}/slides/fine/prob.tif"));
        assert!(bytes("1") == bytes("4"), "{options:?}");
        let prob = &levels_of(&dir, "1", "fine/prob.tif")[0];
        let mask = &levels_of(&dir, "1", "fine/mask.tif")[0];
        assert_eq!((prob.width, prob.height), (700, 450));
        let same = |(p, label): (&u8, &u8)| (*p >= 128) == (*label != 0);
        assert!(
            prob.values.iter().zip(&mask.values).all(same),
            "{options:?}"
        );
    }
}

#[test]
fn they_are_written_only_when_asked_for_and_a_rerun_keeps_them() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "all").ends_with(0);
    assert!(!dir.join("all/slides/one/prob.tif").exists());
    let command = || {
        dir.segment(["one.tif"], "prob")
            .args(["--write", "all,prob"])
    };
    command().ends_with(0);
    let before = dir.snapshot("prob/slides");
    command().ends_with(0).says(&["1 already done"]);
    assert_eq!(before, dir.snapshot("prob/slides"));
    // A slide whose map is gone is done again.
    std::fs::remove_file(dir.join("prob/slides/one/prob.tif")).unwrap();
    command().ends_with(0).says(&["1 done"]);
    assert!(dir.join("prob/slides/one/prob.tif").exists());
    // Where nothing is tissue there is a map all the same, and it is empty.
    dir.slide("white.tif", (300, 200), Some(MPP), |_, _| [255; 3]);
    dir.segment(["white.tif"], "white")
        .args(["--write", "prob"])
        .ends_with(0);
    let empty = &levels_of(&dir, "white", "white/prob.tif")[0];
    assert!(empty.values.iter().all(|&value| value == 0));
}
