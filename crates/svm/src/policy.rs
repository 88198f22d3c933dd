//! What a policy allows, in the form the monitor and the loader use.
//!
//! Clause: X.1198 7.5. The XML is read elsewhere (crate `package`); here is the permit table of
//! (event, system call) and the limits of one client.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use crate::abi::SYSCALL_IDS;
use crate::event::Event;
use crate::extension::Extensions;

const EVENTS: usize = Event::ALL.len() + 1;

/// Which system calls are permitted in which event. Everything is denied unless permitted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PermitTable {
    /// By call id the events in which it is permitted, [`Event::bit`].
    events: Box<[u8; SYSCALL_IDS]>,
    max_per_event: BTreeMap<(Event, u16), u32>,
}

impl PermitTable {
    /// Octets of a table without limits.
    pub(crate) const OCTETS: usize = size_of::<Self>() + SYSCALL_IDS;

    /// Nothing is permitted.
    #[must_use]
    pub fn deny_all() -> Self {
        Self { events: Box::new([0; SYSCALL_IDS]), max_per_event: BTreeMap::new() }
    }

    fn events(&self, id: u16) -> u8 {
        self.events.get(usize::from(id)).copied().unwrap_or_default()
    }

    /// Permits one call in one event. Ids that TRAP cannot carry are never permitted.
    pub fn permit(&mut self, event: Event, id: u16) {
        if let Some(events) = self.events.get_mut(usize::from(id)) {
            *events |= event.bit();
        }
    }

    /// Permits one call in one event, so many times in each event.
    pub fn permit_limited(&mut self, event: Event, id: u16, max: u32) {
        self.permit(event, id);
        self.max_per_event.insert((event, id), max);
    }

    /// Whether a call is permitted in an event.
    #[must_use]
    pub fn permits(&self, event: Event, id: u16) -> bool {
        self.events(id) & event.bit() != 0
    }

    /// For each call id the events in which it is permitted as often as a client likes.
    pub(crate) fn unlimited(&self) -> [u8; SYSCALL_IDS] {
        let mut unlimited = *self.events;
        for (event, id) in self.max_per_event.keys() {
            if let Some(events) = unlimited.get_mut(usize::from(*id)) {
                *events &= !event.bit();
            }
        }
        unlimited
    }

    /// How often a call is permitted in one event, when that is limited.
    #[must_use]
    pub fn max_per_event(&self, event: Event, id: u16) -> Option<u32> {
        self.max_per_event.get(&(event, id)).copied()
    }

    /// The ids of calls that are limited in some event.
    pub(crate) fn limited_calls(&self) -> impl Iterator<Item = u16> + '_ {
        self.max_per_event.keys().map(|(_, id)| *id)
    }

    /// Whether some event permits a call: what the scan asks of each TRAP.
    #[must_use]
    pub fn permits_in_some_event(&self, id: u16) -> bool {
        self.events(id) != 0
    }

    /// Every permitted (event, call id), ascending.
    pub fn iter(&self) -> impl Iterator<Item = (Event, u16)> + '_ {
        Event::ALL.into_iter().flat_map(move |event| {
            (0..SYSCALL_IDS as u16)
                .filter(move |id| self.permits(event, *id))
                .map(move |id| (event, id))
        })
    }
}

/// What one client may use. Every field is a hard limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Octets of code image (text, read-only and initial data).
    pub code_bytes: u32,
    /// Octets of writable memory from [`crate::abi::RAM_BASE`]: data, bss and heap.
    pub ram_bytes: u32,
    /// Octets of stack, above an unmapped page.
    pub stack_bytes: u32,
    /// Octets of heap that `HeapSize` promises; part of `ram_bytes`.
    pub heap_bytes: u32,
    /// Instructions for each event but ChangeKey.
    pub budget: u64,
    /// Instructions for a ChangeKey event.
    pub change_key_budget: u64,
    /// Instructions for single kinds of events, before the two above.
    pub event_budgets: EventBudgets,
    /// Events that may wait.
    pub queue: usize,
    /// Instructions beyond RV32IM.
    pub extensions: Extensions,
    /// Whether a compiled tier may run the client: the policy and the host both have to say so.
    pub compile: bool,
    /// What a RISC-V test suite needs, never a client.
    pub compatibility: Compatibility,
}

/// Instructions for single kinds of events, as the policy says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct EventBudgets([Option<u64>; EVENTS]);

impl EventBudgets {
    /// Sets the budget of an event.
    pub fn set(&mut self, event: Event, budget: u64) {
        if let Some(place) = self.0.get_mut(event as usize) {
            *place = Some(budget);
        }
    }

    /// The budget of an event, when it has one of its own.
    #[must_use]
    pub const fn get(&self, event: Event) -> Option<u64> {
        let Self(budgets) = self;
        // Every event is below the number of events.
        budgets[event as usize]
    }
}

/// Whether programs of RISC-V suites get what they expect of a simulator.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Compatibility {
    /// A client: every word of the text is permitted.
    #[default]
    Client,
    /// `ecall` with a7 = 93 ends the program with code a0, and words that do not decode fault only
    /// when they are reached. For `svm run` on test suites.
    UnsafeSimulatorEcall,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            code_bytes: 1 << 20,
            ram_bytes: 1 << 20,
            stack_bytes: 64 << 10,
            heap_bytes: 512 << 10,
            budget: 50_000_000,
            change_key_budget: 5_000_000,
            event_budgets: EventBudgets([None; EVENTS]),
            queue: 64,
            extensions: Extensions::NONE,
            compile: false,
            compatibility: Compatibility::Client,
        }
    }
}

impl Limits {
    /// What a terminal gives at most, whatever the policy asks.
    #[must_use]
    pub const fn terminal_maximum() -> Self {
        Self {
            code_bytes: 4 << 20,
            ram_bytes: 8 << 20,
            stack_bytes: 1 << 20,
            heap_bytes: 8 << 20,
            budget: 500_000_000,
            change_key_budget: 50_000_000,
            event_budgets: EventBudgets([None; EVENTS]),
            queue: 256,
            extensions: Extensions::ALL,
            compile: false,
            compatibility: Compatibility::Client,
        }
    }

    /// Each limit, but no more than another's.
    #[must_use]
    // spec: X-23
    pub fn capped_by(self, cap: &Self) -> Self {
        let mut event_budgets = self.event_budgets;
        for event in Event::ALL {
            if let Some(budget) = self.event_budgets.get(event) {
                event_budgets.set(event, budget.min(cap.budget_of(event)));
            }
        }
        Self {
            event_budgets,
            code_bytes: self.code_bytes.min(cap.code_bytes),
            ram_bytes: self.ram_bytes.min(cap.ram_bytes),
            stack_bytes: self.stack_bytes.min(cap.stack_bytes),
            heap_bytes: self.heap_bytes.min(cap.heap_bytes),
            budget: self.budget.min(cap.budget),
            change_key_budget: self.change_key_budget.min(cap.change_key_budget),
            queue: self.queue.min(cap.queue),
            extensions: self.extensions.and(cap.extensions),
            compile: self.compile && cap.compile,
            compatibility: self.compatibility,
        }
    }

    /// The budget of an event, in instructions.
    #[must_use]
    pub const fn budget_of(&self, event: Event) -> u64 {
        match (self.event_budgets.get(event), event) {
            (Some(budget), _) => budget,
            (None, Event::ChangeKey) => self.change_key_budget,
            (None, _) => self.budget,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec-test: X-23
    // attack-test: T-31
    #[test]
    fn each_kind_of_event_has_its_budget_and_the_terminal_has_the_last_word() {
        let mut asked = Limits { change_key_budget: u64::MAX, ..Limits::default() };
        asked.event_budgets.set(Event::Timer, 1000);
        asked.event_budgets.set(Event::Player, u64::MAX);
        let given = asked.capped_by(&Limits::terminal_maximum());
        for (event, budget) in [
            (Event::Initialize, 50_000_000),
            (Event::Timer, 1000),
            (Event::Player, 500_000_000),
            (Event::ChangeKey, 50_000_000),
        ] {
            assert_eq!(given.budget_of(event), budget, "{event}");
        }
    }
}
