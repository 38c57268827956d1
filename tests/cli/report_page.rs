//! `report.html` in a real browser: it loads without an error, and its filters and switches do what they say.
//!
//! Skipped, with a message, where there is no Chromium.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use super::util::*;

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
    // virtual time: timers go off at once
    taken(dir, browser, hash, script, &["--virtual-time-budget=5000"])
}

/// The document of the page with `script` in it, and the log, from a browser that is told `how` to wait.
fn taken(dir: &Dir, browser: &str, hash: &str, script: &str, how: &[&str]) -> (String, String) {
    let page = String::from_utf8(dir.read("report/report.html")).unwrap();
    // the page itself asks nobody for anything; a test may ask this machine
    assert!(page.contains("img-src data:;"));
    let page = page.replace("img-src data:;", "img-src data: http://127.0.0.1:*;");
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
        .args(how)
        .arg("--dump-dom")
        .arg(format!("file://{}{hash}", dir.join("page.html").display()))
        .output()
        .unwrap();
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// The document and the log as from [`rendered`], but not before the page itself has put `selector` into it.
///
/// A page hears what is near it when it is shown for the first time, and virtual time may be over before that, on a busy
/// machine. So here the time is real, and the document is taken when all that the page asked for has arrived: one
/// request is left without an answer until `selector` is found (or a minute is over).
fn rendered_with(dir: &Dir, browser: &str, script: &str, selector: &str) -> (String, String) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let address = format!("http://{}", server.local_addr().unwrap());
    let wait = format!(
        "new Image().src = '{address}/wait'; \
         const found = (_, self) => {{ if (!document.querySelector('{selector}')) return; \
         self.disconnect(); new Image().src = '{address}/found'; }}; \
         new MutationObserver(found).observe(document.body, {{ childList: true, subtree: true }});"
    );
    let end = Instant::now() + Duration::from_secs(60);
    let waiting = std::thread::spawn(move || {
        // what is kept here stays open; dropping it ends the wait
        let mut open = Vec::new();
        while Instant::now() < end {
            let Ok((stream, _)) = server.accept() else {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            };
            stream.set_nonblocking(false).unwrap();
            let patience = Some(Duration::from_secs(2));
            stream.set_read_timeout(patience).unwrap();
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            // a browser may open a connection ahead of time and say nothing
            let said = stream.read_line(&mut line).is_ok();
            if said && line.contains("/found") {
                return;
            }
            open.push(stream);
        }
    });
    let page = taken(dir, browser, "", &format!("{wait} {script}"), &[]);
    waiting.join().unwrap();
    page
}

#[test]
fn the_page_works_in_a_browser() {
    let Some(browser) = chromium() else {
        println!("skipped: there is no Chromium on this machine");
        return;
    };
    let dir = Dir::with_slide();
    dir.two_organs("two.tif");
    let manifest = "id,path,organ\none,one.tif,kidney\ntwo,two.tif,lung\n";
    dir.write("m.csv", manifest);
    let run = |out: &str, route: &str| {
        dir.segment(["m.csv"], out)
            .args(["--route", route, "--write", "all,prob"])
            .ends_with(0);
    };
    run("out", "tile");
    run("given", "given");
    let rows = dir.submission("out");
    let half = rows[1].1.split(' ').take(40).collect::<Vec<_>>().join(" ");
    dir.write(
        "truth.csv",
        format!(
            "id,organ,img_width,img_height,pixel_size,rle\none,kidney,300,200,2.0,{}\ntwo,lung,300,200,2.0,{half}\n",
            rows[0].1
        ),
    );
    std::fs::copy(dir.join("out/submission.csv"), dir.join("out.csv")).unwrap();
    std::fs::copy(dir.join("truth.csv"), dir.join("exact.csv")).unwrap();
    dir.ftuseg("evaluate")
        .args(["--truth", "truth.csv", "--out", "report"])
        .args(["--pred", "out", "out.csv", "exact.csv", "given"])
        .ends_with(0);

    let cards = |document: &str| document.matches("class=\"card\"").count();
    let scroll = "$('cards').scrollIntoView();";
    let (_, log) = rendered(&dir, browser, "", scroll);
    for word in ["Uncaught", "SyntaxError", "Refused to", "CONSOLE:ERROR"] {
        assert!(!log.contains(word), "{word} in the console:\n{log}");
    }
    let (plain, _) = rendered_with(&dir, browser, scroll, ".truth");
    assert_eq!(cards(&plain), 2, "{log}");
    for part in [
        "mean of the organs' means",
        "2 of 2 images",
        "data:image/jpeg;base64,",
        "out.csv minus out",
        "Reliability diagram",
        "Mean Dice by threshold",
        "Cost of routing errors: given (true organs given) minus out",
    ] {
        assert!(plain.contains(part), "{part:?} is missing");
    }
    // The worst comes first, and is not the exact one.
    let first = plain.find("data-id=\"two\"").unwrap();
    assert!(first < plain.find("data-id=\"one\"").unwrap());

    let change = |id: &str, value: &str| {
        format!("$('{id}').value = '{value}'; $('{id}').dispatchEvent(new Event('input'));")
    };
    for (id, value, left) in [
        ("organ", "lung", "two"),
        ("most", "0.99", "two"),
        ("least", "0.99", "one"),
        ("search", "ON", "one"),
    ] {
        let (filtered, _) = rendered(&dir, browser, "", &change(id, value));
        assert_eq!(cards(&filtered), 1, "{id}");
        assert!(filtered.contains(&format!("data-id=\"{left}\"")), "{id}");
        assert!(filtered.contains("1 of 2 images"), "{id}");
    }
    let (by_id, _) = rendered(&dir, browser, "", &change("order", "id"));
    assert!(by_id.find("data-id=\"one\"") < by_id.find("data-id=\"two\""));
    // The exact run has no image under 0.99.
    let (exact, _) = rendered(
        &dir,
        browser,
        "",
        &(change("run", "2") + &change("most", "0.99")),
    );
    assert_eq!(cards(&exact), 0);
    // One switch of an outline turns all of its kind.
    let (hidden, _) = rendered(&dir, browser, "", "$('show-truth').click();");
    assert!(hidden.contains("<body class=\"no-truth\">"));

    // A link with an image and a run opens at it, and keys come nearer, switch outlines and go on.
    let dialog = |document: &str| document[document.find("<dialog").unwrap()..].to_owned();
    let press = |key: &str| {
        format!("$('big').dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}' }}));")
    };
    let (opened, log) = rendered(&dir, browser, "#image=two&run=out.csv", &press("+"));
    assert!(!log.contains("Uncaught"), "{log}");
    let big = dialog(&opened);
    assert!(big[..120].contains("open"), "{}", &big[..120]);
    assert!(big.contains("two, lung: Dice") && big.contains("objects found "));
    assert!(big.contains("href=\"#image=two&amp;run=out.csv\""));
    let view = &big[big.find("viewBox=\"").unwrap()..];
    assert!(!view.starts_with("viewBox=\"0 0 "), "{}", &view[..60]);
    let keys = press("+") + &press("0") + &press("f") + &press("n");
    let (moved, _) = rendered(&dir, browser, "#image=two&run=out", &keys);
    assert!(moved.contains("<body class=\"no-found\">"));
    let big = dialog(&moved);
    assert!(big.contains("one, kidney: Dice"), "N goes to the next");
    assert!(big[big.find("viewBox=\"").unwrap()..].starts_with("viewBox=\"0 0 "));
    // The wheel comes nearer, a drag moves, two fingers come nearer too, and a button shows all again.
    let at_view = "const area = $('view').getBoundingClientRect(), \
        mid = [area.x + area.width / 2, area.y + area.height / 2]; \
        const sent = []; const note = () => sent.push($('view').querySelector('svg').getAttribute('viewBox')); note();";
    let wheel = "$('view').dispatchEvent(new WheelEvent('wheel', { deltaY: -100, clientX: mid[0], clientY: mid[1], \
        cancelable: true })); note();";
    let pointer = |kind: &str, id: u32, dx: i32| {
        format!(
            "$('view').dispatchEvent(new PointerEvent('pointer{kind}', {{ pointerId: {id}, \
             clientX: mid[0] + {dx}, clientY: mid[1] }}));"
        )
    };
    let drag = pointer("down", 1, 0) + &pointer("move", 1, -20) + &pointer("up", 1, -20);
    let after_up = pointer("move", 1, 40);
    let pinch = pointer("down", 1, -10)
        + &pointer("down", 2, 10)
        + &pointer("move", 2, 30)
        + &pointer("up", 1, -10)
        + &pointer("up", 2, 30);
    let whole = "$('whole').click(); note();";
    let script = format!(
        "{at_view} {wheel} {drag} note(); {after_up} note(); {pinch} note(); {whole} document.title = sent.join(';');"
    );
    let (moved, log) = rendered(&dir, browser, "#image=two&run=out", &script);
    assert!(!log.contains("Uncaught"), "{log}");
    let title = moved.split("<title>").nth(1).unwrap();
    let boxes: Vec<Vec<f64>> = title[..title.find('<').unwrap()]
        .split(';')
        .map(|text| text.split(' ').map(|n| n.parse().unwrap()).collect())
        .collect();
    let [start, wheeled, dragged, let_go, pinched, all] = &boxes[..] else {
        panic!("{boxes:?}");
    };
    assert!((wheeled[2] / start[2] - 0.8).abs() < 0.01, "{boxes:?}");
    assert!(wheeled[0] > start[0], "it comes nearer to the pointer");
    assert!(
        dragged[0] > wheeled[0] && dragged[2] == wheeled[2],
        "{boxes:?}"
    );
    assert_eq!(let_go, dragged, "nothing moves once the button is up");
    assert!(pinched[2] < dragged[2], "{boxes:?}");
    assert_eq!(all, start);
    // A dot of a plot opens its image.
    let (dotted, _) = rendered(
        &dir,
        browser,
        "",
        "document.querySelector('circle.dot').dispatchEvent(new MouseEvent('click', { bubbles: true }));",
    );
    assert!(dialog(&dotted)[..120].contains("open"));
    // A link that names no image opens nothing, and breaks nothing.
    let (nothing, log) = rendered(&dir, browser, "#image=%3Cb%3E&run=x", "");
    assert!(!dialog(&nothing)[..60].contains("open") && !log.contains("Uncaught"));
}

#[test]
fn hundreds_of_images_open_with_only_the_near_ones_drawn_and_print_whole() {
    let Some(browser) = chromium() else {
        println!("skipped: there is no Chromium on this machine");
        return;
    };
    let dir = Dir::new();
    let rows: String = (0..300)
        .map(|i| format!("image {i},lung,90,60,0.4,{} 50\n", 100 + i))
        .collect();
    dir.write(
        "truth.csv",
        format!("id,organ,img_width,img_height,pixel_size,rle\n{rows}"),
    );
    dir.ftuseg("evaluate")
        .args(["--truth", "truth.csv", "--out", "report"])
        .args(["--pred", "truth.csv"])
        .ends_with(0);
    let scroll = "$('cards').scrollIntoView();";
    let (document, log) = rendered_with(&dir, browser, scroll, ".truth");
    assert!(!log.contains("Uncaught"), "{log}");
    let drawn = |document: &str| document.matches("class=\"truth\"").count();
    assert_eq!(document.matches("class=\"card\"").count(), 300);
    assert!((1..300).contains(&drawn(&document)), "{}", drawn(&document));
    let print = "dispatchEvent(new Event('beforeprint'));";
    assert_eq!(drawn(&rendered(&dir, browser, "", print).0), 300);
}
