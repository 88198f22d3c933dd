//! The call sequence of 7.6, the event sequence of 7.7, states, budgets and the scan.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{
    Client, Compatibility, Denied, Event, Fault, Limits, Outcome, PermitTable, Reply, ScanError,
    State, Syscall, Violation, ViolationKind, abi,
};
use support::*;

fn kind(outcome: Outcome) -> ViolationKind {
    match outcome {
        Outcome::Violation(Violation { kind, .. }) => kind,
        other => panic!("{other}"),
    }
}

// spec-test: X-T01 X-T02 X-T03 X-T04 X-T05 X-T08
#[test]
fn a_trap_saves_the_pc_pops_its_parameters_and_comes_back() {
    let mut words = vec![addi(A2, SP, 0)];
    words.extend(call(0x044, &[11, 22, 33, 44, 55]));
    let trap_at = (words.len() - 1) as u32 * 4;
    // The parameters still lie there, the first highest; sp is where it was.
    words.extend([r(0x20, 0, A2, A2, SP), lw(A0, SP, -4), lw(A1, SP, -20)]);
    for (register, expected) in [(A2, 0), (A0, 11), (A1, 55), (X31, trap_at + 4)] {
        assert_eq!(value_of(&words, register), expected, "x{register}");
    }
    let mut words = words.clone();
    words.extend(exit_with(0));
    let (_, _, host) = run_with(&words, Limits::default());
    let args = vec![11, 22, 33, 44, 55];
    assert_eq!(host.calls, [(Event::Initialize, Syscall::KlLoadCw, args)]);
    let stack_top = abi::RAM_BASE + (1 << 20) + abi::GUARD_BYTES + (64 << 10);
    assert_eq!(
        host.steps[2],
        format!("Trap {{ id: 68, stack: {}, return_pc: {} }}", stack_top - 20, trap_at + 4)
    );
    assert!(host.steps[3].starts_with("Called"), "{:?}", host.steps);
}

// spec-test: X-T04
#[test]
fn result_and_status_come_in_x10_and_x11_and_nothing_else_changes() {
    let mut words = Vec::from(li(A2, 0x1234));
    words.extend(call(0x031, &[1]));
    for (register, expected) in [(A0, 77), (A1, -3_i32 as u32), (A2, 0x1234)] {
        assert_eq!(value_of(&words, register), expected);
    }
}

// spec-test: X-T07 X-49 X-54
#[test]
fn a_providers_function_stands_in_for_the_native_one() {
    let mut words = call(0x031, &[1]);
    words.extend(exit_with(A0));
    let mut client = load(&words, Limits::default()).unwrap();
    let function = |_, args: &[u32], _: &mut _| Ok(Reply::ok(args[0] + 500));
    assert!(!client.set_provider(Syscall::Exit, 1, Box::new(function)));
    assert!(!client.set_provider(Syscall::TokenInfo, 2, Box::new(function)));
    assert!(client.set_provider(Syscall::TokenInfo, 1, Box::new(function)));
    let mut host = Recorder::default();
    assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Exited(501));
    assert!(host.calls.is_empty());

    // A private call, with as many parameters as the provider says.
    let mut words = call(0x400, &[1, 2, 3]);
    words.extend(exit_with(A0));
    let mut client = load(&words, Limits::default()).unwrap();
    let sum = |_, args: &[u32], _: &mut _| Ok(Reply::ok(args.iter().sum()));
    assert!(client.set_provider(Syscall::ProviderPrivate(0x400), 3, Box::new(sum)));
    assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Exited(6));
}

// spec-test: X-T06 X-56 X-C03 X-Y03 X-61
// attack-test: T-30
#[test]
fn the_same_binary_under_two_policies() {
    let mut words = call(0x031, &[1]);
    words.extend(exit_with(0));
    for (event, stopped) in [(Event::Initialize, false), (Event::Timer, true)] {
        let mut table = PermitTable::deny_all();
        table.permit(event, 0x031);
        table.permit(Event::Initialize, 0x010);
        let mut client = Client::load(&image(&words), table, Limits::default()).unwrap();
        let mut host = Recorder::default();
        let outcome = client.raise(Event::Initialize, &[], &mut host);
        if stopped {
            let denied = ViolationKind::Denied { id: 0x031, reason: Denied::NotPermitted };
            assert_eq!(kind(outcome), denied);
        } else {
            assert_eq!(outcome, Outcome::Exited(0));
        }
        assert_eq!(host.calls.is_empty(), stopped, "a denied call has no side effect");
        assert_eq!(client.state(), State::End);
    }
}

// attack-test: T-30
#[test]
fn every_trap_id_that_is_not_permitted_stops_the_client() {
    for id in (0..0x800).filter(|id| *id != 0x010) {
        let mut table = PermitTable::deny_all();
        table.permit(Event::Terminate, id);
        let words = [abi::trap_word(id), ret()];
        let mut client = Client::load(&image(&words), table, Limits::default()).unwrap();
        let mut host = Recorder::default();
        let outcome = client.raise(Event::Initialize, &[], &mut host);
        assert!(matches!(kind(outcome), ViolationKind::Denied { .. }), "{id:#x}");
        assert!(host.calls.is_empty());
    }
}

// attack-test: T-28
#[test]
fn a_stack_outside_memory_and_bad_pointers_stop_the_client() {
    for sp in [0, abi::RAM_BASE - 4, 0xFFFF_FFFE, 0xFFFF_FFFC] {
        let mut words = Vec::from(li(SP, sp));
        words.extend([abi::trap_word(0x011), ret()]);
        let (outcome, _, host) = run_with(&words, Limits::default());
        let stack = ViolationKind::Stack { call: Syscall::PutMsg, stack: sp };
        assert_eq!(kind(outcome), stack);
        assert!(host.calls.is_empty());
    }
    for (ptr, len) in [(0x2000, 1), (abi::RAM_BASE, 0x11_0000), (!0, 2), (abi::RAM_BASE - 1, 2)] {
        let mut words = call(0x011, &[ptr, len]);
        words.push(ret());
        let (outcome, ..) = run_with(&words, Limits::default());
        assert!(matches!(kind(outcome), ViolationKind::Pointer { .. }), "{ptr:#x} {len:#x}");
    }
    let mut words = call(0x055, &[0, 0]);
    words.push(ret());
    let (outcome, ..) = run_with(&words, Limits::default());
    let host = Fault::Host { call: Syscall::Random, what: "no entropy" };
    assert_eq!(outcome, Outcome::Fault(host));
    let mut words = call(0x053, &[0, 0, 0, 0]);
    words.push(ret());
    let (outcome, ..) = run_with(&words, Limits::default());
    assert_eq!(kind(outcome), ViolationKind::UnknownCall(0x053));
}

/// A handler that adds its first two parameters into the return value.
fn adder() -> Vec<u32> {
    let [a, b] = li(T0, abi::RAM_BASE);
    with_handler(&[
        a,
        b,
        lw(A0, T0, 8),
        lw(A1, T0, 12),
        r(0, 0, A0, A0, A1),
        sw(A0, T0, 4),
        lw(A1, T0, 0),
        sw(A1, T0, 60),
        ret(),
    ])
}

// spec-test: X-54 X-63 X-E01 X-E04 X-E07 X-E09 X-E10 X-E11 X-E12 X-E13 X-S03 X-S04 X-S05 X-S12 X-S13
#[test]
fn events_go_through_the_buffer_and_the_states() {
    let mut client = load(&adder(), Limits::default()).unwrap();
    let mut host = Recorder::default();
    assert_eq!(client.state(), State::Loaded);
    let early = client.raise(Event::Timer, &[], &mut host);
    assert_eq!(early, Outcome::Refused { state: State::Loaded, event: Event::Timer });
    assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Returned(0));
    for event in Event::ALL.into_iter().filter(|e| *e != Event::Initialize) {
        assert_eq!(client.raise(event, &[40, 2], &mut host), Outcome::Returned(42), "{event}");
    }
    let refused = Outcome::Refused { state: State::End, event: Event::Timer };
    assert_eq!(client.raise(Event::Timer, &[], &mut host), refused);
    let mut expected = vec![State::Initialize, State::Idle];
    for event in [
        State::SelectContent,
        State::Entitlement,
        State::ChangeKey,
        State::Descramble,
        State::Player,
        State::Timer,
    ] {
        expected.extend([event, State::Idle]);
    }
    expected.extend([State::Terminate, State::End]);
    assert_eq!(host.states, expected);
}

// spec-test: X-E05 X-E08
// attack-test: T-34
#[test]
fn waiting_events_are_served_in_order_and_none_is_lost_silently() {
    let limits = Limits { queue: 4, ..Limits::default() };
    let mut client = load(&adder(), limits).unwrap();
    let mut host = Recorder::default();
    client.raise(Event::Initialize, &[], &mut host);
    for n in 0..4 {
        client.post(Event::Timer, &[n, 100]).unwrap();
    }
    assert_eq!(client.post(Event::Timer, &[]).unwrap_err().waiting, 4);
    assert!(client.post(Event::Timer, &[0; 15]).is_err());
    for n in 0..4 {
        let served = client.dispatch(&mut host);
        assert_eq!(served, Some((Event::Timer, Outcome::Returned(100 + n))));
    }
    assert_eq!(client.dispatch(&mut host), None);
}

// spec-test: X-E02 X-E03 X-S04
#[test]
fn registration_is_once_in_initialize_and_inside_memory() {
    let registration = |args: &[&[u32]]| {
        let mut words: Vec<u32> = Vec::new();
        for args in args {
            words.extend(call(if args.len() == 1 { 1 } else { 2 }, args));
        }
        words.push(ret());
        run_with(&words, Limits::default()).0
    };
    let ram = abi::RAM_BASE;
    let stack_end = ram + (1 << 20) + 4096 + (64 << 10);
    assert_eq!(registration(&[&[0], &[ram, 16]]), Outcome::Returned(0));
    assert_eq!(registration(&[]), Outcome::Fault(Fault::NotRegistered));
    assert_eq!(registration(&[&[0]]), Outcome::Fault(Fault::NotRegistered));
    for (bad, call) in [
        (&[&[0][..], &[0]][..], Syscall::SetEventHandler),
        (&[&[2]], Syscall::SetEventHandler),
        (&[&[ram]], Syscall::SetEventHandler),
        (&[&[ram, 16], &[ram, 16]], Syscall::SetEventParamBuffer),
        (&[&[ram, 15]], Syscall::SetEventParamBuffer),
        (&[&[ram, 1025]], Syscall::SetEventParamBuffer),
        (&[&[ram + 2, 16]], Syscall::SetEventParamBuffer),
        (&[&[0, 16]], Syscall::SetEventParamBuffer),
        (&[&[stack_end - 60, 16]], Syscall::SetEventParamBuffer),
        (&[&[ram, 0xFFFF_FFFF]], Syscall::SetEventParamBuffer),
    ] {
        assert_eq!(kind(registration(bad)), ViolationKind::Registration(call), "{bad:x?}");
    }
    // Late: a handler that registers again.
    let mut again = call(0x001, &[0]);
    again.push(ret());
    let (mut client, mut host) =
        (load(&with_handler(&again), Limits::default()).unwrap(), Recorder::default());
    client.raise(Event::Initialize, &[], &mut host);
    let late = client.raise(Event::Timer, &[], &mut host);
    assert_eq!(kind(late), ViolationKind::Registration(Syscall::SetEventHandler));
}

// attack-test: T-31
// spec-test: X-06 X-23
#[test]
fn the_budget_is_exact() {
    let handler = [addi(A0, 0, 50), addi(A0, A0, -1), branch(1, A0, 0, -4), ret()];
    let needed = 1 + 2 * 50 + 1;
    for (budget, expected) in [
        (needed, Outcome::Returned(0)),
        (needed - 1, Outcome::OutOfBudget { event: Event::ChangeKey }),
        (1, Outcome::OutOfBudget { event: Event::ChangeKey }),
        (0, Outcome::OutOfBudget { event: Event::ChangeKey }),
    ] {
        let limits = Limits { change_key_budget: budget, ..Limits::default() };
        let mut client = load(&with_handler(&handler), limits).unwrap();
        let mut host = Recorder::default();
        client.raise(Event::Initialize, &[], &mut host);
        let before = client.retired_instructions();
        assert_eq!(client.raise(Event::ChangeKey, &[], &mut host), expected);
        assert_eq!(client.retired_instructions() - before, budget);
    }
}

// attack-test: T-31
#[test]
fn host_work_is_charged_by_the_published_table() {
    let words = [call(0x011, &[abi::RAM_BASE, 4000]), exit_with(0)].concat();
    let (outcome, client, _) = run_with(&words, Limits::default());
    assert_eq!(outcome, Outcome::Exited(0));
    assert_eq!(client.retired_instructions(), 12);
    assert_eq!(client.charged_instructions(), 50 + 1000);
    let enough = 12 + 1050;
    for (budget, expected) in [
        (enough, Outcome::Exited(0)),
        (enough - 1, Outcome::OutOfBudget { event: Event::Initialize }),
    ] {
        let (outcome, ..) = run_with(&words, Limits { budget, ..Limits::default() });
        assert_eq!(outcome, expected);
    }
}

// spec-test: X-C02
// attack-test: T-15
#[test]
fn the_scan_refuses_before_the_first_instruction() {
    let scan = |words: &[u32]| load(words, Limits::default()).err().unwrap();
    for word in [0x0000_0073, 0x0010_0073, 0x3055_1073, 0x0000_100F, 0, 0xFFFF_FFFF, 0x02B] {
        assert_eq!(scan(&[ret(), word, ret()]), ScanError::Forbidden { address: 4, word });
    }
    for (word, target) in
        [(jal(0, 8), 12), (jal(0, -8), !3), (branch(0, 0, 0, 2), 6), (jal(0, 0x1000), 0x1004)]
    {
        assert_eq!(scan(&[ret(), word, ret()]), ScanError::Target { address: 4, target });
    }
    assert_eq!(scan(&[addi(0, 0, 0)]), ScanError::FallsThrough);
    assert_eq!(scan(&[]), ScanError::Length { what: "code", len: 0 });
    let mut program = image(&[ret(), ret()]);
    let load = |image: &_| Client::load(image, everything(), Limits::default()).err();
    for entry in [2, 8, !3] {
        program.entry = entry;
        assert_eq!(load(&program), Some(ScanError::Entry(entry)));
    }
    program.entry = 4;
    assert_eq!(load(&program), None);
    for (text_bytes, load_offset, bad) in [
        (3, 0, true),
        (12, 0, true),
        (0, 0, true),
        (4, 2, true),
        (4, 0xFFFF_FFFC, true),
        (4, 1 << 20, true),
        (8, 4096, false),
    ] {
        program = image(&[ret(), ret()]);
        (program.text_bytes, program.load_offset) = (text_bytes, load_offset);
        assert_eq!(load(&program).is_some(), bad, "{text_bytes} {load_offset:#x}");
    }
    // A TRAP that no event permits.
    let refused = Client::load(
        &image(&[abi::trap_word(0x020), ret()]),
        PermitTable::deny_all(),
        Limits::default(),
    );
    assert_eq!(refused.err(), Some(ScanError::Call { address: 0, id: 0x020 }));
}

#[test]
fn data_behind_the_text_is_never_code() {
    let mut program = image(&[jal(0, 4), 0x0000_0073]);
    program.text_bytes = 4;
    let refused = Client::load(&program, everything(), Limits::default()).err();
    assert_eq!(refused, Some(ScanError::Target { address: 0, target: 4 }));
    program = image(&[jalr(0, 0, 8), ret(), 0x0000_0073]);
    program.text_bytes = 8;
    let mut client = Client::load(&program, everything(), Limits::default()).unwrap();
    let outcome = client.raise(Event::Initialize, &[], &mut Recorder::default());
    assert_eq!(outcome, Outcome::Fault(Fault::Jump { pc: 0, target: 8 }));
}

#[test]
fn suites_may_exit_by_ecall_when_asked() {
    let words = [addi(A7, 0, 93), addi(A0, 0, 5), 0x0000_0073];
    assert!(load(&words, Limits::default()).is_err());
    let limits = Limits { compatibility: Compatibility::UnsafeSimulatorEcall, ..Limits::default() };
    assert_eq!(run_with(&words, limits).0, Outcome::Exited(5));
    assert_eq!(run_with(&words[1..], limits).0, Outcome::Fault(Fault::Illegal { pc: 4 }));
}
