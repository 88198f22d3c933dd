//! EMM sections on their way into the stream: one PID per CA system, paced by bandwidth.
//!
//! The EMM generator repeats; the multiplexer plays out each section once and in order, except in
//! a file, where the sections known at the start come round again so that a box may begin
//! anywhere.

use std::collections::VecDeque;

use portcullis_ts::psi::SectionPacketizer;
use portcullis_ts::{PACKET_SIZE, Pcr, RawPacket};
use portcullis_types::{CaSystemId, Pid};

use super::StreamTime;
use super::inserts::StreamId;

/// Sections that wait for bandwidth at most; more are dropped and counted.
const QUEUE_MAX: usize = 16_384;
/// Sections that share a run of packets.
const RUN: usize = 16;
/// How long EMM packets wait for a null packet.
pub(super) const PATIENCE: u64 = 100 * StreamTime::PER_MS;
/// In a file the sections come round this often.
const ROUND: u64 = 10_000 * StreamTime::PER_MS;

/// The EMMs of one CA system.
pub(super) struct EmmStream {
    pub(super) ca_system_id: CaSystemId,
    pub(super) pid: Pid,
    pub(super) inserts: StreamId,
    queue: VecDeque<Vec<u8>>,
    /// Sections that come round, and when they do next.
    round: Vec<Vec<u8>>,
    next_round: StreamTime,
    /// When bandwidth allows the next packet.
    allowed: StreamTime,
    ticks_per_packet: u64,
    pub(super) dropped: u64,
}

impl EmmStream {
    pub(super) fn new(
        ca_system_id: CaSystemId,
        pid: Pid,
        inserts: StreamId,
        bandwidth_kbps: u32,
    ) -> Self {
        let bits_per_second = u64::from(bandwidth_kbps.max(1)) * 1_000;
        Self {
            ca_system_id,
            pid,
            inserts,
            queue: VecDeque::new(),
            round: Vec::new(),
            next_round: StreamTime(ROUND),
            allowed: StreamTime(0),
            ticks_per_packet: PACKET_SIZE as u64 * 8 * Pcr::HZ / bits_per_second,
            dropped: 0,
        }
    }

    /// Queues sections behind those that wait.
    pub(super) fn push(&mut self, sections: Vec<Vec<u8>>) {
        for section in sections {
            if self.queue.len() >= QUEUE_MAX {
                self.dropped += 1;
            } else {
                self.queue.push_back(section);
            }
        }
    }

    /// Packets of sections that stand in front of the stream and come round later.
    pub(super) fn front(&mut self, sections: Vec<Vec<u8>>) -> Vec<RawPacket> {
        self.round.extend(sections);
        let sections: Vec<_> = self.round.iter().map(Vec::as_slice).collect();
        SectionPacketizer::new(self.pid).packetize_all(&sections)
    }

    /// Packets that bandwidth allows now.
    pub(super) fn play(&mut self, now: StreamTime) -> Vec<RawPacket> {
        if self.queue.is_empty() && !self.round.is_empty() && now >= self.next_round {
            self.next_round = now + ROUND;
            self.queue.extend(self.round.iter().cloned());
        }
        if self.queue.is_empty() || now < self.allowed {
            return Vec::new();
        }
        let count = self.queue.len().min(RUN);
        let sections: Vec<_> = self.queue.drain(..count).collect();
        let sections: Vec<_> = sections.iter().map(Vec::as_slice).collect();
        let packets = SectionPacketizer::new(self.pid).packetize_all(&sections);
        self.allowed = now + self.ticks_per_packet * packets.len() as u64;
        packets
    }

    /// When [`EmmStream::play`] has something to do next.
    pub(super) fn wake(&self) -> StreamTime {
        if !self.queue.is_empty() {
            self.allowed
        } else if self.round.is_empty() {
            StreamTime::NEVER
        } else {
            self.next_round
        }
    }
}
