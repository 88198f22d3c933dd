//! Two clients at once: what one does, the other must not feel. And a client with nothing to do
//! costs nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use portcullis_messages::Layout;
use portcullis_svm::abi::{reason, token};
use portcullis_svm::{Client, Event, Outcome, State};
use support::sections::{NOW, ecm, group, unique};
use support::{Host, guest};

/// Every guest that misbehaves and loads, so that it runs.
const HOSTILE: [&str; 8] = [
    "spin",
    "alloc-storm",
    "stack",
    "write-code",
    "jump-ram",
    "register-again",
    "call-storm",
    "wild-pointers",
];
/// ECMs of one measurement.
const ECMS: usize = 400;

/// Seconds that a soak gives the tests that wait; `None` in an ordinary run.
fn soak() -> Option<u64> {
    std::env::var("PORTCULLIS_SOAK_SECONDS").ok()?.parse().ok()
}

/// The reference client with its rights and keys, and its host.
fn viewer() -> Option<(Client, Host)> {
    let (image, permits, limits) = guest("vendor-a")?;
    let mut host = Host { vendor: 0x0A01, ..Host::new() };
    let mut client = Client::load(&image, permits, limits).unwrap();
    assert_eq!(client.raise(Event::Initialize, &[], &mut host), Outcome::Returned(0));
    let rights = unique(Layout::VendorA, 0xA0A0, 5, &[(1, NOW - 10, NOW + 1000)]);
    for section in [rights, group(Layout::VendorA, 9, 1, 1, 40, true)] {
        let given = host.give(&mut client, token::EMM, section);
        assert_eq!(given, Outcome::Returned(reason::OK));
    }
    Some((client, host))
}

/// What the viewer's client spent on each ECM: instructions, and time.
fn watch() -> Option<(Vec<u64>, Vec<Duration>)> {
    let (mut client, mut host) = viewer()?;
    let section = ecm(Layout::VendorA, 1, 40, NOW);
    let (mut spent, mut times) = (Vec::new(), Vec::new());
    for _ in 0..ECMS {
        let (before, started) = (client.retired_instructions(), Instant::now());
        let given = host.give(&mut client, token::ECM, section.clone());
        times.push(started.elapsed());
        assert_eq!(given, Outcome::Returned(reason::OK));
        spent.push(client.retired_instructions() - before);
    }
    // Both control words of each ECM went to the chip.
    assert_eq!(host.loaded.len(), 2 * ECMS);
    Some((spent, times))
}

fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

/// Runs a hostile client over and over until it is told to stop; each run ends as an outcome.
fn rage(name: &str, stop: &AtomicBool, contained: &AtomicU64, ready: &Barrier) {
    let (image, permits, limits) = guest(name).unwrap();
    ready.wait();
    while !stop.load(Ordering::Relaxed) || contained.load(Ordering::Relaxed) == 0 {
        let mut host = Host::new();
        let mut client = Client::load(&image, permits.clone(), limits).unwrap();
        client.raise(Event::Initialize, &[], &mut host);
        let outcome = client.raise(Event::Entitlement, &[16], &mut host);
        assert!(!matches!(outcome, Outcome::Returned(_)), "{name}: {outcome}");
        assert_eq!(client.state(), State::End, "{name}");
        contained.fetch_add(1, Ordering::Relaxed);
    }
}

// spec-test: X-06 X-23
// attack-test: T-31 T-32
#[test]
fn a_hostile_neighbour_changes_nothing_for_the_other_client() {
    let Some((alone, mut times_alone)) = watch() else { return };
    let alone_p99 = p99(&mut times_alone);
    for name in HOSTILE {
        if guest(name).is_none() {
            return;
        }
        let (stop, contained) = (AtomicBool::new(false), AtomicU64::new(0));
        let ready = Barrier::new(2);
        let (spent, mut times) = std::thread::scope(|scope| {
            scope.spawn(|| rage(name, &stop, &contained, &ready));
            ready.wait();
            let watched = watch().unwrap();
            stop.store(true, Ordering::Relaxed);
            watched
        });
        assert_eq!(spent, alone, "{name}: the same instructions for each ECM");
        assert!(contained.into_inner() > 0, "{name} ran");
        // Times say something on a machine that does nothing else: in a soak.
        if soak().is_some() {
            let beside = p99(&mut times);
            println!("{name}: p99 {beside:?} beside it, {alone_p99:?} alone");
            assert!(beside <= alone_p99 * 2, "{name}: p99 {beside:?}, alone {alone_p99:?}");
        }
    }
}

/// `voluntary_ctxt_switches` and the other kind of a thread of this process.
fn switches(thread: i32) -> Vec<u64> {
    let status = std::fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap();
    let counts = status.lines().filter(|line| line.contains("ctxt_switches"));
    counts.map(|line| line.split_whitespace().last().unwrap().parse().unwrap()).collect()
}

// spec-test: X-S01
#[test]
fn a_loaded_client_that_idles_wakes_nobody() {
    let (tell, told) = channel();
    let (go_on, wait) = channel::<()>();
    let owner = std::thread::spawn(move || {
        let me = std::fs::read_link("/proc/thread-self").unwrap();
        let me: i32 = me.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let Some((mut client, mut host)) = viewer() else { return };
        tell.send(me).unwrap();
        wait.recv().unwrap();
        // It was there all the time.
        let section = ecm(Layout::VendorA, 1, 40, NOW);
        assert_eq!(host.give(&mut client, token::ECM, section), Outcome::Returned(reason::OK));
    });
    if let Ok(thread) = told.recv() {
        // The thread goes to sleep once, for its next event.
        std::thread::sleep(Duration::from_millis(300));
        let before = switches(thread);
        std::thread::sleep(Duration::from_secs(soak().unwrap_or(3)));
        assert_eq!(switches(thread), before, "context switches while the client idles");
        go_on.send(()).unwrap();
    }
    owner.join().unwrap();
}
