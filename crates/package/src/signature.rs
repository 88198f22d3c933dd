//! Signature types of a package and the keys that go with them.

use portcullis_crypto::Ed25519VerifyingKey;
use rustls_pki_types::SignatureVerificationAlgorithm;

use crate::PackageError;

/// Signature types: 0x00 and 0x01 are X.1198's, the top half is ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SignatureType {
    /// RSASSA-PSS 1024 bit, SHA-1: obsolete; known so that it can be refused by name.
    RsaPss1024Sha1 = 0x00,
    /// RSASSA-PSS 3072 bit, SHA-256.
    RsaPss3072Sha256 = 0x80,
    /// ECDSA P-256, SHA-256, raw r then s.
    EcdsaP256Sha256 = 0x81,
    /// Ed25519.
    Ed25519 = 0x82,
}

impl SignatureType {
    /// The type of a header octet.
    ///
    /// # Errors
    /// [`PackageError::SignatureType`] when it is reserved or unknown, and
    /// [`PackageError::SignatureRefused`] for the hybrid type, which has a number but no code.
    pub const fn from_number(number: u8) -> Result<Self, PackageError> {
        match number {
            0x00 => Ok(Self::RsaPss1024Sha1),
            0x80 => Ok(Self::RsaPss3072Sha256),
            0x81 => Ok(Self::EcdsaP256Sha256),
            0x82 => Ok(Self::Ed25519),
            0x83 => Err(PackageError::SignatureRefused(number)),
            _ => Err(PackageError::SignatureType(number)),
        }
    }

    /// The header octet.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The only signature length that goes with the type.
    #[must_use]
    pub const fn signature_len(self) -> u32 {
        match self {
            Self::RsaPss1024Sha1 => 128,
            Self::RsaPss3072Sha256 => 384,
            Self::EcdsaP256Sha256 | Self::Ed25519 => 64,
        }
    }
}

/// Whether signature type 0x00 may be verified at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LegacySignatures {
    /// Refused whatever it says.
    #[default]
    Refuse,
    /// The operator insists on RSA-1024/SHA-1. No verifier for it is built in yet, so it is still
    /// refused, as a key that does not fit.
    UnsafeAccept,
}

/// A key that verifies packages.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PackageKey {
    /// 32 octets.
    Ed25519([u8; 32]),
    /// Uncompressed point, 65 octets.
    EcdsaP256(Vec<u8>),
    /// RSAPublicKey in DER.
    Rsa(Vec<u8>),
}

impl PackageKey {
    /// Verifies the signature of a package.
    ///
    /// # Errors
    /// [`PackageError`] when key and type do not fit or the signature is bad.
    // spec: X-A10 X-A18 C-03
    // defends: T-15
    pub(crate) fn verify(
        &self,
        kind: SignatureType,
        legacy: LegacySignatures,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), PackageError> {
        match (kind, self) {
            (SignatureType::RsaPss1024Sha1, _) if legacy == LegacySignatures::Refuse => {
                Err(PackageError::SignatureRefused(kind.number()))
            }
            (SignatureType::Ed25519, Self::Ed25519(key)) => {
                let key =
                    Ed25519VerifyingKey::from_bytes(key).map_err(|_| PackageError::BadSignature)?;
                let signature = signature.try_into().map_err(|_| PackageError::BadSignature)?;
                key.verify(signed, signature)
                    .map(|_proof| ())
                    .map_err(|_| PackageError::BadSignature)
            }
            (SignatureType::EcdsaP256Sha256, Self::EcdsaP256(key)) => {
                let der = ecdsa_der(signature).ok_or(PackageError::BadSignature)?;
                verify_with(webpki::aws_lc_rs::ECDSA_P256_SHA256, key, signed, &der)
            }
            (SignatureType::RsaPss3072Sha256, Self::Rsa(key)) => verify_with(
                webpki::aws_lc_rs::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
                key,
                signed,
                signature,
            ),
            _ => Err(PackageError::WrongKeyKind(kind.number())),
        }
    }
}

fn verify_with(
    algorithm: &dyn SignatureVerificationAlgorithm,
    key: &[u8],
    signed: &[u8],
    signature: &[u8],
) -> Result<(), PackageError> {
    algorithm.verify_signature(key, signed, signature).map_err(|_| PackageError::BadSignature)
}

/// Raw r and s (32 octets each) as the DER SEQUENCE that verifiers take.
fn ecdsa_der(raw: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = raw.split_at_checked(32)?;
    if s.len() != 32 {
        return None;
    }
    let mut body = Vec::with_capacity(70);
    for number in [r, s] {
        let skip = number.iter().take(31).take_while(|octet| **octet == 0).count();
        let digits = number.get(skip..)?;
        let pad = digits.first().is_some_and(|octet| *octet >= 0x80);
        body.extend([0x02, u8::try_from(digits.len()).ok()? + u8::from(pad)]);
        if pad {
            body.push(0);
        }
        body.extend_from_slice(digits);
    }
    let mut der = vec![0x30, u8::try_from(body.len()).ok()?];
    der.append(&mut body);
    Some(der)
}
