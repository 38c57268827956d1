//! What files state of their um/px, and what comes of it.

use super::*;

fn believed(stated: impl IntoIterator<Item = Stated>) -> Option<f64> {
    choose(stated).resolution.map(|resolution| resolution.mpp)
}

#[test]
fn tiff_tags_know_their_units() {
    let mpp = |x, y, unit| believed([Stated::tiff_tags(x, y, unit)]);
    assert_eq!(mpp(25_000.0, 25_000.0, 3), Some(0.4));
    assert_eq!(mpp(50_800.0, 50_800.0, 2), Some(0.5));
    assert_eq!(mpp(25_000.0, 25_000.0, 1), None);
    assert_eq!(mpp(72.0, 72.0, 2), None);
    assert_eq!(mpp(300.0, 300.0, 2), None);
    assert_eq!(mpp(1.0, 1.0, 3), None);
    assert_eq!(mpp(0.0, 25_000.0, 3), None);
    assert_eq!(mpp(f64::NAN, 25_000.0, 3), None);
    assert_eq!(mpp(25_000.0, 50_000.0, 3), None);
}

#[test]
fn ome_sizes_know_their_units() {
    let mpp = |x, y| believed([Stated::ome(x, y)]);
    assert_eq!(mpp((0.5, None), (0.5, None)), Some(0.5));
    assert_eq!(mpp((0.5, Some("\u{3bc}m")), (500.0, Some("nm"))), Some(0.5));
    assert_eq!(
        mpp((0.25, Some("\u{b5}m")), (0.25, Some("\u{b5}m"))),
        Some(0.25)
    );
    assert_eq!(mpp((0.5, Some("mm")), (0.5, Some("mm"))), None);
    assert_eq!(mpp((1.0, Some("pixel")), (1.0, Some("pixel"))), None);
    assert_eq!(mpp((0.5, None), (0.25, None)), None);
    assert_eq!(mpp((0.0, None), (0.0, None)), None);
    assert_eq!(mpp((f64::NAN, None), (0.5, None)), None);
}

#[test]
fn aperio_descriptions_give_their_mpp() {
    let text = "Aperio Image Library v11.2.1\r\n46000x32914 (240x240) JPEG/RGB Q=30|AppMag = 20|MPP = 0.4990|Left = 25.6";
    assert_eq!(
        believed(Stated::aperio(text, (46_000, 32_914))),
        Some(0.499)
    );
    assert_eq!(believed(Stated::aperio("Aperio|MPP = 0", (9, 9))), None);
    assert_eq!(believed(Stated::aperio("Aperio|MPP = none", (9, 9))), None);
    assert_eq!(Stated::aperio("Aperio|AppMag = 20", (9, 9)), None);
}

#[test]
fn what_is_not_used_says_why() {
    let reasons = |stated: Vec<Stated>| -> Vec<String> {
        let ignored = choose(stated).ignored.into_iter();
        ignored
            .map(|i| format!("{}: {}: {}", i.source, i.stated, i.reason))
            .collect()
    };
    let tags = |dpi| Stated::tiff_tags(dpi, dpi, 2);
    let ome = |mpp| Stated::ome((mpp, None), (mpp, None));
    assert_eq!(
        reasons(vec![tags(72.0)]),
        [
            "TIFF resolution tags: 72 px per inch: it is a default for screens or printers, not a calibration"
        ]
    );
    assert_eq!(
        reasons(vec![tags(1.0)]),
        [
            "TIFF resolution tags: 1 px per inch: it is a default of programs that know no resolution"
        ]
    );
    assert_eq!(
        reasons(vec![ome(0.25), tags(50_800.0)]),
        ["TIFF resolution tags: 50800 px per inch: the OME-XML takes precedence"]
    );
    // The same again is no news.
    assert_eq!(reasons(vec![ome(0.5), tags(50_800.0)]), [""; 0]);
    assert_eq!(
        reasons(vec![Stated::mpp(ResolutionSource::OpenSlide, 0.5, 0.25)]),
        ["OpenSlide properties: 0.5 x 0.25 um/px: its px are not square"]
    );
}

#[test]
fn decimals_may_follow_a_comma() {
    let mpp = |text| believed(Stated::aperio(text, (9, 9)));
    assert_eq!(mpp("Aperio|MPP = 0,500000"), Some(0.5));
    assert_eq!(mpp("Aperio|MPP = 1,000.5"), None);
    assert_eq!(decimal(" 0,25 "), Some(0.25));
    assert_eq!(decimal("0.2,5"), None);
}

#[test]
fn the_micro_sign_may_be_broken() {
    for unit in [
        "um",
        "\u{b5}m",
        "\u{3bc}m",
        "\u{fffd}m",
        "?m",
        "\u{c2}\u{b5}m",
        "\u{ce}\u{bc}m",
        "\\u00B5m",
        "\\u03bcm",
        "&#181;m",
        "micron",
        "Micrometers",
        "\u{c3}\u{201a}\u{c2}\u{b5}m",
    ] {
        let size = (0.5, Some(unit));
        assert_eq!(believed([Stated::ome(size, size)]), Some(0.5), "{unit}");
    }
    for unit in ["pm", "km", "pixel", "reference frame", "", "\u{b5}", "dam"] {
        let size = (0.5, Some(unit));
        assert_eq!(believed([Stated::ome(size, size)]), None, "{unit}");
    }
}

#[test]
fn a_description_of_another_picture_does_not_count() {
    let reduced = "Aperio v11\r\n400x300 [0,0 400x300] (64x64) -> 100x75 - |MPP = 0.4990";
    let plain = "Aperio v11\r\n400x300 [0,0 400x300] (64x64) JPEG|MPP = 0.5";
    let tags = |mpp: f64| Stated::tiff_tags(10_000.0 / mpp, 10_000.0 / mpp, 3);
    let chosen = choose(Stated::aperio(reduced, (100, 75)));
    assert!((chosen.resolution.unwrap().mpp - 1.996).abs() < 1e-9);
    assert_eq!(chosen.warnings.len(), 1);
    assert!(
        chosen.warnings[0].text.contains("400 x 300 px"),
        "{chosen:?}"
    );
    // Both sizes, and neither is the file's.
    assert_eq!(believed(Stated::aperio(reduced, (50, 37))), None);
    // The tags still say what they said of the larger picture.
    let chosen = choose(
        Stated::aperio(plain, (100, 75))
            .into_iter()
            .chain([tags(0.5)]),
    );
    assert_eq!((chosen.resolution, chosen.ignored.len()), (None, 2));
    assert_eq!(chosen.warnings.len(), 2);
    let stated = Stated::aperio(plain, (100, 75)).into_iter();
    assert_eq!(believed(stated.chain([tags(2.0)])), None);
    // A part of the scan, as large as it says.
    let part = "Aperio v11\r\n46000x32914 [42673,5576 2220x2967] (240x240) JPEG|MPP = 0.499";
    assert_eq!(believed(Stated::aperio(part, (2220, 2967))), Some(0.499));
    let made_from = "Aperio v12\r\n460x329 [19,10 16x16] (64x64) JPEG;Aperio v10\r\n469x330 (25x25) -> 16x12|MPP = 0.499";
    assert_eq!(believed(Stated::aperio(made_from, (16, 16))), Some(0.499));
    let ome = |size| Stated::ome((0.5, None), (0.5, None)).of_size(Some((40, 30)), size);
    assert_eq!(believed([ome((40, 30))]), Some(0.5));
    assert_eq!(believed([ome((20, 15))]), None);
}

#[test]
fn px_that_are_nearly_square_keep_both_sides_and_others_are_refused() {
    let tags = |x: f64, y: f64| choose([Stated::tiff_tags(10_000.0 / x, 10_000.0 / y, 3)]);
    let kept = tags(0.5, 0.504).resolution.unwrap();
    assert!((kept.mpp - 0.5).abs() < 1e-9 && (kept.down - 0.504).abs() < 1e-9);
    assert!((kept.area(100) - 25.2).abs() < 1e-6);
    let text = tags(0.5, 0.509).refused.unwrap();
    assert!(text.contains("0.5") && text.contains("0.509"), "{text}");
    // Px of 72 x 36 dpi are nobody's, so nobody is refused for them.
    assert_eq!(choose([Stated::tiff_tags(72.0, 36.0, 2)]).refused, None);
    assert!(
        choose([Stated::mpp(ResolutionSource::OpenSlide, 0.5, 0.25)])
            .refused
            .is_some()
    );
}

#[test]
fn what_contradicts_is_told() {
    let tags = |dpi| Stated::tiff_tags(dpi, dpi, 2);
    let ome = |mpp| Stated::ome((mpp, None), (mpp, None));
    assert_eq!(choose([ome(0.25), tags(50_800.0)]).warnings.len(), 1);
    assert_eq!(choose([ome(0.5), tags(50_800.0)]).warnings, []);
    assert_eq!(choose([ome(0.5), tags(72.0)]).warnings, []);
    assert_eq!(
        choose([Stated::ome((0.5, Some("pixel")), (0.5, None))])
            .warnings
            .len(),
        1
    );
}

#[test]
fn imagej_names_the_unit_of_its_tags() {
    let imagej = |lines: &str, x: f64, y: f64| {
        let description = format!("ImageJ=1.54f\nimages=1\n{lines}\nmin=0.0\n");
        Stated::imagej(&description, x, y)
    };
    for (unit, px) in [
        ("\\u00B5m", 2.0),
        ("\\u00b5m", 2.0),
        ("\u{b5}m", 2.0),
        ("\u{fffd}m", 2.0),
        ("\\xb5m", 2.0),
        ("um", 2.0),
        ("micron", 2.0),
        ("Microns", 2.0),
        ("nm", 0.002),
        ("mm", 2000.0),
        ("cm", 20_000.0),
        ("inch", 50_800.0),
        ("inches", 50_800.0),
    ] {
        let stated = imagej(&format!("unit={unit}"), px, px);
        let mpp = believed(stated).unwrap_or(0.0);
        assert!((mpp - 0.5).abs() < 1e-9, "{unit}: {mpp}");
    }
    for unit in ["pixel", "", "sec", "Mm", "nM"] {
        assert_eq!(imagej(&format!("unit={unit}"), 2.0, 2.0), None, "{unit}");
    }
    assert_eq!(imagej("loop=false", 2.0, 2.0), None);
    assert_eq!(Stated::imagej("unit=um", 2.0, 2.0), None);
    let both = imagej("unit=um\nyunit=nm", 2.0, 0.002);
    assert!((believed(both).unwrap() - 0.5).abs() < 1e-9);
    // A writer that means the tags' own centimetres.
    let chosen = [
        imagej("unit=um", 20_000.0, 20_000.0).unwrap(),
        Stated::tiff_tags(20_000.0, 20_000.0, 3),
    ];
    assert_eq!(believed(chosen), Some(0.5));
}
