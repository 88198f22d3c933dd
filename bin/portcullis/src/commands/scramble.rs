//! `portcullis scramble`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis scramble`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn descramble(_args: Args) -> Outcome {
    Err(Failure::new("descramble: not here yet"))
}

pub(crate) fn scramble(_args: Args) -> Outcome {
    Err(Failure::new("scramble: not here yet"))
}
