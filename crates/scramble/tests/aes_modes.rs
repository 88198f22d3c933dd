//! The AES modes against OpenSSL in its own process, and their rules for residues.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;

use common::{ask, octets, skipped};
use portcullis_scramble::Cipher;
use portcullis_types::ScramblingMode;

const KEY: &str = "000102030405060708090a0b0c0d0e0f";

fn key() -> Vec<u8> {
    (0..16).collect()
}

fn scrambled(mode: ScramblingMode, clear: &[u8]) -> Vec<u8> {
    let cipher = Cipher::new(mode, &key()).unwrap();
    let mut payload = clear.to_vec();
    cipher.scramble_payload(&mut payload);
    let mut back = payload.clone();
    cipher.descramble_payload(&mut back);
    assert_eq!(back, clear, "{mode}, {} octets", clear.len());
    payload
}

/// `openssl enc` without padding; `None`, and noted, without OpenSSL.
fn openssl(cipher: &str, iv: &str, clear: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new("openssl");
    command.args(["enc", cipher, "-nopad", "-K", KEY, "-iv", iv]);
    let answer = ask(&mut command, clear);
    if answer.is_none() {
        skipped("aes_modes", "openssl is missing");
    }
    answer
}

const ZERO_IV: &str = "00000000000000000000000000000000";
const CISSA_IV: &str = "445642544d4350544145534349535341";

// spec-test: E-R29
#[test]
fn cbc_modes_agree_with_openssl() {
    for (mode, iv) in [
        (ScramblingMode::Cissa, CISSA_IV),
        (ScramblingMode::AesCbc, ZERO_IV),
        (ScramblingMode::Idsa, ZERO_IV),
    ] {
        for blocks in [1, 2, 5, 11] {
            let clear = octets(blocks as u64, blocks * 16);
            let Some(expected) = openssl("-aes-128-cbc", iv, &clear) else { return };
            assert_eq!(scrambled(mode, &clear), expected, "{mode}");
        }
    }
}

#[test]
fn counter_mode_agrees_with_openssl_from_counter_zero() {
    for length in [1, 15, 16, 17, 183, 184] {
        let clear = octets(9, length);
        let Some(expected) = openssl("-aes-128-ctr", ZERO_IV, &clear) else { return };
        assert_eq!(scrambled(ScramblingMode::AesCtr, &clear), expected);
    }
}

// The lengths are those of payloads behind adaptation fields of 0, 17, 24 and 169 octets.
#[test]
fn cissa_leaves_the_residue_in_clear() {
    for (length, hidden) in [(184, 176), (167, 160), (160, 160), (15, 0)] {
        let clear = octets(3, length);
        let payload = scrambled(ScramblingMode::Cissa, &clear);
        assert_eq!(payload[hidden..], clear[hidden..]);
        for (block, before) in payload[..hidden].chunks(16).zip(clear.chunks(16)) {
            assert_ne!(block, before);
        }
    }
}

#[test]
fn idsa_hides_the_residue_behind_the_last_cipher_block() {
    for length in [1, 15, 17, 31, 184] {
        let clear = octets(4, length);
        let payload = scrambled(ScramblingMode::Idsa, &clear);
        let whole = length / 16 * 16;
        let before = if whole == 0 { vec![0; 16] } else { payload[whole - 16..whole].to_vec() };
        // One block of CBC with a zero IV is that block through AES.
        let mask = scrambled(ScramblingMode::AesCbc, &before);
        let expected: Vec<u8> =
            clear[whole..].iter().zip(&mask).map(|(clear, mask)| clear ^ mask).collect();
        assert_eq!(payload[whole..], expected);
    }
}

#[test]
fn a_control_word_of_the_wrong_length_is_refused() {
    for mode in [ScramblingMode::Cissa, ScramblingMode::Csa2, ScramblingMode::AesCtr] {
        for length in [0, 7, 9, 15, 17, 32] {
            let error = Cipher::new(mode, &vec![0; length]).err().unwrap();
            assert_eq!((error.mode, error.found), (mode, length));
        }
    }
}
