//! A stream goes from file to file: scrambled for a box, played by that box, not an octet lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_tests::{
    Packets, Stream, World, h264_aac, has_ffmpeg, hevc_aac, mpeg2_two_services,
};

/// Scrambles with one program, plays with the other, and compares.
fn there_and_back(stream: &Stream, mode: &str) -> World {
    let world = World::with_entitled_box("attic");
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(stream, mode, &scrambled).ok();
    World::assert_scrambled(stream, &scrambled);
    let _ = world.terminal("attic", stream.service, &scrambled, &played).ok();
    World::assert_same_picture(stream, &played);
    world
}

// spec-test: D-06 D-T4 D-K9 E-R29
#[test]
fn h264_comes_back_from_cissa() {
    if has_ffmpeg("h264_comes_back_from_cissa") {
        let world = there_and_back(&h264_aac(), "cissa");
        let streams = Packets::read(&h264_aac().path).programme(7).streams;
        let parities = Packets::read(&world.file("scrambled.ts")).parities(&streams);
        assert!(parities.contains(&2) && parities.contains(&3), "both keys are used: {parities:?}");
    }
}

// spec-test: E-R29 D-T4 D-K9
#[test]
fn h264_comes_back_from_csa2() {
    if has_ffmpeg("h264_comes_back_from_csa2") {
        there_and_back(&h264_aac(), "csa2");
    }
}

// spec-test: E-R29
#[test]
fn hevc_without_null_packets_comes_back_from_cissa() {
    if has_ffmpeg("hevc_without_null_packets_comes_back_from_cissa") {
        there_and_back(&hevc_aac(), "cissa");
    }
}

// spec-test: E-R29
#[test]
fn hevc_without_null_packets_comes_back_from_csa2() {
    if has_ffmpeg("hevc_without_null_packets_comes_back_from_csa2") {
        there_and_back(&hevc_aac(), "csa2");
    }
}

/// The service beside stays as it was, in clear.
fn the_other_service_is_untouched(mode: &str) {
    let stream = mpeg2_two_services();
    let world = there_and_back(&stream, mode);
    let other = Stream { path: stream.path, service: 11 };
    let before = Packets::read(&other.path);
    for file in ["scrambled.ts", "played.ts"] {
        let after = Packets::read(&world.file(file));
        for pid in before.programme(11).streams {
            assert_eq!(before.payload(pid), after.payload(pid), "{file}: PID {pid}");
        }
    }
}

// spec-test: E-R29 E-F19
#[test]
fn one_of_two_mpeg2_services_comes_back_from_cissa() {
    if has_ffmpeg("one_of_two_mpeg2_services_comes_back_from_cissa") {
        the_other_service_is_untouched("cissa");
    }
}

// spec-test: E-R29 E-F19
#[test]
fn one_of_two_mpeg2_services_comes_back_from_csa2() {
    if has_ffmpeg("one_of_two_mpeg2_services_comes_back_from_csa2") {
        the_other_service_is_untouched("csa2");
    }
}

/// The first packet of the service is playable: what a box needs stands before it.
#[test]
fn tables_and_keys_stand_before_the_first_scrambled_packet() {
    if !has_ffmpeg("tables_and_keys_stand_before_the_first_scrambled_packet") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let scrambled = world.file("scrambled.ts");
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let packets = Packets::read(&scrambled);
    let (emm, ecm) = (packets.cat(), packets.programme(stream.service).ca);
    let first = packets.iter().position(|packet| packet[3] & 0xC0 != 0).unwrap();
    let pid = |packet: &[u8]| u16::from_be_bytes([packet[1], packet[2]]) & 0x1FFF;
    for (what, wanted) in [("EMM", emm), ("ECM", ecm)] {
        let has = wanted.iter().any(|(_, p)| packets.iter().take(first).any(|x| pid(x) == *p));
        assert!(has, "no {what} before packet {first}");
    }
}
