//! The guest programs that were built into this program.

/// A guest program and the policy it is packed with.
#[derive(Clone, Copy)]
struct Guest {
    name: &'static str,
    elf: &'static [u8],
    policy: &'static str,
}

const GUESTS: &[Guest] = include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// The reference CA clients; everything else among the guests is for tests.
const CLIENTS: [&str; 2] = ["vendor-a", "vendor-b"];

/// The reference CA client of `vendor-a` or `vendor-b`, as an ELF file. `None` when the build had
/// no compiler for guests; then `rustup target add riscv32im-unknown-none-elf` helps.
#[must_use]
pub fn client(name: &str) -> Option<&'static [u8]> {
    CLIENTS.contains(&name).then(|| guest(name)).flatten().map(|guest| guest.elf)
}

/// A hostile client (or `hello`, `puppet`, `own-cipher`, `bench`, `corpus`), as an ELF file.
#[must_use]
pub fn hostile(name: &str) -> Option<&'static [u8]> {
    if CLIENTS.contains(&name) { None } else { guest(name).map(|guest| guest.elf) }
}

/// The policy that a client or a hostile client is packed with.
#[must_use]
pub fn policy(name: &str) -> Option<&'static str> {
    guest(name).map(|guest| guest.policy)
}

/// The names of all guests that were built: clients first.
pub fn guest_names() -> impl Iterator<Item = &'static str> {
    GUESTS.iter().map(|guest| guest.name)
}

fn guest(name: &str) -> Option<&'static Guest> {
    GUESTS.iter().find(|guest| guest.name == name)
}
