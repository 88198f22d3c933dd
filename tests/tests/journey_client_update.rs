//! Clients come and go: an update runs, one that misbehaves gives way to the one before, and an
//! older one never comes back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_tests::{World, h264_aac, has_ffmpeg};

/// Packs a program as a version of vendor A's client, signs and publishes it.
fn publish(world: &World, program: &[u8], version: u32) {
    let (elf, policy) = (world.file("client.elf"), world.file("policy.xml"));
    let package = world.file("client.pkg");
    std::fs::write(&elf, program).unwrap();
    std::fs::write(&policy, include_str!("../../clients/reference-cas/policy.xml")).unwrap();
    let mut pack = std::process::Command::new(portcullis_tests::program("portcullis"));
    pack.args(["client", "pack", "--client-id", "1", "--super-scp-id", "0xA001", "--version"]);
    pack.arg(version.to_string()).arg("--policy").arg(&policy).arg("--out").arg(&package).arg(elf);
    let _ = portcullis_tests::run(&mut pack).ok();
    let mut sign = world.command(&["client", "sign", "--vendor", "vendor-a", "--publish"]);
    let _ = portcullis_tests::run(sign.arg(&package)).ok();
}

// spec-test: D-07 D-X11 E-F15 X-55
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
    publish(&world, portcullis_assets::client("vendor-a").unwrap(), 2);
    ran(2);
    // Refused by the scan, stopped by its budget, stopped by the policy monitor.
    for (name, version) in [("forbidden-call", 3), ("spin", 4), ("register-again", 5)] {
        publish(&world, portcullis_assets::hostile(name).unwrap(), version);
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
