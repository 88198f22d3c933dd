//! The door for a tier that turns scanned text into instructions of the host.
//!
//! Clause: X.1198 7.1, 7.3. This crate knows no such tier: a host hands one to
//! [`crate::Client::set_compiler`], and it is taken only when the client's policy and the host's
//! limits both open it. It sees decoded instructions and nothing else, so that it cannot compile
//! what the scan did not see. Whatever stops a client is still decided by the interpreter: the
//! tier stops before it. What must never happen: a tier that counts otherwise than the
//! interpreter, or that leaves registers or memory otherwise.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::abi::RETURN_ADDRESS;
pub use crate::decode::{Instruction, Op, SINK};
use crate::engine::{Machine, Run};
use crate::interpreter::{self, Stop};
use crate::memory::GuestMemory;
use crate::scan::DecodedText;

/// Memory of one region of a client that a tier has lent, so that it can see the same octets.
/// Dropping it gives it back.
pub trait LentMemory: Send + fmt::Debug {
    /// The octets.
    fn octets(&self) -> &[u8];
    /// The octets, to be changed.
    fn octets_mut(&mut self) -> &mut [u8];
}

/// Text that went through the scan of 7.3; nobody else can make one.
#[derive(Clone, Copy, Debug)]
pub struct ScannedText<'a> {
    text: &'a DecodedText,
    memory: &'a GuestMemory,
}

impl<'a> ScannedText<'a> {
    const fn new(text: &'a DecodedText, memory: &'a GuestMemory) -> Self {
        Self { text, memory }
    }

    /// Address of the first instruction.
    #[must_use]
    pub const fn base(&self) -> u32 {
        self.text.base
    }

    /// Instructions.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "the scan refuses an empty text")]
    pub const fn len(&self) -> usize {
        self.text.len
    }

    /// Instructions of a range, as far as there are any. They are decoded again unless this is
    /// [`CompiledTier::prepare`].
    #[must_use]
    pub fn read(&self, range: Range<usize>) -> ScannedPart {
        ScannedPart {
            base: self.base(),
            text_len: self.len(),
            first: range.start,
            code: self.text.read(range, self.memory).collect(),
        }
    }
}

/// A part of a scanned text, decoded.
#[derive(Clone, Debug)]
pub struct ScannedPart {
    base: u32,
    text_len: usize,
    first: usize,
    code: Vec<Instruction>,
}

impl ScannedPart {
    /// Address of the first instruction of the text.
    #[must_use]
    pub const fn base(&self) -> u32 {
        self.base
    }

    /// Instructions of the text.
    #[must_use]
    pub const fn text_len(&self) -> usize {
        self.text_len
    }

    /// One instruction, by its index in the text; `None` when it is not of this part.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Instruction> {
        self.code.get(index.checked_sub(self.first)?).copied()
    }
}

/// Where a tier stopped. Registers and memory are as before the instruction at `pc`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ran {
    /// Index of the next instruction.
    pub pc: usize,
    /// What is left of the budget, in instructions.
    pub left: u64,
    /// The most instructions to interpret before the tier is asked again. It is not asked before
    /// anything that stops the client or calls the host.
    pub interpret: u64,
    /// What the next instruction does, where the tier knows.
    pub next: Next,
}

/// What the instruction does that a tier stopped before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// A TRAP with this id.
    Call(u16),
    /// A JALR to this address, bit 0 cleared.
    Jump(u32),
    /// The interpreter sees to it.
    Other,
}

/// A tier that runs the text of one client as instructions of the host.
pub trait CompiledTier: Send {
    /// The text that will run; `false` refuses the client.
    fn prepare(&mut self, text: ScannedText<'_>) -> bool;

    /// Memory for a region of `len` octets at `base`, all zero; `None` refuses the client.
    fn lend(&mut self, base: u32, len: u32, writable: bool) -> Option<Box<dyn LentMemory>>;

    /// Every region is lent and filled; `false` refuses the client.
    fn open(&mut self) -> bool;

    /// Runs from the instruction `pc` on, and retires at most `left`.
    fn run(
        &mut self,
        text: ScannedText<'_>,
        registers: &mut [u32; 32],
        pc: usize,
        left: u64,
    ) -> Ran;

    /// It will run nothing any more: the client goes on without it.
    fn has_given_up(&self) -> bool;

    /// Octets that it takes beside the memory of the client: those of pages that are used.
    fn octets(&self) -> usize;
}

/// A tier that took a client.
pub(crate) struct Tier(Box<dyn CompiledTier>);

impl Tier {
    /// Gives the machine memory of the tier; `None` when the tier refuses the client.
    pub(crate) fn take(
        mut tier: Box<dyn CompiledTier>,
        text: &DecodedText,
        machine: &mut Machine,
    ) -> Option<Self> {
        let ready = tier.prepare(ScannedText::new(text, &machine.memory))
            && machine
                .memory
                .borrow_from(&mut |base, len, writable| tier.lend(base, len, writable))
            && tier.open();
        ready.then_some(Self(tier))
    }

    /// See [`CompiledTier::has_given_up`].
    pub(crate) fn has_given_up(&self) -> bool {
        self.0.has_given_up()
    }

    /// See [`CompiledTier::octets`].
    pub(crate) fn octets(&self) -> usize {
        self.0.octets()
    }

    /// Runs until something stops it: what [`crate::Engine`] means, and nothing else.
    // spec: X-06
    pub(crate) fn run(&mut self, run: &mut Run<'_>, machine: &mut Machine) -> Stop {
        loop {
            let Machine { registers, left, memory } = machine;
            let before = left.saturating_sub(run.floor);
            let pc = registers.pc;
            let Some(general) = registers.general() else { return Stop::Illegal };
            let ran = self.0.run(ScannedText::new(run.text, memory), general, pc, before);
            registers.pc = ran.pc;
            *left = run.floor + ran.left.min(before);
            // Mostly a TRAP comes next, or the end. Whatever else, the interpreter says so, and is
            // given a part of the budget for it.
            match ran.next {
                Next::Call(id) if *left > run.floor => {
                    registers.pc = ran.pc + 1;
                    if let Err(outcome) = run.trap(machine, id) {
                        return Stop::Ended(outcome);
                    }
                    if machine.left <= run.floor {
                        return Stop::OutOfBudget;
                    }
                    continue;
                }
                // No text reaches up to there.
                Next::Jump(RETURN_ADDRESS) if *left > run.floor => {
                    *left -= 1;
                    return Stop::Returned;
                }
                _ => {}
            }
            let part = ran.interpret.max(1).min(machine.left.saturating_sub(run.floor));
            let rest = machine.left - part;
            machine.left = part;
            let stop = interpreter::run(run.text, machine);
            machine.left += rest;
            if stop != Stop::OutOfBudget || machine.left <= run.floor {
                return stop;
            }
        }
    }
}

impl fmt::Debug for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tier")
    }
}
