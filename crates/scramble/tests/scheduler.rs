//! The scheduler: full, due, in order, with keys mixed, and never more than it may hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::octets;
use portcullis_scramble::{BatchIsFull, Cipher, FULL_BATCH, Mark, Scheduler};
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
const DEADLINE: Duration = Duration::from_millis(10);

#[test]
fn a_batch_is_due_when_full_or_when_its_first_packet_has_waited() {
    let mut scheduler = Scheduler::scrambler(3);
    let key = cipher(0);
    assert!(scheduler.is_empty() && scheduler.poll_timeout().is_none());
    for round in 0..2 {
        let start = START * (round + 1);
        scheduler.push(&packet(1, 0), Some((&key, Parity::Even)), start).unwrap();
        scheduler.push(&packet(2, 0), Some((&key, Parity::Odd)), start + DEADLINE / 2).unwrap();
        assert_eq!(scheduler.poll_timeout(), Some(start + DEADLINE));
        assert!(scheduler.take_due(start + DEADLINE - Duration::from_nanos(1)).is_none());
        let taken = scheduler.take_due(start + DEADLINE).unwrap();
        assert_eq!(taken.iter().map(|packet| packet[3] >> 6).collect::<Vec<_>>(), [2, 3]);
        assert!(scheduler.is_empty() && scheduler.poll_timeout().is_none());
    }
    for seed in 0..3 {
        assert!(scheduler.take_due(START).is_none());
        scheduler.push(&packet(seed, 0), None, START).unwrap();
    }
    let refused = scheduler.push(&packet(4, 0), None, START);
    assert_eq!(refused, Err(BatchIsFull));
    assert_eq!(scheduler.take_due(START).unwrap().len(), 3);
    scheduler.push(&packet(4, 0), None, START).unwrap();
    assert_eq!((scheduler.len(), scheduler.take(START).len()), (1, 1));
}

#[test]
fn what_comes_out_is_what_packet_by_packet_gives_in_the_same_order() {
    let keys: Vec<_> = (0..12).map(cipher).collect();
    let key_of = |i: usize| (i % 5 != 4).then(|| &keys[i * 7 % 12]);
    let clear: Vec<_> = (0..1_300).map(|i| packet(i, i * 31 % 184)).collect();
    let (mut scrambler, mut descrambler) =
        (Scheduler::scrambler(600), Scheduler::descrambler(700).with_deadline(DEADLINE * 2));
    let (mut scrambled, mut back) = (Vec::new(), Vec::new());
    for (i, packet) in clear.iter().enumerate() {
        if let Some(taken) = scrambler.take_due(START) {
            scrambled.extend_from_slice(taken);
        }
        let key = key_of(i).map(|key| (key, Parity::Odd));
        scrambler.push(packet, key, START).unwrap();
    }
    scrambled.extend_from_slice(scrambler.take(START));
    for (i, packet) in scrambled.iter().enumerate() {
        let mut expected = clear[i];
        if let Some(key) = key_of(i) {
            key.scramble_packet(&mut expected, Parity::Odd);
        }
        assert_eq!(*packet, expected, "packet {i}");
        if let Some(taken) = descrambler.take_due(START) {
            back.extend_from_slice(taken);
        }
        descrambler.push(packet, key_of(i).map(|key| (key, Parity::Even)), START).unwrap();
    }
    back.extend_from_slice(descrambler.take(START));
    assert!(back == clear);
}

#[test]
fn a_key_is_let_go_when_its_batch_has_been_taken() {
    let key = cipher(1);
    let mut scheduler = Scheduler::scrambler(10);
    scheduler.push(&packet(1, 0), Some((&key, Parity::Even)), START).unwrap();
    assert_eq!(Arc::strong_count(&key), 2);
    scheduler.take(START);
    assert_eq!(Arc::strong_count(&key), 1);
}

#[test]
fn packets_that_are_all_there_are_worked_on_in_place_with_every_key_of_its_time() {
    let keys: Vec<_> = (0..12).map(cipher).collect();
    let key_of = |i: usize| (i % 7 != 3).then(|| &keys[i / 900 % 12]);
    let parity_of = |i: usize| if (i / 450).is_multiple_of(2) { Parity::Even } else { Parity::Odd };
    let clear: Vec<_> = (0..9_000).map(|i| packet(i, i * 31 % 184)).collect();
    let mut work = clear.clone();
    let mut scheduler = Scheduler::scrambler(FULL_BATCH);
    let mut i = 0;
    scheduler.work(&mut work, |_, keys| {
        i += 1;
        key_of(i - 1).map_or(Mark::PASS, |key| keys.mark(key, parity_of(i - 1)))
    });
    for (i, (found, clear)) in work.iter().zip(&clear).enumerate() {
        let mut expected = *clear;
        if let Some(key) = key_of(i) {
            key.scramble_packet(&mut expected, parity_of(i));
        }
        assert_eq!(*found, expected, "packet {i}");
    }
    assert!(keys.iter().all(|key| Arc::strong_count(key) == 1));
    let stats = scheduler.stats();
    assert_eq!((stats.packets, stats.max), (9_000, Duration::ZERO));
    assert!(stats.most <= 8 * FULL_BATCH, "memory for marks has a limit");
}

/// Two services of 1 and 2 Mbit/s, each with its own keys, of which one changes parity on the way.
#[test]
fn services_of_little_bitrate_share_batches_and_wait_no_longer_than_the_deadline() {
    let keys: Vec<_> = (0..2).map(|_| cipher(0)).collect();
    let mut scheduler = Scheduler::scrambler(FULL_BATCH);
    let mut order = Vec::new();
    let mut shared = 0;
    // A tick is 250 us: a packet of the second service every third one, of the first every sixth.
    for tick in 0..40_000u32 {
        let now = START + Duration::from_micros(250) * tick;
        if scheduler.poll_timeout().is_some_and(|due| due <= now) {
            let taken = scheduler.take_due(now).unwrap();
            let of = |pid: u8| taken.iter().filter(|packet| packet[2] == pid).count();
            shared += usize::from(of(1) > 0 && of(2) > 0);
            order.extend(taken.iter().map(|packet| (packet[2], packet[3] & 15, packet[3] >> 6)));
        }
        for (service, every) in [(1, 6), (2, 3)] {
            if tick % every == 0 {
                let mut raw = packet(tick as usize, 0);
                (raw[2], raw[3]) = (service, 0x10 | (tick / every % 16) as u8);
                let parity = if tick < 20_000 { Parity::Even } else { Parity::Odd };
                let key = &keys[usize::from(service) - 1];
                scheduler.push(&raw, Some((key, parity)), now).unwrap();
            }
        }
    }
    for service in [1, 2] {
        let counters: Vec<_> = order.iter().filter(|packet| packet.0 == service).collect();
        assert!(counters.windows(2).all(|pair| pair[1].1 == (pair[0].1 + 1) % 16), "in order");
        assert!(counters.is_sorted_by_key(|packet| packet.2), "even, then odd");
        assert!(counters.iter().all(|packet| packet.2 >= 2), "scrambled");
    }
    let stats = scheduler.stats();
    assert!(stats.batches > 900 && shared as u64 == stats.batches, "{shared} of {stats:?}");
    let slack = Duration::from_micros(250);
    assert!(stats.p99 <= DEADLINE + slack && stats.max <= DEADLINE + slack, "{stats:?}");
    assert!(stats.p50 >= DEADLINE, "{stats:?}");
}
