//! How an event ended. Clause: X.1198 7.5 (report by return code), 7.7 steps 10 to 12.

use core::fmt;

use crate::event::{Event, State};
use crate::memory::MemoryFault;
use crate::monitor::Denied;
use crate::syscall::Syscall;

/// How an event ended. All but [`Outcome::Returned`] and [`Outcome::Refused`] end the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The handler returned; the value is element 1 of the parameter buffer.
    Returned(u32),
    /// The client called Exit.
    Exited(u32),
    /// The client broke its policy or its memory: it was stopped.
    Violation(Violation),
    /// The client failed: it was stopped.
    Fault(Fault),
    /// The budget of the event is spent: the client was stopped.
    OutOfBudget {
        /// The event it happened in.
        event: Event,
    },
    /// The host ended the client while it handled an event.
    Ended {
        /// The event it happened in.
        event: Event,
    },
    /// The event is not legal in this state; nothing ran.
    Refused {
        /// The state.
        state: State,
        /// The event.
        event: Event,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(value) => write!(f, "returned {value}"),
            Self::Exited(code) => write!(f, "exited with {code}"),
            Self::Violation(violation) => write!(f, "policy violation: {violation}"),
            Self::Fault(fault) => write!(f, "fault: {fault}"),
            Self::OutOfBudget { event } => write!(f, "instruction budget of {event} is spent"),
            Self::Ended { event } => write!(f, "ended by the host during {event}"),
            Self::Refused { state, event } => {
                write!(f, "event {event} is not legal in state {state}")
            }
        }
    }
}

/// Which kind of end a client was brought to: what the media client and the operator count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum StopKind {
    /// A breach of policy or memory by a call.
    Violation,
    /// A failure of the client.
    Fault,
    /// A spent budget.
    OutOfBudget,
    /// The client ended itself.
    Exited,
    /// The lifetime of its policy is over.
    Lifetime,
    /// The load was refused.
    LoadRefused,
    /// What it wrote could not be kept.
    Storage,
    /// The host ended it while it handled an event.
    Ended,
}

impl StopKind {
    /// The return code of a stopped client (X.1198 7.5): negative, so no handler can answer it.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Violation => -100,
            Self::Fault => -101,
            Self::OutOfBudget => -102,
            Self::Exited => -103,
            Self::Lifetime => -104,
            Self::LoadRefused => -105,
            Self::Storage => -106,
            Self::Ended => -107,
        }
    }

    /// The name, as in events and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Violation => "violation",
            Self::Fault => "fault",
            Self::OutOfBudget => "out_of_budget",
            Self::Exited => "exited",
            Self::Lifetime => "lifetime",
            Self::LoadRefused => "load_refused",
            Self::Storage => "storage",
            Self::Ended => "ended",
        }
    }
}

impl Outcome {
    /// How the client was stopped; `None` when it goes on.
    #[must_use]
    pub const fn stop_kind(&self) -> Option<StopKind> {
        match self {
            Self::Returned(_) | Self::Refused { .. } => None,
            Self::Exited(_) => Some(StopKind::Exited),
            Self::Violation(_) => Some(StopKind::Violation),
            Self::Fault(_) => Some(StopKind::Fault),
            Self::OutOfBudget { .. } => Some(StopKind::OutOfBudget),
            Self::Ended { .. } => Some(StopKind::Ended),
        }
    }

    /// Where it happened, when that is known.
    #[must_use]
    pub const fn pc(&self) -> Option<u32> {
        match self {
            Self::Violation(violation) => Some(violation.pc),
            Self::Fault(
                Fault::Memory { pc, .. } | Fault::Jump { pc, .. } | Fault::Illegal { pc },
            ) => Some(*pc),
            _ => None,
        }
    }

    /// Id of the system call it happened in, when it was one.
    #[must_use]
    pub const fn call(&self) -> Option<u16> {
        match self {
            Self::Violation(violation) => Some(match violation.kind {
                ViolationKind::Denied { id, .. } | ViolationKind::UnknownCall(id) => id,
                ViolationKind::Stack { call, .. }
                | ViolationKind::Pointer { call, .. }
                | ViolationKind::NotListed { call, .. }
                | ViolationKind::Registration(call) => call.id(),
            }),
            Self::Fault(Fault::Host { call, .. }) => Some(call.id()),
            _ => None,
        }
    }
}

/// A breach that stopped the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{kind} (event {event}, pc 0x{pc:08x})")]
pub struct Violation {
    /// The event it happened in.
    pub event: Event,
    /// Where the instruction is.
    pub pc: u32,
    /// What was done.
    pub kind: ViolationKind,
}

/// Kinds of breach.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViolationKind {
    /// The policy monitor refused.
    #[error("system call 0x{id:03x} {reason}")]
    Denied {
        /// Id of the TRAP word.
        id: u16,
        /// Why.
        reason: Denied,
    },
    /// Permitted, but no such call is in the table or at the provider.
    #[error("system call 0x{0:03x} does not exist here")]
    UnknownCall(u16),
    /// The parameters are not on the client's stack.
    #[error("parameters of {call} are not in memory at 0x{stack:08x}")]
    Stack {
        /// The call.
        call: Syscall,
        /// The stack address.
        stack: u32,
    },
    /// A pointer argument leads outside the client's memory.
    #[error("{call}: {fault}")]
    Pointer {
        /// The call.
        call: Syscall,
        /// What was wrong with it.
        fault: MemoryFault,
    },
    /// The policy has a list for what the call reaches, and this is not on it.
    #[error("{call}: {what}")]
    NotListed {
        /// The call.
        call: Syscall,
        /// Which list.
        what: &'static str,
    },
    /// Handler or buffer registered late, twice, or at an illegal place.
    #[error("{0} is not legal now or with this argument")]
    Registration(Syscall),
}

/// A failure that stopped the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A load or store outside the client's memory.
    #[error("{fault} (pc 0x{pc:08x})")]
    Memory {
        /// Where the instruction is.
        pc: u32,
        /// The access.
        fault: MemoryFault,
    },
    /// A jump to something that is no instruction of the text.
    #[error("jump to 0x{target:08x}, which is no instruction (pc 0x{pc:08x})")]
    Jump {
        /// Where the instruction is.
        pc: u32,
        /// Where it led.
        target: u32,
    },
    /// `unimp` or an illegal word was reached.
    #[error("illegal instruction at 0x{pc:08x}")]
    Illegal {
        /// Where it is.
        pc: u32,
    },
    /// Initialize ended without a registered handler and parameter buffer.
    #[error("Initialize registered no handler or no event parameter buffer")]
    NotRegistered,
    /// More parameters than the registered buffer holds.
    #[error("event parameters do not fit the registered buffer")]
    EventBuffer,
    /// The host failed in a call.
    #[error("{call}: host failed: {what}")]
    Host {
        /// The call.
        call: Syscall,
        /// What failed.
        what: &'static str,
    },
}
