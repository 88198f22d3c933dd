//! `portcullis client`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis client`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("client: not here yet"))
}
