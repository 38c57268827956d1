//! Refuses networks whose weights lie in files beside their own: nobody has checked those, and the runtimes look for them
//! in the folder that the program happens to be started in.
//!
//! The numbers of the fields are those of `onnx.proto`.

use std::ops::Range;

use super::BackendError;
use super::protobuf::{Broken, Field, fields, text};

/// How deep graphs may lie in graphs.
const DEPTH: usize = 64;

/// What a message is, as far as it can hold a tensor.
#[derive(Debug, Clone, Copy)]
enum FieldKind {
    Model,
    Training,
    Function,
    Graph,
    Node,
    Attribute,
    Sparse,
    Tensor,
}

impl FieldKind {
    /// The fields that can hold a tensor, however deep, and what they are.
    fn inside(self) -> &'static [(u64, FieldKind)] {
        match self {
            FieldKind::Model => &[
                (7, FieldKind::Graph),
                (20, FieldKind::Training),
                (25, FieldKind::Function),
            ],
            FieldKind::Training => &[(1, FieldKind::Graph), (2, FieldKind::Graph)],
            FieldKind::Function => &[(7, FieldKind::Node), (11, FieldKind::Attribute)],
            FieldKind::Graph => &[
                (1, FieldKind::Node),
                (5, FieldKind::Tensor),
                (15, FieldKind::Sparse),
            ],
            FieldKind::Node => &[(5, FieldKind::Attribute)],
            FieldKind::Attribute => &[
                (5, FieldKind::Tensor),
                (6, FieldKind::Graph),
                (10, FieldKind::Tensor),
                (11, FieldKind::Graph),
                (22, FieldKind::Sparse),
                (23, FieldKind::Sparse),
            ],
            FieldKind::Sparse => &[(1, FieldKind::Tensor), (2, FieldKind::Tensor)],
            FieldKind::Tensor => &[],
        }
    }
}

/// Checks that a network holds all of its weights itself.
///
/// # Errors
/// When a tensor lies in another file, or the file is broken.
pub(super) fn refuse(name: &str, backend: &'static str, onnx: &[u8]) -> Result<(), BackendError> {
    let fail = |reason: String| BackendError::Load {
        name: name.to_owned(),
        backend,
        reason,
    };
    match look(onnx, 0..onnx.len(), FieldKind::Model, 0) {
        Ok(None) => Ok(()),
        Ok(Some(tensor)) => Err(fail(format!(
            "its tensor {tensor:?} lies in another file (ONNX external data), which no sha256 covers; save the network as one file (onnx.save_model(..., save_as_external_data=False))"
        ))),
        Err(broken) => Err(fail(broken.to_string())),
    }
}

/// The name of the first tensor that lies elsewhere.
fn look(
    onnx: &[u8],
    message: Range<usize>,
    kind: FieldKind,
    depth: usize,
) -> Result<Option<String>, Broken> {
    if depth > DEPTH {
        return Err(Broken("its graphs lie too deep in each other"));
    }
    if matches!(kind, FieldKind::Tensor) {
        return tensor(onnx, &message);
    }
    for &(number, inside) in kind.inside() {
        for field in fields(onnx, message.clone(), number) {
            let Field::Message(part) = field? else {
                return Err(Broken("a number where a message should be"));
            };
            if let Some(found) = look(onnx, part, inside, depth + 1)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

fn tensor(onnx: &[u8], message: &Range<usize>) -> Result<Option<String>, Broken> {
    // `external_data` says where it lies, `data_location` that it lies there: 0 is the file itself.
    let states_place = fields(onnx, message.clone(), 13)
        .next()
        .transpose()?
        .is_some();
    let mut lies_elsewhere = false;
    for location in fields(onnx, message.clone(), 14) {
        lies_elsewhere |= match location? {
            Field::Number(place) => onnx[place].iter().any(|byte| byte & 0x7f != 0),
            Field::Message(_) => true,
        };
    }
    if !(states_place || lies_elsewhere) {
        return Ok(None);
    }
    let name = text(onnx, message, 8)?;
    Ok(Some(String::from_utf8_lossy(name).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::protobuf::put;
    use super::*;

    fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
        let mut all = Vec::new();
        for (number, content) in fields {
            // Numbers of fields above 15 take two bytes.
            if *number < 16 {
                put(&mut all, *number, content);
            } else {
                let mut field = Vec::new();
                put(&mut field, 15, content);
                let key = u16::from(*number) << 3 | 2;
                all.extend([(key & 0x7f) as u8 | 0x80, (key >> 7) as u8]);
                all.extend(&field[1..]);
            }
        }
        all
    }

    #[test]
    fn weights_in_other_files_are_refused_wherever_they_stand() {
        let place = message(&[(1, b"location"), (2, b"weights.bin")]);
        let told = message(&[(8, b"w"), (13, &place)]);
        let mut located = message(&[(8, b"w")]);
        located.extend([14 << 3, 1]);
        let mut inside = message(&[(8, b"w"), (9, b"0000")]);
        inside.extend([14 << 3, 0]);
        let models = |tensor: &[u8]| {
            let graph = message(&[(5, tensor)]);
            let node = |attribute: &[u8]| message(&[(1, &message(&[(5, attribute)]))]);
            let deep = node(&message(&[(6, &node(&message(&[(11, &graph)])))]));
            let sparse = message(&[(15, &message(&[(1, tensor)]))]);
            let function = message(&[(7, &message(&[(5, &message(&[(5, tensor)]))]))]);
            [
                message(&[(7, &graph)]),
                message(&[(7, &node(&message(&[(5, tensor)])))]),
                message(&[(7, &node(&message(&[(10, tensor)])))]),
                message(&[(7, &deep)]),
                message(&[(7, &sparse)]),
                message(&[(20, &message(&[(1, &graph)]))]),
                message(&[(25, &function)]),
            ]
        };
        for tensor in [&told, &located] {
            for model in models(tensor) {
                let error = refuse("x", "test", &model).unwrap_err().to_string();
                assert!(error.contains("external data"), "{error}");
            }
        }
        for model in models(&inside) {
            refuse("x", "test", &model).unwrap();
        }
        refuse("x", "test", include_bytes!("probe.onnx")).unwrap();
    }

    #[test]
    fn depth_has_an_end() {
        let mut graph = message(&[]);
        for _ in 0..200 {
            graph = message(&[(1, &message(&[(5, &message(&[(6, &graph)]))]))]);
        }
        assert!(refuse("x", "test", &message(&[(7, &graph)])).is_err());
    }
}
