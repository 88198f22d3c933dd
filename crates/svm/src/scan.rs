//! The scan before launch: it is the decoding pass, and nothing that it refuses ever runs.
//!
//! Clause: X.1198 7.3. Linear in the text, allocates by the checked text length only. It refuses
//! words off the permit list, instructions that the policy does not declare, transfers that leave the text or are misaligned, TRAP ids that no
//! event permits, an entry point outside the text, and text whose end can be run over.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::abi;
use crate::decode::{ECALL, Instruction, Op, SINK, decode};
use crate::extension::{self, Extensions};
use crate::policy::{Compatibility, Limits, PermitTable};
pub(crate) use crate::text::DecodedText;
use crate::text::{ILLEGAL, placed};
use crate::threaded::Slot;

/// Why a client was refused before its first instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// Text or image length is zero, not whole instructions, or above the limit.
    #[error("length of {what} ({len} octets) is not legal")]
    Length {
        /// Which length.
        what: &'static str,
        /// Octets.
        len: u32,
    },
    /// The load offset is misaligned, or the image does not end within the code limit.
    #[error("load offset 0x{0:x} is not legal")]
    LoadOffset(u32),
    /// A segment overlaps another, wraps, or exceeds the limits.
    #[error("memory at 0x{0:08x} cannot be laid out")]
    Layout(u32),
    /// A word is not on the permit list.
    #[error("forbidden instruction 0x{word:08x} at 0x{address:08x}")]
    Forbidden {
        /// Where it is.
        address: u32,
        /// The word.
        word: u32,
    },
    /// An instruction is of an extension that the policy does not declare.
    #[error("instruction 0x{word:08x} at 0x{address:08x} needs {needs}, which is not declared")]
    Undeclared {
        /// Where it is.
        address: u32,
        /// The word.
        word: u32,
        /// The extensions that have it; any one of them will do.
        needs: Extensions,
    },
    /// A branch or JAL leads out of the text or between instructions.
    #[error("jump at 0x{address:08x} leads to 0x{target:08x}, which is no instruction")]
    Target {
        /// Where the jump is.
        address: u32,
        /// Where it leads.
        target: u32,
    },
    /// No event permits this system call.
    #[error("system call 0x{id:03x} at 0x{address:08x} is permitted in no event")]
    Call {
        /// Where the TRAP is.
        address: u32,
        /// Its id.
        id: u16,
    },
    /// The entry point is not an instruction of the text.
    #[error("entry point 0x{0:08x} is no instruction of the text")]
    Entry(u32),
    /// Execution can run over the end of the text.
    #[error("the text does not end in a jump")]
    FallsThrough,
}

/// What the scan saw, for reports.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScanReport {
    /// Instructions in the text.
    pub instructions: usize,
    /// Every system call id in the text, ascending.
    pub calls: Vec<u16>,
}

/// Decodes and checks a text that starts at `base`.
// spec: X-C02
// defends: T-15
pub(crate) fn scan(
    text: &[u8],
    base: u32,
    entry: u32,
    permits: &PermitTable,
    limits: &Limits,
) -> Result<(DecodedText, ScanReport), ScanError> {
    let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let end = u64::from(base) + u64::from(len);
    if len == 0 || !len.is_multiple_of(4) || len > limits.code_bytes {
        return Err(ScanError::Length { what: "text", len });
    }
    if !base.is_multiple_of(4) || end > u64::from(abi::RETURN_ADDRESS) {
        return Err(ScanError::LoadOffset(base));
    }
    let len_in_words = text.len() / 4;
    let mut decoded =
        DecodedText { base, len: len_in_words, code: Vec::with_capacity(len_in_words) };
    let mut calls = BTreeSet::new();
    let mut order = Order::default();
    for (index, word) in text.as_chunks::<4>().0.iter().enumerate() {
        let address = decoded.address(index);
        let instruction = permitted(u32::from_le_bytes(*word), address, limits)?;
        let mut instruction = match placed(instruction, address, base, len) {
            // Data among the text of a suite may look like a jump to nowhere.
            Err(_) if limits.compatibility != Compatibility::Client => ILLEGAL,
            placed => placed?,
        };
        if instruction.op == Op::Trap {
            let id = instruction.imm as u16;
            if !permits.permits_in_some_event(id) {
                return Err(ScanError::Call { address, id });
            }
            calls.insert(id);
        }
        order.put(&mut instruction, index as u32);
        decoded.code.push(Slot::new(instruction));
    }
    decoded.index(entry).ok_or(ScanError::Entry(entry))?;
    if !decoded.code.last().is_some_and(|slot| never_falls_through(&slot.instruction))
        && limits.compatibility == Compatibility::Client
    {
        return Err(ScanError::FallsThrough);
    }
    let report =
        ScanReport { instructions: decoded.code.len(), calls: calls.into_iter().collect() };
    Ok((decoded, report))
}

/// Puts operands in order where theirs means nothing: first the one that was written last, and x0
/// behind all. So the engines meet one form of what compilers write in two.
struct Order {
    /// 1 more than the index of the instruction that wrote it last, by register.
    written: [u32; SINK as usize + 1],
}

impl Default for Order {
    fn default() -> Self {
        Self { written: [0; SINK as usize + 1] }
    }
}

impl Order {
    fn put(&mut self, instruction: &mut Instruction, index: u32) {
        use Op::*;
        let Instruction { op, rd, rs1, rs2, .. } = *instruction;
        let last = |register: u8| self.written.get(usize::from(register)).copied().unwrap_or(0);
        let commutes = matches!(
            op,
            Add | And | Beq | Bne | Max | Maxu | Min | Minu | Mul | Mulh | Mulhu | Or | Xnor | Xor
        );
        if commutes && (rs1 == 0 || rs2 != 0 && last(rs2) > last(rs1)) {
            (instruction.rs1, instruction.rs2) = (rs2, rs1);
        }
        // In branches and stores the field of rd is none.
        let writes = !matches!(op, Beq | Bne | Blt | Bge | Bltu | Bgeu | Sb | Sh | Sw);
        if writes && let Some(written) = self.written.get_mut(usize::from(rd)) {
            *written = index + 1;
        }
    }
}

fn permitted(word: u32, address: u32, limits: &Limits) -> Result<Instruction, ScanError> {
    let refusal = match decode(word) {
        None => ScanError::Forbidden { address, word },
        Some(instruction) => match extension::providers(&instruction) {
            Some(needs) if needs.and(limits.extensions) == Extensions::NONE => {
                ScanError::Undeclared { address, word, needs }
            }
            _ => return Ok(instruction),
        },
    };
    match limits.compatibility {
        Compatibility::Client => Err(refusal),
        Compatibility::UnsafeSimulatorEcall => {
            let op = if word == ECALL { Op::Ecall } else { Op::Illegal };
            Ok(Instruction { op, ..ILLEGAL })
        }
    }
}

/// JAL and JALR leave; `unimp` and TRAP Exit never come back.
fn never_falls_through(last: &Instruction) -> bool {
    matches!(last.op, Op::Jal | Op::Jalr | Op::Unimp)
        || last.op == Op::Trap && last.imm == i32::from(crate::Syscall::Exit.id())
}
