//! A backend that answers at once, and a bundle for it.

use std::path::Path;

use ftuseg::backend::{About, Backend, BackendError, Input, Output, Session};
use sha2::{Digest, Sha256};

/// Answers without a network: the router always says kidney, and a model says the red channel.
pub struct AtOnce(About);

impl Default for AtOnce {
    fn default() -> Self {
        AtOnce(About {
            backend: "none".into(),
            version: "1".into(),
            library: None,
            sha256: None,
            device: "cpu".into(),
            arithmetic: "fp32".into(),
            proof: "none".into(),
            threads: 1,
            warning: None,
        })
    }
}

impl Backend for AtOnce {
    fn about(&self) -> &About {
        &self.0
    }

    fn load(&self, _name: &str, onnx: &[u8]) -> Result<Box<dyn Session>, BackendError> {
        Ok(match onnx {
            b"router" => Box::new(Kidney),
            _ => Box::new(Red),
        })
    }
}

struct Kidney;
struct Red;

fn bytes(input: Input<'_>) -> Result<ndarray::ArrayView4<'_, u8>, BackendError> {
    match input {
        Input::Bytes(tiles) => Ok(tiles),
        Input::Floats(_) => Err(BackendError::Usage("bytes are wanted".to_owned())),
    }
}

impl Session for Kidney {
    fn run(&mut self, input: Input<'_>) -> Result<Output, BackendError> {
        let n = bytes(input)?.dim().0;
        let values = [0.9_f32, 0.1].repeat(n);
        Ok(Output {
            shape: vec![n, 2],
            values,
        })
    }
}

impl Session for Red {
    fn run(&mut self, input: Input<'_>) -> Result<Output, BackendError> {
        let tiles = bytes(input)?;
        let (n, height, width, _) = tiles.dim();
        let red = tiles.iter().step_by(3);
        Ok(Output {
            shape: vec![n, 1, height, width],
            values: red.map(|&red| 1.0 - f32::from(red) / 255.0).collect(),
        })
    }
}

/// Writes a bundle with a router and a kidney model at `mpp`.
pub fn write_bundle(folder: &Path, mpp: f64) {
    std::fs::create_dir_all(folder).expect("a folder");
    let file = |name: &str, content: &[u8]| {
        std::fs::write(folder.join(name), content).expect("a file");
        let sum = Sha256::digest(content);
        sum.iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    };
    let (router, model) = (file("router.onnx", b"router"), file("model.onnx", b"model"));
    let text = format!(
        "name = \"b\"\nversion = \"1\"\nlicence = \"none\"\n\
         [router]\nfile = \"router.onnx\"\nsha256 = \"{router}\"\ninput = \"uint8-nhwc\"\noutput = \"probability\"\n\
         tile = 224\ncell = 96\nmpp = 4.0\norgans = [\"kidney\", \"lung\"]\nlimit = 0.5\nfallback = \"baseline\"\n\
         [[model]]\nname = \"kidney\"\norgan = \"kidney\"\nfile = \"model.onnx\"\nsha256 = \"{model}\"\n\
         input = \"uint8-nhwc\"\noutput = \"probability\"\ntile = 320\nmpp = {mpp:?}\nmin_area = 20\nfill_holes = true\n\
         [[model]]\nname = \"baseline\"\nrole = \"baseline\"\nfile = \"model.onnx\"\nsha256 = \"{model}\"\n\
         input = \"uint8-nhwc\"\noutput = \"probability\"\ntile = 320\nmpp = {mpp:?}\n"
    );
    std::fs::write(folder.join("bundle.toml"), text).expect("a file");
}
