//! Measures what is on air and takes the sample of it that the page paints.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use portcullis_ts::{PACKET_SIZE, Packet};
use portcullis_types::Pid;

use crate::state::Channel;

const WINDOW: Duration = Duration::from_secs(1);
/// A sample is taken so often: with [`SAMPLE_PACKETS`] about 130 packets a second.
const SAMPLE_PAUSE: Duration = Duration::from_millis(60);
const SAMPLE_PACKETS: usize = 8;
const BITS_PER_PACKET: u64 = PACKET_SIZE as u64 * 8;

#[derive(Debug, Default)]
pub(crate) struct AirMeter {
    begin: Option<Instant>,
    packets: u64,
    null: u64,
    scrambled: u64,
    last_packet: Option<Instant>,
    last_sample: Option<Instant>,
}

impl AirMeter {
    /// Counts the packets of a datagram; gives the sample when one is due.
    pub(crate) fn feed(&mut self, now: Instant, datagram: &[u8]) -> Option<Bytes> {
        let (packets, _) = datagram.as_chunks::<PACKET_SIZE>();
        for octets in packets {
            let packet = Packet::new(octets);
            self.packets += 1;
            if packet.pid() == Pid::NULL {
                self.null += 1;
            } else if !packet.tsc().is_clear() {
                self.scrambled += 1;
            }
        }
        self.last_packet = Some(now);
        if self.last_sample.is_some_and(|at| now.duration_since(at) < SAMPLE_PAUSE) {
            return None;
        }
        self.last_sample = Some(now);
        // Null packets carry nothing to look at.
        let carrying = packets.iter().filter(|octets| Packet::new(octets).pid() != Pid::NULL);
        let sample: Vec<u8> = carrying.take(SAMPLE_PACKETS).flatten().copied().collect();
        Some(Bytes::from(sample))
    }

    /// Brings the channel's readings up to date; says whether they changed.
    pub(crate) fn show(&mut self, now: Instant, channel: &mut Channel) -> bool {
        let on_air = self.last_packet.is_some_and(|at| now.duration_since(at) < WINDOW);
        let turned = channel.on_air != on_air;
        channel.on_air = on_air;
        let begin = *self.begin.get_or_insert(now);
        let span = now.duration_since(begin);
        if span < WINDOW {
            return turned;
        }
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1);
        channel.bitrate_bps = (self.packets * BITS_PER_PACKET).saturating_mul(1_000_000) / micros;
        let counted = (self.packets - self.null).max(1);
        channel.scrambled_share = self.scrambled as f64 / counted as f64;
        *self = Self {
            begin: Some(now),
            last_packet: self.last_packet,
            last_sample: self.last_sample,
            ..Self::default()
        };
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;

    #[test]
    fn counts_scrambled_packets_among_those_that_carry_something() {
        let mut datagram = Vec::new();
        for header in [[0x47, 0x01, 0x01, 0x90], [0x47, 0x01, 0x01, 0x10], [0x47, 0x1F, 0xFF, 0x10]]
        {
            let mut packet = [0; PACKET_SIZE];
            packet[..4].copy_from_slice(&header);
            datagram.extend(packet);
        }
        let (mut meter, mut channel) = (AirMeter::default(), Channel::default());
        let start = Instant::now();
        meter.show(start, &mut channel);
        assert_eq!(meter.feed(start, &datagram).unwrap().len(), 2 * PACKET_SIZE);
        assert!(meter.feed(start, &datagram).is_none(), "the next sample is not due");
        assert!(meter.show(start + WINDOW, &mut channel));
        assert_eq!(channel.scrambled_share, 0.5);
        assert_eq!(channel.bitrate_bps, 6 * BITS_PER_PACKET);
        assert!(!channel.on_air, "the last packet is a second old");
    }
}
