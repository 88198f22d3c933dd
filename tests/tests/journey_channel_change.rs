//! From a service in clear to a scrambled one: the client comes when it is needed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_tests::{Packets, World, has_ffmpeg, mpeg2_two_services, run};
use serde_json::Value;

// spec-test: X-55 X-48 X-S11 X-S02
#[test]
fn a_change_of_service_brings_the_client_it_needs() {
    if !has_ffmpeg("a_change_of_service_brings_the_client_it_needs") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), mpeg2_two_services());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let packets = Packets::read(&scrambled).iter().count();
    let there = packets / 3;

    let mut call = world.terminal_command("attic", 11, &scrambled, &played);
    call.arg("--events");
    call.args(["--then", &format!("{}@{there}", stream.service)]);
    let finished = run(&mut call).ok();
    let events: Vec<Value> =
        finished.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let at = |wanted: &dyn Fn(&Value) -> bool| events.iter().position(wanted);
    let is = |event: &Value, name: &str, value: &str| event[name] == value;

    // The order of X.1198 7: change, client change, download, Initialize, SelectContent.
    let steps = [
        at(&|e| is(e, "event", "service") && e["service"] == stream.service),
        at(&|e| is(e, "event", "client_change") && e["service"] == stream.service),
        at(&|e| is(e, "event", "client") && is(e, "state", "installed")),
        at(&|e| is(e, "event", "svm") && is(e, "state", "Initialize")),
        at(&|e| is(e, "event", "svm") && is(e, "state", "SelectContent")),
        at(&|e| is(e, "event", "client") && is(e, "state", "running")),
        at(&|e| is(e, "event", "ecm") && e["loaded"] == true),
        at(&|e| is(e, "event", "svm") && is(e, "state", "Terminate")),
        at(&|e| is(e, "event", "svm") && is(e, "state", "End")),
    ];
    assert!(steps.iter().all(Option::is_some) && steps.is_sorted(), "{steps:?} in {events:#?}");
    // Numbers of the events of this client: from 1, none missing.
    let numbers: Vec<u64> = events.iter().filter_map(|e| e["sequence"].as_u64()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");

    // Only what was watched was descrambled; nothing is lost, in no service.
    let streams = Packets::read(&stream.path).programme(stream.service).streams;
    let after = Packets::read(&played);
    assert_eq!(after.iter().count(), packets);
    let (left, all) = after.scrambled(&streams);
    assert!(left > all / 5 && left < all / 2, "{left} of {all} stayed scrambled");
    let middle = after.iter().skip(there + packets / 20).take(packets / 5);
    let scrambled_there = middle.filter(|packet| {
        let pid = u16::from_be_bytes([packet[1], packet[2]]) & 0x1FFF;
        streams.contains(&pid) && packet[3] & 0xC0 != 0
    });
    assert_eq!(scrambled_there.count(), 0, "watched and entitled");
}
