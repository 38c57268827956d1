//! Whether a network holds a loop. Nobody knows how long one takes, so that nothing of such a network may be computed where
//! nobody can stop it.
//!
//! The numbers of the fields are those of `onnx.proto`.

use std::ops::Range;

use super::protobuf::{Broken, Field, fields, text};

/// How deep graphs may lie in graphs.
const DEPTH: usize = 64;

/// Whether there is a `Loop` in a network, however deep in the branches of others.
pub(super) fn has_loop(onnx: &[u8]) -> Result<bool, Broken> {
    any(onnx, 0..onnx.len(), 7, |graph| in_graph(onnx, graph, 0))
}

fn in_graph(onnx: &[u8], graph: Range<usize>, depth: usize) -> Result<bool, Broken> {
    if depth > DEPTH {
        return Err(Broken("its graphs lie too deep in each other"));
    }
    any(onnx, graph, 1, |node| {
        if text(onnx, &node, 4)? == b"Loop" {
            return Ok(true);
        }
        any(onnx, node, 5, |attribute| {
            let inside = |number| {
                any(onnx, attribute.clone(), number, |graph| {
                    in_graph(onnx, graph, depth + 1)
                })
            };
            Ok(inside(6)? || inside(11)?)
        })
    })
}

/// Whether something holds for one of the messages in a field.
fn any(
    onnx: &[u8],
    message: Range<usize>,
    number: u64,
    holds: impl Fn(Range<usize>) -> Result<bool, Broken>,
) -> Result<bool, Broken> {
    for field in fields(onnx, message, number) {
        let Field::Message(part) = field? else {
            return Err(Broken("a number where a message should be"));
        };
        if holds(part)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::super::protobuf::put;
    use super::*;

    fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
        let mut all = Vec::new();
        for (number, content) in fields {
            put(&mut all, *number, content);
        }
        all
    }

    #[test]
    fn a_loop_is_found_however_deep() {
        let graph = |operator: &[u8]| {
            message(&[
                (1, &message(&[(4, b"Relu")])),
                (1, &message(&[(4, operator)])),
            ])
        };
        let branch = |inner: &[u8], field: u8| {
            message(&[(1, &message(&[(4, b"If"), (5, &message(&[(field, inner)]))]))])
        };
        for (operator, found) in [(&b"Loop"[..], true), (b"Looped", false), (b"If", false)] {
            for graph in [
                graph(operator),
                branch(&graph(operator), 6),
                branch(&branch(&graph(operator), 11), 6),
            ] {
                let has = has_loop(&message(&[(7, &graph)])).unwrap();
                assert_eq!(has, found, "{operator:?}");
            }
        }
        assert!(!has_loop(include_bytes!("probe.onnx")).unwrap());
        let mut deep = graph(b"Loop");
        for _ in 0..200 {
            deep = branch(&deep, 6);
        }
        assert!(has_loop(&message(&[(7, &deep)])).is_err());
    }
}
