//! Tests of the crate as a whole that look inside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod key_traces;
