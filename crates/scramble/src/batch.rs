//! Many packets with their keys at once.
//!
//! The one place where kernels that work on many packets in parallel are chosen. Lanes may hold
//! packets of different services, parities and modes. Today CSA2 lanes go through the portable
//! kernel one by one and AES lanes of one key in groups.

use alloc::vec::Vec;

use portcullis_ts::{PacketMut, RawPacket, ScramblingControl};
use portcullis_types::Parity;

use crate::Cipher;
use crate::aes::AesCipher;
use crate::cipher::{Keyed, Scrambled, mark_scrambled};
use crate::csa2::Csa2;

/// Packets of which each has its key.
pub struct Batch<'a> {
    lanes: Vec<Lane<'a>>,
}

struct Lane<'a> {
    packet: &'a mut RawPacket,
    cipher: &'a Cipher,
    parity: Parity,
}

impl<'a> Batch<'a> {
    /// An empty batch with room for so many packets.
    #[must_use]
    pub fn with_capacity(packets: usize) -> Self {
        Self { lanes: Vec::with_capacity(packets) }
    }

    /// Adds a packet with its key. The parity counts for scrambling only.
    pub fn push(&mut self, packet: &'a mut RawPacket, cipher: &'a Cipher, parity: Parity) {
        self.lanes.push(Lane { packet, cipher, parity });
    }

    /// Packets in the batch.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Whether there is no packet in the batch.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Scrambles every packet, as [`Cipher::scramble_packet`] does.
    pub fn scramble(self) {
        let mut groups = Groups::default();
        for lane in self.lanes {
            if mark_scrambled(lane.packet, lane.parity) == Scrambled::Yes {
                groups.add(lane.cipher, lane.packet);
            }
        }
        for (csa2, payload) in groups.csa2 {
            csa2.scramble(payload);
        }
        for (aes, mut payloads) in groups.aes {
            aes.scramble_many(&mut payloads);
        }
    }

    /// Descrambles every scrambled packet, as [`Cipher::descramble_packet`] does.
    pub fn descramble(self) {
        let mut groups = Groups::default();
        for lane in self.lanes {
            let mut view = PacketMut::new(lane.packet);
            if view.as_packet().tsc().parity().is_some() {
                view.set_tsc(ScramblingControl::Clear);
                groups.add(lane.cipher, lane.packet);
            }
        }
        for (csa2, payload) in groups.csa2 {
            csa2.descramble(payload);
        }
        for (aes, payloads) in groups.aes {
            for payload in payloads {
                aes.descramble(payload);
            }
        }
    }
}

/// Payloads by kernel; AES payloads also by key.
#[derive(Default)]
struct Groups<'a> {
    csa2: Vec<(&'a Csa2, &'a mut [u8])>,
    aes: Vec<(&'a AesCipher, Vec<&'a mut [u8]>)>,
}

impl<'a> Groups<'a> {
    fn add(&mut self, cipher: &'a Cipher, packet: &'a mut RawPacket) {
        let Some(at) = portcullis_ts::Packet::new(packet).payload_offset() else { return };
        let Some(payload) = packet.get_mut(at..) else { return };
        match cipher.keyed() {
            Keyed::Csa2(csa2) => self.csa2.push((csa2, payload)),
            Keyed::Aes(aes) => {
                // A headend has few keys at a time, so that a search beats a map.
                match self.aes.iter_mut().find(|(known, _)| core::ptr::eq(*known, aes)) {
                    Some((_, payloads)) => payloads.push(payload),
                    None => self.aes.push((aes, alloc::vec![payload])),
                }
            }
        }
    }
}
