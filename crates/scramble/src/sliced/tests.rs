//! Every path against the scalar code, and the S-box networks against their tables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::vec::Vec;

use proptest::prelude::*;

use super::{Direction, Lane, Path, Register, gates, look_ups};
use crate::csa2::{Csa2, STREAM_INPUTS, STREAM_SBOXES};

/// Octets that look random and are the same in every run.
fn octets(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    core::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
}

fn agree(path: Path, keys: &[Csa2], clear: &[Vec<u8>], key_of: impl Fn(usize) -> usize) {
    let mut batched = clear.to_vec();
    let mut expected = clear.to_vec();
    for direction in [Direction::Scramble, Direction::Descramble] {
        let mut lanes: Vec<_> = batched
            .iter_mut()
            .enumerate()
            .map(|(i, payload)| Lane { key: &keys[key_of(i)], payload })
            .collect();
        path.run(&mut lanes, direction);
        for (i, payload) in expected.iter_mut().enumerate() {
            match direction {
                Direction::Scramble => keys[key_of(i)].scramble(payload),
                Direction::Descramble => keys[key_of(i)].descramble(payload),
            }
        }
        for (i, (batched, expected)) in batched.iter().zip(&expected).enumerate() {
            assert_eq!(batched, expected, "{path:?}, lane {i}, {} octets", expected.len());
        }
    }
    assert!(batched == clear);
}

fn keys(seed: u64, count: usize) -> Vec<Csa2> {
    let mut octets = octets(seed);
    (0..count).map(|_| Csa2::new(&core::array::from_fn(|_| octets.next().unwrap()))).collect()
}

fn payloads(seed: u64, lengths: impl Iterator<Item = usize>) -> Vec<Vec<u8>> {
    lengths.enumerate().map(|(i, n)| octets(seed ^ (i as u64 * 77)).take(n).collect()).collect()
}

#[test]
fn every_path_agrees_with_the_scalar_code_for_whole_payloads_and_one_key() {
    for path in Path::available() {
        agree(path, &keys(1, 1), &payloads(2, core::iter::repeat_n(184, 1_100)), |_| 0);
    }
}

// spec-test: E-R29
#[test]
fn every_path_agrees_with_the_scalar_code_for_every_length_and_mixed_keys() {
    for path in Path::available() {
        let lengths = (0..1_500).map(|i| (i * 59) % 185);
        agree(path, &keys(3, 64), &payloads(4, lengths), |i| i % 64);
        // Batches in which all payloads are short, and of one length.
        for length in [1, 7, 8, 9, 15, 16, 63, 64, 65, 100, 183] {
            agree(path, &keys(3, 2), &payloads(5, core::iter::repeat_n(length, 600)), |i| i % 2);
        }
    }
}

/// A million packets over three paths: random lengths (half of them whole), keys and order.
#[test]
fn a_million_packets_agree_with_the_scalar_code() {
    const ROUND: usize = 4_096;
    let paths: Vec<_> = Path::available().collect();
    let keys = keys(11, 97);
    for round in 0..(1_000_000 / paths.len()).div_ceil(ROUND) {
        let seed = round as u64 ^ 0x5EED;
        let mut random = octets(seed);
        let mut any = || usize::from(random.next().unwrap());
        let chosen: Vec<_> =
            (0..ROUND).map(|_| (any() % 97, if any() < 128 { 184 } else { any() % 185 })).collect();
        let clear = payloads(seed, chosen.iter().map(|(_, length)| *length));
        let mut expected = clear.clone();
        for (payload, (key, _)) in expected.iter_mut().zip(&chosen) {
            keys[*key].scramble(payload);
        }
        for path in &paths {
            let mut work = clear.clone();
            for (direction, expected) in
                [(Direction::Scramble, &expected), (Direction::Descramble, &clear)]
            {
                let lanes = work.iter_mut().zip(&chosen);
                let mut lanes: Vec<_> =
                    lanes.map(|(payload, (key, _))| Lane { key: &keys[*key], payload }).collect();
                path.run(&mut lanes, direction);
                assert!(work == *expected, "{path:?}, round {round}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_lengths_and_keys(
        seed in any::<u64>(),
        count in 1usize..16,
        lengths in prop::collection::vec(0usize..=184, 0..700),
    ) {
        let (keys, clear) = (keys(seed, count), payloads(seed ^ 9, lengths.into_iter()));
        for path in Path::available() {
            agree(path, &keys, &clear, |i| (i * 7 + i / 3) % count);
        }
    }
}

/// All 32 inputs of each S-box at once, one in each bit of a word.
#[test]
fn the_networks_are_the_s_boxes() {
    for (sbox, inputs) in STREAM_INPUTS.iter().enumerate() {
        let mut window = [[0u64; 4]; 11];
        for (input, (nibble, bit)) in inputs.iter().enumerate() {
            let column = (0..32u64).filter(|value| value >> (4 - input) & 1 == 1);
            window[usize::from(*nibble) + 1][usize::from(*bit)] =
                column.map(|value| 1 << value).sum();
        }
        let low: u64 = (0..32).map(|v| u64::from(STREAM_SBOXES[sbox][v] & 1) << v).sum();
        let high: u64 = (0..32).map(|v| u64::from(STREAM_SBOXES[sbox][v] >> 1) << v).sum();
        for sub in [gates::substitute(&window), look_ups::substitute(&window)] {
            let found = match sbox {
                0 => [sub.z[2], sub.x[0]],
                1 => [sub.z[3], sub.x[1]],
                2 => [sub.x[2], sub.y[0]],
                3 => [sub.x[3], sub.y[1]],
                4 => [sub.y[2], sub.z[0]],
                5 => [sub.y[3], sub.z[1]],
                _ => [sub.q, sub.p],
            };
            assert_eq!(found.map(|bits| bits & 0xFFFF_FFFF), [low, high], "S-box {}", sbox + 1);
        }
    }
    assert_eq!(<u64 as Register>::lut::<0xCA>(0b1100, 0b1010, 0b0110), 0b1010 & 0b1100 | 0b0010);
}
