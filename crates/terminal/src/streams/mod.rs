//! Where the transport stream comes from and goes to.

mod input;
mod output;

pub(crate) use input::{Arrived, Input, SILENCE};
pub(crate) use output::{Output, Purpose};
