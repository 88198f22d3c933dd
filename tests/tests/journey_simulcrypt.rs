//! The roles apart, each a process, over SimulCrypt: ECMG and EMMG of ours with a headend that
//! knows neither.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use portcullis_tests::{Service, World, free_port, h264_aac, has_ffmpeg, run_within};

const READY: Duration = Duration::from_secs(20);

// spec-test: D-H1 D-H2 S-11 S-20 S-22
#[test]
fn a_headend_with_outside_ecmg_and_emmg_serves_the_box() {
    if !has_ffmpeg("a_headend_with_outside_ecmg_and_emmg_serves_the_box") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let mut ecmg = Service::start(&mut world.command(&["ecmg", "--listen", "127.0.0.1:0"]));
    let ready = ecmg.line_with("ready ", READY);
    let mut words = ready.split_whitespace().skip(1);
    let address = words.next().expect("ready ADDR:PORT ...").to_owned();
    let super_cas_id = words.next().expect("super_cas_id=0x........").to_owned();
    let criteria = world.run(&["criteria", "--product", "one"]).ok().stdout;

    let mux = format!("127.0.0.1:{}", free_port());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _emmg = Service::start(&mut world.command(&["emmg", "--mux", &mux]));
    let mut headend = world.headend_command(&stream, "cissa", &scrambled);
    headend.args(["--ecmg", &format!("{address},{super_cas_id},ac={}", criteria.trim())]);
    headend.args(["--emm-listen", &mux]);
    let _ = run_within(&mut headend, Duration::from_secs(60)).ok();
    World::assert_scrambled(&stream, &scrambled);
    let _ = world.terminal("attic", stream.service, &scrambled, &played).ok();
    World::assert_same_picture(&stream, &played);
}

// spec-test: S-20
#[test]
fn criteria_the_ecmg_does_not_know_are_told_in_one_line() {
    if !has_ffmpeg("criteria_the_ecmg_does_not_know_are_told_in_one_line") {
        return;
    }
    let (world, stream) = (World::new(), h264_aac());
    let mut ecmg = Service::start(&mut world.command(&["ecmg", "--listen", "127.0.0.1:0"]));
    let ready = ecmg.line_with("ready ", READY);
    let mut words = ready.split_whitespace().skip(1);
    let address = words.next().expect("ready ADDR:PORT ...").to_owned();
    let super_cas_id = words.next().expect("super_cas_id=0x........").to_owned();
    let output = world.file("out.ts");
    let mut headend = world.headend_command(&stream, "cissa", &output);
    headend.args(["--ecmg", &format!("{address},{super_cas_id},ac=deadbeef")]);
    let why = run_within(&mut headend, Duration::from_secs(30)).refused();
    assert!(!why.is_empty() && !output.exists(), "{why}");
    assert!(ecmg.is_running(), "bad criteria are no reason to die");
}
