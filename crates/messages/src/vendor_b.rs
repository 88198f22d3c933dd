//! Layout of vendor B: fixed big-endian records after a version and a kind octet. The only
//! parts of variable length (usage rights, list of rights) stand last, behind their count.

use alloc::vec::Vec;

use portcullis_types::{CpNumber, EpochId, ProductId, UnixSeconds};

use crate::body::{EcmBody, Entitlement, GroupEmmBody, MAX_ENTITLEMENTS, UniqueEmmBody};
use crate::criteria::MAX_USAGE_RIGHTS_LEN;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::layout::{KIND_ECM, KIND_GROUP_EMM, KIND_UNIQUE_EMM};
use crate::reader::Reader;

/// Writes the client part of an ECM.
///
/// # Errors
/// [`EncodeError::UsageRights`] when the usage rights are too long.
pub fn encode_ecm(body: &EcmBody) -> Result<Vec<u8>, EncodeError> {
    if body.usage_rights.len() > MAX_USAGE_RIGHTS_LEN {
        return Err(EncodeError::UsageRights(body.usage_rights.len()));
    }
    let mut out = Vec::from([VERSION, KIND_ECM]);
    out.extend_from_slice(&body.cp_number.0.to_be_bytes());
    out.extend_from_slice(&body.product.0.to_be_bytes());
    out.extend_from_slice(&body.epoch.0.to_be_bytes());
    out.extend_from_slice(&body.time.0.to_be_bytes());
    out.extend_from_slice(&body.ecw_even);
    out.extend_from_slice(&body.ecw_odd);
    out.push(body.usage_rights.len() as u8); // at most MAX_USAGE_RIGHTS_LEN
    out.extend_from_slice(&body.usage_rights);
    Ok(out)
}

/// Reads the client part of an ECM.
///
/// # Errors
/// [`DecodeError`] with the offset of the fault.
pub fn decode_ecm(bytes: &[u8]) -> Result<EcmBody, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.head(VERSION, KIND_ECM)?;
    let cp_number = CpNumber(reader.u16()?);
    let product = ProductId(reader.u32()?);
    let epoch = EpochId(reader.u32()?);
    let time = UnixSeconds(reader.u64()?);
    let ecw_even = reader.array()?;
    let ecw_odd = reader.array()?;
    let at = reader.offset();
    let len = usize::from(reader.u8()?);
    if len > MAX_USAGE_RIGHTS_LEN {
        return Err(DecodeError::new(at, DecodeErrorKind::TooMany));
    }
    let usage_rights = reader.take(len)?.to_vec();
    reader.end()?;
    Ok(EcmBody { product, epoch, cp_number, time, ecw_even, ecw_odd, usage_rights })
}

/// Writes the client part of a unique EMM.
///
/// # Errors
/// [`EncodeError::TooManyEntitlements`] over [`MAX_ENTITLEMENTS`].
pub fn encode_unique_emm(body: &UniqueEmmBody) -> Result<Vec<u8>, EncodeError> {
    if body.entitlements.len() > MAX_ENTITLEMENTS {
        return Err(EncodeError::TooManyEntitlements(body.entitlements.len()));
    }
    let mut out = Vec::from([VERSION, KIND_UNIQUE_EMM]);
    out.extend_from_slice(&body.counter.to_be_bytes());
    out.extend_from_slice(&body.time.0.to_be_bytes());
    out.push(body.entitlements.len() as u8); // at most MAX_ENTITLEMENTS
    for right in &body.entitlements {
        out.extend_from_slice(&right.product.0.to_be_bytes());
        out.extend_from_slice(&right.from.0.to_be_bytes());
        out.extend_from_slice(&right.until.0.to_be_bytes());
    }
    Ok(out)
}

/// Reads the client part of a unique EMM.
///
/// # Errors
/// [`DecodeError`] with the offset of the fault.
pub fn decode_unique_emm(bytes: &[u8]) -> Result<UniqueEmmBody, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.head(VERSION, KIND_UNIQUE_EMM)?;
    let counter = reader.u32()?;
    let time = UnixSeconds(reader.u64()?);
    let at = reader.offset();
    let count = usize::from(reader.u8()?);
    if count > MAX_ENTITLEMENTS {
        return Err(DecodeError::new(at, DecodeErrorKind::TooMany));
    }
    let mut entitlements = Vec::with_capacity(count);
    for _ in 0..count {
        entitlements.push(Entitlement {
            product: ProductId(reader.u32()?),
            from: UnixSeconds(reader.u64()?),
            until: UnixSeconds(reader.u64()?),
        });
    }
    reader.end()?;
    Ok(UniqueEmmBody { counter, time, entitlements })
}

/// Writes the client part of a group EMM.
#[must_use]
pub fn encode_group_emm(body: &GroupEmmBody) -> Vec<u8> {
    let mut out = Vec::from([VERSION, KIND_GROUP_EMM]);
    out.extend_from_slice(&body.counter.to_be_bytes());
    out.extend_from_slice(&body.product.0.to_be_bytes());
    out.extend_from_slice(&body.epoch.0.to_be_bytes());
    out.extend_from_slice(&body.valid_from.0.to_be_bytes());
    out.extend_from_slice(&body.valid_until.0.to_be_bytes());
    out
}

/// Reads the client part of a group EMM.
///
/// # Errors
/// [`DecodeError`] with the offset of the fault.
pub fn decode_group_emm(bytes: &[u8]) -> Result<GroupEmmBody, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.head(VERSION, KIND_GROUP_EMM)?;
    let body = GroupEmmBody {
        counter: reader.u32()?,
        product: ProductId(reader.u32()?),
        epoch: EpochId(reader.u32()?),
        valid_from: UnixSeconds(reader.u64()?),
        valid_until: UnixSeconds(reader.u64()?),
    };
    reader.end()?;
    Ok(body)
}

/// Differs from vendor A's, so that a message of the one is never taken for one of the other.
const VERSION: u8 = 0xB1;
