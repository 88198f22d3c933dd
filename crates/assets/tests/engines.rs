//! Every guest in both engines, and compiled where this host can: the same outcomes, calls, states and counts, event by event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::abi::token;
use portcullis_svm::{Client, Engine, Event, Outcome, State, Syscall};
use support::{ECM, GROUP, Host, UNIQUE, everything, guest, seal};

const GUESTS: [&str; 14] = [
    "vendor-a",
    "vendor-b",
    "hello",
    "puppet",
    "greedy",
    "spin",
    "wild-pointers",
    "stack",
    "write-code",
    "jump-ram",
    "alloc-storm",
    "register-again",
    "call-storm",
    "bench",
];

type Life = (Vec<(Outcome, u64, u64)>, Vec<Syscall>, Vec<State>);

/// `None` as the engine: compiled. Raises events, good and bad ones, and notes all that can be seen.
fn life(name: &str, engine: Option<Engine>) -> Option<Life> {
    let (image, mut permits, mut limits) = guest(name)?;
    limits.compile = engine.is_none();
    if ["bench", "puppet"].contains(&name) {
        // They make calls that their policy does not have.
        permits = everything();
    }
    let mut client = Client::load(&image, permits, limits).unwrap();
    match engine {
        Some(engine) => client.set_engine(engine),
        None => assert!(client.set_compiler(portcullis_svm_compiler::tier()?), "{name}"),
    }
    let mut host = Host::new();
    let mut seen = Vec::new();
    let mut note = |client: &Client, outcome| {
        // What a client may take beside its own memory: 16 KiB, and 4 octets for each of its code.
        let most = (16 << 10) + 16 * client.report().instructions;
        let octets = client.octets_beside_memory();
        assert!(octets <= most, "{name} takes {octets} octets of {most}");
        seen.push((outcome, client.retired_instructions(), client.charged_instructions()));
    };
    let outcome = client.raise(Event::Initialize, &[], &mut host);
    note(&client, outcome);
    let section = |table: u8, sealed: Vec<u8>| {
        let mut section = vec![table, 0x70, sealed.len() as u8];
        section.extend(sealed);
        section
    };
    let ladder = [&[0, 0, 0, 7, 3][..], &[5; 16]].concat();
    for (kind, section) in [
        (token::EMM, section(0x82, seal(UNIQUE, 0xA0A0, 1, &ladder, &[1; 40]))),
        (token::EMM, section(0x84, seal(GROUP, 7, 1, &[0xFF; 52], &[2; 30]))),
        (token::EMM, vec![0x82, 0x70]),
        (token::ECM, section(0x80, seal(ECM, 1, 1, &[], &[3; 60]))),
        (token::ECM, vec![]),
    ] {
        let outcome = host.give(&mut client, kind, section);
        note(&client, outcome);
    }
    for event in [Event::SelectContent, Event::Timer, Event::Terminate] {
        let outcome = client.raise(event, &[5, 1], &mut host);
        note(&client, outcome);
    }
    Some((seen, host.calls, host.states))
}

// spec-test: X-06
#[test]
fn every_guest_lives_the_same_life_in_both_engines() {
    for name in GUESTS {
        let Some(reference) = life(name, Some(Engine::MatchLoop)) else { return };
        assert_eq!(Some(&reference), life(name, Some(Engine::Threaded)).as_ref(), "{name}");
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            assert_eq!(Some(reference), life(name, None), "{name}, compiled");
        }
    }
}
