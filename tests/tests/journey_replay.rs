//! A box records its client while it plays; the trace replays at a developer's desk, bit for bit,
//! and a trace that was changed or is of another client does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_tests::{Finished, World, h264_aac, has_ffmpeg, program, run};
use serde_json::Value;

fn replay(package: &Path, trace: &Path, more: &[&str]) -> Finished {
    let mut command = Command::new(program("portcullis"));
    run(command.args(["svm", "replay"]).arg(package).arg(trace).args(more))
}

/// The package of this version of a client, as it was before it was signed.
fn publish(world: &World, program_elf: &[u8], version: u32) -> PathBuf {
    world.publish_client(program_elf, version);
    let package = world.file("unsigned.pkg");
    let mut pack = Command::new(program("portcullis"));
    pack.args(["client", "pack", "--client-id", "1", "--super-scp-id", "0xA001", "--version"]);
    pack.arg(version.to_string()).arg("--policy").arg(world.file("policy.xml"));
    let _ = run(pack.arg("--out").arg(&package).arg(world.file("client.elf"))).ok();
    package
}

// spec-test: X-45 X-51 X-57
#[test]
fn what_a_client_did_in_a_box_is_done_again_at_a_desk() {
    if !has_ffmpeg("what_a_client_did_in_a_box_is_done_again_at_a_desk") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let package = publish(&world, portcullis_assets::client("vendor-a").unwrap(), 2);
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let trace = world.file("client.trace");
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let mut call = world.terminal_command("attic", stream.service, &scrambled, &played);
    let _ = run(call.arg("--record").arg(&trace)).ok();
    World::assert_same_picture(&stream, &played);

    let mut reports = Vec::new();
    for engine in ["match-loop", "threaded"] {
        let report = replay(&package, &trace, &["--engine", engine, "--json"]).ok().json();
        assert_eq!(report["equal"], true, "{report}");
        reports.push(report);
    }
    assert_eq!(reports[0], reports[1], "engines do the same");
    let events = reports[0]["events"].as_array().unwrap();
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((count("Initialize"), count("SelectContent"), count("Terminate")), (1, 1, 1));
    assert!(count("Entitlement") >= 2 && count("ChangeKey") >= 3, "{events:?}");
    assert!(events.iter().all(|event| event["outcome"] == "returned"), "{events:?}");

    // One octet in the middle of what came in.
    let octets = std::fs::read(&trace).unwrap();
    for at in [octets.len() / 3, octets.len() / 2, octets.len() - 1] {
        let (mut changed, file) = (octets.clone(), world.file("changed.trace"));
        changed[at] ^= 1;
        std::fs::write(&file, changed).unwrap();
        let why = replay(&package, &file, &[]).refused();
        assert!(why.contains("changed.trace"), "octet {at}: {why}");
        let report: Value = replay(&package, &file, &["--json"]).json();
        assert_eq!(report["equal"], false, "octet {at}");
    }

    // The same program as another version is another client, and so is another program.
    let _ = publish(&world, portcullis_assets::client("vendor-a").unwrap(), 3);
    let why = replay(&package, &trace, &[]).refused();
    assert!(why.contains("the trace is of another client"), "{why}");
    let _ = publish(&world, portcullis_assets::hostile("spin").unwrap(), 5);
    let why = replay(&package, &trace, &[]).refused();
    assert!(why.contains("the trace is of another client"), "{why}");

    // A file that is there is not written over: the next trace lies beside it.
    let package = publish(&world, portcullis_assets::client("vendor-a").unwrap(), 6);
    let mut call = world.terminal_command("attic", stream.service, &scrambled, &played);
    let _ = run(call.arg("--record").arg(&trace)).ok();
    assert_eq!(std::fs::read(&trace).unwrap(), octets);
    let next = world.file("client.trace.2");
    let _ = replay(&package, &next, &[]).ok();
    // It is for its owner alone.
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&next).unwrap().permissions().mode() & 0o777, 0o600);
}
