//! Calls that an engine makes by itself: the same as those that are made for it, up to the last
//! instruction of the budget, and on no more stack however many there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{
    CallPermitted, Client, Engine, Event, GuestMemory, HostFault, Limits, Outcome, Reply, State,
    Syscall, SystemCalls,
};
use support::*;

/// Counts, and looks at nothing else, so that the engines are left alone.
#[derive(Default)]
struct Counter {
    calls: u64,
    /// Bits of what was called with what, in order.
    sum: u64,
    asked: u32,
    /// The call that fails, by its number.
    fails_at: Option<u64>,
}

impl SystemCalls for Counter {
    fn call(
        &mut self,
        permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        _: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        self.calls += 1;
        if self.fails_at == Some(self.calls) {
            return Err(HostFault::Host("asked to fail"));
        }
        for value in [u32::from(permitted.id()), u32::from(call.id())].iter().chain(args) {
            self.sum =
                self.sum.rotate_left(7).wrapping_mul(0x9E37_79B9).wrapping_add((*value).into());
        }
        Ok(Reply::ok(self.sum as u32))
    }

    fn must_end(&mut self) -> bool {
        self.asked += 1;
        false
    }

    fn is_traced(&self) -> bool {
        false
    }
}

/// A handler that calls `rounds` times, with its own answers for parameters, after so many
/// instructions of nothing.
fn calls(nothing: usize, rounds: u32) -> Vec<u32> {
    let mut words = vec![addi(0, 0, 0); nothing];
    words.extend(li(A2, rounds));
    let start = words.len();
    // TokenInfo(a0), a0 ^= a2, Random(0, 0)
    words.extend([sw(A0, SP, -4), addi(SP, SP, -4), portcullis_svm::abi::trap_word(0x031)]);
    words.push(r(0, 4, A0, A0, A2));
    words.extend([sw(A0, SP, -4), sw(0, SP, -8), addi(SP, SP, -8)]);
    words.push(portcullis_svm::abi::trap_word(Syscall::Random.id()));
    words.push(addi(A2, A2, -1));
    words.push(branch(1, A2, 0, (start as i32 - words.len() as i32) * 4));
    words.push(ret());
    with_handler(&words)
}

type Ended = (Outcome, Outcome, (u64, u64), (u64, u64, u32), State);

fn ended(engine: Engine, words: &[u32], limits: Limits, fails_at: Option<u64>) -> Ended {
    let mut client: Client = load(words, limits).unwrap();
    client.set_engine(engine);
    let mut host = Counter { fails_at, ..Counter::default() };
    let first = client.raise(Event::Initialize, &[], &mut host);
    let second = client.raise(Event::Timer, &[], &mut host);
    let spent = (client.retired_instructions(), client.charged_instructions());
    (first, second, spent, (host.calls, host.sum, host.asked), client.state())
}

// spec-test: X-T04 X-06
// attack-test: T-31
#[test]
fn every_budget_and_every_failure_ends_both_engines_at_the_same_call() {
    let words = calls(0, 40);
    for budget in (0..1200).chain([5_000, 50_000]) {
        let limits = Limits { budget, ..Limits::default() };
        let by = |engine| ended(engine, &words, limits, None);
        assert_eq!(by(Engine::MatchLoop), by(Engine::Threaded), "budget {budget}");
    }
    for fails_at in 1..100 {
        let by = |engine| ended(engine, &words, Limits::default(), Some(fails_at));
        assert_eq!(by(Engine::MatchLoop), by(Engine::Threaded), "call {fails_at}");
    }
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
        let (first, second) = (by(Engine::MatchLoop), by(Engine::Threaded));
        assert_eq!(first, second, "{nothing} instructions before");
        assert_eq!(first.3.2, 1, "the host is asked once");
    }
}
