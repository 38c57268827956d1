//! Numbers, organs and units as the report shows them to people.

use ftuseg_router::Organ;

/// What stands where there is no value.
pub(super) const NOTHING: &str = "–";
/// The mean that counts each organ once.
pub(super) const MEAN_OF_ORGANS: &str = "mean of the organs' means";
/// The mean that counts each image once.
pub(super) const MEAN_OF_IMAGES: &str = "mean of all images";

/// A number with so many decimals.
pub(super) fn number(value: Option<f64>, places: usize) -> String {
    value.map_or(NOTHING.to_owned(), |value| {
        unsigned_zero(value, places).replace('-', "\u{2212}")
    })
}

/// A number with its sign, but 0 without.
pub(super) fn signed(value: Option<f64>, places: usize) -> String {
    let text = number(value, places);
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    match value {
        Some(value) if value > 0.0 && !is_zero => format!("+{text}"),
        _ => text,
    }
}

/// A number for programs: no sign but `-`, no `-0`.
pub(super) fn unsigned_zero(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

/// A fraction in percent.
pub(super) fn percent(value: f64) -> String {
    format!("{:.1} %", 100.0 * value)
}

/// As many of something as there are: `1 image`, `2 images`.
pub(super) fn count(n: usize, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

/// Names in a row: `a`, `a and b`, `a, b and c`.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// An organ's name, for people.
pub(super) fn organ(organ: Option<&str>) -> String {
    match organ {
        None => "organ unknown".to_owned(),
        Some(name) => name
            .parse()
            .map_or(name, |organ: Organ| organ.label())
            .to_owned(),
    }
}

/// A text with its units as they are printed: µm, mm².
pub(super) fn units(text: &str) -> String {
    let units = |word: &str| match word.trim_end_matches([',', '.']) {
        "um" => word.replace("um", "µm"),
        "um2" => word.replace("um2", "µm²"),
        "mm2" => word.replace("mm2", "mm²"),
        "um/px" => word.replace("um", "µm"),
        _ => word.to_owned(),
    };
    text.split(' ').map(units).collect::<Vec<_>>().join(" ")
}

/// A name that fits into a figure's legend.
pub(super) fn clipped(name: &str, most: usize) -> String {
    match name.char_indices().nth(most) {
        None => name.to_owned(),
        Some(_) => {
            let start: String = name.chars().take(most.saturating_sub(1)).collect();
            format!("{start}…")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_sign_and_zero_has_none() {
        assert_eq!(signed(Some(0.1234), 3), "+0.123");
        assert_eq!(signed(Some(-0.1234), 3), "\u{2212}0.123");
        for zero in [0.0, -0.0, 0.0001, -0.0001] {
            assert_eq!(signed(Some(zero), 3), "0.000");
            assert_eq!(number(Some(zero), 3), "0.000");
        }
        assert_eq!(number(None, 3), NOTHING);
    }

    #[test]
    fn words_agree_with_their_numbers() {
        assert_eq!(count(1, "image"), "1 image");
        assert_eq!(count(0, "image"), "0 images");
        let names = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&names), "a, b and c");
        assert_eq!(list(&names[..2]), "a and b");
        assert_eq!(organ(Some("largeintestine")), "large intestine");
        assert_eq!(units("95 % Hausdorff, um"), "95 % Hausdorff, µm");
        assert_eq!(units("found area, mm2"), "found area, mm²");
        assert_eq!(units("number"), "number");
        assert_eq!(
            (clipped("abcdef", 4), clipped("abcd", 4)),
            ("abc…".to_owned(), "abcd".to_owned())
        );
    }
}
