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
    rendered_at(dir, browser, "", script, selector, &[])
}

/// The same with a link and with what the browser is told besides.
fn rendered_at(
    dir: &Dir,
    browser: &str,
    hash: &str,
    script: &str,
    selector: &str,
    how: &[&str],
) -> (String, String) {
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
    let page = taken(dir, browser, hash, &format!("{wait} {script}"), how);
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
        "Dice of exact.csv minus Dice of out",
        "are identical: the same masks on every image",
        "Reliability diagram",
        "Mean Dice by threshold",
        "Cost of routing errors in out",
        "Segmentations were compared with reference annotations of 2 images (1 kidney, 1 lung)",
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

/// What a script leaves as the page's title.
fn title(dir: &Dir, browser: &str, script: &str) -> String {
    let (document, log) = rendered(dir, browser, "", script);
    assert!(!log.contains("Uncaught"), "{log}");
    let title = document.split("<title>").nth(1).unwrap();
    title[..title.find('<').unwrap()].to_owned()
}

/// A report on 40 images of two organs, with a routed run, one with given organs and one of another tool.
fn forty() -> Dir {
    let dir = Dir::with_slide();
    let mut table = String::from("id,path,organ\n");
    for at in 0..40 {
        let organ = if at % 2 == 0 { "kidney" } else { "lung" };
        std::fs::copy(dir.join("one.tif"), dir.join(format!("core-{at}.tif"))).unwrap();
        table += &format!("core-{at},core-{at}.tif,{organ}\n");
    }
    dir.write("m.csv", table);
    for route in ["tile", "given"] {
        dir.segment(["m.csv"], route)
            .args(["--route", route, "--write", "all,prob"])
            .ends_with(0);
    }
    let mut truth = String::from("id,organ,img_width,img_height,pixel_size,rle\n");
    for (at, (id, rle)) in dir.submission("tile").iter().enumerate() {
        let organ = if id[5..].parse::<u32>().unwrap() % 2 == 0 {
            "kidney"
        } else {
            "lung"
        };
        let part: Vec<&str> = rle.split(' ').take(20 + 4 * at).collect();
        truth += &format!("{id},{organ},300,200,2.0,{}\n", part.join(" "));
    }
    dir.write("truth.csv", truth);
    dir.ftuseg("evaluate")
        .args([
            "--truth",
            "truth.csv",
            "--out",
            "report",
            "--pred",
            "tile",
            "given",
        ])
        .ends_with(0);
    dir
}

#[test]
fn forty_images_fit_on_paper_and_on_a_phone_without_overlaps() {
    let Some(browser) = chromium() else {
        println!("skipped: there is no Chromium on this machine");
        return;
    };
    let dir = forty();
    // No two texts of a figure lie over each other, and none leaves it.
    let overlaps = "document.querySelectorAll('details').forEach(d => d.open = true); const bad = []; let texts = 0; \
        for (const svg of document.querySelectorAll('svg.chart')) { \
        const own = svg.getBoundingClientRect(); \
        const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]); \
        texts += boxes.length; \
        boxes.forEach(([a, p], i) => { \
        if (p.left < own.left - 1 || p.right > own.right + 1 || p.bottom > own.bottom + 1) bad.push(a + ' leaves'); \
        boxes.slice(i + 1).forEach(([b, q]) => { \
        if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 2 && q.top < p.bottom - 2) bad.push(a + ' on ' + b); }); }); } \
        document.title = texts + ';' + bad.join(';');";
    let found = title(&dir, browser, overlaps);
    let (texts, bad) = found.split_once(';').unwrap();
    assert!(texts.parse::<u32>().unwrap() > 100, "{found}");
    assert_eq!(bad, "");
    // On a narrow screen the page keeps its width; wide tables scroll, and say so.
    let narrow = "document.title = [document.documentElement.scrollWidth - innerWidth, \
        [...document.querySelectorAll('.piece.wide .hint')].filter(h => h.offsetHeight > 0).length, \
        $('nearer').getBoundingClientRect().top === $('whole').getBoundingClientRect().top].join(';');";
    let when_wide = format!(
        "setInterval(() => {{ if (!document.querySelector('.piece.wide .hint') || $('told')) return; {narrow} \
         const told = document.createElement('i'); told.id = 'told'; document.body.append(told); }}, 50);"
    );
    let (document, log) = rendered_at(
        &dir,
        browser,
        "#image=core-1&run=tile",
        &when_wide,
        "#told",
        &["--window-size=500,900"],
    );
    assert!(!log.contains("Uncaught"), "{log}");
    let told = document.split("<title>").nth(1).unwrap();
    let told: Vec<&str> = told[..told.find('<').unwrap()].split(';').collect();
    assert!(told[0].parse::<i32>().unwrap() <= 0, "{told:?}");
    assert!(told[1].parse::<u32>().unwrap() > 0, "{told:?}");
    assert_eq!(told[2], "true", "the zoom buttons stand in one row");
    // On paper: pages before the gallery, which begins on one of its own.
    let pdf = dir.join("report.pdf");
    let pages = |path: &str| {
        Command::new(browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-pdf-header-footer",
                "--virtual-time-budget=5000",
            ])
            .arg(format!("--user-data-dir={}", dir.join("profile").display()))
            .arg(format!("--print-to-pdf={}", pdf.display()))
            .arg(format!("file://{}", dir.join(path).display()))
            .output()
            .unwrap();
        let bytes = std::fs::read(&pdf).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.matches("/Type /Page\n").count()
    };
    let whole = pages("report/report.html");
    dir.ftuseg("evaluate")
        .args([
            "--truth",
            "truth.csv",
            "--out",
            "report",
            "--no-pictures",
            "--pred",
            "tile",
            "given",
        ])
        .ends_with(0);
    // The gallery, which has nothing to show then, takes the last one.
    let report = pages("report/report.html") - 1;
    assert!((1..6).contains(&report), "{report} pages");
    assert!(whole > report, "{whole} pages");
}

#[test]
fn tables_and_figures_are_copied_and_saved_by_a_button() {
    let Some(browser) = chromium() else {
        println!("skipped: there is no Chromium on this machine");
        return;
    };
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "out").ends_with(0);
    let rle = dir.submission("out")[0].1.clone();
    dir.write(
        "truth.csv",
        format!("id,organ,img_width,img_height,pixel_size,rle\none,kidney,300,200,2.0,{rle}\n"),
    );
    dir.ftuseg("evaluate")
        .args(["--truth", "truth.csv", "--out", "report", "--pred", "out"])
        .ends_with(0);
    // What would go to the clipboard and to the disk is caught on its way there.
    let catch = "const got = []; document.execCommand = () => { got.push(document.activeElement.value); return true; }; \
        Object.defineProperty(navigator, 'clipboard', { value: { writeText: async () => { throw 1; } } }); \
        HTMLAnchorElement.prototype.click = function () { got.push(this.download + ' ' + this.href.slice(0, 5)); };";
    let press =
        |label: &str| format!("document.querySelector('button[aria-label^=\"{label}\"]').click();");
    let labels = [
        "Copy as Markdown: Mean Dice",
        "Copy as LaTeX: Mean Dice",
        "Copy as CSV: Mean Dice",
        "Copy: Methods",
        "Save as SVG: dice-per-image",
        "Save as PNG: dice-per-image",
    ];
    let script: String = labels.iter().map(|label| press(label)).collect();
    let got = title(
        &dir,
        browser,
        &format!("{catch} {script} setTimeout(() => document.title = JSON.stringify(got), 2000);"),
    );
    for part in [
        "| organ | out |",
        "begin{tabular}{lr}",
        "organ,out,out low,out high,out median,out n",
        "Segmentations were compared with reference annotations of 1 image (1 kidney)",
        "dice-per-image.svg blob:",
        "dice-per-image.png blob:",
    ] {
        assert!(got.contains(part), "{part}: {got}");
    }
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
