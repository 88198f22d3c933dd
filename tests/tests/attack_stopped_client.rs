//! A client that breaks its policy is stopped, and the operator can see later what it did.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_tests::{World, h264_aac, has_ffmpeg, skip};

// spec-test: X-01 X-12 X-26 X-Y03
// attack-test: T-30
#[test]
fn a_stopped_client_is_on_record_after_a_restart_of_the_box() {
    let name = "a_stopped_client_is_on_record_after_a_restart_of_the_box";
    let Some(storm) = portcullis_assets::hostile("call-storm") else {
        skip(name, "no RISC-V compiler for the guests");
        return;
    };
    if !has_ffmpeg(name) {
        return;
    }
    let (world, stream) = (World::with_entitled_box("b1"), h264_aac());
    let records = || {
        let mut found = world.run(&["box", "violations", "b1", "--json"]).ok().json();
        found["violations"].take().as_array().unwrap().clone()
    };
    assert!(records().is_empty());
    let says = world.run(&["box", "violations", "b1"]).ok();
    assert!(says.stdout.contains("no client was stopped"), "{says:?}");

    world.publish_client(storm, 2);
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    // The client before it takes over, so that the viewer sees nothing of it: the operator does.
    let _ = world.terminal("b1", stream.service, &scrambled, &played).ok();
    World::assert_same_picture(&stream, &played);

    let kept = records();
    let record = kept.last().expect("a record");
    assert_eq!(record["kind"], "violation", "{record}");
    assert_eq!((&record["code"], &record["call"]), (&(-100).into(), &0x046.into()), "{record}");
    // It did not even get as far as the first EMM.
    assert_eq!(record["event"], "SelectContent", "{record}");
    assert_eq!(record["super_scp_id"], 0xA001, "{record}");
    let says = world.run(&["box", "violations", "b1"]).ok();
    assert!(says.stdout.contains("call 0x046"), "{says:?}");

    // The operator of a box that is elsewhere has what it told the centre, each record once.
    let told = || {
        let mut told = world.run(&["box", "violations", "b1", "--told", "--json"]).ok().json();
        told["violations"].take()
    };
    for _ in 0..2 {
        let _ = world.terminal("b1", stream.service, &scrambled, &played).ok();
        let told = told();
        assert_eq!(told.as_array().unwrap().len(), records().len());
        assert_eq!(told, serde_json::Value::from(records()));
    }
}
