//! `cargo xtask fuzz`: coverage-guided inputs at every door a stranger can knock at.
//!
//! Built with the stable compiler: coverage counters are a pass of its code generator. What is
//! found interesting stays in `target/fuzz/corpus`, what fails in `target/fuzz/found`, named, with
//! the command that repeats it.

use std::path::PathBuf;

use crate::Done;
use crate::shell::{cargo, command, root, step, target_dir, which};

/// Every target of `fuzz/`.
pub(crate) const TARGETS: &[&str] =
    &["package", "policy", "decoder", "system_calls", "elf", "scramble"];

/// Code with counters for each edge and a look at each comparison.
const COVERAGE: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
/// Profile for known inputs, without the chosen rows of the threaded engine: quick to build.
const REPLAY: &str = "replay";
/// Profile for new inputs, as many as possible.
const HUNT: &str = "release";
const DEFAULT_SECONDS: u32 = 60;
/// Memory of one run: a bomb is a finding.
const MEBIBYTES: u32 = 1024;
/// Octets of an input.
const LONGEST: u32 = 16 * 1024;
/// A single input that takes longer is a finding.
const SECONDS_PER_INPUT: u32 = 20;

/// `cargo xtask fuzz [TARGET]... [--seconds N]`.
pub(crate) fn command_line(args: &[String]) -> Done {
    let mut seconds = DEFAULT_SECONDS;
    let mut chosen = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match TARGETS.iter().find(|target| *target == arg) {
            Some(target) => chosen.push(*target),
            None if arg == "--seconds" => {
                let number = args.next().and_then(|n| n.parse().ok());
                seconds = number.ok_or("fuzz: --seconds needs a number")?;
            }
            None => return Err(format!("fuzz: no target {arg:?} (there are {TARGETS:?})")),
        }
    }
    let chosen = if chosen.is_empty() { TARGETS.to_vec() } else { chosen };
    run(&chosen, seconds)
}

/// Builds the targets and gives each what was found before: seeds, and the corpus of this machine.
pub(crate) fn replay() -> Done {
    each(REPLAY, TARGETS, "inputs known", "-runs=0")
}

/// Builds and runs the targets one after the other.
pub(crate) fn run(targets: &[&str], seconds: u32) -> Done {
    each(HUNT, targets, &format!("{seconds} s"), &format!("-max_total_time={seconds}"))
}

fn each(profile: &str, targets: &[&str], how_long: &str, limit: &str) -> Done {
    if which("c++").is_none() {
        return Err("missing: c++ (the fuzzing engine); get it: apt-get install g++".into());
    }
    let triple = host_triple()?;
    let folder = target_dir().join("fuzz");
    let mut build = cargo(&["build", "--profile", profile, "--manifest-path", "fuzz/Cargo.toml"]);
    build.args(["--bins", "--target", &triple]).arg("--target-dir").arg(&folder);
    build.env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"));
    // The threaded engine's jumps hold under counters as long as a run is short; see its build.rs.
    build.env("PORTCULLIS_FUZZING", "1");
    if profile == REPLAY {
        build.env("PORTCULLIS_FEW_ROWS", "1");
    }
    step("fuzz targets", &mut build)?;
    for target in targets {
        let corpus = folder.join("corpus").join(target);
        let found = folder.join("found");
        for dir in [&corpus, &found] {
            std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        }
        let mut fuzz = command(folder.join(&triple).join(profile).join(target));
        fuzz.arg(limit)
            .arg(format!("-rss_limit_mb={MEBIBYTES}"))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-timeout={SECONDS_PER_INPUT}"))
            .arg(format!("-artifact_prefix={}/{target}-", found.display()))
            .args(["-print_final_stats=1", "-verbosity=0"])
            .arg(&corpus)
            .args(seeds(target));
        step(&format!("fuzz {target}, {how_long}"), &mut fuzz).map_err(|error| {
            format!(
                "{error}; the input is in {0}, repeat: {1} {0}/{target}-...",
                found.display(),
                folder.join(&triple).join(profile).join(target).display()
            )
        })?;
    }
    Ok(())
}

/// The folder to begin from, where the project has one.
fn seeds(target: &str) -> Option<PathBuf> {
    let folder = root().join("fuzz/seeds").join(target);
    folder.is_dir().then_some(folder)
}

fn host_triple() -> Done<String> {
    let version = crate::shell::output(command("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc -vV names no host".to_owned())
}
