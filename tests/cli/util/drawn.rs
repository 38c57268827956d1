//! A small slide of two organs, the bundle whose models find them, and what must come of it.

use ftuseg::slide::tiled_tiff::TileSource;

/// A slide's px, level by level.
pub(super) struct Pixels<F>(pub(super) F);

impl<F: Fn(u32, u32) -> [u8; 3] + Sync> TileSource for Pixels<F> {
    fn tile(&self, level: usize, column: u32, row: u32, out: &mut [u8]) {
        for (index, px) in out.chunks_exact_mut(3).enumerate() {
            let (x, y) = (
                column * 64 + index as u32 % 64,
                row * 64 + index as u32 / 64,
            );
            px.copy_from_slice(&(self.0)(x << level, y << level));
        }
    }
}

// None of them is as strong as a pen's ink, which would be no tissue.
pub const KIDNEY: [u8; 3] = [110, 20, 20];
pub const KIDNEY_FTU: [u8; 3] = [220, 75, 75];
pub const PROSTATE: [u8; 3] = [75, 110, 75];
pub const PROSTATE_FTU: [u8; 3] = [100, 135, 100];
pub const VOID: [u8; 3] = [0; 3];

/// A drawing of 300 x 200 px, times `scale`: kidney on the left, prostate on the right, nothing between. Kidney's
/// model finds exactly [`KIDNEY_FTU`], prostate's exactly [`PROSTATE_FTU`].
pub fn two_organs(x: u32, y: u32, scale: u32) -> [u8; 3] {
    let (x, y) = (
        f64::from(x) / f64::from(scale),
        f64::from(y) / f64::from(scale),
    );
    let inside = (20.0..180.0).contains(&y);
    if inside && (10.0..130.0).contains(&x) {
        if is_ftu(x, y) { KIDNEY_FTU } else { KIDNEY }
    } else if inside && (170.0..290.0).contains(&x) {
        if is_ftu(x - 160.0, 200.0 - y) {
            PROSTATE_FTU
        } else {
            PROSTATE
        }
    } else {
        VOID
    }
}

/// A ring with a speck in its hole, a disk, and two squares that touch at a corner.
fn is_ftu(x: f64, y: f64) -> bool {
    let ring = (x - 70.0).hypot(y - 70.0);
    let disk = (x - 95.0).hypot(y - 150.0);
    let square =
        |left: f64, top: f64| (left..left + 8.0).contains(&x) && (top..top + 8.0).contains(&y);
    ring < 4.0
        || (18.0..36.0).contains(&ring)
        || disk < 15.0
        || square(30.0, 140.0)
        || square(38.0, 148.0)
}

/// What `mask.tif` must hold for a colour of [`two_organs`].
pub fn label_of(colour: [u8; 3]) -> u8 {
    match colour {
        KIDNEY_FTU => 1,
        PROSTATE_FTU => 2,
        _ => 0,
    }
}

/// A manifest with a router, kidney, prostate, lung and the baseline; no spleen, no large intestine, no U-Net.
pub fn full_bundle() -> String {
    let mut text = String::from(
        r#"name = "tiny"
version = "1"
licence = "none"
[router]
file = "router.onnx"
sha256 = "SUM(router.onnx)"
input = "uint8-nhwc"
output = "probability"
tile = 32
cell = 16
mpp = 2.0
organs = ["kidney", "prostate", "largeintestine", "spleen", "lung"]
limit = 0.4
fallback = "baseline"
"#,
    );
    for (organ, file) in [
        ("kidney", "red.onnx"),
        ("prostate", "green.onnx"),
        ("lung", "red.onnx"),
    ] {
        text += &organ_model(organ, file);
    }
    text + r#"[[model]]
name = "baseline"
file = "red-float.onnx"
sha256 = "SUM(red-float.onnx)"
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
output = "logit"
tile = 64
mpp = 2.0
"#
}

/// The part of a manifest for one organ's model.
pub fn organ_model(organ: &str, file: &str) -> String {
    format!(
        r#"[[model]]
name = "{organ}"
organ = "{organ}"
file = "{file}"
sha256 = "SUM({file})"
input = "uint8-nhwc"
output = "probability"
tile = 64
mpp = 2.0
"#
    )
}
