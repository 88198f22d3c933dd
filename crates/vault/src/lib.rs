//! The private files of one party: encrypted to its unlock key, written atomically.
//!
//! Trust domain: whoever owns the directory (authority, SDMP, chip vendor, CA vendor, operator).
//! Each party has an age identity of its own, `unlock.key`; its private files are `*.age`, sealed
//! to that identity, so that one party's directory opens nothing of another's. Files and identity
//! are in the formats of age: `age -d -i unlock.key master.key.age` opens them without us.
//!
//! What must never happen: a private file readable by others (all are created 0600), a half
//! written file under its final name (temporary file, fsync, rename, fsync of the directory), or
//! a secret in an error message.

// spec: D-K8
// defends: T-07

mod error;
mod identity;
mod party;
mod pem;
mod write;

pub use error::VaultError;
pub use identity::{Passphrase, Recipient};
pub use party::{Party, UNLOCK_KEY, seal_to};
pub use pem::{ed25519_seed_from_pem, ed25519_seed_to_pem};
pub use write::{create_private_dir, write_private, write_public};

pub use zeroize::Zeroizing;

/// Largest file the vault opens or seals, in octets. Keys and records are a few hundred; the
/// limit keeps a planted file from filling memory.
pub const MAX_FILE: u64 = 64 << 20;

/// What stands at most in a passphrase file, in octets.
pub const MAX_PASSPHRASE: u64 = 4096;
