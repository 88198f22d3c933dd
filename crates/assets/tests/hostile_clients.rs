//! Clients that do what they must not, each with the policy a reference client gets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{
    Client, Denied, Event, Fault, Limits, MemoryFault, Outcome, ScanError, State, Syscall,
    Violation, ViolationKind, abi, elf,
};
use support::{Host, everything, guest};

/// Loads, initialises, raises Entitlement and gives the outcome and the host.
fn provoke(name: &str) -> Option<(Outcome, Client, Host)> {
    let (image, permits, limits) = guest(name)?;
    let mut client = Client::load(&image, permits, limits).unwrap();
    let mut host = Host::new();
    assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Returned(0), "{name}");
    let outcome = client.raise(Event::Entitlement, &[16], &mut host);
    Some((outcome, client, host))
}

#[test]
fn hello_says_hello_and_ends() {
    let Some((image, permits, limits)) = guest("hello") else { return };
    let mut client = Client::load(&image, permits, limits).unwrap();
    let mut host = Host::new();
    assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Exited(0));
    assert_eq!(host.calls, [Syscall::PutMsg]);
}

// attack-test: T-31
// spec-test: X-06 X-10 X-23
#[test]
fn an_endless_loop_ends_with_the_budget() {
    let Some((outcome, client, _)) = provoke("spin") else { return };
    assert_eq!(outcome, Outcome::OutOfBudget { event: Event::Entitlement });
    assert_eq!(client.state(), State::End);
}

// attack-test: T-31
#[test]
fn memory_does_not_grow() {
    let Some((outcome, ..)) = provoke("alloc-storm") else { return };
    assert_eq!(outcome, Outcome::Exited(101), "the guest's own allocator gives up");
}

// attack-test: T-31
#[test]
fn the_stack_ends_at_an_unmapped_page() {
    let Some((outcome, ..)) = provoke("stack") else { return };
    let Outcome::Fault(Fault::Memory { fault: MemoryFault::Write { address, .. }, .. }) = outcome
    else {
        panic!("{outcome}");
    };
    let stack = abi::RAM_BASE + 262_144 + abi::GUARD_BYTES;
    assert!((stack - abi::GUARD_BYTES..stack).contains(&address), "{address:#x}");
}

// attack-test: T-30
#[test]
fn code_is_not_writable_and_memory_is_not_executable() {
    let Some((outcome, ..)) = provoke("write-code") else { return };
    assert!(matches!(outcome, Outcome::Fault(Fault::Memory { .. })), "{outcome}");
    let Some((outcome, ..)) = provoke("jump-ram") else { return };
    assert!(matches!(outcome, Outcome::Fault(Fault::Jump { .. })), "{outcome}");
}

// attack-test: T-30
// spec-test: X-01 X-Y03 X-26
#[test]
fn a_breach_of_policy_stops_the_client_and_says_what() {
    let Some((outcome, client, host)) = provoke("register-again") else { return };
    let Outcome::Violation(Violation { event, kind, .. }) = outcome else { panic!("{outcome}") };
    let reason = Denied::NotPermitted;
    assert_eq!((event, kind), (Event::Entitlement, ViolationKind::Denied { id: 1, reason }));
    assert_eq!(client.state(), State::End);
    assert_eq!(host.states.last(), Some(&State::End));

    let Some((outcome, _, host)) = provoke("call-storm") else { return };
    let Outcome::Violation(Violation { kind, .. }) = outcome else { panic!("{outcome}") };
    let reason = Denied::TooOften(4);
    assert_eq!(kind, ViolationKind::Denied { id: 0x046, reason });
    assert_eq!(host.calls.len(), 4, "the fifth never reached the host");
}

// attack-test: T-30
#[test]
fn a_call_that_no_event_permits_is_refused_before_the_first_instruction() {
    let Some((image, permits, limits)) = guest("forbidden-call") else { return };
    let refused = Client::load(&image, permits, limits);
    assert!(matches!(refused, Err(ScanError::Call { id: 0x071, .. })), "{refused:?}");
}

// attack-test: T-28
#[test]
fn a_wild_pointer_stops_the_client() {
    let Some((outcome, ..)) = provoke("wild-pointers") else { return };
    let Outcome::Violation(Violation { kind: ViolationKind::Pointer { call, .. }, .. }) = outcome
    else {
        panic!("{outcome}");
    };
    assert_eq!(call, Syscall::KlOpenMessage);
}

// attack-test: T-28
// spec-test: X-29
#[test]
fn every_call_takes_every_pointer_without_harm_to_the_host() {
    let Some(image) = portcullis_assets::hostile("puppet") else { return };
    let image = elf::flat_image(image).unwrap();
    let limits = Limits { ram_bytes: 65_536, heap_bytes: 4096, ..Limits::default() };
    let ram_end = abi::RAM_BASE + limits.ram_bytes;
    let interesting = [
        0,
        1,
        abi::RAM_BASE - 1,
        abi::RAM_BASE,
        abi::RAM_BASE + 4096,
        ram_end - 1,
        ram_end,
        ram_end + 1,
        0x7FFF_FFFF,
        0x8000_0000,
        0xFFFF_FFFF,
        0xFFFF_FFF0,
    ];
    let (mut violations, mut returned) = (0, 0);
    let start = || {
        let mut host = Host::new();
        let mut client = Client::load(&image, everything(), limits).unwrap();
        assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Returned(0));
        (client, host)
    };
    for call in Syscall::TABLE {
        let (mut client, mut host) = start();
        let n = call.arguments() as u32;
        for pattern in 0..12_u32.pow(n.min(3)) {
            let mut params = vec![u32::from(call.id())];
            params.extend((0..n).map(|i| interesting[(pattern / 12_u32.pow(i % 3) % 12) as usize]));
            match client.raise(Event::Timer, &params, &mut host) {
                Outcome::Returned(_) => returned += 1,
                Outcome::Violation(_) => {
                    violations += 1;
                    (client, host) = start();
                }
                Outcome::Exited(_) if *call == Syscall::Exit => (client, host) = start(),
                other => panic!("{call}: {other}"),
            }
        }
    }
    assert!(violations > 1000 && returned > 100, "{violations} {returned}");
}
