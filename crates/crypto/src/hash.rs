//! SHA-256 and the key derivation on top of it.

use sha2::Digest;

/// SHA-256 over the parts as one message.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finish()
}

/// SHA-256 of a message that comes in pieces.
#[derive(Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Nothing hashed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hashes the next piece.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The hash of all pieces.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// HKDF cannot give more than 255 x 32 octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{asked} octets asked of HKDF-SHA-256, which gives at most 8160")]
pub struct OutputTooLong {
    /// Octets asked for.
    pub asked: usize,
}

/// HKDF-SHA-256 (RFC 5869), extract and expand, filling `out`.
///
/// # Errors
/// [`OutputTooLong`] when `out` has more than 8160 octets.
pub fn hkdf_sha256(
    ikm: &[u8],
    salt: &[u8],
    info: &[u8],
    out: &mut [u8],
) -> Result<(), OutputTooLong> {
    hkdf::Hkdf::<sha2::Sha256>::new(Some(salt), ikm)
        .expand(info, out)
        .map_err(|_| OutputTooLong { asked: out.len() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use portcullis_types::parse_hex_array;

    #[test]
    fn sha_256_as_fips_180_prints_it() {
        let expected =
            parse_hex_array("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Ok(sha256(&[b"a", b"bc"])), expected);
    }

    #[test]
    fn hkdf_as_rfc_5869_prints_it() {
        let mut out = [0; 42];
        let salt: [u8; 13] = parse_hex_array("000102030405060708090a0b0c").unwrap();
        let info: [u8; 10] = parse_hex_array("f0f1f2f3f4f5f6f7f8f9").unwrap();
        hkdf_sha256(&[0x0B; 22], &salt, &info, &mut out).unwrap();
        assert_eq!(out[..16], parse_hex_array::<16>("3cb25f25faacd57a90434f64d0362f2a").unwrap());
        assert_eq!(hkdf_sha256(b"", b"", b"", &mut [0; 8161]), Err(OutputTooLong { asked: 8161 }));
    }
}
