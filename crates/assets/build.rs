//! Gathers what the programs carry inside. Each part writes one Rust file into `OUT_DIR` that
//! `src/lib.rs` includes; a part that cannot be built warns in one line and embeds nothing.

#[path = "build/cross.rs"]
mod cross;
#[path = "build/guests.rs"]
mod guests;
#[path = "build/page.rs"]
mod page;
#[path = "build/wasm.rs"]
mod wasm;

fn main() {
    guests::build();
    page::build();
    wasm::build();
}
