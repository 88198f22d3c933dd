//! Two CA vendors on one service: one scrambled stream, one ECM each, and boxes of both play it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_tests::{Packets, World, h264_aac, has_ffmpeg};

// spec-test: D-02 S-08 X-09 X-14
#[test]
fn boxes_of_both_vendors_play_one_stream_at_one_time() {
    if !has_ffmpeg("boxes_of_both_vendors_play_one_stream_at_one_time") {
        return;
    }
    let (world, stream) = (World::new(), h264_aac());
    world.add_entitled_box("attic", "vendor-a");
    world.add_entitled_box("cellar", "vendor-b");
    let scrambled = world.file("scrambled.ts");
    let _ = world.headend(&stream, "cissa", &scrambled).ok();

    let ca = Packets::read(&scrambled).programme(stream.service).ca;
    let mut systems: Vec<u16> = ca.iter().map(|(system, _)| *system).collect();
    systems.sort_unstable();
    systems.dedup();
    assert_eq!(systems.len(), 2, "one ECM stream for each vendor: {ca:?}");

    std::thread::scope(|scope| {
        for name in ["attic", "cellar"] {
            let (world, stream, scrambled) = (&world, &stream, &scrambled);
            scope.spawn(move || {
                let played = world.file(&format!("{name}.ts"));
                let _ = world.terminal(name, stream.service, scrambled, &played).ok();
                World::assert_same_picture(stream, &played);
            });
        }
    });
}

// spec-test: D-06
#[test]
fn a_right_of_one_vendors_box_is_none_of_the_others() {
    if !has_ffmpeg("a_right_of_one_vendors_box_is_none_of_the_others") {
        return;
    }
    let (world, stream) = (World::new(), h264_aac());
    world.add_entitled_box("attic", "vendor-a");
    let _ = world.run(&["box", "add", "cellar", "--vendor", "vendor-b"]).ok();
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let why = world.terminal("cellar", stream.service, &scrambled, &played).refused();
    assert!(!why.is_empty());
}
