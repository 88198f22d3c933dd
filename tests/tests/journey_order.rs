//! The nine steps of X.1198 6.3 in their order, and where a refused payment ends them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use portcullis_tests::{World, h264_aac, has_ffmpeg};
use serde_json::Value;

/// What a terminal told, in its order.
fn events(world: &World, service: u16, input: &Path, output: &Path) -> Vec<Value> {
    let mut call = world.terminal_command("b1", service, input, output);
    let finished = portcullis_tests::run(call.arg("--events"));
    finished.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn is(event: &Value, name: &str, state: &str) -> bool {
    event["event"] == name && event["state"] == state
}

// spec-test: X-41 X-46
#[test]
fn from_the_request_to_the_picture_every_step_has_its_place() {
    if !has_ffmpeg("from_the_request_to_the_picture_every_step_has_its_place") {
        return;
    }
    let (world, stream) = (World::new(), h264_aac());
    let _ = world.run(&["box", "add", "b1"]).ok();
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let first = |events: &[Value], wanted: &dyn Fn(&Value) -> bool| events.iter().position(wanted);

    // Nobody has paid: the client may come and go, and no key and no picture follows.
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let unpaid = events(&world, stream.service, &scrambled, &played);
    assert!(first(&unpaid, &|e| e["event"] == "ecm" && e["loaded"] == true).is_none());
    let descrambled = unpaid.iter().filter_map(|e| e["descrambled"].as_u64()).max();
    assert_eq!(descrambled.unwrap_or(0), 0, "{unpaid:?}");

    // A new box, and this time the payment stands in the operator's books.
    let world = World::with_entitled_box("b1");
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let paid = events(&world, stream.service, &scrambled, &played);
    let steps = [
        // 1 and 2: content is asked for, and paid.
        first(&paid, &|e| e["event"] == "terminal" && e["service"] == stream.service),
        // 3 to 5: the client is asked for, verified and downloaded (here: before it is installed).
        first(&paid, &|e| is(e, "client", "downloading")),
        first(&paid, &|e| is(e, "client", "verified")),
        first(&paid, &|e| is(e, "client", "installed")),
        first(&paid, &|e| is(e, "svm", "Initialize")),
        first(&paid, &|e| is(e, "svm", "SelectContent")),
        first(&paid, &|e| is(e, "client", "running")),
        // 6 and 7: EMMs.
        first(&paid, &|e| e["event"] == "emm" && e["status"] == 0),
        // 8: the ECM, and its control word in the chip.
        first(&paid, &|e| e["event"] == "ecm" && e["loaded"] == true),
        // 9: packets in clear.
        first(&paid, &|e| {
            e["event"] == "descrambler" && e["descrambled"].as_u64().is_some_and(|count| count > 0)
        }),
    ];
    assert!(steps.iter().all(Option::is_some) && steps.is_sorted(), "{steps:?} in {paid:#?}");
    World::assert_same_picture(&stream, &played);
}
