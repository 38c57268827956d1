//! Every backend keeps the rules, and the suite of [`ftuseg::testing`] finds one that does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ftuseg::backend::{
    About, Backend, BackendError, Brake, NetworkInput, NetworkOutput, Session, SessionOptions,
};
use ftuseg::testing::{TestNetwork, check_backend, check_refusals};

use crate::support::{backends, fixture};

fn network(onnx: &[u8], takes_bytes: bool) -> TestNetwork<'_> {
    TestNetwork {
        name: "under test",
        onnx,
        takes_bytes,
        side: 64,
        tolerance: 0.0,
    }
}

#[test]
fn the_backends_keep_the_rules() {
    for (file, takes_bytes) in [("red.onnx", true), ("red-float.onnx", false)] {
        let onnx = std::fs::read(fixture(file)).unwrap();
        for backend in backends(2) {
            let network = network(&onnx, takes_bytes);
            check_backend(backend.as_ref(), network).unwrap_or_else(|e| panic!("{file}: {e}"));
            check_refusals(backend.as_ref(), network).unwrap_or_else(|e| panic!("{file}: {e}"));
        }
    }
}

/// Answers the red channel, but breaks one rule.
struct Broken {
    about: About,
    how: &'static str,
    runs: Arc<AtomicU32>,
}

impl Broken {
    fn new(how: &'static str) -> Self {
        Broken {
            about: About::new("broken", "1"),
            how,
            runs: Arc::default(),
        }
    }
}

impl Backend for Broken {
    fn about(&self) -> &About {
        &self.about
    }

    fn lanes(&self) -> usize {
        if self.how == "no lanes" { 0 } else { 2 }
    }

    fn load(
        &self,
        name: &str,
        onnx: &[u8],
        how: SessionOptions,
    ) -> Result<Box<dyn Session>, BackendError> {
        let is_refused = match self.how {
            "loads once" => how.lane > 0,
            "loads anything" => false,
            _ => onnx != b"a network",
        };
        if is_refused {
            let name = if self.how == "nameless" { "" } else { name };
            return Err(BackendError::Usage(format!("{name}: not for me")));
        }
        Ok(Box::new(Red {
            how: self.how,
            runs: Arc::clone(&self.runs),
            lane: how.lane,
            stopped: Arc::default(),
        }))
    }
}

struct Red {
    how: &'static str,
    runs: Arc<AtomicU32>,
    lane: usize,
    stopped: Arc<Stopped>,
}

#[derive(Default)]
struct Stopped(AtomicBool);

impl Brake for Stopped {
    fn pull(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn release(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Session for Red {
    fn run(&mut self, input: NetworkInput<'_>) -> Result<NetworkOutput, BackendError> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        if self.how != "no brake" && self.stopped.0.load(Ordering::Relaxed) {
            return Err(BackendError::Stopped {
                name: "red".to_owned(),
            });
        }
        let NetworkInput::Bytes(tiles) = input else {
            return Err(BackendError::Usage("bytes are wanted".to_owned()));
        };
        let (n, height, width, _) = tiles.dim();
        let red = tiles.index_axis(ndarray::Axis(3), 0);
        let mut values: Vec<f32> = red.iter().map(|&red| f32::from(red)).collect();
        let mut shape = vec![n, 1, height, width];
        match self.how {
            "wavers" => values[0] = run as f32,
            "not finite" => values[0] = f32::NAN,
            "by batch" => values.iter_mut().for_each(|value| *value *= n as f32),
            "by lane" => values
                .iter_mut()
                .for_each(|value| *value += self.lane as f32),
            "too few" => values.truncate(5),
            "another shape" => shape = vec![n, height, width],
            _ => {}
        }
        Ok(NetworkOutput { shape, values })
    }

    fn brake(&self) -> Option<Arc<dyn Brake>> {
        Some(Arc::clone(&self.stopped) as Arc<dyn Brake>)
    }
}

#[test]
fn the_suite_finds_what_a_backend_does_wrong() {
    let network = network(b"a network", true);
    check_backend(&Broken::new("nothing"), network).unwrap();
    check_refusals(&Broken::new("nothing"), network).unwrap();
    for (how, part) in [
        ("no lanes", "it has lanes"),
        ("loads once", "for every lane"),
        ("wavers", "same bytes"),
        ("not finite", "finite"),
        ("by batch", "any batch"),
        ("by lane", "sessions agree"),
        ("too few", "counts the values"),
        ("another shape", "[n, channels, side, side]"),
        ("no brake", "stops the session"),
    ] {
        let broken = check_backend(&Broken::new(how), network).expect_err(how);
        assert!(broken.rule.contains(part), "{how}: {broken}");
    }
    for how in ["loads anything", "nameless"] {
        let broken = check_refusals(&Broken::new(how), network).expect_err(how);
        assert!(broken.rule.contains("by name"), "{how}: {broken}");
    }
}
