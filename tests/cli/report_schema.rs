//! `report.json` is what `schemas/report.schema.json` says.

use jsonschema::Validator;
use serde_json::Value;

/// The schema, ready to check with.
fn schema() -> Validator {
    let text = include_str!("../../schemas/report.schema.json");
    let schema: Value = serde_json::from_str(text).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// Checks a report, and panics with all that is wrong with it.
pub fn check(report: &Value) {
    let wrong: Vec<String> = schema()
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether a report keeps to the schema.
pub fn keeps(report: &Value) -> bool {
    schema().is_valid(report)
}
