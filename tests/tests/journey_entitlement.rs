//! What is sold is seen, what is not sold or sold no more stays scrambled, and the box says why.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_tests::{Packets, Stream, World, h264_aac, has_ffmpeg};

/// The box refuses the stream: exit code 1, a reason, and not one packet of it in clear.
fn assert_refused(
    world: &World,
    name: &str,
    stream: &Stream,
    scrambled: &std::path::Path,
) -> String {
    let played = world.file("refused.ts");
    let why = world.terminal(name, stream.service, scrambled, &played).refused();
    let streams = Packets::read(&stream.path).programme(stream.service).streams;
    let after = Packets::read(&played);
    let (count, all) = after.scrambled(&streams);
    assert_eq!(count, all, "a box without a right let packets through in clear");
    for pid in streams {
        assert_eq!(after.payload(pid), Packets::read(scrambled).payload(pid), "PID {pid}");
    }
    why
}

// spec-test: D-06
#[test]
fn a_box_without_a_right_passes_the_stream_on_scrambled() {
    if !has_ffmpeg("a_box_without_a_right_passes_the_stream_on_scrambled") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let _ = world.run(&["box", "add", "guest"]).ok();
    let scrambled = world.file("scrambled.ts");
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let why = assert_refused(&world, "guest", &stream, &scrambled);
    assert!(why.to_lowercase().contains("entitle"), "{why}");
}

// spec-test: D-06
#[test]
fn a_product_that_does_not_hold_the_service_does_not_open_it() {
    if !has_ffmpeg("a_product_that_does_not_hold_the_service_does_not_open_it") {
        return;
    }
    let (world, stream) = (World::new(), h264_aac());
    let _ = world.run(&["box", "add", "attic"]).ok();
    let _ = world.run(&["entitle", "--box", "attic", "--product", "two"]).ok();
    let scrambled = world.file("scrambled.ts");
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    assert_refused(&world, "attic", &stream, &scrambled);
}

// spec-test: D-06
#[test]
fn a_package_opens_what_its_products_open() {
    if !has_ffmpeg("a_package_opens_what_its_products_open") {
        return;
    }
    let (world, stream) = (World::new(), h264_aac());
    let _ = world.run(&["box", "add", "attic"]).ok();
    let _ = world.run(&["entitle", "--box", "attic", "--product", "all"]).ok();
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let _ = world.terminal("attic", stream.service, &scrambled, &played).ok();
    World::assert_same_picture(&stream, &played);
}

// spec-test: D-06
#[test]
fn a_cancelled_right_closes_the_picture() {
    if !has_ffmpeg("a_cancelled_right_closes_the_picture") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let _ = world.terminal("attic", stream.service, &scrambled, &played).ok();

    let _ = world.run(&["unentitle", "--box", "attic", "--product", "one"]).ok();
    let later = world.file("later.ts");
    let _ = world.headend(&stream, "cissa", &later).ok();
    assert_refused(&world, "attic", &stream, &later);
}

// spec-test: D-06
#[test]
fn a_right_that_has_ended_or_not_begun_opens_nothing() {
    if !has_ffmpeg("a_right_that_has_ended_or_not_begun_opens_nothing") {
        return;
    }
    let (world, stream) = (World::new(), h264_aac());
    for (name, from, until) in [
        ("early", "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"),
        ("late", "2090-01-01T00:00:00Z", "2090-02-01T00:00:00Z"),
    ] {
        let _ = world.run(&["box", "add", name]).ok();
        let sold = ["entitle", "--box", name, "--product", "one", "--from", from, "--until", until];
        let _ = world.run(&sold).ok();
    }
    let scrambled = world.file("scrambled.ts");
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    for name in ["early", "late"] {
        assert_refused(&world, name, &stream, &scrambled);
    }
}

#[test]
fn init_makes_everything_and_touches_nothing_that_is_there() {
    let world = World::new();
    let before = world.files("");
    let why = world.run(&["init"]).refused();
    assert!(why.contains("data"), "{why}");
    assert_eq!(before, world.files(""));
}

#[test]
fn init_tells_what_it_made() {
    let folder = World::new();
    let other = folder.file("other");
    let mut command = std::process::Command::new(portcullis_tests::program("portcullis"));
    let made = portcullis_tests::run(command.args(["init", "--json", "--data"]).arg(other)).ok();
    let json = made.json();
    let count = |key: &str| json[key].as_array().map_or(0, Vec::len);
    assert!(count("services") >= 2 && count("products") >= 2, "{json}");
    assert_eq!(count("ca_systems"), 2, "{json}");
}
