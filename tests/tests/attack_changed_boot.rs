//! One octet of the bootloader or the platform is changed: nothing after it starts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_tests::{World, h264_aac, has_ffmpeg};

/// Flips a bit at a fraction of the file.
fn flip(path: &std::path::Path, part: usize, of: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.len() * part / of;
    bytes[at] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

fn assert_does_not_boot(image: &str) {
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let path = world.data().join("boxes/attic/flash").join(image);
    let sound = std::fs::read(&path).unwrap();
    for part in [1, 50, 99] {
        std::fs::write(&path, &sound).unwrap();
        flip(&path, part, 100);
        let why = world.terminal("attic", stream.service, &scrambled, &played).refused();
        assert!(!played.exists(), "an output appeared: {why}");
    }
    std::fs::write(&path, &sound[..sound.len() - 1]).unwrap();
    let _ = world.terminal("attic", stream.service, &scrambled, &played).refused();
    std::fs::write(&path, &sound).unwrap();
    let _ = world.terminal("attic", stream.service, &scrambled, &played).ok();
}

// spec-test: D-X2 D-X3
// attack-test: T-37
#[test]
fn a_changed_bootloader_does_not_start() {
    if has_ffmpeg("a_changed_bootloader_does_not_start") {
        assert_does_not_boot("bootloader.img");
    }
}

// spec-test: D-X2 D-X4
// attack-test: T-37
#[test]
fn a_changed_platform_does_not_start() {
    if has_ffmpeg("a_changed_platform_does_not_start") {
        assert_does_not_boot("platform.img");
    }
}
