//! The secure virtual machine (SVM) of X.1198: what a downloaded client runs in.
//!
//! Trust domain: the embedded SCP of the terminal; the code it runs is foreign. Clauses: X.1198
//! 7.1 (machine), 7.2 (states), 7.3 (scan before launch), 7.5 (policy), 7.6 (system calls),
//! 7.7 (events). No socket, clock, thread or randomness: the host gives those through
//! [`SystemCalls`].
//!
//! What must never happen: an instruction runs that the scan did not see; a client touches memory
//! outside its own; a call reaches the host without a [`CallPermitted`] of the policy monitor; two
//! events run at once; a client runs without a budget; any input makes this crate panic.
#![no_std]

extern crate alloc;

pub mod abi;
mod alu;
mod call;
mod clib;
mod client;
pub mod compiled;
mod decode;
pub mod elf;
mod engine;
mod event;
mod extension;
mod image;
mod interpreter;
mod memory;
mod monitor;
mod outcome;
mod policy;
mod provider;
mod record;
mod replay;
mod scalar_crypto;
mod scan;
mod snapshot;
mod syscall;
mod text;
mod threaded;
mod timers;
mod trace;

pub use client::{Client, QueueFull, SLICE};
pub use engine::Engine;
pub use event::{Event, State, transition};
pub use extension::{Extension, Extensions};
pub use image::{Image, Program, Segment};
pub use memory::{Access, GuestMemory, GuestSlice, MemoryFault};
pub use monitor::{CallPermitted, Denied, PolicyMonitor};
pub use outcome::{Fault, Outcome, StopKind, Violation, ViolationKind};
pub use policy::{Compatibility, EventBudgets, Limits, PermitTable};
pub use record::Recorder;
pub use replay::{Difference, Replay, ReplayError, Replayed};
pub use scan::{ScanError, ScanReport};
pub use snapshot::{Snapshot, SnapshotError, Spare};
pub use syscall::{
    Exchange, HostFault, ProviderFunction, Reply, Syscall, SystemCalls, TraceStep, UnknownSyscall,
};
#[cfg(feature = "rows")]
pub use threaded::choice;
pub use timers::{RanOut, TimerRefused, Timers};
pub use trace::TRACE_BYTES_MAX;
