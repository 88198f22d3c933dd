//! `portcullis criteria`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis criteria`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("criteria: not here yet"))
}
