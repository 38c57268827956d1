//! A backend that answers at once, and a bundle for it.

#![allow(
    dead_code,
    reason = "several benches share it, and none uses all of it"
)]

use std::path::Path;

use ftuseg::backend::{
    About, Backend, BackendError, NetworkInput, NetworkOutput, Session, SessionOptions,
};
use sha2::{Digest, Sha256};

/// Answers without a network: the router always says kidney, and a model says how dark the red channel is on average in
/// each square of [`SQUARE_UM`], so that what it finds is as large as tissue units are.
pub struct AtOnce(About);

impl Default for AtOnce {
    fn default() -> Self {
        AtOnce(About::new("none", "1"))
    }
}

impl Backend for AtOnce {
    fn about(&self) -> &About {
        &self.0
    }

    fn load(
        &self,
        _name: &str,
        onnx: &[u8],
        _: SessionOptions,
    ) -> Result<Box<dyn Session>, BackendError> {
        Ok(match onnx {
            b"router" => Box::new(Kidney),
            side => {
                let side = std::str::from_utf8(side)
                    .ok()
                    .and_then(|side| side.parse().ok());
                Box::new(Dark {
                    side: side
                        .ok_or_else(|| BackendError::Usage("a number is wanted".to_owned()))?,
                })
            }
        })
    }
}

struct Kidney;

/// Says how dark squares of `side` px are.
pub struct Dark {
    pub side: usize,
}

/// Side of the squares that are averaged, um.
const SQUARE_UM: f64 = 32.0;

fn bytes(input: NetworkInput<'_>) -> Result<ndarray::ArrayView4<'_, u8>, BackendError> {
    match input {
        NetworkInput::Bytes(tiles) => Ok(tiles),
        NetworkInput::Floats(_) => Err(BackendError::Usage("bytes are wanted".to_owned())),
    }
}

impl Session for Kidney {
    fn run(&mut self, input: NetworkInput<'_>) -> Result<NetworkOutput, BackendError> {
        let n = bytes(input)?.dim().0;
        let values = [0.9_f32, 0.1].repeat(n);
        Ok(NetworkOutput {
            shape: vec![n, 2],
            values,
        })
    }
}

impl Session for Dark {
    fn run(&mut self, input: NetworkInput<'_>) -> Result<NetworkOutput, BackendError> {
        let tiles = bytes(input)?;
        let (n, height, width, _) = tiles.dim();
        let tiles = tiles.as_standard_layout();
        let bytes = tiles.as_slice().expect("it was put in order");
        let mut values = Vec::with_capacity(n * height * width);
        let mut sums = vec![0_u32; width.div_ceil(self.side)];
        // Squares end with their tile.
        for tile in bytes.chunks_exact(height * width * 3) {
            for rows in tile.chunks(self.side * width * 3) {
                sums.fill(0);
                for row in rows.chunks_exact(width * 3) {
                    for (sum, part) in sums.iter_mut().zip(row.chunks(self.side * 3)) {
                        let red = part.chunks_exact(3).map(|px| u32::from(px[0]));
                        *sum += red.sum::<u32>();
                    }
                }
                let count = rows.len() / (width * 3);
                let begin = values.len();
                for (square, &sum) in sums.iter().enumerate() {
                    let columns = self.side.min(width - square * self.side);
                    let mean = sum as f32 / (count * columns) as f32;
                    values.resize(values.len() + columns, 1.0 - mean / 255.0);
                }
                for _ in 1..count {
                    values.extend_from_within(begin..begin + width);
                }
            }
        }
        Ok(NetworkOutput {
            shape: vec![n, 1, height, width],
            values,
        })
    }
}

/// Writes a bundle with a router and a kidney model at `mpp`.
pub fn write_bundle(folder: &Path, mpp: f64) {
    write_bundle_of(folder, mpp, (SQUARE_UM / mpp).round().max(1.0) as usize);
}

/// As [`write_bundle`], with models that average squares of `side` px.
pub fn write_bundle_of(folder: &Path, mpp: f64, side: usize) {
    std::fs::create_dir_all(folder).expect("a folder");
    let file = |name: &str, content: &[u8]| {
        std::fs::write(folder.join(name), content).expect("a file");
        let sum = Sha256::digest(content);
        sum.iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    };
    let side = side.to_string();
    let (router, model) = (
        file("router.onnx", b"router"),
        file("model.onnx", side.as_bytes()),
    );
    let text = format!(
        "name = \"b\"\nversion = \"1\"\nlicence = \"none\"\n\
         [router]\nfile = \"router.onnx\"\nsha256 = \"{router}\"\ninput = \"uint8-nhwc\"\noutput = \"probability\"\n\
         tile = 224\ncell = 96\nmpp = 4.0\norgans = [\"kidney\", \"lung\"]\nlimit = 0.5\nfallback = \"baseline\"\n\
         [[model]]\nname = \"kidney\"\norgan = \"kidney\"\nfile = \"model.onnx\"\nsha256 = \"{model}\"\n\
         input = \"uint8-nhwc\"\noutput = \"probability\"\ntile = 320\nmpp = {mpp:?}\nthreshold = 0.25\nmin_area = 20\nfill_holes = true\n\
         [[model]]\nname = \"baseline\"\nrole = \"baseline\"\nfile = \"model.onnx\"\nsha256 = \"{model}\"\n\
         input = \"uint8-nhwc\"\noutput = \"probability\"\ntile = 320\nmpp = {mpp:?}\nthreshold = 0.25\n"
    );
    std::fs::write(folder.join("bundle.toml"), text).expect("a file");
}
