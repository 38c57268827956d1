//! OpenSlide's functions, and slides opened with them: the only place with unsafe code of this room.
//!
//! OpenSlide promises that a slide may be read by many threads at once. After the first error a slide answers every
//! further call with that error; what to do then is for the caller.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::ptr::NonNull;

use libloading::Library;

use ftuseg_provision::Located;

/// A slide, as OpenSlide sees it.
type Raw = *mut c_void;

/// The functions that are used. The library stays loaded as long as the program runs.
pub(super) struct Api {
    /// The version that the library says it is.
    pub(super) version: String,
    detect_vendor: unsafe extern "C" fn(*const c_char) -> *const c_char,
    open: unsafe extern "C" fn(*const c_char) -> Raw,
    close: unsafe extern "C" fn(Raw),
    get_error: unsafe extern "C" fn(Raw) -> *const c_char,
    level_count: unsafe extern "C" fn(Raw) -> i32,
    level_dimensions: unsafe extern "C" fn(Raw, i32, *mut i64, *mut i64),
    level_downsample: unsafe extern "C" fn(Raw, i32) -> f64,
    read_region: unsafe extern "C" fn(Raw, *mut u32, i64, i64, i32, i64, i64),
    property_names: unsafe extern "C" fn(Raw) -> *const *const c_char,
    property_value: unsafe extern "C" fn(Raw, *const c_char) -> *const c_char,
}

impl Api {
    /// Looks the functions up in a library that was found usable.
    pub(super) fn load(located: &Located) -> Result<Self, String> {
        // SAFETY: the library was checked and loaded before, so that its initialisers have run already.
        let library = unsafe { Library::new(&located.path) }.map_err(|e| e.to_string())?;
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the name is OpenSlide's own; the type it is stored with is that of the header of version 4,
                // which `LibrarySpec::oldest` asks for and which later versions keep.
                *unsafe { library.get(concat!($name, "\0").as_bytes()) }
                    .map_err(|_| format!("{} lacks {}", located.path.display(), $name))?
            };
        }
        let api = Api {
            version: located.version.clone(),
            detect_vendor: function!("openslide_detect_vendor"),
            open: function!("openslide_open"),
            close: function!("openslide_close"),
            get_error: function!("openslide_get_error"),
            level_count: function!("openslide_get_level_count"),
            level_dimensions: function!("openslide_get_level_dimensions"),
            level_downsample: function!("openslide_get_level_downsample"),
            read_region: function!("openslide_read_region"),
            property_names: function!("openslide_get_property_names"),
            property_value: function!("openslide_get_property_value"),
        };
        // Never unloaded, or the functions would dangle.
        std::mem::forget(library);
        Ok(api)
    }

    /// The vendor of a file, such as `hamamatsu`; `None` where OpenSlide knows none.
    pub(super) fn vendor(&self, path: &Path) -> Option<String> {
        let name = c_path(path)?;
        // SAFETY: a string that ends with a zero byte and lives through the call.
        text(unsafe { (self.detect_vendor)(name.as_ptr()) })
    }
}

/// An open slide.
pub(super) struct Handle {
    api: &'static Api,
    raw: NonNull<c_void>,
}

// SAFETY: OpenSlide's functions may be called for one slide from any thread, and from many at once; `close` is called
// when nobody else holds the handle.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the slide is open, and nobody can use it after its drop.
        unsafe { (self.api.close)(self.raw.as_ptr()) }
    }
}

impl Handle {
    /// Opens a slide.
    ///
    /// # Errors
    /// OpenSlide's reason.
    pub(super) fn open(api: &'static Api, path: &Path) -> Result<Self, String> {
        let name = c_path(path).ok_or("its path cannot be given to OpenSlide")?;
        // SAFETY: a string that ends with a zero byte and lives through the call.
        let raw = unsafe { (api.open)(name.as_ptr()) };
        let raw = NonNull::new(raw).ok_or("OpenSlide does not know this format")?;
        let handle = Handle { api, raw };
        handle.check()?;
        Ok(handle)
    }

    /// The error that the slide has been in since it happened.
    fn check(&self) -> Result<(), String> {
        // SAFETY: the slide is open.
        match text(unsafe { (self.api.get_error)(self.raw.as_ptr()) }) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Width, height and downsample of each level.
    ///
    /// # Errors
    /// OpenSlide's reason.
    pub(super) fn levels(&self) -> Result<Vec<(i64, i64, f64)>, String> {
        // SAFETY: the slide is open.
        let count = unsafe { (self.api.level_count)(self.raw.as_ptr()) };
        let levels = (0..count)
            .map(|level| {
                let (mut width, mut height) = (-1, -1);
                // SAFETY: the slide is open, and both places live through the call.
                unsafe {
                    (self.api.level_dimensions)(self.raw.as_ptr(), level, &mut width, &mut height);
                }
                // SAFETY: the slide is open.
                let downsample = unsafe { (self.api.level_downsample)(self.raw.as_ptr(), level) };
                (width, height, downsample)
            })
            .collect();
        self.check()?;
        Ok(levels)
    }

    /// All properties.
    pub(super) fn properties(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        // SAFETY: the slide is open. The list lives as long as it.
        let mut next = unsafe { (self.api.property_names)(self.raw.as_ptr()) };
        if next.is_null() {
            return all;
        }
        loop {
            // SAFETY: the list ends with a null, behind which this does not go.
            let name = unsafe { *next };
            if name.is_null() {
                return all;
            }
            // SAFETY: a name of the slide's own list.
            let value = unsafe { (self.api.property_value)(self.raw.as_ptr(), name) };
            if let (Some(name), Some(value)) = (text(name), text(value)) {
                all.insert(name, value);
            }
            // SAFETY: this entry is not the closing null, so there is a next one.
            next = unsafe { next.add(1) };
        }
    }

    /// Reads a region: `x` and `y` in full-size px, the size in px of the level. Premultiplied ARGB, row by row.
    ///
    /// # Errors
    /// OpenSlide's reason; every further read then gives it again.
    pub(super) fn read(
        &self,
        level: i32,
        (x, y): (i64, i64),
        (width, height): (u32, u32),
    ) -> Result<Vec<u32>, String> {
        let mut argb = vec![0_u32; width as usize * height as usize];
        // SAFETY: the slide is open, and there is room for as many px as are asked for.
        unsafe {
            (self.api.read_region)(
                self.raw.as_ptr(),
                argb.as_mut_ptr(),
                x,
                y,
                level,
                width.into(),
                height.into(),
            );
        }
        self.check()?;
        Ok(argb)
    }
}

/// A copy of a string of the library's; `None` for null.
fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, ends with a zero byte, and lives until the next call for the same slide at least.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

/// A path as OpenSlide takes it: the system's bytes, or UTF-8 on Windows.
fn c_path(path: &Path) -> Option<CString> {
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str());
    #[cfg(not(unix))]
    let bytes = path.to_str()?.as_bytes();
    CString::new(bytes).ok()
}
