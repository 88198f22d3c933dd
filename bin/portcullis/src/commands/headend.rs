//! `portcullis headend`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis headend`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("headend: not here yet"))
}
