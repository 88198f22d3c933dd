//! Clones of a loaded client: the same as a load of its own, and nothing of one in another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{
    Client, Engine, Event, Limits, Outcome, Recorder as Trace, Reply, SnapshotError, Spare, State,
    Syscall, abi,
};
use support::{A0, Recorder, T0, addi, call, load, lw, ret, sw, with_handler};

/// Counts its events in RAM and returns the count.
fn counter() -> Vec<u32> {
    let mut handler = support::li(T0, abi::RAM_BASE + 0x2000).to_vec();
    handler.extend([lw(A0, T0, 0), addi(A0, A0, 1), sw(A0, T0, 0)]);
    handler.extend(support::li(T0, abi::RAM_BASE));
    handler.extend([sw(A0, T0, 4), ret()]);
    with_handler(&handler)
}

fn raise(client: &mut Client) -> Outcome {
    client.raise(Event::Timer, &[], &mut Recorder::default())
}

fn ready() -> Client {
    let mut client = load(&counter(), Limits::default()).unwrap();
    client.raise(Event::Initialize, &[], &mut Recorder::default());
    client
}

/// Everything a trace says after one more event: registers, memory, counts.
fn trace_of(mut client: Client) -> Vec<u8> {
    let mut trace = Trace::new(&client, [0; 32], 1 << 20);
    trace.raise(&mut client, Event::Timer, &[1, 2, 3], &[], &mut Recorder::default());
    trace.take()
}

#[test]
fn a_clone_goes_on_where_the_client_was_and_apart_from_it() {
    let mut original = ready();
    assert_eq!(raise(&mut original), Outcome::Returned(1));
    let snapshot = original.snapshot().unwrap();
    assert_eq!(raise(&mut original), Outcome::Returned(2));
    let (mut one, mut two) = (snapshot.instantiate(), snapshot.instantiate());
    assert_eq!(snapshot.sharers(), 4, "text of the original, the snapshot and both clones");
    for expected in 2..5 {
        assert_eq!(raise(&mut one), Outcome::Returned(expected));
    }
    assert_eq!(raise(&mut two), Outcome::Returned(2));
    assert_eq!(raise(&mut original), Outcome::Returned(3));
    drop((one, two));
    assert_eq!(snapshot.sharers(), 2);
}

#[test]
fn a_clone_is_bit_for_bit_what_the_client_was_on_every_engine() {
    for engine in [Engine::MatchLoop, Engine::Threaded] {
        let mut client = ready();
        client.set_engine(engine);
        raise(&mut client);
        let snapshot = client.snapshot().unwrap();
        let of_clone = trace_of(snapshot.instantiate());
        assert_eq!(of_clone, trace_of(snapshot.instantiate_with(&mut Spare::default())));
        assert_eq!(of_clone, trace_of(client));
    }
    // Right after the load too: the clone then runs Initialize itself.
    let loaded = load(&counter(), Limits::default()).unwrap();
    let mut clone = loaded.snapshot().unwrap().instantiate();
    assert_eq!(clone.state(), State::Loaded);
    clone.raise(Event::Initialize, &[], &mut Recorder::default());
    assert_eq!(raise(&mut clone), Outcome::Returned(1));
}

// spec-test: X-S12
#[test]
fn nothing_of_one_clone_is_in_the_next_that_gets_its_memory() {
    let client = ready();
    let snapshot = client.snapshot().unwrap();
    let fresh = trace_of(snapshot.instantiate());
    let mut spare = Spare::default();
    for _ in 0..3 {
        let mut clone = snapshot.instantiate_with(&mut spare);
        for expected in 1..10 {
            assert_eq!(raise(&mut clone), Outcome::Returned(expected));
        }
        clone.give_back(&mut spare);
        // The same memory again, and the same as one that was never used.
        assert_eq!(trace_of(snapshot.instantiate_with(&mut spare)), fresh);
    }
}

#[test]
fn a_snapshot_has_the_pages_in_use_and_no_more() {
    let client = ready();
    let before = client.snapshot().unwrap().pages();
    let mut client = client;
    raise(&mut client);
    // One page of RAM has the count now, another the parameter buffer with the event's number.
    assert_eq!(client.snapshot().unwrap().pages(), before + 2);
}

#[test]
fn there_is_no_snapshot_in_the_middle_or_with_a_provider() {
    let mut client = ready();
    client.post(Event::Timer, &[]).unwrap();
    assert_eq!(client.snapshot().unwrap_err(), SnapshotError::Busy(State::Idle, 1));
    client.force_end(&mut Recorder::default());
    assert_eq!(client.snapshot().unwrap_err(), SnapshotError::Busy(State::End, 0));

    let mut words = call(0x031, &[1]);
    words.push(ret());
    let mut client = load(&with_handler(&words), Limits::default()).unwrap();
    let function = |_, _: &[u32], _: &mut _| Ok(Reply::ok(0));
    assert!(client.set_provider(Syscall::TokenInfo, 1, Box::new(function)));
    assert_eq!(client.snapshot().unwrap_err(), SnapshotError::Providers);
}
