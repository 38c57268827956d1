//! Reads compressed streams without taking more memory than is wanted of them, whatever they say.

use std::io::Read;

use crate::problem::Problem;

/// Bytes that a stream may hold beyond what its tile needs. Some writers pad; what goes on longer is a bomb.
const SLACK: u64 = 1 << 16;

/// Reads exactly `length` bytes.
pub(crate) fn read_all(mut stream: impl Read, length: usize) -> Result<Vec<u8>, Problem> {
    let mut out = vec![0; length];
    let mut got = 0;
    while got < length {
        match stream.read(&mut out[got..]) {
            Ok(0) => return Err(too_short(got, length)),
            Ok(more) => got += more,
            Err(error) => return Err(broken(&error)),
        }
    }
    // Padding need not be sound, so an error in it counts as its end.
    let surplus = std::io::copy(&mut stream.take(SLACK + 1), &mut std::io::sink()).unwrap_or(0);
    if surplus > SLACK {
        return Err(Problem::format(format!(
            "it expands to more than the {length} bytes that its size needs"
        )));
    }
    Ok(out)
}

/// A stream that cannot be decoded.
pub(crate) fn broken(error: &dyn std::fmt::Display) -> Problem {
    Problem::format(format!("broken compression: {error}"))
}

/// A stream that ends early.
pub(crate) fn too_short(got: usize, length: usize) -> Problem {
    Problem::format(format!("it holds {got} bytes instead of {length}"))
}
