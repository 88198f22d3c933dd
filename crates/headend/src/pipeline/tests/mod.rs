//! The pipeline against streams made in code, a generator without cryptography, and a receiver
//! that knows nothing but what is on air.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod changes;
mod content;
mod ecm;
mod emm;
mod receiver;
