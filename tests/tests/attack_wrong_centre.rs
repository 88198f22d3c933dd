//! A centre that is not the operator's offers clients: the box takes none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use portcullis_tests::{Service, World, h264_aac, has_ffmpeg, run};

// spec-test: X-P01 M-B10
// attack-test: T-15
#[test]
fn a_centre_under_another_authority_is_refused_and_nothing_is_installed() {
    if !has_ffmpeg("a_centre_under_another_authority_is_refused_and_nothing_is_installed") {
        return;
    }
    let (world, stranger) = (World::with_entitled_box("attic"), World::new());
    let stream = h264_aac();
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();

    // A hostile centre turns no device away and offers our own clients, each properly signed: only
    // the look at its certificate holds the box back.
    let anchor = world.data().join("authority/root.pem");
    std::fs::copy(anchor, stranger.data().join("authority/root.pem")).unwrap();
    for path in world.files("operator/centre") {
        let name = path.file_name().unwrap();
        std::fs::copy(&path, stranger.data().join("operator/centre").join(name)).unwrap();
    }
    let mut listen = stranger.command(&["centre", "--listen", "127.0.0.1:0"]);
    let mut centre = Service::start(&mut listen);
    let ready = centre.line_with("ready ", Duration::from_secs(20));
    let address = ready.split_whitespace().nth(1).expect("ready ADDR:PORT").to_owned();
    let mut terminal = world.terminal_command("attic", stream.service, &scrambled, &played);
    let why = run(terminal.args(["--centre", &address])).refused();
    let installed: Vec<_> = world
        .files("boxes/attic/flash/slots")
        .into_iter()
        .filter(|path| path.metadata().is_ok_and(|meta| meta.len() > 4096))
        .collect();
    assert!(installed.is_empty(), "{why}: {installed:?}");

    // With its own centre the same box gets its client and plays.
    let _ = world.terminal("attic", stream.service, &scrambled, &played).ok();
    World::assert_same_picture(&stream, &played);
}

// spec-test: M-B10
// attack-test: T-15 T-44
#[test]
fn a_certificate_of_the_operators_for_another_role_is_no_centre() {
    if !has_ffmpeg("a_certificate_of_the_operators_for_another_role_is_no_centre") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let operator = world.data().join("operator");
    for role in ["po", "emm-sign", "operator"] {
        for ending in ["pem", "key.age"] {
            let from = operator.join(format!("{role}.{ending}"));
            std::fs::copy(from, operator.join(format!("centre.{ending}"))).unwrap();
        }
        let why = world.terminal("attic", stream.service, &scrambled, &played).refused();
        let slots = world.files("boxes/attic/flash/slots");
        assert!(slots.iter().all(|path| !path.ends_with("a.odci")), "{role}: {why}: {slots:?}");
    }
}
