//! Every path against the code that works packet by packet.
#![allow(clippy::unwrap_used)]

use std::vec::Vec;

use portcullis_crypto::Key128;
use proptest::prelude::*;

use super::lanes::Path;
use super::{AesCipher, AesLane, Chaining, FullLane, PAYLOAD};
use crate::sliced::Direction;

const CHAININGS: [Chaining; 4] = [Chaining::Cissa, Chaining::Idsa, Chaining::Cbc, Chaining::Ctr];

fn ciphers(chaining: Chaining, count: usize) -> Vec<AesCipher> {
    (0..count).map(|i| AesCipher::new(chaining, &Key128::new([i as u8 * 7 + 1; 16]))).collect()
}

fn payload(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|i| ((seed * 251 + i).wrapping_mul(2_654_435_761) >> 15) as u8).collect()
}

/// Each lane by itself, which the tests against OpenSSL hold to the standards.
fn one_by_one(keys: &[&AesCipher], payloads: &[Vec<u8>], direction: Direction) -> Vec<Vec<u8>> {
    let mut expected = payloads.to_vec();
    for (payload, key) in expected.iter_mut().zip(keys) {
        key.work(payload, direction);
    }
    expected
}

fn check(path: Path, keys: &[&AesCipher], lengths: &[usize], direction: Direction) {
    let payloads: Vec<_> = lengths.iter().enumerate().map(|(i, l)| payload(i, *l)).collect();
    let expected = one_by_one(keys, &payloads, direction);
    let mut work = payloads.clone();
    let mut lanes: Vec<_> = work
        .iter_mut()
        .zip(keys)
        .map(|(payload, key)| AesLane { key, payload: &mut payload[..] })
        .collect();
    path.run_short(&mut lanes, direction);
    assert!(work == expected, "{path:?}, {lengths:?}");
    if lengths.iter().all(|length| *length == PAYLOAD) {
        let mut work = payloads;
        let mut lanes: Vec<_> = work
            .iter_mut()
            .zip(keys)
            .map(|(payload, key)| FullLane::new(key, payload.as_mut_slice().try_into().unwrap()))
            .collect();
        path.run_full(&mut lanes, direction);
        assert!(work == expected, "{path:?}, {} lanes", lengths.len());
    }
}

#[test]
fn all_paths_agree_for_every_payload_length_and_number_of_lanes() {
    for path in Path::available() {
        for chaining in CHAININGS {
            let ciphers = ciphers(chaining, 3);
            for direction in [Direction::Scramble, Direction::Descramble] {
                for length in 0..=PAYLOAD {
                    let keys: Vec<_> = ciphers.iter().cycle().take(23).collect();
                    check(path, &keys, &[length; 23], direction);
                }
                for lanes in 0..45 {
                    let one: Vec<_> = ciphers.iter().take(1).cycle().take(lanes).collect();
                    check(path, &one, &[PAYLOAD].repeat(lanes), direction);
                    let many: Vec<_> = ciphers.iter().cycle().take(lanes).collect();
                    check(path, &many, &[PAYLOAD].repeat(lanes), direction);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn all_paths_agree_on_any_mix(
        lanes in proptest::collection::vec((0_usize..8, 0..=PAYLOAD), 0..64),
        scrambles: bool,
    ) {
        let ciphers: Vec<_> = CHAININGS.into_iter().flat_map(|chaining| ciphers(chaining, 2)).collect();
        let keys: Vec<_> = lanes.iter().map(|(key, _)| &ciphers[*key]).collect();
        let lengths: Vec<_> = lanes.iter().map(|(_, length)| *length).collect();
        let direction = if scrambles { Direction::Scramble } else { Direction::Descramble };
        for path in Path::available() {
            check(path, &keys, &lengths, direction);
        }
    }
}
