//! The one way in which packets of a stream are scrambled and descrambled: services, parities and
//! keys mixed in one batch, clear packets among them, in their order.
//!
//! Trust domains: headend and chip. A batch costs the same however few of its lanes are in use.
//! A stream that comes packet by packet is therefore collected ([`Scheduler::push`]) until the
//! lanes are full or the first packet has waited long enough; packets that are all there, those of
//! a file or of the chip's packet memory, are worked on where they lie ([`Scheduler::work`]).
//!
//! What must never happen: a key that is held longer than its batch; a packet out of order.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use portcullis_ts::{Packet, RawPacket};
use portcullis_types::Parity;

use crate::batch::with_lanes;
use crate::collector::{BatchIsFull, Collector};
use crate::sliced::{Direction, LANES_MAX};
use crate::{BatchStats, Cipher};

/// Packets that fill every kernel's lanes, on any processor.
pub const FULL_BATCH: usize = LANES_MAX;
/// Packets that [`Scheduler::work`] marks before it works on them.
const RUN: usize = 8 * FULL_BATCH;

/// The keys of one batch.
#[derive(Default)]
pub struct BatchKeys {
    keys: Vec<Arc<Cipher>>,
}

/// What is to be done with one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark(u32);

impl Mark {
    /// The packet stays as it is.
    pub const PASS: Self = Self(u32::MAX);
}

impl BatchKeys {
    /// The mark of a packet with this key. The parity counts for scrambling only.
    // Packets of one key come in runs, and there are few keys, so that a search from the end
    // beats a map.
    #[inline]
    pub fn mark(&mut self, cipher: &Arc<Cipher>, parity: Parity) -> Mark {
        let known = self.keys.iter().rposition(|known| Arc::ptr_eq(known, cipher));
        let place = known.unwrap_or_else(|| {
            self.keys.push(Arc::clone(cipher));
            self.keys.len() - 1
        });
        Mark((place as u32) << 1 | parity.index() as u32)
    }

    /// The key of a mark of these keys; none of a packet that passes.
    #[inline]
    #[must_use]
    pub fn of(&self, mark: Mark) -> Option<(&Arc<Cipher>, Parity)> {
        let parity = if mark.0 & 1 == 0 { Parity::Even } else { Parity::Odd };
        self.keys.get((mark.0 >> 1) as usize).map(|key| (key, parity))
    }

    /// Lets all keys go; their marks mean nothing any more.
    pub fn clear(&mut self) {
        self.keys.clear();
    }
}

/// Brings packets to the kernels.
pub struct Scheduler {
    direction: Direction,
    collector: Collector,
    marks: Vec<Mark>,
    keys: BatchKeys,
}

impl Scheduler {
    /// A scheduler that scrambles; full with so many packets.
    #[must_use]
    pub fn scrambler(capacity: usize) -> Self {
        Self::new(Direction::Scramble, capacity)
    }

    /// A scheduler that descrambles; full with so many packets.
    #[must_use]
    pub fn descrambler(capacity: usize) -> Self {
        Self::new(Direction::Descramble, capacity)
    }

    fn new(direction: Direction, capacity: usize) -> Self {
        let collector = Collector::new(capacity);
        Self { direction, collector, marks: Vec::new(), keys: BatchKeys::default() }
    }

    /// Lets a packet wait so long instead of [`crate::BATCH_DEADLINE`].
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.collector = self.collector.with_deadline(deadline);
        self
    }

    /// Takes a packet with its key; without one it passes as it is, in its place.
    ///
    /// # Errors
    /// [`BatchIsFull`] when the batch has to be taken first; nothing was changed.
    pub fn push(
        &mut self,
        packet: &RawPacket,
        key: Option<(&Arc<Cipher>, Parity)>,
        now: Duration,
    ) -> Result<(), BatchIsFull> {
        self.push_marked(packet, now, |_, keys| {
            key.map_or(Mark::PASS, |(cipher, parity)| keys.mark(cipher, parity))
        })
    }

    /// Takes a packet; `mark` says with which key.
    ///
    /// # Errors
    /// [`BatchIsFull`] when the batch has to be taken first; nothing was changed.
    pub fn push_marked(
        &mut self,
        packet: &RawPacket,
        now: Duration,
        mark: impl FnOnce(Packet<'_>, &mut BatchKeys) -> Mark,
    ) -> Result<(), BatchIsFull> {
        self.collector.push(packet, now)?;
        self.marks.push(mark(Packet::new(packet), &mut self.keys));
        Ok(())
    }

    /// Packets that wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.collector.len()
    }

    /// Whether no packet waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.collector.is_empty()
    }

    /// When the batch has to be taken even if it is not full.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.collector.poll_timeout()
    }

    /// Whether the batch is full or its time has come.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        self.collector.is_due(now)
    }

    /// The packets, worked on and in their order, when the batch is full or its time has come.
    pub fn take_due(&mut self, now: Duration) -> Option<&mut [RawPacket]> {
        self.is_due(now).then(|| self.take(now))
    }

    /// The packets, worked on and in their order, however few they are.
    pub fn take(&mut self, now: Duration) -> &mut [RawPacket] {
        let packets = self.collector.take(now);
        run(self.direction, packets, &self.marks, &self.keys);
        // A key lives no longer than its owner keeps it.
        self.marks.clear();
        self.keys.clear();
        packets
    }

    /// Works on packets that are all there, in place and at once. `mark` says of each, in their
    /// order, with which key. For packets beside those that wait, not behind them.
    pub fn work(
        &mut self,
        packets: &mut [RawPacket],
        mut mark: impl FnMut(Packet<'_>, &mut BatchKeys) -> Mark,
    ) {
        let (mut marks, mut keys) =
            (Vec::with_capacity(RUN.min(packets.len())), BatchKeys::default());
        for run_of in packets.chunks_mut(RUN) {
            marks.clear();
            marks.extend(run_of.iter().map(|packet| mark(Packet::new(packet), &mut keys)));
            run(self.direction, run_of, &marks, &keys);
            keys.clear();
            self.collector.count_at_once(run_of.len());
        }
    }

    /// Figures of the batches so far.
    #[must_use]
    pub fn stats(&self) -> BatchStats {
        self.collector.stats()
    }
}

fn run(direction: Direction, packets: &mut [RawPacket], marks: &[Mark], keys: &BatchKeys) {
    with_lanes(direction, |lanes| {
        for (packet, mark) in packets.iter_mut().zip(marks) {
            let Some((cipher, parity)) = keys.of(*mark) else { continue };
            match direction {
                Direction::Scramble => lanes.scramble(packet, cipher, parity),
                Direction::Descramble => lanes.descramble(packet, cipher),
            }
        }
    });
}
