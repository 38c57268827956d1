//! Users' files with known answers, where they are at hand.

use super::*;

/// A file of the field cases, if they are here.
fn field(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/field_cases")
        .join(name);
    if !path.is_file() {
        println!("skipped: no {name} here");
        return None;
    }
    Some(path)
}

#[test]
fn um_per_px_of_field_cases() {
    let micro = [
        "double-utf8",
        "entity",
        "escaped",
        "latin1",
        "question",
        "utf8",
    ]
    .map(|name| (format!("06-micro-sign/{name}.ome.tif"), Some(0.5)));
    let others = [
        ("01-decimal-comma/export.svs", Some(0.5)),
        ("07-stale-mpp/source.svs", Some(0.5)),
        ("07-stale-mpp/thumb.tif", Some(1.996)),
        ("07-stale-mpp/vips-quarter.tif", None),
    ]
    .map(|(name, mpp)| (name.to_owned(), mpp));
    for (name, expected) in micro.into_iter().chain(others) {
        let Some(path) = field(&name) else { continue };
        let slide = TiffReader::open(&path).unwrap();
        let mpp = slide.info().resolution.map(|r| (r.mpp * 1e6).round() / 1e6);
        assert_eq!(mpp, expected, "{name}");
    }
    if let Some(path) = field("18-anisotropic/a.tif") {
        let error = TiffReader::open(&path).err().unwrap().to_string();
        assert!(
            error.contains("0.500") && error.contains("0.509"),
            "{error}"
        );
    }
}

#[test]
fn px_of_field_cases() {
    let ftu = |name: &str, channel: usize, doubt: Option<WarningKind>| {
        let path = field(name)?;
        let slide = TiffReader::open(&path).unwrap();
        assert_eq!(kinds(&slide).first().copied(), doubt, "{name}");
        Some(
            whole(&slide, 0)
                .chunks_exact(3)
                .filter(|px| px[channel] >= 128)
                .count(),
        )
    };
    let samples = ftu("08-12-bit/camera.tif", 1, Some(WarningKind::Samples));
    let alpha = ftu("09-alpha-zero/rgba.tif", 0, Some(WarningKind::AlphaIgnored));
    for found in [samples, alpha].into_iter().flatten() {
        assert_eq!(found, 10_577);
    }
    for name in ["02-empty-tiles/edge.svs", "02-empty-tiles/sparse.tif"] {
        ftu(name, 0, Some(WarningKind::MissingTiles));
    }
    if let Some(path) = field("13-one-strip/roi-deflate.tif") {
        let slide = TiffReader::open(&path).unwrap();
        let mut rgb = [0; 3];
        slide.read(0, 2100, 1100, 1, 1, &mut rgb).unwrap();
        assert_eq!(rgb, [210, 40, 60]);
    }
}
