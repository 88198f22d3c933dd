//! The engines that run decoded text, and what they work on. Both mean the same: registers,
//! memory, how it stopped and the count of instructions.

use crate::abi::RETURN_ADDRESS;
use crate::decode::{Instruction, Op};
use crate::interpreter::{self, Registers, Stop};
use crate::memory::GuestMemory;
use crate::scan::DecodedText;
use crate::threaded;

/// What executes a client's instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Engine {
    /// The match loop: the semantic reference, everywhere the same code.
    MatchLoop,
    /// The threaded interpreter, several times as fast. Where this build does not have it, the
    /// match loop runs instead.
    #[default]
    Threaded,
}

impl Engine {
    /// Whether this build really has the engine.
    #[must_use]
    pub const fn is_available(self) -> bool {
        match self {
            Self::MatchLoop => true,
            Self::Threaded => cfg!(portcullis_threaded),
        }
    }

    /// Runs until something stops it. On a fault the PC is that of the faulting instruction.
    pub(crate) fn run(self, text: &DecodedText, machine: &mut Machine) -> Stop {
        if self == Self::Threaded && threaded::run(text, machine) && machine.left != 0 {
            // It stops before what it cannot do itself: mostly a TRAP, or the return at the end.
            let Machine { registers, left, .. } = &mut *machine;
            match text.code.get(registers.pc).map(|slot| slot.instruction) {
                Some(Instruction { op: Op::Trap, imm, .. }) => {
                    registers.pc += 1;
                    return Stop::Trap(imm as u16);
                }
                Some(Instruction { op: Op::Jalr, rs1, imm, .. })
                    if registers.get(rs1).wrapping_add(imm as u32) & !1 == RETURN_ADDRESS =>
                {
                    // No text reaches up to there.
                    *left -= 1;
                    return Stop::Returned;
                }
                _ => {}
            }
        }
        interpreter::run(text, machine)
    }
}

/// One client's registers and memory, and what is left of its budget. The registers come first:
/// most of what the engines do is nearest then.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Machine {
    pub(crate) registers: Registers,
    pub(crate) memory: GuestMemory,
    /// Instructions that may still be retired.
    pub(crate) left: u64,
}

impl Machine {
    pub(crate) const fn new(memory: GuestMemory) -> Self {
        Self { registers: Registers::new(), memory, left: 0 }
    }
}
