//! A small bounded reader of ELF32 for RISC-V: segments, and where the instructions are.
//!
//! Trust domain: reads foreign files before anything is verified. All offsets are checked, counts
//! have limits, nothing is allocated by a length that was not checked against the file.

use alloc::vec::Vec;

use crate::image::{Image, Program, Segment};

/// Why a file is no program for the SVM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ElfError {
    /// The file ends before offset.
    #[error("ELF file ends before offset {0}")]
    Truncated(usize),
    /// Not ELF32, little-endian, RISC-V, executable.
    #[error("not an executable ELF32 file for RISC-V: {0}")]
    Kind(&'static str),
    /// Compressed instructions or hard floating point.
    #[error("ELF flags 0x{0:x} ask for compressed instructions or floating point registers")]
    Flags(u32),
    /// Too many, too large, overlapping, or none.
    #[error("{0}")]
    Segments(&'static str),
}

/// Most program or section headers that are read.
const MAX_HEADERS: usize = 256;
/// Most memory all segments may take together.
const MAX_MEMORY: u64 = 64 << 20;
const EM_RISCV: u16 = 243;
const PT_LOAD: u32 = 1;
const PF_X: u32 = 1;
const PF_W: u32 = 2;
const SHF_ALLOC: u32 = 2;
const SHF_EXECINSTR: u32 = 4;
const SHT_NOBITS: u32 = 8;
const EF_RISCV_RVC: u32 = 1;
const EF_RISCV_FLOAT_ABI: u32 = 6;

/// Reads a plain program: its segments at their own addresses.
///
/// # Errors
/// [`ElfError`] when the file is not a program the SVM can lay out.
pub fn program(file: &[u8]) -> Result<Program, ElfError> {
    let reader = Reader(file);
    check_kind(&reader)?;
    let entry = reader.u32(24)?;
    let mut segments = segments(&reader)?;
    let (text_start, text_end) = match text_sections(&reader)? {
        Some(range) => range,
        None => text_segments(&segments)?,
    };
    let text_bytes =
        text_end.checked_sub(text_start).ok_or(ElfError::Segments("no instructions"))?;
    if u64::from(text_bytes) > MAX_MEMORY {
        return Err(ElfError::Segments("instructions are too far apart"));
    }
    split_after_text(&mut segments, text_end);
    Ok(Program { entry, text_start, text_bytes, segments })
}

/// Reads a program linked for packages: everything at its load address in one piece, which begins
/// with the text. Initial data lie behind it; the start code copies them to RAM.
///
/// # Errors
/// [`ElfError`] when the file is no such program.
pub fn flat_image(file: &[u8]) -> Result<Image, ElfError> {
    let program = program(file)?;
    let loaded = || program.segments.iter().filter(|s| !s.bytes.is_empty());
    let base =
        loaded().map(|s| s.load_address).min().ok_or(ElfError::Segments("nothing to load"))?;
    if base != program.text_start {
        return Err(ElfError::Segments("a flat image must begin with its instructions"));
    }
    let mut code = Vec::new();
    for segment in loaded() {
        let at = (segment.load_address - base) as usize;
        let end = at.saturating_add(segment.bytes.len());
        if end as u64 > MAX_MEMORY {
            return Err(ElfError::Segments("load addresses are too far apart"));
        }
        if code.len() < end {
            code.resize(end, 0);
        }
        if let Some(place) = code.get_mut(at..end) {
            place.copy_from_slice(&segment.bytes);
        }
    }
    let entry =
        program.entry.checked_sub(base).ok_or(ElfError::Segments("entry before the image"))?;
    Ok(Image { text_bytes: program.text_bytes, code, load_offset: base, entry })
}

fn check_kind(reader: &Reader<'_>) -> Result<(), ElfError> {
    if reader.bytes(0, 4)? != b"\x7fELF" {
        return Err(ElfError::Kind("no ELF magic"));
    }
    if reader.bytes(4, 3)? != [1, 1, 1] {
        return Err(ElfError::Kind("not 32 bit little-endian version 1"));
    }
    if reader.u16(16)? != 2 {
        return Err(ElfError::Kind("not of type executable"));
    }
    if reader.u16(18)? != EM_RISCV {
        return Err(ElfError::Kind("not for RISC-V"));
    }
    match reader.u32(36)? {
        flags if flags & (EF_RISCV_RVC | EF_RISCV_FLOAT_ABI) != 0 => Err(ElfError::Flags(flags)),
        _ => Ok(()),
    }
}

/// Header table: offset of each entry.
fn headers(
    reader: &Reader<'_>,
    table: usize,
    size_at: usize,
    least: usize,
) -> Result<impl Iterator<Item = usize> + use<>, ElfError> {
    let start = reader.u32(table)? as usize;
    let size = usize::from(reader.u16(size_at)?);
    let count = usize::from(reader.u16(size_at + 2)?);
    if count > MAX_HEADERS || (count != 0 && size < least) {
        return Err(ElfError::Segments("too many headers, or headers of illegal size"));
    }
    Ok((0..count).map(move |i| start.saturating_add(i * size)))
}

fn segments(reader: &Reader<'_>) -> Result<Vec<Segment>, ElfError> {
    let mut segments = Vec::new();
    let mut total = 0;
    for at in headers(reader, 28, 42, 32)? {
        let field = |i: usize| reader.u32(at.saturating_add(4 * i));
        let memory_len = field(5)?;
        if field(0)? != PT_LOAD || memory_len == 0 {
            continue;
        }
        let bytes = reader.bytes(field(1)? as usize, field(4)? as usize)?;
        total += u64::from(memory_len);
        if bytes.len() > memory_len as usize || total > MAX_MEMORY {
            return Err(ElfError::Segments("segment sizes are not legal"));
        }
        let flags = field(6)?;
        segments.push(Segment {
            address: field(2)?,
            load_address: field(3)?,
            bytes: bytes.to_vec(),
            memory_len,
            writable: flags & PF_W != 0,
            executable: flags & PF_X != 0,
        });
    }
    if segments.is_empty() {
        return Err(ElfError::Segments("nothing to load"));
    }
    segments.sort_by_key(|s| s.address);
    let overlap = segments.windows(2).any(|pair| match pair {
        [a, b] => u64::from(a.address) + u64::from(a.memory_len) > u64::from(b.address),
        _ => false,
    });
    if overlap {
        return Err(ElfError::Segments("segments overlap"));
    }
    Ok(segments)
}

/// From the first to the last executable section, when the file has section headers.
fn text_sections(reader: &Reader<'_>) -> Result<Option<(u32, u32)>, ElfError> {
    let mut range = None;
    for at in headers(reader, 32, 46, 40)? {
        let field = |i: usize| reader.u32(at.saturating_add(4 * i));
        let (kind, flags, address, size) = (field(1)?, field(2)?, field(3)?, field(5)?);
        let wanted = SHF_ALLOC | SHF_EXECINSTR;
        if flags & wanted == wanted && kind != SHT_NOBITS && size != 0 {
            let end = address.checked_add(size).ok_or(ElfError::Segments("section wraps"))?;
            range = match range {
                None => Some((address, end)),
                Some((from, to)) => Some((address.min(from), end.max(to))),
            };
        }
    }
    Ok(range)
}

fn text_segments(segments: &[Segment]) -> Result<(u32, u32), ElfError> {
    let none = ElfError::Segments("no instructions");
    let text = || segments.iter().filter(|s| s.executable);
    let start = text().map(|s| s.address).min().ok_or(none)?;
    let end = text()
        .map(|s| u64::from(s.address) + s.bytes.len() as u64)
        .max()
        .and_then(|end| u32::try_from(end & !3).ok())
        .ok_or(none)?;
    Ok((start, end))
}

/// A writable segment that holds text too is cut behind the text, so that the rest stays writable.
fn split_after_text(segments: &mut Vec<Segment>, text_end: u32) {
    let mixed = segments.iter().position(|s| {
        s.writable
            && s.executable
            && s.address < text_end
            && u64::from(text_end) < u64::from(s.address) + u64::from(s.memory_len)
    });
    let Some(at) = mixed else { return };
    let Some(segment) = segments.get_mut(at) else { return };
    let head = text_end - segment.address;
    let tail = Segment {
        address: text_end,
        load_address: segment.load_address.wrapping_add(head),
        bytes: segment.bytes.split_off((head as usize).min(segment.bytes.len())),
        memory_len: segment.memory_len - head,
        writable: true,
        executable: false,
    };
    segment.memory_len = head;
    segments.insert(at + 1, tail);
}

/// Little-endian fields at checked offsets.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&self, at: usize, len: usize) -> Result<&'a [u8], ElfError> {
        at.checked_add(len).and_then(|end| self.0.get(at..end)).ok_or(ElfError::Truncated(at))
    }

    fn u16(&self, at: usize) -> Result<u16, ElfError> {
        let bytes = self.0.get(at..).and_then(<[u8]>::first_chunk);
        bytes.copied().map(u16::from_le_bytes).ok_or(ElfError::Truncated(at))
    }

    fn u32(&self, at: usize) -> Result<u32, ElfError> {
        let bytes = self.0.get(at..).and_then(<[u8]>::first_chunk);
        bytes.copied().map(u32::from_le_bytes).ok_or(ElfError::Truncated(at))
    }
}
