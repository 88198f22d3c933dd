//! Which sections go out when: urgent ones first, then round and round, within the bandwidth.
//!
//! No clock of its own: the player says what time it is.

use std::collections::VecDeque;
use std::sync::Arc;

use portcullis_simulcrypt::Time;

use super::Section;
use super::feed::Update;

/// The state of one CA system's carousel. It outlives the connection that plays it.
#[derive(Default)]
pub(super) struct Carousel {
    cycle: Vec<Section>,
    next: usize,
    cycle_started: Option<Time>,
    urgent: VecDeque<Urgent>,
    /// How many of `urgent` have been handed out and wait for [`Self::taken`].
    in_flight: usize,
    kbps: u16,
    credit: i64,
    counted: Time,
}

struct Urgent {
    section: Option<Section>,
    /// After this one, events up to here have gone out.
    through: Option<i64>,
}

impl Carousel {
    /// Sets the bandwidth that a connection was granted. What an earlier connection had not
    /// taken is handed out again.
    pub(super) fn start(&mut self, kbps: u16, now: Time) {
        self.kbps = kbps;
        self.counted = now;
        self.credit = self.capacity();
        self.in_flight = 0;
        self.cycle_started = None;
    }

    pub(super) fn set_bandwidth(&mut self, kbps: u16) {
        self.kbps = kbps;
    }

    pub(super) fn update(&mut self, update: Update) {
        self.next = if self.cycle.is_empty() { 0 } else { self.next.min(update.cycle.len()) };
        self.cycle = update.cycle;
        let urgent = update.urgent.into_iter();
        self.urgent.extend(urgent.map(|s| Urgent { section: Some(s), through: None }));
        if let Some(through) = update.through {
            self.urgent.push_back(Urgent { section: None, through: Some(through) });
        }
    }

    /// The sections that may go out now, at most `limit` of them.
    pub(super) fn due(&mut self, now: Time, limit: usize) -> Vec<Section> {
        let passed = i64::try_from(now.0.saturating_sub(self.counted.0)).unwrap_or(i64::MAX);
        self.counted = now;
        self.credit = self
            .credit
            .saturating_add(passed.saturating_mul(self.kbps.into()))
            .min(self.capacity());
        let mut due = Vec::new();
        while due.len() < limit {
            let Some(section) = self.peek(now) else { break };
            let cost = on_air_bits(section.len());
            if cost > self.credit {
                break;
            }
            self.credit -= cost;
            due.push(section);
            self.advance();
        }
        due
    }

    /// What was handed out has been taken; returns the event up to which all has gone out.
    pub(super) fn taken(&mut self) -> Option<i64> {
        let mut through = None;
        for urgent in self.urgent.drain(..self.in_flight.min(self.urgent.len())) {
            through = through.max(urgent.through);
        }
        self.in_flight = 0;
        // A mark without sections before it has nothing to wait for.
        while self.urgent.front().is_some_and(|urgent| urgent.section.is_none()) {
            through = through.max(self.urgent.pop_front().and_then(|urgent| urgent.through));
        }
        through
    }

    fn peek(&mut self, now: Time) -> Option<Section> {
        while let Some(urgent) = self.urgent.get(self.in_flight) {
            match &urgent.section {
                Some(section) => return Some(Arc::clone(section)),
                None => self.in_flight += 1,
            }
        }
        if self.next >= self.cycle.len() || self.cycle_started.is_none() {
            // A short carousel need not be hurried round: boxes know its EMMs already.
            let rested = self.cycle_started.is_none_or(|at| now.0 >= at.0 + MIN_CYCLE_MS);
            if !rested || self.cycle.is_empty() {
                return None;
            }
            self.cycle_started = Some(now);
            self.next = 0;
        }
        self.cycle.get(self.next).map(Arc::clone)
    }

    fn advance(&mut self) {
        if self.in_flight < self.urgent.len() {
            self.in_flight += 1;
        } else {
            self.next += 1;
        }
    }

    /// Credit that may gather: a fifth of a second, but always enough for the longest section.
    fn capacity(&self) -> i64 {
        (i64::from(self.kbps) * BURST_MS).max(on_air_bits(MAX_SECTION))
    }
}

/// Bits on air: a section begins in a packet of its own, after a pointer_field.
fn on_air_bits(section: usize) -> i64 {
    let packets = (section + 1).div_ceil(184);
    i64::try_from(packets * 188 * 8).unwrap_or(i64::MAX)
}

const MIN_CYCLE_MS: u64 = 250;
const BURST_MS: i64 = 200;
const MAX_SECTION: usize = 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn section(tag: u8) -> Section {
        Section::from(vec![tag; 100])
    }

    fn update(cycle: &[u8], urgent: &[u8], through: Option<i64>) -> Update {
        Update {
            cycle: cycle.iter().copied().map(section).collect(),
            urgent: urgent.iter().copied().map(section).collect(),
            through,
        }
    }

    fn tags(sections: &[Section]) -> Vec<u8> {
        sections.iter().map(|s| s[0]).collect()
    }

    #[test]
    fn urgent_goes_first_and_is_marked_once_taken() {
        let mut carousel = Carousel::default();
        carousel.start(1000, Time(0));
        carousel.update(update(&[1, 2, 3], &[9, 8], Some(7)));
        assert_eq!(tags(&carousel.due(Time(0), 4)), [9, 8, 1, 2]);
        assert_eq!(carousel.taken(), Some(7));
        assert_eq!(tags(&carousel.due(Time(1), 4)), [3]);
        assert_eq!(carousel.taken(), None);
        // The cycle rests until its time has come.
        assert!(carousel.due(Time(100), 4).is_empty());
        assert_eq!(tags(&carousel.due(Time(250), 9)), [1, 2, 3]);
    }

    // spec-test: D-H2
    #[test]
    fn what_a_lost_connection_had_not_taken_goes_out_again() {
        let mut carousel = Carousel::default();
        carousel.start(1000, Time(0));
        carousel.update(update(&[1], &[9], Some(7)));
        assert_eq!(tags(&carousel.due(Time(0), 1)), [9]);
        carousel.start(1000, Time(10));
        assert_eq!(tags(&carousel.due(Time(10), 1)), [9]);
        assert_eq!(carousel.taken(), Some(7));
    }

    // spec-test: S-49
    #[test]
    fn the_bandwidth_is_kept() {
        let mut carousel = Carousel::default();
        carousel.start(100, Time(0));
        carousel.update(update(&[1; 250], &[2; 250], None));
        let mut bits = 0;
        for ms in 0..2_000 {
            for sent in carousel.due(Time(ms), 100) {
                bits += on_air_bits(sent.len());
            }
            carousel.taken();
        }
        let most = 100 * 2_000 + carousel.capacity();
        assert!(bits <= most && bits > most * 8 / 10, "{bits} of {most}");
    }
}
