//! A client that was recorded replays bit for bit, and whatever is not as recorded is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{
    CallPermitted, Client, Difference, Engine, Event, GuestMemory, HostFault, Limits, Outcome,
    ProviderFunction, Recorder, Replay, ReplayError, Reply, SLICE, State, Syscall, SystemCalls,
    abi,
};
use proptest::prelude::*;
use support::{A0, RA, SP, T0, addi, branch, call, image, jal, lw, ret, sw, with_handler};

const IDENTITY: [u8; 32] = [7; 32];
const TOKEN: &[u8] = b"sealed message, 32 octets of it!";
const BUFFER: u32 = abi::RAM_BASE + 0x200;

/// A host of the field: a token, randomness, and an order to end at some time.
#[derive(Default)]
struct Field {
    random: u8,
    asked: u32,
    end_at: u32,
}

impl SystemCalls for Field {
    fn call(
        &mut self,
        _: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        match (call, args) {
            (Syscall::GetToken, &[_, ptr, cap]) => Ok(memory.reply_with(ptr, cap, TOKEN)?),
            (Syscall::Random, &[ptr, len]) => {
                self.random = self.random.wrapping_add(1);
                memory.write(ptr, &vec![self.random; len as usize])?;
                Ok(Reply::ok(len))
            }
            (Syscall::PutMsg, &[ptr, len]) => {
                memory.read(ptr, len)?;
                Ok(Reply::ok(0))
            }
            (Syscall::NvRead, _) => Err(HostFault::Host("the disk is gone")),
            _ => Err(HostFault::NoSuchCall),
        }
    }

    fn must_end(&mut self) -> bool {
        self.asked += 1;
        self.asked == self.end_at
    }
}

fn limits() -> Limits {
    Limits { ram_bytes: 8192, stack_bytes: 4096, ..Limits::default() }
}

/// Takes the token, says it, mixes in randomness and answers with a word of that.
fn client() -> Vec<u32> {
    let mut handler = call(0x030, &[abi::token::ECM, BUFFER, 64]);
    handler.extend(call(0x011, &[BUFFER, TOKEN.len() as u32]));
    handler.extend(call(0x055, &[BUFFER + 64, 8]));
    handler.extend(support::li(T0, BUFFER));
    handler.extend([lw(A0, T0, 64), lw(T0, T0, 0), support::r(0, 4, A0, A0, T0)]);
    handler.extend(support::li(T0, abi::RAM_BASE));
    handler.extend([sw(A0, T0, 4), ret()]);
    with_handler(&handler)
}

fn loaded(words: &[u32], limits: Limits, engine: Engine) -> Client {
    let mut client = Client::load(&image(words), support::everything(), limits).unwrap();
    client.set_engine(engine);
    client
}

const ENGINES: [Engine; 2] = [Engine::MatchLoop, Engine::Threaded];

fn record(words: &[u32], limits: Limits, engine: Engine, events: &[Event]) -> Vec<u8> {
    let (mut client, mut host) = (loaded(words, limits, engine), Field::default());
    let mut recorder = Recorder::new(&client, IDENTITY, 1 << 20);
    for event in events {
        let tokens: &[(u32, &[u8])] =
            if *event == Event::ChangeKey { &[(abi::token::ECM, TOKEN)] } else { &[] };
        recorder.raise(&mut client, *event, &[1, 32], tokens, &mut host);
    }
    recorder.take()
}

fn replay(trace: &[u8], mut client: Client) -> Result<u32, ReplayError> {
    Replay::open(trace, &mut client, IDENTITY)?.run(&mut client)
}

const DAY: [Event; 5] =
    [Event::Initialize, Event::ChangeKey, Event::Timer, Event::ChangeKey, Event::Terminate];

#[test]
fn a_recorded_client_replays_bit_for_bit_on_every_engine() {
    let words = client();
    let traces = ENGINES.map(|engine| record(&words, limits(), engine, &DAY));
    assert_eq!(traces[0], traces[1], "engines leave the same trace");
    for engine in ENGINES {
        let mut client = loaded(&words, limits(), engine);
        let mut replay = Replay::open(&traces[0], &mut client, IDENTITY).unwrap();
        let mut ends = Vec::new();
        while let Some(replayed) = replay.next_event(&mut client).unwrap() {
            ends.push((
                replayed.event,
                replayed.calls,
                matches!(replayed.outcome, Outcome::Returned(_)),
            ));
        }
        let expected =
            DAY.map(|event| (event, if event == Event::Initialize { 2 } else { 3 }, true));
        assert_eq!(ends, expected);
        assert_eq!(client.state(), State::End);
        assert!(!replay.is_full());
    }
}

#[test]
fn whatever_octet_is_changed_the_replay_does_not_succeed() {
    let words = client();
    let trace = record(&words, limits(), Engine::default(), &DAY[..3]);
    assert_eq!(replay(&trace, loaded(&words, limits(), Engine::default())), Ok(3));
    for at in 0..trace.len() {
        let mut changed = trace.clone();
        changed[at] ^= 1 << (at % 8);
        let replayed = replay(&changed, loaded(&words, limits(), Engine::default()));
        assert!(replayed.is_err(), "octet {at} of {}", trace.len());
    }
    // Cut off: an error but at the border of an event.
    let whole = (0..trace.len())
        .filter(|len| replay(&trace[..*len], loaded(&words, limits(), Engine::default())).is_ok());
    assert_eq!(whole.count(), 3, "after Begin, and after each event but the last");
}

#[test]
fn a_divergence_names_event_call_and_pc() {
    let words = client();
    let trace = record(&words, limits(), Engine::default(), &DAY);
    let mut changed = trace.clone();
    // The last copy of the token is what PutMsg read in the second ChangeKey, the one before is
    // what GetToken wrote there.
    let found: Vec<usize> = (0..trace.len()).filter(|at| trace[*at..].starts_with(TOKEN)).collect();
    let written = found[found.len() - 4];
    changed[written] ^= 0x20;
    let error = replay(&changed, loaded(&words, limits(), Engine::default())).unwrap_err();
    let trap = words.iter().rposition(|word| *word == abi::trap_word(0x011)).unwrap() as u32 * 4;
    let ReplayError::Diverged { number, event, call, pc, what } = &error else {
        panic!("{error}");
    };
    assert_eq!((*call, *pc), (2, trap), "{error}");
    assert_eq!((*number, *event), (4, Event::ChangeKey), "{error}");
    assert_eq!(*what, Difference::Memory(BUFFER));
    let line = error.to_string();
    assert!(line.starts_with("event 4 (ChangeKey), call 2, pc 0x"), "{line}");

    // A client that makes another call there.
    let mut other = words.clone();
    let at = trap as usize / 4;
    other[at] = abi::trap_word(0x084);
    let error = replay(&trace, loaded(&other, limits(), Engine::default())).unwrap_err();
    assert_eq!(error, ReplayError::OtherClient("the memory after the load"));
}

#[test]
fn a_trace_of_another_client_is_refused() {
    let words = client();
    let trace = record(&words, limits(), Engine::default(), &DAY);
    let open = |trace: &[u8], limits: Limits, identity| {
        let mut client = loaded(&words, limits, Engine::default());
        Replay::open(trace, &mut client, identity).err()
    };
    assert_eq!(open(&trace, limits(), IDENTITY), None);
    assert_eq!(open(&trace, limits(), [8; 32]), Some(ReplayError::OtherClient("the package")));
    let more = Limits { budget: limits().budget + 1, ..limits() };
    assert_eq!(open(&trace, more, IDENTITY), Some(ReplayError::OtherClient("a limit")));
    assert_eq!(open(b"ELF", limits(), IDENTITY), Some(ReplayError::NotATrace));
    let newer = [b"PCTRACE\x02", &trace[8..]].concat();
    assert_eq!(open(&newer, limits(), IDENTITY), Some(ReplayError::NotATrace));
}

#[test]
fn faults_violations_and_a_failing_host_replay_too() {
    for handler in [
        call(0x060, &[BUFFER, 4, BUFFER, 4]),
        call(0x011, &[0xFFFF_0000, 16]),
        call(0x300, &[]),
        vec![sw(SP, 0, 0)],
        vec![jal(0, 0)],
    ] {
        let mut handler = handler;
        handler.push(ret());
        let words = with_handler(&handler);
        let limits = Limits { budget: 10_000, ..limits() };
        let trace = record(&words, limits, Engine::MatchLoop, &[Event::Initialize, Event::Timer]);
        for engine in ENGINES {
            let mut client = loaded(&words, limits, engine);
            let mut replay = Replay::open(&trace, &mut client, IDENTITY).unwrap();
            replay.next_event(&mut client).unwrap();
            let last = replay.next_event(&mut client).unwrap().unwrap();
            assert!(!matches!(last.outcome, Outcome::Returned(_)), "{}", last.outcome);
            assert_eq!(replay.next_event(&mut client), Ok(None));
        }
    }
}

#[test]
fn a_providers_answers_are_in_the_trace() {
    let mut handler = call(0x400, &[BUFFER, 3]);
    handler.extend(support::li(T0, abi::RAM_BASE));
    handler.extend([sw(A0, T0, 4), ret()]);
    let words = with_handler(&handler);
    let mut client = loaded(&words, limits(), Engine::default());
    let function: ProviderFunction = Box::new(|_, args, memory| {
        memory.write(args[0], b"from the provider")?;
        Ok(Reply::ok(args[1] * 100))
    });
    assert!(client.set_provider(Syscall::ProviderPrivate(0x400), 2, function));
    let mut recorder = Recorder::new(&client, IDENTITY, 1 << 20);
    let mut host = Field::default();
    recorder.raise(&mut client, Event::Initialize, &[], &[], &mut host);
    let outcome = recorder.raise(&mut client, Event::Timer, &[], &[], &mut host);
    assert_eq!(outcome, Outcome::Returned(300));
    let trace = recorder.take();
    assert_eq!(replay(&trace, loaded(&words, limits(), Engine::MatchLoop)), Ok(2));
}

/// A handler that never comes back.
fn spinning() -> Vec<u32> {
    with_handler(&[addi(T0, T0, 1), branch(0, 0, 0, -4), jalr_never()])
}

fn jalr_never() -> u32 {
    support::jalr(0, RA, 0)
}

// spec-test: X-S12 X-24
// attack-test: T-31
#[test]
fn the_host_ends_a_client_that_spins_after_exactly_the_slices_it_was_given() {
    let budget = 10 * SLICE;
    for engine in ENGINES {
        let words = spinning();
        let mut client = loaded(&words, Limits { budget, ..limits() }, engine);
        let mut host = Field { end_at: 3, ..Field::default() };
        let mut recorder = Recorder::new(&client, IDENTITY, 1 << 20);
        recorder.raise(&mut client, Event::Initialize, &[], &[], &mut host);
        let before = client.retired_instructions();
        let outcome = recorder.raise(&mut client, Event::Timer, &[], &[], &mut host);
        assert_eq!(outcome, Outcome::Ended { event: Event::Timer });
        assert_eq!(client.retired_instructions() - before, 3 * SLICE);
        assert_eq!(client.state(), State::End);
        let trace = recorder.take();
        for engine in ENGINES {
            let again = loaded(&words, Limits { budget, ..limits() }, engine);
            assert_eq!(replay(&trace, again), Ok(2));
        }
        // Without an order it runs to the last instruction of its budget, slices or not.
        let budget = 2 * SLICE + 12_345;
        let mut client = loaded(&words, Limits { budget, ..limits() }, engine);
        let mut host = Field::default();
        client.raise(Event::Initialize, &[], &mut host);
        let before = client.retired_instructions();
        let outcome = client.raise(Event::Timer, &[], &mut host);
        assert_eq!(outcome, Outcome::OutOfBudget { event: Event::Timer });
        assert_eq!((client.retired_instructions() - before, host.asked), (budget, 2));
    }
}

#[test]
fn a_trace_ends_at_its_limit_and_the_client_does_not() {
    let words = client();
    let mut client = loaded(&words, limits(), Engine::default());
    let mut host = Field::default();
    let mut recorder = Recorder::new(&client, IDENTITY, 2000);
    recorder.raise(&mut client, Event::Initialize, &[], &[], &mut host);
    let mut outcomes = 0;
    while !recorder.is_full() {
        let tokens: &[(u32, &[u8])] = &[(abi::token::ECM, TOKEN)];
        let outcome = recorder.raise(&mut client, Event::ChangeKey, &[1, 32], tokens, &mut host);
        outcomes += u32::from(matches!(outcome, Outcome::Returned(_)));
        assert!(outcomes < 20);
    }
    recorder.raise(&mut client, Event::ChangeKey, &[1, 32], &[], &mut host);
    let trace = recorder.take();
    assert!(trace.len() <= 2000, "{}", trace.len());
    let mut again = loaded(&words, limits(), Engine::default());
    let mut replay = Replay::open(&trace, &mut again, IDENTITY).unwrap();
    let mut whole = 0;
    while replay.next_event(&mut again).unwrap().is_some() {
        whole += 1;
    }
    assert!(replay.is_full() && whole >= 2, "{whole}");
}

proptest! {
    #[test]
    fn no_trace_makes_the_replay_panic(octets in prop::collection::vec(any::<u8>(), 0..400), keep in 0_usize..1200) {
        let words = client();
        let mut trace = record(&words, limits(), Engine::default(), &DAY[..3]);
        trace.truncate(8 + keep);
        trace.extend(octets);
        let _ = replay(&trace, loaded(&words, limits(), Engine::default()));
    }
}
