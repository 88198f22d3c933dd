//! `portcullis ecmg`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis ecmg`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("ecmg: not here yet"))
}
