//! The one place that names what may differ between two runs that found the same.

use serde_json::Value;

/// What of a `slide.json` may differ: how long it took. A `*` stands for every entry of a list.
pub const OF_SLIDE: [&str; 2] = ["/seconds", "/timings"];

/// What of a `run.json` may differ beside that: how long it took, and which run did which slide.
pub const OF_RUN: [&str; 8] = [
    "/totals/seconds",
    "/totals/done",
    "/totals/skipped",
    "/totals/done_again",
    "/slides/*/seconds",
    "/slides/*/status",
    "/slides/*/reason",
    "/slides/*/done_again",
];

/// Takes out of a record what the pointers name.
pub fn strip(record: &mut Value, pointers: &[&str]) {
    for pointer in pointers {
        strip_one(record, pointer);
    }
}

fn strip_one(value: &mut Value, pointer: &str) {
    let Some(rest) = pointer.strip_prefix('/') else {
        return;
    };
    let (key, rest) = match rest.find('/') {
        Some(slash) => (&rest[..slash], Some(&rest[slash..])),
        None => (rest, None),
    };
    match (value, rest) {
        (Value::Array(items), Some(rest)) if key == "*" => {
            for item in items {
                strip_one(item, rest);
            }
        }
        (Value::Object(fields), None) => {
            fields.remove(key);
        }
        (Value::Object(fields), Some(rest)) => {
            if let Some(field) = fields.get_mut(key) {
                strip_one(field, rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_named_goes() {
        let mut run = json!({
            "totals": { "seconds": 1, "slides": 2 },
            "slides": [{ "id": "a", "status": "done", "seconds": 3 }, { "id": "b" }],
        });
        strip(&mut run, &OF_RUN);
        assert_eq!(
            run,
            json!({ "totals": { "slides": 2 }, "slides": [{ "id": "a" }, { "id": "b" }] })
        );
        let mut slide = json!({ "seconds": 1, "timings": { "load": 2 }, "width": 3 });
        strip(&mut slide, &OF_SLIDE);
        assert_eq!(slide, json!({ "width": 3 }));
    }
}
