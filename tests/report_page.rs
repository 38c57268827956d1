//! `report.html` in a real browser: it loads without an error, and its filters and switches do what they say.
//!
//! Skipped, with a message, where there is no Chromium.

#![cfg(feature = "rten")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod util;

use std::process::Command;

use util::*;

/// A Chromium of this machine.
fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let works = |name: &&str| {
        Command::new(name)
            .arg("--version")
            .output()
            .is_ok_and(|o| o.status.success())
    };
    names.into_iter().find(works)
}

/// The page's document after its scripts and `script` have run, and what the browser logged.
fn rendered(dir: &Dir, browser: &str, hash: &str, script: &str) -> (String, String) {
    let page = String::from_utf8(dir.read("report/report.html")).unwrap();
    let page = page.replace("</body>", &format!("<script>{script}</script></body>"));
    dir.write("page.html", page);
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--v=0",
        ])
        .arg(format!("--user-data-dir={}", dir.join("profile").display()))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}{hash}", dir.join("page.html").display()))
        .output()
        .unwrap();
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn the_page_works_in_a_browser() {
    let Some(browser) = chromium() else {
        println!("skipped: there is no Chromium on this machine");
        return;
    };
    let dir = Dir::with_slide();
    dir.two_organs("two.tif");
    dir.segment(["one.tif", "two.tif"], "out").ends_with(0);
    let rows = dir.submission("out");
    let half = rows[1].1.split(' ').take(40).collect::<Vec<_>>().join(" ");
    dir.write(
        "truth.csv",
        format!(
            "id,organ,img_width,img_height,pixel_size,rle\none,kidney,300,200,2.0,{}\ntwo,lung,300,200,2.0,{half}\n",
            rows[0].1
        ),
    );
    dir.ftuseg("evaluate")
        .args([
            "--truth",
            "truth.csv",
            "--out",
            "report",
            "--pred",
            "out",
            "out/submission.csv",
        ])
        .ends_with(0);

    let cards = |document: &str| document.matches("class=\"card\"").count();
    let (plain, log) = rendered(&dir, browser, "", "");
    for word in ["Uncaught", "SyntaxError", "Refused to", "CONSOLE:ERROR"] {
        assert!(!log.contains(word), "{word} in the console:\n{log}");
    }
    assert_eq!(cards(&plain), 2, "{log}");
    for part in [
        "mean of the organs' means",
        "2 of 2 images",
        "<svg viewBox",
        "less out, image by image",
    ] {
        assert!(plain.contains(part), "{part:?} is missing");
    }
    // The worst comes first, and is not the exact one.
    let first = plain.find("data-id=\"two\"").unwrap();
    assert!(first < plain.find("data-id=\"one\"").unwrap());

    let change = |id: &str, value: &str| {
        format!("$('{id}').value = '{value}'; $('{id}').dispatchEvent(new Event('input'));")
    };
    let (lung, _) = rendered(&dir, browser, "", &change("organ", "lung"));
    assert_eq!(cards(&lung), 1);
    assert!(lung.contains("data-id=\"two\"") && lung.contains("1 of 2 images"));
    let (bad, _) = rendered(&dir, browser, "", &change("most", "0.99"));
    assert_eq!(cards(&bad), 1);
    let (by_id, _) = rendered(&dir, browser, "", &change("order", "id"));
    assert!(by_id.find("data-id=\"one\"") < by_id.find("data-id=\"two\""));
    let (hidden, _) = rendered(&dir, browser, "", "$('show-truth').click();");
    assert!(hidden.contains("<body class=\"no-truth\">"));

    // A link with an id opens at that image, and the keys come nearer.
    let press = "$('big').dispatchEvent(new KeyboardEvent('keydown', { key: '+' }));";
    let (opened, _) = rendered(&dir, browser, "#two", press);
    let dialog = &opened[opened.find("<dialog").unwrap()..];
    assert!(
        dialog.starts_with("<dialog id=\"big\"") && dialog[..120].contains("open"),
        "{}",
        &dialog[..120]
    );
    assert!(dialog.contains("two, lung: Dice"));
    let view = &dialog[dialog.find("viewBox=\"").unwrap()..];
    assert!(!view.starts_with("viewBox=\"0 0 "), "{}", &view[..60]);
}
