//! DVB-CSA version 2: a block cipher in reverse chaining, then a stream cipher over all but the
//! first block.
//!
//! The algorithm has no public standard; the structure and the tables follow the published
//! analyses of it, and the tests hold it against two other implementations and against
//! libdvbcsa in a process of its own.

mod block;
mod merged;
mod stream;

pub(crate) use block::{SBOX as BLOCK_SBOX, permute_octet};
pub(crate) use merged::MERGED;
#[cfg(test)]
pub(crate) use stream::{INPUTS as STREAM_INPUTS, SBOXES as STREAM_SBOXES};

use block::BlockKeys;
use merged::MergedKeys;
use stream::StreamStart;

const BLOCK: usize = 8;
/// Blocks that descramble side by side: the block cipher is serial while scrambling only.
const STEP: usize = 8;

/// Puts the checksum octets into a control word: octets 3 and 7 become the sums of the three
/// before them. That leaves 48 bits, and is what receivers of `csa2` compute with.
// spec: E-R29
pub const fn reduce_entropy(control_word: &mut [u8; 8]) {
    let [a, b, c, ab, d, e, f, de] = control_word;
    *ab = a.wrapping_add(*b).wrapping_add(*c);
    *de = d.wrapping_add(*e).wrapping_add(*f);
}

/// CSA2 under one control word.
pub(crate) struct Csa2 {
    block: BlockKeys,
    merged: MergedKeys,
    stream: StreamStart,
}

impl Csa2 {
    pub(crate) fn new(control_word: &[u8; 8]) -> Self {
        let block = BlockKeys::new(control_word);
        let merged = MergedKeys::new(block.rounds());
        Self { block, merged, stream: StreamStart::new(control_word) }
    }

    /// What the kernels for many packets take.
    pub(crate) const fn merged_keys(&self) -> &MergedKeys {
        &self.merged
    }

    #[cfg(all(test, target_arch = "x86_64", target_os = "linux"))]
    pub(crate) fn round_keys(&self) -> &[u8; block::ROUNDS] {
        self.block.rounds()
    }

    /// Scrambles a payload in place; below 8 octets it stays clear.
    pub(crate) fn scramble(&self, payload: &mut [u8]) {
        let (blocks, _) = payload.as_chunks_mut::<BLOCK>();
        let mut chain = 0;
        for block in blocks.iter_mut().rev() {
            let [scrambled] = self.block.encrypt([u64::from_le_bytes(*block) ^ chain]);
            chain = scrambled;
            *block = chain.to_le_bytes();
        }
        self.stream_cipher(payload);
    }

    /// The inverse of [`Csa2::scramble`].
    pub(crate) fn descramble(&self, payload: &mut [u8]) {
        self.stream_cipher(payload);
        let (blocks, _) = payload.as_chunks_mut::<BLOCK>();
        // Each clear block is its deciphered block XOR the scrambled block behind it, which a
        // run from front to back has not yet overwritten.
        let count = blocks.len();
        for start in (0..count).step_by(STEP) {
            let scrambled: [u64; STEP + 1] = core::array::from_fn(|i| {
                blocks.get(start + i).map_or(0, |block| u64::from_le_bytes(*block))
            });
            let [work @ .., _] = scrambled;
            let deciphered = self.block.decrypt(work);
            let behind = scrambled.iter().skip(1);
            let targets = blocks.iter_mut().skip(start);
            for ((target, clear), behind) in targets.zip(deciphered).zip(behind) {
                *target = (clear ^ behind).to_le_bytes();
            }
        }
    }

    /// XORs the key stream, which starts from the first (scrambled) block, over all behind it.
    fn stream_cipher(&self, payload: &mut [u8]) {
        let Some((first, rest)) = payload.split_first_chunk_mut::<BLOCK>() else { return };
        if rest.is_empty() {
            return;
        }
        let mut generator = self.stream.with_first_block(first);
        for octet in rest {
            *octet ^= generator.next_octet();
        }
    }
}
