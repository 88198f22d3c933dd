//! The toy host of `svm run`: storage in memory, messages on the terminal, no chip.
//!
//! Everything is repeatable: `Random` gives the same octets in every run.

use std::collections::BTreeMap;

use portcullis_svm::abi::status;
use portcullis_svm::{
    CallPermitted, Event, GuestMemory, GuestSlice, HostFault, Reply, State, Syscall, SystemCalls,
    TraceStep,
};

/// Most calls, refusals, states and messages that are remembered.
const MAX_REMEMBERED: usize = 1 << 20;
/// Octets of storage.
const NV_BYTES: usize = 64 << 10;

/// What the guest left behind.
pub(super) struct MemoryHost {
    print: bool,
    event: Event,
    random: u64,
    pub(super) tokens: BTreeMap<u32, Vec<u8>>,
    nv: BTreeMap<Vec<u8>, Vec<u8>>,
    counters: BTreeMap<u32, u32>,
    pub(super) calls: Vec<(Event, u16)>,
    pub(super) denied: Vec<(Event, u16)>,
    pub(super) states: Vec<State>,
    pub(super) messages: Vec<String>,
}

impl MemoryHost {
    /// A host that prints messages as they come, or keeps them for the report.
    pub(super) const fn new(print: bool) -> Self {
        Self {
            print,
            event: Event::Initialize,
            random: 0,
            tokens: BTreeMap::new(),
            nv: BTreeMap::new(),
            counters: BTreeMap::new(),
            calls: Vec::new(),
            denied: Vec::new(),
            states: Vec::new(),
            messages: Vec::new(),
        }
    }

    fn message(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text).into_owned();
        if self.print {
            println!("{text}");
        }
        remember(&mut self.messages, text);
    }

    fn nv_write(&mut self, key: Vec<u8>, value: Vec<u8>) -> Reply {
        let others = self.nv.iter().filter(|(known, _)| **known != key);
        let used: usize = others.map(|(key, value)| key.len() + value.len()).sum();
        if used + key.len() + value.len() > NV_BYTES {
            return Reply::error(status::QUOTA);
        }
        self.nv.insert(key, value);
        Reply::ok(0)
    }

    fn random(&mut self, len: u32) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < len as usize {
            out.extend(portcullis_crypto::sha256(&[&self.random.to_be_bytes()]));
            self.random += 1;
        }
        out.truncate(len as usize);
        out
    }
}

fn remember<T>(list: &mut Vec<T>, entry: T) {
    if list.len() < MAX_REMEMBERED {
        list.push(entry);
    }
}

impl SystemCalls for MemoryHost {
    fn call(
        &mut self,
        _permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        use Syscall as S;
        Ok(match (call, args) {
            (S::PutMsg, &[ptr, len]) | (S::ClientStatus, &[ptr, len]) => {
                self.message(&memory.read(ptr, len)?);
                Reply::ok(0)
            }
            (S::Log, &[level, ptr, len]) => {
                let line = memory.read(ptr, len)?;
                eprintln!("guest log {level}: {}", String::from_utf8_lossy(&line));
                Reply::ok(0)
            }
            (S::GetToken, &[kind, ptr, cap]) => match self.tokens.get(&kind) {
                Some(token) => memory.reply_with(ptr, cap, token)?,
                None => Reply::error(status::NOT_FOUND),
            },
            (S::TokenInfo, &[kind]) => match self.tokens.get(&kind) {
                Some(token) => Reply::ok(token.len() as u32),
                None => Reply::error(status::NOT_FOUND),
            },
            (S::Sha256, &[ptr, len, out]) => {
                let digest = portcullis_crypto::sha256(&[&memory.read(ptr, len)?]);
                memory.write(out, &digest)?;
                Reply::ok(0)
            }
            (S::Random, &[ptr, len]) => {
                GuestSlice::writable(memory, ptr, len)?;
                let octets = self.random(len);
                memory.write(ptr, &octets)?;
                Reply::ok(len)
            }
            (S::NvRead, &[key, key_len, ptr, cap]) => {
                match self.nv.get(&memory.read(key, key_len)?) {
                    Some(value) => memory.reply_with(ptr, cap, value)?,
                    None => Reply::error(status::NOT_FOUND),
                }
            }
            (S::NvWrite, &[key, key_len, ptr, len]) => {
                let key = memory.read(key, key_len)?;
                let value = memory.read(ptr, len)?;
                self.nv_write(key, value)
            }
            (S::NvMonotonicInc, &[id]) => {
                let value = self.counters.entry(id % 16).or_insert(0);
                *value = value.saturating_add(1);
                Reply::ok(*value)
            }
            (S::KlSetVendor, _) | (S::KlRelease, _) => Reply::ok(0),
            // There is no chip behind this host.
            _ => Reply::error(status::UNSUPPORTED),
        })
    }

    fn trace(&mut self, step: TraceStep<'_>) {
        match step {
            TraceStep::State { to, .. } => remember(&mut self.states, to),
            TraceStep::Enter { event, .. } => self.event = event,
            TraceStep::Denied { id, event } => remember(&mut self.denied, (event, id)),
            TraceStep::Called { call, .. } => remember(&mut self.calls, (self.event, call.id())),
            TraceStep::Trap { .. } | TraceStep::Resumed { .. } => {}
        }
    }
}
