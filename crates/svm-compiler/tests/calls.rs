//! Calls that the tier makes by itself: the same as those that the match loop's client makes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../svm/tests/support/mod.rs"]
mod support;

use portcullis_svm::{Client, Engine, Limits};
use portcullis_svm_compiler::tier;
use support::calls::{all_kinds_end_alike, calls, ended};

fn match_loop(client: &mut Client) {
    client.set_engine(Engine::MatchLoop);
}

fn compiled(client: &mut Client) {
    assert!(client.set_compiler(tier().unwrap()), "the tier takes the client");
}

fn limits(budget: u64) -> Limits {
    Limits { budget, compile: true, ..Limits::default() }
}

// spec-test: X-T04 X-06
// attack-test: T-31
#[test]
fn every_budget_and_every_failure_ends_the_tier_at_the_same_call() {
    let words = calls(0, 12);
    for budget in (0..400).chain([5_000, 50_000]) {
        let by = |engine| ended(engine, &words, limits(budget), None);
        assert_eq!(by(match_loop), by(compiled), "budget {budget}");
    }
    for fails_at in 1..30 {
        let by = |engine| ended(engine, &words, limits(50_000), Some(fails_at));
        assert_eq!(by(match_loop), by(compiled), "call {fails_at}");
    }
}

// spec-test: X-T04 X-T06 X-Y04 X-56
// attack-test: T-28 T-30 T-31
#[test]
fn each_kind_of_call_ends_alike_in_compiled_code_and_whoever_looks_on() {
    all_kinds_end_alike(&[match_loop, compiled], limits(0), (0..260).step_by(13));
}

/// The end of a slice at every place of a round: 111 instructions with what its calls are charged.
// spec-test: X-E07
#[test]
fn a_slice_may_end_in_a_call_of_compiled_code() {
    for nothing in (0..111).step_by(8) {
        let words = calls(nothing, 40_000);
        let by = |engine| ended(engine, &words, limits(50_000_000), None);
        assert_eq!(by(match_loop), by(compiled), "{nothing} instructions before");
    }
}
