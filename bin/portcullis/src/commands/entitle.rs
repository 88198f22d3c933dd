//! `portcullis entitle`.

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis entitle`.
#[derive(clap::Args)]
pub(crate) struct EntitleArgs {}

/// Arguments of `portcullis unentitle`.
#[derive(clap::Args)]
pub(crate) struct UnentitleArgs {}

pub(crate) fn unentitle(_args: UnentitleArgs) -> Outcome {
    Err(Failure::new("unentitle: not here yet"))
}

pub(crate) fn entitle(_args: EntitleArgs) -> Outcome {
    Err(Failure::new("entitle: not here yet"))
}
