//! Packing: the CA vendor's side.

use portcullis_crypto::Ed25519SigningKey;
use portcullis_svm::Image;
use portcullis_types::{ScpClientId, SuperScpId};

use crate::inflate::deflate;
use crate::package::check_code;
use crate::signature::as_carried;
use crate::{
    HEADER_LEN, PackageError, PackageHeader, PackageType, PrefixSpelling, SIGNATURE_OFFSET_FIELDS,
    SignatureType, parse_policy,
};

/// Octets of the longest signature.
const MAX_SIGNATURE: u64 = 512;

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
    /// Which signature it will carry: Ed25519 for a container, another for a signer of its own.
    pub signature_type: SignatureType,
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
        signature_type: input.signature_type,
        signature_length: input.signature_type.signature_len(),
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
    /// Reads a package without its signature, or takes the signature of a signed one off.
    ///
    /// # Errors
    /// [`PackageError`] when it is neither.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Result<Self, PackageError> {
        let unsigned = bytes.len();
        if let Err(PackageError::Length { expected, .. }) = PackageHeader::parse(&bytes) {
            let room = expected.saturating_sub(unsigned as u64);
            if room > MAX_SIGNATURE {
                return Err(PackageError::Length { expected, found: unsigned });
            }
            bytes.resize(unsigned + room as usize, 0);
        }
        let header = PackageHeader::parse(&bytes)?;
        bytes.truncate(bytes.len().saturating_sub(header.signature_length as usize));
        Ok(Self { bytes })
    }

    /// What is signed: all parts but the signature.
    #[must_use]
    pub fn signed_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Signs with the client series key.
    ///
    /// # Errors
    /// [`PackageError::WrongKeyKind`] when the header names another type than Ed25519.
    pub fn sign(self, key: &Ed25519SigningKey) -> Result<Vec<u8>, PackageError> {
        let kind = self.signature_type()?;
        if kind != SignatureType::Ed25519 {
            return Err(PackageError::WrongKeyKind(kind.number()));
        }
        let signature = key.sign(&self.bytes);
        self.with_signature(&signature)
    }

    /// Appends a signature made elsewhere, as in a hardware module, over
    /// [`UnsignedPackage::signed_bytes`]. ECDSA may come raw or in DER.
    ///
    /// # Errors
    /// [`PackageError::SignatureLength`] when it is not of the header's type. Whether it is good
    /// is for verification to say.
    pub fn with_signature(mut self, signature: &[u8]) -> Result<Vec<u8>, PackageError> {
        let carried = as_carried(self.signature_type()?, signature)?;
        self.bytes.extend(carried);
        Ok(self.bytes)
    }

    /// The type that the header names.
    ///
    /// # Errors
    /// [`PackageError::SignatureType`]; not for a package that [`pack`] made.
    pub fn signature_type(&self) -> Result<SignatureType, PackageError> {
        let (at, _) = SIGNATURE_OFFSET_FIELDS;
        let octet = self.bytes.get(at).ok_or(PackageError::Truncated(self.bytes.len()))?;
        SignatureType::from_number(*octet)
    }
}

fn length(part: &'static str, bytes: &[u8]) -> Result<u32, PackageError> {
    let len = bytes.len() as u64;
    u32::try_from(len).map_err(|_| PackageError::TooLarge { part, len, limit: u32::MAX.into() })
}
