//! Counts the NVIDIA GPUs that the driver shows to this process.

use std::ffi::c_int;

use libloading::Library;

/// The driver's own library. It comes with the driver, never with a wheel.
#[cfg(target_os = "windows")]
const DRIVER: &str = "nvcuda.dll";
#[cfg(not(target_os = "windows"))]
const DRIVER: &str = "libcuda.so.1";

/// How many GPUs there are; the environment variable `CUDA_VISIBLE_DEVICES` hides some, for this as for CUDA itself.
///
/// # Errors
/// When there is no driver, or none that answers, or no GPU: the reason, as the end of a sentence.
pub(super) fn count() -> Result<u32, String> {
    let missing = |error: &dyn std::fmt::Display| {
        format!("there is no NVIDIA driver ({DRIVER} cannot be used: {error})")
    };
    // SAFETY: the driver's library has been made to be loaded by any program; it is the one that CUDA loads itself.
    let driver = unsafe { Library::new(DRIVER) }.map_err(|error| missing(&error))?;
    // SAFETY: `CUresult cuInit(unsigned int)` of the CUDA driver API, the same since its first version.
    let init = unsafe { driver.get::<unsafe extern "system" fn(u32) -> c_int>(b"cuInit\0") }
        .map_err(|error| missing(&error))?;
    // SAFETY: `CUresult cuDeviceGetCount(int *)` of the CUDA driver API, the same since its first version.
    let get = unsafe {
        driver.get::<unsafe extern "system" fn(*mut c_int) -> c_int>(b"cuDeviceGetCount\0")
    }
    .map_err(|error| missing(&error))?;
    // SAFETY: 0 is the one flag that is allowed, and it may be called from any thread, any number of times.
    let started = unsafe { init(0) };
    let mut count = 0;
    let answer = match started {
        // SAFETY: the driver writes one number to where the pointer shows, which outlives the call.
        0 => unsafe { get(&raw mut count) },
        failed => failed,
    };
    if answer != 0 {
        return Err(format!(
            "the NVIDIA driver shows no GPU (it answers with the error {answer})"
        ));
    }
    // Never unloaded: CUDA uses it right after.
    std::mem::forget(driver);
    match u32::try_from(count) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("the NVIDIA driver shows no GPU".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn without_a_driver_it_says_so_and_with_one_it_counts() {
        match super::count() {
            Ok(count) => assert!(count > 0),
            Err(reason) => assert!(reason.contains("NVIDIA driver"), "{reason}"),
        }
    }
}
