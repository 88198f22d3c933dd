//! `portcullis terminal`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis terminal`.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Arguments of the platform program.
#[derive(clap::Args)]
pub(crate) struct PlatformArgs {}

pub(crate) fn platform(_args: PlatformArgs) -> Outcome {
    Err(Failure::new("terminal: not here yet"))
}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("terminal: not here yet"))
}
