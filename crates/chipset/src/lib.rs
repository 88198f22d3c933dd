//! The hardware interface and the software security chipset behind it.
//!
//! Trust domain: the chip ([`SoftwareChip`], [`Otp`], [`Counters`], [`boot`]) and its border
//! ([`wire`], [`ChipHandle`]). Clauses: J.1032 6.1.2 c, 6.2.1, 6.2.3; K-LAD for the derivation.
//! What must never happen: SCK, K3, K2, K1 or a control word outside the process that holds a
//! [`SoftwareChip`]; an unverified byte executed; a counter that falls.
//!
//! A software chipset cannot resist the owner of the machine it runs on. The border here is where
//! silicon goes: replace the process behind [`wire`] and nothing above changes.

pub mod boot;
pub mod fabric;
pub mod harden;
pub mod wire;

mod counters;
mod handle;
mod memory;
mod otp;
mod server;
mod session;
mod socket;
mod software;

/// Label under which the chip seals the private key of the device certificate.
pub const DEVICE_KEY_LABEL: &str = "device-key";

pub use counters::{CounterError, Counters, MAX_COUNTERS};
pub use handle::{ChipHandle, ChipHandleError};
pub use memory::PACKET_CAPACITY;
pub use otp::{Otp, OtpContents, OtpError, encrypt_sck};
pub use server::serve;
pub use socket::pair;
pub use software::{RandomSource, SoftwareChip};
pub use wire::{BootLink, ChipError, ChipInfo, Descrambled, SessionId};
