//! Packing: the CA vendor's side.

use portcullis_crypto::Ed25519SigningKey;
use portcullis_svm::Image;
use portcullis_types::{ScpClientId, SuperScpId};

use crate::inflate::deflate;
use crate::package::check_code;
use crate::{
    HEADER_LEN, PackageError, PackageHeader, PackageType, PrefixSpelling, SignatureType,
    parse_policy,
};

/// What goes into a package.
pub struct PackInput<'a> {
    /// Version of the client.
    pub version: u16,
    /// SCP client ID.
    pub client_id: ScpClientId,
    /// Super SCP ID.
    pub super_scp_id: SuperScpId,
    /// The policy, XML.
    pub policy: &'a [u8],
    /// The flat image.
    pub image: &'a Image,
    /// Whether code and policy are compressed.
    pub package_type: PackageType,
}

/// Header, policy and code, to be signed.
pub struct UnsignedPackage {
    bytes: Vec<u8>,
}

/// Makes a package that a verifier would take: what it would refuse is refused here.
///
/// # Errors
/// [`PackageError`] when policy and code do not fit each other or the header.
// spec: X-C01 X-A01
pub fn pack(input: &PackInput<'_>) -> Result<UnsignedPackage, PackageError> {
    let policy = parse_policy(input.policy)?;
    let (stored_policy, stored_code) = match input.package_type {
        PackageType::Plain => (input.policy.to_vec(), input.image.code.clone()),
        PackageType::Compressed => {
            (deflate("policy", input.policy)?, deflate("code", &input.image.code)?)
        }
    };
    let policy_length = length("policy", &stored_policy)?;
    let header = PackageHeader {
        prefix: PrefixSpelling::Ascii,
        version: input.version,
        package_type: input.package_type,
        client_id: input.client_id,
        super_scp_id: input.super_scp_id,
        policy_length,
        code_length: length("code", &stored_code)?,
        signature_type: SignatureType::Ed25519,
        signature_length: SignatureType::Ed25519.signature_len(),
        object_code_offset: policy_length.saturating_add(HEADER_LEN as u32),
        load_offset: input.image.load_offset,
        entry_point: input.image.entry,
    };
    if policy.text_bytes != input.image.text_bytes {
        return Err(PackageError::CodeLimits("text is not the number of octets of instructions"));
    }
    check_code(&header, &policy, &input.image.code)?;
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend_from_slice(&stored_policy);
    bytes.extend_from_slice(&stored_code);
    Ok(UnsignedPackage { bytes })
}

impl UnsignedPackage {
    /// Reads a package without its signature, or takes the signature of a signed one off. The
    /// header must name Ed25519, which is what [`UnsignedPackage::sign`] makes.
    ///
    /// # Errors
    /// [`PackageError`] when it is neither.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Result<Self, PackageError> {
        let unsigned = bytes.len();
        let whole = PackageHeader::parse(&bytes);
        if let Err(PackageError::Length { .. }) = whole {
            bytes.resize(unsigned + SignatureType::Ed25519.signature_len() as usize, 0);
        }
        let header = PackageHeader::parse(&bytes)?;
        if header.signature_type != SignatureType::Ed25519 {
            return Err(PackageError::WrongKeyKind(header.signature_type.number()));
        }
        bytes.truncate(bytes.len().saturating_sub(header.signature_length as usize));
        Ok(Self { bytes })
    }

    /// What is signed: all parts but the signature.
    #[must_use]
    pub fn signed_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Signs with the client series key.
    #[must_use]
    pub fn sign(mut self, key: &Ed25519SigningKey) -> Vec<u8> {
        let signature = key.sign(&self.bytes);
        self.bytes.extend_from_slice(&signature);
        self.bytes
    }
}

fn length(part: &'static str, bytes: &[u8]) -> Result<u32, PackageError> {
    let len = bytes.len() as u64;
    u32::try_from(len).map_err(|_| PackageError::TooLarge { part, len, limit: u32::MAX.into() })
}
