//! Many packets with their keys at once.
//!
//! The one place where packets are dealt out to the kernels that work on many of them in parallel.
//! Lanes may hold packets of any PID, service, parity, key and mode, and payloads of any length. A
//! kernel's batch is worked on as soon as it is full, so that memory is bounded however many
//! packets there are.

use alloc::vec::Vec;

use portcullis_crypto::{DEEP, leaving_no_trace};
use portcullis_ts::{PacketMut, RawPacket, ScramblingControl};
use portcullis_types::Parity;

use crate::Cipher;
use crate::aes::{self, AES_LANES, AesLane, FullLane, PAYLOAD};
use crate::cipher::{Keyed, Scrambled, mark_scrambled};
use crate::sliced::{self, Direction, Lane};

/// All of a packet's fourth octet but the continuity counter: scrambling control (even, odd or
/// clear) and adaptation field control.
const NOT_COUNTER: u8 = 0xF0;
const PAYLOAD_ONLY: u8 = 0x10;
const EVEN: u8 = 0x80;
const ODD: u8 = 0xC0;
const PAYLOAD_ONLY_EVEN: u8 = PAYLOAD_ONLY | EVEN;
const PAYLOAD_ONLY_ODD: u8 = PAYLOAD_ONLY | ODD;

/// Scrambles each packet with its key, as [`Cipher::scramble_packet`] does.
pub fn scramble_each<'a>(
    packets: impl IntoIterator<Item = (&'a mut RawPacket, &'a Cipher, Parity)>,
) {
    with_lanes(Direction::Scramble, |lanes| {
        for (packet, cipher, parity) in packets {
            lanes.scramble(packet, cipher, parity);
        }
    });
}

/// Descrambles each packet that is scrambled with its key, as [`Cipher::descramble_packet`] does.
pub fn descramble_each<'a>(packets: impl IntoIterator<Item = (&'a mut RawPacket, &'a Cipher)>) {
    with_lanes(Direction::Descramble, |lanes| {
        for (packet, cipher) in packets {
            lanes.descramble(packet, cipher);
        }
    });
}

/// Lets `deal` put packets into batches, and works on all of them. Whatever the kernels leave on
/// the stack or in their scratch memory is gone when this returns.
// defends: T-39
#[inline]
pub(crate) fn with_lanes<'a, R>(direction: Direction, deal: impl FnOnce(&mut Lanes<'a>) -> R) -> R {
    leaving_no_trace::<DEEP, _>(|| {
        let mut lanes = Lanes::new(direction);
        let result = deal(&mut lanes);
        lanes.finish();
        result
    })
}

/// The batches of the kernels; see [`with_lanes`].
pub(crate) struct Lanes<'a> {
    direction: Direction,
    csa2: Vec<Lane<'a>>,
    aes: Vec<FullLane<'a>>,
    aes_short: Vec<AesLane<'a>>,
}

impl<'a> Lanes<'a> {
    const fn new(direction: Direction) -> Self {
        Self { direction, csa2: Vec::new(), aes: Vec::new(), aes_short: Vec::new() }
    }

    /// Takes a packet that is to be scrambled, if it can be.
    #[inline]
    pub(crate) fn scramble(
        &mut self,
        packet: &'a mut RawPacket,
        cipher: &'a Cipher,
        parity: Parity,
    ) {
        // Nearly all packets are clear and have nothing but payload.
        if packet[3] & NOT_COUNTER == PAYLOAD_ONLY {
            let [_, _, _, control, payload @ ..] = packet;
            *control |= match parity {
                Parity::Even => EVEN,
                Parity::Odd => ODD,
            };
            return self.add_whole(payload, cipher);
        }
        if mark_scrambled(packet, parity) == Scrambled::Yes {
            self.add(packet, cipher);
        }
    }

    /// Takes a packet that is to be descrambled, if it is scrambled.
    #[inline]
    pub(crate) fn descramble(&mut self, packet: &'a mut RawPacket, cipher: &'a Cipher) {
        if matches!(packet[3] & NOT_COUNTER, PAYLOAD_ONLY_EVEN | PAYLOAD_ONLY_ODD) {
            let [_, _, _, control, payload @ ..] = packet;
            *control &= !ODD;
            return self.add_whole(payload, cipher);
        }
        let mut view = PacketMut::new(packet);
        if view.as_packet().tsc().parity().is_some() {
            view.set_tsc(ScramblingControl::Clear);
            self.add(packet, cipher);
        }
    }

    /// A packet whose payload is shorter than usual.
    #[inline(never)]
    fn add(&mut self, packet: &'a mut RawPacket, cipher: &'a Cipher) {
        let Some(at) = portcullis_ts::Packet::new(packet).payload_offset() else { return };
        let Some(payload) = packet.get_mut(at..) else { return };
        match cipher.keyed() {
            Keyed::Csa2(key) => self.add_csa2(Lane { key, payload }),
            Keyed::Aes(key) => {
                self.aes_short.push(AesLane { key, payload });
                if self.aes_short.len() >= AES_LANES {
                    aes::run_short(&mut self.aes_short, self.direction);
                    self.aes_short.clear();
                }
            }
        }
    }

    #[inline]
    fn add_whole(&mut self, payload: &'a mut [u8; PAYLOAD], cipher: &'a Cipher) {
        match cipher.keyed() {
            Keyed::Csa2(key) => self.add_csa2(Lane { key, payload }),
            Keyed::Aes(key) => {
                self.aes.push(FullLane::new(key, payload));
                if self.aes.len() >= AES_LANES {
                    aes::run_full(&mut self.aes, self.direction);
                    self.aes.clear();
                }
            }
        }
    }

    #[inline]
    fn add_csa2(&mut self, lane: Lane<'a>) {
        self.csa2.push(lane);
        if self.csa2.len() >= sliced::LANES_MAX {
            sliced::run(&mut self.csa2, self.direction);
            self.csa2.clear();
        }
    }

    /// Works on what is left.
    fn finish(mut self) {
        sliced::run(&mut self.csa2, self.direction);
        aes::run_full(&mut self.aes, self.direction);
        aes::run_short(&mut self.aes_short, self.direction);
        sliced::wipe();
    }
}
