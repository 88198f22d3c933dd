//! How a row goes on where calls in tail position stay calls, as in WebAssembly: it returns where,
//! and a loop calls the next.
//!
//! The loop calls functions by name, in a `match` over their numbers. In V8 a call through the
//! table of functions loads the callee's instance, and by it the place of all memory: each row would
//! wait for what the one before has loaded. One `match` with all rows would be faster still, but
//! such an engine allocates the registers of a loop with so many calls in time that grows with
//! their square. So the loop calls the rows with the lowest numbers, and one function all others.
//!
//! An engine replaces a function by a better translation only when it is called again, so the
//! loop, too, returns now and then.

use super::Slot;
use super::kind::ROW_MAX;
use super::rows::{END, FUNCTIONS, NEAR_END};
use crate::decode::{Instruction, Op};
use crate::engine::{Machine, Run};

/// Executes a row, the first of `here`, which lies at this [`Next`].
pub(super) type Handler = for<'a> fn(&mut Machine, &'a [Slot], Next, &mut Run<'a>) -> Next;

/// Where to go on: the lower 32 bits are the index of a slot, the others say how many instructions
/// this turn has retired until there; and [`LEFT`].
pub(super) type Next = u64;

/// The match loop has to look.
const LEFT: Next = 1 << 63;

/// What a place is more than the one an instruction before.
const STEP: Next = 1 << 32 | 1;

/// Instructions of a turn of the loop.
const TURN: u64 = 1 << 18;

// `by_number!`: a `match` that turns the number of a function into a literal.
include!(concat!(env!("OUT_DIR"), "/numbers.rs"));

/// Runs until the match loop has to look; `false` when it has to from the start.
pub(crate) fn run(run: &mut Run<'_>, machine: &mut Machine) -> bool {
    let mut begun = false;
    while let Some(left) = machine.left.checked_sub(run.floor)
        && let Some(before_last) = left.min(TURN).checked_sub(ROW_MAX as u64)
        && let Ok(index) = u32::try_from(machine.registers.pc)
    {
        begun = true;
        let place = turn(run, machine, index.into(), (before_last + 1) << 32);
        machine.registers.pc = place as u32 as usize;
        machine.left -= (place & !LEFT) >> 32;
        if place & LEFT != 0 && !trapped(run, machine) {
            break;
        }
    }
    begun
}

/// Makes the call of a TRAP; `false` when there is none, or when it ended the client.
fn trapped(run: &mut Run<'_>, machine: &mut Machine) -> bool {
    let slot = run.code.get(machine.registers.pc);
    match (&mut run.calling, slot.map(|slot| slot.instruction)) {
        (Some(calling), Some(Instruction { op: Op::Trap, imm, .. })) => {
            machine.registers.pc += 1;
            calling.trap(machine, imm as u16)
        }
        _ => false,
    }
}

macro_rules! call {
    ($number:literal, $arguments:tt) => {{
        const FUNCTION: Handler = FUNCTIONS[$number];
        FUNCTION $arguments
    }};
}

/// Runs rows until the place lies behind the end of the turn.
#[inline(never)]
fn turn(run: &mut Run<'_>, machine: &mut Machine, mut place: Next, end: Next) -> Next {
    let code = run.code;
    while place < end {
        let index = place as u32 as usize;
        let Some(slot) = code.get(index) else { return place | LEFT };
        let here = code.get(index..).unwrap_or_default();
        let number = slot.number();
        place = if number < NEAR_END {
            by_number!(number, call, (machine, here, place, run), place | LEFT)
        } else {
            others(machine, here, place, run)
        };
    }
    place
}

/// Executes one of the rows that the loop does not call itself.
#[inline(never)]
fn others<'a>(machine: &mut Machine, here: &'a [Slot], place: Next, run: &mut Run<'a>) -> Next {
    let number = here.first().map_or(END, Slot::number);
    if !(NEAR_END..END).contains(&number) {
        return place | LEFT;
    }
    by_number!(number, call, (machine, here, place, run), place | LEFT)
}

/// On to the first slot of the second argument.
#[inline(always)]
pub(super) const fn go(_: &mut Machine, _: &[Slot], place: Next, _: &Run<'_>) -> Next {
    place
}

/// The place so many instructions later.
#[inline(always)]
pub(super) const fn later(place: Next, instructions: usize) -> Next {
    place.wrapping_add(STEP * instructions as u64)
}

/// Whether a transfer may be taken: always, for the loop looks at the budget behind each row.
#[inline(always)]
pub(super) const fn may_transfer(_: Next, _: usize, _: &Run<'_>) -> bool {
    true
}

/// Nothing more happens here.
#[inline(always)]
pub(super) fn leave<'a>(_: &mut Machine, _: &'a [Slot], place: Next, _: &mut Run<'a>) -> Next {
    place | LEFT
}

/// TRAP. The call is made behind the loop.
pub(super) fn trap<'a>(_: &mut Machine, _: &'a [Slot], place: Next, _: &mut Run<'a>) -> Next {
    place | LEFT
}

/// A transfer is taken at this place, to the slot with this index.
#[inline(always)]
pub(super) const fn jump(
    _: &mut Machine,
    _: &[Slot],
    place: Next,
    _: &Run<'_>,
    target: usize,
) -> Next {
    let retired = (place >> 32) + 1;
    retired << 32 | target as u32 as u64
}
