//! How elements lie in the coordinate systems of a store: `global`, in full-size px, and `um`.

use serde_json::{Value, json};

/// Which way an element's axes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axes {
    /// As arrays have them.
    Yx,
    /// As points have them.
    Xy,
}

impl Axes {
    fn names(self) -> [&'static str; 2] {
        match self {
            Axes::Yx => ["y", "x"],
            Axes::Xy => ["x", "y"],
        }
    }

    /// The names as a list.
    pub(super) fn list(self) -> Value {
        json!(self.names())
    }
}

/// The transformations of an element whose px are `mpp` um from left to right and from top to bottom.
pub(super) fn transformations(axes: Axes, mpp: Option<(f64, f64)>) -> Value {
    let system = |name: &str| {
        let axes = axes.names();
        let axes = axes.map(|axis| json!({ "name": axis, "type": "space", "unit": "unit" }));
        json!({ "name": name, "axes": axes })
    };
    let input = system(&axes.names().concat());
    let mut all = vec![json!({
        "type": "identity",
        "input": input,
        "output": system("global"),
    })];
    if let Some((across, down)) = mpp {
        all.push(json!({
            "type": "scale",
            "scale": match axes {
                Axes::Yx => [down, across],
                Axes::Xy => [across, down],
            },
            "input": input,
            "output": system("um"),
        }));
    }
    Value::Array(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_axis_has_its_own_scale() {
        let of = |axes| transformations(axes, Some((0.5, 0.502)))[1]["scale"].clone();
        assert_eq!(of(Axes::Yx), json!([0.502, 0.5]));
        assert_eq!(of(Axes::Xy), json!([0.5, 0.502]));
        let all = transformations(Axes::Xy, None);
        assert_eq!(all.as_array().map(Vec::len), Some(1));
        assert_eq!(all[0]["input"]["name"], "xy");
    }
}
