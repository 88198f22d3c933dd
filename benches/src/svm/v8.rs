//! Our machine in the engine of a browser, beside our engines on this processor: the same guest, so
//! that instructions per second can be told.

use std::cell::{Cell, RefCell};

use portcullis_svm::Engine;

use super::{Guest, Guests, Machine as _, Ours, Sums, WORK, by_native, turn};
use crate::measure::{Options, Row, take_turns};
use crate::native::NativePeer;

/// The rows, and what they are called without WebAssembly.
const ROWS: [(&str, &str); 3] =
    [("coremark-wasm", "coremark"), ("aes-wasm", "aes"), ("sha256-wasm", "sha256")];

/// Turns in V8 that are not counted: it compiles on other threads meanwhile, whose time is its own.
const WARM_UP: usize = 10;

/// The rows that are asked for.
///
/// # Errors
/// Two machines that computed different things.
pub(super) fn rows(guests: &Guests, options: &Options) -> Result<Vec<Row>, String> {
    let wanted: Vec<_> = ROWS.into_iter().filter(|(row, _)| options.wants(row)).collect();
    let file = guests.file(Guest::Clang);
    let (Some(file), false) = (file, wanted.is_empty()) else { return Ok(Vec::new()) };
    let v8 = NativePeer::start_in_v8("machine", portcullis_assets::machine_wasm(), Some(file));
    let v8 = v8.map(RefCell::new);
    let mut rows = Vec::new();
    for (name, of) in wanted {
        let Some(work) = WORK.iter().find(|work| work.name == of) else { continue };
        let (sums, retired) = (Sums::default(), Cell::new(0));
        let ours = |engine: Engine| {
            let mut machine =
                Ours::start(file, engine, Guest::Clang).filter(|_| engine.is_available())?;
            let before = machine.retired();
            let _ = machine.event(work.what, work.rounds);
            retired.set(machine.retired() - before);
            let event = |machine: &mut dyn super::Machine| machine.event(work.what, work.rounds);
            Some(turn(&sums, Box::new(machine), event))
        };
        let mut in_v8 = by_native(v8.as_ref(), &sums, work.what, work.rounds);
        for _ in 0..WARM_UP {
            let _ = in_v8();
        }
        let mut contenders = [
            in_v8,
            ours(Engine::Threaded).unwrap_or_else(super::nothing),
            ours(Engine::MatchLoop).unwrap_or_else(super::nothing),
        ];
        let seconds = take_turns(options.pairs, &mut contenders);
        let mut rates = seconds.into_iter().map(|s| s.map(|s| retired.get() as f64 / s / 1e6));
        let ours = rates.next().flatten();
        let peers = ["threaded", "match-loop"].into_iter().zip(rates).collect();
        rows.push(Row { work: name, unit: "MIPS", ours, peers });
        sums.agree(name)?;
    }
    Ok(rows)
}
