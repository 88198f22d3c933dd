//! Stream time: cuts the input at the clock references of the service, so that every packet
//! between two of them has an exact time.
//!
//! Holding packets back until the next clock reference costs at most its repetition (100 ms) and
//! buys that nothing has to be guessed. Where there is no clock, packets count at the last known
//! pace, or at an assumed bitrate.
//!
//! What must never happen: time that runs backwards, or packets held without a limit.

use std::collections::VecDeque;

use portcullis_ts::{PACKET_SIZE, Packet, Pcr, RawPacket};
use portcullis_types::Pid;

use super::StreamTime;

/// A longer step between two clock references is a jump of the clock.
const STEP_MAX: u64 = 10 * Pcr::HZ;
/// Packets held back at most: 100 ms at 300 Mbit/s.
const HELD_MAX: usize = 20_000;
/// Packets held back when no clock reference has ever come.
const HELD_WITHOUT_CLOCK: usize = 200;

/// Packets at an even pace.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) packets: Vec<RawPacket>,
    start: u64,
    span: u64,
}

impl Segment {
    /// When the packet at `index` is due.
    pub(super) fn time(&self, index: usize) -> StreamTime {
        StreamTime(self.start + self.share(index as u64))
    }

    /// How long so many packets take at the pace of this segment, in ticks.
    pub(super) fn ticks_of(&self, packets: u32) -> u64 {
        self.share(packets.into())
    }

    fn share(&self, packets: u64) -> u64 {
        let all = self.packets.len().max(1) as u64;
        // Nearly always so, and several times as fast.
        if let Some(product) = self.span.checked_mul(packets) {
            return product / all;
        }
        (u128::from(self.span) * u128::from(packets) / u128::from(all)) as u64
    }
}

/// Cuts packets into [`Segment`]s.
#[derive(Debug)]
pub(super) struct Segmenter {
    pcr_pid: Option<Pid>,
    held: Vec<RawPacket>,
    /// How many of the held packets came before the first clock reference.
    before_clock: usize,
    /// Stream time of the first held packet.
    time: u64,
    last_pcr: Option<Pcr>,
    /// Ticks given out since `last_pcr`.
    since_pcr: u64,
    /// The last pace: so many ticks for so many packets.
    pace: (u64, u64),
    pace_known: bool,
    ready: VecDeque<Segment>,
}

impl Segmenter {
    pub(super) fn new(pcr_pid: Option<Pid>, assumed_bitrate_bps: u64) -> Self {
        let bits = PACKET_SIZE as u64 * 8;
        Self {
            pcr_pid,
            held: Vec::new(),
            before_clock: 0,
            time: 0,
            last_pcr: None,
            since_pcr: 0,
            pace: (bits * Pcr::HZ, assumed_bitrate_bps.max(1)),
            pace_known: false,
            ready: VecDeque::new(),
        }
    }

    /// The clock moved to another PID.
    pub(super) fn set_pcr_pid(&mut self, pcr_pid: Option<Pid>) {
        if self.pcr_pid != pcr_pid {
            self.flush();
            self.pcr_pid = pcr_pid;
            self.last_pcr = None;
        }
    }

    pub(super) fn push(&mut self, packet: &RawPacket) {
        let view = Packet::new(packet);
        if Some(view.pid()) == self.pcr_pid
            && let Some(pcr) = view.pcr()
        {
            self.cut_at(pcr, view.discontinuity());
        }
        self.held.push(*packet);
        let limit =
            if self.last_pcr.is_none() && self.time > 0 { HELD_WITHOUT_CLOCK } else { HELD_MAX };
        if self.held.len() >= limit {
            self.flush();
        }
    }

    /// No more packets: what is held goes out at the last pace.
    pub(super) fn flush(&mut self) {
        self.before_clock = 0;
        let span = self.at_pace(self.held.len());
        self.since_pcr += span;
        let packets = std::mem::take(&mut self.held);
        self.emit(packets, span);
    }

    pub(super) fn pop(&mut self) -> Option<Segment> {
        self.ready.pop_front()
    }

    fn cut_at(&mut self, pcr: Pcr, discontinuity: bool) {
        match self.last_pcr.replace(pcr) {
            None if self.pace_known => self.flush(),
            // The pace of what came before the clock is the pace of what comes next.
            None => self.before_clock = self.held.len(),
            Some(last) => {
                let step = pcr.since(last);
                let timed = self.held.split_off(self.before_clock);
                let span = if discontinuity || step > STEP_MAX {
                    self.at_pace(timed.len())
                } else {
                    step.saturating_sub(self.since_pcr)
                };
                if span > 0 && !timed.is_empty() {
                    self.pace = (span, timed.len() as u64);
                    self.pace_known = true;
                }
                let before = std::mem::take(&mut self.held);
                let span_before = self.at_pace(before.len());
                self.emit(before, span_before);
                self.emit(timed, span);
                self.before_clock = 0;
            }
        }
        self.since_pcr = 0;
    }

    fn at_pace(&self, packets: usize) -> u64 {
        let (ticks, per) = self.pace;
        (u128::from(ticks) * packets as u128 / u128::from(per.max(1))) as u64
    }

    fn emit(&mut self, packets: Vec<RawPacket>, span: u64) {
        if packets.is_empty() {
            return;
        }
        self.ready.push_back(Segment { packets, start: self.time, span });
        self.time += span;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use portcullis_ts::PacketMut;
    use portcullis_ts::packet::null_packet;

    use super::*;

    fn clock(ticks: u64, discontinuity: bool) -> RawPacket {
        let mut raw = [0xFF; 188];
        let flags = if discontinuity { 0x90 } else { 0x10 };
        raw[..6].copy_from_slice(&[0x47, 1, 0, 0x20, 183, flags]);
        PacketMut::new(&mut raw).set_pcr(Pcr::from_ticks(ticks));
        raw
    }

    /// Times of all packets.
    fn times(packets: &[RawPacket]) -> Vec<u64> {
        let mut segmenter = Segmenter::new(Pid::new(0x100), 1_504_000);
        packets.iter().for_each(|packet| segmenter.push(packet));
        segmenter.flush();
        let mut times = Vec::new();
        while let Some(segment) = segmenter.pop() {
            times.extend((0..segment.packets.len()).map(|i| segment.time(i).0));
        }
        assert_eq!(times.len(), packets.len());
        assert!(times.is_sorted());
        times
    }

    #[test]
    fn packets_between_clock_references_are_spread_evenly() {
        let null = null_packet();
        // Two packets before the first clock, a wrap of the clock, and a tail.
        let stream = [
            null,
            null,
            clock(Pcr::MODULUS - 300, false),
            null,
            clock(300, false),
            null,
            null,
            clock(900, false),
            null,
        ];
        assert_eq!(times(&stream), [0, 300, 600, 900, 1200, 1400, 1600, 1800, 2000]);
    }

    #[test]
    fn a_jump_of_the_clock_goes_on_at_the_last_pace() {
        let stream =
            [clock(0, false), clock(300, false), clock(9_000_000, true), clock(9_000_300, false)];
        assert_eq!(times(&stream), [0, 300, 600, 900]);
        let backwards =
            [clock(3_000, false), clock(3_300, false), clock(0, false), clock(300, false)];
        assert_eq!(times(&backwards), [0, 300, 600, 900]);
    }

    #[test]
    fn without_a_clock_the_assumed_bitrate_counts() {
        // 1,504,000 bit/s is 1000 packets a second.
        assert_eq!(times(&[null_packet(); 3]), [0, 27_000, 54_000]);
        let many = vec![null_packet(); HELD_MAX + 3 * HELD_WITHOUT_CLOCK];
        assert_eq!(times(&many).last(), Some(&((many.len() as u64 - 1) * 27_000)));
    }
}
