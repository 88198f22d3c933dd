//! A file played again and again as one endless stream.
//!
//! From the second pass on, PCR, PTS and DTS move by the length of the file and the continuity
//! counters go on where the pass before ended, so that a receiver sees no seam (ISO/IEC 13818-1
//! 2.4.3.3, 2.4.3.5, 2.4.3.7). Only stamps change; payload octets behind the PES header never do.

use std::collections::HashMap;

use portcullis_ts::{Packet, PacketMut, Pcr, RawPacket};
use portcullis_types::Pid;

use super::{Arrived, Input, InputError};
use crate::location::Location;

/// A longer step between two clock references is a jump, not a span.
const PCR_STEP_MAX: u64 = Pcr::HZ;
/// Ticks of 27 MHz in one tick of PTS and DTS.
const PER_PTS: u64 = 300;
/// PTS and DTS have 33 bits.
const PTS_MASK: u64 = (1 << 33) - 1;

/// A file without an end.
pub struct Looped {
    input: Input,
    stamps: LoopStamps,
}

impl Looped {
    /// Opens the file for its first pass.
    ///
    /// # Errors
    /// [`InputError`] when it does not open.
    pub fn open(location: &Location) -> Result<Self, InputError> {
        Ok(Self { input: Input::open(location)?, stamps: LoopStamps::default() })
    }

    /// The next packets, from the front of the file again after its end.
    ///
    /// # Errors
    /// [`InputError`] when reading fails or the octets are no packets.
    pub fn read(&mut self) -> Result<Arrived<'_>, InputError> {
        // The second pass reads packets, or the first would have found the file empty; the
        // borrow of the first answer ends before the file is opened again.
        if matches!(self.input.read()?, Arrived::End) {
            self.input = Input::open(&self.input.location().clone())?;
            self.stamps.next_pass();
            self.input.read()?;
        }
        let packets = self.input.last();
        self.stamps.stamp(packets);
        Ok(Arrived::Packets(packets))
    }
}

/// The stamps of an endless stream made of passes over the same packets.
#[derive(Debug, Default)]
pub struct LoopStamps {
    pass: u64,
    /// Length of one pass in ticks of 27 MHz; a whole number of PTS ticks.
    length: u64,
    span: Span,
    counters: HashMap<Pid, Counter>,
}

/// What the first pass says about its length.
#[derive(Debug, Default)]
struct Span {
    packets: u64,
    reference: Option<Pid>,
    last: Option<(u64, Pcr)>,
    /// Ticks and packets between clock references without a jump between them.
    ticks: u64,
    covered: u64,
}

#[derive(Debug)]
struct Counter {
    /// What is added to the counters of this pass.
    shift: u8,
    /// The last counter that went out.
    last: u8,
    pass: u64,
}

impl LoopStamps {
    /// Stamps the next packets of the present pass.
    pub fn stamp(&mut self, packets: &mut [RawPacket]) {
        for packet in packets {
            if self.pass == 0 {
                self.span.measure(Packet::new(packet));
            } else {
                move_clocks(packet, self.pass.wrapping_mul(self.length));
            }
            self.count(packet);
        }
    }

    /// The pass is over; the next packets are the first ones again.
    pub fn next_pass(&mut self) {
        if self.pass == 0 {
            self.length = self.span.length();
        }
        self.pass += 1;
    }

    /// Lets the continuity counter of a PID go on; steps inside a pass stay as they are.
    fn count(&mut self, packet: &mut RawPacket) {
        let mut view = PacketMut::new(packet);
        let (pid, cc) = (view.as_packet().pid(), view.as_packet().cc());
        if pid == Pid::NULL {
            return;
        }
        let step = u8::from(view.as_packet().has_payload());
        let counter = self.counters.entry(pid).or_insert(Counter { shift: 0, last: 0, pass: 0 });
        if counter.pass != self.pass {
            counter.pass = self.pass;
            counter.shift = counter.last.wrapping_add(step).wrapping_sub(cc) & 0x0F;
        }
        counter.last = cc.wrapping_add(counter.shift) & 0x0F;
        view.set_cc(counter.last);
    }
}

impl Span {
    fn measure(&mut self, packet: Packet<'_>) {
        let at = self.packets;
        self.packets += 1;
        let Some(pcr) = packet.pcr() else { return };
        if *self.reference.get_or_insert_with(|| packet.pid()) != packet.pid() {
            return;
        }
        if let Some((before, last)) = self.last.replace((at, pcr)) {
            let step = pcr.since(last);
            if step <= PCR_STEP_MAX && !packet.discontinuity() {
                self.ticks += step;
                self.covered += at - before;
            }
        }
    }

    /// The whole pass at the pace of what the clock references cover.
    fn length(&self) -> u64 {
        let (ticks, packets) = (u128::from(self.ticks), u128::from(self.packets));
        let length = ticks * packets / u128::from(self.covered.max(1));
        u64::try_from(length).unwrap_or(u64::MAX) / PER_PTS * PER_PTS
    }
}

/// Moves PCR, PTS and DTS of a packet by so many ticks of 27 MHz.
fn move_clocks(packet: &mut RawPacket, ticks: u64) {
    let mut view = PacketMut::new(packet);
    if let Some(pcr) = view.as_packet().pcr() {
        view.set_pcr(Pcr::from_ticks(pcr.ticks().wrapping_add(ticks % Pcr::MODULUS)));
    }
    if view.as_packet().pusi() && view.as_packet().tsc().parity().is_none() {
        move_pes_stamps(view.payload_mut(), ticks / PER_PTS);
    }
}

fn move_pes_stamps(payload: &mut [u8], ticks: u64) {
    let Some((head, rest)) = payload.split_first_chunk_mut::<9>() else { return };
    let [0, 0, 1, stream_id, _, _, flags, present, _] = head else { return };
    // These stream_ids have no optional header; private and padding data look different.
    if matches!(*stream_id, 0xBC | 0xBE | 0xBF | 0xF0..=0xF2 | 0xF8 | 0xFF) || *flags >> 6 != 0b10 {
        return;
    }
    let (stamps, _) = rest.as_chunks_mut::<5>();
    for stamp in stamps.iter_mut().take(usize::from(*present >> 6).saturating_sub(1)) {
        move_stamp(stamp, ticks);
    }
}

/// A 33-bit stamp between marker bits.
fn move_stamp(field: &mut [u8; 5], ticks: u64) {
    let [a, b, c, d, e] = field.map(u64::from);
    let value = (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1;
    let value = value.wrapping_add(ticks) & PTS_MASK;
    let prefix = field.first().copied().unwrap_or_default() & 0xF0;
    *field = [
        prefix | (value >> 29) as u8 & 0x0E | 1,
        (value >> 22) as u8,
        (value >> 14) as u8 | 1,
        (value >> 7) as u8,
        (value << 1) as u8 | 1,
    ];
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A packet of PID 0x100 with a PCR and the head of a PES packet with PTS and DTS.
    fn packet(cc: u8, ticks: u64) -> RawPacket {
        let mut raw = [0xFF; 188];
        raw[..12].copy_from_slice(&[0x47, 0x41, 0, 0x30 | cc, 7, 0x10, 0, 0, 0, 0, 0, 0]);
        raw[12..21].copy_from_slice(&[0, 0, 1, 0xE0, 0, 0, 0x80, 0xC0, 10]);
        raw[21..31].copy_from_slice(&[0x31, 0, 1, 0, 1, 0x11, 0, 1, 0, 1]);
        PacketMut::new(&mut raw).set_pcr(Pcr::from_ticks(ticks));
        let mut stamps = raw[21..31].as_chunks_mut::<5>().0.iter_mut();
        move_stamp(stamps.next().unwrap(), ticks / PER_PTS);
        move_stamp(stamps.next().unwrap(), ticks / PER_PTS);
        raw
    }

    fn stamps(raw: &RawPacket) -> (u64, [u64; 2], u8) {
        let pts = raw[21..31].as_chunks::<5>().0.iter().map(|field| {
            let [a, b, c, d, e] = field.map(u64::from);
            assert_eq!((a & 1, c & 1, e & 1), (1, 1, 1));
            (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
        });
        let view = Packet::new(raw);
        (view.pcr().unwrap().ticks(), pts.collect::<Vec<_>>().try_into().unwrap(), view.cc())
    }

    #[test]
    fn stamps_go_on_over_the_seam_and_over_the_wrap_of_the_clock() {
        let step = 27_000 * 40;
        let start = Pcr::MODULUS - 6 * step;
        let file: Vec<_> = (0..5).map(|i| packet((3 + i) as u8 & 15, start + i * step)).collect();
        let mut loops = LoopStamps::default();
        let (mut expected, mut cc) = (start, 3);
        for _ in 0..40 {
            let mut pass = file.clone();
            loops.stamp(&mut pass);
            for packet in &pass {
                let pts = expected / PER_PTS;
                assert_eq!(stamps(packet), (expected, [pts, pts], cc));
                expected = (expected + step) % Pcr::MODULUS;
                cc = (cc + 1) & 15;
            }
            loops.next_pass();
        }
    }

    #[test]
    fn payload_octets_and_null_packets_stay() {
        let mut loops = LoopStamps::default();
        let mut file = [packet(0, 0), packet(1, 2_700_000), portcullis_ts::packet::null_packet()];
        let before = file;
        loops.stamp(&mut file);
        assert_eq!(file, before, "the first pass is the file");
        loops.next_pass();
        loops.stamp(&mut file);
        assert_eq!(file[2], before[2]);
        assert_eq!(file[0][31..], before[0][31..]);
        assert_ne!(file[0][..31], before[0][..31]);
    }
}
