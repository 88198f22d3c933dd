//! Ed25519 signatures, strict on the verifying side.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::Randomness;

/// Proof that a signature was checked and good; only [`Ed25519VerifyingKey::verify`] makes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct SignatureVerified(());

/// The signature does not belong to this message and key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("bad signature")]
pub struct BadSignature;

/// The octets are no Ed25519 public key, or a weak one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an Ed25519 public key")]
pub struct NotAKey;

/// An Ed25519 private key; zeroised on drop, not printable, not clonable.
///
/// ```compile_fail,E0599
/// let key = portcullis_crypto::Ed25519SigningKey::from_seed(&[1; 32]);
/// let copy = key.clone();
/// ```
///
/// ```compile_fail,E0277
/// let key = portcullis_crypto::Ed25519SigningKey::from_seed(&[1; 32]);
/// println!("{key:?}");
/// ```
pub struct Ed25519SigningKey(SigningKey);

impl Ed25519SigningKey {
    /// The key of a 32-octet seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// A fresh random key.
    #[must_use]
    pub fn generate(fill: Randomness<'_>) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        fill(&mut *seed);
        Self::from_seed(&seed)
    }

    /// The seed, for writing the key into an encrypted file.
    #[must_use]
    pub fn expose_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> Ed25519VerifyingKey {
        Ed25519VerifyingKey(self.0.verifying_key())
    }
}

/// An Ed25519 public key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ed25519VerifyingKey(VerifyingKey);

impl Ed25519VerifyingKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// [`NotAKey`] when the octets are no point of the curve, or one of small order (whose
    /// signatures would fit many messages).
    pub fn from_bytes(octets: &[u8; 32]) -> Result<Self, NotAKey> {
        match VerifyingKey::from_bytes(octets) {
            Ok(key) if !key.is_weak() => Ok(Self(key)),
            _ => Err(NotAKey),
        }
    }

    /// The 32 octets of the key.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Checks a signature strictly (no malleable or small-order forms).
    ///
    /// # Errors
    /// [`BadSignature`] when it does not fit.
    pub fn verify(
        &self,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<SignatureVerified, BadSignature> {
        self.0
            .verify_strict(message, &Signature::from_bytes(signature))
            .map(|()| SignatureVerified(()))
            .map_err(|_| BadSignature)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use portcullis_types::parse_hex_array;

    #[test]
    fn ed25519_as_rfc_8032_prints_it() {
        let seed =
            parse_hex_array("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
                .unwrap();
        let key = Ed25519SigningKey::from_seed(&seed);
        let signature = key.sign(b"");
        assert_eq!(
            signature[..16],
            parse_hex_array::<16>("e5564300c360ac729086e2cc806e828a").unwrap()
        );
        let public = Ed25519VerifyingKey::from_bytes(&key.verifying_key().to_bytes()).unwrap();
        assert!(public.verify(b"", &signature).is_ok());
        assert_eq!(public.verify(b"x", &signature), Err(BadSignature));
    }

    #[test]
    fn weak_and_malleable_forms_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(Ed25519VerifyingKey::from_bytes(&identity), Err(NotAKey));
        let key = Ed25519SigningKey::from_seed(&[3; 32]);
        let mut signature = key.sign(b"message");
        for at in 0..64 {
            signature[at] ^= 1;
            assert_eq!(key.verifying_key().verify(b"message", &signature), Err(BadSignature));
            signature[at] ^= 1;
        }
    }
}
