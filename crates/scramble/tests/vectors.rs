//! The vectors of `vectors/scramble`, one by one and in batches.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_scramble::{Cipher, descramble_each, scramble_each};
use portcullis_ts::RawPacket;
use portcullis_types::{Parity, ScramblingMode};
use serde_json::Value;

struct Case {
    cipher: Cipher,
    clear: Vec<u8>,
    scrambled: Vec<u8>,
}

fn cases(file: &str) -> Vec<Case> {
    let path = format!("{}/../../vectors/scramble/{file}", env!("CARGO_MANIFEST_DIR"));
    let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(json["origin"].as_str().is_some_and(|origin| !origin.is_empty()));
    let mode: ScramblingMode = json["mode"].as_str().unwrap().parse().unwrap();
    let octets = |value: &Value| -> Vec<u8> {
        let text = value.as_str().unwrap();
        (0..text.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
            .collect()
    };
    let cases = json["cases"].as_array().unwrap().iter().map(|case| Case {
        cipher: Cipher::new(mode, &octets(&case["cw"])).unwrap(),
        clear: octets(&case["clear"]),
        scrambled: octets(&case["scrambled"]),
    });
    cases.collect()
}

/// A packet that ends with this payload, behind stuffing.
fn packet(payload: &[u8]) -> RawPacket {
    let mut raw = [0xFF; 188];
    raw[..4].copy_from_slice(&[0x47, 0x01, 0x00, 0x10]);
    if payload.len() < 184 {
        raw[3..6].copy_from_slice(&[0x30, 183 - payload.len() as u8, 0]);
    }
    raw[188 - payload.len()..].copy_from_slice(payload);
    raw
}

// spec-test: E-R29
#[test]
fn every_vector_holds_alone_and_in_batches_both_ways() {
    for file in ["csa2.json", "cissa.json"] {
        let cases = cases(file);
        assert!(cases.len() >= 10);
        for case in &cases {
            let mut payload = case.clear.clone();
            case.cipher.scramble_payload(&mut payload);
            assert_eq!(payload, case.scrambled, "{file}, {} octets", payload.len());
        }
        // Enough packets that every kernel has full batches.
        let lanes: Vec<_> = cases.iter().cycle().take(1_100).collect();
        let clear: Vec<_> = lanes.iter().map(|case| packet(&case.clear)).collect();
        let mut packets = clear.clone();
        let keyed = packets.iter_mut().zip(&lanes);
        scramble_each(keyed.map(|(packet, case)| (packet, &case.cipher, Parity::Even)));
        for (packet, case) in packets.iter().zip(&lanes) {
            assert!(packet.ends_with(&case.scrambled), "{file}, {} octets", case.clear.len());
        }
        descramble_each(
            packets.iter_mut().zip(&lanes).map(|(packet, case)| (packet, &case.cipher)),
        );
        assert!(packets == clear);
    }
}
