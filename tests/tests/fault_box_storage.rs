//! The storage of a box is lost, damaged or put back: it begins anew from EMMs, and an older right
//! does not come back with it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use portcullis_tests::{Packets, World, h264_aac, has_ffmpeg, run};

fn storage(world: &World) -> PathBuf {
    let found = world.files("boxes/attic/flash/store");
    let storage = found.into_iter().find(|path| path.extension().is_some_and(|e| e == "nv"));
    storage.expect("a box that played has stored its right")
}

// spec-test: D-X7 D-X12
// attack-test: T-38 F-07
#[test]
fn a_lost_or_damaged_storage_begins_anew_from_emms() {
    if !has_ffmpeg("a_lost_or_damaged_storage_begins_anew_from_emms") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let _ = world.terminal("attic", stream.service, &scrambled, &played).ok();
    let path = storage(&world);
    let sound = std::fs::read(&path).unwrap();
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 1;
    let cut = sound[..sound.len() / 2].to_vec();
    for damage in [None, Some(Vec::new()), Some(flipped), Some(cut), Some(vec![7; 1 << 20])] {
        match &damage {
            None => std::fs::remove_file(&path).unwrap(),
            Some(octets) => std::fs::write(&path, octets).unwrap(),
        }
        let mut call = world.terminal_command("attic", stream.service, &scrambled, &played);
        let finished = run(call.arg("--events")).ok();
        assert!(finished.stderr.contains("begun_anew"), "{}", finished.stderr);
        World::assert_same_picture(&stream, &played);
        // It was told once and is over.
        let mut call = world.terminal_command("attic", stream.service, &scrambled, &played);
        let finished = run(call.arg("--events")).ok();
        assert!(!finished.stderr.contains("begun_anew"), "{}", finished.stderr);
    }
}

// spec-test: D-X7
// attack-test: T-10 T-38
#[test]
fn an_old_storage_and_an_old_recording_do_not_bring_a_cancelled_right_back() {
    if !has_ffmpeg("an_old_storage_and_an_old_recording_do_not_bring_a_cancelled_right_back") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (before, after) = (world.file("before.ts"), world.file("after.ts"));
    let played = world.file("played.ts");
    let _ = world.headend(&stream, "cissa", &before).ok();
    let _ = world.terminal("attic", stream.service, &before, &played).ok();
    let path = storage(&world);
    let entitled = std::fs::read(&path).unwrap();

    let _ = world.run(&["unentitle", "--box", "attic", "--product", "one"]).ok();
    let _ = world.headend(&stream, "cissa", &after).ok();
    let _ = world.terminal("attic", stream.service, &after, &played).refused();

    // The recording of the time before has the EMMs of the right in it; so had the storage.
    for put_back in [Some(&entitled), None] {
        for recording in [&before, &after] {
            match put_back {
                Some(octets) => std::fs::write(&path, octets).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let why = world.terminal("attic", stream.service, recording, &played);
            assert_eq!(why.code, Some(1), "{why:?}");
            assert!(!why.stderr.contains("panicked"), "{why:?}");
            let streams = Packets::read(&stream.path).programme(stream.service).streams;
            let (count, all) = Packets::read(&played).scrambled(&streams);
            assert_eq!(count, all, "a cancelled right came back: {}", why.stderr);
        }
    }
}
