//! CSA2 against three other implementations: `dvb-csa`, `rcsa`, and libdvbcsa in its own process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;

use common::{ask, libdvbcsa, octets};
use portcullis_scramble::{Cipher, reduce_entropy};
use portcullis_types::ScramblingMode;

fn full(control_word: &[u8; 8]) -> Cipher {
    Cipher::new(ScramblingMode::Csa2Full, control_word).unwrap()
}

/// Every payload length with a control word and content of its own.
fn cases() -> impl Iterator<Item = ([u8; 8], Vec<u8>)> {
    (0..=184).flat_map(|length| {
        (0..3u64).map(move |round| {
            let seed = length as u64 * 3 + round + 1;
            (octets(seed, 8).try_into().unwrap(), octets(seed ^ 0xABCD, length))
        })
    })
}

// spec-test: E-R29
#[test]
fn every_payload_length_agrees_with_dvb_csa() {
    for (control_word, clear) in cases() {
        let theirs = dvb_csa::ControlWord::from_bytes(control_word);
        let (mut ours, mut expected) = (clear.clone(), clear.clone());
        full(&control_word).scramble_payload(&mut ours);
        dvb_csa::scramble(&theirs, &mut expected);
        assert_eq!(ours, expected, "{} octets", clear.len());
        full(&control_word).descramble_payload(&mut ours);
        assert_eq!(ours, clear);
    }
}

#[test]
fn whole_payloads_agree_with_rcsa() {
    for (control_word, clear) in cases().filter(|(_, clear)| clear.len() == 184) {
        let mut ours = clear.clone();
        full(&control_word).scramble_payload(&mut ours);
        let mut csa = rcsa::Csa::default();
        csa.set_cw(&control_word);
        csa.decrypt_payload(&mut ours);
        assert_eq!(ours, clear);
    }
}

// spec-test: E-R29
#[test]
fn every_payload_length_agrees_with_libdvbcsa() {
    let Some(oracle) = libdvbcsa("every_payload_length_agrees_with_libdvbcsa") else { return };
    for operation in [b'e', b'd'] {
        let (mut questions, mut ours) = (Vec::new(), Vec::new());
        for (control_word, mut payload) in cases() {
            questions.extend([operation, payload.len() as u8]);
            questions.extend(control_word);
            questions.extend(&payload);
            let cipher = full(&control_word);
            if operation == b'e' {
                cipher.scramble_payload(&mut payload);
            } else {
                cipher.descramble_payload(&mut payload);
            }
            ours.extend(payload);
        }
        let theirs = ask(&mut Command::new(oracle.path()), &questions).unwrap();
        assert_eq!(ours.len(), theirs.len());
        assert!(ours == theirs, "operation {}", operation as char);
    }
}

#[test]
fn mode_csa2_reduces_the_control_word_itself() {
    let mut reduced = [1, 2, 3, 99, 250, 5, 6, 99];
    let (mut by_us, mut by_hand) = (octets(5, 184), octets(5, 184));
    Cipher::new(ScramblingMode::Csa2, &reduced).unwrap().scramble_payload(&mut by_us);
    reduce_entropy(&mut reduced);
    assert_eq!(reduced, [1, 2, 3, 6, 250, 5, 6, 5]);
    full(&reduced).scramble_payload(&mut by_hand);
    assert_eq!(by_us, by_hand);
}
