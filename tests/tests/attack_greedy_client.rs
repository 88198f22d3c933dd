//! A client that never asks whether it may: it loads every key it is sent and every control word.
//! What holds it back is the chip alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_tests::{Packets, World, h264_aac, has_ffmpeg};

// spec-test: D-K4 D-06
// attack-test: T-06 T-11
#[test]
fn a_clear_member_bit_gives_no_picture_whatever_the_client_asks() {
    if !has_ffmpeg("a_clear_member_bit_gives_no_picture_whatever_the_client_asks") {
        return;
    }
    // Another member of the same group is entitled, so EK1 for this product is on its way to all.
    let (world, stream) = (World::with_entitled_box("honest"), h264_aac());
    world.publish_client(portcullis_assets::hostile("greedy").unwrap(), 2);
    let _ = world.run(&["box", "add", "greedy"]).ok();
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));

    let shut_out = || {
        let _ = world.headend(&stream, "cissa", &scrambled).ok();
        let why = world.terminal("greedy", stream.service, &scrambled, &played).refused();
        assert!(why.contains("stays scrambled"), "{why}");
        let streams = Packets::read(&stream.path).programme(stream.service).streams;
        let (count, all) = Packets::read(&played).scrambled(&streams);
        assert_eq!(count, all, "a clear member bit gave packets away");
    };
    shut_out();

    // The same client plays once the bit is set: it was the bit that held it back.
    let _ = world.run(&["entitle", "--box", "greedy", "--product", "one"]).ok();
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let mut call = world.terminal_command("greedy", stream.service, &scrambled, &played);
    let finished = portcullis_tests::run(call.arg("--json")).ok();
    World::assert_same_picture(&stream, &played);
    assert_eq!(finished.json()["client"]["version"], 2, "{finished:?}");

    let _ = world.run(&["unentitle", "--box", "greedy", "--product", "one"]).ok();
    shut_out();
}
