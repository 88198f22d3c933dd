//! A small bounded reader of ELF32 for RISC-V: segments, and where the instructions are.
//!
//! Trust domain: reads foreign files before anything is verified. All offsets are checked, counts
//! have limits, nothing is allocated by a length that was not checked against the file.

use alloc::vec::Vec;

use crate::image::{Image, Program, Segment};

/// Why a file is no program for the SVM, and at which offset of the file that stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ElfError {
    /// The file ends before what should begin at offset.
    #[error("offset 0x{0:x}: the ELF file ends here, too early")]
    Truncated(usize),
    /// Not ELF32, little-endian, RISC-V, executable.
    #[error("offset 0x{at:x}: not an executable ELF32 file for RISC-V: {what}")]
    Kind {
        /// Offset of the field.
        at: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Compressed instructions or hard floating point.
    #[error(
        "offset 0x24: flags 0x{0:x} ask for compressed instructions or floating point registers"
    )]
    Flags(u32),
    /// Too many, too large, overlapping, or none.
    #[error("offset 0x{at:x}: {what}")]
    Segments {
        /// Offset of the header that says so.
        at: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Most program or section headers that are read.
const MAX_HEADERS: usize = 256;
/// Most memory all segments may take together.
const MAX_MEMORY: u64 = 64 << 20;
/// Offsets of fields of the file header.
const ENTRY: usize = 24;
const PROGRAM_HEADERS: usize = 28;
const SECTION_HEADERS: usize = 32;
const FLAGS: usize = 36;
const EM_RISCV: u16 = 243;
const ET_EXEC: u16 = 2;
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
    let entry = reader.u32(ENTRY)?;
    let mut segments = segments(&reader)?;
    let (text_start, text_end) = match text_sections(&reader)? {
        Some(range) => range,
        None => text_segments(&segments)?,
    };
    let bad = |what| ElfError::Segments { at: ENTRY, what };
    let text_bytes = text_end.checked_sub(text_start).ok_or_else(|| bad("no instructions"))?;
    if u64::from(text_bytes) > MAX_MEMORY {
        return Err(bad("instructions are too far apart"));
    }
    split(&mut segments, text_start, Part::Head);
    split(&mut segments, text_end, Part::Tail);
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
    let bad = |what| ElfError::Segments { at: PROGRAM_HEADERS, what };
    let base = loaded().map(|s| s.load_address).min().ok_or_else(|| bad("nothing to load"))?;
    if base != program.text_start {
        return Err(bad("a flat image must begin with its instructions"));
    }
    let mut code = Vec::new();
    for segment in loaded() {
        let at = (segment.load_address - base) as usize;
        let end = at.saturating_add(segment.bytes.len());
        if end as u64 > MAX_MEMORY {
            return Err(bad("load addresses are too far apart"));
        }
        if code.len() < end {
            code.resize(end, 0);
        }
        if let Some(place) = code.get_mut(at..end) {
            place.copy_from_slice(&segment.bytes);
        }
    }
    // Executable segments may lie apart in memory and close together in the file.
    if program.text_bytes as usize > code.len() {
        return Err(bad("the instructions end beyond the image"));
    }
    let before = ElfError::Segments { at: ENTRY, what: "entry before the image" };
    let entry = program.entry.checked_sub(base).ok_or(before)?;
    Ok(Image { text_bytes: program.text_bytes, code, load_offset: base, entry })
}

fn check_kind(reader: &Reader<'_>) -> Result<(), ElfError> {
    let kind = |good: bool, at, what| if good { Ok(()) } else { Err(ElfError::Kind { at, what }) };
    kind(reader.bytes(0, 4)? == b"\x7fELF", 0, "no ELF magic")?;
    let ident = reader.bytes(4, 3)?;
    kind(ident == [1, 1, 1], 4, "not 32 bit little-endian version 1")?;
    kind(reader.u16(16)? == ET_EXEC, 16, "not of type executable")?;
    kind(reader.u16(18)? == EM_RISCV, 18, "not for RISC-V")?;
    match reader.u32(FLAGS)? {
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
        let what = "too many headers, or headers of illegal size";
        return Err(ElfError::Segments { at: size_at, what });
    }
    Ok((0..count).map(move |i| start.saturating_add(i * size)))
}

fn segments(reader: &Reader<'_>) -> Result<Vec<Segment>, ElfError> {
    let mut segments = Vec::new();
    let mut total = 0;
    for at in headers(reader, PROGRAM_HEADERS, 42, 32)? {
        let field = |i: usize| reader.u32(at.saturating_add(4 * i));
        let memory_len = field(5)?;
        if field(0)? != PT_LOAD || memory_len == 0 {
            continue;
        }
        let bytes = reader.bytes(field(1)? as usize, field(4)? as usize)?;
        total += u64::from(memory_len);
        if bytes.len() > memory_len as usize || total > MAX_MEMORY {
            return Err(ElfError::Segments { at, what: "segment sizes are not legal" });
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
    let bad = |what| Err(ElfError::Segments { at: PROGRAM_HEADERS, what });
    if segments.is_empty() {
        return bad("nothing to load");
    }
    segments.sort_by_key(|s| s.address);
    let overlap = segments.windows(2).any(|pair| match pair {
        [a, b] => u64::from(a.address) + u64::from(a.memory_len) > u64::from(b.address),
        _ => false,
    });
    if overlap {
        return bad("segments overlap");
    }
    Ok(segments)
}

/// From the first to the last executable section, when the file has section headers.
fn text_sections(reader: &Reader<'_>) -> Result<Option<(u32, u32)>, ElfError> {
    let mut range = None;
    for at in headers(reader, SECTION_HEADERS, 46, 40)? {
        let field = |i: usize| reader.u32(at.saturating_add(4 * i));
        let (kind, flags, address, size) = (field(1)?, field(2)?, field(3)?, field(5)?);
        let wanted = SHF_ALLOC | SHF_EXECINSTR;
        if flags & wanted == wanted && kind != SHT_NOBITS && size != 0 {
            let wraps = ElfError::Segments { at, what: "section wraps" };
            let end = address.checked_add(size).ok_or(wraps)?;
            range = match range {
                None => Some((address, end)),
                Some((from, to)) => Some((address.min(from), end.max(to))),
            };
        }
    }
    Ok(range)
}

fn text_segments(segments: &[Segment]) -> Result<(u32, u32), ElfError> {
    let none = ElfError::Segments { at: PROGRAM_HEADERS, what: "no instructions" };
    let text = || segments.iter().filter(|s| s.executable);
    let start = text().map(|s| s.address).min().ok_or(none)?;
    let end = text()
        .map(|s| u64::from(s.address) + s.bytes.len() as u64)
        .max()
        .and_then(|end| u32::try_from(end & !3).ok())
        .ok_or(none)?;
    Ok((start, end))
}

/// Which part of a segment that is cut in two is no text.
enum Part {
    Head,
    Tail,
}

/// A writable segment that holds text too is cut at the border of the text, so that the rest of it
/// stays writable.
fn split(segments: &mut Vec<Segment>, border: u32, data: Part) {
    let mixed = segments.iter().position(|s| {
        s.writable
            && s.executable
            && s.address < border
            && u64::from(border) < u64::from(s.address) + u64::from(s.memory_len)
    });
    let Some(at) = mixed else { return };
    let Some(segment) = segments.get_mut(at) else { return };
    let head = border - segment.address;
    let mut tail = Segment {
        address: border,
        load_address: segment.load_address.wrapping_add(head),
        bytes: segment.bytes.split_off((head as usize).min(segment.bytes.len())),
        memory_len: segment.memory_len - head,
        writable: true,
        executable: true,
    };
    segment.memory_len = head;
    match data {
        Part::Head => segment.executable = false,
        Part::Tail => tail.executable = false,
    }
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
