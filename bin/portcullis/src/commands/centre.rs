//! `portcullis centre`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis centre`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("centre: not here yet"))
}
