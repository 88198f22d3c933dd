//! Clients come and go: an update runs, one that misbehaves gives way to the one before, and an
//! older one never comes back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_tests::{World, h264_aac, has_ffmpeg};

// spec-test: D-07 D-X11 E-F15 X-09 X-13 X-16 X-55
// attack-test: T-16 F-19
#[test]
fn an_update_runs_a_bad_one_falls_back_and_an_old_one_is_refused() {
    if !has_ffmpeg("an_update_runs_a_bad_one_falls_back_and_an_old_one_is_refused") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let ran = |expected: u32| {
        let mut call = world.terminal_command("attic", stream.service, &scrambled, &played);
        let finished = portcullis_tests::run(call.arg("--json")).ok();
        World::assert_same_picture(&stream, &played);
        assert_eq!(finished.json()["client"]["version"], expected, "{finished:?}");
    };
    ran(1);
    world.publish_client(portcullis_assets::client("vendor-a").unwrap(), 2);
    ran(2);
    // Refused by the scan, stopped by its budget, stopped by the policy monitor.
    for (name, version) in [("forbidden-call", 3), ("spin", 4), ("register-again", 5)] {
        world.publish_client(portcullis_assets::hostile(name).unwrap(), version);
        ran(2);
    }
    // The centre goes back to version 1 and the flash forgets what it had: the chip does not.
    for path in world.files("operator/centre") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("vendor-a") && name != "vendor-a-1.odci" {
            std::fs::remove_file(path).unwrap();
        }
    }
    ran(2);
    for path in world.files("boxes/attic/flash/slots") {
        std::fs::remove_file(path).unwrap();
    }
    let why = world.terminal("attic", stream.service, &scrambled, &played).refused();
    assert!(why.contains("rollback"), "{why}");
}

// spec-test: X-02 X-27 C-11
#[test]
fn an_encrypted_client_runs_and_lies_nowhere_in_clear() {
    if !has_ffmpeg("an_encrypted_client_runs_and_lies_nowhere_in_clear") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let play = || {
        let mut call = world.terminal_command("attic", stream.service, &scrambled, &played);
        portcullis_tests::run(call.arg("--json"))
    };
    // The magic of a package in clear, and nothing else, says where one lies.
    let clear_in = |folder: &str| {
        let clear = |path: &std::path::PathBuf| {
            let octets = std::fs::read(path).unwrap();
            octets.windows(8).any(|window| window == b"SCP_VM_K")
        };
        world.files(folder).iter().filter(|path| clear(path)).count()
    };
    assert_eq!(play().ok().json()["client"]["version"], 1);
    assert_ne!(clear_in("boxes/attic/flash/slots"), 0, "the first client is in clear");
    for version in [2, 3] {
        // Both slots are written anew.
        let client = portcullis_assets::client("vendor-a").unwrap();
        world.publish_client_encrypted(client, version);
        assert_eq!(play().ok().json()["client"]["version"], version);
        World::assert_same_picture(&stream, &played);
    }
    // The boot images hold the program that knows the magic, so they do not count.
    for folder in ["slots", "store"] {
        assert_eq!(clear_in(&format!("boxes/attic/flash/{folder}")), 0, "in clear: {folder}");
    }

    // A box whose keys were damaged asks again; one that is given none has no client.
    let keys = world.data().join("boxes/attic/flash/image-keys");
    std::fs::write(&keys, b"damaged").unwrap();
    assert_eq!(play().ok().json()["client"]["version"], 3);
    for path in world.files("operator") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("image-") {
            std::fs::remove_file(path).unwrap();
        }
    }
    std::fs::remove_file(&keys).unwrap();
    let why = play().refused();
    assert!(why.contains("no image key"), "{why}");
}
