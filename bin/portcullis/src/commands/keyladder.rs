//! `portcullis keyladder`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis keyladder`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("keyladder: not here yet"))
}
