//! Retired instructions and time of the machine on the `bench` guest; prints, asserts only counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Instant;

use portcullis_svm::{Client, Event, Limits, Outcome};
use support::{Host, everything, guest};

#[test]
fn the_same_work_always_costs_the_same_instructions() {
    let Some((image, ..)) = guest("bench") else { return };
    let limits = Limits { budget: 1 << 40, ..Limits::default() };
    for (what, name) in [(0, "arithmetic"), (1, "table"), (2, "mixing"), (3, "host call")] {
        let mut counts = Vec::new();
        for _ in 0..2 {
            let mut client = Client::load(&image, everything(), limits).unwrap();
            let mut host = Host::new();
            assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Returned(0));
            let before = client.retired_instructions();
            let start = Instant::now();
            let outcome = client.raise(Event::Timer, &[what, 1_000_000], &mut host);
            let seconds = start.elapsed().as_secs_f64();
            assert!(matches!(outcome, Outcome::Returned(_)), "{outcome}");
            let retired = client.retired_instructions() - before;
            println!("{name}: {retired} instructions, {:.0} MIPS", retired as f64 / seconds / 1e6);
            counts.push(retired);
        }
        assert_eq!(counts[0], counts[1]);
    }
}
