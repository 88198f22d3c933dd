//! A client that brings its own scrambling algorithm gives the same picture as the chip does; and
//! what its policy forbids to do with the content is not done.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use portcullis_tests::{Packets, Stream, World, h264_aac, has_ffmpeg, skip};

/// A user-defined value of the scrambling_descriptor.
const OWN_MODE: u8 = 0xF2;

// spec-test: X-03 X-30 X-47 X-60 X-62 X-S10
#[test]
fn a_client_with_its_own_algorithm_descrambles_what_the_chip_cannot() {
    let name = "a_client_with_its_own_algorithm_descrambles_what_the_chip_cannot";
    let Some(program) = portcullis_assets::hostile("own-cipher") else {
        skip(name, "no RISC-V compiler for the guests");
        return;
    };
    if !has_ffmpeg(name) {
        return;
    }
    let (world, stream) = (World::with_entitled_box("b1"), h264_aac());
    let (cissa, own, played) = (world.file("cissa.ts"), world.file("own.ts"), world.file("out.ts"));
    let _ = world.headend(&stream, "cissa", &cissa).ok();
    std::fs::write(&own, rescrambled(&stream, &cissa)).unwrap();
    World::assert_scrambled(&stream, &own);

    // The reference client asks the chip, and the chip does not know the mode.
    let _ = world.terminal("b1", stream.service, &cissa, &played).ok();
    World::assert_same_picture(&stream, &played);
    let why = world.terminal("b1", stream.service, &own, &played).refused();
    assert!(why.contains("scrambling_mode 0xf2"), "{why}");

    let policy = include_str!("../../clients/hostile/own-cipher.xml");
    world.publish_client_under(policy, program, 2);
    let _ = world.terminal("b1", stream.service, &own, &played).ok();
    World::assert_same_picture(&stream, &played);

    // Sent on it is not, and nothing is descrambled for it.
    let nowhere = Path::new("udp://127.0.0.1:9");
    let mut call = world.terminal_command("b1", stream.service, &own, nowhere);
    let why = portcullis_tests::run(call.arg("--json")).refused();
    assert!(why.contains("forbids to retransmit"), "{why}");

    // Another policy, and it is not kept either.
    let policy = policy.replace("retransmit=\"false\"", "store=\"false\"");
    world.publish_client_under(&policy, program, 3);
    let why = world.terminal("b1", stream.service, &own, &played).refused();
    assert!(why.contains("forbids to store"), "{why}");
    let mut call = world.terminal_command("b1", stream.service, &own, nowhere);
    let shown = portcullis_tests::run(call.arg("--json")).ok().json();
    assert_eq!(shown["left_scrambled"], 0, "{shown}");
    assert!(shown["descrambled"].as_u64().unwrap() > 1000, "{shown}");
}

/// The scrambled stream with its payloads under the client's algorithm, as its PMT then says.
fn rescrambled(clear: &Stream, scrambled: &Path) -> Vec<u8> {
    let before = Packets::read(&clear.path);
    let streams = before.programme(clear.service).streams;
    let with_payload = |packet: &&[u8]| packet[3] & 0x10 != 0;
    let mut sources: BTreeMap<u16, _> = streams
        .iter()
        .map(|pid| (*pid, before.of(*pid).filter(with_payload).map(<[u8]>::to_vec)))
        .collect();
    let mut out = std::fs::read(scrambled).unwrap();
    let mut tables = 0;
    for packet in out.chunks_exact_mut(188) {
        let pid = u16::from_be_bytes([packet[1], packet[2]]) & 0x1FFF;
        if let Some(source) = sources.get_mut(&pid) {
            if packet[3] & 0x10 == 0 {
                continue;
            }
            let clear = source.next().expect("as many packets as before");
            if packet[3] & 0x80 == 0 {
                continue;
            }
            let start = if packet[3] & 0x20 == 0 { 4 } else { 5 + usize::from(packet[4]) };
            packet[start..].copy_from_slice(&clear[start..]);
            let parity = u32::from(packet[3] >> 6 & 1);
            keystream(pid, parity, &mut packet[start..]);
        } else if let Some(at) = packet.windows(3).position(|three| three == [0x65, 1, 0x10])
            && packet[1] & 0x40 != 0
            && packet[5] == 0x02
        {
            packet[at + 2] = OWN_MODE;
            let end = 8 + usize::from(u16::from_be_bytes([packet[6], packet[7]]) & 0xFFF);
            let crc = crc32(&packet[5..end - 4]);
            packet[end - 4..end].copy_from_slice(&crc.to_be_bytes());
            tables += 1;
        }
    }
    assert!(tables > 0, "no PMT with a scrambling_descriptor");
    out
}

/// The toy's keystream, as its headend would have it.
fn keystream(pid: u16, parity: u32, payload: &mut [u8]) {
    let mut state = 0x9E37_79B9 ^ u32::from(pid) << 8 ^ parity;
    for octet in payload {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *octet ^= state as u8;
    }
}

/// CRC-32/MPEG-2.
fn crc32(octets: &[u8]) -> u32 {
    octets.iter().fold(!0, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
        })
    })
}
