//! The three sealed bodies, independent of a vendor's layout.

use alloc::vec::Vec;
use core::fmt;

use portcullis_types::{CpNumber, EpochId, ProductId, UnixSeconds};

/// What a client learns from an ECM once the chip has opened it under K1.
// spec: D-02 X-44
#[derive(Clone, PartialEq, Eq)]
pub struct EcmBody {
    /// The product whose K1 sealed this ECM: the access criterion.
    pub product: ProductId,
    /// The epoch of that K1.
    pub epoch: EpochId,
    /// The crypto-period that this ECM is for.
    pub cp_number: CpNumber,
    /// The headend's time, which only ever moves the client's clock floor forward.
    pub time: UnixSeconds,
    /// The even control word, encrypted under the bound K1.
    pub ecw_even: [u8; 16],
    /// The odd control word, encrypted under the bound K1.
    pub ecw_odd: [u8; 16],
    /// Canonical usage rights; the same bytes are bound into K1.
    pub usage_rights: Vec<u8>,
}

impl fmt::Debug for EcmBody {
    /// Without the encrypted control words: they are worth nothing in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EcmBody")
            .field("product", &self.product)
            .field("epoch", &self.epoch)
            .field("cp_number", &self.cp_number)
            .field("time", &self.time)
            .field("usage_rights", &self.usage_rights)
            .finish_non_exhaustive()
    }
}

/// One right of one terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entitlement {
    /// What may be watched.
    pub product: ProductId,
    /// From when (inclusive).
    pub from: UnixSeconds,
    /// Until when (exclusive).
    pub until: UnixSeconds,
}

/// What a client learns from its unique EMM: the whole list of its rights, replacing the last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UniqueEmmBody {
    /// Rises with every change; a client refuses one below what it has seen.
    // defends: T-10
    pub counter: u32,
    /// The headend's time when the message was made.
    pub time: UnixSeconds,
    /// At most [`MAX_ENTITLEMENTS`].
    pub entitlements: Vec<Entitlement>,
}

/// What a client learns from a group EMM: which K1 it brought, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupEmmBody {
    /// Rises with every change of the group's membership of this product and epoch.
    pub counter: u32,
    /// The product of the K1.
    pub product: ProductId,
    /// The epoch of the K1.
    pub epoch: EpochId,
    /// Start of the epoch.
    pub valid_from: UnixSeconds,
    /// End of the epoch.
    pub valid_until: UnixSeconds,
}

/// Rights in one unique EMM.
pub const MAX_ENTITLEMENTS: usize = 32;

/// An `until` that never comes.
pub const VALID_FOR_EVER: UnixSeconds = UnixSeconds(u64::MAX);
