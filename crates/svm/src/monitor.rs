//! The policy monitor: the one gate between a client and the host.
//!
//! Clause: X.1198 7.5. Default deny; a table frozen at load; a refusal always stops the client.
//! Only this file makes a [`CallPermitted`].

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::event::Event;
use crate::policy::PermitTable;

/// Proof that the policy monitor permitted one call. It is used up by the call.
#[derive(Debug)]
pub struct CallPermitted {
    event: Event,
    id: u16,
}

impl CallPermitted {
    /// The event in which the call was permitted.
    #[must_use]
    pub const fn event(&self) -> Event {
        self.event
    }

    /// The id of the permitted call.
    #[must_use]
    pub const fn id(&self) -> u16 {
        self.id
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
    permits: Arc<PermitTable>,
    /// The calls that are limited in some event, ascending, and how often each was made in this
    /// one. Made at the load: nothing is allocated in an event.
    counts: Vec<(u16, u32)>,
}

impl PolicyMonitor {
    /// A monitor over a table, which cannot be changed from here on.
    #[must_use]
    pub fn new(permits: PermitTable) -> Self {
        let mut counts: Vec<(u16, u32)> = permits.limited_calls().map(|id| (id, 0)).collect();
        counts.sort_unstable();
        counts.dedup();
        Self { permits: Arc::new(permits), counts }
    }

    /// Another monitor over the same table, which has counted nothing.
    pub(crate) fn beside(&self) -> Self {
        let counts = self.counts.iter().map(|(id, _)| (*id, 0)).collect();
        Self { permits: Arc::clone(&self.permits), counts }
    }

    /// The table.
    #[must_use]
    pub fn permits(&self) -> &PermitTable {
        &self.permits
    }

    /// A new event begins: counts start again.
    pub(crate) fn begin_event(&mut self) {
        for (_, count) in &mut self.counts {
            *count = 0;
        }
    }

    /// May this call be made in this event, now?
    ///
    /// # Errors
    /// [`Denied`]; the client is stopped.
    // spec: X-07 X-10 X-Y03 X-Y04 X-T06 X-56 X-61 X-01 X-26 X-C03
    // defends: T-30
    #[inline(always)]
    pub fn check(&mut self, event: Event, id: u16) -> Result<CallPermitted, Denied> {
        if !self.permits.permits(event, id) {
            return Err(Denied::NotPermitted);
        }
        if self.permits.limits(event, id) {
            self.count(event, id)?;
        }
        Ok(CallPermitted { event, id })
    }

    /// Counts a call that is limited in this event.
    #[cold]
    #[inline(never)]
    fn count(&mut self, event: Event, id: u16) -> Result<(), Denied> {
        let max = self.permits.max_per_event(event, id).ok_or(Denied::NotPermitted)?;
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

    #[test]
    fn a_limit_holds_within_one_event() {
        let mut table = PermitTable::deny_all();
        table.permit_limited(Event::Timer, 0x20, 2);
        let mut monitor = PolicyMonitor::new(table);
        for _ in 0..2 {
            assert!(monitor.check(Event::Timer, 0x20).is_ok());
            assert!(monitor.check(Event::Timer, 0x20).is_ok());
            assert_eq!(monitor.check(Event::Timer, 0x20).err(), Some(Denied::TooOften(2)));
            monitor.begin_event();
        }
    }
}
