//! RSASSA-PSS 1024 bit with SHA-1: obsolete, and the only signature that X.1198 A.1 names.
//!
//! Verification alone, in builds with the feature `legacy-rsa`, and there only for callers that
//! were told to accept it. 1024 bit can be factored by those who pay for it, and SHA-1 collides:
//! what this accepts proves little.

use rsa::RsaPublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pss::{Signature, VerifyingKey};
use rsa::signature::Verifier;
use rsa::traits::PublicKeyParts;

/// Octets of modulus and signature.
const MODULUS_LEN: usize = 128;

/// Whether `signature` is one of `message` under the RSAPublicKey (DER) `key`, with a salt of 20
/// octets. `false` for a key of another size.
#[must_use]
pub fn rsa_pss_1024_sha1_verifies(key: &[u8], message: &[u8], signature: &[u8; 128]) -> bool {
    let Ok(key) = RsaPublicKey::from_pkcs1_der(key) else { return false };
    let Ok(signature) = Signature::try_from(signature.as_slice()) else { return false };
    key.size() == MODULUS_LEN
        && VerifyingKey::<sha1::Sha1>::new(key).verify(message, &signature).is_ok()
}
