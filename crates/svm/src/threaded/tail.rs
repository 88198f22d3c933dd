//! How a row goes on where the compiler turns calls in tail position into jumps: it calls the next.

use super::Slot;
use crate::engine::{Machine, Run};
use crate::syscall::Exchange;

/// Executes from the first slot of `here` on. `acc + here.len()` is left of the budget's slice.
pub(super) type Handler = for<'a> fn(&mut Machine, &'a [Slot], u64, &mut Run<'a>) -> Next;

/// All is done when a handler returns.
pub(super) type Next = ();

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

/// The accumulator so many instructions later: the budget and the slots ahead fall alike.
#[inline(always)]
pub(super) const fn later(acc: u64, _instructions: usize) -> u64 {
    acc
}

/// What is left of the slice behind the first of so many slots.
#[inline(always)]
const fn left_behind(acc: u64, slots: usize) -> u64 {
    acc.wrapping_add(slots as u64 - 1)
}

/// Whether the first of so many slots may take a transfer: straight code has its budget then.
#[inline(always)]
pub(super) const fn may_transfer(acc: u64, slots: usize, run: &Run<'_>) -> bool {
    left_behind(acc, slots) >= run.code.len() as u64
}

/// Nothing more happens here: the PC is that of the first slot of `here`.
pub(super) fn leave<'a>(machine: &mut Machine, here: &'a [Slot], acc: u64, run: &mut Run<'a>) {
    machine.registers.pc = run.code.len() - here.len();
    machine.left = acc.wrapping_add(here.len() as u64).wrapping_add(run.floor);
}

/// TRAP. A plain call is made here, when it leaves so much of the slice that any straight code may
/// follow.
pub(super) fn trap<'a>(machine: &mut Machine, here: &'a [Slot], acc: u64, run: &mut Run<'a>) {
    let (Some(calling), [slot, rest @ ..]) = (&mut run.calling, here) else {
        return leave(machine, here, acc, run);
    };
    let next = run.code.len() - rest.len();
    let most = left_behind(acc, here.len()).saturating_sub(run.code.len() as u64 - 1);
    let id = slot.instruction.imm as u16;
    let Some(plain) = calling.plain(machine, id, next, most, Exchange::pop_near) else {
        return any_trap(machine, here, acc, run);
    };
    let acc = acc - plain.cost;
    if !calling.hand_over(machine, plain) {
        return not_answered(machine, rest, acc, run);
    }
    go(machine, rest, acc, run);
}

/// TRAP with any call. The engine is left when the call ends the client, or when so much was
/// charged that the slice may end in straight code.
#[inline(never)]
fn any_trap<'a>(machine: &mut Machine, here: &'a [Slot], acc: u64, run: &mut Run<'a>) {
    let (Some(calling), [slot, rest @ ..]) = (&mut run.calling, here) else { return };
    machine.registers.pc = run.code.len() - rest.len();
    machine.left = acc.wrapping_add(here.len() as u64).wrapping_add(run.floor);
    if !calling.trap(machine, slot.instruction.imm as u16) {
        return;
    }
    if let Some((here, acc)) = entry(run, machine) {
        go(machine, here, acc, run);
    }
}

/// The host has not answered a plain call: the client ends.
#[cold]
#[inline(never)]
fn not_answered<'a>(machine: &mut Machine, rest: &'a [Slot], acc: u64, run: &mut Run<'a>) {
    leave(machine, rest, acc, run);
    if let Some(calling) = &mut run.calling {
        calling.not_answered(machine);
    }
}

/// A transfer is taken by the first slot of `here`, to the slot with this index.
#[inline(always)]
pub(super) fn jump<'a>(
    machine: &mut Machine,
    here: &'a [Slot],
    acc: u64,
    run: &mut Run<'a>,
    target: usize,
) {
    let code = run.code;
    let left = left_behind(acc, here.len());
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
