//! `cargo xtask soak`: what is too long for every change. Property tests with many cases, then
//! the journeys, attacks and faults again and again.

use crate::Done;
use crate::build;
use crate::shell::{cargo, step};

const CASES: &str = "100000";
const ROUNDS: u32 = 20;

pub(crate) fn run(args: &[String]) -> Done {
    let rounds = match args {
        [] => ROUNDS,
        [flag, count] if flag == "-n" => {
            count.parse().map_err(|_| format!("soak: {count:?} is no number of rounds"))?
        }
        _ => return Err("usage: cargo xtask soak [-n ROUNDS]".into()),
    };
    let mut properties = cargo(&["test", "--release", "--workspace", "--no-fail-fast"]);
    properties.args(["--exclude", "portcullis-tests", "--lib", "--tests"]);
    // Shrinking and the record of failures stay as in a short run.
    properties.env("PROPTEST_CASES", CASES).env("PROPTEST_MAX_GLOBAL_REJECTS", "10000000");
    step(&format!("all tests with {CASES} cases for each property"), &mut properties)?;
    build::programs()?;
    for round in 1..=rounds {
        let mut journeys = cargo(&["test", "--release", "--package", "portcullis-tests"]);
        step(&format!("journeys, round {round} of {rounds}"), &mut journeys)?;
    }
    println!("{rounds} rounds without a failure");
    Ok(())
}
