//! Building a container: the vendor's package with its chain, countersigned by the operator.

use portcullis_crypto::{Ed25519SigningKey, sha256};

use super::ContainerError;
use super::encryption::{AES_256_GCM, ImageKey, seal};
use super::layout::{
    CHAINS, CONTAINER_MAGIC, FLAG_COUNTERSIGNED, FLAG_ENCRYPTED, FORMAT, MIN_HOST_API,
    SIGNATURE_ALGORITHM, SIGNATURE_LEN,
};
use crate::{PackageLimits, ParsedPackage, parse_policy};

/// What goes into a container. Chains are DER, signer first, root left out.
pub struct ContainerBuilder<'a> {
    /// The signed package.
    pub package: &'a [u8],
    /// Entity id of the platform operation.
    pub platform_operation_id: u32,
    /// Client series, vendor.
    pub client_chain: &'a [Vec<u8>],
    /// Platform operation, operator.
    pub platform_operation_chain: &'a [Vec<u8>],
    /// EMM signer, operator.
    pub emm_signer_chain: &'a [Vec<u8>],
    /// Encrypts the package: an image key, and a nonce that it has never been used with.
    pub encryption: Option<(&'a ImageKey, [u8; 12])>,
}

/// A container without its countersignature.
pub struct SignableContainer {
    bytes: Vec<u8>,
}

impl ContainerBuilder<'_> {
    /// Lays the container out; ids, version and sizes come from the package and its policy.
    ///
    /// # Errors
    /// [`ContainerError`] when the package does not parse or something is too long for its field.
    pub fn build(&self) -> Result<SignableContainer, ContainerError> {
        let package = ParsedPackage::parse(self.package, &PackageLimits::default())?;
        let header = package.header()?;
        let policy =
            parse_policy(&package.unverified_policy()?).map_err(crate::PackageError::from)?;
        let payload_len = u32::try_from(self.package.len()).map_err(|_| too_long("payload"))?;
        let mut bytes = Vec::with_capacity(self.package.len() + 4096);
        bytes.extend(CONTAINER_MAGIC);
        bytes.extend(FORMAT.to_be_bytes());
        let encrypted = if self.encryption.is_some() { FLAG_ENCRYPTED } else { 0 };
        bytes.extend((FLAG_COUNTERSIGNED | encrypted).to_be_bytes());
        for field in [
            header.super_scp_id.0,
            header.client_id.0,
            header.version.into(),
            self.platform_operation_id,
            MIN_HOST_API,
            policy.limits.heap_bytes,
            policy.limits.stack_bytes,
            payload_len,
        ] {
            bytes.extend(field.to_be_bytes());
        }
        bytes.extend(sha256(&[self.package]));
        self.put_payload(&mut bytes)?;
        bytes.extend((CHAINS as u16).to_be_bytes());
        for chain in [self.client_chain, self.platform_operation_chain, self.emm_signer_chain] {
            put_chain(&mut bytes, chain)?;
        }
        bytes.extend(0u32.to_be_bytes());
        Ok(SignableContainer { bytes })
    }

    /// The encryption block and the payload.
    fn put_payload(&self, bytes: &mut Vec<u8>) -> Result<(), ContainerError> {
        let Some((key, nonce)) = &self.encryption else {
            // Algorithm, key id, nonce and tag are zero.
            bytes.extend([0; 46]);
            bytes.extend_from_slice(self.package);
            return Ok(());
        };
        bytes.extend(AES_256_GCM.to_be_bytes());
        bytes.extend(key.id().0);
        bytes.extend(nonce);
        let (payload, tag) = seal(key, nonce, bytes, self.package)?;
        bytes.extend(tag);
        bytes.extend(payload);
        Ok(())
    }
}

impl SignableContainer {
    /// Everything the countersignature covers.
    #[must_use]
    pub fn signed_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Countersigns with the platform operation's key.
    #[must_use]
    pub fn countersign(mut self, key: &Ed25519SigningKey) -> Vec<u8> {
        let signature = key.sign(&self.bytes);
        self.bytes.extend(SIGNATURE_ALGORITHM.to_be_bytes());
        self.bytes.extend(SIGNATURE_LEN.to_be_bytes());
        self.bytes.extend(signature);
        self.bytes
    }
}

fn put_chain(bytes: &mut Vec<u8>, chain: &[Vec<u8>]) -> Result<(), ContainerError> {
    let count = u16::try_from(chain.len()).map_err(|_| too_long("chain"))?;
    bytes.extend(count.to_be_bytes());
    for certificate in chain {
        let len = u16::try_from(certificate.len()).map_err(|_| too_long("certificate"))?;
        bytes.extend(len.to_be_bytes());
        bytes.extend_from_slice(certificate);
    }
    Ok(())
}

const fn too_long(what: &'static str) -> ContainerError {
    ContainerError::TooLarge { what, len: u64::MAX, limit: u32::MAX as u64 }
}
