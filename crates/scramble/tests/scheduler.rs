//! The scheduler: full, due, in order, with keys mixed, and never more than it may hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::octets;
use portcullis_scramble::{BatchIsFull, Cipher, Scheduler};
use portcullis_ts::RawPacket;
use portcullis_types::{Parity, ScramblingMode};

const MODES: [ScramblingMode; 3] =
    [ScramblingMode::Csa2, ScramblingMode::Cissa, ScramblingMode::Idsa];

fn cipher(number: usize) -> Arc<Cipher> {
    let mode = MODES[number % 3];
    Arc::new(Cipher::new(mode, &octets(number as u64, mode.control_word_len())).unwrap())
}

fn packet(seed: usize, adaptation: usize) -> RawPacket {
    let mut raw: RawPacket = octets(seed as u64, 188).try_into().unwrap();
    raw[..4].copy_from_slice(&[0x47, 0x01, 0x00, 0x10]);
    if adaptation > 0 {
        (raw[3], raw[4]) = (0x30, adaptation as u8 - 1);
    }
    raw
}

const START: Duration = Duration::from_secs(1_000);
const HOLD: Duration = Duration::from_millis(10);

#[test]
fn a_batch_is_due_when_full_or_when_its_first_packet_has_waited() {
    let mut scheduler = Scheduler::scrambler(3);
    let key = cipher(0);
    assert!(scheduler.is_empty() && scheduler.poll_timeout().is_none());
    for round in 0..2 {
        let start = START * (round + 1);
        scheduler.push(packet(1, 0), Some((&key, Parity::Even)), start).unwrap();
        scheduler.push(packet(2, 0), Some((&key, Parity::Odd)), start + HOLD / 2).unwrap();
        assert_eq!(scheduler.poll_timeout(), Some(start + HOLD));
        assert!(scheduler.take_due(start + HOLD - Duration::from_nanos(1)).is_none());
        let taken = scheduler.take_due(start + HOLD).unwrap();
        assert_eq!(taken.iter().map(|packet| packet[3] >> 6).collect::<Vec<_>>(), [2, 3]);
        assert!(scheduler.is_empty() && scheduler.poll_timeout().is_none());
    }
    for seed in 0..3 {
        assert!(scheduler.take_due(START).is_none());
        scheduler.push(packet(seed, 0), None, START).unwrap();
    }
    let refused = scheduler.push(packet(4, 0), None, START);
    assert_eq!(refused, Err(BatchIsFull));
    assert_eq!(scheduler.take_due(START).unwrap().len(), 3);
    scheduler.push(packet(4, 0), None, START).unwrap();
    assert_eq!((scheduler.len(), scheduler.take().len()), (1, 1));
}

#[test]
fn what_comes_out_is_what_packet_by_packet_gives_in_the_same_order() {
    let keys: Vec<_> = (0..12).map(cipher).collect();
    let key_of = |i: usize| (i % 5 != 4).then(|| &keys[i * 7 % 12]);
    let clear: Vec<_> = (0..1_300).map(|i| packet(i, i * 31 % 184)).collect();
    let (mut scrambler, mut descrambler) =
        (Scheduler::scrambler(600), Scheduler::descrambler(700).with_hold(HOLD * 2));
    let (mut scrambled, mut back) = (Vec::new(), Vec::new());
    for (i, packet) in clear.iter().enumerate() {
        if let Some(taken) = scrambler.take_due(START) {
            scrambled.extend_from_slice(taken);
        }
        let key = key_of(i).map(|key| (key, Parity::Odd));
        scrambler.push(*packet, key, START).unwrap();
    }
    scrambled.extend_from_slice(scrambler.take());
    for (i, packet) in scrambled.iter().enumerate() {
        let mut expected = clear[i];
        if let Some(key) = key_of(i) {
            key.scramble_packet(&mut expected, Parity::Odd);
        }
        assert_eq!(*packet, expected, "packet {i}");
        if let Some(taken) = descrambler.take_due(START) {
            back.extend_from_slice(taken);
        }
        descrambler.push(*packet, key_of(i).map(|key| (key, Parity::Even)), START).unwrap();
    }
    back.extend_from_slice(descrambler.take());
    assert!(back == clear);
}

#[test]
fn a_key_is_let_go_when_its_batch_has_been_taken() {
    let key = cipher(1);
    let mut scheduler = Scheduler::scrambler(10);
    scheduler.push(packet(1, 0), Some((&key, Parity::Even)), START).unwrap();
    assert_eq!(Arc::strong_count(&key), 2);
    scheduler.take();
    assert_eq!(Arc::strong_count(&key), 1);
}
