//! Packets that wait for a place in the output.
//!
//! A waiting packet takes the place of a null packet when one comes in time; when its deadline
//! comes first, it is inserted. Packets of one stream keep their order, and their continuity
//! counters are set when they leave.

use std::collections::VecDeque;

use portcullis_ts::packet::null_packet;
use portcullis_ts::{Packet, PacketMut, RawPacket};
use portcullis_types::Pid;

use super::StreamTime;

/// Names one stream of inserted packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct StreamId(usize);

/// All streams of inserted packets.
#[derive(Default)]
pub(super) struct Inserts {
    streams: Vec<Stream>,
    /// No packet has an earlier deadline; may be too early, never too late.
    earliest: Option<StreamTime>,
    waiting: usize,
}

struct Stream {
    pid: Pid,
    last_cc: u8,
    /// For a PID that the input has too: what inserted packets add to the input's counters.
    shift: u8,
    queue: VecDeque<(StreamTime, RawPacket)>,
}

impl Inserts {
    /// A new stream whose first inserted packet will have continuity_counter `first_cc`.
    pub(super) fn add(&mut self, pid: Pid, first_cc: u8) -> StreamId {
        let last_cc = first_cc.wrapping_sub(1) & 0x0F;
        self.streams.push(Stream { pid, last_cc, shift: 0, queue: VecDeque::new() });
        StreamId(self.streams.len() - 1)
    }

    pub(super) fn set_pid(&mut self, stream: StreamId, pid: Pid) {
        if let Some(stream) = self.streams.get_mut(stream.0) {
            stream.pid = pid;
        }
    }

    /// Which continuity_counter the next inserted packet gets.
    pub(super) fn set_next_cc(&mut self, stream: StreamId, cc: u8) {
        if let Some(stream) = self.streams.get_mut(stream.0) {
            stream.last_cc = cc.wrapping_sub(1) & 0x0F;
        }
    }

    /// Lets packets wait until `deadline`; what waits before them in their stream goes no later.
    pub(super) fn push(&mut self, stream: StreamId, packets: &[RawPacket], deadline: StreamTime) {
        let Some(stream) = self.streams.get_mut(stream.0) else { return };
        for (waiting, _) in &mut stream.queue {
            *waiting = deadline.min(*waiting);
        }
        stream.queue.extend(packets.iter().map(|packet| (deadline, *packet)));
        self.waiting += packets.len();
        self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
    }

    /// Sets the counter of a packet of the input that shares its PID with a stream.
    pub(super) fn pass(&mut self, stream: StreamId, packet: &mut RawPacket) {
        let Some(stream) = self.streams.get_mut(stream.0) else { return };
        let mut view = PacketMut::new(packet);
        stream.last_cc = view.as_packet().cc().wrapping_add(stream.shift) & 0x0F;
        view.set_cc(stream.last_cc);
    }

    /// Inserted packets of a shared PID so far do not count: the input's first counter follows
    /// theirs by design.
    pub(super) fn forget_shift(&mut self, stream: StreamId) {
        if let Some(stream) = self.streams.get_mut(stream.0) {
            stream.shift = 0;
        }
    }

    /// A packet without a payload that carries the clock reference of an input packet whose
    /// payload is played by a stream.
    pub(super) fn clock_of(&self, stream: StreamId, packet: Packet<'_>) -> RawPacket {
        // Adaptation field only, as long as the packet; its stuffing is that of a null packet.
        let mut clock = null_packet();
        let field = packet.adaptation_field();
        let [_, _, _, control, length, rest @ ..] = &mut clock;
        (*control, *length) = (0x20, rest.len() as u8);
        if let Some(target) = rest.get_mut(..field.len()) {
            target.copy_from_slice(field);
        }
        let mut view = PacketMut::new(&mut clock);
        view.set_pid(packet.pid());
        view.set_cc(self.streams.get(stream.0).map_or(0, |stream| stream.last_cc));
        clock
    }

    /// No packet is due before.
    pub(super) fn earliest(&self) -> StreamTime {
        self.earliest.unwrap_or(StreamTime::NEVER)
    }

    /// A packet whose deadline has come.
    pub(super) fn pop_due(&mut self, now: StreamTime) -> Option<(StreamId, RawPacket)> {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return None;
        }
        self.pop_before(Some(now))
    }

    /// The most urgent packet, for a free place.
    pub(super) fn pop(&mut self) -> Option<(StreamId, RawPacket)> {
        if self.waiting == 0 { None } else { self.pop_before(None) }
    }

    fn pop_before(&mut self, limit: Option<StreamTime>) -> Option<(StreamId, RawPacket)> {
        let heads = self.streams.iter().enumerate();
        let head = heads
            .filter_map(|(index, stream)| stream.queue.front().map(|(at, _)| (*at, index)))
            .min();
        self.earliest = head.map(|(at, _)| at);
        let (at, index) = head?;
        if limit.is_some_and(|limit| at > limit) {
            return None;
        }
        let stream = self.streams.get_mut(index)?;
        let (_, mut packet) = stream.queue.pop_front()?;
        self.waiting -= 1;
        stream.last_cc = stream.last_cc.wrapping_add(1) & 0x0F;
        stream.shift = stream.shift.wrapping_add(1) & 0x0F;
        let mut view = PacketMut::new(&mut packet);
        view.set_pid(stream.pid);
        view.set_cc(stream.last_cc);
        Some((StreamId(index), packet))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn marked(mark: u8) -> RawPacket {
        let mut raw = null_packet();
        raw[100] = mark;
        raw
    }

    #[test]
    fn a_stream_keeps_its_order_even_when_later_packets_are_more_urgent() {
        let mut inserts = Inserts::default();
        let slow = inserts.add(Pid::new(0x40).unwrap(), 5);
        let fast = inserts.add(Pid::new(0x41).unwrap(), 0);
        inserts.push(slow, &[marked(1), marked(2)], StreamTime(100));
        inserts.push(fast, &[marked(9)], StreamTime(50));
        assert!(inserts.pop_due(StreamTime(49)).is_none());
        inserts.push(slow, &[marked(3)], StreamTime(40));
        let mut order = Vec::new();
        while let Some((_, packet)) = inserts.pop_due(StreamTime(50)) {
            order.push((packet[100], Packet::new(&packet).cc()));
        }
        assert_eq!(order, [(1, 5), (2, 6), (3, 7), (9, 0)]);
        assert!(inserts.pop().is_none());
    }

    #[test]
    fn packets_of_the_input_follow_inserted_ones() {
        let mut inserts = Inserts::default();
        let pat = inserts.add(Pid::PAT, 7);
        inserts.push(pat, &[marked(0)], StreamTime(0));
        assert_eq!(Packet::new(&inserts.pop().unwrap().1).cc(), 7);
        inserts.forget_shift(pat);
        let mut packet = null_packet();
        PacketMut::new(&mut packet).set_cc(8);
        inserts.pass(pat, &mut packet);
        assert_eq!(Packet::new(&packet).cc(), 8, "as it came");
        inserts.push(pat, &[marked(0)], StreamTime(0));
        assert_eq!(Packet::new(&inserts.pop().unwrap().1).cc(), 9);
        PacketMut::new(&mut packet).set_cc(9);
        inserts.pass(pat, &mut packet);
        assert_eq!(Packet::new(&packet).cc(), 10, "one further");
    }
}
