//! The compiling tier: the rows of the interpreter again, with the tier as ours.

use std::cell::RefCell;

use super::guests::Guests;
use super::ours::Ours;
use super::{EVENT, EVENTS, Guest, Machine, Sums, WORK, by_native, contenders, loads, row, turn};
use crate::measure::{Contender, Options, Row};

/// The name of the row, and the work it repeats.
const ROWS: [(&str, &str); 7] = [
    ("coremark-jit", "coremark"),
    ("coremark-gcc-jit", "coremark-gcc"),
    ("aes-jit", "aes"),
    ("aes-gcc-jit", "aes-gcc"),
    ("sha256-jit", "sha256"),
    ("sha256-rustc-jit", "sha256-rustc"),
    ("trap-jit", "trap"),
];

/// All rows that are asked for.
pub(super) fn rows(guests: &mut Guests, options: &Options) -> Result<Vec<Row>, String> {
    let wanted = |name: &str| options.only.as_deref().is_none_or(|only| only == name);
    let mut rows = Vec::new();
    for (name, of) in ROWS.into_iter().filter(|(name, _)| wanted(name)) {
        let Some(work) = WORK.iter().find(|work| work.name == of) else { continue };
        let sums = Sums::default();
        let native = guests.native.take().map(RefCell::new);
        let mut all = with_tier(guests, work.guest, |machine| {
            turn(&sums, machine, |machine| machine.event(work.what, work.rounds))
        });
        all.push(("native", by_native(native.as_ref(), &sums, work.what, work.rounds)));
        rows.push(row(name, work.unit, work.units, options.pairs, all));
        sums.agree(name)?;
        guests.native = native.map(RefCell::into_inner);
    }
    if wanted("event-jit") {
        let sums = Sums::default();
        let all = with_tier(guests, Guest::Clang, |machine| {
            turn(&sums, machine, |machine| (0..EVENTS).try_fold(0, |_, i| machine.event(EVENT, i)))
        });
        rows.push(row("event-jit", "M/s", f64::from(EVENTS) / 1e6, options.pairs, all));
        sums.agree("event-jit")?;
    }
    if wanted("load-jit") {
        let all = with_tier(guests, Guest::Clang, loads);
        rows.push(row("load-jit", "k/s", 1e-3, options.pairs, all));
    }
    Ok(rows)
}

/// The tier first, then all machines of the other rows, ours under the name of its engine.
fn with_tier<'a>(
    guests: &Guests,
    guest: Guest,
    seconds: impl Fn(Box<dyn Machine>) -> Contender<'a>,
) -> Vec<(&'static str, Contender<'a>)> {
    let tier = guests.file(guest).and_then(|file| Ours::compiled(file, guest));
    let tier: Option<Contender<'a>> = tier.map(|machine| seconds(Box::new(machine)));
    let mut all = contenders(guests, guest, seconds);
    if let Some((name, _)) = all.first_mut() {
        *name = "threaded";
    }
    all.insert(0, ("ours", tier.unwrap_or_else(super::nothing)));
    all
}
