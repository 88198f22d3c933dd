//! When packets on air are due by the wall clock.

use std::time::Duration;

use crate::pipeline::StreamTime;

/// Packets that are due within this time go together; shorter sleeps are not kept anyway.
const GRAIN: Duration = Duration::from_millis(2);
/// When stream time and the wall clock part further than this, one of them jumped.
const APART_MAX: Duration = Duration::from_secs(1);

/// The wall clock of a stream.
pub(super) struct Pacer {
    /// What a packet may wait before it comes here: all are due so much later.
    reserve: Duration,
    anchor: Option<(Duration, StreamTime)>,
}

impl Pacer {
    pub(super) const fn new(reserve: Duration) -> Self {
        Self { reserve, anchor: None }
    }

    /// A packet of this time comes in; the first one starts the clock.
    pub(super) fn start(&mut self, time: StreamTime, now: Duration) {
        self.anchor.get_or_insert((now + self.reserve, time));
    }

    /// When a packet is due.
    pub(super) fn due(&self, time: StreamTime) -> Duration {
        self.anchor
            .map_or(Duration::ZERO, |(wall, stream)| wall + ticks(time.0.saturating_sub(stream.0)))
    }

    /// The packets up to which stream time go now, when the next one waiting is of this time.
    pub(super) fn horizon(&mut self, next: StreamTime, now: Duration) -> Option<StreamTime> {
        let due = self.due(next);
        if due > now + self.reserve + APART_MAX || now > due + APART_MAX {
            self.anchor = Some((now, next));
        } else if due > now {
            return None;
        }
        let (wall, stream) = self.anchor?;
        Some(stream + ((now + GRAIN).saturating_sub(wall).as_nanos() * 27 / 1_000) as u64)
    }
}

/// A span of stream time.
const fn ticks(ticks: u64) -> Duration {
    Duration::from_nanos((ticks as u128 * 1_000 / 27) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn at(ms: u64) -> StreamTime {
        StreamTime(ms * StreamTime::PER_MS)
    }

    #[test]
    fn packets_are_due_in_their_distance_behind_the_reserve() {
        let mut pacer = Pacer::new(MS * 10);
        pacer.start(at(500), MS * 3);
        assert_eq!(pacer.due(at(520)), MS * 33);
        assert_eq!(pacer.horizon(at(500), MS * 12), None);
        assert_eq!(pacer.horizon(at(500), MS * 13), Some(at(502)));
        assert_eq!(pacer.horizon(at(530), MS * 42), None);
    }

    #[test]
    fn a_jump_of_either_clock_starts_anew() {
        let mut pacer = Pacer::new(MS * 10);
        pacer.start(at(0), MS);
        assert_eq!(pacer.horizon(at(5_000), MS * 20), Some(at(5_002)));
        assert_eq!(pacer.horizon(at(5_100), MS * 9_000), Some(at(5_102)));
    }
}
