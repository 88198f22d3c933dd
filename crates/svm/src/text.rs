//! The text of a client: decoded, one slot for each word; or, where a compiling tier has the client,
//! the words alone.
//!
//! Clauses: X.1198 7.1, 7.3. A tier needs its instructions once, and beside its code no slots are
//! kept: whoever needs an instruction then decodes it again from the guest's memory. There the text
//! is as the scan saw it: no segment that holds text can be written, by the guest or for it. What
//! must never happen: an instruction that the scan did not see.

use alloc::vec::Vec;
use core::ops::Range;

use crate::decode::{Instruction, Op, SINK, decode};
use crate::memory::GuestMemory;
use crate::scan::ScanError;
use crate::threaded::Slot;

/// Faults when it is reached.
pub(crate) const ILLEGAL: Instruction =
    Instruction { op: Op::Illegal, rd: SINK, rs1: 0, rs2: 0, imm: 0 };
/// Instructions that are decoded at once where there are no slots.
const WINDOW: usize = 32;

/// A text that went through the scan.
#[derive(Debug)]
pub(crate) struct DecodedText {
    pub(crate) base: u32,
    /// Instructions.
    pub(crate) len: usize,
    /// One for each instruction; none where a tier has the client.
    pub(crate) code: Vec<Slot>,
}

impl DecodedText {
    /// The index of an address, when it is an instruction of the text.
    pub(crate) fn index(&self, address: u32) -> Option<usize> {
        let offset = address.wrapping_sub(self.base);
        let index = (offset / 4) as usize;
        (offset.is_multiple_of(4) && index < self.len).then_some(index)
    }

    /// The address of an index.
    pub(crate) const fn address(&self, index: usize) -> u32 {
        self.base.wrapping_add(index as u32 * 4)
    }

    /// The same text without slots.
    pub(crate) const fn in_words(&self) -> Self {
        Self { base: self.base, len: self.len, code: Vec::new() }
    }

    /// Are there no slots?
    pub(crate) const fn is_in_words(&self) -> bool {
        self.code.is_empty()
    }

    /// The same text with slots, from the memory of its client.
    pub(crate) fn with_slots(&self, memory: &GuestMemory) -> Self {
        let code = self.read(0..self.len, memory).map(Slot::new).collect();
        Self { code, ..*self }
    }

    /// Instructions of a range, from slots or from memory.
    pub(crate) fn read<'a>(
        &'a self,
        range: Range<usize>,
        memory: &'a GuestMemory,
    ) -> impl Iterator<Item = Instruction> + 'a {
        let range = range.start..range.end.min(self.len);
        let octets = range.len() as u32 * 4;
        // Mostly the text lies in one piece.
        let words = memory.readable(self.address(range.start), octets).map(|all| all.as_chunks().0);
        let first = range.start;
        range.map(move |index| {
            if let Some(slot) = self.code.get(index) {
                return slot.instruction;
            }
            let word = match words {
                Some(words) => words.get(index - first).copied(),
                None => memory.load(self.address(index)).ok(),
            };
            self.again(word.map_or(0, u32::from_le_bytes), index)
        })
    }

    /// What a word was decoded to by the scan.
    fn again(&self, word: u32, index: usize) -> Instruction {
        let placed = |instruction| {
            placed(instruction, self.address(index), self.base, self.len as u32 * 4).ok()
        };
        decode(word).and_then(placed).unwrap_or(ILLEGAL)
    }
}

/// What a decoded word means at its address: a branch or JAL gets the index of its target, and AUIPC
/// is LUI once its address is known. `len` is that of the text, in octets.
pub(crate) fn placed(
    mut instruction: Instruction,
    address: u32,
    base: u32,
    len: u32,
) -> Result<Instruction, ScanError> {
    match instruction.op {
        Op::Jal | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => {
            instruction.imm = target_index(instruction.imm, address, base, len)?;
        }
        Op::Auipc => {
            instruction.imm = instruction.imm.wrapping_add(address as i32);
            instruction.rs1 = 0;
        }
        // What it loads is the sum of x0 and it.
        Op::Lui => instruction.rs1 = 0,
        _ => {}
    }
    Ok(instruction)
}

fn target_index(offset: i32, address: u32, base: u32, len: u32) -> Result<i32, ScanError> {
    let target = address.wrapping_add_signed(offset);
    let within = target.wrapping_sub(base);
    if within < len && within.is_multiple_of(4) {
        Ok((within / 4) as i32)
    } else {
        Err(ScanError::Target { address, target })
    }
}

/// Where the match loop gets its instructions.
pub(crate) trait Fetch {
    /// From here on straight code may reach so many instructions.
    fn within(&mut self, pc: usize, left: u64);

    /// The instruction at `pc`, when it is within reach. `is_target`: control came by a transfer.
    fn fetch(&mut self, pc: usize, memory: &GuestMemory, is_target: bool) -> Option<Instruction>;
}

/// From slots.
pub(crate) struct Slots<'a> {
    all: &'a [Slot],
    reach: &'a [Slot],
}

impl<'a> Slots<'a> {
    pub(crate) fn new(text: &'a DecodedText) -> Self {
        Self { all: &text.code, reach: &[] }
    }
}

impl Fetch for Slots<'_> {
    #[inline(always)]
    fn within(&mut self, pc: usize, left: u64) {
        self.reach = self.all;
        if left < self.all.len() as u64 {
            let end = pc.saturating_add(left as usize).min(self.all.len());
            self.reach = self.all.get(..end).unwrap_or_default();
        }
    }

    #[inline(always)]
    fn fetch(&mut self, pc: usize, _: &GuestMemory, is_target: bool) -> Option<Instruction> {
        let slot = self.reach.get(pc)?;
        #[cfg(feature = "rows")]
        slot.count(is_target);
        let _ = is_target;
        Some(slot.instruction)
    }
}

/// From the words, some at a time.
pub(crate) struct Words<'a> {
    text: &'a DecodedText,
    end: usize,
    /// The first of the window; no text is so long at the start.
    first: usize,
    window: [Instruction; WINDOW],
}

impl<'a> Words<'a> {
    pub(crate) const fn new(text: &'a DecodedText) -> Self {
        Self { text, end: 0, first: usize::MAX, window: [ILLEGAL; WINDOW] }
    }
}

impl Fetch for Words<'_> {
    fn within(&mut self, pc: usize, left: u64) {
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        self.end = pc.saturating_add(left).min(self.text.len);
    }

    fn fetch(&mut self, pc: usize, memory: &GuestMemory, _: bool) -> Option<Instruction> {
        if pc >= self.end {
            return None;
        }
        let first = pc / WINDOW * WINDOW;
        if first != self.first {
            self.first = first;
            let read = self.text.read(first..first + WINDOW, memory);
            for (place, instruction) in self.window.iter_mut().zip(read) {
                *place = instruction;
            }
        }
        self.window.get(pc % WINDOW).copied()
    }
}
