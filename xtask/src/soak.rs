//! `cargo xtask soak`: what is too long for every change. Property tests with many cases, random
//! programs in both engines of the virtual machine, then the journeys, attacks and faults again
//! and again.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::Done;
use crate::build;
use crate::fuzz;
use crate::shell::{cargo, step};

const CASES: &str = "100000";
const ROUNDS: u32 = 20;
/// Random programs that both engines must agree on: a quarter of an hour on one core.
const PROGRAMS: u64 = 100_000_000;

const USAGE: &str = "usage: cargo xtask soak [-n ROUNDS] [--programs N]";
/// Seconds of coverage-guided inputs for each target.
const FUZZ_SECONDS: u32 = 600;
/// Seconds that a client must idle without a context switch.
const WATCHED: &str = "60";

pub(crate) fn run(args: &[String]) -> Done {
    let (mut rounds, mut programs) = (ROUNDS, PROGRAMS);
    let mut rest = args;
    while let [flag, count, more @ ..] = rest {
        let number = count.parse().map_err(|_| format!("soak: {count:?} is no number"))?;
        match flag.as_str() {
            "-n" => rounds = u32::try_from(number).map_err(|_| "soak: too many rounds")?,
            "--programs" => programs = number,
            _ => return Err(USAGE.into()),
        }
        rest = more;
    }
    if !rest.is_empty() {
        return Err(USAGE.into());
    }
    let mut properties =
        cargo(&["test", "--release", "--workspace", build::LIGHT, "--no-fail-fast"]);
    properties.args(["--exclude", "portcullis-tests", "--lib", "--tests"]);
    // Shrinking and the record of failures stay as in a short run.
    properties.env("PROPTEST_CASES", CASES).env("PROPTEST_MAX_GLOBAL_REJECTS", "10000000");
    // The compiled tier against the interpreter counts its programs by itself.
    properties.env("PORTCULLIS_COMPILED_PROGRAMS", CASES);
    step(&format!("all tests with {CASES} cases for each property"), &mut properties)?;
    random_programs(programs)?;
    // Tests that watch a clock do so here: nothing else runs beside them.
    let mut watched = cargo(&["test", "--release", "--package", "portcullis-assets"]);
    watched.args(["--test", "neighbours", "--", "--test-threads=1", "--nocapture"]);
    watched.env("PORTCULLIS_SOAK_SECONDS", WATCHED);
    step("two clients at once, and one that idles", &mut watched)?;
    fuzz::run(fuzz::TARGETS, FUZZ_SECONDS)?;
    build::programs()?;
    for round in 1..=rounds {
        let mut journeys = cargo(&["test", "--release", "--package", "portcullis-tests"]);
        step(&format!("journeys, round {round} of {rounds}"), &mut journeys)?;
    }
    println!("{rounds} rounds without a failure");
    Ok(())
}

/// So many random programs in both engines, each time others.
fn random_programs(programs: u64) -> Done {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let first = now << 32;
    let mut tests = cargo(&["test", "--release", "--package", "portcullis-svm", "--lib"]);
    tests.args(["--", "very_many_programs", "--nocapture"]);
    tests.env("PORTCULLIS_PROGRAMS", programs.to_string());
    tests.env("PORTCULLIS_FIRST_PROGRAM", first.to_string());
    step(&format!("{programs} random programs from number {first} on"), &mut tests)
}
