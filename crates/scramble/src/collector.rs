//! Packets that wait for their batch: until there are enough, or the first has waited long enough.
//!
//! Trust domain: any; no key is here, so a terminal collects with it too. No I/O, no clock: time
//! is an argument and counts from any moment. Memory is bounded: what does not fit is given back
//! until the batch has been taken, so that a slow taker is felt by whoever brings packets.

use alloc::vec::Vec;
use core::time::Duration;

use portcullis_ts::RawPacket;

use crate::meter::{BatchStats, Meter};

/// The longest that a packet waits unless said otherwise.
pub const BATCH_DEADLINE: Duration = Duration::from_millis(10);
/// Packets that wait at most, whatever was asked for.
pub const CAPACITY_MAX: usize = 1 << 16;

/// A packet that did not fit: take the batch, then push it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchIsFull;

/// Collects packets.
pub struct Collector {
    capacity: usize,
    deadline: Duration,
    packets: Vec<RawPacket>,
    /// When the first of them came.
    since: Option<Duration>,
    taken: bool,
    meter: Meter,
}

impl Collector {
    /// Full with so many packets.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, CAPACITY_MAX);
        Self {
            capacity,
            deadline: BATCH_DEADLINE,
            packets: Vec::with_capacity(capacity),
            since: None,
            taken: false,
            meter: Meter::new(),
        }
    }

    /// Lets a packet wait so long instead of [`BATCH_DEADLINE`].
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Takes a packet.
    ///
    /// # Errors
    /// [`BatchIsFull`] when the batch has to be taken first; nothing was changed.
    pub fn push(&mut self, packet: &RawPacket, now: Duration) -> Result<(), BatchIsFull> {
        if self.taken {
            self.packets.clear();
            self.taken = false;
        }
        if self.packets.len() >= self.capacity {
            return Err(BatchIsFull);
        }
        self.packets.push(*packet);
        self.since.get_or_insert(now);
        Ok(())
    }

    /// Packets that wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        if self.taken { 0 } else { self.packets.len() }
    }

    /// Whether no packet waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the batch has to be taken even if it is not full.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.since.map(|since| since.saturating_add(self.deadline))
    }

    /// Whether the batch is full or its time has come.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        self.is_full() || self.poll_timeout().is_some_and(|due| due <= now)
    }

    /// The packets in their order, however few they are.
    pub fn take(&mut self, now: Duration) -> &mut [RawPacket] {
        if self.taken {
            self.packets.clear();
        }
        if let Some(since) = self.since.take() {
            let is_full = self.packets.len() >= self.capacity;
            self.meter.count(self.packets.len(), is_full, now.saturating_sub(since));
        }
        self.taken = true;
        &mut self.packets
    }

    /// Figures of the batches so far. Waits end where the batch is taken.
    #[must_use]
    pub fn stats(&self) -> BatchStats {
        self.meter.stats()
    }

    /// Counts packets that needed no collecting.
    pub(crate) fn count_at_once(&mut self, packets: usize) {
        self.meter.count(packets, packets >= self.capacity, Duration::ZERO);
    }

    const fn is_full(&self) -> bool {
        self.len() >= self.capacity
    }
}
