//! The way on air: packets are collected for batches, scrambled, and wait for their time.
//!
//! Trust domain: the operator, on line. No I/O and no clock: `now` counts from any moment. Several
//! services can share one way, and then share batches. A packet waits for its batch no longer than
//! the deadline, and all are sent later by the deadline, so that batches cause no jitter.
//!
//! What must never happen: memory that grows when the output is slow. Whoever brings packets asks
//! [`Air::has_room`] first and does not read on meanwhile.

use std::collections::VecDeque;
use std::time::Duration;

use portcullis_scramble::{BatchStats, FULL_BATCH, Scheduler};
use portcullis_ts::RawPacket;

use super::pace::Pacer;
use crate::pipeline::{Outgoing, StreamTime};

/// Packets that wait for their time before no more are taken; those of one segment of the input
/// may come on top. A second at 100 Mbit/s.
pub(super) const QUEUE_MAX: usize = 65_536;
/// A stream that is at hand is worked on so much ahead of its time.
const AHEAD: Duration = Duration::from_millis(50);

/// Packets between pipeline and output.
pub(super) struct Air {
    scheduler: Scheduler,
    /// Of the packets in the scheduler.
    times: Vec<StreamTime>,
    /// Scrambled.
    queue: VecDeque<(StreamTime, RawPacket)>,
    /// None: packets go as soon as they are scrambled.
    pacer: Option<Pacer>,
    ahead: Duration,
    sendable: Vec<RawPacket>,
}

impl Air {
    /// Nothing on the way yet. A paced way sends each packet at its time.
    pub(super) fn new(deadline: Duration, paced: bool) -> Self {
        Self {
            scheduler: Scheduler::scrambler(FULL_BATCH).with_deadline(deadline),
            times: Vec::new(),
            queue: VecDeque::new(),
            pacer: paced.then(|| Pacer::new(deadline)),
            ahead: deadline + AHEAD,
            sendable: Vec::new(),
        }
    }

    /// Whether more packets may come. What is at hand need not be taken long before its time.
    // defends: F-10
    pub(super) fn has_room(&self, at_hand: bool, now: Duration) -> bool {
        let far = self
            .pacer
            .as_ref()
            .zip(self.queue.back())
            .is_some_and(|(pacer, (time, _))| at_hand && pacer.due(*time) > now + self.ahead);
        !far && self.queue.len() < QUEUE_MAX
    }

    /// Takes packets; batches that are full are scrambled.
    pub(super) fn take(&mut self, out: &Outgoing, now: Duration) {
        for (packet, key, time) in out.marked() {
            if let Some(pacer) = &mut self.pacer {
                pacer.start(time, now);
            }
            // Ends: a scheduler whose batch has been taken has room.
            while self.scheduler.push(packet, key, now).is_err() {
                self.release(now);
            }
            self.times.push(time);
        }
    }

    /// The packets that go now, in their order.
    pub(super) fn due(&mut self, now: Duration) -> &[RawPacket] {
        if self.scheduler.is_due(now) {
            self.release(now);
        }
        self.sendable.clear();
        let horizon = match (&mut self.pacer, self.queue.front()) {
            (_, None) => None,
            (None, Some(_)) => Some(StreamTime::NEVER),
            (Some(pacer), Some((time, _))) => pacer.horizon(*time, now),
        };
        let Some(horizon) = horizon else { return &[] };
        // The first goes in any case: the clock may have been started anew by it.
        while let Some((_, packet)) =
            self.queue.pop_front_if(|(time, _)| self.sendable.is_empty() || *time <= horizon)
        {
            self.sendable.push(packet);
        }
        &self.sendable
    }

    /// When [`Air::due`] is to be asked next.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let next = self
            .queue
            .front()
            .map(|(time, _)| self.pacer.as_ref().map_or(Duration::ZERO, |pacer| pacer.due(*time)));
        let batch = self.scheduler.poll_timeout();
        next.into_iter().chain(batch).min()
    }

    /// No more packets: what waits is scrambled and goes at its time.
    pub(super) fn finish(&mut self, now: Duration) {
        self.release(now);
    }

    /// Figures of the batches.
    pub(super) fn stats(&self) -> BatchStats {
        self.scheduler.stats()
    }

    fn release(&mut self, now: Duration) {
        let packets = self.scheduler.take(now);
        self.queue.extend(self.times.drain(..).zip(packets.iter().copied()));
    }
}

#[cfg(test)]
#[path = "air_tests.rs"]
mod tests;
