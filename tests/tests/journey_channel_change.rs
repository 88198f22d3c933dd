//! From a service in clear to a scrambled one: the client comes when it is needed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use portcullis_tests::{
    Packets, Service, Stream, World, h264_aac, has_ffmpeg, mpeg2_two_services, run,
};
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

/// Scrambles one service more, under the CA system of one vendor alone.
fn under_one_vendor(world: &World, vendor: usize, stream: &Stream, input: &Path, output: &Path) {
    let mut ecmg = Service::start(&mut world.command(&["ecmg", "--listen", "127.0.0.1:0"]));
    let lines: Vec<String> =
        (0..2).map(|_| ecmg.line_with("ready ", Duration::from_secs(20))).collect();
    let mut parts = lines[vendor].split_whitespace().skip(1);
    let (address, super_cas_id) = (parts.next().unwrap(), parts.next().unwrap());
    let criteria = world.run(&["criteria", "--product", "one"]).ok().stdout;
    let from = Stream { path: input.to_owned(), service: stream.service };
    let mut headend = world.headend_command(&from, "cissa", output);
    headend.args(["--ecmg", &format!("{address},{super_cas_id},ac={}", criteria.trim())]);
    let _ = run(&mut headend).ok();
}

// spec-test: X-15 X-55 X-14
#[test]
fn a_change_between_the_services_of_two_vendors_changes_the_client() {
    if !has_ffmpeg("a_change_between_the_services_of_two_vendors_changes_the_client") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), mpeg2_two_services());
    let (one, both, played) = (world.file("one.ts"), world.file("both.ts"), world.file("out.ts"));
    let other = Stream { path: stream.path.clone(), service: 11 };
    under_one_vendor(&world, 0, &stream, &stream.path, &one);
    under_one_vendor(&world, 1, &other, &one, &both);
    let systems = |service| Packets::read(&both).programme(service).ca.len();
    assert_eq!((systems(stream.service), systems(11)), (1, 1), "each service has one CA system");
    let packets = Packets::read(&both).iter().count();

    let mut call = world.terminal_command("attic", stream.service, &both, &played);
    call.arg("--events").args(["--then", &format!("11@{}", packets / 2)]);
    let finished = run(&mut call).ok();
    let events: Vec<Value> =
        finished.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let clients: Vec<String> = events
        .iter()
        .filter(|e| e["event"] == "client" && e["state"] == "running")
        .map(|e| e["vendor"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(clients.len(), 2, "{events:#?}");
    assert_ne!(clients[0], clients[1]);
    let at = |wanted: &dyn Fn(&Value) -> bool| events.iter().position(wanted);
    let svm = |state: &'static str| move |e: &Value| e["event"] == "svm" && e["state"] == state;
    let steps = [
        at(&|e| e["event"] == "client" && e["state"] == "running" && e["vendor"] == clients[0]),
        at(&|e| e["event"] == "ecm" && e["loaded"] == true),
        at(&|e| e["event"] == "service" && e["service"] == 11),
        at(&|e| e["event"] == "client_change"),
        at(&svm("Terminate")),
        at(&svm("End")),
        at(&|e| e["event"] == "client" && e["state"] == "installed" && e["vendor"] == clients[1]),
        at(&|e| e["event"] == "client" && e["state"] == "running" && e["vendor"] == clients[1]),
    ];
    assert!(steps.iter().all(Option::is_some) && steps.is_sorted(), "{steps:?} in {events:#?}");
    // The sale is the box's, whoever's client it runs: the second service plays too.
    let second = &events[steps[7].unwrap()..];
    assert!(second.iter().any(|e| e["event"] == "ecm" && e["loaded"] == true), "{second:#?}");
}

// spec-test: X-15
#[test]
fn of_two_clients_the_preferred_one_runs_and_the_choice_can_be_changed() {
    if !has_ffmpeg("of_two_clients_the_preferred_one_runs_and_the_choice_can_be_changed") {
        return;
    }
    let (world, stream) = (World::with_entitled_box("attic"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let vendor = || {
        let mut call = world.terminal_command("attic", stream.service, &scrambled, &played);
        let finished = run(call.arg("--events"));
        let events = finished.stderr.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        let mut running = events.filter(|e| e["event"] == "client" && e["state"] == "running");
        running.next().unwrap()["vendor"].as_str().unwrap().to_owned()
    };
    let preferred = world.data().join("boxes/attic/flash/preferred-ca-system");
    let before = std::fs::read_to_string(&preferred).unwrap();
    let systems = Packets::read(&scrambled).programme(stream.service).ca;
    assert_eq!(vendor(), "vendor-a");
    for (system, _) in systems {
        let system = format!("0x{system:04x}");
        let expected = if system == before.trim() { "vendor-a" } else { "vendor-b" };
        std::fs::write(&preferred, system).unwrap();
        assert_eq!(vendor(), expected);
    }
}
