//! Packets of a live stream, collected until a kernel's lanes are full or the first has waited long
//! enough.
//!
//! Trust domains: headend and chip. A batch costs the same however few of its lanes are in use, so
//! a stream that comes packet by packet is collected: services, parities and keys mixed, clear
//! packets among them, in their order. No I/O, no clock: time is an argument and counts from any
//! moment. Memory is bounded: what does not fit is given back until the batch has been taken.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use portcullis_ts::RawPacket;
use portcullis_types::Parity;

use crate::Cipher;
use crate::batch::Lanes;
use crate::sliced::Direction;

/// The longest that a packet waits unless said otherwise.
const HOLD: Duration = Duration::from_millis(10);
/// Packets that wait at most, whatever was asked for.
const CAPACITY_MAX: usize = 1 << 16;

/// A packet that did not fit: take the batch, then push it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchIsFull;

/// Collects packets for batches.
pub struct Scheduler {
    direction: Direction,
    capacity: usize,
    hold: Duration,
    packets: Vec<RawPacket>,
    /// Of each packet the place of its key, or none when it passes as it is.
    key_of: Vec<Option<(usize, Parity)>>,
    keys: Vec<Arc<Cipher>>,
    due: Option<Duration>,
    taken: bool,
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
        let capacity = capacity.clamp(1, CAPACITY_MAX);
        Self {
            direction,
            capacity,
            hold: HOLD,
            packets: Vec::with_capacity(capacity),
            key_of: Vec::with_capacity(capacity),
            keys: Vec::new(),
            due: None,
            taken: false,
        }
    }

    /// Lets a packet wait so long instead of 10 ms.
    #[must_use]
    pub const fn with_hold(mut self, hold: Duration) -> Self {
        self.hold = hold;
        self
    }

    /// Takes a packet with its key; without one it passes as it is, in its place. The parity
    /// counts for scrambling only.
    ///
    /// # Errors
    /// [`BatchIsFull`] when the batch has to be taken first; nothing was changed.
    pub fn push(
        &mut self,
        packet: RawPacket,
        key: Option<(&Arc<Cipher>, Parity)>,
        now: Duration,
    ) -> Result<(), BatchIsFull> {
        self.forget_taken();
        if self.packets.len() >= self.capacity {
            return Err(BatchIsFull);
        }
        let key = key.map(|(cipher, parity)| (self.place_of(cipher), parity));
        self.packets.push(packet);
        self.key_of.push(key);
        if self.due.is_none() {
            self.due = Some(now.saturating_add(self.hold));
        }
        Ok(())
    }

    /// The place of a key among those of this batch. Packets of one key come in runs, and there
    /// are few keys, so that a search from the end beats a map.
    fn place_of(&mut self, cipher: &Arc<Cipher>) -> usize {
        if let Some(place) = self.keys.iter().rposition(|known| Arc::ptr_eq(known, cipher)) {
            return place;
        }
        self.keys.push(Arc::clone(cipher));
        self.keys.len() - 1
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
    pub const fn poll_timeout(&self) -> Option<Duration> {
        self.due
    }

    /// The packets, worked on and in their order, when the batch is full or its time has come.
    pub fn take_due(&mut self, now: Duration) -> Option<&mut [RawPacket]> {
        let is_full = self.len() >= self.capacity;
        let is_due = self.due.is_some_and(|due| due <= now);
        (is_full || is_due).then(|| self.take())
    }

    /// The packets, worked on and in their order, however few they are.
    pub fn take(&mut self) -> &mut [RawPacket] {
        self.forget_taken();
        let mut lanes = Lanes::new(self.direction);
        for (packet, key) in self.packets.iter_mut().zip(&self.key_of) {
            let Some((place, parity)) = *key else { continue };
            let Some(cipher) = self.keys.get(place) else { continue };
            match self.direction {
                Direction::Scramble => lanes.scramble(packet, cipher, parity),
                Direction::Descramble => lanes.descramble(packet, cipher),
            }
        }
        drop(lanes);
        // A key lives no longer than its owner keeps it.
        self.keys.clear();
        self.due = None;
        self.taken = true;
        &mut self.packets
    }

    fn forget_taken(&mut self) {
        if self.taken {
            self.packets.clear();
            self.key_of.clear();
            self.taken = false;
        }
    }
}
