//! Retired instructions and time of the machine on the `bench` guest; prints, asserts only counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Instant;

use portcullis_svm::{Client, Engine, Event, Image, Limits, Outcome};
use support::{Host, everything, guest};

/// What the guest does, how often, and its name.
const WORK: [(u32, u32, &str); 8] = [
    (0, 1_000_000, "arithmetic"),
    (1, 1_000_000, "table"),
    (2, 1_000_000, "mixing"),
    (3, 1_000_000, "host call"),
    (4, 20_000, "AES-128"),
    (5, 5_000, "SHA-256"),
    (6, 2_000, "mixed"),
    (7, 0, "empty event"),
];

/// Time this thread was on a processor, in nanoseconds, where the system tells it.
fn thread_time() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// One client in an engine; gives instructions, outcome and nanoseconds.
fn measured(engine: Engine, image: &Image, what: u32, rounds: u32) -> (u64, Outcome, u64) {
    let limits = Limits { budget: 1 << 40, ..Limits::default() };
    let mut client = Client::load(image, everything(), limits).unwrap();
    client.set_engine(engine);
    let mut host = Host::new();
    assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Returned(0));
    let before = client.retired_instructions();
    let (start, on_processor) = (Instant::now(), thread_time());
    let outcome = client.raise(Event::Timer, &[what, rounds], &mut host);
    let nanoseconds = match (on_processor, thread_time()) {
        (Some(from), Some(to)) if to > from => to - from,
        _ => start.elapsed().as_nanos() as u64,
    };
    assert!(matches!(outcome, Outcome::Returned(_)), "{outcome}");
    (client.retired_instructions() - before, outcome, nanoseconds)
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

// spec-test: X-06
#[test]
fn the_same_work_always_costs_the_same_instructions() {
    let Some((image, ..)) = guest("bench") else { return };
    // For figures: more turns, each ten times as long.
    let turns = std::env::var("PORTCULLIS_SPEED_TURNS").ok().and_then(|n| n.parse().ok());
    let longer = if turns.is_some() { 10 } else { 1 };
    for (what, rounds, name) in WORK {
        let (mut slow, mut fast, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..turns.unwrap_or(2) {
            for (engine, times) in [(Engine::MatchLoop, &mut slow), (Engine::Threaded, &mut fast)] {
                let (count, outcome, time) = measured(engine, &image, what, rounds * longer);
                counts.push((count, outcome));
                times.push(time);
            }
        }
        counts.dedup();
        let [(count, _)] = counts[..] else { panic!("{name}: {counts:?}") };
        let mips = |times: Vec<u64>| count as f64 * 1e3 / median(times) as f64;
        let (slow, fast) = (mips(slow), mips(fast));
        println!("{name}: {count} instructions, match loop {slow:.0} MIPS, threaded {fast:.0}");
    }
}
