//! AES-128 with its key schedule kept, for callers that use one key for many blocks.

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::Key128;

/// AES-128 under one key. The scramblers keep one for the life of a control word.
///
/// The schedule is zeroised when it is dropped; like a key it cannot be printed or cloned.
pub struct Aes128 {
    schedule: aes::Aes128,
}

impl Aes128 {
    /// Expands a key.
    #[must_use]
    pub fn new(key: &Key128) -> Self {
        Self { schedule: aes::Aes128::new(key.expose_secret().into()) }
    }

    /// Encrypts blocks, each by itself; several at a time where the processor can.
    pub fn encrypt_blocks(&self, blocks: &mut [[u8; 16]]) {
        let (blocks, _) = aes::Block::slice_as_chunks_mut(blocks.as_flattened_mut());
        self.schedule.encrypt_blocks(blocks);
    }

    /// Decrypts blocks, each by itself; several at a time where the processor can.
    pub fn decrypt_blocks(&self, blocks: &mut [[u8; 16]]) {
        let (blocks, _) = aes::Block::slice_as_chunks_mut(blocks.as_flattened_mut());
        self.schedule.decrypt_blocks(blocks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aes128_decrypt_block, aes128_encrypt_block};

    #[test]
    fn many_blocks_are_as_many_single_blocks() {
        let key = Key128::new([7; 16]);
        let cipher = Aes128::new(&key);
        let clear: [[u8; 16]; 19] = core::array::from_fn(|i| [i as u8; 16]);
        let mut blocks = clear;
        cipher.encrypt_blocks(&mut blocks);
        for (clear, scrambled) in clear.iter().zip(&blocks) {
            assert_eq!(aes128_encrypt_block(&key, *clear), *scrambled);
            assert_eq!(aes128_decrypt_block(&key, *scrambled), *clear);
        }
        cipher.decrypt_blocks(&mut blocks);
        assert_eq!(blocks, clear);
    }
}
