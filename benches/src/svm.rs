//! The virtual machine: instructions, system calls, events and loads per second of one core.
//!
//! Both engines run the same guest; the match loop is the peer. A row of instructions asserts
//! nothing, the tests do.

use portcullis_svm::{
    CallPermitted, Client, Engine, Event, GuestMemory, HostFault, Image, Limits, Outcome,
    PermitTable, Reply, Syscall, SystemCalls, elf,
};

use crate::measure::{Contender, Options, Row, cpu_seconds, take_turns};

const MATCH_LOOP: &str = "match-loop";
/// Events or loads of one turn.
const REPEATED: u32 = 50_000;
/// Loads of one turn.
const LOADS: u32 = 500;

/// What the guest does, how often in one turn, and the name of the row.
const WORK: [(&str, u32, u32); 4] = [
    ("mixed", 6, 10_000),
    ("aes", 4, 100_000),
    ("sha256", 5, 25_000),
    ("arithmetic", 0, 5_000_000),
];

/// All rows that are asked for; `None` when this build has no guests.
pub(crate) fn rows(options: &Options) -> Option<Vec<Row>> {
    let image = elf::flat_image(portcullis_assets::hostile("bench")?).ok()?;
    let wanted = |row: &str| options.only.as_deref().is_none_or(|only| only == row);
    let mut rows = Vec::new();
    for (name, what, rounds) in WORK {
        if wanted(name) {
            rows.push(row(name, "MIPS", options.pairs, |engine| {
                instructions(&image, engine, what, rounds)
            }));
        }
    }
    if wanted("call") {
        rows.push(row("call", "M/s", options.pairs, |engine| calls(&image, engine)));
    }
    if wanted("event") {
        rows.push(row("event", "M/s", options.pairs, |engine| events(&image, engine)));
    }
    if wanted("load") {
        let mut contenders: [Contender<'_>; 1] = [Box::new(|| {
            let seconds = cpu_seconds(|| {
                for _ in 0..LOADS {
                    std::hint::black_box(loaded(&image, Engine::default()));
                }
            });
            Some(seconds / f64::from(LOADS))
        })];
        let ours = take_turns(options.pairs, &mut contenders).first().copied().flatten();
        rows.push(Row { work: "load", unit: "k/s", ours: ours.map(|s| 1e-3 / s), peers: vec![] });
    }
    Some(rows)
}

/// One row: `seconds` gives the seconds per million.
fn row<'a>(
    work: &'static str,
    unit: &'static str,
    pairs: usize,
    seconds: impl Fn(Engine) -> Option<f64> + Copy + 'a,
) -> Row {
    let mut contenders: [Contender<'_>; 2] =
        [Box::new(move || seconds(Engine::Threaded)), Box::new(move || seconds(Engine::MatchLoop))];
    let mut rates = take_turns(pairs, &mut contenders).into_iter().map(|s| s.map(|s| 1.0 / s));
    let ours = rates.next().flatten().filter(|_| Engine::Threaded.is_available());
    Row { work, unit, ours, peers: vec![(MATCH_LOOP, rates.next().flatten())] }
}

/// Seconds per million instructions.
fn instructions(image: &Image, engine: Engine, what: u32, rounds: u32) -> Option<f64> {
    let mut client = initialised(image, engine)?;
    let before = client.retired_instructions();
    let seconds = timed(&mut client, what, rounds, 1)?;
    Some(seconds * 1e6 / (client.retired_instructions() - before) as f64)
}

/// Seconds per million system calls, with the loop around them.
fn calls(image: &Image, engine: Engine) -> Option<f64> {
    const ROUNDS: u32 = 1_000_000;
    timed(&mut initialised(image, engine)?, 3, ROUNDS, 1).map(|s| s * 1e6 / f64::from(ROUNDS))
}

/// Seconds per million events in which the guest's own event loop is all that runs.
fn events(image: &Image, engine: Engine) -> Option<f64> {
    timed(&mut initialised(image, engine)?, 7, 0, REPEATED).map(|s| s * 1e6 / f64::from(REPEATED))
}

fn timed(client: &mut Client, what: u32, rounds: u32, times: u32) -> Option<f64> {
    let mut good = true;
    let seconds = cpu_seconds(|| {
        for _ in 0..times {
            let outcome = client.raise(Event::Timer, &[what, rounds], &mut NoHost);
            good &= matches!(outcome, Outcome::Returned(_));
        }
    });
    good.then_some(seconds)
}

fn initialised(image: &Image, engine: Engine) -> Option<Client> {
    let mut client = loaded(image, engine)?;
    let outcome = client.raise(Event::Initialize, &[], &mut NoHost);
    matches!(outcome, Outcome::Returned(_)).then_some(client)
}

fn loaded(image: &Image, engine: Engine) -> Option<Client> {
    let mut permits = PermitTable::deny_all();
    for event in Event::ALL {
        for call in Syscall::TABLE {
            permits.permit(event, call.id());
        }
    }
    let limits = Limits { budget: 1 << 40, ..Limits::default() };
    let mut client = Client::load(image, permits, limits).ok()?;
    client.set_engine(engine);
    Some(client)
}

/// Answers nothing: the guest asks only what the machine answers itself.
struct NoHost;

impl SystemCalls for NoHost {
    fn call(
        &mut self,
        _: CallPermitted,
        _: Syscall,
        _: &[u32],
        _: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        Err(HostFault::NoSuchCall)
    }
}
