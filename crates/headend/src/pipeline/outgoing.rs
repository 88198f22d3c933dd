//! Output packets on their way to the scrambler.
//!
//! A packet of the service is here in clear with the key it is to be scrambled with. It is let out
//! through a [`Scheduler`] only, so that services share batches and nothing leaves in clear by
//! mistake.

use std::sync::Arc;

use portcullis_scramble::{BatchKeys, Cipher, Mark, Scheduler};
use portcullis_ts::RawPacket;
use portcullis_types::Parity;

use super::StreamTime;

/// Output packets with their stream times and keys.
#[derive(Default)]
pub struct Outgoing {
    packets: Vec<RawPacket>,
    times: Vec<StreamTime>,
    marks: Vec<Mark>,
    keys: BatchKeys,
}

/// One of them: packet, key (none when it passes as it is) and time.
pub type Marked<'a> = (&'a RawPacket, Option<(&'a Arc<Cipher>, Parity)>, StreamTime);

impl Outgoing {
    /// How many packets there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// When each packet is due.
    #[must_use]
    pub fn times(&self) -> &[StreamTime] {
        &self.times
    }

    /// The packets one by one, for a scheduler that collects.
    pub fn marked(&self) -> impl Iterator<Item = Marked<'_>> {
        let marks = self.marks.iter().map(|mark| self.keys.of(*mark));
        self.packets
            .iter()
            .zip(marks)
            .zip(&self.times)
            .map(|((packet, key), at)| (packet, key, *at))
    }

    /// Scrambles all of them at once and hands them over with their times; nothing is left.
    pub fn scramble(&mut self, scheduler: &mut Scheduler) -> (&[RawPacket], &[StreamTime]) {
        let mut marks = self.marks.drain(..);
        let own = &self.keys;
        scheduler.work(&mut self.packets, |_, keys| {
            let key = marks.next().and_then(|mark| own.of(mark));
            key.map_or(Mark::PASS, |(cipher, parity)| keys.mark(cipher, parity))
        });
        drop(marks);
        self.keys.clear();
        (&self.packets, &self.times)
    }

    /// Drops what was sent.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.times.clear();
        self.marks.clear();
        self.keys.clear();
    }

    pub(super) fn push(&mut self, packet: &RawPacket, time: StreamTime) {
        self.packets.push(*packet);
        self.times.push(time);
        self.marks.push(Mark::PASS);
    }

    /// The packet that was pushed last, to change it.
    pub(super) fn last_mut(&mut self) -> Option<&mut RawPacket> {
        self.packets.last_mut()
    }

    /// The packet that was pushed last is to be scrambled.
    pub(super) fn mark_last(&mut self, (cipher, parity): (&Arc<Cipher>, Parity)) {
        if let Some(mark) = self.marks.last_mut() {
            *mark = self.keys.mark(cipher, parity);
        }
    }
}
