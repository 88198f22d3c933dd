//! A box is asked to end while its client never comes back from an event.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portcullis_tests::{World, h264_aac, has_ffmpeg};
use serde_json::Value;

/// One second, and what a busy machine adds to it.
const WITHIN: Duration = Duration::from_secs(2);

// spec-test: X-S12
#[test]
fn a_signal_to_the_launcher_ends_the_box_in_order_and_keeps_what_was_played() {
    if !has_ffmpeg("a_signal_to_the_launcher_ends_the_box_in_order_and_keeps_what_was_played") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let octets = std::fs::read(&scrambled).unwrap();
    for signal in ["-TERM", "-INT"] {
        let mut call = world.terminal_command("attic", stream.service, "-".as_ref(), &played);
        let call = call.arg("--events").stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut launcher = call.spawn().unwrap();
        let mut input = launcher.stdin.take().unwrap();
        let half = octets.len() / 188 / 2 * 188;
        input.write_all(&octets[..half]).unwrap();
        let mut said = Vec::new();
        for line in BufReader::new(launcher.stderr.take().unwrap()).lines() {
            let line = line.unwrap();
            if line.contains("\"descrambler\"")
                && said.iter().all(|l: &String| !l.contains("\"descrambler\""))
            {
                let id = launcher.id().to_string();
                assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
            }
            said.push(line);
        }
        let status = launcher.wait().unwrap();
        let all = said.join("\n");
        assert_eq!(status.code(), Some(0), "{signal}: {all}");
        assert!(all.contains("\"state\":\"End\""), "{signal}: its client was asked to end: {all}");
        assert!(!all.contains("chip_gone"), "{signal}: {all}");
        assert!(std::fs::metadata(&played).unwrap().len() > 188 * 100, "{signal}: {all}");
        std::fs::remove_file(&played).unwrap();
    }
}

// spec-test: X-S12 X-24
// attack-test: T-31
#[test]
fn a_client_that_spins_does_not_keep_its_box_from_ending() {
    if !has_ffmpeg("a_client_that_spins_does_not_keep_its_box_from_ending") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    // As much as any terminal gives: the budget alone would let it run on.
    let policy = include_str!("../../clients/reference-cas/policy.xml");
    let policy = policy.replace("fuelPerEvent=\"50000000\"", "fuelPerEvent=\"500000000\"");
    assert!(policy.contains("500000000"));
    world.publish_client_under(&policy, portcullis_assets::hostile("spin").unwrap(), 2);
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();

    // A live input: it does not end by itself.
    let mut call = world.terminal_command("attic", stream.service, "-".as_ref(), &played);
    let call = call.arg("--events").stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut terminal = call.spawn().unwrap();
    let mut input = terminal.stdin.take().unwrap();
    let octets = std::fs::read(&scrambled).unwrap();
    let writer = std::thread::spawn(move || {
        // The box may end before it has read everything.
        let _ = input.write_all(&octets);
        input
    });
    let (mut pid, mut asked, mut said) = (None, None, Vec::new());
    for line in BufReader::new(terminal.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        if event["event"] == "terminal" {
            pid = event["pid"].as_u64();
        }
        // Initialize is over; the next event, SelectContent, never comes back.
        if event["event"] == "svm" && event["state"] == "Idle" && asked.is_none() {
            let pid = pid.expect("the box says its process").to_string();
            assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
            asked = Some(Instant::now());
        }
        said.push(line);
    }
    let status = terminal.wait().unwrap();
    let took = asked.expect("the client started").elapsed();
    assert!(took < WITHIN, "{took:?}: {said:#?}");
    drop(writer.join());
    let all = said.join("\n");
    assert!(all.contains("ended by the host during SelectContent"), "{all}");
    assert!(!all.contains("did not end in time") && !all.contains("panicked"), "{all}");
    assert_eq!(status.code(), Some(0), "it ended as it was asked: {all}");

    // It was the request that ended the client: the slot is as good as it was, and the box plays
    // with the client that comes next.
    world.publish_client(portcullis_assets::client("vendor-a").unwrap(), 3);
    let _ = world.terminal("attic", stream.service, &scrambled, &played).ok();
    World::assert_same_picture(&stream, &played);
}
