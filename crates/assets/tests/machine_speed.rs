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

/// One client in an engine; gives instructions, result and nanoseconds on the processor.
fn measured(engine: Engine, image: &Image, what: u32, rounds: u32) -> (u64, Outcome, u64) {
    let limits = Limits { budget: 1 << 40, ..Limits::default() };
    let mut client = Client::load(image, everything(), limits).unwrap();
    client.set_engine(engine);
    let mut host = Host::new();
    assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Returned(0));
    let before = client.retired_instructions();
    let start = Instant::now();
    let outcome = client.raise(Event::Timer, &[what, rounds], &mut host);
    let nanoseconds = start.elapsed().as_nanos() as u64;
    assert!(matches!(outcome, Outcome::Returned(_)), "{outcome}");
    (client.retired_instructions() - before, outcome, nanoseconds)
}

// spec-test: X-06
#[test]
fn the_same_work_always_costs_the_same_instructions() {
    let Some((image, ..)) = guest("bench") else { return };
    for (what, rounds, name) in WORK {
        let (count, outcome, slow) = measured(Engine::MatchLoop, &image, what, rounds);
        let (same_count, same_outcome, mut fast) = measured(Engine::Threaded, &image, what, rounds);
        assert_eq!((count, outcome), (same_count, same_outcome), "{name}");
        for _ in 0..2 {
            fast = fast.min(measured(Engine::Threaded, &image, what, rounds).2);
        }
        let mips = |nanoseconds: u64| count as f64 * 1e3 / nanoseconds as f64;
        println!("{name}: {count} instructions, {:.0} and {:.0} MIPS", mips(slow), mips(fast));
    }
}
