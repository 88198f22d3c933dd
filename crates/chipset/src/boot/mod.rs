//! The boot chain: BL_KEY0 in OTP -> BL_KEY1 -> bootloader -> platform key -> platform.
//!
//! Trust domain: the chip's ROM and the bootloader. Clauses: J.1032 6.1.3 c, 6.2.3.1.
//! What must never happen: an octet executed that was not verified (the payload is copied into a
//! sealed memfd, hashed there, and executed from there); a version below its floor; a link after
//! a bad one.

mod certificate;
mod image;
mod rom;
mod stage;

use std::fmt::Write as _;

use portcullis_crypto::{Ed25519VerifyingKey, sha256};

pub use certificate::{
    BlKey1, BlKey1Certificate, CERTIFICATE_LEN, Certificate, CertifiedRole, PlatformKey,
    PlatformKeyCertificate,
};
pub use image::{BootImage, ImageKind, ImageVersion, MAX_PAYLOAD};
pub use rom::{BIN_DIR, BootFailure, load_platform, run_chip};
pub use stage::{BootStage, Unverified, Verified};

/// File of the bootloader in a box's flash.
pub const BOOTLOADER_FILE: &str = "bootloader.img";
/// File of the platform in a box's flash.
pub const PLATFORM_FILE: &str = "platform.img";

/// Why a boot stage does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootError {
    // The image maker's fault, or an attacker's.
    /// Not what it should be.
    #[error("malformed {what} at offset {offset}")]
    Malformed {
        /// Part of the image.
        what: &'static str,
        /// Where.
        offset: usize,
    },
    /// Ends too early.
    #[error("truncated: ends after offset {offset}")]
    Truncated {
        /// Start of the part that is not whole.
        offset: usize,
    },
    /// A length above its limit, or an empty payload.
    #[error("{what} of {length} octets is empty or too large")]
    TooLarge {
        /// Part of the image.
        what: &'static str,
        /// Its length.
        length: u64,
    },
    /// A signature does not fit; names the link.
    #[error("bad signature of {0}")]
    BadSignature(&'static str),
    /// A certified key is no key; names the link.
    #[error("{0} certifies no usable key")]
    BadKey(&'static str),
    /// The payload is not the one that was signed.
    #[error("payload altered: its hash is not the signed one")]
    PayloadHash,
    /// A version below the floor in the chip.
    #[error("rollback: version {offered} is below the floor {floor}")]
    Rollback {
        /// The floor.
        floor: u32,
        /// The version offered.
        offered: u32,
    },
    // The environment's.
    /// The system's fault.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Fingerprint of a key: SHA-256 of its 32 octets, lower-case hex.
#[must_use]
pub fn fingerprint(key: &Ed25519VerifyingKey) -> String {
    hex(&sha256(&[&key.to_bytes()]))
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut out, octet| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{octet:02x}");
        out
    })
}
