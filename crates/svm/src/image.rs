//! What the loader takes: the flat image of a package, or the segments of a plain ELF file.

use alloc::vec::Vec;

/// The code of a client as a package carries it: text, read-only data and initial data in one
/// piece, loaded at `load_offset`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// How many octets at the start of `code` are instructions.
    pub text_bytes: u32,
    /// The whole image.
    pub code: Vec<u8>,
    /// Where the image lies in the client's memory; normally 0.
    pub load_offset: u32,
    /// Entry point as an offset into `code`.
    pub entry: u32,
}

/// A piece of a plain program with an address of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Where it lies when the program runs.
    pub address: u32,
    /// Where a flat image carries it.
    pub load_address: u32,
    /// Its octets.
    pub bytes: Vec<u8>,
    /// Its size in memory; what is beyond `bytes` is zero.
    pub memory_len: u32,
    /// May the program write it?
    pub writable: bool,
    /// Does it hold instructions?
    pub executable: bool,
}

/// A plain program: segments at their own addresses, for `svm run` and test suites.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// Address of the first instruction.
    pub entry: u32,
    /// First address of the instructions.
    pub text_start: u32,
    /// Octets of instructions.
    pub text_bytes: u32,
    /// All segments, ascending by address, none overlapping.
    pub segments: Vec<Segment>,
}

impl Program {
    /// The instructions in one piece, from the segments that hold them; gaps are zero. `None` when
    /// no segment has them or the length is not sane.
    pub(crate) fn text(&self) -> Option<Vec<u8>> {
        let mut text = alloc::vec![0; self.text_bytes as usize];
        let mut found = false;
        for segment in self.segments.iter().filter(|s| s.executable) {
            let start = segment.address.max(self.text_start);
            let end = (u64::from(segment.address) + segment.bytes.len() as u64)
                .min(u64::from(self.text_start) + u64::from(self.text_bytes));
            let Some(len) = end.checked_sub(u64::from(start)).filter(|len| *len != 0) else {
                continue;
            };
            let from = (start - segment.address) as usize;
            let to = (start - self.text_start) as usize;
            let source = segment.bytes.get(from..from + len as usize)?;
            text.get_mut(to..to + len as usize)?.copy_from_slice(source);
            found = true;
        }
        found.then_some(text)
    }
}
