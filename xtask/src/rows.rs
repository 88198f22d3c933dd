//! `cargo xtask rows`: which rows of instructions the threaded engine has functions for.
//!
//! The choosing is done by `portcullis-bench` with its feature `rows`, which nothing that ships has.

use crate::Done;
use crate::shell::{cargo, step};
use crate::tools::{CLANG, GUEST_TOOLCHAIN, RISCV_GCC, require};

/// Hands the arguments on.
pub(crate) fn run(args: &[String]) -> Done {
    require(&[&CLANG, &RISCV_GCC, &GUEST_TOOLCHAIN])?;
    let features = ["--no-default-features", "--features", "rows"];
    let mut command = cargo(&["run", "--release", "--quiet", "-p", "portcullis-bench"]);
    step("rows", command.args(features).args(["--", "rows"]).args(args))
}
