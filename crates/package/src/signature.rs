//! Signature types of a package and the keys that go with them.

use portcullis_crypto::{Ed25519VerifyingKey, rsa_pss_1024_sha1_verifies};
use rustls_pki_types::SignatureVerificationAlgorithm;

use crate::PackageError;

/// Signature types: 0x00 and 0x01 are X.1198's, the top half is ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SignatureType {
    /// RSASSA-PSS 1024 bit, SHA-1, salt of 20 octets: obsolete; see [`LegacySignatures`].
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
    /// Verified like any other. For looking at old packages; no terminal is built with it.
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
    /// The key of a SubjectPublicKeyInfo in DER: Ed25519, an uncompressed P-256 point, or RSA.
    #[must_use]
    pub fn from_public_key_info(der: &[u8]) -> Option<Self> {
        if let Some(key) = der.strip_prefix(&ED25519_INFO) {
            return key.try_into().ok().map(Self::Ed25519);
        }
        if let Some(key) = der.strip_prefix(&P256_INFO) {
            return (key.len() == 65).then(|| Self::EcdsaP256(key.to_vec()));
        }
        // RSA: outer SEQUENCE and inner BIT STRING have one length octet behind 0x81 (1024 bit) or
        // two behind 0x82 (up to 4096 bit).
        let rest = der.strip_prefix(&[0x30]).and_then(long_length)?;
        let rest = rest.strip_prefix(&RSA_ALGORITHM)?;
        let key = rest.strip_prefix(&[0x03]).and_then(long_length)?.strip_prefix(&[0])?;
        Some(Self::Rsa(key.to_vec()))
    }

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
            (SignatureType::RsaPss1024Sha1, Self::Rsa(key)) => {
                let signature = signature.try_into().map_err(|_| PackageError::BadSignature)?;
                rsa_pss_1024_sha1_verifies(key, signed, signature)
                    .then_some(())
                    .ok_or(PackageError::BadSignature)
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

/// SubjectPublicKeyInfo of Ed25519 up to the key.
const ED25519_INFO: [u8; 12] =
    [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00];
/// SubjectPublicKeyInfo of P-256 up to the point.
const P256_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A,
    0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// AlgorithmIdentifier rsaEncryption.
const RSA_ALGORITHM: [u8; 15] =
    [0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00];

/// What follows a DER length of the long form that covers exactly the rest.
fn long_length(der: &[u8]) -> Option<&[u8]> {
    let (len, rest) = match der {
        [0x81, len, rest @ ..] => (usize::from(*len), rest),
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    (rest.len() == len).then_some(rest)
}

fn verify_with(
    algorithm: &dyn SignatureVerificationAlgorithm,
    key: &[u8],
    signed: &[u8],
    signature: &[u8],
) -> Result<(), PackageError> {
    algorithm.verify_signature(key, signed, signature).map_err(|_| PackageError::BadSignature)
}

/// The signature as a package carries it: raw r and s where a signer made DER of ECDSA.
///
/// # Errors
/// [`PackageError::SignatureLength`] when it is not of the type.
pub(crate) fn as_carried(kind: SignatureType, signature: &[u8]) -> Result<Vec<u8>, PackageError> {
    let carried = match kind {
        SignatureType::EcdsaP256Sha256 if signature.len() != 64 => ecdsa_raw(signature),
        _ => Some(signature.to_vec()),
    };
    let expected = kind.signature_len();
    let found = u32::try_from(signature.len()).unwrap_or(u32::MAX);
    carried
        .filter(|carried| carried.len() == expected as usize)
        .ok_or(PackageError::SignatureLength { kind, expected, found })
}

/// Raw r and s of a DER SEQUENCE of two INTEGERs.
fn ecdsa_raw(der: &[u8]) -> Option<Vec<u8>> {
    let [0x30, len, rest @ ..] = der else { return None };
    let mut rest = (rest.len() == usize::from(*len)).then_some(rest)?;
    let mut raw = Vec::with_capacity(64);
    for _ in 0..2 {
        let [0x02, len, numbers @ ..] = rest else { return None };
        let (number, behind) = numbers.split_at_checked(usize::from(*len))?;
        let digits = number.strip_prefix(&[0]).unwrap_or(number);
        raw.resize(raw.len() + 32usize.checked_sub(digits.len())?, 0);
        raw.extend_from_slice(digits);
        rest = behind;
    }
    rest.is_empty().then_some(raw)
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
