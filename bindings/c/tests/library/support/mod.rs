//! What the tests share: the drawn slide with its bundle, and handles that free themselves.

#[path = "../../../../../tests/cli/util/drawn.rs"]
#[allow(dead_code, reason = "the command's tests use more of it")]
mod drawn;
#[path = "../../../../../tests/cli/util/tiff_levels.rs"]
#[allow(dead_code, reason = "the command's tests use more of it")]
mod tiff_levels;

use std::ffi::{CStr, CString, c_char};
use std::fs;
use std::path::{Path, PathBuf};
use std::ptr;

use ftuseg::slide::tiled_tiff::{Compression, Samples, TiffOptions, write_file};
use ftuseg_c::*;
use sha2::{Digest, Sha256};

pub use drawn::{KIDNEY_FTU, label_of};
use drawn::{full_bundle, two_organs};
pub use tiff_levels::levels;

/// um/px of the slide and the models.
pub const MPP: f64 = 2.0;
/// Width and height of the slide, px.
pub const SIZE: (u32, u32) = (300, 200);

/// A file of `tests/fixtures`.
fn fixture(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("../../tests/fixtures").join(name)
}

/// A scratch folder with the bundle `bundle` and the slide `one.tif` of two organs.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    pub fn new() -> Self {
        let scratch = Scratch(tempfile::tempdir().unwrap());
        let mut manifest = full_bundle();
        fs::create_dir(scratch.join("bundle")).unwrap();
        for file in ["red.onnx", "green.onnx", "red-float.onnx", "router.onnx"] {
            let bytes = fs::read(fixture(file)).unwrap();
            let sum: String = Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            manifest = manifest.replace(&format!("SUM({file})"), &sum);
            fs::write(scratch.join("bundle").join(file), bytes).unwrap();
        }
        fs::write(scratch.join("bundle/bundle.toml"), manifest).unwrap();
        scratch.slide("one.tif", Some(MPP));
        scratch
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }

    /// A path as C wants it.
    pub fn c_path(&self, name: &str) -> CString {
        CString::new(self.join(name).to_str().unwrap()).unwrap()
    }

    /// Writes the slide of two organs.
    pub fn slide(&self, name: &str, mpp: Option<f64>) {
        let options = TiffOptions {
            width: SIZE.0,
            height: SIZE.1,
            samples: Samples::Rgb8,
            compression: Compression::Deflate,
            tile: 64,
            mpp,
            description: None,
            palette: None,
        };
        let pixels = drawn::Pixels(|x, y| two_organs(x, y, 1));
        write_file(&self.join(name), &options, &pixels).unwrap();
    }

    /// Options for the folder's bundle on the runtime that is always there.
    pub fn options(&self, more: &[(&str, &str)]) -> Options {
        let mut options = Options::new();
        let bundle = self.join("bundle");
        let usual = [
            ("bundle", bundle.to_str().unwrap()),
            ("backend", "rten"),
            ("threads", "2"),
        ];
        for (name, value) in usual.iter().chain(more) {
            assert_eq!(
                options.set(name, value),
                ftuseg_status::Ok,
                "{}",
                last_error()
            );
        }
        options
    }

    pub fn engine(&self, more: &[(&str, &str)]) -> Engine {
        Engine::new(&self.options(more))
            .unwrap_or_else(|status| panic!("{status:?}: {}", last_error()))
    }
}

/// The slide of two organs as RGB.
pub fn pixels() -> Vec<u8> {
    let all = (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| two_organs(x, y, 1)));
    all.flatten().collect()
}

/// Px as C hands them in.
pub fn given(data: &[u8]) -> ftuseg_pixels {
    ftuseg_pixels {
        size: size_of::<ftuseg_pixels>(),
        data: data.as_ptr(),
        length: data.len(),
        width: SIZE.0,
        height: SIZE.1,
        stride: 0,
        format: FTUSEG_PIXELS_RGB,
        mpp: MPP,
    }
}

/// A request for all of a slide.
pub fn request() -> ftuseg_request {
    ftuseg_request {
        size: size_of::<ftuseg_request>(),
        id: ptr::null(),
        organ: ptr::null(),
        mpp: 0.0,
        region: ftuseg_rect::default(),
        progress: None,
        user: ptr::null_mut(),
        cancel: ptr::null(),
    }
}

/// A text that is lent.
pub fn text(lent: *const c_char) -> String {
    assert!(!lent.is_null());
    // SAFETY: the library's texts end with a NUL, and the tests' handles live while they are read.
    unsafe { CStr::from_ptr(lent) }.to_str().unwrap().to_owned()
}

pub fn last_error() -> String {
    text(ftuseg_last_error())
}

pub fn last_kind() -> String {
    text(ftuseg_last_error_kind())
}

/// Options that free themselves.
pub struct Options(pub *mut ftuseg_options);

impl Options {
    pub fn new() -> Self {
        let mut options = ptr::null_mut();
        // SAFETY: there is a place for it.
        let status = unsafe { ftuseg_options_new(&mut options) };
        assert_eq!(status, ftuseg_status::Ok);
        Options(options)
    }

    pub fn set(&mut self, name: &str, value: &str) -> ftuseg_status {
        let (name, value) = (CString::new(name).unwrap(), CString::new(value).unwrap());
        // SAFETY: the handle and both texts live.
        unsafe { ftuseg_options_set(self.0, name.as_ptr(), value.as_ptr()) }
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { ftuseg_options_free(self.0) };
    }
}

/// An engine that frees itself.
pub struct Engine(pub *mut ftuseg_engine);

// SAFETY: the header promises that many threads may use one.
unsafe impl Sync for Engine {}

impl Engine {
    pub fn new(options: &Options) -> Result<Self, ftuseg_status> {
        let mut engine = ptr::null_mut();
        // SAFETY: the options live, and there is a place for the engine.
        let status = unsafe { ftuseg_engine_new(options.0, None, ptr::null_mut(), &mut engine) };
        match status {
            ftuseg_status::Ok => Ok(Engine(engine)),
            status => {
                assert!(engine.is_null());
                Err(status)
            }
        }
    }

    pub fn file(&self, path: &CStr, request: &ftuseg_request) -> Result<Outcome, ftuseg_status> {
        let mut result = ptr::dangling_mut();
        // SAFETY: all of them live, and there is a place for the result.
        let status = unsafe { ftuseg_segment_file(self.0, path.as_ptr(), request, &mut result) };
        Outcome::of(status, result)
    }

    pub fn pixels(
        &self,
        pixels: &ftuseg_pixels,
        request: &ftuseg_request,
    ) -> Result<Outcome, ftuseg_status> {
        let mut result = ptr::dangling_mut();
        // SAFETY: all of them live, and there is a place for the result.
        let status = unsafe { ftuseg_segment_pixels(self.0, pixels, request, &mut result) };
        Outcome::of(status, result)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { ftuseg_engine_free(self.0) };
    }
}

/// A result that frees itself.
#[derive(Debug)]
pub struct Outcome(pub *mut ftuseg_result);

// SAFETY: the header promises that many threads may read one, and any may free it.
unsafe impl Sync for Outcome {}
// SAFETY: as above.
unsafe impl Send for Outcome {}

impl Outcome {
    fn of(status: ftuseg_status, result: *mut ftuseg_result) -> Result<Self, ftuseg_status> {
        match status {
            ftuseg_status::Ok => Ok(Outcome(result)),
            status => {
                assert!(result.is_null(), "a result after an error");
                Err(status)
            }
        }
    }

    pub fn geojson(&self) -> String {
        self.taken(|text, length| {
            // SAFETY: the handle lives, and there are places for both.
            unsafe { ftuseg_result_geojson(self.0, text, length) }
        })
    }

    pub fn rle(&self, organ: Option<&CStr>) -> String {
        let organ = organ.map_or(ptr::null(), CStr::as_ptr);
        self.taken(|text, length| {
            // SAFETY: the handle and the name live, and there are places for both.
            unsafe { ftuseg_result_rle(self.0, organ, text, length) }
        })
    }

    fn taken(&self, ask: impl FnOnce(*mut *mut c_char, *mut usize) -> ftuseg_status) -> String {
        let (mut given, mut length) = (ptr::null_mut(), 0);
        assert_eq!(
            ask(&mut given, &mut length),
            ftuseg_status::Ok,
            "{}",
            last_error()
        );
        let taken = text(given);
        assert_eq!(taken.len(), length);
        // SAFETY: it was given out just now.
        unsafe { ftuseg_string_free(given) };
        taken
    }

    pub fn labels(&self, rect: ftuseg_rect, level: u32) -> Vec<u8> {
        let mut out = vec![9; rect.width as usize * rect.height as usize];
        // SAFETY: the handle lives, and the buffer has so many bytes.
        let status = unsafe {
            ftuseg_result_read_labels(self.0, rect, level, out.as_mut_ptr(), out.len(), 0)
        };
        assert_eq!(status, ftuseg_status::Ok, "{}", last_error());
        out
    }

    pub fn organs(&self) -> Vec<ftuseg_organ> {
        let mut count = 0;
        // SAFETY: the handle lives, and there is a place for the count; all zero is a value of the struct.
        unsafe {
            assert_eq!(
                ftuseg_result_organ_count(self.0, &mut count),
                ftuseg_status::Ok
            );
            (0..count)
                .map(|index| {
                    let mut organ: ftuseg_organ = std::mem::zeroed();
                    organ.size = size_of::<ftuseg_organ>();
                    assert_eq!(
                        ftuseg_result_organ(self.0, index, &mut organ),
                        ftuseg_status::Ok
                    );
                    organ
                })
                .collect()
        }
    }

    pub fn objects(&self) -> Vec<ftuseg_object> {
        let mut count = 0;
        // SAFETY: as above.
        unsafe {
            assert_eq!(
                ftuseg_result_object_count(self.0, &mut count),
                ftuseg_status::Ok
            );
            (0..count)
                .map(|index| {
                    let mut object: ftuseg_object = std::mem::zeroed();
                    object.size = size_of::<ftuseg_object>();
                    assert_eq!(
                        ftuseg_result_object(self.0, index, &mut object),
                        ftuseg_status::Ok
                    );
                    object
                })
                .collect()
        }
    }

    pub fn ring(&self, object: usize, ring: usize) -> Vec<[u32; 2]> {
        let (mut corners, mut count) = (ptr::null(), 0);
        // SAFETY: the handle lives, and there are places for both; so many corners are lent.
        unsafe {
            let status = ftuseg_result_object_ring(self.0, object, ring, &mut corners, &mut count);
            assert_eq!(status, ftuseg_status::Ok, "{}", last_error());
            std::slice::from_raw_parts(corners.cast::<[u32; 2]>(), count).to_vec()
        }
    }

    pub fn measured(&self, object: usize, name: &CStr) -> f64 {
        let mut value = 0.0;
        // SAFETY: the handle and the name live, and there is a place for the value.
        let status =
            unsafe { ftuseg_result_measurement(self.0, object, name.as_ptr(), &mut value) };
        assert_eq!(status, ftuseg_status::Ok, "{}", last_error());
        value
    }

    pub fn warnings(&self) -> Vec<(String, String)> {
        // SAFETY: the handle lives, and there are places for both texts.
        unsafe {
            (0..ftuseg_result_warning_count(self.0))
                .map(|index| {
                    let (mut kind, mut sentence) = (ptr::null(), ptr::null());
                    let status = ftuseg_result_warning(self.0, index, &mut kind, &mut sentence);
                    assert_eq!(status, ftuseg_status::Ok);
                    (text(kind), text(sentence))
                })
                .collect()
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { ftuseg_result_free(self.0) };
    }
}

/// What the command writes for a slide into `slides/one`: it runs this very batch.
pub fn command_folder(scratch: &Scratch) -> PathBuf {
    use ftuseg::backend::BackendChoice;
    use ftuseg::batch::{Batch, discover};
    let bundle = scratch.join("bundle");
    let engine = ftuseg::Engine::builder(bundle.as_path())
        .runtime(BackendChoice::Rten)
        .threads(2)
        .build()
        .unwrap();
    let out = scratch.join("command");
    let jobs = discover(&[scratch.join("one.tif")], None).unwrap();
    Batch::new(&engine, out.clone())
        .run(&jobs, &|_| {})
        .unwrap();
    out
}
