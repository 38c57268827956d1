//! The header checks of all three kinds of library, on headers made by hand.

use std::io::Cursor;

use super::super::library_header::{BinaryFormat, Platform, Refusal};

const ELF: Platform = Platform {
    kind: BinaryFormat::Elf,
    machine: Some(62),
};
const MACHO: Platform = Platform {
    kind: BinaryFormat::MachO,
    machine: Some(0x0100_000C),
};
const PE: Platform = Platform {
    kind: BinaryFormat::Pe,
    machine: Some(0x8664),
};

fn put(bytes: &mut [u8], at: usize, value: u64, width: usize) {
    bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
}

fn check(target: Platform, bytes: &[u8]) -> Result<(), Refusal> {
    target.check(&mut Cursor::new(bytes), bytes.len() as u64)
}

/// Two program headers: one to load all 512 bytes, one dynamic.
fn elf() -> Vec<u8> {
    let mut b = vec![0; 512];
    b[..6].copy_from_slice(b"\x7fELF\x02\x01");
    for (at, value, width) in [
        (16, 3, 2),
        (18, 62, 2),
        (32, 64, 8),
        (54, 56, 2),
        (56, 2, 2),
    ] {
        put(&mut b, at, value, width);
    }
    put(&mut b, 64, 1, 4);
    put(&mut b, 64 + 32, 512, 8);
    put(&mut b, 120, 2, 4);
    b
}

/// One segment command that covers all 256 bytes.
fn macho() -> Vec<u8> {
    let mut b = vec![0; 256];
    for (at, value) in [
        (0, 0xFEED_FACF),
        (4, 0x0100_000C),
        (12, 6),
        (16, 1),
        (20, 72),
        (32, 0x19),
        (36, 72),
    ] {
        put(&mut b, at, value, 4);
    }
    put(&mut b, 32 + 48, 256, 8);
    b
}

/// One section that ends with the file.
fn pe() -> Vec<u8> {
    let mut b = vec![0; 256];
    b[..2].copy_from_slice(b"MZ");
    put(&mut b, 0x3C, 64, 4);
    b[64..68].copy_from_slice(b"PE\0\0");
    for (at, value) in [(68, 0x8664), (70, 1), (84, 0), (86, 0x2000)] {
        put(&mut b, at, value, 2);
    }
    put(&mut b, 88 + 16, 56, 4);
    put(&mut b, 88 + 20, 200, 4);
    b
}

#[test]
fn whole_headers_pass_and_cut_ones_do_not() {
    for (target, bytes) in [(ELF, elf()), (MACHO, macho()), (PE, pe())] {
        assert!(check(target, &bytes).is_ok(), "{target:?}");
        for length in 0..bytes.len() {
            assert!(
                check(target, &bytes[..length]).is_err(),
                "{target:?} of {length} bytes"
            );
        }
        let cut = check(target, &bytes[..bytes.len() - 1]);
        assert!(matches!(cut, Err(Refusal::Truncated(n)) if n == bytes.len() as u64));
    }
}

#[test]
fn another_processor_or_system_is_named() {
    for (target, bytes, at) in [(ELF, elf(), 18), (MACHO, macho(), 4), (PE, pe(), 68)] {
        let mut other = bytes.clone();
        other[at] ^= 1;
        assert!(
            matches!(check(target, &other), Err(Refusal::Platform(_))),
            "{target:?}"
        );
        let wrong = if target.kind == BinaryFormat::Elf {
            PE
        } else {
            ELF
        };
        assert!(
            matches!(check(wrong, &bytes), Err(Refusal::Platform(_))),
            "{target:?}"
        );
    }
}

#[test]
fn a_universal_file_is_judged_by_its_own_part() {
    let part = macho();
    let mut b = vec![0; 128];
    b[..8].copy_from_slice(&[0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 1]);
    b[8..12].copy_from_slice(&0x0100_000C_u32.to_be_bytes());
    b[16..20].copy_from_slice(&128_u32.to_be_bytes());
    b[20..24].copy_from_slice(&256_u32.to_be_bytes());
    b.extend(&part);
    assert!(check(MACHO, &b).is_ok());
    assert!(matches!(
        check(MACHO, &b[..300]),
        Err(Refusal::Truncated(384))
    ));
    b[11] = 7;
    assert!(matches!(check(MACHO, &b), Err(Refusal::Platform(_))));
}

/// No byte of a header, whatever its value, makes the check panic or read beyond the file.
#[test]
fn any_byte_may_be_wrong() {
    for (target, bytes) in [(ELF, elf()), (MACHO, macho()), (PE, pe())] {
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut wrong = bytes.clone();
                wrong[at] = value;
                let _ = check(target, &wrong);
                wrong[at..(at + 8).min(bytes.len())].fill(value);
                let _ = check(target, &wrong);
            }
        }
    }
}
