//! Message authentication codes.

use ::cmac::{Cmac, KeyInit, Mac};
use aes::Aes128;
use hmac::Hmac;

use crate::Key128;

/// AES-128-CMAC (RFC 4493) over the parts as one message.
#[must_use]
pub fn cmac(key: &Key128, parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = <Cmac<Aes128> as KeyInit>::new(key.expose_secret().into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA-256 (RFC 2104) over the parts as one message. Keys may have any length.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // A key longer than the block is hashed first; doing it here keeps the call infallible.
    let mut block = zeroize::Zeroizing::new([0u8; 64]);
    if key.len() > block.len() {
        block[..32].copy_from_slice(&crate::sha256(&[key]));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use portcullis_types::parse_hex_array;

    #[test]
    fn cmac_as_rfc_4493_prints_it() {
        let key = Key128::new(parse_hex_array("2b7e151628aed2a6abf7158809cf4f3c").unwrap());
        assert_eq!(cmac(&key, &[]), parse_hex_array("bb1d6929e95937287fa37d129b756746").unwrap());
        let message: [u8; 40] = parse_hex_array(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
        )
        .unwrap();
        let expected = parse_hex_array("dfa66747de9ae63030ca32611497c827").unwrap();
        assert_eq!(cmac(&key, &[&message]), expected);
        assert_eq!(cmac(&key, &[&message[..7], &message[7..]]), expected);
    }

    #[test]
    fn hmac_as_rfc_4231_prints_it() {
        assert_eq!(
            hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]),
            parse_hex_array("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
                .unwrap()
        );
        assert_eq!(
            hmac_sha256(&[0xAA; 131], &[b"Test Using Larger Than Block-Size Key - Hash Key First"]),
            parse_hex_array("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
                .unwrap()
        );
    }
}
