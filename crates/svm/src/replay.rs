//! Follows a trace without a host and demands equality at every step: calls, arguments, what they
//! read, outcome, count of instructions, registers and memory.
//!
//! Clause: X.1198 7.7. Trust domain: a developer's machine or a test; the trace is foreign and may
//! hold anything. What must never happen: a divergence that goes by unnoticed; a panic.

mod error;

use alloc::boxed::Box;
use alloc::string::String;

pub use self::error::{Difference, ReplayError};
use crate::client::Client;
use crate::event::Event;
use crate::memory::{Access, GuestMemory};
use crate::monitor::CallPermitted;
use crate::outcome::Outcome;
use crate::syscall::{HostFault, ProviderFunction, Reply, Syscall, SystemCalls, TraceStep};
use crate::trace::{
    Answerer, Arrived, Begin, Called, End, MAGIC, Record, TRACE_BYTES_MAX, chained,
};

/// One event that was replayed and was equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// Which event, from 1.
    pub number: u32,
    /// Its kind.
    pub event: Event,
    /// How it ended, as recorded and again.
    pub outcome: Outcome,
    /// System calls it made.
    pub calls: u32,
    /// Hash of state, registers and memory after it.
    pub fingerprint: [u8; 32],
}

/// A trace that is followed, event by event.
pub struct Replay<'t> {
    begin: Begin,
    reader: Reader<'t>,
    number: u32,
    full: bool,
}

impl<'t> Replay<'t> {
    /// Opens a trace for a client as it is right after its load: the one that was recorded, with
    /// the same limits. Stand-ins for the providers of the recording are put in.
    ///
    /// # Errors
    /// [`ReplayError`]: no trace, a broken one, or one of another client.
    pub fn open(
        trace: &'t [u8],
        client: &mut Client,
        identity: [u8; 32],
    ) -> Result<Self, ReplayError> {
        if trace.len() > TRACE_BYTES_MAX {
            return Err(ReplayError::TooLong);
        }
        let rest = trace.strip_prefix(&MAGIC).ok_or(ReplayError::NotATrace)?;
        let mut reader = Reader { rest, len: trace.len(), chain: [0; 32] };
        let Record::Begin(begin) = reader.next()? else {
            return Err(ReplayError::Broken { offset: MAGIC.len() });
        };
        if begin.client != identity {
            return Err(ReplayError::OtherClient("the package"));
        }
        for (id, arguments) in &begin.providers {
            let stand_in: ProviderFunction = Box::new(|_, _, _| Err(HostFault::NoSuchCall));
            let call = Syscall::from_id(*id).ok_or(ReplayError::OtherClient("a provider"))?;
            if !client.set_provider(call, usize::from(*arguments), stand_in) {
                return Err(ReplayError::OtherClient("a provider"));
            }
        }
        let ours = Begin::of(client, identity);
        for (what, differs) in [
            ("a limit", ours.limits != begin.limits),
            ("a provider", ours.providers != begin.providers),
            ("the memory after the load", ours.fingerprint != begin.fingerprint),
        ] {
            if differs {
                return Err(ReplayError::OtherClient(what));
            }
        }
        Ok(Self { begin, reader, number: 0, full: false })
    }

    /// Which client was recorded.
    #[must_use]
    pub const fn identity(&self) -> &[u8; 32] {
        &self.begin.client
    }

    /// Whether the recording stopped at its limit, as far as it was followed.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full
    }

    /// Replays the next event; `None` at the end of the trace.
    ///
    /// # Errors
    /// [`ReplayError`]; the client is of no use then.
    pub fn next_event(&mut self, client: &mut Client) -> Result<Option<Replayed>, ReplayError> {
        if self.full || self.reader.rest.is_empty() {
            return Ok(None);
        }
        let offset = self.reader.offset();
        let broken = || ReplayError::Broken { offset };
        let Arrived { event, params, .. } = match self.reader.next()? {
            Record::Event(arrived) => arrived,
            Record::Full { .. } => {
                self.full = true;
                return Ok(None);
            }
            _ => return Err(broken()),
        };
        let event = Event::from_id(event).ok_or_else(broken)?;
        self.number += 1;
        let mut host =
            FromTrace { reader: &mut self.reader, calls: 0, pc: 0, asked: 0, trouble: None };
        let outcome = client.raise(event, &params, &mut host);
        let FromTrace { calls, pc, trouble, .. } = host;
        let number = self.number;
        let diverged = |what| ReplayError::Diverged { number, event, call: calls, pc, what };
        match trouble {
            Some(Trouble::Trace(error)) => return Err(error),
            Some(Trouble::Differs(what)) => return Err(diverged(what)),
            Some(Trouble::Full) => {
                self.full = true;
                return Ok(None);
            }
            None => {}
        }
        let before = self.reader.chain;
        let recorded = match self.reader.next()? {
            Record::End(end) => end,
            Record::Full { .. } => {
                self.full = true;
                return Ok(None);
            }
            other => {
                let now = End::of(client, &outcome, before).outcome;
                let recorded = name(&other);
                return Err(diverged(Difference::Over { outcome: now, recorded }));
            }
        };
        let now = End::of(client, &outcome, before);
        compare(&now, &recorded).map_err(diverged)?;
        if recorded.before != before {
            return Err(ReplayError::Changed { number });
        }
        let fingerprint = now.fingerprint;
        Ok(Some(Replayed { number, event, outcome, calls, fingerprint }))
    }

    /// Replays everything and says how many events that were.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn run(mut self, client: &mut Client) -> Result<u32, ReplayError> {
        while self.next_event(client)?.is_some() {}
        Ok(self.number)
    }
}

fn compare(now: &End, recorded: &End) -> Result<(), Difference> {
    if now.outcome != recorded.outcome {
        let (now, recorded) = (now.outcome.clone(), recorded.outcome.clone());
        return Err(Difference::Outcome { now, recorded });
    }
    let total = |end: &End| end.retired.saturating_add(end.charged);
    if (now.retired, now.charged) != (recorded.retired, recorded.charged) {
        return Err(Difference::Instructions { now: total(now), recorded: total(recorded) });
    }
    if now.fingerprint != recorded.fingerprint {
        return Err(Difference::State);
    }
    Ok(())
}

fn name(record: &Record) -> String {
    match record {
        Record::Call(called) => alloc::format!("system call 0x{:03x}", called.id),
        Record::MustEnd { .. } => "the end by the host".into(),
        Record::End(end) => alloc::format!("the end of the event ({})", end.outcome),
        Record::Begin(_) | Record::Event(_) | Record::Full { .. } => "something else".into(),
    }
}

/// Takes records one by one.
struct Reader<'t> {
    rest: &'t [u8],
    len: usize,
    chain: [u8; 32],
}

impl Reader<'_> {
    const fn offset(&self) -> usize {
        self.len - self.rest.len()
    }

    fn next(&mut self) -> Result<Record, ReplayError> {
        let broken = ReplayError::Broken { offset: self.offset() };
        let (record, rest) = postcard::take_from_bytes(self.rest).map_err(|_| broken.clone())?;
        let len = self.rest.len() - rest.len();
        // Only the last record may say that there is no more.
        if let Record::Full { before } = &record
            && (*before != self.chain || !rest.is_empty())
        {
            return Err(broken);
        }
        self.chain = chained(&self.chain, self.rest.get(..len).ok_or(broken)?);
        self.rest = rest;
        Ok(record)
    }

    /// The host's order to end, when it is next and was given at this asking.
    fn must_end(&mut self, asked: u32) -> bool {
        let next = postcard::take_from_bytes(self.rest).map(|(record, _)| record);
        let is_it = next == Ok(Record::MustEnd { asked });
        is_it && self.next().is_ok()
    }
}

/// Why replay of an event stopped in its middle.
enum Trouble {
    Trace(ReplayError),
    Differs(Difference),
    Full,
}

/// Answers as the trace says.
struct FromTrace<'a, 't> {
    reader: &'a mut Reader<'t>,
    calls: u32,
    pc: u32,
    asked: u32,
    trouble: Option<Trouble>,
}

impl FromTrace<'_, '_> {
    /// Takes the record of a call and checks that it is this one.
    fn expect(&mut self, id: u16, args: &[u32], by: Answerer) -> Result<Called, Trouble> {
        self.calls += 1;
        let called = match self.reader.next().map_err(Trouble::Trace)? {
            Record::Call(called) if called.id == id && called.by == by => called,
            Record::Full { .. } => return Err(Trouble::Full),
            other => {
                let recorded = name(&other);
                return Err(Trouble::Differs(Difference::Call { made: id, recorded }));
            }
        };
        if called.pc != self.pc {
            return Err(Trouble::Differs(Difference::Place(called.pc)));
        }
        if called.args != args {
            let (made, recorded) = (args.to_vec(), called.args);
            return Err(Trouble::Differs(Difference::Arguments { id, made, recorded }));
        }
        Ok(called)
    }

    fn answer(
        &mut self,
        id: u16,
        args: &[u32],
        by: Answerer,
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        if self.trouble.is_some() {
            return Err(HostFault::Host("the trace says something else"));
        }
        let answered = self.expect(id, args, by).and_then(|called| {
            for access in called.accesses {
                again(access, memory).map_err(Trouble::Differs)?;
            }
            Ok(called.answer.again())
        });
        answered.unwrap_or_else(|trouble| {
            self.trouble = Some(trouble);
            Err(HostFault::Host("the trace says something else"))
        })
    }
}

/// Does to guest memory what the host did.
fn again(access: Access, memory: &mut GuestMemory) -> Result<(), Difference> {
    match access {
        Access::Read { address, octets } => {
            let len = u32::try_from(octets.len()).unwrap_or(u32::MAX);
            if memory.read(address, len).as_deref() == Ok(octets.as_slice()) {
                Ok(())
            } else {
                Err(Difference::Memory(address))
            }
        }
        Access::Write { address, octets } => {
            memory.write(address, &octets).map_err(|_| Difference::Write(address))
        }
    }
}

impl SystemCalls for FromTrace<'_, '_> {
    fn call(
        &mut self,
        _: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        self.answer(call.id(), args, Answerer::Host, memory)
    }

    fn provided(
        &mut self,
        _: &mut ProviderFunction,
        permitted: CallPermitted,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        self.answer(permitted.id(), args, Answerer::Provider, memory)
    }

    fn must_end(&mut self) -> bool {
        self.asked = self.asked.saturating_add(1);
        self.trouble.is_some() || self.reader.must_end(self.asked)
    }

    fn trace(&mut self, step: TraceStep<'_>) {
        match step {
            TraceStep::Trap { return_pc, .. } => self.pc = return_pc.wrapping_sub(4),
            TraceStep::Called { call, args, reply, .. }
                if call.is_internal() && self.trouble.is_none() =>
            {
                match self.expect(call.id(), args, Answerer::Machine) {
                    Ok(called) if called.answer.again() == Ok(reply) => {}
                    Ok(_) => {
                        self.trouble = Some(Trouble::Differs(Difference::Answer(call.id())));
                    }
                    Err(trouble) => self.trouble = Some(trouble),
                }
            }
            _ => {}
        }
    }
}
