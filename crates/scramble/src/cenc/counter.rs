//! The key stream of a sample.

use zeroize::Zeroizing;

use super::{BLOCK, Block, Keyed};

/// Blocks of key stream that the portable code makes at once.
const AT_ONCE: usize = 16;

/// The counter block and what is left of the last block of key stream.
pub(super) struct Counter<'k> {
    key: &'k Keyed,
    /// The octets in front of the block counter.
    pub(super) front: [u8; 8],
    /// The block counter; wraps without a carry into the front.
    pub(super) block: u64,
    stream: Zeroizing<Block>,
    used: usize,
}

impl<'k> Counter<'k> {
    pub(super) fn new(key: &'k Keyed, iv: Block) -> Self {
        let [a, b, c, d, e, f, g, h, block @ ..] = iv;
        Self {
            key,
            front: [a, b, c, d, e, f, g, h],
            block: u64::from_be_bytes(block),
            stream: Zeroizing::default(),
            used: BLOCK,
        }
    }

    /// XORs the next octets of the key stream.
    pub(super) fn apply(&mut self, data: &mut [u8]) {
        let left = self.stream.get(self.used..).unwrap_or_default();
        let (broken, data) = data.split_at_mut(left.len().min(data.len()));
        xor(broken, left);
        self.used += broken.len();
        let (blocks, broken) = data.as_chunks_mut();
        self.apply_blocks(blocks);
        if !broken.is_empty() {
            let mut stream = Zeroizing::new([[0; BLOCK]]);
            self.apply_blocks(&mut *stream);
            let [octets] = *stream;
            *self.stream = octets;
            xor(broken, &octets);
            self.used = broken.len();
        }
    }

    fn apply_blocks(&mut self, blocks: &mut [Block]) {
        #[cfg(target_arch = "x86_64")]
        let blocks = match &self.key.wide {
            Some(keys) => super::vaes::count(keys, self.front, &mut self.block, blocks),
            None => blocks,
        };
        let mut stream = Zeroizing::new([[0; BLOCK]; AT_ONCE]);
        for blocks in blocks.chunks_mut(AT_ONCE) {
            for block in stream.iter_mut() {
                *block = self.next_block();
            }
            // More may have been counted than there are blocks.
            self.block = self.block.wrapping_sub((AT_ONCE - blocks.len()) as u64);
            self.key.aes.encrypt_blocks(stream.as_mut_slice());
            for (block, stream) in blocks.iter_mut().zip(stream.iter()) {
                xor(block, stream);
            }
        }
    }

    const fn next_block(&mut self) -> Block {
        let [a, b, c, d, e, f, g, h] = self.front;
        let [i, j, k, l, m, n, o, p] = self.block.to_be_bytes();
        self.block = self.block.wrapping_add(1);
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }
}

fn xor(target: &mut [u8], mask: &[u8]) {
    for (octet, mask) in target.iter_mut().zip(mask) {
        *octet ^= mask;
    }
}
