//! Matrices in full: every state with every event, as a generated page that is compared with the
//! committed one, and every system call with every class of pointer.
//!
//! `PORTCULLIS_WRITE_SNAPSHOTS=1` writes the page anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fmt::Write as _;

use portcullis_svm::{
    CallPermitted, Client, Event, GuestMemory, GuestSlice, HostFault, Limits, Outcome, Reply,
    State, Syscall, SystemCalls, Violation, ViolationKind, abi, transition,
};
use support::*;

/// What one event does to a client at rest in a state: outcome and all states it goes through.
fn behaviour(state: State, event: Event) -> String {
    let mut client = load(&with_handler(&[ret()]), Limits::default()).unwrap();
    let mut host = Recorder::default();
    if state != State::Loaded {
        client.raise(Event::Initialize, &[], &mut host);
    }
    if state == State::End {
        client.raise(Event::Terminate, &[], &mut host);
    }
    assert_eq!(client.state(), state);
    host.states.clear();
    let outcome = client.raise(event, &[], &mut host);
    let mut text = outcome.to_string();
    for state in &host.states {
        write!(text, " > {state}").unwrap();
    }
    text
}

fn page() -> String {
    let mut page = String::from("State x event, as the table of transitions has it\n\n");
    for state in State::ALL {
        for event in Event::ALL {
            let to = transition(state, event).map_or("-", State::name);
            writeln!(page, "{:13} {:13} {to}", state.name(), event.name()).unwrap();
        }
    }
    page += "\nState x event, as a client at rest shows it\n\n";
    for state in [State::Loaded, State::Idle, State::End] {
        for event in Event::ALL {
            writeln!(page, "{:13} {:13} {}", state.name(), event.name(), behaviour(state, event))
                .unwrap();
        }
    }
    page
}

// spec-test: X-S07 X-S03 X-S04 X-S05 X-S12 X-S13 X-S14 X-E01
#[test]
fn every_state_with_every_event_is_as_the_committed_page_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/states.txt");
    let page = page();
    if std::env::var_os("PORTCULLIS_WRITE_SNAPSHOTS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(page, std::fs::read_to_string(path).unwrap());
}

/// How a call uses a pointer: which parameter, how long, and for what.
struct Pointer {
    at: usize,
    len: Len,
    output: bool,
}

enum Len {
    Fixed(u32),
    Parameter(usize),
}

fn pointers(call: Syscall) -> Vec<Pointer> {
    use Len::{Fixed, Parameter};
    let input = |at, len| Pointer { at, len, output: false };
    let output = |at, len| Pointer { at, len, output: true };
    match call {
        Syscall::PutMsg
        | Syscall::PutContent
        | Syscall::KlSetEk2
        | Syscall::KlSetEk1
        | Syscall::ClientStatus => vec![input(0, Parameter(1))],
        Syscall::Log => vec![input(1, Parameter(2))],
        Syscall::GetToken => vec![output(1, Parameter(2))],
        Syscall::KlLoadCw => vec![input(2, Fixed(16)), input(3, Parameter(4))],
        Syscall::KlChallenge => vec![input(0, Fixed(16)), output(1, Fixed(16))],
        Syscall::KlOpenMessage | Syscall::NvRead => {
            vec![input(0, Parameter(1)), output(2, Parameter(3))]
        }
        Syscall::GetMsg => vec![output(0, Parameter(1))],
        Syscall::SyncCall
        | Syscall::TlsSend
        | Syscall::UiMessage
        | Syscall::ChannelSend
        | Syscall::ExportSession => vec![input(1, Parameter(2))],
        Syscall::TlsConnect | Syscall::Watermark | Syscall::ImportSession => {
            vec![input(0, Parameter(1))]
        }
        Syscall::AesCmac => vec![input(1, Parameter(2)), output(3, Fixed(16))],
        Syscall::HmacSha256 => vec![input(1, Parameter(2)), output(3, Fixed(32))],
        Syscall::HkdfToHandle | Syscall::HttpRequest => {
            vec![input(1, Parameter(2)), input(3, Parameter(4))]
        }
        Syscall::CardReset => vec![output(1, Parameter(2))],
        Syscall::CardApdu => vec![input(1, Parameter(2)), output(3, Parameter(4))],
        Syscall::Sha256 => vec![input(0, Parameter(1)), output(2, Fixed(32))],
        Syscall::VerifySig => vec![input(1, Parameter(2)), input(3, Fixed(64))],
        Syscall::Random => vec![output(0, Parameter(1))],
        Syscall::NvWrite => vec![input(0, Parameter(1)), input(2, Parameter(3))],
        Syscall::SetEventHandler
        | Syscall::SetEventParamBuffer
        | Syscall::Exit
        | Syscall::HeapSize
        | Syscall::StackSize
        | Syscall::TokenInfo
        | Syscall::KlSetVendor
        | Syscall::KlRelease
        | Syscall::KeyRelease
        | Syscall::NetClose
        | Syscall::SetTimer
        | Syscall::CancelTimer
        | Syscall::ParentalCheck
        | Syscall::ChannelOpen
        // The machine answers it: its pointers depend on the function, and `clib.rs` tests them.
        | Syscall::CLib
        | Syscall::NvMonotonicInc => vec![],
        other => panic!("{other} is new: say how it uses pointers"),
    }
}

/// Does what the table above says, first all inputs, then all outputs.
#[derive(Default)]
struct Faithful {
    read: Vec<Vec<u8>>,
}

impl SystemCalls for Faithful {
    fn call(
        &mut self,
        _: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        let len = |pointer: &Pointer| match pointer.len {
            Len::Fixed(len) => len,
            Len::Parameter(at) => args[at],
        };
        for pointer in pointers(call).iter().filter(|p| !p.output) {
            self.read.push(memory.read(args[pointer.at], len(pointer))?);
        }
        for pointer in pointers(call).iter().filter(|p| p.output) {
            let place = GuestSlice::writable(memory, args[pointer.at], len(pointer))?;
            memory.write(place.address(), &vec![0xEE; place.len() as usize])?;
        }
        Ok(Reply::ok(0))
    }
}

/// The client's memory as the manual describes it, told a second time.
fn legal(limits: &Limits, code: u32, pointer: u32, len: u32, output: bool) -> bool {
    let stack = abi::RAM_BASE + limits.ram_bytes + abi::GUARD_BYTES;
    let regions = [
        (0, code, false),
        (abi::RAM_BASE, limits.ram_bytes, true),
        (stack, limits.stack_bytes, true),
    ];
    let within = |(base, size, writable): (u32, u32, bool)| {
        (writable || !output)
            && u64::from(pointer) >= u64::from(base)
            && u64::from(pointer) + u64::from(len) <= u64::from(base) + u64::from(size)
    };
    len == 0 || len <= abi::CALL_BYTES_MAX && regions.into_iter().any(within)
}

// attack-test: T-28
// spec-test: X-29
#[test]
fn every_call_with_every_class_of_pointer() {
    let limits =
        Limits { ram_bytes: 0x2_0000, heap_bytes: 4096, stack_bytes: 4096, ..Limits::default() };
    let ram_end = abi::RAM_BASE + limits.ram_bytes;
    let stack = ram_end + abi::GUARD_BYTES;
    let stack_end = stack + limits.stack_bytes;
    let mut tried = 0;
    for call in Syscall::TABLE {
        for pointer in pointers(*call) {
            let lens = match pointer.len {
                Len::Fixed(len) => vec![len],
                Len::Parameter(_) => {
                    vec![0, 1, 2, 64, abi::CALL_BYTES_MAX, abi::CALL_BYTES_MAX + 1, !0]
                }
            };
            for len in lens {
                let mut classes =
                    vec![0, 4, abi::RAM_BASE - 1, abi::RAM_BASE, stack - 1, stack, !0, 0x8000_0000];
                for end in [ram_end, stack_end] {
                    // The last place where it fits, and one further; the end itself and around it.
                    classes.extend([end.wrapping_sub(len), end.wrapping_sub(len).wrapping_add(1)]);
                    classes.extend([end - 1, end, end + 1]);
                }
                // The sum of pointer and length wraps to something small, or to zero.
                classes.extend([0_u32.wrapping_sub(len), 1_u32.wrapping_sub(len)]);
                for place in classes {
                    // The others are good and short.
                    let mut args = vec![abi::RAM_BASE + 256; call.arguments()];
                    for other in pointers(*call) {
                        if let Len::Parameter(at) = other.len {
                            args[at] = 8;
                        }
                    }
                    args[pointer.at] = place;
                    if let Len::Parameter(at) = pointer.len {
                        args[at] = len;
                    }
                    let mut words = support::call(call.id(), &args);
                    words.extend(exit_with(0));
                    let mut client = load(&words, limits).unwrap();
                    let outcome = client.raise(Event::Initialize, &[], &mut Faithful::default());
                    let what = format!(
                        "{call} {pointer} {len:#x} at {place:#x}: {outcome}",
                        pointer = pointer.at
                    );
                    if legal(&limits, 4096, place, len, pointer.output) {
                        assert_eq!(outcome, Outcome::Exited(0), "{what}");
                    } else {
                        assert!(
                            matches!(
                                outcome,
                                Outcome::Violation(Violation {
                                    kind: ViolationKind::Pointer { call: of, .. },
                                    ..
                                }) if of == *call
                            ),
                            "{what}"
                        );
                        assert_eq!(client.state(), State::End);
                    }
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 2000, "{tried}");
}

// attack-test: T-28 T-29
#[test]
fn an_output_over_the_input_changes_nothing_of_what_was_read() {
    for call in Syscall::TABLE {
        let (inputs, outputs): (Vec<_>, Vec<_>) =
            pointers(*call).into_iter().partition(|p| !p.output);
        for (input, output) in inputs.iter().flat_map(|i| outputs.iter().map(move |o| (i, o))) {
            for distance in [0, 1, 7, 8] {
                let mut args = vec![8; call.arguments()];
                args[input.at] = abi::RAM_BASE + 8;
                args[output.at] = abi::RAM_BASE + 8 + distance;
                let mut words = Vec::from(li(T0, abi::RAM_BASE));
                words.extend(li(A0, 0x0403_0201));
                words.extend([sw(A0, T0, 8), sw(A0, T0, 12)]);
                words.extend(support::call(call.id(), &args));
                words.extend(exit_with(0));
                let mut host = Faithful::default();
                let mut client = load(&words, Limits::default()).unwrap();
                assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Exited(0));
                assert_eq!(host.read[0][..8], [1, 2, 3, 4, 1, 2, 3, 4], "{call} {distance}");
            }
        }
    }
}

/// Every parameter count with the stack at every edge: pops are checked like pointers.
// attack-test: T-28
#[test]
fn parameters_are_popped_from_the_clients_own_memory_only() {
    let limits =
        Limits { ram_bytes: 0x2000, heap_bytes: 0, stack_bytes: 4096, ..Limits::default() };
    let ram_end = abi::RAM_BASE + limits.ram_bytes;
    let stack_end = ram_end + abi::GUARD_BYTES + limits.stack_bytes;
    for call in Syscall::TABLE.iter().filter(|call| call.arguments() > 0 && !call.is_internal()) {
        let size = call.arguments() as u32 * 4;
        for sp in [
            0,
            4,
            abi::RAM_BASE - 4,
            ram_end - size + 4,
            ram_end,
            ram_end + 8,
            stack_end - size + 4,
            stack_end,
            !3,
            !0,
        ] {
            let mut words = Vec::from(li(SP, sp));
            words.extend([abi::trap_word(call.id()), ret()]);
            let mut client = load(&words, limits).unwrap();
            let mut host = Recorder::default();
            let outcome = client.raise(Event::Initialize, &[], &mut host);
            let Outcome::Violation(Violation { kind: ViolationKind::Stack { .. }, .. }) = outcome
            else {
                panic!("{call} {sp:#x}: {outcome}");
            };
            assert!(host.calls.is_empty());
        }
    }
}

fn traced(client: &mut Client) -> Vec<String> {
    let mut host = Recorder::default();
    client.raise(Event::Initialize, &[], &mut host);
    host.steps
}

// spec-test: X-T01 X-T04 X-T05 X-T06 X-T07 X-T08
#[test]
fn each_step_of_a_call_can_be_seen_in_its_order() {
    let mut words = call(0x031, &[7]);
    let after = words.len() as u32 * 4;
    words.extend(exit_with(0));
    let top = abi::RAM_BASE + (1 << 20) + abi::GUARD_BYTES + (64 << 10);
    for by_provider in [false, true] {
        let mut client = load(&words, Limits::default()).unwrap();
        if by_provider {
            let same = |_, _: &[u32], _: &mut _| Ok(Reply { result: 77, status: -3 });
            assert!(client.set_provider(Syscall::TokenInfo, 1, Box::new(same)));
        }
        let steps = traced(&mut client);
        let expected = [
            "State { from: Loaded, to: Initialize }".to_owned(),
            "Enter { event: Initialize, pc: 0 }".to_owned(),
            format!("Trap {{ id: 49, stack: {}, return_pc: {after} }}", top - 4),
            format!(
                "Called {{ call: TokenInfo, args: [7], stack: {top}, \
                 reply: Reply {{ result: 77, status: -3 }}, by_provider: {by_provider} }}"
            ),
            format!("Resumed {{ pc: {after} }}"),
        ];
        assert_eq!(steps[..5], expected);
    }
}

// spec-test: X-T06 X-T07 X-49
// attack-test: T-30
#[test]
fn a_provider_is_asked_after_the_policy_and_bound_by_the_same_rules() {
    use std::sync::{Arc, Mutex};
    let words = [call(0x031, &[abi::RAM_BASE]), exit_with(0)].concat();
    type Answer = fn(&mut GuestMemory, u32) -> Result<Reply, HostFault>;
    let answers: [(Answer, &str); 4] = [
        (|_, _| Ok(Reply::ok(1)), "exited with 0"),
        (|memory, _| Ok(Reply::ok(memory.read(0x5000_0000, 4)?.len() as u32)), "policy violation"),
        (|_, _| Err(HostFault::Host("gone")), "fault: TokenInfo (0x031): host failed: gone"),
        (|_, _| Err(HostFault::NoSuchCall), "policy violation"),
    ];
    for permitted in [true, false] {
        for (answer, expected) in answers {
            let mut table = everything();
            if !permitted {
                table = portcullis_svm::PermitTable::deny_all();
                table.permit(Event::Initialize, 0x010);
                table.permit(Event::Timer, 0x031);
            }
            let mut client = Client::load(&image(&words), table, Limits::default()).unwrap();
            let asked = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&asked);
            let function = move |permit: CallPermitted, args: &[u32], memory: &mut GuestMemory| {
                assert_eq!((permit.event(), permit.id()), (Event::Initialize, 0x031));
                seen.lock().unwrap().push(args.to_vec());
                answer(memory, args[0])
            };
            assert!(client.set_provider(Syscall::TokenInfo, 1, Box::new(function)));
            let outcome = client.raise(Event::Initialize, &[], &mut Recorder::default());
            let expected = if permitted { expected } else { "policy violation" };
            assert!(outcome.to_string().starts_with(expected), "{outcome}");
            assert_eq!(asked.lock().unwrap().len(), usize::from(permitted));
        }
    }
}

// spec-test: X-49
#[test]
fn a_provider_comes_before_initialize_and_keeps_the_signature() {
    let none = || Box::new(|_: CallPermitted, _: &[u32], _: &mut GuestMemory| Ok(Reply::ok(0)));
    let mut client = load(&with_handler(&[ret()]), Limits::default()).unwrap();
    for call in Syscall::TABLE {
        let takes = client.set_provider(*call, call.arguments(), none());
        assert_eq!(takes, !call.is_internal(), "{call}");
        assert!(!client.set_provider(*call, call.arguments() + 1, none()), "{call}");
    }
    for id in [0x400, 0x7FF] {
        assert!(client.set_provider(Syscall::ProviderPrivate(id), 8, none()));
        assert!(!client.set_provider(Syscall::ProviderPrivate(id), 9, none()));
    }
    client.raise(Event::Initialize, &[], &mut Recorder::default());
    assert!(!client.set_provider(Syscall::TokenInfo, 1, none()), "too late");
}
