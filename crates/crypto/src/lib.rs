//! The only crate that names cipher crates; secret types that cannot be printed, cloned or
//! serialised.
//!
//! Trust domain: all of them; the chip, the headend, the off-line makers and the guest clients
//! link it, so it is `no_std` and takes randomness as an argument ([`Randomness`]).
//! Clauses: the algorithms of J.1032 6.2.1 (block ciphers of the ladder), SHA-256, HMAC, CMAC,
//! HKDF, AES-256-GCM and Ed25519 for everything around it.
//! What must never happen: a key that is printed, copied silently or left in memory after its
//! owner is gone; a comparison of secrets whose time depends on them; a signature accepted by
//! anything but the strict check.

#![no_std]

extern crate alloc;
// For asking the processor what it has; elsewhere the crate does without.
#[cfg(target_arch = "x86_64")]
extern crate std;

mod aead;
mod aes128;
mod block;
mod hash;
mod key;
#[cfg(feature = "legacy-rsa")]
mod legacy_rsa;
mod mac;
#[cfg(target_arch = "x86_64")]
mod round_keys;
mod seal;
mod sign;
mod traces;

pub use aead::{AeadRefused, aes256_gcm_open, aes256_gcm_seal};
pub use aes128::Aes128;
pub use block::{
    NotWholeBlocks, aes128_decrypt_block, aes128_encrypt_block, cbc_decrypt_in_place,
    cbc_encrypt_in_place, tdes2_decrypt_block, tdes2_encrypt_block,
};
pub use hash::{OutputTooLong, Sha256, hkdf_sha256, sha256};
pub use key::Key128;
#[cfg(feature = "legacy-rsa")]
pub use legacy_rsa::rsa_pss_1024_sha1_verifies;
pub use mac::{cmac, hmac_sha256};
#[cfg(target_arch = "x86_64")]
pub use round_keys::{RoundKeys, Schedule};
pub use seal::{NotAMessage, SealKey, SealLane, seal_many};
pub use sign::{BadSignature, Ed25519SigningKey, Ed25519VerifyingKey, NotAKey, SignatureVerified};
pub use traces::{DEEP, SHALLOW, Wiped, leaving_no_trace};

pub use zeroize::{Zeroize, Zeroizing};

/// Randomness as an argument: fills the buffer or, when the source fails, must not return.
///
/// Crates below the programs have no source of their own, so that a simulated world can give
/// them a seeded one.
pub type Randomness<'a> = &'a mut dyn FnMut(&mut [u8]);

/// Whether two byte strings are equal, in a time that depends on their lengths only.
// defends: T-01
#[must_use]
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    a.ct_eq(b).into()
}
