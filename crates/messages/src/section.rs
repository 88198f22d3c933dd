//! CA message sections: table_id, length, private data (TS 103 197 world; short form, no CRC).
//!
//! A change of content shows in the table_id of an ECM (0x80 and 0x81 take turns), so that a
//! demultiplexer can tell a new ECM from a repeat by one octet.

use alloc::vec::Vec;

use portcullis_types::Parity;

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};

/// The table_ids that Portcullis uses on ECM and EMM PIDs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TableId {
    /// 0x80: an ECM of an even crypto-period.
    EcmEven,
    /// 0x81: an ECM of an odd crypto-period.
    EcmOdd,
    /// 0x82: for one terminal.
    UniqueEmm,
    /// 0x84: for the members of one group.
    GroupEmm,
    /// 0x88: for all.
    GlobalEmm,
}

impl TableId {
    /// The ECM table_id for a crypto-period of this parity.
    #[must_use]
    pub const fn ecm(parity: Parity) -> Self {
        match parity {
            Parity::Even => Self::EcmEven,
            Parity::Odd => Self::EcmOdd,
        }
    }

    /// The octet.
    #[must_use]
    pub const fn value(self) -> u8 {
        match self {
            Self::EcmEven => 0x80,
            Self::EcmOdd => 0x81,
            Self::UniqueEmm => 0x82,
            Self::GroupEmm => 0x84,
            Self::GlobalEmm => 0x88,
        }
    }

    /// The table_id of an octet.
    #[must_use]
    pub const fn from_value(value: u8) -> Option<Self> {
        match value {
            0x80 => Some(Self::EcmEven),
            0x81 => Some(Self::EcmOdd),
            0x82 => Some(Self::UniqueEmm),
            0x84 => Some(Self::GroupEmm),
            0x88 => Some(Self::GlobalEmm),
            _ => None,
        }
    }

    /// Whether this is one of the two ECM table_ids.
    #[must_use]
    pub const fn is_ecm(self) -> bool {
        matches!(self, Self::EcmEven | Self::EcmOdd)
    }

    /// Octets that a section with this table_id may have in all.
    #[must_use]
    pub const fn max_section_len(self) -> usize {
        if self.is_ecm() { MAX_ECM_SECTION_LEN } else { MAX_EMM_SECTION_LEN }
    }
}

/// A section taken apart; borrows from the received bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CaSection<'a> {
    /// Which kind of message.
    pub table_id: TableId,
    /// The envelope (or the signed global EMM).
    pub payload: &'a [u8],
}

impl<'a> CaSection<'a> {
    /// Takes one whole section apart.
    ///
    /// # Errors
    /// [`DecodeError`] for a table_id that is not ours, the long section form, a length that is
    /// not exactly that of the bytes, or a section over its limit.
    pub fn parse(section: &'a [u8]) -> Result<Self, DecodeError> {
        let truncated = DecodeError::new(section.len(), DecodeErrorKind::Truncated);
        let (&[id, high, low], payload) = section.split_first_chunk().ok_or(truncated)?;
        let table_id = TableId::from_value(id)
            .ok_or_else(|| DecodeError::new(0, DecodeErrorKind::TableId(id)))?;
        if high & 0x80 != 0 {
            return Err(DecodeError::new(1, DecodeErrorKind::LongSection));
        }
        let len = usize::from(u16::from_be_bytes([high & 0x0F, low]));
        if len + 3 > table_id.max_section_len() {
            return Err(DecodeError::new(1, DecodeErrorKind::Length(id)));
        }
        match payload.len() {
            found if found < len => Err(truncated),
            found if found > len => Err(DecodeError::new(3 + len, DecodeErrorKind::Trailing)),
            _ => Ok(Self { table_id, payload }),
        }
    }
}

/// Puts a payload into a section.
///
/// # Errors
/// [`EncodeError::SectionTooLong`] over the limit of this table_id.
pub fn wrap(table_id: TableId, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let (len, limit) = (payload.len() + 3, table_id.max_section_len());
    if len > limit {
        return Err(EncodeError::SectionTooLong { len, limit });
    }
    let [high, low] = (payload.len() as u16).to_be_bytes();
    let mut out = Vec::with_capacity(len);
    out.extend_from_slice(&[table_id.value(), 0x70 | high, low]);
    out.extend_from_slice(payload);
    Ok(out)
}

/// Octets of an ECM section, header included: what every receiver's filter can hold.
pub const MAX_ECM_SECTION_LEN: usize = 256;

/// Octets of an EMM section, header included.
pub const MAX_EMM_SECTION_LEN: usize = 1024;
