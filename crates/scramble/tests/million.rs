//! A million packets of each of CSA2 and CISSA against implementations by others: random keys,
//! payloads and adaptation fields, on every path that this processor has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;

use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use common::{ask, libdvbcsa, octets, skipped};
use portcullis_scramble::{Cipher, descramble_each, limit_lanes, scramble_each};
use portcullis_ts::{Packet, PacketMut, RawPacket, ScramblingControl};
use portcullis_types::{Parity, ScramblingMode};

const PACKETS: usize = 1_000_000;
/// Packets that are made at a time, and the keys among them.
const ROUND: usize = 65_536;
const KEYS: usize = 64;
/// Lanes of the kernels that take turns; see `limit_lanes`.
const LANES: [usize; 3] = [512, 256, 64];
const CISSA_IV: &[u8; 16] = b"DVBTMCPTAESCISSA";

/// Packets in clear with their keys.
struct Round {
    mode: ScramblingMode,
    keys: Vec<Vec<u8>>,
    clear: Vec<RawPacket>,
    key_of: Vec<usize>,
}

impl Round {
    fn new(mode: ScramblingMode, number: usize) -> Self {
        let seed = (number as u64 + 1) << 32;
        let keys = (0..KEYS).map(|key| octets(seed + key as u64, mode.control_word_len()));
        let random = octets(seed + 1_000, 3 * ROUND);
        let clear = random.chunks(3).enumerate().map(|(i, random)| {
            // Half of them have nothing but payload.
            let adaptation = usize::from(random[0]) * usize::from(random[1] & 1) % 184;
            packet(seed + 2_000 + i as u64, adaptation)
        });
        let key_of = random.chunks(3).map(|random| usize::from(random[2]) % KEYS);
        Self { mode, keys: keys.collect(), clear: clear.collect(), key_of: key_of.collect() }
    }

    /// What our kernels make of the packets. They make the clear packets of that again.
    fn scrambled(&self, lanes: usize) -> Vec<RawPacket> {
        limit_lanes(lanes);
        let ciphers: Vec<_> =
            self.keys.iter().map(|key| Cipher::new(self.mode, key).unwrap()).collect();
        let ciphers = || self.key_of.iter().map(|key| &ciphers[*key]);
        let mut scrambled = self.clear.clone();
        let keyed = scrambled.iter_mut().zip(ciphers());
        scramble_each(keyed.map(|(packet, cipher)| (packet, cipher, Parity::Odd)));
        let mut back = scrambled.clone();
        descramble_each(back.iter_mut().zip(ciphers()));
        assert!(back == self.clear, "{} with {lanes} lanes", self.mode);
        scrambled
    }

    /// What it has to be when `scramble` works on the payloads.
    fn expected(&self, scramble: impl Fn(&[u8], &mut [u8])) -> Vec<RawPacket> {
        let mut expected = self.clear.clone();
        for (packet, key) in expected.iter_mut().zip(&self.key_of) {
            let mut packet = PacketMut::new(packet);
            packet.set_tsc(ScramblingControl::Scrambled(Parity::Odd));
            scramble(&self.keys[*key], packet.payload_mut());
        }
        expected
    }
}

fn packet(seed: u64, adaptation: usize) -> RawPacket {
    let mut raw: RawPacket = octets(seed, 188).try_into().unwrap();
    raw[..4].copy_from_slice(&[0x47, 0x01, 0x00, 0x10]);
    if adaptation > 0 {
        (raw[3], raw[4]) = (0x30, adaptation as u8 - 1);
    }
    raw
}

fn payload(packet: &RawPacket) -> &[u8] {
    &packet[Packet::new(packet).payload_offset().unwrap()..]
}

fn rounds(mode: ScramblingMode) -> impl Iterator<Item = (Round, usize)> {
    let lanes = LANES.into_iter().cycle();
    (0..PACKETS.div_ceil(ROUND)).map(move |number| Round::new(mode, number)).zip(lanes)
}

// spec-test: E-R29
#[test]
fn csa2_is_what_dvb_csa_makes() {
    for (round, lanes) in rounds(ScramblingMode::Csa2Full) {
        let expected = round.expected(|key, payload| {
            let key = dvb_csa::ControlWord::from_bytes(key.try_into().unwrap());
            dvb_csa::scramble(&key, payload);
        });
        assert!(round.scrambled(lanes) == expected, "{lanes} lanes");
    }
}

// spec-test: E-R29
#[test]
fn csa2_is_what_libdvbcsa_makes() {
    let Some(oracle) = libdvbcsa("csa2_is_what_libdvbcsa_makes") else { return };
    for (round, lanes) in rounds(ScramblingMode::Csa2Full) {
        let mut questions = Vec::new();
        for (packet, key) in round.clear.iter().zip(&round.key_of) {
            questions.extend([b'e', payload(packet).len() as u8]);
            questions.extend(&round.keys[*key]);
            questions.extend(payload(packet));
        }
        let answers = ask(&mut Command::new(oracle.path()), &questions).unwrap();
        let ours: Vec<_> =
            round.scrambled(lanes).iter().flat_map(|packet| payload(packet).to_vec()).collect();
        assert!(ours == answers, "{lanes} lanes");
    }
}

// spec-test: E-R29
#[test]
fn cissa_is_what_crates_aes_and_cbc_make() {
    for (round, lanes) in rounds(ScramblingMode::Cissa) {
        let expected = round.expected(|key, payload| {
            let key: &[u8; 16] = key.try_into().unwrap();
            let mut chain = cbc::Encryptor::<aes::Aes128>::new(key.into(), CISSA_IV.into());
            chain.encrypt_blocks(aes::Block::slice_as_chunks_mut(payload).0);
        });
        assert!(round.scrambled(lanes) == expected, "{lanes} lanes");
    }
}

/// OpenSSL deciphers all blocks of a key by themselves: each is a clear block XOR the cipher block
/// in front of it.
// spec-test: E-R29
#[test]
fn openssl_deciphers_what_cissa_makes() {
    for (round, lanes) in rounds(ScramblingMode::Cissa) {
        let scrambled = round.scrambled(lanes);
        for (number, key) in round.keys.iter().enumerate() {
            let (mut blocks, mut expected) = (Vec::new(), Vec::new());
            let of_key = |(_, key): &(_, &usize)| **key == number;
            let pairs = scrambled.iter().zip(&round.clear).zip(&round.key_of);
            for ((scrambled, clear), _) in pairs.filter(of_key) {
                let mut before = CISSA_IV;
                let whole = payload(scrambled).as_chunks();
                for (block, clear) in whole.0.iter().zip(payload(clear).as_chunks::<16>().0) {
                    blocks.extend(block);
                    expected.extend(clear.iter().zip(before).map(|(clear, before)| clear ^ before));
                    before = block;
                }
                assert_eq!(whole.1, payload(clear).as_chunks::<16>().1, "the residue is clear");
            }
            let key: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
            let mut openssl = Command::new("openssl");
            openssl.args(["enc", "-d", "-aes-128-ecb", "-nopad", "-K", &key]);
            let Some(deciphered) = ask(&mut openssl, &blocks) else {
                return skipped("openssl_deciphers_what_cissa_makes", "openssl is missing");
            };
            assert!(deciphered == expected, "{lanes} lanes");
        }
    }
}
