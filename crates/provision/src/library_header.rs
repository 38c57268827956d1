//! Reads the header of a shared library, so that a wrong or cut file is refused before the system's
//! loader sees it: the loader maps a cut file without complaint and the program then dies of it.

use std::io::{self, Read, Seek, SeekFrom};

/// The three kinds of shared library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BinaryFormat {
    Elf,
    MachO,
    Pe,
}

/// What a library is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Platform {
    pub(super) kind: BinaryFormat,
    /// The processor's number in that kind's header; `None` where this program does not know it.
    pub(super) machine: Option<u32>,
}

/// Why a file was refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Not a shared library of any kind known here.
    Format(String),
    /// For another system or processor.
    Platform(String),
    /// The header names bytes up to this position, and the file ends before it.
    Truncated(u64),
    /// Reading failed.
    Io(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The largest header table that is read, in bytes; an ELF table of 65,535 entries has 3.7 million.
const TABLE_LIMIT: u64 = 4 << 20;

impl Platform {
    /// What this program itself was built for.
    pub(super) fn this() -> Self {
        let kind = BinaryFormat::this();
        let machine = match (kind, std::env::consts::ARCH) {
            (BinaryFormat::Elf, "x86_64") => Some(62),
            (BinaryFormat::Elf, "aarch64") => Some(183),
            (BinaryFormat::MachO, "x86_64") => Some(0x0100_0007),
            (BinaryFormat::MachO, "aarch64") => Some(0x0100_000C),
            (BinaryFormat::Pe, "x86_64") => Some(0x8664),
            (BinaryFormat::Pe, "aarch64") => Some(0xAA64),
            _ => None,
        };
        Self { kind, machine }
    }

    /// Checks that `file` (`size` bytes) is a whole shared library for this target.
    pub(super) fn check<F: Read + Seek>(self, file: &mut F, size: u64) -> Result<(), Refusal> {
        if size == 0 {
            return Err(Refusal::Format("the file is empty".to_owned()));
        }
        let start = bytes(file, size, 0, size.min(64))?;
        let kind = match start.get(..4) {
            Some(b"\x7fELF") => BinaryFormat::Elf,
            Some([0xCF | 0xCE, 0xFA, 0xED, 0xFE] | [0xCA, 0xFE, 0xBA, 0xBE]) => BinaryFormat::MachO,
            Some([b'M', b'Z', ..]) => BinaryFormat::Pe,
            _ => {
                return Err(Refusal::Format("it has no library's header".to_owned()));
            }
        };
        if kind != self.kind {
            return Err(Refusal::Platform(kind.system().to_owned()));
        }
        match kind {
            BinaryFormat::Elf => self.check_elf(file, size, &start),
            BinaryFormat::MachO => self.check_macho(file, size, &start),
            BinaryFormat::Pe => self.check_pe(file, size, &start),
        }
    }

    fn check_machine(self, found: u32) -> Result<(), Refusal> {
        match self.machine {
            Some(needed) if needed != found => Err(Refusal::Platform(format!(
                "{} on {}",
                self.kind.system(),
                processor(found)
            ))),
            _ => Ok(()),
        }
    }

    fn check_elf<F: Read + Seek>(
        self,
        file: &mut F,
        size: u64,
        start: &[u8],
    ) -> Result<(), Refusal> {
        if self.machine.is_none() {
            return Ok(()); // an ELF of another width or byte order: the loader must judge it
        }
        if start.get(4..6) != Some(&[2, 1]) {
            return Err(Refusal::Platform(
                "a 32-bit or big-endian processor".to_owned(),
            ));
        }
        if start.len() < 64 {
            return Err(Refusal::Truncated(64));
        }
        self.check_machine(number(start, 18, 2)? as u32)?;
        if number(start, 16, 2)? != 3 {
            return Err(Refusal::Format(
                "it is an ELF file, but no shared object".to_owned(),
            ));
        }
        let (offset, width, count) = (
            number(start, 32, 8)?,
            number(start, 54, 2)?,
            number(start, 56, 2)?,
        );
        if width != 56 || count == 0 {
            return Err(Refusal::Format(
                "its ELF program headers make no sense".to_owned(),
            ));
        }
        let table = bytes(file, size, offset, width * count)?;
        let (mut loads, mut dynamic) = (0, false);
        for header in table.chunks_exact(56) {
            match number(header, 0, 4)? {
                1 => loads += 1,
                2 => dynamic = true,
                _ => continue,
            }
            within(size, number(header, 8, 8)?, number(header, 32, 8)?)?;
        }
        if loads == 0 || !dynamic {
            return Err(Refusal::Format("it has nothing to load".to_owned()));
        }
        Ok(())
    }

    fn check_macho<F: Read + Seek>(
        self,
        file: &mut F,
        size: u64,
        start: &[u8],
    ) -> Result<(), Refusal> {
        if start.get(..4) != Some(&[0xCA, 0xFE, 0xBA, 0xBE]) {
            return self.check_thin_macho(file, size, 0);
        }
        // A universal file: big-endian, one entry of 20 bytes for each processor.
        let count = number_be(start, 4)?;
        let table = bytes(file, size, 8, u64::from(count) * 20)?;
        for entry in table.chunks_exact(20) {
            if self
                .machine
                .is_none_or(|m| number_be(entry, 0).ok() == Some(m))
            {
                let (offset, length) = (number_be(entry, 8)?, number_be(entry, 12)?);
                within(size, offset.into(), length.into())?;
                return self.check_thin_macho(file, size, offset.into());
            }
        }
        Err(Refusal::Platform("macOS on other processors".to_owned()))
    }

    fn check_thin_macho<F: Read + Seek>(
        self,
        file: &mut F,
        size: u64,
        base: u64,
    ) -> Result<(), Refusal> {
        let header = bytes(file, size, base, 32)?;
        if header.get(..4) != Some(&[0xCF, 0xFA, 0xED, 0xFE]) {
            return Err(Refusal::Platform("macOS on a 32-bit processor".to_owned()));
        }
        self.check_machine(number(&header, 4, 4)? as u32)?;
        if !matches!(number(&header, 12, 4)?, 6 | 8) {
            return Err(Refusal::Format(
                "it is a Mach-O file, but no library".to_owned(),
            ));
        }
        let commands = bytes(file, size, base.saturating_add(32), number(&header, 20, 4)?)?;
        let mut rest = commands.as_slice();
        for _ in 0..number(&header, 16, 4)? {
            let length = number(rest, 4, 4)? as usize;
            if number(rest, 0, 4)? == 0x19 {
                let offset = number(rest, 40, 8)?.saturating_add(base);
                within(size, offset, number(rest, 48, 8)?)?;
            }
            rest = match rest.get(length..) {
                Some(next) if length >= 8 => next,
                _ => {
                    return Err(Refusal::Format(
                        "its load commands make no sense".to_owned(),
                    ));
                }
            };
        }
        Ok(())
    }

    fn check_pe<F: Read + Seek>(
        self,
        file: &mut F,
        size: u64,
        start: &[u8],
    ) -> Result<(), Refusal> {
        let base = number(start, 0x3C, 4)?;
        let header = bytes(file, size, base, 24)?;
        if header.get(..4) != Some(b"PE\0\0") {
            return Err(Refusal::Format("it is a DOS program".to_owned()));
        }
        self.check_machine(number(&header, 4, 2)? as u32)?;
        if number(&header, 22, 2)? & 0x2000 == 0 {
            return Err(Refusal::Format("it is a program, no DLL".to_owned()));
        }
        let sections = base + 24 + number(&header, 20, 2)?;
        for section in bytes(file, size, sections, number(&header, 6, 2)? * 40)?.chunks_exact(40) {
            within(size, number(section, 20, 4)?, number(section, 16, 4)?)?;
        }
        Ok(())
    }
}

impl BinaryFormat {
    /// The kind of this platform.
    pub(super) fn this() -> Self {
        if cfg!(windows) {
            BinaryFormat::Pe
        } else if cfg!(target_vendor = "apple") {
            BinaryFormat::MachO
        } else {
            BinaryFormat::Elf
        }
    }

    fn system(self) -> &'static str {
        match self {
            Self::Elf => "Linux or another Unix",
            Self::MachO => "macOS",
            Self::Pe => "Windows",
        }
    }
}

/// A processor's name from its number; the numbers of the three kinds do not overlap here.
fn processor(machine: u32) -> String {
    match machine {
        62 | 0x0100_0007 | 0x8664 => "x86-64".to_owned(),
        183 | 0x0100_000C | 0xAA64 => "64-bit ARM".to_owned(),
        other => format!("processor number {other:#x}"),
    }
}

fn within(size: u64, offset: u64, length: u64) -> Result<(), Refusal> {
    match offset.checked_add(length) {
        Some(end) if end <= size => Ok(()),
        Some(end) => Err(Refusal::Truncated(end)),
        None => Err(Refusal::Format(
            "its header names impossible positions".to_owned(),
        )),
    }
}

/// Reads `length` bytes from `offset`, after checking that the file has them and that they are not too many.
fn bytes<F: Read + Seek>(
    file: &mut F,
    size: u64,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, Refusal> {
    if length > TABLE_LIMIT {
        return Err(Refusal::Format(format!(
            "its header asks for a table of {length} bytes"
        )));
    }
    within(size, offset, length)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut read = vec![0; length as usize];
    file.read_exact(&mut read)?;
    Ok(read)
}

/// A little-endian number of `width` bytes (8 at most).
fn number(bytes: &[u8], at: usize, width: usize) -> Result<u64, Refusal> {
    let part = bytes
        .get(at..at + width)
        .ok_or_else(|| Refusal::Format("its header is too short".to_owned()))?;
    Ok(part.iter().rev().fold(0, |sum, &b| sum << 8 | u64::from(b)))
}

/// A big-endian number of four bytes.
fn number_be(bytes: &[u8], at: usize) -> Result<u32, Refusal> {
    Ok((number(bytes, at, 4)? as u32).swap_bytes())
}
