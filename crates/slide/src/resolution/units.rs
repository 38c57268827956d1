//! Units of length and numbers as programs and people write them.

/// um of a unit of length; none where it is another word. The names are those of OME-XML, ImageJ and people.
pub(crate) fn micrometres(unit: &str) -> Option<f64> {
    let unit = unit.trim();
    // Case tells units apart: nM is none of length, and Mm is not mm.
    Some(match unit {
        "nm" => 1e-3,
        "mm" => 1e3,
        "cm" => 1e4,
        "m" => 1e6,
        "in" => 25_400.0,
        _ if is_micrometre(unit) => 1.0,
        word => match word.to_lowercase().trim_end_matches('s') {
            "nanometer" | "nanometre" => 1e-3,
            "millimeter" | "millimetre" => 1e3,
            "centimeter" | "centimetre" => 1e4,
            "meter" | "metre" => 1e6,
            "inch" | "inche" => 25_400.0,
            _ => return None,
        },
    })
}

/// um of a unit of length of OME-Zarr's list, or as people write it.
#[cfg(feature = "zarr")]
pub(crate) fn ngff_micrometres(unit: &str) -> Option<f64> {
    let prefix = |exponent: i32| 10_f64.powi(exponent + 6);
    Some(match unit.to_lowercase().as_str() {
        "yoctometer" => prefix(-24),
        "zeptometer" => prefix(-21),
        "attometer" => prefix(-18),
        "femtometer" => prefix(-15),
        "picometer" => prefix(-12),
        "angstrom" => prefix(-10),
        "decimeter" => prefix(-1),
        "hectometer" => prefix(2),
        "kilometer" => prefix(3),
        "megameter" => prefix(6),
        "gigameter" => prefix(9),
        "terameter" => prefix(12),
        "petameter" => prefix(15),
        "exameter" => prefix(18),
        "zettameter" => prefix(21),
        "yottameter" => prefix(24),
        "foot" => 304_800.0,
        "yard" => 914_400.0,
        "mile" => 1_609_344_000.0,
        "parsec" => 3.085_677_581_491_367e22,
        _ => return micrometres(unit),
    })
}

/// A number as people write it, with a point or a comma before its decimals.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.matches([',', '.']).count() {
        0 | 1 => text.replace(',', ".").parse().ok(),
        _ => None,
    }
}

/// Whether a unit is the micrometre. Micro is the only prefix that is not ASCII, so whatever a wrong encoding made of the
/// sign still means it.
fn is_micrometre(unit: &str) -> bool {
    let lower = unit.to_lowercase();
    if ["micron", "micrometer", "micrometre"].contains(&lower.trim_end_matches('s')) {
        return true;
    }
    let Some(prefix) = unit.strip_suffix('m') else {
        return false;
    };
    let escapes = [
        "u",
        "\\u00b5",
        "\\u03bc",
        "\\xb5",
        "\\xc2\\xb5",
        "\\265",
        "&#181;",
        "&#xb5;",
        "&#956;",
        "&#x3bc;",
        "&micro;",
        "&mu;",
    ];
    let broken = |c: char| c == '?' || !c.is_ascii();
    escapes.contains(&prefix.to_lowercase().as_str())
        || !prefix.is_empty() && prefix.chars().count() <= 8 && prefix.chars().all(broken)
}

/// Two numbers for people, to four places, or one where they are the same.
pub(super) fn pair(x: f64, y: f64, unit: &str) -> String {
    let [x, y] = [x, y].map(|value| (value * 1e4).round() / 1e4);
    if x == y {
        format!("{x} {unit}")
    } else {
        format!("{x} x {y} {unit}")
    }
}
