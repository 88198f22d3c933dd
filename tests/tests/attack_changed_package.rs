//! A client package is changed on its way: it is refused and nothing of it is installed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_tests::{World, h264_aac, has_ffmpeg};

// spec-test: D-X5 X-25
// attack-test: T-15
#[test]
fn a_package_with_a_changed_octet_is_refused_and_leaves_nothing() {
    if !has_ffmpeg("a_package_with_a_changed_octet_is_refused_and_leaves_nothing") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let packages: Vec<_> = world
        .files("")
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "odci"))
        .collect();
    assert!(!packages.is_empty(), "init publishes the clients of both vendors");
    for path in &packages {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    let before = world.files("boxes/attic/flash/slots");
    let why = world.terminal("attic", stream.service, &scrambled, &played).refused();
    assert!(!played.exists(), "an output appeared: {why}");
    let after = world.files("boxes/attic/flash/slots");
    let grown: Vec<_> = after
        .iter()
        .filter(|path| !before.contains(path) && path.metadata().is_ok_and(|m| m.len() > 4096))
        .collect();
    assert!(grown.is_empty(), "something was installed: {grown:?}");
}
