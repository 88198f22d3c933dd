//! The block ciphers of the ladder, and CBC for message bodies.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt};
use aes::cipher::{KeyInit, KeyIvInit};
use des::TdesEde2;

use crate::Key128;

/// The data is not a whole number of 16-octet blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{length} octets are not a whole number of 16-octet blocks")]
pub struct NotWholeBlocks {
    /// Octets given.
    pub length: usize,
}

/// AES-128 of one block.
#[must_use]
pub fn aes128_encrypt_block(key: &Key128, block: [u8; 16]) -> [u8; 16] {
    let mut block = block.into();
    Aes128::new(key.expose_secret().into()).encrypt_block(&mut block);
    block.into()
}

/// Inverse AES-128 of one block.
#[must_use]
pub fn aes128_decrypt_block(key: &Key128, block: [u8; 16]) -> [u8; 16] {
    let mut block = block.into();
    Aes128::new(key.expose_secret().into()).decrypt_block(&mut block);
    block.into()
}

/// Two-key triple DES (E-D-E) of one block. Parity bits of the key are ignored.
#[must_use]
pub fn tdes2_encrypt_block(key: &Key128, block: [u8; 8]) -> [u8; 8] {
    let mut block = block.into();
    TdesEde2::new(key.expose_secret().into()).encrypt_block(&mut block);
    block.into()
}

/// Inverse two-key triple DES of one block.
#[must_use]
pub fn tdes2_decrypt_block(key: &Key128, block: [u8; 8]) -> [u8; 8] {
    let mut block = block.into();
    TdesEde2::new(key.expose_secret().into()).decrypt_block(&mut block);
    block.into()
}

/// AES-128-CBC without padding, in place.
///
/// # Errors
/// [`NotWholeBlocks`] when the data does not end at a block border; nothing is changed then.
pub fn cbc_encrypt_in_place(
    key: &Key128,
    iv: &[u8; 16],
    data: &mut [u8],
) -> Result<(), NotWholeBlocks> {
    let length = data.len();
    let mut mode = cbc::Encryptor::<Aes128>::new(key.expose_secret().into(), iv.into());
    let (blocks, rest) = aes::Block::slice_as_chunks_mut(data);
    if !rest.is_empty() {
        return Err(NotWholeBlocks { length });
    }
    mode.encrypt_blocks(blocks);
    Ok(())
}

/// Inverse of [`cbc_encrypt_in_place`].
///
/// # Errors
/// [`NotWholeBlocks`] when the data does not end at a block border; nothing is changed then.
pub fn cbc_decrypt_in_place(
    key: &Key128,
    iv: &[u8; 16],
    data: &mut [u8],
) -> Result<(), NotWholeBlocks> {
    let length = data.len();
    let mut mode = cbc::Decryptor::<Aes128>::new(key.expose_secret().into(), iv.into());
    let (blocks, rest) = aes::Block::slice_as_chunks_mut(data);
    if !rest.is_empty() {
        return Err(NotWholeBlocks { length });
    }
    mode.decrypt_blocks(blocks);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use portcullis_types::parse_hex_array;

    fn key(text: &str) -> Key128 {
        Key128::new(parse_hex_array(text).unwrap())
    }

    #[test]
    fn aes_128_as_fips_197_prints_it() {
        let key = key("000102030405060708090a0b0c0d0e0f");
        let clear = parse_hex_array("00112233445566778899aabbccddeeff").unwrap();
        let cipher = aes128_encrypt_block(&key, clear);
        assert_eq!(cipher, parse_hex_array("69c4e0d86a7b0430d8cdb78070b4c55a").unwrap());
        assert_eq!(aes128_decrypt_block(&key, cipher), clear);
    }

    #[test]
    fn two_key_tdes_with_equal_halves_is_single_des() {
        // The classic worked example of single DES.
        let key = key("133457799bbcdff1133457799bbcdff1");
        let cipher = tdes2_encrypt_block(&key, parse_hex_array("0123456789abcdef").unwrap());
        assert_eq!(cipher, parse_hex_array("85e813540f0ab405").unwrap());
        assert_eq!(tdes2_decrypt_block(&key, cipher), parse_hex_array("0123456789abcdef").unwrap());
    }

    #[test]
    fn cbc_as_sp_800_38a_prints_it() {
        let key = key("2b7e151628aed2a6abf7158809cf4f3c");
        let iv = parse_hex_array("000102030405060708090a0b0c0d0e0f").unwrap();
        let clear: [u8; 32] =
            parse_hex_array("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
                .unwrap();
        let mut data = clear;
        cbc_encrypt_in_place(&key, &iv, &mut data).unwrap();
        assert_eq!(
            data,
            parse_hex_array::<32>(
                "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
            )
            .unwrap()
        );
        cbc_decrypt_in_place(&key, &iv, &mut data).unwrap();
        assert_eq!(data, clear);
        assert_eq!(
            cbc_decrypt_in_place(&key, &iv, &mut data[..17]),
            Err(NotWholeBlocks { length: 17 })
        );
        assert_eq!(data, clear, "refused data stays as it was");
    }
}
