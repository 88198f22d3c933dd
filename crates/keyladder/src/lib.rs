//! Root-key derivation profiles, key ladder, challenge-response and the sealed message envelope.
//!
//! Trust domain: the chip (unwrapping side) and the headend (wrapping side); the terminal links
//! it for nothing but [`envelope::Header`], the guest clients not at all.
//! Clauses: J.1032 6.2.1.1-6.2.1.4; the derivation is the K-LAD of ETSI TS 103 162 / SCTE 201.
//! What must never happen: a level skipped, a level key taken for another level's, a control word
//! outside the type that can load it only into a descrambler.
//!
//! ```text
//! SCK, Vendor_SysID -> SCKv  \
//! MaskKey, Vendor_SysID -> Seedv -> K3 = RootKey -EK2-> K2 -EK1-> K1 -usage rights-> K1' -ECW-> CW
//!                                                       `-nonce-> dnonce
//! ```

#![no_std]

extern crate alloc;

pub mod calculator;
pub mod delivery;
mod derivation;
pub mod envelope;
mod ladder;

pub use derivation::{
    MaskKey, ModuleIdMismatch, Profile, RootKey, Sck, SckV, SeedV, UnknownProfile, root_key, sckv,
    seedv,
};
pub use ladder::{
    AssociatedData, Bound, ControlWord, ControlWordClass, LadderAlgorithm, LadderKey, Level1,
    Level2, MAX_USAGE_RIGHTS, NotAControlWord, UnknownLadderAlgorithm, UsageRightsTooLong,
    WordWrapper,
};
