//! The figures of `ftuseg evaluate` are those of scikit-learn, SciPy and MedPy.

use ftuseg::mask::rle;
use ftuseg_evaluate::{Overlap, compare, hausdorff95};
use serde_json::Value;

#[test]
fn figures_are_those_of_independent_libraries() {
    let text = include_str!("../fixtures/evaluate/expected.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 20);
    for case in &cases {
        let size = |key: &str| u32::try_from(case[key].as_u64().unwrap()).unwrap();
        let (width, height) = (size("width"), size("height"));
        let mask = |key: &str| rle::decode(case[key].as_str().unwrap(), width, height).unwrap();
        let (found, truth) = (mask("found"), mask("truth"));
        let near = |what: &str, value: Option<f64>, expected: &Value| {
            let same = match (value, expected.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                (None, None) => true,
                _ => false,
            };
            assert!(
                same,
                "{}: {what} is {value:?}, not {expected}",
                case["name"]
            );
        };
        let pixels = Overlap::of(&found, &truth).unwrap().figures();
        near("Dice", Some(pixels.dice), &case["dice"]);
        near("IoU", Some(pixels.iou), &case["iou"]);
        near("precision", Some(pixels.precision), &case["precision"]);
        near("recall", Some(pixels.recall), &case["recall"]);
        near("hd95", hausdorff95(&found, &truth), &case["hd95"]);
        let objects = compare(&found, &truth);
        let expected = &case["objects"];
        assert_eq!(objects.found as u64, expected["found"].as_u64().unwrap());
        assert_eq!(objects.truth as u64, expected["truth"].as_u64().unwrap());
        assert_eq!(
            objects.matched as u64,
            expected["matched"].as_u64().unwrap(),
            "{}",
            case["name"]
        );
        near("F1", Some(objects.f1), &expected["f1"]);
        near(
            "matched Dice",
            objects.matched_dice,
            &expected["matched_dice"],
        );
    }
}
