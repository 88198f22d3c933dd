//! Packets from anywhere under any key: every path must do what the packet-by-packet one does,
//! and descrambling must undo scrambling.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_scramble::{Cipher, scramble_batch};
use portcullis_ts::RawPacket;
use portcullis_types::{Parity, ScramblingMode};

const MODES: [ScramblingMode; 6] = [
    ScramblingMode::Csa2,
    ScramblingMode::Csa2Full,
    ScramblingMode::Cissa,
    ScramblingMode::Idsa,
    ScramblingMode::AesCbc,
    ScramblingMode::AesCtr,
];

fuzz_target!(|input: (u8, [u8; 16], u8, Vec<u8>)| {
    let (mode, key, packets, octets) = input;
    let mode = MODES[usize::from(mode) % MODES.len()];
    let Ok(cipher) = Cipher::new(mode, &key[..mode.control_word_len()]) else { return };
    let parity = if packets & 1 == 0 { Parity::Even } else { Parity::Odd };
    let mut batch: Vec<RawPacket> = octets
        .chunks(188)
        .map(|chunk| {
            let mut packet = [0xFF; 188];
            packet[..chunk.len()].copy_from_slice(chunk);
            packet[0] = 0x47;
            packet
        })
        .collect();
    let clear = batch.clone();
    let mut single = batch.clone();
    scramble_batch(&mut batch, &cipher, parity);
    for packet in &mut single {
        cipher.scramble_packet(packet, parity);
    }
    assert_eq!(batch, single);
    for (packet, clear) in batch.iter_mut().zip(&clear) {
        if packet != clear {
            assert!(cipher.descramble_packet(packet));
            assert_eq!(packet, clear);
        }
    }
});
