//! Calls that an engine makes by itself: the same as those that are made for it, up to the last
//! instruction of the budget, and on no more stack however many there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{Client, Engine, Event, Limits, Outcome};
use support::calls::{Counter, all_kinds_end_alike, calls, ended};
use support::*;

fn match_loop(client: &mut Client) {
    client.set_engine(Engine::MatchLoop);
}

fn threaded(client: &mut Client) {
    client.set_engine(Engine::Threaded);
}

// spec-test: X-T04 X-06
// attack-test: T-31
#[test]
fn every_budget_and_every_failure_ends_both_engines_at_the_same_call() {
    let words = calls(0, 40);
    for budget in (0..1200).chain([5_000, 50_000]) {
        let limits = Limits { budget, ..Limits::default() };
        let by = |engine| ended(engine, &words, limits, None);
        assert_eq!(by(match_loop), by(threaded), "budget {budget}");
    }
    for fails_at in 1..100 {
        let by = |engine| ended(engine, &words, Limits::default(), Some(fails_at));
        assert_eq!(by(match_loop), by(threaded), "call {fails_at}");
    }
}

/// A call that nobody looks at takes another way than one that is shown step by step.
// spec-test: X-T04 X-T06 X-Y04 X-56
// attack-test: T-28 T-30 T-31
#[test]
fn each_kind_of_call_ends_alike_whoever_makes_it_and_whoever_looks_on() {
    all_kinds_end_alike(&[match_loop, threaded], Limits::default(), (0..260).step_by(13));
}

/// 400,000 calls in slices that end anywhere, on a stack for a few hundred unfinished ones.
// spec-test: X-E07
#[test]
fn calls_need_no_stack_and_the_host_is_asked_between_slices() {
    let run = || {
        let mut client = load(&calls(0, 200_000), Limits::default()).unwrap();
        let mut host = Counter::default();
        client.raise(Event::Initialize, &[], &mut host);
        let outcome = client.raise(Event::Timer, &[], &mut host);
        assert!(matches!(outcome, Outcome::Returned(_)), "{outcome}");
        assert_eq!(host.calls, 400_000);
        // 10 instructions a round, and what its two calls are charged.
        assert!((5..=8).contains(&host.asked), "{}", host.asked);
    };
    std::thread::Builder::new().stack_size(64 << 10).spawn(run).unwrap().join().unwrap();
}

/// The end of a slice at every place of a round: 111 instructions with what its calls are charged.
// spec-test: X-E07
#[test]
fn a_slice_may_end_in_a_call() {
    for nothing in (0..111).step_by(8) {
        let words = calls(nothing, 40_000);
        let by = |engine| ended(engine, &words, Limits::default(), None);
        let (first, second) = (by(match_loop), by(threaded));
        assert_eq!(first, second, "{nothing} instructions before");
        assert_eq!(first.3.2, 1, "the host is asked once");
    }
}
