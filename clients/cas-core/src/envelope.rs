//! The clear header of a sealed message, as far as a client needs it. The chip checks the rest.

use alloc::vec::Vec;

use portcullis_sdk::abi::reason;
use portcullis_sdk::{Status, sys};
use portcullis_types::ProductId;

/// What a sealed message is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    UniqueEmm = 1,
    GroupEmm = 2,
    Ecm = 3,
}

/// A sealed message with the header fields read.
pub(crate) struct Envelope<'a> {
    sealed: &'a [u8],
    pub(crate) key_ref: u32,
    pub(crate) sequence: u32,
    ladder_len: usize,
}

impl<'a> Envelope<'a> {
    /// Reads the header; the wrong version or kind is a bad message.
    pub(crate) fn parse(sealed: &'a [u8], kind: Kind) -> Result<Self, u32> {
        let header = sealed.first_chunk::<16>().ok_or(reason::BAD_MESSAGE)?;
        let [1, found, _, _, k0, k1, k2, k3, s0, s1, s2, s3, l0, l1, ..] = *header else {
            return Err(reason::BAD_MESSAGE);
        };
        if found != kind as u8 {
            return Err(reason::BAD_MESSAGE);
        }
        Ok(Self {
            sealed,
            key_ref: u32::from_be_bytes([k0, k1, k2, k3]),
            sequence: u32::from_be_bytes([s0, s1, s2, s3]),
            ladder_len: u16::from_be_bytes([l0, l1]).into(),
        })
    }

    /// Lets the chip verify and open it.
    pub(crate) fn open(&self) -> Result<Vec<u8>, Status> {
        sys::kl_open_message(self.sealed)
    }

    /// The vendor's part of an opened body.
    pub(crate) fn client_part<'b>(&self, opened: &'b [u8]) -> Result<&'b [u8], u32> {
        opened.get(self.ladder_len..).ok_or(reason::BAD_MESSAGE)
    }

    /// The product_id in the ladder part of an opened group EMM.
    pub(crate) fn ladder_product(&self, opened: &[u8]) -> Result<ProductId, u32> {
        match opened.first_chunk::<4>() {
            Some(product) if self.ladder_len >= 4 => Ok(ProductId(u32::from_be_bytes(*product))),
            _ => Err(reason::BAD_MESSAGE),
        }
    }
}
