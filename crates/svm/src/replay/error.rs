//! Why a trace is not followed: it is none, it is of another client, or the client now does
//! something else than it did.

use alloc::string::String;
use alloc::vec::Vec;

use crate::event::Event;
use crate::trace::{MAGIC, TRACE_BYTES_MAX};

/// Why a trace was not followed to its end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Not a trace, or one of another version of the format.
    #[error("this is no trace of version {}", MAGIC[7])]
    NotATrace,
    /// Longer than any trace that is written.
    #[error("a trace has at most {TRACE_BYTES_MAX} octets")]
    TooLong,
    /// A record is cut off or cannot be read, or is not one that may come here.
    #[error("the trace is broken at octet {offset}")]
    Broken {
        /// Where.
        offset: usize,
    },
    /// Records before the end of this event are not those that were written.
    #[error("event {number}: octets of the trace were changed")]
    Changed {
        /// Which event, from 1.
        number: u32,
    },
    /// The trace is of another client, or of this one under other limits.
    #[error("the trace is of another client: {0} differs")]
    OtherClient(&'static str),
    /// The client did something else than it did when it was recorded.
    #[error("event {number} ({event}), call {call}, pc 0x{pc:08x}: {what}")]
    Diverged {
        /// Which event, from 1.
        number: u32,
        /// Its kind.
        event: Event,
        /// System calls of this event so far, the one that diverged included.
        call: u32,
        /// Where the last system call was made; 0 when there was none.
        pc: u32,
        /// What differs.
        what: Difference,
    },
}

/// What differs from the trace.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// A call that was not recorded here.
    #[error("system call 0x{made:03x} is made, recorded is {recorded}")]
    Call {
        /// Id made.
        made: u16,
        /// What the trace has in its place.
        recorded: String,
    },
    /// The same call from another place.
    #[error("recorded was pc 0x{0:08x}")]
    Place(u32),
    /// The same call with other arguments.
    #[error("arguments of system call 0x{id:03x} are {made:x?}, recorded {recorded:x?}")]
    Arguments {
        /// The call.
        id: u16,
        /// Now.
        made: Vec<u32>,
        /// Then.
        recorded: Vec<u32>,
    },
    /// The guest memory that a call read holds something else.
    #[error("memory at 0x{0:08x}, which the call read, is not as recorded")]
    Memory(u32),
    /// The answer cannot be written where it was.
    #[error("memory at 0x{0:08x}, which the call wrote, cannot be written")]
    Write(u32),
    /// What the machine answered by itself.
    #[error("the machine's own answer to system call 0x{0:03x} is not as recorded")]
    Answer(u16),
    /// The event ended while the trace has more of it.
    #[error("the event is over ({outcome}), recorded is {recorded}")]
    Over {
        /// How it ended now.
        outcome: String,
        /// What the trace has next.
        recorded: String,
    },
    /// The event ended in another way.
    #[error("outcome is \"{now}\", recorded \"{recorded}\"")]
    Outcome {
        /// Now.
        now: String,
        /// Then.
        recorded: String,
    },
    /// Another count of instructions retired or charged.
    #[error("{now} instructions retired and charged, recorded {recorded}")]
    Instructions {
        /// Now.
        now: u64,
        /// Then.
        recorded: u64,
    },
    /// State, registers or memory.
    #[error("registers and memory after the event are not as recorded")]
    State,
}
