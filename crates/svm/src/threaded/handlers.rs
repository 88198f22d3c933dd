//! What the slots call: one function for every row of kinds that has one.

use core::sync::atomic::Ordering;

use super::Slot;
use super::kind::{
    Kind, NONE, ROW_MAX, Source, first_source, goes_on, length, op_of, operation, operation_of,
    overwritten, second_source,
};
use super::rows::FUNCTIONS;
use crate::alu::{operate, taken};
use crate::decode::{Instruction, Op};
use crate::engine::{Machine, Run};
use crate::interpreter::{Registers, load, store};

/// Executes from the first slot of `here` on. `acc + here.len()` is left of the budget's slice.
pub(super) type Handler = for<'a> fn(&mut Machine, &'a [Slot], u64, &mut Run<'a>);

/// Runs until the match loop has to look; `false` when it has to from the start.
pub(crate) fn run(run: &mut Run<'_>, machine: &mut Machine) -> bool {
    let Some((here, acc)) = entry(run, machine) else { return false };
    go(machine, here, acc, run);
    true
}

/// Where a machine stands, and its accumulator; `None` when the slice may end in straight code.
#[inline(always)]
fn entry<'a>(run: &Run<'a>, machine: &Machine) -> Option<(&'a [Slot], u64)> {
    let here = run.code.get(machine.registers.pc..)?;
    let left = machine.left.checked_sub(run.floor)?;
    (left >= run.code.len() as u64).then(|| (here, left - here.len() as u64))
}

/// On to the first slot of `here`.
#[inline(always)]
pub(super) fn go<'a>(machine: &mut Machine, here: &'a [Slot], acc: u64, run: &mut Run<'a>) {
    match here {
        [slot, ..] => slot.function()(machine, here, acc, run),
        [] => leave(machine, here, acc, run),
    }
}

impl Slot {
    #[inline(always)]
    pub(super) fn function(&self) -> Handler {
        let number = usize::from(self.function.load(Ordering::Relaxed)) % FUNCTIONS.len();
        FUNCTIONS.get(number).copied().unwrap_or(leave)
    }
}

/// Nothing more happens here: the PC is that of the first slot of `here`.
pub(super) fn leave<'a>(machine: &mut Machine, here: &'a [Slot], acc: u64, run: &mut Run<'a>) {
    machine.registers.pc = run.code.len() - here.len();
    machine.left = acc.wrapping_add(here.len() as u64).wrapping_add(run.floor);
}

/// TRAP. The engine is left when the call ends the client, or when so much was charged that the
/// slice may end in straight code.
pub(super) fn trap<'a>(machine: &mut Machine, here: &'a [Slot], acc: u64, run: &mut Run<'a>) {
    let (Some(calling), [slot, ..]) = (&mut run.calling, here) else {
        return leave(machine, here, acc, run);
    };
    machine.registers.pc = run.code.len() - here.len() + 1;
    machine.left = acc.wrapping_add(here.len() as u64).wrapping_add(run.floor);
    if !calling.trap(machine, slot.instruction.imm as u16) {
        return;
    }
    if let Some((here, acc)) = entry(run, machine) {
        go(machine, here, acc, run);
    }
}

/// A transfer is taken by the first slot of `here`, to the slot with this index.
#[inline(always)]
fn jump<'a>(machine: &mut Machine, here: &'a [Slot], acc: u64, run: &mut Run<'a>, target: usize) {
    let code = run.code;
    let left = acc.wrapping_add(here.len() as u64 - 1);
    if target >= code.len() {
        return leave(machine, here, acc, run);
    }
    if left < code.len() as u64 {
        return spent(machine, here, acc, run);
    }
    match code.get(target..) {
        Some(there) => go(machine, there, left - there.len() as u64, run),
        None => leave(machine, here, acc, run),
    }
}

/// As [`leave`], where little is left of the slice. A function of its own keeps the two reasons for
/// leaving in [`jump`] apart: joined they take the compiler twice the instructions.
#[cold]
#[inline(never)]
fn spent<'a>(machine: &mut Machine, here: &'a [Slot], acc: u64, run: &mut Run<'a>) {
    leave(machine, here, acc, run);
}

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
        pub(super) fn row<'a, $(const $kind: Kind),+>(
            m: &mut Machine,
            here: &'a [Slot],
            acc: u64,
            run: &mut Run<'a>,
        ) {
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
                match step::<$kind, $at>(m, slots, here.len(), acc, run, &mut values, unseen) {
                    Step::On => {}
                    Step::Elsewhere => return elsewhere(m, this(), acc, run),
                    Step::Jump(target) => return jump(m, this(), acc, run, target),
                    Step::Leave => return leave(m, this(), acc, run),
                }
            })+
            go(m, rest, acc, run);
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
fn elsewhere<'a>(machine: &mut Machine, here: &'a [Slot], acc: u64, run: &mut Run<'a>) {
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
    go(machine, rest, acc, run);
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
    let Some(Slot { instruction, .. }) = slots.get(AT) else { return Step::Leave };
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
    // The slots from this one on, and what is left of the budget when a transfer is taken.
    let rest = from_here - AT;
    let left = acc.wrapping_add(rest as u64 - 1);
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
        if index >= run.code.len() || left < run.code.len() as u64 {
            return Step::Leave;
        }
        if kind!(Jalr) {
            x.set(rd, link);
        }
        return Step::Jump(index);
    } else if kind!(Beq | Bne | Blt | Bge | Bltu | Bgeu) {
        let taken = taken(const { op_of(K) }, a, b);
        return if taken { Step::Jump(imm as usize) } else { Step::On };
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
