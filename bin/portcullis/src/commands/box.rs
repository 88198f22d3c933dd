//! `portcullis box`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis box`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("box: not here yet"))
}
