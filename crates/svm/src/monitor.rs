//! The policy monitor: the one gate between a client and the host.
//!
//! Clause: X.1198 7.5. Default deny; a table frozen at load; a refusal always stops the client.
//! Only this file makes a [`CallPermitted`].

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::abi::SYSCALL_IDS;
use crate::event::Event;
use crate::policy::PermitTable;
use crate::syscall::HOSTS;

/// Proof that the policy monitor permitted one call. It is used up by the call.
#[derive(Debug)]
pub struct CallPermitted(u32);

impl CallPermitted {
    /// One word, so that it is handed on in one register.
    #[inline(always)]
    const fn new(event: Event, id: u16) -> Self {
        Self(event.id() << 16 | id as u32)
    }

    /// The event in which the call was permitted.
    #[must_use]
    pub const fn event(&self) -> Event {
        let Self(both) = *self;
        // The events have the numbers from 1 on.
        Event::ALL[(both >> 16).wrapping_sub(1) as usize % Event::ALL.len()]
    }

    /// The id of the permitted call.
    #[must_use]
    pub const fn id(&self) -> u16 {
        self.0 as u16
    }
}

/// Why a call was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Denied {
    /// The permit table does not have the pair.
    #[error("not permitted in this event")]
    NotPermitted,
    /// The pair is permitted, but not that often.
    #[error("permitted {0} times in one event")]
    TooOften(u32),
}

/// Holds the permit table of one client and counts its calls in the current event.
#[derive(Debug)]
pub struct PolicyMonitor {
    table: Arc<Table>,
    /// The current event, and its bit where [`Self::check_plain`] may answer.
    now: (Event, u8),
    /// The calls that are limited in some event, ascending, and how often each was made in this
    /// one. Made at the load: nothing is allocated in an event.
    counts: Vec<(u16, u32)>,
}

/// What does not change from the load on.
#[derive(Debug)]
struct Table {
    permits: PermitTable,
    /// For each call id the events in which nothing but the permit is asked: the call is permitted
    /// there as often as the client likes, and the host answers it.
    plain: [u8; SYSCALL_IDS],
}

impl Table {
    fn new(permits: PermitTable) -> Self {
        let mut plain = permits.unlimited();
        for (events, hosts) in plain.iter_mut().zip(&HOSTS) {
            *events &= hosts;
        }
        Self { permits, plain }
    }
}

impl PolicyMonitor {
    /// Octets of what it shares with clones, without limits.
    pub(crate) const SHARED: usize = PermitTable::OCTETS + SYSCALL_IDS;

    /// A monitor over a table, which cannot be changed from here on.
    #[must_use]
    pub fn new(permits: PermitTable) -> Self {
        let mut counts: Vec<(u16, u32)> = permits.limited_calls().map(|id| (id, 0)).collect();
        counts.sort_unstable();
        counts.dedup();
        Self { table: Arc::new(Table::new(permits)), now: (Event::Initialize, 0), counts }
    }

    /// Another monitor over the same table, which has counted nothing.
    pub(crate) fn beside(&self) -> Self {
        let counts = self.counts.iter().map(|(id, _)| (*id, 0)).collect();
        Self { table: Arc::clone(&self.table), now: (Event::Initialize, 0), counts }
    }

    /// The table.
    #[must_use]
    pub fn permits(&self) -> &PermitTable {
        &self.table.permits
    }

    /// A new event begins: counts start again. Where somebody else has a say in calls,
    /// [`Self::check_plain`] answers none.
    #[inline]
    pub(crate) fn begin_event(&mut self, event: Event, plain: bool) {
        self.now = (event, if plain { event.bit() } else { 0 });
        for (_, count) in &mut self.counts {
            *count = 0;
        }
    }

    /// The current event.
    pub(crate) const fn event(&self) -> Event {
        self.now.0
    }

    /// [`Self::check`] in the current event.
    pub(crate) fn check_now(&mut self, id: u16) -> Result<CallPermitted, Denied> {
        self.check(self.event(), id)
    }

    /// [`Self::check`] of a call that the host answers and that is permitted in the current event
    /// without a limit: one look at one table. `None` says nothing of other calls.
    // spec: X-Y03 X-Y04 X-T06
    // defends: T-30
    #[inline(always)]
    pub(crate) fn check_plain(&self, id: u16) -> Option<CallPermitted> {
        let events = *self.table.plain.get(usize::from(id))?;
        let (event, bit) = self.now;
        (events & bit != 0).then_some(CallPermitted::new(event, id))
    }

    /// May this call be made in this event, now?
    ///
    /// # Errors
    /// [`Denied`]; the client is stopped.
    // spec: X-07 X-10 X-Y03 X-Y04 X-T06 X-56 X-61 X-01 X-26 X-C03
    // defends: T-30
    pub fn check(&mut self, event: Event, id: u16) -> Result<CallPermitted, Denied> {
        if !self.table.permits.permits(event, id) {
            return Err(Denied::NotPermitted);
        }
        if let Some(max) = self.table.permits.max_per_event(event, id) {
            self.count(max, id)?;
        }
        Ok(CallPermitted::new(event, id))
    }

    /// Counts a call that is limited in this event.
    fn count(&mut self, max: u32, id: u16) -> Result<(), Denied> {
        let at = self.counts.binary_search_by_key(&id, |(id, _)| *id);
        let count = at.ok().and_then(|at| self.counts.get_mut(at));
        // Every limited call has its count; one without would not be permitted at all.
        let (_, count) = count.ok_or(Denied::NotPermitted)?;
        if *count >= max {
            return Err(Denied::TooOften(max));
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::Syscall;

    // spec-test: X-Y04
    // attack-test: T-30
    #[test]
    fn the_whole_matrix_of_events_and_calls_answers_as_the_table_says() {
        let mut table = PermitTable::deny_all();
        let wanted = |event: Event, id: u16| (u32::from(id) * 7 + event.id()).is_multiple_of(5);
        for event in Event::ALL {
            for id in (0..0x800).filter(|id| wanted(event, *id)) {
                table.permit(event, id);
            }
        }
        let mut monitor = PolicyMonitor::new(table);
        for event in Event::ALL {
            for id in 0..=u16::MAX {
                let expected = id < 0x800 && wanted(event, id);
                assert_eq!(monitor.check(event, id).is_ok(), expected, "{event} {id:#x}");
            }
        }
    }

    // spec-test: X-Y04
    // attack-test: T-30
    #[test]
    fn the_one_look_permits_what_the_table_permits_of_the_hosts_calls_and_no_more() {
        let mut table = PermitTable::deny_all();
        for event in Event::ALL {
            for id in (0..0x800).filter(|id| (u32::from(*id) * 3 + event.id()).is_multiple_of(7)) {
                table.permit(event, id);
                if id % 5 == 0 {
                    table.permit_limited(event, id, 9);
                }
            }
        }
        let mut monitor = PolicyMonitor::new(table);
        for event in Event::ALL {
            for id in 0..=u16::MAX {
                let hosts = Syscall::from_id(id)
                    .is_some_and(|call| !call.is_internal() && call != Syscall::CLib);
                monitor.begin_event(event, true);
                let plain = monitor.check_plain(id).map(|permit| (permit.event(), permit.id()));
                let expected =
                    (hosts && id % 5 != 0 && monitor.check_now(id).is_ok()).then_some((event, id));
                assert_eq!(plain, expected, "{event} {id:#x}");
                monitor.begin_event(event, false);
                assert!(monitor.check_plain(id).is_none(), "somebody else has a say");
            }
        }
    }

    #[test]
    fn a_limit_holds_within_one_event() {
        let mut table = PermitTable::deny_all();
        table.permit_limited(Event::Timer, 0x20, 2);
        let mut monitor = PolicyMonitor::new(table);
        for _ in 0..2 {
            assert!(monitor.check(Event::Timer, 0x20).is_ok());
            assert!(monitor.check(Event::Timer, 0x20).is_ok());
            assert_eq!(monitor.check(Event::Timer, 0x20).err(), Some(Denied::TooOften(2)));
            monitor.begin_event(Event::Timer, true);
        }
    }
}
