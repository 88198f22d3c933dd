//! Ed25519 private keys as PKCS#8 PEM (RFC 8410), the form that other tools read.

use std::io::{self, Write};

use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use zeroize::Zeroizing;

use crate::VaultError;

/// PrivateKeyInfo version 0 with id-Ed25519, up to the seed.
const PREFIX: [u8; 16] = [
    0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The PEM text of a private key.
#[must_use]
pub fn ed25519_seed_to_pem(seed: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut der = Zeroizing::new(PREFIX.to_vec());
    der.extend_from_slice(seed);
    // 48 octets are 64 characters: one line, no padding. Room for all, so that nothing moves.
    let mut pem = Zeroizing::new(Vec::with_capacity(160));
    let written = write_pem(&mut pem, &der);
    debug_assert!(written.is_ok(), "writing to memory");
    pem
}

fn write_pem(out: &mut Vec<u8>, der: &[u8]) -> io::Result<()> {
    writeln!(out, "-----BEGIN PRIVATE KEY-----")?;
    for triple in der.chunks_exact(3) {
        let bits = triple.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet));
        for shift in [18, 12, 6, 0] {
            let index = (bits >> shift & 0x3F) as usize;
            out.push(ALPHABET.get(index).copied().unwrap_or(b'='));
        }
    }
    writeln!(out, "\n-----END PRIVATE KEY-----")
}

/// The seed of a private key in PEM.
///
/// # Errors
/// [`VaultError::NotASigningKey`].
pub fn ed25519_seed_from_pem(pem: &[u8]) -> Result<Zeroizing<[u8; 32]>, VaultError> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| VaultError::NotASigningKey)?;
    let der = der.secret_pkcs8_der();
    // Version 1 files (RFC 5958) carry the public key behind the seed; the seed stands at the
    // same place, only the outer length and version differ.
    let (head, rest) = der.split_at_checked(PREFIX.len()).ok_or(VaultError::NotASigningKey)?;
    let same = head.get(5..) == PREFIX.get(5..) && head.first() == Some(&0x30);
    match rest.first_chunk() {
        Some(seed) if same => Ok(Zeroizing::new(*seed)),
        _ => Err(VaultError::NotASigningKey),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_survives_pem_and_the_text_is_that_of_openssl() {
        // RFC 8410 section 10.3, first example.
        let pem = b"-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
            -----END PRIVATE KEY-----\n";
        let seed = ed25519_seed_from_pem(pem).unwrap();
        assert_eq!(&ed25519_seed_to_pem(&seed)[..], pem);
        assert!(ed25519_seed_from_pem(b"-----BEGIN PRIVATE KEY-----").is_err());
    }
}
