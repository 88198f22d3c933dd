//! Access criteria (SCS to ECM generator) and usage rights (headend to client to chip).
//!
//! The usage rights travel as bytes and are bound into the key as bytes, so they have exactly
//! one form: the 8-octet core first, then every other field once, in ascending order of tag.

use alloc::vec::Vec;

use portcullis_types::ProductId;

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::reader::Reader;

/// Usage rights of content: the 64-bit core of the broadcast world and further fields.
// spec: E-R30 E-R24
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageRights {
    core: [u8; 8],
    fields: Vec<(u8, Vec<u8>)>,
}

impl UsageRights {
    /// Usage rights with this core and no other field.
    #[must_use]
    pub const fn new(core: [u8; 8]) -> Self {
        Self { core, fields: Vec::new() }
    }

    /// Sets or replaces a field. The order of calls does not matter.
    ///
    /// # Errors
    /// [`EncodeError::UsageRights`] when the tag is the core's (0x01) or 0, or when the whole
    /// would be longer than [`MAX_USAGE_RIGHTS_LEN`]; nothing is changed then.
    pub fn set(&mut self, tag: u8, value: &[u8]) -> Result<(), EncodeError> {
        let place = self.fields.binary_search_by_key(&tag, |(t, _)| *t);
        let replaced =
            place.ok().and_then(|at| self.fields.get(at)).map_or(0, |(_, v)| 2 + v.len());
        let len = self.encoded_len() - replaced + 2 + value.len();
        if tag <= USAGE_RIGHTS_CORE_TAG || value.len() > 255 || len > MAX_USAGE_RIGHTS_LEN {
            return Err(EncodeError::UsageRights(len));
        }
        match place {
            Ok(at) => {
                if let Some(field) = self.fields.get_mut(at) {
                    field.1 = value.to_vec();
                }
            }
            Err(at) => self.fields.insert(at, (tag, value.to_vec())),
        }
        Ok(())
    }

    /// The 8-octet core.
    #[must_use]
    pub const fn core(&self) -> &[u8; 8] {
        &self.core
    }

    /// The value of another field.
    #[must_use]
    pub fn get(&self, tag: u8) -> Option<&[u8]> {
        let at = self.fields.binary_search_by_key(&tag, |(t, _)| *t).ok()?;
        self.fields.get(at).map(|(_, value)| value.as_slice())
    }

    /// The one canonical form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        out.extend_from_slice(&[USAGE_RIGHTS_CORE_TAG, 8]);
        out.extend_from_slice(&self.core);
        for (tag, value) in &self.fields {
            out.push(*tag);
            out.push(value.len() as u8); // at most MAX_USAGE_RIGHTS_LEN, checked by `set`
            out.extend_from_slice(value);
        }
        out
    }

    /// Reads the canonical form and refuses every other.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset of the fault.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_USAGE_RIGHTS_LEN {
            return Err(DecodeError::new(MAX_USAGE_RIGHTS_LEN, DecodeErrorKind::TooMany));
        }
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            USAGE_RIGHTS_CORE_TAG => {}
            _ => return Err(DecodeError::new(0, DecodeErrorKind::Missing(USAGE_RIGHTS_CORE_TAG))),
        }
        if reader.u8()? != 8 {
            return Err(DecodeError::new(1, DecodeErrorKind::Length(USAGE_RIGHTS_CORE_TAG)));
        }
        let mut rights = Self::new(reader.array()?);
        let mut last = USAGE_RIGHTS_CORE_TAG;
        while !reader.is_empty() {
            let at = reader.offset();
            let tag = reader.u8()?;
            if tag <= last {
                return Err(DecodeError::new(at, DecodeErrorKind::NotCanonical));
            }
            last = tag;
            let len = usize::from(reader.u8()?);
            rights.fields.push((tag, reader.take(len)?.to_vec()));
        }
        Ok(rights)
    }

    fn encoded_len(&self) -> usize {
        10 + self.fields.iter().map(|(_, value)| 2 + value.len()).sum::<usize>()
    }
}

impl Default for UsageRights {
    /// Copying prohibited (emi 11), nothing else said: the strictest core.
    fn default() -> Self {
        Self::new([0x02, 0x30, 0, 0, 0, 0, 0, 0])
    }
}

/// What guards a service: the product and the rights under which it may be used.
// spec: S-51 X-45
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessCriteria {
    /// The product that a terminal must be entitled to.
    pub product: ProductId,
    /// What may be done with the content.
    pub usage_rights: UsageRights,
}

impl AccessCriteria {
    /// Version octet, product, usage rights.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::from([VERSION]);
        out.extend_from_slice(&self.product.0.to_be_bytes());
        out.extend_from_slice(&self.usage_rights.encode());
        out
    }

    /// Reads access criteria; only the canonical form is taken.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset of the fault.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            VERSION => {}
            other => return Err(DecodeError::new(0, DecodeErrorKind::Version(other))),
        }
        let product = ProductId(reader.u32()?);
        let at = reader.offset();
        let usage_rights = UsageRights::decode(bytes.get(at..).unwrap_or(&[]))
            .map_err(|e| DecodeError::new(at + e.offset, e.kind))?;
        Ok(Self { product, usage_rights })
    }
}

const VERSION: u8 = 1;

/// Tag of the 8-octet core.
pub const USAGE_RIGHTS_CORE_TAG: u8 = 0x01;

/// Canonical usage rights are at most this long, so that an ECM section stays within 256 octets.
pub const MAX_USAGE_RIGHTS_LEN: usize = 128;
