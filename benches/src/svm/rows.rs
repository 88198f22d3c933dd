//! Which rows the threaded engine has: chosen by a corpus of programs, written into its source.
//!
//! Every program runs in the match loop, which counts what is executed; each weighs alike, however
//! long it runs and however many compilers made it. The guests of the measurements weigh more,
//! `unseen.c` nothing: it shows what other work gets. `--left-out` shows it for each program, by a
//! choice without it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use portcullis_svm::choice::{Candidates, Choice, Profile, Program, Taken};

use super::guests::{self, Guests};
use super::ours::Ours;
use super::{Guest, Machine};

/// How often each program of the corpus does its work.
const ROUNDS: u32 = 20;
/// What a program of the corpus weighs, for each of the three compilers.
const CORPUS: f64 = 1.0 / 3.0;
/// What each of the measured ones weighs.
const MEASURED: f64 = 16.0;
/// What code weighs that is put together like theirs.
const LIKELY: f64 = 60.0;
/// So many times some of the corpus are left out.
const PARTS: usize = 6;
/// Clients whose text alone is known: what they execute depends on what they are sent.
const TEXTS: [(&str, f64); 6] = [
    ("vendor-a", 1.0),
    ("vendor-b", 1.0),
    ("own-cipher", 0.5),
    ("hello", 0.2),
    ("puppet", 0.2),
    ("storage-flood", 0.2),
];
const MEASURED_ROWS: [(&str, u32, u32); 3] = [("coremark", 0, 3), ("aes", 1, 2), ("sha256", 2, 2)];
/// Work of `clients/hostile/src/bin/bench.rs` and `corpus.rs`, in their order.
const RUST_BENCH: [(&str, u32); 3] =
    [("rust-aes-block", 4), ("rust-sha-block", 5), ("rust-mix", 6)];
const RUST: [&str; 10] = [
    "rust-sorts",
    "rust-parser",
    "rust-hashes",
    "rust-fields",
    "rust-packets",
    "rust-permits",
    "rust-matrix",
    "rust-text",
    "rust-tree",
    "rust-shapes",
];
/// Straight codes of a program that are shown.
const SHOWN: usize = 12;
/// Where the rows are written, from this package on.
const FILE: &str = "../crates/svm/src/threaded/rows/chosen.rs";

/// What is asked for.
pub(crate) struct Asked {
    pub(crate) count: usize,
    pub(crate) writes: bool,
    pub(crate) left_out: bool,
    /// A program whose cuts are shown.
    pub(crate) show: Option<String>,
}

impl Default for Asked {
    fn default() -> Self {
        Self { count: 2000, writes: false, left_out: false, show: None }
    }
}

/// Chooses, tells what each program takes, and writes the rows if that was asked for.
///
/// # Errors
/// One line: a compiler that is missing, a program that computed nonsense.
pub(crate) fn run(asked: &Asked) -> Result<(), String> {
    let programs = programs()?;
    eprintln!("{} programs ran; choosing {} rows", programs.len(), asked.count);
    let all = candidates(&programs);
    let choice = Choice::of(&all, asked.count);
    if let Some(name) = &asked.show {
        for (number, _) in programs.iter().enumerate().filter(|(_, p)| p.name == *name) {
            for cut in choice.cuts(number).iter().take(SHOWN) {
                cut.iter().for_each(|(begun, row)| println!("{begun:9.0}  {row}"));
                println!();
            }
        }
        return Ok(());
    }
    let with = by_name(&programs, &choice.taken());
    let without = if asked.left_out { left_out(&programs, asked.count) } else { BTreeMap::new() };
    let mut sums = [(0.0, 0.0); 2];
    for (name, taken) in &with {
        print!("{name:16} {:5.2} instructions in a step, cost {:4.2}", taken.per_step, taken.cost);
        if let Some(without) = without.get(name) {
            print!("; left out {:5.2}, {:4.2}", without.per_step, without.cost);
            for (sum, taken) in sums.iter_mut().zip([taken, without]) {
                *sum = (sum.0 + taken.per_step, sum.1 + taken.cost);
            }
        }
        println!();
    }
    if asked.left_out {
        let [with, without] =
            sums.map(|(step, cost)| (step / without.len() as f64, cost / without.len() as f64));
        println!(
            "mean {:5.2}, {:4.2}; left out {:5.2}, {:4.2}",
            with.0, with.1, without.0, without.1
        );
    }
    if asked.writes {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
        std::fs::write(&path, source(&choice.words())).map_err(|e| format!("{FILE}: {e}"))?;
    }
    Ok(())
}

/// Rows of the programs, and of code that is put together like theirs.
fn candidates(programs: &[Program]) -> Candidates {
    let profile = Profile::likely(programs);
    let likely = Program { name: "likely".to_owned(), weight: LIKELY, profile };
    Candidates::of(&[programs, &[likely]].concat())
}

/// What the programs take when the rows are chosen without them: in so many parts, one after the
/// other.
fn left_out(programs: &[Program], count: usize) -> BTreeMap<String, Taken> {
    let names: BTreeSet<&str> =
        programs.iter().filter(|p| p.weight == CORPUS).map(|p| p.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let mut found = BTreeMap::new();
    for part in 0..PARTS {
        let is_out =
            |name: &str| names.iter().position(|n| *n == name).is_some_and(|at| at % PARTS == part);
        let mut rest = programs.to_vec();
        rest.iter_mut().filter(|p| is_out(&p.name)).for_each(|p| p.weight = 0.0);
        let all = candidates(&rest);
        let taken = by_name(programs, &Choice::of(&all, count).taken());
        found.extend(taken.into_iter().filter(|(name, _)| is_out(name)));
    }
    found
}

/// What the programs of each name take, on average of those that compilers made of it.
fn by_name(programs: &[Program], taken: &[Taken]) -> BTreeMap<String, Taken> {
    let mut sums: BTreeMap<String, (f64, Taken)> = BTreeMap::new();
    for (program, taken) in programs.iter().zip(taken) {
        let nothing = (0.0, Taken { per_step: 0.0, cost: 0.0 });
        let (count, sum) = sums.entry(program.name.clone()).or_insert(nothing);
        *count += 1.0;
        sum.per_step += taken.per_step;
        sum.cost += taken.cost;
    }
    let mean = |(count, sum): (f64, Taken)| Taken {
        per_step: sum.per_step / count,
        cost: sum.cost / count,
    };
    sums.into_iter().map(|(name, sum)| (name, mean(sum))).collect()
}

/// All programs, run.
fn programs() -> Result<Vec<Program>, String> {
    let mut programs = Vec::new();
    let names = guests::corpus_names().ok_or("the corpus cannot be read")?;
    let corpus: [_; 3] = guests::corpus();
    for guest in &corpus {
        let guest = guest.as_deref().ok_or("the corpus needs clang, lld and gcc for RISC-V")?;
        let mut machine = Ours::counting(guest).ok_or("the corpus does not load")?;
        for (what, name) in (0..).zip(&names) {
            programs.push(ran(&mut machine, name, what, ROUNDS, CORPUS)?);
        }
    }
    let measured = Guests::compile();
    for (guest, name) in [(Guest::Clang, "unseen"), (Guest::Gcc, "unseen-gcc")] {
        let file = measured.file(guest).ok_or("the guests need clang, lld and gcc for RISC-V")?;
        let mut machine = Ours::counting(file).ok_or("the guests do not load")?;
        for (name, what, rounds) in MEASURED_ROWS {
            programs.push(ran(&mut machine, name, what, rounds, MEASURED / 2.0)?);
        }
        programs.push(ran(&mut machine, "calls", super::TRAP, 1_000, 0.5)?);
        programs.push(ran(&mut machine, name, super::UNSEEN, 3, 0.0)?);
    }
    let rust = portcullis_assets::hostile("bench").zip(portcullis_assets::hostile("corpus"));
    let (bench, corpus) = rust.ok_or("the guests in Rust are not in this build")?;
    let mut machine = Ours::counting(bench).ok_or("the guest in Rust does not load")?;
    for (name, what) in RUST_BENCH {
        programs.push(ran(&mut machine, name, what, ROUNDS, 1.0)?);
    }
    programs.push(ran(&mut machine, "sha256-rustc", super::ours::RUSTC_SHA256, 2, MEASURED / 2.0)?);
    let mut machine = Ours::counting(corpus).ok_or("the corpus in Rust does not load")?;
    for (what, name) in (0..).zip(RUST) {
        programs.push(ran(&mut machine, name, what, ROUNDS, 1.0)?);
    }
    for (name, weight) in TEXTS {
        let file = portcullis_assets::client(name).or_else(|| portcullis_assets::hostile(name));
        let profile = file.and_then(Ours::text_profile).ok_or("a client cannot be read")?;
        programs.push(Program { name: name.to_owned(), weight, profile });
    }
    Ok(programs)
}

fn ran(
    machine: &mut Ours,
    name: &str,
    what: u32,
    rounds: u32,
    weight: f64,
) -> Result<Program, String> {
    machine.take_profile();
    match machine.event(what, rounds) {
        None | Some(0) => Err(format!("{name}: the guest computed nonsense")),
        Some(_) => Ok(Program { name: name.to_owned(), weight, profile: machine.take_profile() }),
    }
}

/// The source file of the rows.
fn source(words: &[String]) -> String {
    let mut source = "\
//! The rows that were chosen. Written by `cargo xtask rows --write`; changes are lost.

use super::super::handlers::row;
use super::super::kind::{Kind, ROW_MAX, kinds_in};
use super::Row;

#[rustfmt::skip]
chosen! {"
        .to_owned();
    let mut width = usize::MAX;
    for words in words {
        width = width.saturating_add(words.len() + 3);
        if width > 180 {
            source.push_str("\n   ");
            width = words.len() + 6;
        }
        let _ = write!(source, " \"{words}\"");
    }
    source.push_str("\n}\n");
    source
}
