//! Modules for a browser's engine (`wasm/`).

include!(concat!(env!("OUT_DIR"), "/wasm.rs"));

/// The scramblers, for the page. `None` when the build had no compiler for WebAssembly; then
/// `rustup target add wasm32-unknown-unknown` helps.
#[must_use]
pub const fn scrambler_wasm() -> Option<&'static [u8]> {
    SCRAMBLER
}

/// The secure virtual machine, for measurements and tests. `None` as above.
#[must_use]
pub const fn machine_wasm() -> Option<&'static [u8]> {
    MACHINE
}
