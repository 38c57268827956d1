//! Changes what a network computes in and what it answers, in the bytes of its ONNX file.
//!
//! Only two changes are ever made, so no library for graphs is needed: numbers are changed in place, and nodes are added
//! by what protobuf promises of joined messages (fields that repeat are put behind each other, and messages in them are
//! merged; <https://protobuf.dev/programming-guides/encoding/#last-one-wins>). The numbers of the fields are those of
//! `onnx.proto` (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>).

use std::ops::Range;

use super::protobuf::{Broken, Field, fields, put, text};

/// What is added to an ONNX file's name for a Cast that decides what the network computes in: to fp32 as it stands in
/// the file, to fp16 where it is changed. The package in `models/` writes them when it exports.
const HALF: &[u8] = b"half:";

/// The name of the output that [`with_byte_answers`] adds.
pub(super) const BYTES: &str = "ftuseg.bytes";

/// The byte that says: this answer is no probability.
pub(super) const NO_PROBABILITY: u8 = 255;

/// Steps of a probability; also the byte of 1. With 240, multiples of 0.05 are borders between steps, and most thresholds
/// are such: what lies on one side of them does so as a byte, too.
const ONE: f32 = 240.0;

/// How far beyond 0 and 1 an answer may lie by rounding.
const ROUNDING: f32 = 0.001;

// `TensorProto.DataType`
const FLOAT: u8 = 1;
const UINT8: u8 = 2;
const FLOAT16: u8 = 10;

/// The probability that a byte of [`BYTES`] stands for: the middle of its step. NaN for [`NO_PROBABILITY`].
pub(super) fn probability(byte: u8) -> f32 {
    match byte {
        NO_PROBABILITY => f32::NAN,
        byte => ((f32::from(byte) + 0.5) / ONE).min(1.0),
    }
}

/// The same network in fp16: every Cast whose name begins with `half:` now gives fp16. `None` where there is none.
pub(super) fn to_fp16(onnx: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
    let mut changed = onnx.to_vec();
    let mut found = false;
    for node in fields(onnx, graph(onnx)?, 1) {
        let Field::Message(node) = node? else {
            return Err(Broken("a node is no message"));
        };
        if !text(onnx, &node, 3)?.starts_with(HALF) || text(onnx, &node, 4)? != b"Cast" {
            continue;
        }
        for attribute in fields(onnx, node, 5) {
            let Field::Message(attribute) = attribute? else {
                return Err(Broken("an attribute is no message"));
            };
            if text(onnx, &attribute, 1)? != b"to" {
                continue;
            }
            for value in fields(onnx, attribute, 3) {
                match value? {
                    // One byte each, so the file keeps its length.
                    Field::Number(place) if onnx[place.clone()] == [FLOAT] => {
                        changed[place.start] = FLOAT16;
                        found = true;
                    }
                    _ => return Err(Broken("a Cast `half:...` does not give fp32")),
                }
            }
        }
    }
    Ok(found.then_some(changed))
}

/// The same network with one more output, [`BYTES`]: the probabilities of its first output, a quarter as large on their
/// way from a GPU, as `floor(240 p)`. What is no probability, NaN say, becomes [`NO_PROBABILITY`].
pub(super) fn with_byte_answers(onnx: &[u8]) -> Result<Vec<u8>, Broken> {
    let first = fields(onnx, graph(onnx)?, 12)
        .next()
        .ok_or(Broken("it has no output"))??;
    let Field::Message(first) = first else {
        return Err(Broken("an output is no message"));
    };
    let answer = text(onnx, &first, 1)?;
    let own = |name: &str| format!("{BYTES}.{name}").into_bytes();
    let mut added = Vec::new();
    for (name, value) in [
        ("low", -ROUNDING),
        ("high", 1.0 + ROUNDING),
        ("zero", 0.0),
        ("one", 1.0),
        ("most", ONE),
        ("none", f32::from(NO_PROBABILITY)),
    ] {
        let mut tensor = vec![2 << 3, FLOAT];
        put(&mut tensor, 8, &own(name));
        put(&mut tensor, 9, &value.to_le_bytes());
        put(&mut added, 5, &tensor);
    }
    let answer = answer.to_vec();
    let name = |name: &str| own(name);
    // A comparison with NaN is false, so NaN is not sane.
    for (operator, inputs, output) in [
        ("Greater", vec![answer.clone(), name("low")], name("above")),
        ("Less", vec![answer.clone(), name("high")], name("below")),
        ("And", vec![name("above"), name("below")], name("sane")),
        // Not Clip, which takes its limits as inputs only since opset 11.
        ("Max", vec![answer, name("zero")], name("raised")),
        ("Min", vec![name("raised"), name("one")], name("clipped")),
        (
            "Mul",
            vec![name("clipped"), name("most")],
            name("stretched"),
        ),
        (
            "Where",
            vec![name("sane"), name("stretched"), name("none")],
            name("told"),
        ),
        // It cuts off what is behind the point.
        ("Cast", vec![name("told")], BYTES.as_bytes().to_vec()),
    ] {
        let mut node = Vec::new();
        for input in &inputs {
            put(&mut node, 1, input);
        }
        put(&mut node, 2, &output);
        put(&mut node, 4, operator.as_bytes());
        if operator == "Cast" {
            let mut attribute = Vec::new();
            put(&mut attribute, 1, b"to");
            attribute.extend([3 << 3, UINT8]);
            // AttributeProto.type, field 20: INT is 2
            attribute.extend([0xa0, 0x01, 2]);
            put(&mut node, 5, &attribute);
        }
        put(&mut added, 1, &node);
    }
    let mut element = Vec::new();
    put(&mut element, 1, &[1 << 3, UINT8]);
    let mut output = Vec::new();
    put(&mut output, 1, BYTES.as_bytes());
    put(&mut output, 2, &element);
    put(&mut added, 12, &output);
    let mut changed = onnx.to_vec();
    put(&mut changed, 7, &added);
    Ok(changed)
}

/// The graph of a model. One that comes in several parts is refused: nobody writes such files.
fn graph(onnx: &[u8]) -> Result<Range<usize>, Broken> {
    let mut graphs = fields(onnx, 0..onnx.len(), 7);
    match (graphs.next(), graphs.next()) {
        (Some(Ok(Field::Message(graph))), None) => Ok(graph),
        (Some(Err(broken)), _) | (_, Some(Err(broken))) => Err(broken),
        (_, Some(_)) => Err(Broken("its graph comes in several parts")),
        _ => Err(Broken("it holds no graph")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: &[u8] = include_bytes!("probe.onnx");

    /// A model with one node, and with an output, as protobuf.
    fn model(name: &[u8], operator: &[u8], to: u8) -> Vec<u8> {
        let (mut attribute, mut node, mut graph, mut model) = (vec![], vec![], vec![], vec![8, 8]);
        put(&mut attribute, 1, b"to");
        attribute.extend([3 << 3, to]);
        put(&mut node, 3, name);
        put(&mut node, 4, operator);
        put(&mut node, 5, &attribute);
        put(&mut graph, 1, &node);
        put(&mut model, 7, &graph);
        model
    }

    #[test]
    fn only_marked_casts_become_fp16() {
        let marked = model(b"half:w", b"Cast", FLOAT);
        let changed = to_fp16(&marked).unwrap().unwrap();
        assert_eq!(changed, model(b"half:w", b"Cast", FLOAT16));
        for other in [model(b"w", b"Cast", FLOAT), model(b"half:w", b"Add", FLOAT)] {
            assert_eq!(to_fp16(&other).unwrap(), None);
        }
        assert!(to_fp16(&model(b"half:w", b"Cast", UINT8)).is_err());
        assert_eq!(to_fp16(PROBE).unwrap(), None);
    }

    #[test]
    fn bytes_stand_for_probabilities() {
        assert!(probability(0) > 0.0 && probability(0) < 0.0025);
        for hundredths in (5..100_u8).step_by(5) {
            let border = f32::from(hundredths) / 100.0;
            let byte = (u32::from(hundredths) * 240 / 100) as u8;
            assert!(probability(byte - 1) < border && probability(byte) > border);
        }
        assert_eq!(probability(240), 1.0);
        assert!(probability(NO_PROBABILITY).is_nan());
    }

    #[test]
    fn what_is_broken_is_an_error_and_never_a_panic() {
        for end in 0..PROBE.len() {
            let _ = to_fp16(&PROBE[..end]);
            let _ = with_byte_answers(&PROBE[..end]);
        }
        assert!(with_byte_answers(&[]).is_err());
        // What was changed has its graph in two parts, and is not changed again.
        assert!(with_byte_answers(&with_byte_answers(PROBE).unwrap()).is_err());
        for place in 0..PROBE.len() {
            for value in [0, 0x7f, 0x80, 0xff] {
                let mut broken = PROBE.to_vec();
                broken[place] = value;
                let _ = to_fp16(&broken);
                let _ = with_byte_answers(&broken);
            }
        }
    }
}
