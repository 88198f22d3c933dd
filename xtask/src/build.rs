//! `cargo xtask build` and `up`.
//!
//! The guest clients and the page are built by the build script of `portcullis-assets`, so one
//! cargo call builds all; what it lacks is found before, and not told by a compiler error.

use std::os::unix::process::CommandExt as _;

use crate::Done;
use crate::shell::{cargo, command, program, step};
use crate::tools::{FOR_UP, require};

/// Packages of the programs, and the name of each program.
pub(crate) const PROGRAMS: &[(&str, &str)] = &[
    ("portcullis-bin", "portcullis"),
    ("portcullis-sdmp-bin", "portcullis-sdmp"),
    ("portcullis-authority-bin", "portcullis-authority"),
    ("portcullis-chipd-bin", "portcullis-chipd"),
    ("portcullis-bootloader-bin", "portcullis-bootloader"),
];

/// Without the peers of measurements that take minutes to compile; no other package of the
/// workspace has features by default.
pub(crate) const LIGHT: &str = "--no-default-features";

/// Checks the prerequisites and builds the programs.
pub(crate) fn build() -> Done {
    require(FOR_UP)?;
    programs()
}

/// Builds the programs and the tests of the whole workspace in one go: with the same choice of
/// features for both, nothing is compiled twice.
pub(crate) fn programs_and_tests() -> Done {
    let what = ["build", "--release", "--workspace", LIGHT, "--bins", "--tests"];
    step("build the programs and the tests", &mut cargo(&what))
}

/// Builds the programs alone.
pub(crate) fn programs() -> Done {
    let mut cargo = cargo(&["build", "--release"]);
    for (package, _) in PROGRAMS {
        cargo.args(["--package", package]);
    }
    step("build the programs", &mut cargo)
}

/// Builds, then becomes `portcullis up ARGS`.
pub(crate) fn up(args: &[String]) -> Done {
    let args = match args.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => args,
    };
    build()?;
    let mut up = command(program("portcullis"));
    // The user's own folder counts for relative paths such as --data and --input.
    if let Ok(here) = std::env::current_dir() {
        up.current_dir(here);
    }
    Err(format!("cannot start portcullis: {}", up.arg("up").args(args).exec()))
}
