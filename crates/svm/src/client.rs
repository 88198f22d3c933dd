//! One client in its machine: load, the event sequence of 7.7, the end.
//!
//! Clauses: X.1198 7.2, 7.3, 7.5, 7.7; the call sequence of 7.6 is in `call.rs`. What must never
//! happen: two events at once; a client that goes on after a violation, a fault or a spent budget.

mod buffer;
mod load;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::abi;
use crate::call::{Calling, Calls};
use crate::compiled::{CompiledTier, Tier};
use crate::engine::{Engine, Machine, Run};
use crate::event::{Event, State, Trigger, next_state};
use crate::interpreter::Stop;
use crate::memory::GuestMemory;
use crate::monitor::PolicyMonitor;
use crate::outcome::{Fault, Outcome};
use crate::policy::{Compatibility, Limits, PermitTable};
use crate::provider::{Provider, Providers};
use crate::scan::{DecodedText, ScanReport};
use crate::syscall::{MAX_ARGUMENTS, ProviderFunction, Syscall, SystemCalls, TraceStep};

/// After so many instructions of one event the host is asked whether the client must end: some
/// milliseconds. Budgets stay exact: a slice only says when the host is asked.
pub const SLICE: u64 = 1 << 22;

/// A loaded client. Dropping it overwrites its memory.
pub struct Client {
    pub(crate) state: State,
    /// Clones share it.
    pub(crate) text: Arc<DecodedText>,
    pub(crate) machine: Machine,
    pub(crate) limits: Limits,
    pub(crate) calls: Calls,
    engine: Engine,
    tier: Option<Tier>,
    report: Arc<ScanReport>,
    entry: usize,
    stack_top: u32,
    pub(crate) queue: VecDeque<Pending>,
    /// Of all budgets since the load: retired, or charged for the host's work.
    spent: u64,
}

/// An event that waits, with its parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    event: Event,
    params: [u32; abi::EVENT_PARAMS_MAX],
    count: usize,
}

/// The event could not be queued: nothing was lost, the sender still has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("event {event} has too many parameters, or {waiting} events wait already")]
pub struct QueueFull {
    /// The event.
    pub event: Event,
    /// How many wait.
    pub waiting: usize,
}

impl Client {
    /// What all clones of this client have in common, and no memory.
    pub(crate) fn without_memory(&self) -> Self {
        let mut machine = Machine::new(GuestMemory::default());
        machine.registers = self.machine.registers.clone();
        Self {
            state: self.state,
            text: match self.text.is_in_words() {
                true => Arc::new(self.text.with_slots(&self.machine.memory)),
                false => Arc::clone(&self.text),
            },
            machine,
            limits: self.limits,
            calls: self.calls.without_providers(),
            engine: self.engine,
            tier: None,
            report: Arc::clone(&self.report),
            entry: self.entry,
            stack_top: self.stack_top,
            queue: VecDeque::new(),
            spent: self.spent,
        }
    }

    /// Lets a provider's function stand in for a call, or add a call of the private range with so
    /// many arguments. Only before Initialize; `false` when refused.
    // spec: X-49 X-T07
    pub fn set_provider(
        &mut self,
        call: Syscall,
        arguments: usize,
        function: ProviderFunction,
    ) -> bool {
        let private = matches!(call, Syscall::ProviderPrivate(_));
        let legal = self.state == State::Loaded
            && !call.is_internal()
            && arguments <= MAX_ARGUMENTS
            && (private || arguments == call.arguments());
        if legal {
            let provider = Provider { arguments: arguments as u8, function };
            self.calls.providers.set(call.id(), provider);
        }
        legal
    }

    /// Chooses the engine. All engines mean the same; a default client has the fastest.
    pub fn set_engine(&mut self, engine: Engine) {
        self.engine = engine;
    }

    /// Lets a tier run the client's text as instructions of the host. Only before Initialize, and
    /// only when the limits open it; `false` when refused, and then the engine runs as before.
    // spec: X-06
    // defends: T-15
    pub fn set_compiler(&mut self, tier: Box<dyn CompiledTier>) -> bool {
        if self.limits.compile && self.state == State::Loaded && self.tier.is_none() {
            self.tier = Tier::take(tier, &self.text, &mut self.machine);
            if self.tier.is_some() && self.limits.compatibility == Compatibility::Client {
                self.text = Arc::new(self.text.in_words());
            }
        }
        self.tier.is_some()
    }

    /// The state of 7.2.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// What the scan saw.
    #[must_use]
    pub fn report(&self) -> &ScanReport {
        &self.report
    }

    /// The policy in force.
    #[must_use]
    pub fn permits(&self) -> &PermitTable {
        self.calls.monitor.permits()
    }

    /// Instructions retired since the load.
    #[must_use]
    pub const fn retired_instructions(&self) -> u64 {
        self.spent.saturating_sub(self.calls.charged)
    }

    /// Instructions charged for the host's work since the load.
    #[must_use]
    pub const fn charged_instructions(&self) -> u64 {
        self.calls.charged
    }

    /// Octets that the client takes beside its own memory, with all that it may share with clones.
    #[must_use]
    pub fn octets_beside_memory(&self) -> usize {
        let slots = size_of_val(self.text.code.as_slice());
        let tier = self.tier.as_ref().map_or(0, Tier::octets);
        size_of::<Self>() + PolicyMonitor::SHARED + slots + tier
    }

    /// Has Initialize registered a handler?
    #[must_use]
    pub const fn has_handler(&self) -> bool {
        self.calls.handler.is_some()
    }

    /// Queues an event: first in, first served.
    ///
    /// # Errors
    /// [`QueueFull`]; the event is not queued.
    // spec: X-E05 X-E08
    // defends: T-31 T-34
    pub fn post(&mut self, event: Event, params: &[u32]) -> Result<(), QueueFull> {
        let waiting = self.queue.len();
        let count = params.len();
        let mut pending = Pending { event, params: [0; abi::EVENT_PARAMS_MAX], count };
        match pending.params.get_mut(..count) {
            Some(place) if waiting < self.limits.queue => place.copy_from_slice(params),
            _ => return Err(QueueFull { event, waiting }),
        }
        self.queue.push_back(pending);
        Ok(())
    }

    /// The event that waits longest, with its parameters.
    #[must_use]
    pub fn waiting(&self) -> Option<(Event, &[u32])> {
        let pending = self.queue.front()?;
        Some((pending.event, pending.params.get(..pending.count)?))
    }

    /// Handles the event that waits longest. `None` when nothing waits.
    pub fn dispatch(&mut self, host: &mut dyn SystemCalls) -> Option<(Event, Outcome)> {
        let Pending { event, params, count } = self.queue.pop_front()?;
        Some((event, self.handle(event, params.get(..count)?, host)))
    }

    /// Queues an event and handles everything up to and including it.
    #[inline]
    pub fn raise(&mut self, event: Event, params: &[u32], host: &mut dyn SystemCalls) -> Outcome {
        if self.queue.is_empty() && self.limits.queue != 0 && params.len() <= abi::EVENT_PARAMS_MAX
        {
            // Nothing waits: what is queued now would be taken out next.
            return self.handle(event, params, host);
        }
        self.raise_behind(event, params, host)
    }

    /// The same, where others wait, or where the event cannot be queued.
    #[cold]
    fn raise_behind(
        &mut self,
        event: Event,
        params: &[u32],
        host: &mut dyn SystemCalls,
    ) -> Outcome {
        while self.dispatch(host).is_some() {}
        match self.post(event, params) {
            Ok(()) => self
                .dispatch(host)
                .map_or(Outcome::Refused { state: self.state, event }, |(_, outcome)| outcome),
            // Too many parameters: the sender's mistake, not the client's.
            Err(_) => Outcome::Refused { state: self.state, event },
        }
    }

    /// Ends the client without asking it: its memory is overwritten and returned.
    // spec: X-S12 X-24
    pub fn force_end(&mut self, host: &mut dyn SystemCalls) {
        self.calls.traced = host.is_traced();
        self.change_state(Trigger::Stopped, host);
        self.delete(host);
    }

    // spec: X-E01 X-E04 X-E07 X-E09 X-E10 X-E11 X-E12 X-E13
    fn handle(&mut self, event: Event, params: &[u32], host: &mut dyn SystemCalls) -> Outcome {
        self.calls.traced = host.is_traced();
        if !self.change_state(Trigger::Event(event), host) {
            return Outcome::Refused { state: self.state, event };
        }
        let start = match (event, self.calls.handler) {
            (Event::Initialize, _) => self.entry,
            (_, Some(handler)) => handler,
            (_, None) => return self.stop(host, Outcome::Fault(Fault::NotRegistered)),
        };
        if event != Event::Initialize && self.fill_buffer(event, params).is_none() {
            return self.stop(host, Outcome::Fault(Fault::EventBuffer));
        }
        self.machine.registers.reset();
        self.machine.registers.set(1, abi::RETURN_ADDRESS);
        self.machine.registers.set(2, self.stack_top);
        self.machine.registers.pc = start;
        self.calls.begin_event(event);
        if self.calls.traced {
            show_entry(event, self.text.address(start), host);
        }
        self.machine.left = self.limits.budget_of(event);
        if let Err(outcome) = self.execute(event, host) {
            return self.stop(host, outcome);
        }
        let value = match event {
            // Later on they can neither be registered nor be lost.
            // spec: X-S04
            Event::Initialize if self.calls.handler.is_none() || self.calls.buffer.is_none() => {
                return self.stop(host, Outcome::Fault(Fault::NotRegistered));
            }
            Event::Initialize => 0,
            _ => match self.return_value() {
                Some(value) => value,
                None => return self.stop(host, Outcome::Fault(Fault::EventBuffer)),
            },
        };
        if event == Event::Terminate {
            self.delete(host);
        } else {
            self.change_state(Trigger::Returned, host);
        }
        Outcome::Returned(value)
    }

    /// Runs until the handler returns; `Err` is how it stopped otherwise.
    // defends: T-31
    fn execute(&mut self, event: Event, host: &mut dyn SystemCalls) -> Result<(), Outcome> {
        if self.tier.as_ref().is_some_and(Tier::has_given_up) {
            self.give_up_tier();
        }
        let budget = self.machine.left;
        let ended = self.execute_slices(event, host);
        self.spent += budget - self.machine.left;
        ended
    }

    /// Goes on in the engine.
    #[cold]
    fn give_up_tier(&mut self) {
        self.tier = None;
        self.machine.memory.take_back();
        if self.text.is_in_words() {
            self.text = Arc::new(self.text.with_slots(&self.machine.memory));
        }
    }

    fn execute_slices(&mut self, event: Event, host: &mut dyn SystemCalls) -> Result<(), Outcome> {
        let Self { text, machine, limits, calls, tier, engine, .. } = self;
        let calling = Calling { text, limits, calls, host };
        let mut run = Run::new(text, Some(calling));
        // The budget is spent in slices. The floor is what is left of it behind the current one.
        loop {
            run.floor = machine.left.saturating_sub(SLICE);
            // A call may have been charged for more than the slice.
            while machine.left > run.floor || machine.left == 0 {
                let stop = match tier {
                    Some(tier) => tier.run(&mut run, machine),
                    None => engine.run(&mut run, machine),
                };
                if matches!(stop, Stop::Returned) {
                    return Ok(());
                }
                stopped(&mut run, machine, event, stop)?;
            }
            if run.calling.as_mut().is_some_and(|calling| calling.host.must_end()) {
                return Err(Outcome::Ended { event });
            }
        }
    }

    /// Stops the client for good and says why.
    #[cold]
    fn stop(&mut self, host: &mut dyn SystemCalls, outcome: Outcome) -> Outcome {
        self.force_end(host);
        outcome
    }

    #[cold]
    fn delete(&mut self, host: &mut dyn SystemCalls) {
        self.machine.memory.clear();
        self.machine.registers.reset();
        self.tier = None;
        self.text = Arc::new(DecodedText { base: self.text.base, len: 0, code: Vec::new() });
        self.queue = VecDeque::new();
        self.calls.providers = Providers::default();
        self.calls.handler = None;
        self.calls.buffer = None;
        self.change_state(Trigger::Deleted, host);
    }

    #[inline(always)]
    fn change_state(&mut self, trigger: Trigger, host: &mut dyn SystemCalls) -> bool {
        let Some(to) = next_state(self.state, trigger) else { return false };
        if self.calls.traced {
            show_change(self.state, to, host);
        }
        self.state = to;
        true
    }
}

/// What an engine stopped for, other than the end: `Err` is the outcome when the client goes no
/// further.
#[cold]
fn stopped(
    run: &mut Run<'_>,
    machine: &mut Machine,
    event: Event,
    stop: Stop,
) -> Result<(), Outcome> {
    let pc = run.text.address(machine.registers.pc);
    Err(match stop {
        Stop::Trap(id) => return run.trap(machine, id),
        Stop::OutOfBudget if machine.left > 0 => return Ok(()),
        Stop::Returned => return Ok(()),
        Stop::Ended(outcome) => outcome,
        Stop::OutOfBudget => Outcome::OutOfBudget { event },
        Stop::Memory(fault) => Outcome::Fault(Fault::Memory { pc, fault }),
        Stop::Jump(target) => Outcome::Fault(Fault::Jump { pc, target }),
        // riscv suites: a7 = 93 is exit, the code is in a0.
        Stop::Ecall if machine.registers.get(17) == 93 => {
            machine.retire();
            Outcome::Exited(machine.registers.get(10))
        }
        Stop::Illegal | Stop::Ecall => Outcome::Fault(Fault::Illegal { pc }),
    })
}

#[cold]
fn show_entry(event: Event, pc: u32, host: &mut dyn SystemCalls) {
    host.trace(TraceStep::Enter { event, pc });
}

#[cold]
fn show_change(from: State, to: State, host: &mut dyn SystemCalls) {
    if from != to {
        host.trace(TraceStep::State { from, to });
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.machine.memory.clear();
    }
}

impl fmt::Debug for Client {
    /// State and sizes; never memory.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .field("instructions", &self.report.instructions)
            .field("retired", &self.retired_instructions())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threaded::Slot;

    /// What a client needs beside its own memory: at most 16 KiB, and 4 octets for each of its
    /// code.
    #[test]
    fn a_client_needs_little_beside_its_memory() {
        assert!(size_of::<Slot>() <= 4 * 4);
        // A compiling tier counts on the rest of 16 KiB.
        assert!(size_of::<Client>() + PolicyMonitor::SHARED <= 6656);
    }
}
