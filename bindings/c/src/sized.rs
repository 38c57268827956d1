//! Structs that begin with their size, so that a program and a library of different versions understand each other.
//!
//! The size is the program's: what it knows of the struct. A newer library has more fields at the end and takes those that
//! the program does not know for zero; an older one refuses what it does not know, unless that is zero.

use std::mem::MaybeUninit;

use super::error::Failure;

/// No struct will be larger than this. A size beyond it was never set.
const MAX_SIZE: usize = 4096;

/// A struct that begins with its size.
///
/// # Safety
/// It is `repr(C)`, its first field is its size as `usize`, and all bits zero are a value of it, as are all bits that C
/// can write to its fields.
pub(crate) unsafe trait Versioned: Copy {
    /// What messages call it.
    const NAME: &'static str;
    /// Its size when it was first published.
    const FIRST: usize;
}

/// Reads a struct of any version.
///
/// # Safety
/// `from` is NULL, or the first `size_t` at it is the size of what may be read there.
pub(crate) unsafe fn read<T: Versioned>(from: *const T) -> Result<T, Failure> {
    // SAFETY: as the caller promises.
    let size = unsafe { size_of_struct(from) }?;
    let known = size_of::<T>();
    // SAFETY: the caller promises `size` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), size) };
    if bytes[known.min(size)..].iter().any(|&byte| byte != 0) {
        return Err(Failure::usage(format!(
            "{} has fields that this version of the library ({}) does not know",
            T::NAME,
            env!("CARGO_PKG_VERSION")
        )));
    }
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: both sides have so many bytes, and the value is new, so they do not overlap.
    unsafe {
        std::ptr::copy_nonoverlapping(
            bytes.as_ptr(),
            value.as_mut_ptr().cast::<u8>(),
            known.min(size),
        );
    }
    // SAFETY: all bits zero are a value, and so is what C wrote over them, as the trait's implementor promises.
    Ok(unsafe { value.assume_init() })
}

/// Fills a struct of any version: the fields that both sides know, and zero in those that only the program knows. Its size
/// stays.
///
/// # Safety
/// `to` is NULL, or the first `size_t` at it is the size of what may be written there.
pub(crate) unsafe fn write<T: Versioned>(to: *mut T, value: T) -> Result<(), Failure> {
    // SAFETY: as the caller promises.
    let size = unsafe { size_of_struct(to) }?;
    let (known, head) = (size_of::<T>(), size_of::<usize>());
    let (to, from) = (to.cast::<u8>(), (&raw const value).cast::<u8>());
    // SAFETY: the caller promises `size` bytes, the value has `known`, and a copy on this stack does not overlap with it.
    unsafe {
        std::ptr::copy_nonoverlapping(from.add(head), to.add(head), known.min(size) - head);
        if size > known {
            std::ptr::write_bytes(to.add(known), 0, size - known);
        }
    }
    Ok(())
}

/// The size that a struct states.
///
/// # Safety
/// `at` is NULL, or there is a `size_t` at it.
unsafe fn size_of_struct<T: Versioned>(at: *const T) -> Result<usize, Failure> {
    if at.is_null() {
        return Err(Failure::usage(format!("{} is NULL", T::NAME)));
    }
    if !at.is_aligned() {
        return Err(Failure::usage(format!(
            "{} lies at an address that none of its kind can have",
            T::NAME
        )));
    }
    // SAFETY: it is neither NULL nor odd, and the caller promises the size there.
    let size = unsafe { at.cast::<usize>().read() };
    if !(T::FIRST..=MAX_SIZE).contains(&size) {
        return Err(Failure::usage(format!(
            "{} states a size of {size} bytes; set its field `size` to sizeof({})",
            T::NAME,
            T::NAME
        )));
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Pair {
        size: usize,
        one: u64,
        two: u64,
    }

    // SAFETY: `repr(C)`, begins with its size, and any bits are numbers.
    unsafe impl Versioned for Pair {
        const NAME: &'static str = "pair";
        const FIRST: usize = 16;
    }

    /// What a program of another version hands in.
    fn of_program(words: &mut [u64]) -> *mut Pair {
        words[0] = size_of_val(words) as u64;
        words.as_mut_ptr().cast()
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn programs_of_other_versions_are_understood() {
        // SAFETY: all of them state their size.
        let read = |mut words: Vec<u64>| unsafe { read(of_program(&mut words).cast_const()) };
        let (one, two) = (5, 7);
        assert_eq!(read(vec![0, 5]).unwrap().two, 0);
        assert_eq!(read(vec![0, 5, 7]).unwrap(), Pair { size: 24, one, two });
        assert_eq!(read(vec![0, 5, 7, 0]).unwrap().two, 7);
        assert!(
            read(vec![0, 5, 7, 1])
                .unwrap_err()
                .message
                .contains("does not know")
        );

        let value = Pair { size: 0, one, two };
        for (mut words, expected) in [
            (vec![0, 1], vec![16, 5]),
            (vec![0, 1, 1], vec![24, 5, 7]),
            (vec![0, 1, 1, 1], vec![32, 5, 7, 0]),
        ] {
            // SAFETY: it states its size.
            unsafe { write(of_program(&mut words), value) }.unwrap();
            assert_eq!(words, expected);
        }
    }

    #[test]
    fn sizes_that_were_never_set_are_refused() {
        for size in [0, 8, 15, 4097, usize::MAX] {
            let pair = Pair {
                size,
                one: 1,
                two: 2,
            };
            // SAFETY: a size that is refused is not followed.
            let failure = unsafe { read(&raw const pair) }.unwrap_err();
            assert!(
                failure.message.contains("sizeof(pair)"),
                "{}",
                failure.message
            );
        }
        // SAFETY: NULL and what is not aligned are refused.
        unsafe {
            assert!(read(std::ptr::null::<Pair>()).is_err());
            assert!(read(std::ptr::without_provenance::<Pair>(9)).is_err());
        }
    }
}
