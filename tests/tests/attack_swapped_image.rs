//! A client image that is exchanged after its check is not what runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use portcullis_tests::{World, h264_aac, has_ffmpeg};
use serde_json::Value;

/// Turns until the box was caught between check and use.
const TURNS: usize = 20;

fn signal(name: &str, process: u64) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

/// Plays; when the image in the slot has been verified, the box stands still and the slot gets
/// other octets. True when it had not begun to run by then.
fn swapped_in_between(world: &World, service: u16, input: &Path, output: &Path) -> bool {
    let mut call = world.terminal_command("b1", service, input, output);
    let mut terminal = call.arg("--events").stderr(Stdio::piped()).spawn().unwrap();
    let (sender, lines) = channel();
    let stderr = BufReader::new(terminal.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let (mut process, mut caught) = (None, false);
    while let Ok(line) = lines.recv() {
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        if event["event"] == "terminal" {
            process = event["pid"].as_u64();
        }
        if event["event"] != "client" || event["state"] != "verified" {
            continue;
        }
        let process = process.expect("the box says its process");
        signal("-STOP", process);
        std::thread::sleep(Duration::from_millis(100));
        let mut before = lines.try_iter();
        caught = before.all(|line| !line.contains("\"state\":\"Initialize\""));
        let images = world.files("boxes/b1/flash/slots");
        let images = images.iter().filter(|path| std::fs::metadata(path).unwrap().len() > 4096);
        assert_ne!(images.map(|path| std::fs::write(path, b"another image").unwrap()).count(), 0);
        signal("-CONT", process);
        break;
    }
    let said: Vec<String> = lines.iter().collect();
    assert!(terminal.wait().unwrap().success(), "{said:#?}");
    caught
}

// spec-test: D-X5
// attack-test: T-26
#[test]
fn what_was_verified_is_what_runs_whatever_the_flash_says_afterwards() {
    if !has_ffmpeg("what_was_verified_is_what_runs_whatever_the_flash_says_afterwards") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("b1"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let mut caught = false;
    for _ in 0..TURNS {
        // Installs the client, again after the turn before spoilt it.
        let _ = world.terminal("b1", stream.service, &scrambled, &played).ok();
        World::assert_same_picture(&stream, &played);
        caught |= swapped_in_between(&world, stream.service, &scrambled, &played);
        World::assert_same_picture(&stream, &played);
        if caught {
            return;
        }
    }
    panic!("the box was too quick {TURNS} times");
}
