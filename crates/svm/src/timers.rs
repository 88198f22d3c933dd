//! The timers of one client, without a clock: whoever has one asks when the next is due.
//!
//! Clause: X.1198 7.2 (Timer, "waits for the requested period"). Times are milliseconds of one
//! clock that never goes back. What must never happen: a timer that makes more events than it is
//! served, however late its client is; a period that drifts.

use crate::abi::{TIMER_MAX_MS, TIMER_MIN_MS, TIMERS};

/// The timers of one client.
#[derive(Clone, Default, Debug)]
pub struct Timers {
    timers: [Option<Timer>; TIMERS as usize],
}

#[derive(Clone, Copy, Debug)]
struct Timer {
    due: u64,
    /// 0: only once.
    period: u64,
}

/// A timer that ran out: the parameters of its event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RanOut {
    /// Which timer.
    pub number: u32,
    /// How often since its last event: more than 1 when the client was busy.
    pub times: u32,
    /// How late the event is, in milliseconds.
    pub late_ms: u32,
}

/// A number or a time that timers do not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no such timer, or a time outside {TIMER_MIN_MS} to {TIMER_MAX_MS} ms")]
pub struct TimerRefused;

impl Timers {
    /// Starts a timer, or starts it anew: the first event after `first_ms`, the others every
    /// `period_ms` (0: no others).
    ///
    /// # Errors
    /// [`TimerRefused`]; nothing changed.
    // spec: X-S09
    // defends: T-31
    pub fn set(
        &mut self,
        number: u32,
        first_ms: u32,
        period_ms: u32,
        now: u64,
    ) -> Result<(), TimerRefused> {
        let legal = |ms| (TIMER_MIN_MS..=TIMER_MAX_MS).contains(&ms);
        let place = self.timers.get_mut(number as usize).ok_or(TimerRefused)?;
        if !legal(first_ms) || period_ms != 0 && !legal(period_ms) {
            return Err(TimerRefused);
        }
        let due = now.saturating_add(first_ms.into());
        *place = Some(Timer { due, period: period_ms.into() });
        Ok(())
    }

    /// Ends a timer; `false` when it was not running.
    pub fn cancel(&mut self, number: u32) -> bool {
        self.timers.get_mut(number as usize).is_some_and(|timer| timer.take().is_some())
    }

    /// When the next timer is due; `None` when none is running.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.timers.iter().flatten().map(|timer| timer.due).min()
    }

    /// The timer that has been due longest, if one is. Its next event is a whole number of
    /// periods after the last, and those that were missed are counted, not made up for.
    pub fn handle_timeout(&mut self, now: u64) -> Option<RanOut> {
        let running = (0u32..).zip(&mut self.timers).filter(|(_, timer)| timer.is_some());
        let (number, place) = running.min_by_key(|(_, timer)| timer.map(|timer| timer.due))?;
        let timer = (*place)?;
        let late = now.checked_sub(timer.due)?;
        let missed = late.checked_div(timer.period).unwrap_or(0);
        *place = (timer.period != 0).then(|| Timer {
            due: timer.due.saturating_add((missed + 1).saturating_mul(timer.period)),
            ..timer
        });
        let word = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Some(RanOut { number, times: word(missed + 1), late_ms: word(late) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran_out(number: u32, times: u32, late_ms: u32) -> Option<RanOut> {
        Some(RanOut { number, times, late_ms })
    }

    // spec-test: X-S09
    #[test]
    fn a_period_does_not_drift_and_missed_events_are_counted() {
        let mut timers = Timers::default();
        assert_eq!(timers.poll_timeout(), None);
        assert_eq!(timers.set(3, 50, 100, 1000), Ok(()));
        assert_eq!(timers.poll_timeout(), Some(1050));
        assert_eq!(timers.handle_timeout(1049), None);
        assert_eq!(timers.handle_timeout(1057), ran_out(3, 1, 7));
        assert_eq!(timers.poll_timeout(), Some(1150));
        // Three of them passed while the client was busy: one event.
        assert_eq!(timers.handle_timeout(1360), ran_out(3, 3, 210));
        assert_eq!(timers.handle_timeout(1360), None);
        assert_eq!(timers.poll_timeout(), Some(1450));
        assert!(timers.cancel(3) && !timers.cancel(3));
        assert_eq!(timers.handle_timeout(u64::MAX), None);
    }

    #[test]
    fn the_one_that_waits_longest_comes_first_and_once_is_once() {
        let mut timers = Timers::default();
        assert_eq!(timers.set(0, 30, 0, 0), Ok(()));
        assert_eq!(timers.set(7, 20, 0, 0), Ok(()));
        assert_eq!(timers.handle_timeout(40), ran_out(7, 1, 20));
        assert_eq!(timers.handle_timeout(40), ran_out(0, 1, 10));
        assert_eq!(timers.poll_timeout(), None);
    }

    // attack-test: T-31
    #[test]
    fn there_are_eight_and_none_is_faster_than_the_limit() {
        let mut timers = Timers::default();
        for (number, first, period) in
            [(8, 100, 0), (u32::MAX, 100, 0), (0, 9, 0), (0, 10, 9), (0, TIMER_MAX_MS + 1, 0)]
        {
            assert_eq!(timers.set(number, first, period, 0), Err(TimerRefused));
        }
        assert_eq!(timers.set(0, 10, TIMER_MAX_MS, u64::MAX), Ok(()));
        assert_eq!(timers.poll_timeout(), Some(u64::MAX));
    }
}
