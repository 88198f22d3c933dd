//! AES-256-GCM for data at rest.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use alloc::vec::Vec;

/// The sealed data was not made under this key, nonce and associated data; or it is too long
/// for the mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("sealed data refused: wrong key, or altered")]
pub struct AeadRefused;

/// Encrypts `data` in place and appends the 16-octet tag.
///
/// A nonce must never be used twice under one key.
///
/// # Errors
/// [`AeadRefused`] when the data is longer than the mode can take (64 GiB).
pub fn aes256_gcm_seal(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    data: &mut Vec<u8>,
) -> Result<(), AeadRefused> {
    Aes256Gcm::new(key.into()).encrypt_in_place(nonce.into(), aad, data).map_err(|_| AeadRefused)
}

/// Checks and removes the tag and decrypts `data` in place.
///
/// # Errors
/// [`AeadRefused`] when anything was altered. `data` is cleared then.
pub fn aes256_gcm_open(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    data: &mut Vec<u8>,
) -> Result<(), AeadRefused> {
    Aes256Gcm::new(key.into()).decrypt_in_place(nonce.into(), aad, data).map_err(|_| {
        data.clear();
        AeadRefused
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use portcullis_types::parse_hex_array;

    #[test]
    fn gcm_as_its_submission_prints_it() {
        // Test case 14 of the GCM submission: zero key, zero nonce, one zero block.
        let mut data = alloc::vec![0; 16];
        aes256_gcm_seal(&[0; 32], &[0; 12], b"", &mut data).unwrap();
        assert_eq!(
            data,
            parse_hex_array::<32>(
                "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
            )
            .unwrap()
        );
        aes256_gcm_open(&[0; 32], &[0; 12], b"", &mut data).unwrap();
        assert_eq!(data, [0; 16]);
    }

    #[test]
    fn altered_data_is_refused_and_cleared() {
        let mut data = b"secret".to_vec();
        aes256_gcm_seal(&[1; 32], &[2; 12], b"aad", &mut data).unwrap();
        data[3] ^= 1;
        assert_eq!(aes256_gcm_open(&[1; 32], &[2; 12], b"aad", &mut data), Err(AeadRefused));
        assert!(data.is_empty());
    }
}
