//! Layout of vendor A: a version octet, a kind octet, then tag-length-value fields in any order.
//!
//! Tags from 0x80 up may be ignored by a reader that does not know them; any other unknown tag
//! refuses the message. Lengths are one octet.

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
    put(&mut out, TAG_PRODUCT, &body.product.0.to_be_bytes());
    put(&mut out, TAG_EPOCH, &body.epoch.0.to_be_bytes());
    put(&mut out, TAG_CP_NUMBER, &body.cp_number.0.to_be_bytes());
    put(&mut out, TAG_TIME, &body.time.0.to_be_bytes());
    put(&mut out, TAG_ECW_EVEN, &body.ecw_even);
    put(&mut out, TAG_ECW_ODD, &body.ecw_odd);
    put(&mut out, TAG_USAGE_RIGHTS, &body.usage_rights);
    Ok(out)
}

/// Reads the client part of an ECM.
///
/// # Errors
/// [`DecodeError`] with the offset of the fault.
pub fn decode_ecm(bytes: &[u8]) -> Result<EcmBody, DecodeError> {
    let (mut product, mut epoch, mut cp_number, mut time) = (None, None, None, None);
    let (mut ecw_even, mut ecw_odd, mut usage_rights) = (None, None, None);
    let end = each_field(bytes, KIND_ECM, |field| match field.tag {
        TAG_PRODUCT => field.once(&mut product),
        TAG_EPOCH => field.once(&mut epoch),
        TAG_CP_NUMBER => field.once(&mut cp_number),
        TAG_TIME => field.once(&mut time),
        TAG_ECW_EVEN => field.once(&mut ecw_even),
        TAG_ECW_ODD => field.once(&mut ecw_odd),
        TAG_USAGE_RIGHTS if usage_rights.is_some() => field.fault(DecodeErrorKind::Repeated),
        TAG_USAGE_RIGHTS if field.value.len() > MAX_USAGE_RIGHTS_LEN => {
            field.fault(DecodeErrorKind::Length)
        }
        TAG_USAGE_RIGHTS => {
            usage_rights = Some(field.value.to_vec());
            Ok(())
        }
        _ => field.unknown(),
    })?;
    Ok(EcmBody {
        product: ProductId(number32(product, end, TAG_PRODUCT)?),
        epoch: EpochId(number32(epoch, end, TAG_EPOCH)?),
        cp_number: CpNumber(u16::from_be_bytes(there(cp_number, end, TAG_CP_NUMBER)?)),
        time: seconds(time, end, TAG_TIME)?,
        ecw_even: there(ecw_even, end, TAG_ECW_EVEN)?,
        ecw_odd: there(ecw_odd, end, TAG_ECW_ODD)?,
        usage_rights: there(usage_rights, end, TAG_USAGE_RIGHTS)?,
    })
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
    put(&mut out, TAG_COUNTER, &body.counter.to_be_bytes());
    put(&mut out, TAG_TIME, &body.time.0.to_be_bytes());
    for right in &body.entitlements {
        let mut value = [0; 20];
        value[..4].copy_from_slice(&right.product.0.to_be_bytes());
        value[4..12].copy_from_slice(&right.from.0.to_be_bytes());
        value[12..].copy_from_slice(&right.until.0.to_be_bytes());
        put(&mut out, TAG_ENTITLEMENT, &value);
    }
    Ok(out)
}

/// Reads the client part of a unique EMM.
///
/// # Errors
/// [`DecodeError`] with the offset of the fault.
pub fn decode_unique_emm(bytes: &[u8]) -> Result<UniqueEmmBody, DecodeError> {
    let (mut counter, mut time, mut entitlements) = (None, None, Vec::new());
    let end = each_field(bytes, KIND_UNIQUE_EMM, |field| match field.tag {
        TAG_COUNTER => field.once(&mut counter),
        TAG_TIME => field.once(&mut time),
        TAG_ENTITLEMENT if entitlements.len() == MAX_ENTITLEMENTS => {
            field.fault(|_| DecodeErrorKind::TooMany)
        }
        TAG_ENTITLEMENT if field.value.len() != 20 => field.fault(DecodeErrorKind::Length),
        TAG_ENTITLEMENT => {
            let mut value = Reader::new(field.value);
            entitlements.push(Entitlement {
                product: ProductId(value.u32()?),
                from: UnixSeconds(value.u64()?),
                until: UnixSeconds(value.u64()?),
            });
            Ok(())
        }
        _ => field.unknown(),
    })?;
    Ok(UniqueEmmBody {
        counter: number32(counter, end, TAG_COUNTER)?,
        time: seconds(time, end, TAG_TIME)?,
        entitlements,
    })
}

/// Writes the client part of a group EMM.
#[must_use]
pub fn encode_group_emm(body: &GroupEmmBody) -> Vec<u8> {
    let mut out = Vec::from([VERSION, KIND_GROUP_EMM]);
    put(&mut out, TAG_COUNTER, &body.counter.to_be_bytes());
    put(&mut out, TAG_PRODUCT, &body.product.0.to_be_bytes());
    put(&mut out, TAG_EPOCH, &body.epoch.0.to_be_bytes());
    put(&mut out, TAG_VALID_FROM, &body.valid_from.0.to_be_bytes());
    put(&mut out, TAG_VALID_UNTIL, &body.valid_until.0.to_be_bytes());
    out
}

/// Reads the client part of a group EMM.
///
/// # Errors
/// [`DecodeError`] with the offset of the fault.
pub fn decode_group_emm(bytes: &[u8]) -> Result<GroupEmmBody, DecodeError> {
    let (mut counter, mut product, mut epoch) = (None, None, None);
    let (mut valid_from, mut valid_until) = (None, None);
    let end = each_field(bytes, KIND_GROUP_EMM, |field| match field.tag {
        TAG_COUNTER => field.once(&mut counter),
        TAG_PRODUCT => field.once(&mut product),
        TAG_EPOCH => field.once(&mut epoch),
        TAG_VALID_FROM => field.once(&mut valid_from),
        TAG_VALID_UNTIL => field.once(&mut valid_until),
        _ => field.unknown(),
    })?;
    Ok(GroupEmmBody {
        counter: number32(counter, end, TAG_COUNTER)?,
        product: ProductId(number32(product, end, TAG_PRODUCT)?),
        epoch: EpochId(number32(epoch, end, TAG_EPOCH)?),
        valid_from: seconds(valid_from, end, TAG_VALID_FROM)?,
        valid_until: seconds(valid_until, end, TAG_VALID_UNTIL)?,
    })
}

struct Field<'a> {
    tag: u8,
    value: &'a [u8],
    offset: usize,
}

impl Field<'_> {
    fn fault(&self, kind: fn(u8) -> DecodeErrorKind) -> Result<(), DecodeError> {
        Err(DecodeError::new(self.offset, kind(self.tag)))
    }

    /// A field that stands once and has a fixed length.
    fn once<const N: usize>(&self, place: &mut Option<[u8; N]>) -> Result<(), DecodeError> {
        if place.is_some() {
            return self.fault(DecodeErrorKind::Repeated);
        }
        match self.value.try_into() {
            Ok(value) => {
                *place = Some(value);
                Ok(())
            }
            Err(_) => self.fault(DecodeErrorKind::Length),
        }
    }

    fn unknown(&self) -> Result<(), DecodeError> {
        if self.tag & IGNORABLE != 0 { Ok(()) } else { self.fault(DecodeErrorKind::UnknownTag) }
    }
}

/// Calls `visit` for each field and returns the offset of the end.
fn each_field(
    bytes: &[u8],
    kind: u8,
    mut visit: impl FnMut(&Field<'_>) -> Result<(), DecodeError>,
) -> Result<usize, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.head(VERSION, kind)?;
    while !reader.is_empty() {
        let offset = reader.offset();
        let tag = reader.u8()?;
        let len = usize::from(reader.u8()?);
        visit(&Field { tag, value: reader.take(len)?, offset })?;
    }
    Ok(reader.offset())
}

fn there<T>(value: Option<T>, end: usize, tag: u8) -> Result<T, DecodeError> {
    value.ok_or_else(|| DecodeError::new(end, DecodeErrorKind::Missing(tag)))
}

fn number32(value: Option<[u8; 4]>, end: usize, tag: u8) -> Result<u32, DecodeError> {
    there(value, end, tag).map(u32::from_be_bytes)
}

fn seconds(value: Option<[u8; 8]>, end: usize, tag: u8) -> Result<UnixSeconds, DecodeError> {
    there(value, end, tag).map(|octets| UnixSeconds(u64::from_be_bytes(octets)))
}

fn put(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    // Every value here is at most MAX_USAGE_RIGHTS_LEN long.
    out.extend_from_slice(&[tag, value.len() as u8]);
    out.extend_from_slice(value);
}

const VERSION: u8 = 1;
const IGNORABLE: u8 = 0x80;

const TAG_PRODUCT: u8 = 0x10;
const TAG_EPOCH: u8 = 0x11;
const TAG_CP_NUMBER: u8 = 0x12;
const TAG_TIME: u8 = 0x13;
const TAG_ECW_EVEN: u8 = 0x14;
const TAG_ECW_ODD: u8 = 0x15;
const TAG_USAGE_RIGHTS: u8 = 0x16;
const TAG_COUNTER: u8 = 0x20;
const TAG_ENTITLEMENT: u8 = 0x21;
const TAG_VALID_FROM: u8 = 0x22;
const TAG_VALID_UNTIL: u8 = 0x23;
