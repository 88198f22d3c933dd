//! System calls through the real machine, with a small guest assembled here.
#![allow(clippy::unwrap_used)]
