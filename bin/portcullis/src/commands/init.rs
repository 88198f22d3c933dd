//! `portcullis init`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis init`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("init: not here yet"))
}
