//! The two certificates of the boot chain: BL_KEY0 names BL_KEY1, BL_KEY1 names the platform key.
//!
//! ```text
//! 0 "PCBC"  4 format 1  5 kind  6 0 0  8 version u32  12 public key (32)  44 signature (64)
//! ```

use core::fmt;
use core::marker::PhantomData;

use portcullis_crypto::{Ed25519SigningKey, Ed25519VerifyingKey, sha256};

use super::BootError;

/// Octets of a certificate.
pub const CERTIFICATE_LEN: usize = 108;

/// What a certificate certifies.
pub trait CertifiedRole {
    /// Name of the boot link.
    const LINK: &'static str;
    /// Kind octet.
    const KIND: u8;
    /// Domain tag of the signature.
    const TAG: &'static [u8];
}

/// BL_KEY1, by BL_KEY0 (J.1032 6.1.3 c).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlKey1 {}
/// The platform signer, by BL_KEY1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlatformKey {}

impl CertifiedRole for BlKey1 {
    const LINK: &'static str = "bl-key1";
    const KIND: u8 = 1;
    const TAG: &'static [u8] = b"portcullis BL_KEY1 certificate v1\0";
}
impl CertifiedRole for PlatformKey {
    const LINK: &'static str = "platform-key";
    const KIND: u8 = 2;
    const TAG: &'static [u8] = b"portcullis platform key certificate v1\0";
}

/// A key named by the one above it. Reading one proves nothing; [`Certificate::verify`] does.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate<Role> {
    octets: [u8; CERTIFICATE_LEN],
    role: PhantomData<Role>,
}

/// BL_KEY0's word on BL_KEY1.
pub type BlKey1Certificate = Certificate<BlKey1>;
/// BL_KEY1's word on the platform key.
pub type PlatformKeyCertificate = Certificate<PlatformKey>;

impl<Role: CertifiedRole> Certificate<Role> {
    /// Signs a key. A higher version than before retires all keys with lower ones, on each chip
    /// that has seen it.
    #[must_use]
    pub fn sign(issuer: &Ed25519SigningKey, subject: &Ed25519VerifyingKey, version: u32) -> Self {
        let mut body = Vec::with_capacity(CERTIFICATE_LEN);
        body.extend_from_slice(MAGIC);
        body.extend_from_slice(&[1, Role::KIND, 0, 0]);
        body.extend_from_slice(&version.to_be_bytes());
        body.extend_from_slice(&subject.to_bytes());
        let signature = issuer.sign(&[Role::TAG, &body].concat());
        body.extend_from_slice(&signature);
        let mut octets = [0; CERTIFICATE_LEN];
        octets.copy_from_slice(&body);
        Self { octets, role: PhantomData }
    }

    /// Reads a certificate.
    ///
    /// # Errors
    /// [`BootError::Malformed`] when it is none of this kind.
    pub fn from_bytes(octets: &[u8]) -> Result<Self, BootError> {
        let malformed = |offset| BootError::Malformed { what: "certificate", offset };
        let octets: [u8; CERTIFICATE_LEN] =
            octets.try_into().map_err(|_| malformed(octets.len()))?;
        if !octets.starts_with(MAGIC) {
            return Err(malformed(0));
        }
        match octets[4..8] {
            [1, kind, 0, 0] if kind == Role::KIND => Ok(Self { octets, role: PhantomData }),
            _ => Err(malformed(4)),
        }
    }

    /// As it stands in files and images.
    #[must_use]
    pub const fn to_bytes(&self) -> &[u8; CERTIFICATE_LEN] {
        &self.octets
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> u32 {
        let [_, _, _, _, _, _, _, _, a, b, c, d, ..] = self.octets;
        u32::from_be_bytes([a, b, c, d])
    }

    /// SHA-256 of it.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&[&self.octets])
    }

    /// The certified key, when the issuer's signature and the floor allow it.
    ///
    /// # Errors
    /// [`BootError`] with the cause.
    // spec: D-S5
    pub fn verify(
        &self,
        issuer: &Ed25519VerifyingKey,
        floor: u32,
    ) -> Result<Ed25519VerifyingKey, BootError> {
        let (body, signature) = self.octets.split_at(SIGNATURE_AT);
        let signature = signature.try_into().map_err(|_| BootError::BadSignature(Role::LINK))?;
        let _proof = issuer
            .verify(&[Role::TAG, body].concat(), signature)
            .map_err(|_| BootError::BadSignature(Role::LINK))?;
        if self.version() < floor {
            return Err(BootError::Rollback { floor, offered: self.version() });
        }
        let key = body.last_chunk::<32>().ok_or(BootError::BadKey(Role::LINK))?;
        Ed25519VerifyingKey::from_bytes(key).map_err(|_| BootError::BadKey(Role::LINK))
    }
}

impl<Role: CertifiedRole> fmt::Debug for Certificate<Role> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, version {})", Role::LINK, self.version())
    }
}

const MAGIC: &[u8] = b"PCBC";
const SIGNATURE_AT: usize = CERTIFICATE_LEN - 64;
