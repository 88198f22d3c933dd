//! Records a client at work: wraps its host and writes a trace that [`crate::Replay`] can follow
//! without a host.
//!
//! Clause: X.1198 7.7. Trust domain: the embedded SCP; the trace goes where the caller puts it.
//! What must never happen: a recorded client that behaves other than an unrecorded one; a trace
//! that grows without end.

use alloc::vec::Vec;

use crate::client::{Client, QueueFull};
use crate::event::Event;
use crate::memory::GuestMemory;
use crate::monitor::CallPermitted;
use crate::outcome::Outcome;
use crate::syscall::{HostFault, ProviderFunction, Reply, Syscall, SystemCalls, TraceStep};
use crate::trace::{
    Answer, Answerer, Arrived, Begin, Called, End, MAGIC, Record, TRACE_BYTES_MAX, chained,
};

/// Octets that stay free for the last record of a trace that reaches its limit.
const ROOM_FOR_FULL: usize = 40;

/// Writes the trace of one client, from its load on.
#[derive(Debug)]
pub struct Recorder {
    /// Written and not yet taken.
    out: Vec<u8>,
    written: usize,
    limit: usize,
    full: bool,
    chain: [u8; 32],
}

impl Recorder {
    /// Begins the trace of a loaded client. `identity` says which package it is; replay demands
    /// the same. The trace has at most `limit` octets, and never more than [`TRACE_BYTES_MAX`].
    #[must_use]
    pub fn new(client: &Client, identity: [u8; 32], limit: usize) -> Self {
        let mut recorder = Self {
            out: MAGIC.to_vec(),
            written: MAGIC.len(),
            limit: limit.min(TRACE_BYTES_MAX),
            full: false,
            chain: [0; 32],
        };
        recorder.record(&Record::Begin(Begin::of(client, identity)));
        recorder
    }

    /// What was written since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.out)
    }

    /// Whether the limit was reached: the client went on, the trace did not.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full
    }

    /// [`Client::raise`], recorded. `tokens` are the access tokens of this event by kind.
    pub fn raise(
        &mut self,
        client: &mut Client,
        event: Event,
        params: &[u32],
        tokens: &[(u32, &[u8])],
        host: &mut dyn SystemCalls,
    ) -> Outcome {
        while self.dispatch(client, &[], host).is_some() {}
        let refused = Outcome::Refused { state: client.state(), event };
        match client.post(event, params) {
            Ok(()) => self.dispatch(client, tokens, host).map_or(refused, |(_, outcome)| outcome),
            Err(QueueFull { .. }) => refused,
        }
    }

    /// [`Client::dispatch`], recorded.
    pub fn dispatch(
        &mut self,
        client: &mut Client,
        tokens: &[(u32, &[u8])],
        host: &mut dyn SystemCalls,
    ) -> Option<(Event, Outcome)> {
        let (event, params) = client.waiting()?;
        self.record(&Record::Event(Arrived {
            event: event.id(),
            params: params.to_vec(),
            tokens: tokens.iter().map(|(kind, octets)| (*kind, octets.to_vec())).collect(),
        }));
        let mut host = Recorded { inner: host, recorder: self, pc: 0, asked: 0 };
        let (event, outcome) = client.dispatch(&mut host)?;
        let end = End::of(client, &outcome, self.chain);
        self.record(&Record::End(end));
        Some((event, outcome))
    }

    fn record(&mut self, record: &Record) {
        if self.full {
            return;
        }
        let mut octets = postcard::to_allocvec(record).unwrap_or_default();
        let room = self.limit.saturating_sub(self.written);
        if octets.is_empty() || octets.len() + ROOM_FOR_FULL > room {
            self.full = true;
            octets =
                postcard::to_allocvec(&Record::Full { before: self.chain }).unwrap_or_default();
        }
        self.chain = chained(&self.chain, &octets);
        self.written += octets.len();
        self.out.append(&mut octets);
    }
}

/// The host, with somebody who writes along.
struct Recorded<'a> {
    inner: &'a mut dyn SystemCalls,
    recorder: &'a mut Recorder,
    pc: u32,
    asked: u32,
}

impl Recorded<'_> {
    fn called(
        &mut self,
        by: Answerer,
        id: u16,
        args: &[u32],
        memory: &mut GuestMemory,
        answer: &Result<Reply, HostFault>,
    ) {
        let accesses = memory.take_watched();
        let (pc, args, answer) = (self.pc, args.to_vec(), Answer::of(answer));
        self.recorder.record(&Record::Call(Called { pc, id, args, by, accesses, answer }));
    }
}

impl SystemCalls for Recorded<'_> {
    fn call(
        &mut self,
        permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        memory.watch();
        let answer = self.inner.call(permitted, call, args, memory);
        self.called(Answerer::Host, call.id(), args, memory, &answer);
        answer
    }

    fn provided(
        &mut self,
        function: &mut ProviderFunction,
        permitted: CallPermitted,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        let id = permitted.id();
        memory.watch();
        let answer = self.inner.provided(function, permitted, args, memory);
        self.called(Answerer::Provider, id, args, memory, &answer);
        answer
    }

    fn must_end(&mut self) -> bool {
        self.asked = self.asked.saturating_add(1);
        let must = self.inner.must_end();
        if must {
            self.recorder.record(&Record::MustEnd { asked: self.asked });
        }
        must
    }

    fn trace(&mut self, step: TraceStep<'_>) {
        match step {
            TraceStep::Trap { return_pc, .. } => self.pc = return_pc.wrapping_sub(4),
            TraceStep::Called { call, args, reply, .. } if call.is_internal() => {
                self.recorder.record(&Record::Call(Called {
                    pc: self.pc,
                    id: call.id(),
                    args: args.to_vec(),
                    by: Answerer::Machine,
                    accesses: Vec::new(),
                    answer: Answer::of(&Ok(reply)),
                }));
            }
            _ => {}
        }
        self.inner.trace(step);
    }
}
