//! `cargo xtask`: build, run, test and check the project, one command each.
//!
//! Needs nothing but cargo. Whatever else a command wants (a C compiler, Node, ffmpeg ...) is
//! looked for first, and what is missing is told in one line: what, why and how to get it.
//! No command of this program downloads anything by itself except `setup`, which asks apt-get.

mod arm;
mod build;
mod ci;
mod deps;
mod fuzz;
mod instructions;
mod licences;
mod results;
mod rows;
mod setup;
mod shell;
mod soak;
mod source;
mod spec;
mod test;
mod threats;
mod tools;

use std::process::ExitCode;

/// The outcome of a command: an error is one line for the user.
type Done<T = ()> = Result<T, String>;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  up [-- ARGS]         build everything, then run `portcullis up ARGS`
  build                build everything `up` needs
  test [-p CRATE]...   all tests; says at the end what was skipped and why
       [--no-skips]    a skipped test is a failure (the default where CI=true)
  ci                   format, lints, rules, registers, licences, docs, then `test`
  deps                 the dependency rules and source rules alone
  spec [--json]        which clauses are implemented and tested
  threats [--write]    which threats have a defence and an attack test
  instructions         what hot code costs, counted, against benches/instructions.toml
       [--write]       takes the counts as the new figures
  arm                  the tests of the scrambler on 64-bit ARM, emulated
  rows [N] [--write] [--left-out] [--show PROGRAM]
                       which rows of instructions the threaded engine has functions for, chosen
                       by the programs of benches/guests; --write takes them into the source
  fuzz [TARGET]... [--seconds N]
                       coverage-guided inputs at every door a stranger can knock at
  soak [-n N] [--programs N]  long runs: property tests with 100,000 cases, so many random
                       programs in both engines (100,000,000), journeys N times
  setup [--yes]        what this machine lacks; with --yes install it with apt-get";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let outcome = match command {
        "up" => build::up(rest),
        "build" => build::build(),
        "test" => test::command(rest),
        "ci" => ci::run(rest),
        "deps" => ci::rules_only(),
        "spec" => spec::command(rest),
        "threats" => threats::command(rest),
        "instructions" => instructions::run(rest),
        "arm" => arm::check(),
        "rows" => rows::run(rest),
        "fuzz" => fuzz::command_line(rest),
        "soak" => soak::run(rest),
        "setup" => setup::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprintln!("xtask: no command {other:?}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("xtask: {line}");
            ExitCode::FAILURE
        }
    }
}
