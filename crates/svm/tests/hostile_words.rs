//! Small hostile programs, word by word: each runs as the handler of a loaded client, in both
//! engines, and has to end as the table says, while a neighbour in the same process keeps working.
//! Larger ones, compiled from Rust, are in `clients/hostile`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{
    Client, Denied, Engine, Event, Fault, Limits, MemoryFault, Outcome, PermitTable, ScanError,
    State, Violation, ViolationKind, abi, abi::trap_word,
};
use support::*;

/// How a program has to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// A load outside memory.
    Read,
    /// A store outside writable memory.
    Write,
    Jump,
    Illegal,
    Budget,
    NotPermitted,
    TooOften,
    Pointer,
    Stack,
    Registration,
    UnknownCall,
    Exit,
    HostFailed,
    /// It does no harm: the event returns.
    Harmless,
}

fn end_of(outcome: Outcome) -> End {
    match outcome {
        Outcome::Returned(_) => End::Harmless,
        Outcome::Exited(_) => End::Exit,
        Outcome::OutOfBudget { .. } => End::Budget,
        Outcome::Fault(Fault::Memory { fault: MemoryFault::Read { .. }, .. }) => End::Read,
        Outcome::Fault(Fault::Memory { .. }) => End::Write,
        Outcome::Fault(Fault::Jump { .. }) => End::Jump,
        Outcome::Fault(Fault::Illegal { .. }) => End::Illegal,
        Outcome::Fault(Fault::Host { .. }) => End::HostFailed,
        Outcome::Violation(Violation { kind, .. }) => match kind {
            ViolationKind::Denied { reason: Denied::NotPermitted, .. } => End::NotPermitted,
            ViolationKind::Denied { .. } => End::TooOften,
            ViolationKind::Pointer { .. } => End::Pointer,
            ViolationKind::Stack { .. } => End::Stack,
            ViolationKind::Registration(_) => End::Registration,
            ViolationKind::UnknownCall(_) => End::UnknownCall,
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

const RAM: u32 = abi::RAM_BASE;
const RAM_LEN: u32 = 0x4000;
const RAM_END: u32 = RAM + RAM_LEN;
const STACK: u32 = RAM_END + abi::GUARD_BYTES;
const STACK_END: u32 = STACK + 4096;

fn limits() -> Limits {
    Limits {
        ram_bytes: RAM_LEN,
        heap_bytes: 4096,
        stack_bytes: 4096,
        budget: 200_000,
        change_key_budget: 200_000,
        ..Limits::default()
    }
}

/// Everything but 0x020; 0x031 three times in an event.
fn permits() -> PermitTable {
    let mut table = PermitTable::deny_all();
    for event in Event::ALL {
        for id in (0..0x800).filter(|id| *id != 0x020) {
            table.permit(event, id);
        }
        table.permit_limited(event, 0x031, 3);
    }
    table.permit(Event::Terminate, 0x020);
    table
}

fn words(parts: &[&[u32]]) -> Vec<u32> {
    let mut words = parts.concat();
    words.push(ret());
    words
}

/// Stores to an address.
fn poke(address: u32) -> Vec<u32> {
    words(&[&li(T0, address), &[sw(A0, T0, 0)]])
}

/// Loads from an address.
fn peek(address: u32) -> Vec<u32> {
    words(&[&li(T0, address), &[lw(A0, T0, 0)]])
}

/// Jumps to an address.
fn leap(address: u32) -> Vec<u32> {
    words(&[&li(T0, address), &[jalr(RA, T0, 0)]])
}

/// One call.
fn calls(id: u16, args: &[u32]) -> Vec<u32> {
    words(&[&call(id, args)])
}

/// A loop around a few words, for ever.
fn for_ever(body: &[u32]) -> Vec<u32> {
    words(&[body, &[jal(0, body.len() as i32 * -4)]])
}

/// Name, what the handler does, how it ends.
fn programs() -> Vec<(&'static str, Vec<u32>, End)> {
    let own_code = 0x40;
    vec![
        // Memory
        ("null write", poke(0), End::Write),
        ("write to own code", poke(own_code), End::Write),
        ("write below RAM", poke(RAM - 4), End::Write),
        ("write across the start of RAM", poke(RAM - 2), End::Write),
        ("write across the end of RAM", poke(RAM_END - 2), End::Write),
        ("write behind RAM", poke(RAM_END), End::Write),
        ("write to the page below the stack", poke(STACK - 4), End::Write),
        ("write across the stack's first octet", poke(STACK - 1), End::Write),
        ("write across the stack's end", poke(STACK_END - 3), End::Write),
        ("write behind the stack", poke(STACK_END), End::Write),
        ("write at the last word", poke(!3), End::Write),
        ("write that wraps", poke(!0), End::Write),
        ("read behind the code", peek(0x0010_0000), End::Read),
        ("read below RAM", peek(RAM - 1), End::Read),
        ("read behind RAM", peek(RAM_END - 3), End::Read),
        ("read below the stack", peek(STACK - 4), End::Read),
        ("read at the sign bit", peek(0x8000_0000), End::Read),
        ("read that wraps", peek(!1), End::Read),
        ("read by a wrapping offset", words(&[&[lw(A0, 0, -4)]]), End::Read),
        ("read own code as data", peek(own_code), End::Harmless),
        (
            "write octets until it hurts",
            for_ever(&[store(0, A0, SP, 0), addi(SP, SP, 1)]),
            End::Write,
        ),
        ("read down through everything", for_ever(&[lw(A0, SP, 0), addi(SP, SP, -4)]), End::Read),
        (
            "endless recursion",
            words(&[&[addi(SP, SP, -16), sw(RA, SP, 0), jal(RA, -8)]]),
            End::Write,
        ),
        // Control
        ("jump to null", leap(0x0FFF_FFFC), End::Jump),
        ("jump into RAM", leap(RAM), End::Jump),
        ("jump to the stack", leap(STACK), End::Jump),
        ("jump between instructions", leap(2), End::Jump),
        ("jump behind the text", leap(0x0001_0000), End::Jump),
        ("jump beside the return address", leap(abi::RETURN_ADDRESS + 4), End::Jump),
        (
            "write an instruction and jump there",
            words(&[&li(T0, RAM), &li(A0, ret()), &[sw(A0, T0, 0), jalr(RA, T0, 0)]]),
            End::Jump,
        ),
        ("unimp", vec![0xC000_1073], End::Illegal),
        ("spin", for_ever(&[addi(A0, A0, 1)]), End::Budget),
        ("tightest spin", words(&[&[jal(0, 0)]]), End::Budget),
        ("spin by branch", words(&[&[branch(0, 0, 0, 0)]]), End::Budget),
        (
            "divide by zero for ever",
            for_ever(&[r(1, 4, A0, A0, 0), r(1, 6, A1, A0, 0)]),
            End::Budget,
        ),
        (
            "divide with overflow",
            words(&[&li(A0, 1 << 31), &li(A1, !0), &[r(1, 4, A0, A0, A1)]]),
            End::Harmless,
        ),
        ("return at once", vec![ret()], End::Harmless),
        // TRAP
        ("a call without permission", calls(0x020, &[1, RAM, 4]), End::NotPermitted),
        ("a call too often", words(&[&call(0x031, &[1]).repeat(4)]), End::TooOften),
        ("a call that does not exist", calls(0x003, &[]), End::UnknownCall),
        ("a private call without provider", calls(0x7FF, &[]), End::UnknownCall),
        ("a call that the host does not have", calls(0x053, &[0; 4]), End::UnknownCall),
        ("a call in which the host fails", calls(0x055, &[RAM, 4]), End::HostFailed),
        ("register a handler late", calls(0x001, &[0]), End::Registration),
        ("register a buffer late", calls(0x002, &[RAM, 16]), End::Registration),
        ("a message from nowhere", calls(0x011, &[0x5000_0000, 4]), End::Pointer),
        ("a message over the end", calls(0x011, &[RAM_END - 4, 5]), End::Pointer),
        ("a message over two regions", calls(0x011, &[RAM_END - 4, 0x2000]), End::Pointer),
        ("a message that wraps", calls(0x011, &[!0, 2]), End::Pointer),
        ("a message of 4 GiB", calls(0x011, &[RAM, !0]), End::Pointer),
        ("a message longer than calls move", calls(0x011, &[RAM, 0x1_0001]), End::Pointer),
        ("an empty message from nowhere", calls(0x011, &[0x5000_0000, 0]), End::Harmless),
        ("a stack in the code", words(&[&[addi(SP, 0, 64), trap_word(0x011)]]), End::Stack),
        ("a stack at null", words(&[&[addi(SP, 0, 0), trap_word(0x011)]]), End::Stack),
        ("a stack that wraps", words(&[&[addi(SP, 0, -4), trap_word(0x011)]]), End::Stack),
        ("an empty stack", words(&[&[trap_word(0x011)]]), End::Stack),
        ("a stack below its page", words(&[&li(SP, STACK - 4), &[trap_word(0x011)]]), End::Stack),
        ("calls for ever", for_ever(&call(0x047, &[1])), End::Budget),
        ("messages for ever", for_ever(&call(0x011, &[RAM, 0x4000])), End::Budget),
        ("storage for ever", for_ever(&call(0x061, &[RAM, 16, RAM, 0x2000])), End::Budget),
        ("exit in the middle", calls(0x010, &[3]), End::Exit),
        (
            "a forged return address",
            words(&[&li(X31, RAM), &call(0x047, &[1]), &[jalr(RA, X31, 8)]]),
            // x31 is set by TRAP: it leads behind the jump, past the end of the text.
            End::Jump,
        ),
        (
            "spoil the event's number and answer",
            words(&[&li(T0, RAM), &[addi(A0, 0, -1), sw(A0, T0, 0), sw(A0, T0, 4)]]),
            End::Harmless,
        ),
    ]
}

fn neighbour() -> Client {
    let handler = words(&[&li(T0, RAM), &[lw(A0, T0, 8), addi(A0, A0, 1), sw(A0, T0, 4)]]);
    let mut client = load(&with_handler(&handler), limits()).unwrap();
    client.raise(Event::Initialize, &[], &mut Recorder::default());
    client
}

// attack-test: T-28 T-30 T-31 T-32
// spec-test: X-01 X-Y03 X-S12 X-23
#[test]
fn every_hostile_program_ends_as_told_and_harms_nobody() {
    let programs = programs();
    assert!(programs.len() >= 60, "{}", programs.len());
    let mut beside = neighbour();
    for (name, handler, expected) in programs {
        let mut counts = Vec::new();
        for engine in [Engine::MatchLoop, Engine::Threaded] {
            let code = image(&with_handler(&handler));
            let mut client = Client::load(&code, permits(), limits()).unwrap();
            client.set_engine(engine);
            let mut host = Recorder::default();
            let ready = client.raise(Event::Initialize, &[], &mut host);
            assert_eq!(ready, Outcome::Returned(0), "{name}");
            let outcome = client.raise(Event::Entitlement, &[1, 2, 3], &mut host);
            assert_eq!(end_of(outcome), expected, "{name}: {outcome}");
            let at_end = if expected == End::Harmless { State::Idle } else { State::End };
            assert_eq!(client.state(), at_end, "{name}");
            assert!(client.retired_instructions() <= 200_100, "{name}");
            if expected != End::Harmless {
                let again = client.raise(Event::Timer, &[], &mut host);
                assert!(matches!(again, Outcome::Refused { .. }), "{name}: {again}");
            }
            counts.push((outcome, client.retired_instructions(), client.charged_instructions()));
            let next = beside.raise(Event::Timer, &[41], &mut host);
            assert_eq!(next, Outcome::Returned(42), "{name}");
        }
        assert_eq!(counts[0], counts[1], "{name}");
    }
}

// spec-test: X-C02
// attack-test: T-15
#[test]
fn hostile_texts_are_refused_before_they_run() {
    let refused = |words: &[u32]| Client::load(&image(words), permits(), limits()).err();
    for (name, word) in [
        ("ecall", 0x0000_0073),
        ("ebreak", 0x0010_0073),
        ("read of a counter", 0xC000_2573),
        ("write of a control register", 0x3055_1073),
        ("return from machine mode", 0x3020_0073),
        ("wait for interrupt", 0x1050_0073),
        ("fence.i", 0x0000_100F),
        ("atomic add", 0x00A5_252F),
        ("load reserved", 0x1005_252F),
        ("floating point load", 0x0005_2507),
        ("64 bit load", 0x0005_3503),
        ("compressed pair", 0x0001_0001),
        ("custom-1", 0x0000_002B),
        ("TRAP with another register", 0x0470_0F0B),
        ("TRAP beyond the last id", 0x8001_0F8B),
        ("zeros", 0),
        ("ones", !0),
    ] {
        let found = refused(&[ret(), word, ret()]);
        assert_eq!(found, Some(ScanError::Forbidden { address: 4, word }), "{name}");
    }
    for (name, word) in [
        ("branch behind the text", branch(0, 0, 0, 12)),
        ("branch before the text", branch(1, 0, 0, -8)),
        ("branch between instructions", branch(4, 0, 0, 2)),
        ("call of RAM", jal(RA, 0x000F_FFFC)),
    ] {
        let found = refused(&[ret(), word, ret()]);
        assert!(matches!(found, Some(ScanError::Target { address: 4, .. })), "{name}: {found:?}");
    }
    assert_eq!(refused(&[ret(), addi(A0, 0, 0)]), Some(ScanError::FallsThrough));
    let mut none = PermitTable::deny_all();
    none.permit(Event::Timer, 1);
    let call = Client::load(&image(&[trap_word(0x071), ret()]), none, limits()).err();
    assert_eq!(call, Some(ScanError::Call { address: 0, id: 0x071 }));
}
