//! Inputs and peers that are not what they should be: one line, exit code 1, no output.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use portcullis_tests::{Stream, World, free_port, h264_aac, has_ffmpeg, run_within};

/// Runs the headend on a broken matter: it must say one line and leave no output behind.
fn assert_refused(world: &World, stream: &Stream) -> String {
    let output = world.file("out.ts");
    let why = world.headend(stream, "cissa", &output).refused();
    assert!(!output.exists(), "an output was left behind: {why}");
    why
}

fn stream_of(path: &Path, bytes: &[u8]) -> Stream {
    std::fs::write(path, bytes).unwrap();
    Stream { path: path.to_path_buf(), service: 7 }
}

#[test]
fn a_service_that_is_not_there() {
    if !has_ffmpeg("a_service_that_is_not_there") {
        return;
    }
    let world = World::new();
    let stream = Stream { service: 4242, ..h264_aac() };
    let why = assert_refused(&world, &stream);
    assert!(why.contains("4242"), "{why}");
}

#[test]
fn an_input_that_is_not_there() {
    let world = World::new();
    let why = assert_refused(&world, &Stream { path: world.file("nothing.ts"), service: 7 });
    assert!(why.contains("nothing.ts"), "{why}");
}

// attack-test: F-15
#[test]
fn garbage_instead_of_a_stream() {
    let world = World::new();
    let mut noise = Vec::new();
    let mut state = 0x2545_F491_u32;
    for _ in 0..200_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push((state >> 24) as u8);
    }
    assert_refused(&world, &stream_of(&world.file("noise.ts"), &noise));
    assert_refused(&world, &stream_of(&world.file("empty.ts"), &[]));
    assert_refused(&world, &stream_of(&world.file("text.ts"), b"this is not television\n"));
}

// attack-test: F-15
#[test]
fn a_stream_that_ends_within_a_packet() {
    if !has_ffmpeg("a_stream_that_ends_within_a_packet") {
        return;
    }
    let world = World::new();
    let whole = std::fs::read(h264_aac().path).unwrap();
    let cut = &whole[..whole.len() / 2 / 188 * 188 + 100];
    assert_refused(&world, &stream_of(&world.file("cut.ts"), cut));
}

// attack-test: F-08
#[test]
fn an_ecmg_that_does_not_answer() {
    if !has_ffmpeg("an_ecmg_that_does_not_answer") {
        return;
    }
    let (world, stream, output) = (World::new(), h264_aac(), World::new().file("out.ts"));
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = world.headend_command(&stream, "cissa", &output);
    command.args(["--ecmg", &format!("{address},super_cas_id=0x7A100001,ac=00")]);
    let why = run_within(&mut command, Duration::from_secs(30)).refused();
    assert!(why.contains(&address), "{why}");
    assert!(!output.exists());
}

#[test]
fn a_box_that_does_not_exist() {
    if !has_ffmpeg("a_box_that_does_not_exist") {
        return;
    }
    let (world, output) = (World::new(), World::new().file("out.ts"));
    let why = world.terminal("nobody", 7, &h264_aac().path, &output).refused();
    assert!(why.contains("nobody"), "{why}");
    assert!(!output.exists());
}

#[test]
fn wrong_usage_is_exit_code_two() {
    let world = World::new();
    for args in [&["headend"][..], &["terminal", "--box"], &["no-such-command"]] {
        let finished = world.run(args);
        assert_eq!(finished.code, Some(2), "{finished:?}");
    }
}
