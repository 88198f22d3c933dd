//! The threaded engine: every decoded instruction names the function that executes it, and each
//! such function says which one is next.
//!
//! Clause: X.1198 7.1. There is no `unsafe`. On x86-64 a function ends by calling the next one in
//! tail position, and optimised builds turn such calls into jumps (`tail.rs`; a test runs 10^8
//! instructions on a small stack). In WebAssembly it returns, and a loop calls the next
//! (`trampoline.rs`). `build.rs` says which it is; where neither, the match loop runs alone.
//!
//! A function executes a row of instructions: that of its slot and up to eleven behind it, with
//! branches among them. Within a row, results stay in registers of the host (`kind.rs`, `wires.rs`);
//! which rows there are says `rows.rs`. Slots stay one to one with the text, so a jump into the
//! middle finds its own function. Functions are chosen when straight code is first reached
//! (`fused.rs`), so that a load need not look for them.
//!
//! With tail calls metering costs nothing in straight code: what is left of the budget is always the
//! accumulator plus the number of slots from here to the end of the text, and only a taken jump
//! changes the accumulator. Straight code can retire at most the text's length, so at a budget below
//! that the match loop finishes the event. It also takes over before everything that stops a client
//! by itself: faults, illegal jumps. So there is one place only that says how a client stops. TRAP
//! makes its call (`call.rs`) and goes on.

use crate::decode::Instruction;
#[cfg(not(portcullis_threaded))]
use crate::engine::{Machine, Run};

#[cfg(feature = "rows")]
pub mod choice;
#[cfg(portcullis_threaded)]
mod fused;
#[cfg(portcullis_threaded)]
mod handlers;
#[cfg(portcullis_threaded)]
mod kind;
#[cfg(all(test, portcullis_threaded))]
mod many;
#[cfg(portcullis_threaded)]
#[cfg_attr(portcullis_trampoline, path = "threaded/trampoline.rs")]
#[cfg_attr(not(portcullis_trampoline), path = "threaded/tail.rs")]
mod onward;
#[cfg(portcullis_threaded)]
mod rows;
#[cfg(all(test, portcullis_threaded))]
mod tests;
#[cfg(portcullis_threaded)]
mod wires;

#[cfg(portcullis_threaded)]
pub(crate) use onward::run;

/// One decoded instruction, and which function executes it and those behind it, where this build
/// has the engine.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) instruction: Instruction,
    /// Chosen when the slot is first reached; every thread that shares the text chooses the same.
    #[cfg(portcullis_threaded)]
    function: core::sync::atomic::AtomicU16,
    /// What a handler that executes two operations has to know, see [`kind::operation`].
    #[cfg(portcullis_threaded)]
    which: u8,
    /// How often the match loop executed it, and how often it came there by a transfer.
    #[cfg(feature = "rows")]
    counts: [core::sync::atomic::AtomicU64; 2],
}

impl Slot {
    pub(crate) const fn new(instruction: Instruction) -> Self {
        Self {
            instruction,
            #[cfg(portcullis_threaded)]
            function: core::sync::atomic::AtomicU16::new(rows::UNCHOSEN),
            #[cfg(portcullis_threaded)]
            which: kind::which(&instruction),
            #[cfg(feature = "rows")]
            counts: [const { core::sync::atomic::AtomicU64::new(0) }; 2],
        }
    }
}

/// Runs nothing in this build.
#[cfg(not(portcullis_threaded))]
pub(crate) const fn run(_: &mut Run<'_>, _: &mut Machine) -> bool {
    false
}
