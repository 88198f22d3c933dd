//! `portcullis svm`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis svm`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Outcome {
    Err(Failure::new("svm: not here yet"))
}
