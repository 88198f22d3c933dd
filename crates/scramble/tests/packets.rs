//! Packets: what stays clear, the control bits, batches, and the two key slots.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::octets;
use portcullis_scramble::{
    Cipher, Descrambled, KeySlots, Scrambled, descramble_each, scramble_batch, scramble_each,
};
use portcullis_ts::{Packet, RawPacket, ScramblingControl};
use portcullis_types::{Parity, ScramblingMode};

const MODES: [ScramblingMode; 6] = [
    ScramblingMode::Csa2,
    ScramblingMode::Csa2Full,
    ScramblingMode::Cissa,
    ScramblingMode::Idsa,
    ScramblingMode::AesCbc,
    ScramblingMode::AesCtr,
];

fn cipher(mode: ScramblingMode, seed: u64) -> Cipher {
    Cipher::new(mode, &octets(seed, mode.control_word_len())).unwrap()
}

/// A packet whose adaptation field takes `adaptation` octets, its length octet counted.
fn packet(seed: u64, adaptation: usize) -> RawPacket {
    let mut raw: RawPacket = octets(seed, 188).try_into().unwrap();
    raw[..4].copy_from_slice(&[0x47, 0x01, 0x00, 0x10]);
    if adaptation > 0 {
        raw[3] = 0x30;
        raw[4] = adaptation as u8 - 1;
    }
    raw
}

// spec-test: E-R29
#[test]
fn header_and_adaptation_field_stay_clear_for_every_payload_length() {
    for mode in MODES {
        let cipher = cipher(mode, 1);
        for adaptation in 0..184 {
            let clear = packet(7, adaptation);
            let mut work = clear;
            assert_eq!(cipher.scramble_packet(&mut work, Parity::Odd), Scrambled::Yes);
            assert_eq!(work[3], clear[3] | 0xC0, "control bits even for a payload that is short");
            assert_eq!(work[4..4 + adaptation], clear[4..4 + adaptation]);
            if adaptation <= 160 {
                assert_ne!(work[4 + adaptation..], clear[4 + adaptation..]);
            }
            assert_eq!(cipher.scramble_packet(&mut work, Parity::Odd), Scrambled::Already);
            assert!(cipher.descramble_packet(&mut work));
            assert_eq!(work, clear);
            assert!(!cipher.descramble_packet(&mut work));
        }
    }
}

#[test]
fn a_packet_without_payload_is_not_touched() {
    let cipher = cipher(ScramblingMode::Cissa, 1);
    for (control, length) in [(0x20, 183), (0x00, 0), (0x30, 183), (0x30, 255)] {
        let mut raw = packet(2, 0);
        (raw[3], raw[4]) = (control, length);
        let before = raw;
        assert_eq!(cipher.scramble_packet(&mut raw, Parity::Even), Scrambled::NoPayload);
        assert_eq!(raw, before);
    }
}

#[test]
fn a_batch_does_what_packet_by_packet_does() {
    let ciphers: Vec<_> = (0..12).map(|i| cipher(MODES[i % 6], i as u64)).collect();
    let clear: Vec<_> = (0..200).map(|i| packet(i as u64, (i * 7) % 184)).collect();
    let (mut batched, mut single) = (clear.clone(), clear.clone());
    let key_of = |i: usize| (&ciphers[i % 12], [Parity::Even, Parity::Odd][i / 3 % 2]);
    scramble_each(batched.iter_mut().enumerate().map(|(i, packet)| {
        let (cipher, parity) = key_of(i);
        (packet, cipher, parity)
    }));
    for (i, packet) in single.iter_mut().enumerate() {
        let (cipher, parity) = key_of(i);
        cipher.scramble_packet(packet, parity);
    }
    assert!(batched == single);
    descramble_each(batched.iter_mut().enumerate().map(|(i, packet)| (packet, key_of(i).0)));
    assert!(batched == clear);
}

#[test]
fn the_control_bits_choose_the_key() {
    let clear: Vec<_> = (0..20).map(|i| packet(i, 0)).collect();
    let mut work = clear.clone();
    let (even, odd) = work.split_at_mut(10);
    scramble_batch(even, &cipher(ScramblingMode::Cissa, 1), Parity::Even);
    scramble_batch(odd, &cipher(ScramblingMode::Cissa, 2), Parity::Odd);

    let mut slots = KeySlots::new();
    slots.set(Parity::Odd, cipher(ScramblingMode::Cissa, 2));
    let count = slots.descramble_batch(&mut work, |_| true);
    assert_eq!((count.descrambled, count.left_scrambled), (10, 10));
    assert_eq!(slots.descramble_packet(&mut work[0]), Descrambled::NoKey);
    assert_eq!(Packet::new(&work[0]).tsc(), ScramblingControl::Scrambled(Parity::Even));

    slots.set(Parity::Even, cipher(ScramblingMode::Cissa, 1));
    assert_eq!(slots.descramble_batch(&mut work, |_| false).descrambled, 0);
    assert_eq!(slots.descramble_batch(&mut work, |_| true).descrambled, 10);
    assert!(work == clear);
    assert_eq!(slots.descramble_packet(&mut work[0]), Descrambled::WasClear);
}
