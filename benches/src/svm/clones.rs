//! Clones of an initialised client: how fast one is made, beside a load of its own.

use std::hint::black_box;

use portcullis_svm::{Client, Engine, Snapshot, Spare};

use super::{Contender, Guest, Ours};
use crate::measure::{Options, Row, cpu_seconds, take_turns};

/// Clones of one turn.
const CLONES: u32 = 192;
/// Clones that live at the same time: a [`Spare`] keeps memory for some more.
const AT_ONCE: u32 = 16;

/// The row `clone`. Only the making counts, what a clone ends with is in `with-end`.
pub(super) fn row(file: Option<&[u8]>, options: &Options) -> Row {
    let ours = || Ours::start(file?, Engine::Threaded, Guest::Rustc)?.snapshot();
    let mut contenders: [Contender<'_>; 4] = [
        made_in_spare_memory(ours(), false),
        made_in_spare_memory(ours(), true),
        made_in_new_memory(ours()),
        loaded(file.and_then(|file| Ours::start(file, Engine::Threaded, Guest::Rustc))),
    ];
    let mut rates = take_turns(options.pairs, &mut contenders)
        .into_iter()
        .map(|seconds| seconds.map(|seconds| f64::from(CLONES) / seconds / 1e3));
    let ours = rates.next().flatten();
    let peers = ["with-end", "new-memory", "load"].into_iter().zip(rates).collect();
    Row { work: "clone", unit: "k/s", ours, peers }
}

fn made_in_spare_memory<'a>(snapshot: Option<Snapshot>, with_end: bool) -> Contender<'a> {
    let mut spare = Spare::default();
    Box::new(move || {
        let snapshot = snapshot.as_ref()?;
        let mut seconds = 0.0;
        // The clock takes longer than a clone: several are made between two looks at it.
        for _ in 0..CLONES / AT_ONCE {
            let mut clients: Vec<Client> = Vec::with_capacity(AT_ONCE as usize);
            seconds += cpu_seconds(|| {
                for _ in 0..AT_ONCE {
                    let made = black_box(snapshot.instantiate_with(&mut spare));
                    if with_end {
                        made.give_back(&mut spare);
                    } else {
                        clients.push(made);
                    }
                }
            });
            for client in clients {
                client.give_back(&mut spare);
            }
        }
        Some(seconds)
    })
}

fn made_in_new_memory<'a>(snapshot: Option<Snapshot>) -> Contender<'a> {
    Box::new(move || {
        let snapshot = snapshot.as_ref()?;
        Some(cpu_seconds(|| (0..CLONES).for_each(|_| drop(black_box(snapshot.instantiate())))))
    })
}

fn loaded<'a>(machine: Option<Ours>) -> Contender<'a> {
    Box::new(move || {
        let machine = machine.as_ref()?;
        let mut done = Some(());
        let seconds = cpu_seconds(|| {
            for _ in 0..CLONES {
                done = done.and_then(|()| super::Machine::load(machine));
            }
        });
        done.map(|()| seconds)
    })
}
