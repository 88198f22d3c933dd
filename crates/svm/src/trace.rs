//! The trace of a client: what came in from outside, and what the client had become after each
//! event.
//!
//! Clause: X.1198 7.7. Eight octets of magic and version, then records one behind the other, each
//! in the `postcard` format. Every [`End`] holds the hash of all records before it, so that a
//! changed octet is found even where replay does not look at it. That hash has no key: it tells
//! damage, not forgery.
//!
//! What must never happen: more in a trace than the client itself could see. Tokens, answers and
//! the octets a call moved are in it; what the chip keeps to itself is not.

use alloc::string::String;
use alloc::vec::Vec;

use portcullis_crypto::{Sha256, sha256};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::event::Event;
use crate::memory::{Access, MemoryFault};
use crate::outcome::{Fault, Outcome, Violation, ViolationKind};
use crate::policy::Limits;
use crate::syscall::{HostFault, Reply};

/// First octets of a trace, the last being the version of the format.
pub(crate) const MAGIC: [u8; 8] = *b"PCTRACE\x01";
/// Longest trace that is written or read, in octets.
pub const TRACE_BYTES_MAX: usize = 64 << 20;
/// Memory is hashed in pages of so many octets; pages of zeros are left out.
const PAGE: usize = 4096;

/// One record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    Begin(Begin),
    Event(Arrived),
    Call(Called),
    /// The host ended the client when it was asked for the so-manieth time in this event.
    MustEnd {
        asked: u32,
    },
    End(End),
    /// The limit of the trace was reached; nothing after this was recorded. With the hash of all
    /// records before.
    Full {
        before: [u8; 32],
    },
}

/// Whose trace it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Begin {
    pub(crate) client: [u8; 32],
    pub(crate) limits: [u64; LIMITS],
    /// Calls that a provider answered, with how many arguments each.
    pub(crate) providers: Vec<(u16, u8)>,
    pub(crate) fingerprint: [u8; 32],
}

/// An event before it is handled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Arrived {
    pub(crate) event: u32,
    pub(crate) params: Vec<u32>,
    /// Access tokens by kind.
    pub(crate) tokens: Vec<(u32, Vec<u8>)>,
}

/// A system call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Called {
    pub(crate) pc: u32,
    pub(crate) id: u16,
    pub(crate) args: Vec<u32>,
    pub(crate) by: Answerer,
    /// What the host did to guest memory, in order.
    pub(crate) accesses: Vec<Access>,
    pub(crate) answer: Answer,
}

/// Who answered a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Answerer {
    Machine,
    Host,
    Provider,
}

/// What a call was answered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Reply { result: u32, status: i32 },
    Read { address: u32, len: u32 },
    Write { address: u32, len: u32 },
    TooLong { len: u32 },
    NoSuchCall,
    HostFailed,
    NotListed,
}

/// How an event ended, and what the client was then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) outcome: String,
    /// Instructions retired and charged since the load.
    pub(crate) retired: u64,
    pub(crate) charged: u64,
    pub(crate) fingerprint: [u8; 32],
    /// Hash of all records before this one.
    pub(crate) before: [u8; 32],
}

impl Begin {
    pub(crate) fn of(client: &Client, identity: [u8; 32]) -> Self {
        let providers = client.calls.providers.iter();
        Self {
            client: identity,
            limits: limits(&client.limits),
            providers: providers.collect(),
            fingerprint: fingerprint(client),
        }
    }
}

impl End {
    pub(crate) fn of(client: &Client, outcome: &Outcome, before: [u8; 32]) -> Self {
        Self {
            outcome: words(outcome),
            retired: client.retired_instructions(),
            charged: client.charged_instructions(),
            fingerprint: fingerprint(client),
            before,
        }
    }
}

impl Answer {
    pub(crate) fn of(answer: &Result<Reply, HostFault>) -> Self {
        match *answer {
            Ok(Reply { result, status }) => Self::Reply { result, status },
            Err(HostFault::Memory(MemoryFault::Read { address, len })) => {
                Self::Read { address, len }
            }
            Err(HostFault::Memory(MemoryFault::Write { address, len })) => {
                Self::Write { address, len }
            }
            Err(HostFault::Memory(MemoryFault::TooLong { len })) => Self::TooLong { len },
            Err(HostFault::NoSuchCall) => Self::NoSuchCall,
            Err(HostFault::Host(_)) => Self::HostFailed,
            Err(HostFault::NotListed(_)) => Self::NotListed,
        }
    }

    pub(crate) const fn again(&self) -> Result<Reply, HostFault> {
        Err(match *self {
            Self::Reply { result, status } => return Ok(Reply { result, status }),
            Self::Read { address, len } => HostFault::Memory(MemoryFault::Read { address, len }),
            Self::Write { address, len } => HostFault::Memory(MemoryFault::Write { address, len }),
            Self::TooLong { len } => HostFault::Memory(MemoryFault::TooLong { len }),
            Self::NoSuchCall => HostFault::NoSuchCall,
            Self::HostFailed => HostFault::Host("as recorded"),
            Self::NotListed => HostFault::NotListed("as recorded"),
        })
    }
}

/// The hash of the records so far, when one more comes.
pub(crate) fn chained(before: &[u8; 32], record: &[u8]) -> [u8; 32] {
    sha256(&[before, record])
}

/// How many limits a trace names.
const LIMITS: usize = 5 + Event::ALL.len();

/// The limits in a fixed order.
pub(crate) const fn limits(limits: &Limits) -> [u64; LIMITS] {
    [
        limits.code_bytes as u64,
        limits.ram_bytes as u64,
        limits.stack_bytes as u64,
        limits.heap_bytes as u64,
        limits.queue as u64,
        limits.budget_of(Event::Initialize),
        limits.budget_of(Event::SelectContent),
        limits.budget_of(Event::Entitlement),
        limits.budget_of(Event::ChangeKey),
        limits.budget_of(Event::Descramble),
        limits.budget_of(Event::Player),
        limits.budget_of(Event::Timer),
        limits.budget_of(Event::Terminate),
    ]
}

/// The outcome in words, without what a failed host said: that is not the client's doing.
fn words(outcome: &Outcome) -> String {
    use alloc::string::ToString;
    match outcome {
        Outcome::Fault(Fault::Host { call, .. }) => alloc::format!("fault: {call}: host failed"),
        Outcome::Violation(Violation {
            event,
            pc,
            kind: ViolationKind::NotListed { call, .. },
        }) => alloc::format!("policy violation: {call}: not listed ({event}, 0x{pc:08x})"),
        other => other.to_string(),
    }
}

/// Hash of state, registrations, registers and memory.
pub(crate) fn fingerprint(client: &Client) -> [u8; 32] {
    let mut hash = Sha256::new();
    let number = |value: u64, hash: &mut Sha256| hash.update(&value.to_be_bytes());
    hash.update(client.state().name().as_bytes());
    number(client.calls.handler.map_or(u64::MAX, |at| at as u64), &mut hash);
    let (address, elements) = client.calls.buffer.map_or((0, 0), |b| (b.address, b.elements));
    number(u64::from(address), &mut hash);
    number(u64::from(elements), &mut hash);
    number(client.machine.registers.pc as u64, &mut hash);
    for register in 1..32 {
        number(u64::from(client.machine.registers.get(register)), &mut hash);
    }
    for (base, _, bytes) in client.machine.memory.in_order() {
        number(u64::from(base), &mut hash);
        number(bytes.len() as u64, &mut hash);
        for (at, page) in bytes.chunks(PAGE).enumerate() {
            if page.iter().any(|octet| *octet != 0) {
                number(at as u64, &mut hash);
                hash.update(page);
            }
        }
    }
    hash.finish()
}
