//! The life of a client in the event manager: timers, lifetime, provider, and how its end is told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_package::Lifetime;
use portcullis_svm::abi::event;
use portcullis_svm::{State, StopKind};
use portcullis_types::{ServiceId, UnixSeconds};
use serde_json::json;

use super::*;
use crate::embedded_scp::event_manager::{RunningClient, Terms};
use crate::embedded_scp::provider::{
    LoadedClient, NativeProvider, ProvidedCall, Provider, ProviderRefused, attach,
};
use crate::embedded_scp::violations;

/// 2027-01-15; the monotonic clock begins with it.
const BEGIN: u64 = 1_800_000_000;

/// A clock that the test moves.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn monotonic_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn wall(&self) -> UnixSeconds {
        UnixSeconds(BEGIN + self.monotonic_ms() / 1000)
    }
}

fn terms(world: &World) -> Terms {
    let lifetime = Lifetime {
        not_before: UnixSeconds(BEGIN - 1),
        not_after: UnixSeconds(BEGIN + 3600),
        max_uptime_seconds: 0,
    };
    let flash = Some(world.dir.path().join("flash"));
    Terms { name: CLIENT, lifetime, report_violations: true, flash }
}

type Running = RunningClient<FakeChip, RealDisk>;

fn start(world: &World, client: Client, terms: Terms, clock: &Hand) -> Running {
    std::fs::create_dir_all(world.dir.path().join("flash")).unwrap();
    let host = world.host(FakeChip::new(1)).with_clock(clock.clone());
    let reporter = host.reporter.clone();
    match RunningClient::start(client, host, reporter, terms, RealDisk) {
        Ok(running) => running,
        Err((stopped, _)) => panic!("{stopped}"),
    }
}

/// A handler that stores its event parameter buffer as a record.
fn noting() -> Vec<u32> {
    let mut handler = poke(RAM + 0x200, b"evt");
    handler.extend(call(0x061, &[RAM + 0x200, 3, RAM + 0x8000, 24], 0x300));
    handler
}

fn noted(running: &Running) -> Option<Vec<u32>> {
    let octets = running.host_ref().store.get(b"revt")?;
    Some(octets.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect())
}

fn records(world: &World, running: Running) -> Vec<violations::ViolationRecord> {
    let mut chip = running.terminate();
    let flash = world.dir.path().join("flash");
    violations::read(RealDisk, &flash, &mut ChipSealer(&mut chip), UnixSeconds(BEGIN)).unwrap()
}

// spec-test: X-S09 X-S01
#[test]
fn a_timer_raises_its_event_on_time_and_nothing_runs_in_between() {
    let (world, clock) = (World::new(), Hand::default());
    let client = guest_with(&call(0x081, &[2, 50, 100], 0x300), &noting());
    let mut running = start(&world, client, terms(&world), &clock);
    let states = || world.events.lock().unwrap().iter().filter(|e| e["event"] == "svm").count();
    let before = states();
    assert_eq!(running.poll_timeout(), Some(Duration::from_millis(50)));
    clock.advance(49);
    running.handle_timeout().unwrap();
    assert_eq!(states(), before, "not a single instruction");
    clock.advance(1);
    running.handle_timeout().unwrap();
    assert_eq!(noted(&running).unwrap(), [event::TIMER, 0, 2, 1, 0, 0]);
    assert_eq!(running.poll_timeout(), Some(Duration::from_millis(100)));
    clock.advance(315);
    running.handle_timeout().unwrap();
    assert_eq!(noted(&running).unwrap(), [event::TIMER, 0, 2, 3, 215, 0]);
    assert_eq!(running.poll_timeout(), Some(Duration::from_millis(85)));
    // An event from outside is served while the timer runs.
    running.select_content(ServiceId(7)).unwrap();
    assert_eq!(noted(&running).unwrap(), [event::SELECT_CONTENT, 0, 1, 7, 0, 0]);
}

// spec-test: X-S09
#[test]
fn on_the_real_clock_a_period_is_within_20_ms() {
    let world = World::new();
    let client = guest_with(&call(0x081, &[0, 40, 40], 0x300), &noting());
    let host = world.host(FakeChip::new(1));
    let lifetime = Lifetime {
        not_before: UnixSeconds(0),
        not_after: UnixSeconds(u64::MAX),
        max_uptime_seconds: 0,
    };
    let terms = Terms { lifetime, flash: None, ..terms(&world) };
    let reporter = host.reporter.clone();
    let mut running =
        RunningClient::start(client, host, reporter, terms, RealDisk).map_err(drop).unwrap();
    let begin = std::time::Instant::now();
    let mut late = Vec::new();
    // What else runs on this machine may hold us up once, but not every time.
    for turn in 1..=50_u64 {
        std::thread::sleep(running.poll_timeout().unwrap());
        running.handle_timeout().unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(40 * turn), "too early");
        late.extend(noted(&running).map(|params| params[4]));
        if late.iter().any(|late| *late < 20) {
            return;
        }
    }
    panic!("{late:?}");
}

// spec-test: X-Y01
#[test]
fn a_lifetime_that_ends_stops_a_running_client() {
    for (uptime, seconds, why) in [
        (0, 3601, "the lifetime that its policy gives is over"),
        (60, 60, "it has run as long as its policy allows without a restart"),
    ] {
        let (world, clock) = (World::new(), Hand::default());
        let mut terms = terms(&world);
        terms.lifetime.max_uptime_seconds = uptime;
        let mut running = start(&world, guest(&noting()), terms, &clock);
        assert_eq!(running.poll_timeout(), Some(Duration::from_secs(seconds)));
        clock.advance(seconds * 1000 - 1);
        running.handle_timeout().unwrap();
        running.select_content(ServiceId(1)).unwrap();
        clock.advance(1);
        // An event finds it as a timeout does.
        let stopped = match uptime {
            0 => running.handle_timeout().unwrap_err(),
            _ => running.select_content(ServiceId(1)).unwrap_err(),
        };
        assert_eq!((stopped.kind, stopped.why.as_str()), (StopKind::Lifetime, why));
        assert!(running.select_content(ServiceId(1)).is_err(), "it stays stopped");
        let records = records(&world, running);
        assert_eq!(records.len(), 1, "told once: {records:?}");
        assert_eq!((records[0].kind.as_str(), records[0].code), ("lifetime", -104));
    }
    // And one that is over, or has not begun, does not start.
    for (not_before, not_after) in [(BEGIN - 9, BEGIN - 1), (BEGIN + 1, BEGIN + 9)] {
        let (world, clock) = (World::new(), Hand::default());
        let mut terms = terms(&world);
        terms.lifetime.not_before = UnixSeconds(not_before);
        terms.lifetime.not_after = UnixSeconds(not_after);
        let host = world.host(FakeChip::new(1)).with_clock(clock);
        let started = RunningClient::start(guest(&[]), host, Reporter::silent(), terms, RealDisk);
        let Err((stopped, _)) = started else { panic!("it runs") };
        assert_eq!(stopped.kind, StopKind::Lifetime);
    }
}

// spec-test: X-Y03 X-01 X-26
// attack-test: T-30
#[test]
fn a_violation_is_a_return_code_an_error_event_and_a_record_that_outlives_a_restart() {
    for report in [true, false] {
        let (world, clock) = (World::new(), Hand::default());
        let terms = Terms { report_violations: report, ..terms(&world) };
        // The handler asks for a host, and the policy lists none.
        let handler = [
            call(0x081, &[0, 1000, 1000], 0x180),
            poke(DATA, b"evil.example"),
            call(0x061, &[DATA, 4, DATA, 12], 0x180),
            call(0x071, &[DATA, 12, 443], 0x100),
        ];
        let mut running = start(&world, guest(&handler.concat()), terms, &clock);
        clock.advance(5000);
        let stopped = running.select_content(ServiceId(1)).unwrap_err();
        assert_eq!(running.host_ref().poll_timeout(), None, "its timer went with it");
        assert_eq!(running.host_ref().store.get(b"revil"), None, "and what it wrote in this event");
        assert_eq!((stopped.kind, stopped.kind.code()), (StopKind::Violation, -100));
        let errors: Vec<Value> = world.events.lock().unwrap().clone();
        let errors: Vec<&Value> = errors.iter().filter(|e| e["event"] == "error").collect();
        assert_eq!(errors.len(), usize::from(report));
        let records = records(&world, running);
        assert_eq!(records.len(), 1);
        let record = &records[0];
        assert_eq!(record.time, UnixSeconds(BEGIN + 5));
        assert_eq!((record.super_scp_id, record.client_id), (0xA001, 1));
        assert_eq!((record.event.as_deref(), record.call), (Some("SelectContent"), Some(0x071)));
        assert!(record.pc.is_some() && record.what.contains("network list"), "{record:?}");
        if let Some(error) = errors.first() {
            assert_eq!((&error["code"], &error["call"]), (&json!(-100), &json!(0x071)));
        }
    }
}

const DATA: u32 = RAM + 0x400;

/// Answers TokenInfo itself, and Random not.
struct OtherProvider {
    id: Option<ScpId>,
    call: Syscall,
    arguments: usize,
}

impl Provider for OtherProvider {
    fn scp_id(&self, client: &LoadedClient) -> Option<ScpId> {
        assert_eq!((client.name, client.version, client.series), (CLIENT, 3, [9; 32]));
        self.id
    }

    fn functions(&self, _: &LoadedClient) -> Vec<ProvidedCall> {
        let function = |_, args: &[u32], _: &mut GuestMemory| Ok(Reply::ok(args[0] + 1000));
        let (call, arguments) = (self.call, self.arguments);
        vec![ProvidedCall { call, arguments, function: Box::new(function) }]
    }
}

const LOADED: LoadedClient = LoadedClient { name: CLIENT, version: 3, series: [9; 32] };

// spec-test: X-49 X-65
#[test]
fn a_provider_gives_the_id_and_stands_in_for_a_call() {
    let (world, clock) = (World::new(), Hand::default());
    let id = ScpId([1; 32]);
    let provider = OtherProvider { id: Some(id), call: Syscall::TokenInfo, arguments: 1 };
    let mut handler = call(0x031, &[token::EMM], 0x8008);
    handler.extend(noting());
    let mut client = guest(&handler);
    assert_eq!(attach(&provider, &LOADED, &mut client), Ok(id));
    let mut running = start(&world, client, terms(&world), &clock);
    running.entitlement(b"an emm section").unwrap();
    assert_eq!(noted(&running).unwrap()[2], 1000 + token::EMM, "not the native 14");
    // Without it: the native one.
    let mut client = guest(&handler);
    let native = attach(&NativeProvider, &LOADED, &mut client).unwrap();
    drop(running.terminate());
    let world = World::new();
    let mut running = start(&world, client, terms(&world), &clock);
    running.entitlement(b"an emm section").unwrap();
    assert_eq!(noted(&running).unwrap()[2], 14);
    // Ids differ where signer, supplier or client do, and not between versions.
    let id = |loaded: LoadedClient| NativeProvider.scp_id(&loaded).unwrap();
    assert_eq!(id(LoadedClient { version: 4, ..LOADED }), native);
    assert_ne!(id(LoadedClient { series: [8; 32], ..LOADED }), native);
    let name = ClientName { client_id: ScpClientId(2), ..CLIENT };
    assert_ne!(id(LoadedClient { name, ..LOADED }), native);
}

// spec-test: X-65
// attack-test: T-30
#[test]
fn without_an_id_or_with_a_function_for_the_machine_itself_nothing_is_loaded() {
    let mut client = guest(&[]);
    let provider = OtherProvider { id: None, call: Syscall::TokenInfo, arguments: 1 };
    let refused = attach(&provider, &LOADED, &mut client);
    assert_eq!(refused, Err(ProviderRefused::NoScpId(CLIENT)));
    for (call, arguments) in [(Syscall::Exit, 1), (Syscall::TokenInfo, 2)] {
        let provider = OtherProvider { id: Some(ScpId([1; 32])), call, arguments };
        let refused = attach(&provider, &LOADED, &mut client);
        assert_eq!(refused, Err(ProviderRefused::Function(call)));
    }
    assert_eq!(client.state(), State::Loaded);
}

/// A guest of the zoo under its policy, with the network and the channels that it names.
fn guest_of_the_zoo(world: &World, name: &str, clock: &Hand) -> Option<Running> {
    let elf = portcullis_assets::hostile(name);
    let (Some(elf), Some(policy)) = (elf, portcullis_assets::policy(name)) else {
        eprintln!("SKIPPED: guest {name} was not built (no RISC-V compiler)");
        return None;
    };
    let policy = portcullis_package::parse_policy(policy.as_bytes()).unwrap();
    let image = portcullis_svm::elf::flat_image(elf).unwrap();
    let client = Client::load(&image, policy.permit_table(), policy.limits).unwrap();
    std::fs::create_dir_all(world.dir.path().join("flash")).unwrap();
    let pin = portcullis_package::NetworkHost {
        certificate: Some([0; 32]),
        ..policy.hosts.first().unwrap().clone()
    };
    let network = Network::new(&[pin], &[], network::NetworkLimits::default()).unwrap();
    let channel = crate::embedded_scp::channels::Broker::default().join(CLIENT, &policy.peers);
    let host = world
        .host(FakeChip::new(1))
        .with_clock(clock.clone())
        .with_network(network)
        .with_channel(channel);
    let reporter = host.reporter.clone();
    let started = RunningClient::start(client, host, reporter, terms(world), RealDisk);
    Some(started.map_err(|(stopped, _)| stopped).unwrap())
}

// attack-test: T-31
// spec-test: X-24
#[test]
fn a_storm_of_timers_leaves_the_terminal_its_time() {
    let (world, clock) = (World::new(), Hand::default());
    let Some(mut running) = guest_of_the_zoo(&world, "timer-storm", &clock) else { return };
    let timers = || {
        let events = world.events.lock().unwrap();
        events.iter().filter(|e| e["state"] == "Timer").count()
    };
    for _ in 0..100 {
        clock.advance(10);
        running.handle_timeout().unwrap();
        // An event from outside has its turn at once.
        running.entitlement(b"emm").unwrap();
    }
    // Each event starts all eight anew, so one ran out at a time: 10 ms are never undercut.
    assert!((100..=800).contains(&timers()), "{}", timers());
    assert_eq!(records(&world, running).len(), 0);
}

// attack-test: T-31 T-32
#[test]
fn a_flood_of_messages_ends_at_the_limits() {
    let (world, clock) = (World::new(), Hand::default());
    let Some(mut running) = guest_of_the_zoo(&world, "message-flood", &clock) else { return };
    for _ in 0..20 {
        clock.advance(10);
        running.entitlement(b"emm").unwrap();
        running.handle_timeout().unwrap();
    }
    let host = running.host_ref();
    assert!(!host.inbox.has_room(), "it is full, and no fuller");
    assert!(host.used.ui_lines <= host.limits.ui_lines);
    let lines = world.events.lock().unwrap().iter().filter(|e| e["event"] == "ui").count();
    // 20 events from outside and those of at most 32 answers.
    assert!(lines <= 4 * (20 + 20 * 16), "{lines}");
    assert_eq!(records(&world, running).len(), 0);
}

// attack-test: T-31
#[test]
fn a_flood_of_the_storage_ends_at_the_quota() {
    let (world, clock) = (World::new(), Hand::default());
    let Some(mut running) = guest_of_the_zoo(&world, "storage-flood", &clock) else { return };
    for _ in 0..20 {
        running.entitlement(b"emm").unwrap();
    }
    drop(running);
    let mut octets = 0;
    for file in std::fs::read_dir(world.dir.path()).unwrap() {
        let file = file.unwrap();
        octets += if file.path().is_file() { file.metadata().unwrap().len() } else { 0 };
    }
    assert!((60_000..100_000).contains(&octets), "{octets}");
}

// attack-test: T-30
// spec-test: X-Y03 X-26
#[test]
fn a_client_that_talks_to_a_host_elsewhere_is_stopped_and_recorded() {
    let (world, clock) = (World::new(), Hand::default());
    let Some(mut running) = guest_of_the_zoo(&world, "network-elsewhere", &clock) else { return };
    let stopped = running.entitlement(b"emm").unwrap_err();
    assert_eq!(stopped.kind, StopKind::Violation);
    let records = records(&world, running);
    assert_eq!((records.len(), records[0].call), (1, Some(0x070)));
}
