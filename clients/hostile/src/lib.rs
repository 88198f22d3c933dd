//! Clients that do what they must not: each is a program of its own under `src/bin`.
//!
//! They misbehave in every event but Initialize and Terminate, so that they install and start
//! like any client. `hello` behaves and is the smallest program there is; `puppet` makes the
//! system call that its event names.
#![no_std]
