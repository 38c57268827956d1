//! Conformance suites: what a [`SlideReader`](crate::SlideReader) or a [`Backend`] of your own must do.
//!
//! Call them in a test of yours; an error names the rule that is broken.

use std::fmt::Display;

use ndarray::{Array4, ArrayView4};

pub use ftuseg_slide::testing::{Checks, Picture, Random, Violation, check_reader};

use crate::backend::{Backend, BackendError, NetworkInput, NetworkOutput, Session, SessionOptions};

/// A network to hold a backend against, and what goes into it.
#[derive(Debug, Clone, Copy)]
pub struct TestNetwork<'a> {
    /// Its name; errors must say it.
    pub name: &'a str,
    /// The bytes of its ONNX file.
    pub onnx: &'a [u8],
    /// Whether it takes RGB bytes, `[n, side, side, 3]`, or else normalised floats, `[n, 3, side, side]`.
    pub takes_bytes: bool,
    /// The side of its tiles in px.
    pub side: usize,
    /// The most by which answers to one tile may differ between batches of different sizes.
    pub tolerance: f32,
}

/// Tiles of noise, in the layout that a network wants.
enum Tiles {
    Bytes(Array4<u8>),
    Floats(Array4<f32>),
}

impl Tiles {
    fn of(network: TestNetwork<'_>, n: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let side = network.side;
        match network.takes_bytes {
            true => Tiles::Bytes(Array4::from_shape_simple_fn((n, side, side, 3), || {
                random.below(256) as u8
            })),
            false => Tiles::Floats(Array4::from_shape_simple_fn((n, 3, side, side), || {
                random.below(4096) as f32 / 1024.0 - 2.0
            })),
        }
    }

    fn input(&self) -> NetworkInput<'_> {
        match self {
            Tiles::Bytes(tiles) => NetworkInput::Bytes(tiles.view()),
            Tiles::Floats(tiles) => NetworkInput::Floats(tiles.view()),
        }
    }

    /// One tile alone.
    fn one(&self, index: usize) -> NetworkInput<'_> {
        match self {
            Tiles::Bytes(tiles) => NetworkInput::Bytes(only(tiles.view(), index)),
            Tiles::Floats(tiles) => NetworkInput::Floats(only(tiles.view(), index)),
        }
    }
}

fn only<T>(tiles: ArrayView4<'_, T>, index: usize) -> ArrayView4<'_, T> {
    tiles.slice_move(ndarray::s![index..=index, .., .., ..])
}

/// Holds a backend against the rules with one network, whose output must have one value per px and channel,
/// `[n, channels, side, side]`.
///
/// # Errors
/// The first rule that the backend breaks.
pub fn check_backend(backend: &dyn Backend, network: TestNetwork<'_>) -> Result<(), Violation> {
    let subject = format!("the backend {}", backend.about().backend);
    let checks = Checks::of(&subject);
    checks.hold("it has lanes", backend.lanes() > 0, String::new)?;
    checks.hold("a batch has tiles", backend.usual_batch() > 0, String::new)?;
    let load = |lane| {
        let how = SessionOptions {
            lane,
            ..SessionOptions::default()
        };
        let loaded = backend.load(network.name, network.onnx, how);
        loaded.map_err(|e| checks.broken("it loads a sound network for every lane", e))
    };
    let mut session = load(0)?;
    let tiles = Tiles::of(network, 3, 1);
    let answer = run(checks, session.as_mut(), tiles.input())?;
    sound(checks, &answer, 3, network.side)?;

    let again = run(checks, session.as_mut(), tiles.input())?;
    checks.hold("the same tiles get the same bytes", again == answer, || {
        difference(&answer.values, &again.values)
    })?;
    batches(checks, session.as_mut(), network, &tiles, &answer)?;
    lanes(checks, backend, &load, &tiles, &answer)?;
    wrong_inputs(checks, session.as_mut(), network)?;
    let after = run(checks, session.as_mut(), tiles.input())?;
    checks.hold(
        "a refused input leaves the session as it was",
        after == answer,
        || difference(&answer.values, &after.values),
    )?;
    brake(checks, session.as_mut(), &tiles, &answer)
}

/// A network that is none is refused by a backend that reads networks; its error names the network.
///
/// # Errors
/// The rule that the backend breaks.
pub fn check_refusals(backend: &dyn Backend, network: TestNetwork<'_>) -> Result<(), Violation> {
    let subject = format!("the backend {}", backend.about().backend);
    let checks = Checks::of(&subject);
    let half = &network.onnx[..network.onnx.len() / 2];
    for (what, bytes) in [
        ("no bytes", &[][..]),
        ("words", &b"this is no network"[..]),
        ("half a network", half),
    ] {
        let rule = "what is no network is refused, by name";
        match backend.load(network.name, bytes, SessionOptions::default()) {
            Ok(_) => return Err(checks.broken(rule, format!("{what}: loaded"))),
            Err(error) => {
                let named = error.to_string().contains(network.name);
                checks.hold(rule, named, || format!("{what}: {error}"))?;
            }
        }
    }
    Ok(())
}

fn run(
    checks: Checks<'_>,
    session: &mut dyn Session,
    input: NetworkInput<'_>,
) -> Result<NetworkOutput, Violation> {
    let broken = |e: BackendError| checks.broken("it answers tiles", e);
    session.run(input).map_err(broken)
}

fn sound(
    checks: Checks<'_>,
    answer: &NetworkOutput,
    n: usize,
    side: usize,
) -> Result<(), Violation> {
    let shape = &answer.shape;
    let fits = shape.len() == 4 && (shape[0], shape[2], shape[3]) == (n, side, side);
    checks.hold("the answer is [n, channels, side, side]", fits, || {
        format!("{shape:?} for {n} tiles of {side} px")
    })?;
    let product = shape.iter().product::<usize>();
    checks.hold(
        "the shape counts the values",
        product == answer.values.len(),
        || format!("{shape:?} and {} values", answer.values.len()),
    )?;
    let finite = answer.values.iter().all(|value| value.is_finite());
    checks.hold("sound tiles get finite values", finite, String::new)
}

/// Tiles one by one get what they got together.
fn batches(
    checks: Checks<'_>,
    session: &mut dyn Session,
    network: TestNetwork<'_>,
    tiles: &Tiles,
    together: &NetworkOutput,
) -> Result<(), Violation> {
    let each = together.values.len() / 3;
    for (index, expected) in together.values.chunks_exact(each).enumerate() {
        let alone = run(checks, session, tiles.one(index))?;
        sound(checks, &alone, 1, network.side)?;
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= network.tolerance;
        checks.hold(
            "a tile gets the same answer in any batch",
            alone.values.iter().zip(expected).all(near),
            || difference(&alone.values, expected),
        )?;
    }
    Ok(())
}

/// Sessions of one network answer at the same time, each in a thread of its own, as a single one does.
fn lanes(
    checks: Checks<'_>,
    backend: &dyn Backend,
    load: &dyn Fn(usize) -> Result<Box<dyn Session>, Violation>,
    tiles: &Tiles,
    expected: &NetworkOutput,
) -> Result<(), Violation> {
    let sessions: Result<Vec<_>, _> = (0..backend.lanes().clamp(2, 4))
        .map(|lane| load(lane % backend.lanes()))
        .collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = sessions?
            .into_iter()
            .map(|mut session| {
                scope.spawn(move || {
                    for _ in 0..3 {
                        let found = run(checks, session.as_mut(), tiles.input())?;
                        checks.hold("sessions agree", found == *expected, || {
                            difference(&found.values, &expected.values)
                        })?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| {
            let panicked = |_| Err(checks.broken("sessions run at the same time", "one panicked"));
            thread.join().unwrap_or_else(panicked)
        })
    })
}

/// Another kind of input is an error or an answer of the same shape, never a panic; no tiles likewise.
fn wrong_inputs(
    checks: Checks<'_>,
    session: &mut dyn Session,
    network: TestNetwork<'_>,
) -> Result<(), Violation> {
    let other = TestNetwork {
        takes_bytes: !network.takes_bytes,
        ..network
    };
    for (tiles, n) in [(Tiles::of(other, 1, 2), 1), (Tiles::of(network, 0, 2), 0)] {
        if let Ok(answer) = session.run(tiles.input()) {
            let product = answer.shape.iter().product::<usize>();
            let fits = answer.shape.first() == Some(&n) && product == answer.values.len();
            checks.hold("an odd input is refused, or answered in kind", fits, || {
                format!("{:?} and {} values", answer.shape, answer.values.len())
            })?;
        }
    }
    Ok(())
}

/// A pulled brake ends runs, a released one lets them go on.
fn brake(
    checks: Checks<'_>,
    session: &mut dyn Session,
    tiles: &Tiles,
    expected: &NetworkOutput,
) -> Result<(), Violation> {
    let Some(brake) = session.brake() else {
        return Ok(());
    };
    brake.pull();
    let stopped = session.run(tiles.input());
    let rule = "a pulled brake stops the session";
    match stopped {
        Err(BackendError::Stopped { .. }) => {}
        Err(other) => return Err(checks.broken(rule, other)),
        Ok(_) => return Err(checks.broken(rule, "it answered")),
    }
    brake.release();
    let found = run(checks, session, tiles.input())?;
    checks.hold("a released brake lets it run", found == *expected, || {
        difference(&found.values, &expected.values)
    })
}

fn difference(found: &[f32], expected: &[f32]) -> String {
    let each = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let worst: &dyn Display = &each.fold(0.0, f32::max);
    format!(
        "values differ by up to {worst} ({} and {} of them)",
        found.len(),
        expected.len()
    )
}
