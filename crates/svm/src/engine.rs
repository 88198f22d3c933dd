//! The engines that run decoded text, and what they work on. Both mean the same: registers,
//! memory, how it stopped and the count of instructions.

use crate::abi::RETURN_ADDRESS;
use crate::call::Calling;
use crate::decode::{Instruction, Op};
use crate::interpreter::{self, Registers, Stop};
use crate::memory::GuestMemory;
use crate::outcome::Outcome;
use crate::scan::DecodedText;
use crate::threaded::{self, Slot};

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
    pub(crate) fn run(self, run: &mut Run<'_>, machine: &mut Machine) -> Stop {
        if self == Self::Threaded && threaded::run(run, machine) {
            if let Some(outcome) = run.ended() {
                return Stop::Ended(outcome);
            }
            if machine.left <= run.floor {
                // A call was charged for more than was left of the slice.
                return Stop::OutOfBudget;
            }
            if run.returns(machine) {
                return Stop::Returned;
            }
        }
        run.in_slice(machine, |machine| interpreter::run(run.text, machine))
    }
}

/// What stays the same while a client handles one event.
pub(crate) struct Run<'a> {
    pub(crate) text: &'a DecodedText,
    /// That of the text.
    pub(crate) code: &'a [Slot],
    /// So much of the budget is behind the current slice: the engines stop there.
    pub(crate) floor: u64,
    /// How system calls are made; without it every engine stops before them.
    pub(crate) calling: Option<Calling<'a>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(text: &'a DecodedText, calling: Option<Calling<'a>>) -> Self {
        Self { text, code: &text.code, floor: 0, calling }
    }

    /// Makes the call that an engine stopped before.
    pub(crate) fn trap(&mut self, machine: &mut Machine, id: u16) -> Result<(), Outcome> {
        let goes_on = self.calling.as_mut().is_none_or(|calling| calling.trap(machine, id));
        if goes_on { Ok(()) } else { self.ended().map_or(Ok(()), Err) }
    }

    /// Whether the handler returns now: where an engine stopped it is mostly this. Then it has
    /// retired.
    pub(crate) fn returns(&self, machine: &mut Machine) -> bool {
        let Machine { registers, left, .. } = machine;
        let next = self.code.get(registers.pc).map(|slot| slot.instruction);
        let Some(Instruction { op: Op::Jalr, rs1, imm, .. }) = next else { return false };
        // No text reaches up to there.
        let is_last = *left > self.floor
            && registers.get(rs1).wrapping_add(imm as u32) & !1 == RETURN_ADDRESS;
        *left -= u64::from(is_last);
        is_last
    }

    /// How a call ended the client, if one did.
    fn ended(&mut self) -> Option<Outcome> {
        self.calling.as_mut()?.calls.ended.take()
    }

    /// Lets an engine that knows no slices work: what is left is the slice alone, meanwhile.
    pub(crate) fn in_slice(
        &self,
        machine: &mut Machine,
        work: impl FnOnce(&mut Machine) -> Stop,
    ) -> Stop {
        machine.left = machine.left.saturating_sub(self.floor);
        let stop = work(machine);
        machine.left += self.floor;
        stop
    }
}

/// One client's registers and memory, and what is left of its budget. The registers come first:
/// most of what the engines do is nearest then.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Machine {
    pub(crate) registers: Registers,
    pub(crate) memory: GuestMemory,
    /// Instructions that may still be retired in the event.
    pub(crate) left: u64,
}

impl Machine {
    pub(crate) const fn new(memory: GuestMemory) -> Self {
        Self { registers: Registers::new(), memory, left: 0 }
    }

    /// Counts one instruction that the engines left to others.
    pub(crate) fn retire(&mut self) {
        self.left = self.left.saturating_sub(1);
    }
}
