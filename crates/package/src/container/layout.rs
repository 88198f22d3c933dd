//! Reading the container: boundaries and sizes, nothing believed.

use std::borrow::Cow;

use portcullis_types::{ScpClientId, SuperScpId};

use super::encryption::{self, AAD_LEN, AES_256_GCM, ImageKeyId};
use super::{ContainerError, ImageKeys};
use crate::PackageLimits;

/// First four octets.
pub const CONTAINER_MAGIC: [u8; 4] = *b"ODCI";
/// The host API of this release: major in the upper, minor in the lower half.
pub const MIN_HOST_API: u32 = 0x0001_0000;

pub(super) const FORMAT: u16 = 1;
pub(super) const FLAG_ENCRYPTED: u16 = 1;
pub(super) const FLAG_COUNTERSIGNED: u16 = 2;
pub(super) const SIGNATURE_ALGORITHM: u16 = 0x0082;
pub(super) const SIGNATURE_LEN: u16 = 64;
/// Chains in the order client, platform operation, EMM signer.
pub(super) const CHAINS: usize = 3;

/// What a host takes at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContainerLimits {
    /// Octets of the container.
    pub container: u64,
    /// What its package may be.
    pub package: PackageLimits,
}

impl Default for ContainerLimits {
    fn default() -> Self {
        Self { container: 10 << 20, package: PackageLimits::default() }
    }
}

/// The fixed part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContainerHeader {
    /// Offset 8.
    pub super_scp_id: SuperScpId,
    /// Offset 12.
    pub client_id: ScpClientId,
    /// Offset 16.
    pub version: u32,
    /// Offset 20: entity id of the platform operation.
    pub platform_operation_id: u32,
    /// Offset 24.
    pub min_host_api: u32,
    /// Offset 28: octets, for information; the signed policy decides.
    pub heap: u32,
    /// Offset 32.
    pub stack: u32,
    /// Offset 36.
    pub payload_length: u32,
    /// Offset 40.
    pub payload_sha256: [u8; 32],
    /// Offset 72: `None` when the payload is plain.
    pub encryption: Option<Encryption>,
}

/// How the payload is encrypted: always AES-256-GCM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encryption {
    /// Offset 74.
    pub key_id: ImageKeyId,
    /// Offset 90.
    pub nonce: [u8; 12],
    /// Offset 102.
    pub tag: [u8; 16],
}

/// A container whose parts are found. Nothing in it is believed.
#[derive(Clone, Debug)]
pub struct ParsedContainer<'a> {
    pub(super) header: ContainerHeader,
    pub(super) payload: &'a [u8],
    pub(super) chains: [Vec<&'a [u8]>; CHAINS],
    pub(super) signed: &'a [u8],
    pub(super) signature: [u8; 64],
    pub(super) limits: ContainerLimits,
}

impl<'a> ParsedContainer<'a> {
    /// Finds the parts.
    ///
    /// # Errors
    /// [`ContainerError`] with the offset.
    // spec: E-R14
    // defends: T-14
    pub fn parse(bytes: &'a [u8], limits: &ContainerLimits) -> Result<Self, ContainerError> {
        let len = bytes.len() as u64;
        if len > limits.container {
            let (what, limit) = ("container", limits.container);
            return Err(ContainerError::TooLarge { what, len, limit });
        }
        let mut reader = Reader { bytes, at: 0 };
        let header = read_header(&mut reader)?;
        let payload_len = header.payload_length as usize;
        let payload = reader.take(payload_len)?;
        let chains = read_chains(&mut reader)?;
        reader.expect_u32("length of revocation lists", 0)?;
        let signed = bytes.get(..reader.at).ok_or(ContainerError::Truncated(reader.at))?;
        reader.expect_u16("countersignature algorithm", SIGNATURE_ALGORITHM)?;
        reader.expect_u16("countersignature length", SIGNATURE_LEN)?;
        let signature = reader.array()?;
        if bytes.len() != reader.at {
            return Err(ContainerError::TrailingOctets(bytes.len().saturating_sub(reader.at)));
        }
        Ok(Self { header, payload, chains, signed, signature, limits: *limits })
    }

    /// The fixed part, unverified.
    #[must_use]
    pub const fn header(&self) -> &ContainerHeader {
        &self.header
    }

    /// The X.1198 package in clear, unverified.
    ///
    /// # Errors
    /// [`ContainerError`] when it is encrypted and `keys` do not open it.
    pub fn payload(
        &self,
        keys: &(impl ImageKeys + ?Sized),
    ) -> Result<Cow<'a, [u8]>, ContainerError> {
        let Some(Encryption { key_id, nonce, tag }) = &self.header.encryption else {
            return Ok(Cow::Borrowed(self.payload));
        };
        let key = keys.image_key(*key_id).ok_or(ContainerError::NoImageKey(*key_id))?;
        let aad = self.signed.get(..AAD_LEN).ok_or(ContainerError::Truncated(AAD_LEN))?;
        Ok(Cow::Owned(encryption::open(key, nonce, tag, aad, self.payload)?))
    }

    /// Certificates of the client chain, signer first, unverified.
    #[must_use]
    pub fn client_chain(&self) -> &[&'a [u8]] {
        let [client, _, _] = &self.chains;
        client
    }

    /// Certificates of the platform operation chain, unverified.
    #[must_use]
    pub fn platform_operation_chain(&self) -> &[&'a [u8]] {
        let [_, platform_operation, _] = &self.chains;
        platform_operation
    }

    /// Certificates of the EMM signer chain, unverified.
    #[must_use]
    pub fn emm_signer_chain(&self) -> &[&'a [u8]] {
        let [_, _, emm_signer] = &self.chains;
        emm_signer
    }
}

fn read_header(reader: &mut Reader<'_>) -> Result<ContainerHeader, ContainerError> {
    if reader.array()? != CONTAINER_MAGIC {
        return Err(ContainerError::Magic);
    }
    reader.expect_u16("format", FORMAT)?;
    let flags = reader.u16()?;
    let known = FLAG_ENCRYPTED | FLAG_COUNTERSIGNED;
    if flags & !known != 0 || flags & FLAG_COUNTERSIGNED == 0 {
        return Err(ContainerError::Field { offset: 6, what: "flags", found: flags.into() });
    }
    let header = ContainerHeader {
        super_scp_id: SuperScpId(reader.u32()?),
        client_id: ScpClientId(reader.u32()?),
        version: reader.u32()?,
        platform_operation_id: reader.u32()?,
        min_host_api: reader.u32()?,
        heap: reader.u32()?,
        stack: reader.u32()?,
        payload_length: reader.u32()?,
        payload_sha256: reader.array()?,
        encryption: read_encryption(reader)?,
    };
    if header.encryption.is_some() != (flags & FLAG_ENCRYPTED != 0) {
        return Err(ContainerError::Field { offset: 6, what: "flags", found: flags.into() });
    }
    Ok(header)
}

fn read_encryption(reader: &mut Reader<'_>) -> Result<Option<Encryption>, ContainerError> {
    let algorithm = reader.u16()?;
    let block = Encryption {
        key_id: ImageKeyId(reader.array()?),
        nonce: reader.array()?,
        tag: reader.array()?,
    };
    let empty = Encryption { key_id: ImageKeyId([0; 16]), nonce: [0; 12], tag: [0; 16] };
    match algorithm {
        0 if block == empty => Ok(None),
        0 => Err(ContainerError::Field { offset: 74, what: "encryption block", found: 1 }),
        AES_256_GCM => Ok(Some(block)),
        other => Err(ContainerError::Encryption(other)),
    }
}

fn read_chains<'a>(reader: &mut Reader<'a>) -> Result<[Vec<&'a [u8]>; CHAINS], ContainerError> {
    reader.expect_u16("number of chains", CHAINS as u16)?;
    let mut chains: [Vec<&'a [u8]>; CHAINS] = Default::default();
    for chain in &mut chains {
        let offset = reader.at;
        let count = reader.u16()?;
        if count == 0 || usize::from(count) > portcullis_trust::MAX_CHAIN {
            let what = "number of certificates";
            return Err(ContainerError::Field { offset, what, found: count.into() });
        }
        for _ in 0..count {
            let len = reader.u16()?;
            chain.push(reader.take(len.into())?);
        }
    }
    Ok(chains)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], ContainerError> {
        let end = self.at.saturating_add(len);
        let part = self.bytes.get(self.at..end).ok_or(ContainerError::Truncated(end))?;
        self.at = end;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ContainerError> {
        let part = self.take(N)?;
        part.try_into().map_err(|_| ContainerError::Truncated(self.at))
    }

    fn u16(&mut self) -> Result<u16, ContainerError> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, ContainerError> {
        self.array().map(u32::from_be_bytes)
    }

    fn expect_u16(&mut self, what: &'static str, value: u16) -> Result<(), ContainerError> {
        let offset = self.at;
        match self.u16()? {
            found if found == value => Ok(()),
            found => Err(ContainerError::Field { offset, what, found: found.into() }),
        }
    }

    fn expect_u32(&mut self, what: &'static str, value: u32) -> Result<(), ContainerError> {
        let offset = self.at;
        match self.u32()? {
            found if found == value => Ok(()),
            found => Err(ContainerError::Field { offset, what, found: found.into() }),
        }
    }
}
