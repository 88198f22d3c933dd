//! What becomes of registers within a row of instructions that is entered at its top only: when
//! each is named next, and whether what it holds can still be seen.

use portcullis_svm::compiled::ScannedPart;

use crate::shape::{reads, shows, writes};

/// When a register is named next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Next {
    /// The index of that instruction; [`Next::END`] when the row ends first.
    at: u32,
    pub(crate) is_read: bool,
    /// Nobody sees what it holds before it is written again.
    pub(crate) is_dead: bool,
}

impl Next {
    /// Not in this row: whatever follows may read it.
    pub(crate) const END: Self = Self { at: u32::MAX, is_read: false, is_dead: false };

    /// Where it is read, or far behind everything when it is not read next.
    pub(crate) fn read_at(self) -> u32 {
        if self.is_read { self.at } else { u32::MAX }
    }
}

/// What becomes of the registers of one instruction behind it: of its sources and its destination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behind {
    pub(crate) sources: [Next; 2],
    pub(crate) destination: Next,
}

/// Looks at `first..end` from its end.
pub(crate) struct Row {
    /// At its top.
    pub(crate) top: [Next; 32],
    behind: Vec<Behind>,
    first: usize,
}

impl Row {
    pub(crate) fn new(text: &ScannedPart, first: usize, end: usize) -> Self {
        let mut next = [Next::END; 32];
        let mut shown = u32::MAX;
        let mut behind = Vec::with_capacity(end - first);
        for index in (first..end).rev() {
            let Some(instruction) = text.get(index) else { continue };
            let sources = reads(&instruction);
            let destination = writes(&instruction);
            let of = |register: u8| {
                let next = next.get(usize::from(register)).copied().unwrap_or(Next::END);
                // Written at its end by an instruction that may stop is written too late.
                Next { is_dead: next.at != u32::MAX && !next.is_read && shown > next.at, ..next }
            };
            let destination_next = destination.map_or(Next::END, of);
            behind.push(Behind { sources: sources.map(of), destination: destination_next });
            if shows(instruction.op) {
                shown = index as u32;
            }
            let mut note = |register: u8, is_read| {
                if let Some(next) = next.get_mut(usize::from(register)) {
                    *next = Next { at: index as u32, is_read, is_dead: false };
                }
            };
            if let Some(register) = destination {
                note(register, false);
            }
            for register in sources {
                note(register, true);
            }
        }
        behind.reverse();
        let top = next.map(|next| Next {
            is_dead: next.at != u32::MAX && !next.is_read && shown > next.at,
            ..next
        });
        Self { top, behind, first }
    }

    /// Behind an instruction of the row.
    pub(crate) fn behind(&self, index: usize) -> Behind {
        let none = Behind { sources: [Next::END; 2], destination: Next::END };
        let at = index.checked_sub(self.first).and_then(|at| self.behind.get(at));
        at.copied().unwrap_or(none)
    }
}
