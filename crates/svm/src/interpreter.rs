//! The interpreter: a match loop over decoded instructions, the semantic reference.
//!
//! Clause: X.1198 7.1. Exact metering: what is left falls by one for each retired instruction, and
//! nothing runs when it is zero. What must never happen: a step outside the decoded text.

use crate::abi::RETURN_ADDRESS;
use crate::alu::{match_op, operate, taken};
use crate::decode::{Instruction, Op, SINK};
use crate::engine::Machine;
#[cfg(portcullis_threaded)]
use crate::memory::GuestMemory;
use crate::memory::MemoryFault;
use crate::outcome::Outcome;
use crate::text::{DecodedText, Fetch, Slots, Words};

/// General registers, the sink for writes to x0, and the PC as an index into the text.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct Registers {
    /// x0 to x31, then the sink; 256 entries so that an octet as index needs no check.
    x: [u32; 256],
    pub(crate) pc: usize,
}

impl Registers {
    pub(crate) const fn new() -> Self {
        Self { x: [0; 256], pc: 0 }
    }

    /// All zero, as at the start of an event. What lies behind the sink is never written.
    pub(crate) fn reset(&mut self) {
        if let Some(used) = self.x.first_chunk_mut::<{ SINK as usize + 1 }>() {
            *used = [0; SINK as usize + 1];
        }
        self.pc = 0;
    }

    /// x0 to x31.
    pub(crate) fn general(&mut self) -> Option<&mut [u32; 32]> {
        self.x.first_chunk_mut()
    }

    #[inline(always)]
    pub(crate) const fn get(&self, register: u8) -> u32 {
        self.x[register as usize]
    }

    #[inline(always)]
    pub(crate) const fn set(&mut self, register: u8, value: u32) {
        self.x[register as usize] = value;
    }
}

/// Why the interpreter stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// TRAP with this id was fetched; PC is already behind it. Not yet retired.
    Trap(u16),
    /// A system call ended the client like this.
    Ended(Outcome),
    /// The handler jumped to the return address.
    Returned,
    /// Nothing is left of the budget.
    OutOfBudget,
    /// Bad data access.
    Memory(MemoryFault),
    /// A jump to something that is no instruction of the text.
    Jump(u32),
    /// `unimp` or an illegal word was reached.
    Illegal,
    /// `ecall` in compatibility mode.
    Ecall,
}

/// An arm of the loop that loads: each has its own code behind the one jump.
macro_rules! loaded {
    ($memory:expr, $address:expr, $number:ty) => {
        match $memory.load($address).map(<$number>::from_le_bytes) {
            Ok(value) => value as u32,
            Err(fault) => break Stop::Memory(fault),
        }
    };
}

// spec: X-05
/// Runs until something stops it. On a fault the PC is that of the faulting instruction.
///
/// What was retired is counted at taken transfers: between two of them it is the distance. One
/// comparison therefore sees the end of the text and the end of the budget.
pub(crate) fn run(text: &DecodedText, machine: &mut Machine) -> Stop {
    if text.is_in_words() {
        run_from(&mut Words::new(text), text, machine)
    } else {
        run_from(&mut Slots::new(text), text, machine)
    }
}

#[inline(never)]
fn run_from(code: &mut impl Fetch, text: &DecodedText, machine: &mut Machine) -> Stop {
    let Machine { registers, memory, left: remaining, .. } = machine;
    let mut pc = registers.pc;
    let mut left = *remaining;
    // Where the straight code began that is running, and the slots that it may reach.
    let mut from = pc;
    code.within(pc, left);
    let stop = loop {
        let Some(instruction) = code.fetch(pc, memory, pc == from) else {
            let is_outside = pc >= text.len;
            break if is_outside { Stop::Jump(text.address(pc)) } else { Stop::OutOfBudget };
        };
        let Instruction { op, rd, rs1, rs2, imm } = instruction;
        let a = registers.get(rs1);
        let b = registers.get(rs2);
        let immediate = imm as u32;
        macro_rules! jump {
            ($target:expr) => {{
                left -= (pc + 1 - from) as u64;
                pc = $target;
                from = pc;
                code.within(pc, left);
                continue;
            }};
        }
        macro_rules! branch {
            ($op:ident) => {{
                if taken(Op::$op, a, b) {
                    jump!(imm as usize);
                }
                pc += 1;
                continue;
            }};
        }
        macro_rules! stored {
            ($value:expr) => {{
                let value = $value;
                if let Err(fault) = memory.store(a.wrapping_add(immediate), value.to_le_bytes()) {
                    break Stop::Memory(fault);
                }
                pc += 1;
                continue;
            }};
        }
        // The value that goes to rd; instructions without rd leave the match by themselves.
        let value = match_op!(op, a, b, imm, {
            Op::Jal => {
                registers.set(rd, text.address(pc + 1));
                jump!(imm as usize);
            }
            Op::Jalr => {
                let target = a.wrapping_add(immediate) & !1;
                let Some(index) = text.index(target) else {
                    if target != RETURN_ADDRESS {
                        break Stop::Jump(target);
                    }
                    left -= (pc + 1 - from) as u64;
                    from = pc;
                    break Stop::Returned;
                };
                registers.set(rd, text.address(pc + 1));
                jump!(index);
            }
            Op::Beq => branch!(Beq),
            Op::Bne => branch!(Bne),
            Op::Blt => branch!(Blt),
            Op::Bge => branch!(Bge),
            Op::Bltu => branch!(Bltu),
            Op::Bgeu => branch!(Bgeu),
            Op::Lb => loaded!(memory, a.wrapping_add(immediate), i8),
            Op::Lh => loaded!(memory, a.wrapping_add(immediate), i16),
            Op::Lw => loaded!(memory, a.wrapping_add(immediate), u32),
            Op::Lbu => loaded!(memory, a.wrapping_add(immediate), u8),
            Op::Lhu => loaded!(memory, a.wrapping_add(immediate), u16),
            Op::Sb => stored!(b as u8),
            Op::Sh => stored!(b as u16),
            Op::Sw => stored!(b),
            Op::Fence => {
                pc += 1;
                continue;
            }
            Op::Trap => {
                left -= (pc - from) as u64;
                pc += 1;
                from = pc;
                break Stop::Trap(imm as u16);
            }
            Op::Unimp | Op::Illegal => break Stop::Illegal,
            Op::Ecall => break Stop::Ecall,
        });
        registers.set(rd, value);
        pc += 1;
    };
    registers.pc = pc;
    *remaining = left - (pc - from) as u64;
    stop
}

#[cfg(portcullis_threaded)]
#[inline(always)]
pub(crate) fn load(op: Op, memory: &GuestMemory, address: u32) -> Result<u32, MemoryFault> {
    Ok(match op {
        Op::Lb => memory.load::<1>(address).map(i8::from_le_bytes)? as u32,
        Op::Lh => memory.load::<2>(address).map(i16::from_le_bytes)? as u32,
        Op::Lbu => memory.load::<1>(address).map(u8::from_le_bytes)?.into(),
        Op::Lhu => memory.load::<2>(address).map(u16::from_le_bytes)?.into(),
        _ => memory.load::<4>(address).map(u32::from_le_bytes)?,
    })
}

#[cfg(portcullis_threaded)]
#[inline(always)]
pub(crate) fn store(
    op: Op,
    memory: &mut GuestMemory,
    address: u32,
    value: u32,
) -> Result<(), MemoryFault> {
    match op {
        Op::Sb => memory.store(address, (value as u8).to_le_bytes()),
        Op::Sh => memory.store(address, (value as u16).to_le_bytes()),
        _ => memory.store(address, value.to_le_bytes()),
    }
}
