//! `portcullis up`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis up`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("up: not here yet"))
}
