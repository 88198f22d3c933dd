//! What the slots call: one function for every row of kinds that has one.

use super::Slot;
use super::kind::{
    Kind, NONE, ROW_MAX, Source, first_source, goes_on, length, op_of, operation, operation_of,
    overwritten, second_source,
};
use super::onward::{Next, go, jump, later, leave, may_transfer};
use crate::alu::{operate, taken};
use crate::decode::{Instruction, Op};
use crate::engine::{Machine, Run};
use crate::interpreter::{Registers, load, store};

/// How an instruction of a row ended.
enum Step {
    /// The next one follows.
    On,
    /// A load or store did not find its place at once.
    Elsewhere,
    /// A transfer is taken.
    Jump(usize),
    /// The match loop has to look.
    Leave,
}

/// What a row has computed so far, so that it need not be read again.
#[derive(Default)]
struct Values {
    /// The first operand of each instruction.
    first: [u32; ROW_MAX],
    result: [u32; ROW_MAX],
}

macro_rules! row {
    ($all:tt $($kind:ident $at:literal)+) => {
        /// Executes a row of instructions, of which the last or some on the way may be transfers.
        #[cfg_attr(portcullis_trampoline, inline(never))]
        pub(super) fn row<'a, $(const $kind: Kind),+>(
            m: &mut Machine,
            here: &'a [Slot],
            acc: u64,
            run: &mut Run<'a>,
        ) -> Next {
            let len = const { length(&$all) };
            // Behind a row that goes on there is a slot, or the match loop says why not.
            if here.len() < len + const { goes_on(&$all) as usize } {
                return leave(m, here, acc, run);
            }
            let (slots, rest) = here.split_at_checked(len).unwrap_or_default();
            let mut values = Values::default();
            $(if const { $kind != NONE } {
                let unseen = const { overwritten(&$all, $at) };
                let this = || here.get($at..).unwrap_or_default();
                let acc = later(acc, $at);
                match step::<$kind, $at>(m, slots, here.len(), acc, run, &mut values, unseen) {
                    Step::On => {}
                    Step::Elsewhere => return elsewhere(m, this(), acc, run),
                    Step::Jump(target) => return jump(m, this(), acc, run, target),
                    Step::Leave => return leave(m, this(), acc, run),
                }
            })+
            go(m, rest, later(acc, len), run)
        }
    };
}

row! {
    [K0, K1, K2, K3, K4, K5, K6, K7, K8, K9, K10, K11]
    K0 0 K1 1 K2 2 K3 3 K4 4 K5 5 K6 6 K7 7 K8 8 K9 9 K10 10 K11 11
}

/// A load or store that lies in none of the common places. The match loop takes over when it
/// lies in none at all.
#[cold]
#[inline(never)]
fn elsewhere<'a>(machine: &mut Machine, here: &'a [Slot], acc: u64, run: &mut Run<'a>) -> Next {
    let [slot, rest @ ..] = here else { return leave(machine, here, acc, run) };
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
        return leave(machine, here, acc, run);
    }
    go(machine, rest, later(acc, 1), run)
}

#[inline(always)]
fn operand(source: Source, at: usize, register: u8, x: &Registers, values: &Values) -> u32 {
    let before = |of: &[u32; ROW_MAX], distance: usize| {
        of.get(at.wrapping_sub(distance)).copied().unwrap_or_default()
    };
    match source {
        Source::Register => x.get(register),
        Source::Zero => 0,
        Source::Result(distance) => before(&values.result, distance),
        Source::Operand(distance) => before(&values.first, distance),
    }
}

/// Executes instruction `AT` of a row. When its result is `unseen` it need not be stored.
#[inline(always)]
fn step<const K: Kind, const AT: usize>(
    machine: &mut Machine,
    slots: &[Slot],
    from_here: usize,
    acc: u64,
    run: &Run<'_>,
    values: &mut Values,
    unseen: bool,
) -> Step {
    let Some(Slot { instruction, which, .. }) = slots.get(AT) else { return Step::Leave };
    let Instruction { rd, rs1, rs2, imm, .. } = *instruction;
    let Machine { registers: x, memory, .. } = machine;
    let is = |special: u32| operation_of(K) == special;
    let on_stack = const { matches!(operation_of(K), operation::LW_SP | operation::SW_SP) };
    let a = operand(first_source(K), AT, if on_stack { 2 } else { rs1 }, x, values);
    let b = operand(second_source(K), AT, rs2, x, values);
    if let Some(first) = values.first.get_mut(AT) {
        *first = a;
    }
    let address = a.wrapping_add(imm as u32);
    // The slots from this one on.
    let rest = from_here - AT;
    let link = run.text.base.wrapping_add((run.code.len() - rest + 1) as u32 * 4);
    macro_rules! kind {
        ($($name:ident)|+) => {
            const { $(operation_of(K) == Op::$name as u32)||+ }
        };
    }
    macro_rules! loaded {
        ($bytes:expr) => {
            match $bytes {
                Some(bytes) => bytes,
                None => return Step::Elsewhere,
            }
        };
    }
    macro_rules! stored {
        ($done:expr) => {
            return if $done.is_some() { Step::On } else { Step::Elsewhere }
        };
    }
    let value = if const { operation_of(K) == operation::MV } {
        a
    } else if const { operation_of(K) == operation::ROTR } {
        let Source::Result(distance) = first_source(K) else { return Step::Leave };
        let shift = AT.wrapping_sub(distance);
        let by = slots.get(shift).map_or(0, |slot| slot.instruction.imm as u32);
        values.first.get(shift).copied().unwrap_or_default().rotate_right(by)
    } else if const { operation_of(K) == operation::LW_SP } {
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
    } else if const { operation_of(K) == operation::SW_SP } {
        stored!(memory.store_stack(address, b.to_le_bytes()))
    } else if kind!(Sw) {
        stored!(memory.store_common(address, b.to_le_bytes()))
    } else if kind!(Sh) {
        stored!(memory.store_common(address, (b as u16).to_le_bytes()))
    } else if kind!(Sb) {
        stored!(memory.store_common(address, (b as u8).to_le_bytes()))
    } else if kind!(Fence) {
        return Step::On;
    } else if is(operation::J) {
        return Step::Jump(imm as usize);
    } else if kind!(Jal) {
        x.set(rd, link);
        return Step::Jump(imm as usize);
    } else if is(operation::JR) || kind!(Jalr) {
        // A target between instructions becomes an index far outside.
        let index = ((address & !1).wrapping_sub(run.text.base)).rotate_right(2) as usize;
        if index >= run.code.len() || !may_transfer(acc, rest, run) {
            return Step::Leave;
        }
        if kind!(Jalr) {
            x.set(rd, link);
        }
        return Step::Jump(index);
    } else if kind!(Beq | Bne | Blt | Bge | Bltu | Bgeu) {
        let taken = taken(const { op_of(K) }, a, b);
        return if taken { Step::Jump(imm as usize) } else { Step::On };
    } else if const { matches!(operation_of(K), operation::EQ | operation::LT | operation::LTU) } {
        let op = const {
            match operation_of(K) {
                operation::EQ => Op::Beq,
                operation::LT => Op::Blt,
                _ => Op::Bltu,
            }
        };
        let taken = u8::from(taken(op, a, b)) != *which;
        return if taken { Step::Jump(imm as usize) } else { Step::On };
    } else if is(operation::SHIFT) {
        (u64::from(a) << 32).wrapping_shr(u32::from(*which)) as u32
    } else if is(operation::SUM) {
        let sign = u32::from(*which).wrapping_neg();
        a.wrapping_add(b ^ sign).wrapping_sub(sign)
    } else {
        operate(const { op_of(K) }, a, b, imm)
    };
    if let Some(result) = values.result.get_mut(AT) {
        *result = value;
    }
    if !unseen {
        x.set(rd, value);
    }
    Step::On
}
