//! Which rows have a function of their own: chosen by what programs execute.
//!
//! Only with the feature `rows`, for `cargo xtask rows`. The match loop counts; each run of straight
//! code is cut into rows as [`super::fused`] does it, at the same cost. Among all rows that occur,
//! in several forms, those are taken one by one that save most for their length, all programs
//! weighing alike, until there are as many as wanted.

mod candidates;
mod likely;
mod profile;
mod selection;

pub use candidates::Candidates;
pub use profile::{Profile, Program};
pub use selection::{Choice, Taken};
