//! What the slots call: kinds of instruction, and functions for one to six in a row.

use super::Slot;
use crate::alu::{operate, taken};
use crate::decode::{Instruction, Op, SINK};
use crate::engine::Machine;
use crate::interpreter::{load, store};
use crate::scan::DecodedText;

/// Executes from the first slot of `here` on. `acc + here.len()` is left of the budget.
pub(super) type Handler = fn(&mut Machine, &[Slot], u64, &[Slot]);

/// A kind of instruction: an [`Op`], or one of the special cases below.
pub(super) type Kind = u8;

/// Kinds that are not the number of an [`Op`].
pub(super) mod kind {
    use super::Kind;

    /// Load of a word at an offset from x2.
    pub(in super::super) const LW_SP: Kind = 200;
    /// Store of a word at an offset from x2.
    pub(in super::super) const SW_SP: Kind = 201;
    /// JAL that saves nothing.
    pub(in super::super) const J: Kind = 202;
    /// JALR that saves nothing.
    pub(in super::super) const JR: Kind = 203;
    /// ADDI of zero: a copy.
    pub(in super::super) const MV: Kind = 204;
}

/// The kind of an instruction.
pub(super) const fn kind_of(instruction: &Instruction) -> Kind {
    match instruction {
        Instruction { op: Op::Lw, rs1: 2, .. } => kind::LW_SP,
        Instruction { op: Op::Sw, rs1: 2, .. } => kind::SW_SP,
        Instruction { op: Op::Jal, rd: SINK, .. } => kind::J,
        Instruction { op: Op::Jalr, rd: SINK, .. } => kind::JR,
        Instruction { op: Op::Addi, imm: 0, .. } => kind::MV,
        // AUIPC holds its result since the scan, as LUI does.
        Instruction { op: Op::Auipc, .. } => Op::Lui as Kind,
        Instruction { op, .. } => *op as Kind,
    }
}

/// The operation of a kind that is the number of an [`Op`].
pub(super) const fn op_of(kind: Kind) -> Op {
    match Op::ALL.split_at_checked(kind as usize) {
        Some((_, [op, ..])) => *op,
        _ => Op::Illegal,
    }
}

/// Runs until the match loop has to look; `false` when it has to from the start.
pub(crate) fn run(text: &DecodedText, machine: &mut Machine) -> bool {
    let code = text.code.as_slice();
    let Some(here) = code.get(machine.registers.pc..) else { return false };
    if machine.left < code.len() as u64 {
        return false;
    }
    machine.text_base = text.base;
    go(machine, here, machine.left - here.len() as u64, code);
    true
}

/// On to the first slot of `here`.
#[inline(always)]
fn go(machine: &mut Machine, here: &[Slot], acc: u64, code: &[Slot]) {
    match here {
        [slot, ..] => (slot.handler)(machine, here, acc, code),
        [] => leave(machine, here, acc, code),
    }
}

/// Nothing more happens here: the PC is that of the first slot of `here`.
pub(super) fn leave(machine: &mut Machine, here: &[Slot], acc: u64, code: &[Slot]) {
    machine.registers.pc = code.len() - here.len();
    machine.left = acc.wrapping_add(here.len() as u64);
}

/// A transfer is taken by the first slot of `here`, to the slot with this index.
#[inline(always)]
fn jump(machine: &mut Machine, here: &[Slot], acc: u64, code: &[Slot], target: usize) {
    let left = acc.wrapping_add(here.len() as u64 - 1);
    if target >= code.len() || left < code.len() as u64 {
        return leave(machine, here, acc, code);
    }
    let there = code.get(target..).unwrap_or_default();
    go(machine, there, left - there.len() as u64, code);
}

/// A function for so many in a row, which goes on behind them with `$end`.
macro_rules! in_a_row {
    ($($name:ident: $($kind:ident $slot:ident $at:literal),+; $($last:ident)? => $end:expr;)*) => {$(
        pub(super) fn $name<$(const $kind: Kind,)+ $(const $last: Kind)?>(
            m: &mut Machine,
            here: &[Slot],
            acc: u64,
            code: &[Slot],
        ) {
            let [$($slot,)+ rest @ ..] = here else { return leave(m, here, acc, code) };
            $(if !straight::<$kind>(m, &$slot.instruction) {
                return elsewhere(m, here.get($at..).unwrap_or_default(), acc, code);
            })+
            $end(m, rest, acc, code);
        }
    )*};
}

in_a_row! {
    one: A a 0; => go;
    two: A a 0, B b 1; => go;
    three: A a 0, B b 1, C c 2; => go;
    four: A a 0, B b 1, C c 2, D d 3; => go;
    five: A a 0, B b 1, C c 2, D d 3, E e 4; => go;
    six: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5; => go;
    one_transfer: A a 0; T => transferred::<T>;
    two_transfer: A a 0, B b 1; T => transferred::<T>;
    three_transfer: A a 0, B b 1, C c 2; T => transferred::<T>;
    four_transfer: A a 0, B b 1, C c 2, D d 3; T => transferred::<T>;
}

/// A transfer alone.
pub(super) fn transfer<const T: Kind>(m: &mut Machine, here: &[Slot], acc: u64, code: &[Slot]) {
    transferred::<T>(m, here, acc, code);
}

/// A load or store that lies in none of the common places. The match loop takes over when it
/// lies in none at all.
#[cold]
#[inline(never)]
fn elsewhere(machine: &mut Machine, here: &[Slot], acc: u64, code: &[Slot]) {
    let [slot, rest @ ..] = here else { return leave(machine, here, acc, code) };
    let Instruction { op, rd, rs1, rs2, imm } = slot.instruction;
    let address = machine.registers.get(rs1).wrapping_add(imm as u32);
    let done = match op {
        Op::Sb | Op::Sh | Op::Sw => {
            store(op, &mut machine.memory, address, machine.registers.get(rs2)).is_ok()
        }
        _ => match load(op, &machine.memory, address) {
            Ok(value) => {
                machine.registers.set(rd, value);
                true
            }
            Err(_) => false,
        },
    };
    if !done {
        return leave(machine, here, acc, code);
    }
    go(machine, rest, acc, code);
}

/// Executes an instruction without transfer; `false` when a load or store did not find its place.
#[inline(always)]
fn straight<const K: Kind>(machine: &mut Machine, instruction: &Instruction) -> bool {
    let Instruction { rd, rs1, rs2, imm, .. } = *instruction;
    let Machine { registers: x, memory, .. } = machine;
    let a = x.get(rs1);
    let b = x.get(rs2);
    let immediate = imm as u32;
    let address = a.wrapping_add(immediate);
    macro_rules! kind {
        ($name:ident) => {
            const { Op::$name as Kind == K }
        };
    }
    macro_rules! loaded {
        ($bytes:expr) => {
            match $bytes {
                Some(bytes) => bytes,
                None => return false,
            }
        };
    }
    let value = if const { K == kind::MV } {
        a
    } else if const { K == kind::LW_SP } {
        u32::from_le_bytes(loaded!(memory.load_stack(address)))
    } else if kind!(Lw) {
        u32::from_le_bytes(loaded!(memory.load_common(address)))
    } else if kind!(Lb) {
        i8::from_le_bytes(loaded!(memory.load_common(address))) as u32
    } else if kind!(Lbu) {
        u8::from_le_bytes(loaded!(memory.load_common(address))).into()
    } else if kind!(Lh) {
        i16::from_le_bytes(loaded!(memory.load_common(address))) as u32
    } else if kind!(Lhu) {
        u16::from_le_bytes(loaded!(memory.load_common(address))).into()
    } else if const { K == kind::SW_SP } {
        return memory.store_stack(address, b.to_le_bytes()).is_some();
    } else if kind!(Sw) {
        return memory.store_common(address, b.to_le_bytes()).is_some();
    } else if kind!(Sh) {
        return memory.store_common(address, (b as u16).to_le_bytes()).is_some();
    } else if kind!(Sb) {
        return memory.store_common(address, (b as u8).to_le_bytes()).is_some();
    } else if kind!(Fence) {
        return true;
    } else {
        operate(const { op_of(K) }, a, b, imm)
    };
    x.set(rd, value);
    true
}

/// Executes the transfer in the first slot of `here` and goes on.
#[inline(always)]
fn transferred<const T: Kind>(machine: &mut Machine, here: &[Slot], acc: u64, code: &[Slot]) {
    let [slot, next @ ..] = here else { return leave(machine, here, acc, code) };
    let Instruction { rd, rs1, rs2, imm, .. } = slot.instruction;
    let x = &mut machine.registers;
    let (a, b) = (x.get(rs1), x.get(rs2));
    macro_rules! kind {
        ($name:ident) => {
            const { Op::$name as Kind == T }
        };
    }
    if const { T == kind::J } || kind!(Jal) {
        if kind!(Jal) {
            x.set(rd, link(machine.text_base, here, code));
        }
        return jump(machine, here, acc, code, imm as usize);
    }
    if const { T == kind::JR } || kind!(Jalr) {
        let target = a.wrapping_add(imm as u32) & !1;
        // A target between instructions becomes an index far outside.
        let index = target.wrapping_sub(machine.text_base).rotate_right(2) as usize;
        if index >= code.len() || !budgeted(here, acc, code) {
            return leave(machine, here, acc, code);
        }
        if kind!(Jalr) {
            x.set(rd, link(machine.text_base, here, code));
        }
        return jump(machine, here, acc, code, index);
    }
    if taken(const { op_of(T) }, a, b) {
        jump(machine, here, acc, code, imm as usize);
    } else {
        go(machine, next, acc, code);
    }
}

/// Whether a jump from the first slot of `here` will be made here and not by the match loop.
#[inline(always)]
const fn budgeted(here: &[Slot], acc: u64, code: &[Slot]) -> bool {
    acc.wrapping_add(here.len() as u64 - 1) >= code.len() as u64
}

/// The address behind the first slot of `here`.
#[inline(always)]
const fn link(base: u32, here: &[Slot], code: &[Slot]) -> u32 {
    base.wrapping_add((code.len() - here.len() + 1) as u32 * 4)
}
