//! The virtual machine beside others: the same work, compiled from the same sources for each.
//!
//! Every turn checks what the guest computed: all machines must come to the same sum, or there is
//! no row but an error. Rates; more is better.

#[cfg(feature = "peer-ckb-vm")]
mod ckb;
mod clones;
#[cfg(feature = "compiled")]
mod compiled;
mod guests;
mod ours;
#[cfg(feature = "rows")]
pub(crate) mod rows;
mod v8;
mod wasmi;
#[cfg(feature = "peer-wasmtime")]
mod wasmtime;

use std::cell::{Cell, RefCell};

use portcullis_svm::Engine;

use self::guests::Guests;
use self::ours::Ours;
use crate::measure::{Contender, Options, Row, cpu_seconds, take_turns};

/// Peers that this build may lack, and whether it has them.
const HEAVY: [(&str, bool); 3] = [
    ("wasmtime+fuel", cfg!(feature = "peer-wasmtime")),
    ("pulley+fuel", cfg!(feature = "peer-wasmtime")),
    ("ckb-vm", cfg!(feature = "peer-ckb-vm")),
];
/// What each event may use, in each machine's own unit.
const BUDGET: u64 = 1 << 40;
/// Events of one turn.
const EVENTS: u32 = 20_000;
/// Seconds that one turn of loads takes, about.
const LOAD_SECONDS: f64 = 0.02;

/// A guest in a machine.
trait Machine {
    /// Lets the guest do the work once; gives its sum. `None` when the machine stopped it.
    fn event(&mut self, what: u32, rounds: u32) -> Option<u32>;

    /// Everything from the guest's file in memory to code that is ready to run, once.
    fn load(&self) -> Option<()>;
}

/// What the host answers to the guests' call.
fn answer(kind: u32) -> u32 {
    kind ^ 77
}

/// A row of work: its name, what the guest is asked for, how often in one turn, and how many units
/// one turn is.
struct Work {
    name: &'static str,
    unit: &'static str,
    what: u32,
    rounds: u32,
    units: f64,
    guest: Guest,
}

/// Which compiler made the guest of our machine. The peers' guest is always clang's.
#[derive(Clone, Copy, PartialEq)]
enum Guest {
    Clang,
    Gcc,
    Rustc,
}

const fn work(
    name: &'static str,
    unit: &'static str,
    what: u32,
    (rounds, units): (u32, f64),
    guest: Guest,
) -> Work {
    Work { name, unit, what, rounds, units, guest }
}

/// Octets of one round of aes and sha256.
const ROUND_MIB: f64 = 16384.0 / 1048576.0;
const TRAPS: (u32, f64) = (200_000, 0.2);

const WORK: [Work; 10] = [
    work("coremark", "k rounds/s", 0, (150, 0.15), Guest::Clang),
    work("coremark-gcc", "k rounds/s", 0, (150, 0.15), Guest::Gcc),
    work("aes", "MiB/s", 1, (32, 32.0 * ROUND_MIB), Guest::Clang),
    work("aes-gcc", "MiB/s", 1, (32, 32.0 * ROUND_MIB), Guest::Gcc),
    work("sha256", "MiB/s", 2, (32, 32.0 * ROUND_MIB), Guest::Clang),
    work("sha256-gcc", "MiB/s", 2, (32, 32.0 * ROUND_MIB), Guest::Gcc),
    work("sha256-rustc", "MiB/s", 2, (32, 32.0 * ROUND_MIB), Guest::Rustc),
    work("unseen", "k rounds/s", UNSEEN, (30, 0.03), Guest::Clang),
    work("unseen-gcc", "k rounds/s", UNSEEN, (30, 0.03), Guest::Gcc),
    work("trap", "M/s", TRAP, TRAPS, Guest::Clang),
];
const TRAP: u32 = 3;
const UNSEEN: u32 = 5;
const LOOP: u32 = 6;
const EVENT: u32 = 4;

/// Why a peer is not measured, in brackets, where the build is the reason.
pub(crate) fn why_not(peer: &str) -> &'static str {
    let left_out = HEAVY.contains(&(peer, false));
    if left_out { " (left out of this build)" } else { "" }
}

/// All rows that are asked for.
///
/// # Errors
/// Two machines that computed different things, or no guest for our own machine.
pub(crate) fn rows(options: &Options) -> Result<Vec<Row>, String> {
    let mut guests = Guests::compile();
    let mut rows = Vec::new();
    let wanted = |name: &str| options.only.as_deref().is_none_or(|only| only == name);
    for work in WORK.iter().filter(|work| wanted(work.name)) {
        let sums = Sums::default();
        let native = guests.native.take().map(RefCell::new);
        let mut contenders = contenders(&guests, work.guest, |machine| {
            turn(&sums, machine, |machine| machine.event(work.what, work.rounds))
        });
        contenders.push(("native", by_native(native.as_ref(), &sums, work.what, work.rounds)));
        rows.push(row(work.name, work.unit, work.units, options.pairs, contenders));
        sums.agree(work.name)?;
        guests.native = native.map(RefCell::into_inner);
    }
    if wanted("event") {
        let sums = Sums::default();
        let native = guests.native.take().map(RefCell::new);
        let mut contenders = contenders(&guests, Guest::Clang, |machine| {
            turn(&sums, machine, |machine| (0..EVENTS).try_fold(0, |_, i| machine.event(EVENT, i)))
        });
        contenders.push(("native", by_native(native.as_ref(), &sums, EVENT, EVENTS)));
        let units = f64::from(EVENTS) / 1e6;
        rows.push(row("event", "M/s", units, options.pairs, contenders));
        sums.agree("event")?;
        guests.native = native.map(RefCell::into_inner);
    }
    if wanted("trap-net") {
        let sums = Sums::default();
        let mut contenders = contenders(&guests, Guest::Clang, |machine| net(&sums, machine));
        contenders.push(("native", nothing()));
        rows.push(row("trap-net", "M/s", TRAPS.1, options.pairs, contenders));
        sums.agree("trap-net")?;
    }
    if wanted("load") {
        let mut contenders = contenders(&guests, Guest::Clang, loads);
        // There is nothing to load natively.
        contenders.push(("native", nothing()));
        rows.push(row("load", "k/s", 1e-3, options.pairs, contenders));
    }
    if wanted("clone") {
        rows.push(clones::row(portcullis_assets::hostile("bench"), options));
    }
    rows.extend(v8::rows(&guests, options)?);
    #[cfg(feature = "compiled")]
    rows.extend(compiled::rows(&mut guests, options)?);
    Ok(rows)
}

type Named<'a> = (&'static str, Contender<'a>);

/// Ours first, then our match loop, then the peers, each with its guest.
fn contenders<'a>(
    guests: &Guests,
    guest: Guest,
    seconds: impl Fn(Box<dyn Machine>) -> Contender<'a>,
) -> Vec<Named<'a>> {
    let file = guests.file(guest);
    let ours = |engine: Engine| -> Option<Box<dyn Machine>> {
        Some(Box::new(Ours::start(file.filter(|_| engine.is_available())?, engine, guest)?))
    };
    let wasm = guests.wasm.as_deref();
    let machines: Vec<(&'static str, Option<Box<dyn Machine>>)> = vec![
        ("ours", ours(Engine::Threaded)),
        ("match-loop", ours(Engine::MatchLoop)),
        ("wasmi+fuel", wasm.and_then(wasmi::Wasmi::start).map(|m| Box::new(m) as _)),
    ];
    let machines = machines.into_iter().chain(heavy(guests));
    machines.map(|(name, machine)| (name, machine.map_or_else(nothing, &seconds))).collect()
}

/// The peers that a build may lack, in the order of [`HEAVY`].
fn heavy(guests: &Guests) -> impl Iterator<Item = (&'static str, Option<Box<dyn Machine>>)> {
    let machines =
        [by_wasmtime(guests, None), by_wasmtime(guests, Some("pulley64")), by_ckb(guests)];
    HEAVY.into_iter().zip(machines).map(|((name, _), machine)| (name, machine))
}

#[cfg(feature = "peer-wasmtime")]
fn by_wasmtime(guests: &Guests, target: Option<&str>) -> Option<Box<dyn Machine>> {
    Some(Box::new(wasmtime::Wasmtime::start(guests.wasm.as_deref()?, target)?))
}

#[cfg(not(feature = "peer-wasmtime"))]
fn by_wasmtime(_: &Guests, _: Option<&str>) -> Option<Box<dyn Machine>> {
    None
}

#[cfg(feature = "peer-ckb-vm")]
fn by_ckb(guests: &Guests) -> Option<Box<dyn Machine>> {
    Some(Box::new(ckb::Ckb::start(guests.ckb.as_deref()?)?))
}

#[cfg(not(feature = "peer-ckb-vm"))]
fn by_ckb(_: &Guests) -> Option<Box<dyn Machine>> {
    None
}

fn nothing<'a>() -> Contender<'a> {
    Box::new(|| None)
}

/// One row of the report.
fn row(
    work: &'static str,
    unit: &'static str,
    units: f64,
    pairs: usize,
    contenders: Vec<Named<'_>>,
) -> Row {
    let (names, mut contenders): (Vec<_>, Vec<_>) = contenders.into_iter().unzip();
    let seconds = take_turns(pairs, &mut contenders);
    let mut rates =
        names.into_iter().zip(seconds.into_iter().map(|seconds| seconds.map(|s| units / s)));
    let ours = rates.next().and_then(|(_, rate)| rate);
    Row { work, unit, ours, peers: rates.collect() }
}

/// A turn of a machine in this thread.
fn turn<'a>(
    sums: &'a Sums,
    mut machine: Box<dyn Machine>,
    mut work: impl FnMut(&mut dyn Machine) -> Option<u32> + 'a,
) -> Contender<'a> {
    Box::new(move || {
        let mut sum = None;
        let seconds = cpu_seconds(|| sum = work(machine.as_mut()));
        sums.note(sum?);
        Some(seconds)
    })
}

/// A turn of calls out of the machine, without the loop around them.
fn net<'a>(sums: &'a Sums, mut machine: Box<dyn Machine>) -> Contender<'a> {
    Box::new(move || {
        let (mut sum, mut other) = (None, None);
        let calls = cpu_seconds(|| sum = machine.event(TRAP, TRAPS.0));
        let loops = cpu_seconds(|| other = machine.event(LOOP, TRAPS.0));
        sums.note(sum?);
        other.map(|_| (calls - loops).max(f64::EPSILON))
    })
}

/// A turn of the work compiled for this processor, which measures itself.
fn by_native<'a>(
    native: Option<&'a RefCell<crate::native::NativePeer>>,
    sums: &'a Sums,
    what: u32,
    rounds: u32,
) -> Contender<'a> {
    Box::new(move || {
        let (seconds, sum) = native?.borrow_mut().guest_work(what, rounds)?;
        sums.note(sum);
        Some(seconds)
    })
}

/// Seconds of one load: so many that a turn is long enough for the clock.
fn loads<'a>(machine: Box<dyn Machine>) -> Contender<'a> {
    let times = Cell::new(1_u32);
    Box::new(move || {
        let mut loaded = Some(());
        let seconds = cpu_seconds(|| {
            for _ in 0..times.get() {
                loaded = loaded.and_then(|()| machine.load());
            }
        });
        loaded?;
        let one = seconds / f64::from(times.get());
        times.set((LOAD_SECONDS / one).clamp(1.0, 10_000.0) as u32);
        Some(one)
    })
}

/// The sums of one row's machines.
#[derive(Default)]
struct Sums {
    first: Cell<Option<u32>>,
    other: Cell<Option<u32>>,
}

impl Sums {
    fn note(&self, sum: u32) {
        match self.first.get() {
            None => self.first.set(Some(sum)),
            Some(first) if first != sum => self.other.set(Some(sum)),
            Some(_) => {}
        }
    }

    /// A sum of nought is a guest that found its own result wrong.
    fn agree(&self, work: &str) -> Result<(), String> {
        match (self.first.get(), self.other.get()) {
            (Some(0), _) => Err(format!("{work}: the guest computed nonsense")),
            (Some(a), Some(b)) => Err(format!("{work}: the machines disagree: {a} and {b}")),
            _ => Ok(()),
        }
    }
}
