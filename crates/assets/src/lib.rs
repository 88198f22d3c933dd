//! What the programs carry inside: the page, its scrambler, the reference clients, the sample
//! stream.
//!
//! Trust domain: none; nothing in here is secret, and no part is trusted because it was embedded:
//! client packages are verified like downloaded ones.

mod guests;
mod page;
mod wasm;

pub use guests::{client, guest_names, hostile, policy};
pub use page::{PageFile, page};
pub use wasm::{machine_wasm, scrambler_wasm};

/// The stream that `portcullis up` puts on air when it has no input: one service, made to loop
/// without a seam (see `data/README.md`).
pub const SAMPLE_TS: &[u8] = include_bytes!("../data/sample.ts");

/// The service id of [`SAMPLE_TS`].
pub const SAMPLE_SERVICE: u16 = 1;
