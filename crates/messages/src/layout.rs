//! Which vendor's layout: what the headend, which serves both, chooses by.

use alloc::vec::Vec;

use crate::body::{EcmBody, GroupEmmBody, UniqueEmmBody};
use crate::error::{DecodeError, EncodeError};
use crate::{vendor_a, vendor_b};

/// One of the two layouts of the client part.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Layout {
    /// Tag-length-value.
    VendorA,
    /// Fixed records.
    VendorB,
}

impl Layout {
    /// The layout of a vendor by its directory name (`vendor-a`, `vendor-b`).
    #[must_use]
    pub fn from_vendor(vendor: &str) -> Option<Self> {
        match vendor {
            "vendor-a" => Some(Self::VendorA),
            "vendor-b" => Some(Self::VendorB),
            _ => None,
        }
    }

    /// Writes the client part of an ECM.
    ///
    /// # Errors
    /// [`EncodeError`] when a part is outside the format's limits.
    pub fn encode_ecm(self, body: &EcmBody) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::VendorA => vendor_a::encode_ecm(body),
            Self::VendorB => vendor_b::encode_ecm(body),
        }
    }

    /// Reads the client part of an ECM.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset of the fault.
    pub fn decode_ecm(self, bytes: &[u8]) -> Result<EcmBody, DecodeError> {
        match self {
            Self::VendorA => vendor_a::decode_ecm(bytes),
            Self::VendorB => vendor_b::decode_ecm(bytes),
        }
    }

    /// Writes the client part of a unique EMM.
    ///
    /// # Errors
    /// [`EncodeError`] when a part is outside the format's limits.
    pub fn encode_unique_emm(self, body: &UniqueEmmBody) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::VendorA => vendor_a::encode_unique_emm(body),
            Self::VendorB => vendor_b::encode_unique_emm(body),
        }
    }

    /// Reads the client part of a unique EMM.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset of the fault.
    pub fn decode_unique_emm(self, bytes: &[u8]) -> Result<UniqueEmmBody, DecodeError> {
        match self {
            Self::VendorA => vendor_a::decode_unique_emm(bytes),
            Self::VendorB => vendor_b::decode_unique_emm(bytes),
        }
    }

    /// Writes the client part of a group EMM.
    #[must_use]
    pub fn encode_group_emm(self, body: &GroupEmmBody) -> Vec<u8> {
        match self {
            Self::VendorA => vendor_a::encode_group_emm(body),
            Self::VendorB => vendor_b::encode_group_emm(body),
        }
    }

    /// Reads the client part of a group EMM.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset of the fault.
    pub fn decode_group_emm(self, bytes: &[u8]) -> Result<GroupEmmBody, DecodeError> {
        match self {
            Self::VendorA => vendor_a::decode_group_emm(bytes),
            Self::VendorB => vendor_b::decode_group_emm(bytes),
        }
    }
}

pub(crate) const KIND_UNIQUE_EMM: u8 = 1;
pub(crate) const KIND_GROUP_EMM: u8 = 2;
pub(crate) const KIND_ECM: u8 = 3;
