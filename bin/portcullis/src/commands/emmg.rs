//! `portcullis emmg`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis emmg`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("emmg: not here yet"))
}
