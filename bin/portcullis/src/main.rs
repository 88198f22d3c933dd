//! Program `portcullis`: one binary, a subcommand per role.
//!
//! Trust domain: the operator, on line; the same executable is also the terminal's platform
//! image. It never links `portcullis-sdmp` or `portcullis-authority`: `init` and `box add` run
//! those programs as child processes.

mod cli;
mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
