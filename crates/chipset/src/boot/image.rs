//! The boot image format PCBI.
//!
//! ```text
//! 0 "PCBI"  4 format 1  5 kind (1 bootloader, 2 platform)  6 0 0
//! 8 version u32  12 floor u32  16 certificate length u32  20 trust anchor length u32
//! 24 payload length u64  32 SHA-256 of the payload
//! 64 certificate, trust anchor (DER), signature over tag || all before (64), payload
//! ```
//!
//! The signature stands before the payload: the header, with the payload's hash in it, is
//! known to be good before one octet of the payload is copied.

use portcullis_crypto::{Ed25519SigningKey, sha256};

use super::BootError;
use super::certificate::{
    BlKey1Certificate, CERTIFICATE_LEN, Certificate, CertifiedRole, PlatformKeyCertificate,
};
use crate::wire::MAX_TRUST_ANCHOR;

/// Octets of the largest payload.
pub const MAX_PAYLOAD: u64 = 512 * 1024 * 1024;
/// Octets of the fixed header.
pub(super) const HEADER_LEN: usize = 64;

/// Which image it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImageKind {
    /// The bootloader, signed by BL_KEY1.
    Bootloader = 1,
    /// The terminal's platform, signed by the platform key.
    Platform = 2,
}

impl ImageKind {
    /// Name of the boot link.
    #[must_use]
    pub const fn link(self) -> &'static str {
        match self {
            Self::Bootloader => "bootloader",
            Self::Platform => "platform",
        }
    }

    pub(super) const fn tag(self) -> &'static [u8] {
        match self {
            Self::Bootloader => b"portcullis bootloader image v1\0",
            Self::Platform => b"portcullis platform image v1\0",
        }
    }
}

/// Version of an image and the floor it sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageVersion {
    /// Its version.
    pub version: u32,
    /// From now on no lower version starts on a chip that has started this image.
    pub floor: u32,
}

/// Builds images.
pub struct BootImage;

impl BootImage {
    /// A bootloader image.
    ///
    /// # Errors
    /// [`BootError::TooLarge`].
    pub fn bootloader(
        bl_key1: &Ed25519SigningKey,
        certificate: &BlKey1Certificate,
        version: ImageVersion,
        payload: &[u8],
    ) -> Result<Vec<u8>, BootError> {
        build(ImageKind::Bootloader, bl_key1, certificate, version, &[], payload)
    }

    /// A platform image with the trust anchor (DER) that all client chains end in.
    ///
    /// # Errors
    /// [`BootError::TooLarge`].
    pub fn platform(
        platform_key: &Ed25519SigningKey,
        certificate: &PlatformKeyCertificate,
        version: ImageVersion,
        trust_anchor: &[u8],
        payload: &[u8],
    ) -> Result<Vec<u8>, BootError> {
        build(ImageKind::Platform, platform_key, certificate, version, trust_anchor, payload)
    }
}

fn build<Role: CertifiedRole>(
    kind: ImageKind,
    signer: &Ed25519SigningKey,
    certificate: &Certificate<Role>,
    version: ImageVersion,
    trust_anchor: &[u8],
    payload: &[u8],
) -> Result<Vec<u8>, BootError> {
    let payload_len = payload.len() as u64;
    if payload_len > MAX_PAYLOAD || payload.is_empty() {
        return Err(BootError::TooLarge { what: "payload", length: payload_len });
    }
    if trust_anchor.len() > MAX_TRUST_ANCHOR {
        let length = trust_anchor.len() as u64;
        return Err(BootError::TooLarge { what: "trust anchor", length });
    }
    if version.floor > version.version {
        return Err(BootError::Malformed { what: "floor", offset: 12 });
    }
    let header = ImageHeader {
        kind,
        version,
        trust_anchor_len: trust_anchor.len(),
        payload_len,
        payload_sha256: sha256(&[payload]),
    };
    let mut out = Vec::with_capacity(header.signed_len() + 64 + payload.len());
    out.extend_from_slice(&header.to_bytes());
    out.extend_from_slice(certificate.to_bytes());
    out.extend_from_slice(trust_anchor);
    let signature = signer.sign(&[kind.tag(), &out].concat());
    out.extend_from_slice(&signature);
    out.extend_from_slice(payload);
    Ok(out)
}

/// The fixed header, lengths checked, authenticity not yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ImageHeader {
    pub(super) kind: ImageKind,
    pub(super) version: ImageVersion,
    pub(super) trust_anchor_len: usize,
    pub(super) payload_len: u64,
    pub(super) payload_sha256: [u8; 32],
}

impl ImageHeader {
    pub(super) fn parse(octets: &[u8; HEADER_LEN], kind: ImageKind) -> Result<Self, BootError> {
        let malformed = |offset| BootError::Malformed { what: "image header", offset };
        if !octets.starts_with(b"PCBI") {
            return Err(malformed(0));
        }
        if octets[4] != 1 {
            return Err(malformed(4));
        }
        if octets[5..8] != [kind as u8, 0, 0] {
            return Err(malformed(5));
        }
        let (number, payload_sha256) = octets.split_at(32);
        let u32_at = |at: usize| {
            number.iter().skip(at).take(4).fold(0u32, |value, octet| value << 8 | u32::from(*octet))
        };
        let payload_len = u64::from(u32_at(24)) << 32 | u64::from(u32_at(28));
        if payload_len == 0 || payload_len > MAX_PAYLOAD {
            return Err(BootError::TooLarge { what: "payload", length: payload_len });
        }
        if u32_at(16) as usize != CERTIFICATE_LEN {
            return Err(malformed(16));
        }
        let trust_anchor_len = u32_at(20) as usize;
        if trust_anchor_len > MAX_TRUST_ANCHOR {
            let length = u64::from(u32_at(20));
            return Err(BootError::TooLarge { what: "trust anchor", length });
        }
        let version = ImageVersion { version: u32_at(8), floor: u32_at(12) };
        if version.floor > version.version {
            return Err(malformed(12));
        }
        let payload_sha256 = payload_sha256.try_into().map_err(|_| malformed(32))?;
        Ok(Self { kind, version, trust_anchor_len, payload_len, payload_sha256 })
    }

    /// Octets that the signature covers.
    pub(super) const fn signed_len(&self) -> usize {
        HEADER_LEN + CERTIFICATE_LEN + self.trust_anchor_len
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN);
        out.extend_from_slice(b"PCBI");
        out.extend_from_slice(&[1, self.kind as u8, 0, 0]);
        out.extend_from_slice(&self.version.version.to_be_bytes());
        out.extend_from_slice(&self.version.floor.to_be_bytes());
        out.extend_from_slice(&(CERTIFICATE_LEN as u32).to_be_bytes());
        // At most MAX_TRUST_ANCHOR.
        out.extend_from_slice(&(self.trust_anchor_len as u32).to_be_bytes());
        out.extend_from_slice(&self.payload_len.to_be_bytes());
        out.extend_from_slice(&self.payload_sha256);
        out
    }
}
