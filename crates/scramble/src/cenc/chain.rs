//! Chains of encrypted blocks: serial while they are made, side by side while they are undone.

use alloc::vec::Vec;

use super::runs::Places;
use super::{BLOCK, Block, Keyed, Pattern};

/// Blocks that are decrypted at once, and chains that are encrypted at once.
pub(super) const AT_ONCE: usize = 16;

/// One chain.
pub(super) struct Chain<'k> {
    key: &'k Keyed,
    pattern: Pattern,
    before: Block,
}

impl<'k> Chain<'k> {
    pub(super) const fn new(key: &'k Keyed, pattern: Pattern, iv: Block) -> Self {
        Self { key, pattern, before: iv }
    }

    /// Decrypts the whole blocks of a protected part.
    pub(super) fn decrypt(&mut self, run: &mut [u8]) {
        let (blocks, _) = run.as_chunks_mut();
        #[cfg(target_arch = "x86_64")]
        if let Some(keys) = &self.key.wide {
            super::vaes::decrypt(keys, &mut self.before, blocks, self.pattern);
            return;
        }
        let mut places = self.pattern.places();
        loop {
            let at: [usize; AT_ONCE] = core::array::from_fn(|_| places.next());
            let mut clear = [[0; BLOCK]; AT_ONCE];
            for (clear, at) in clear.iter_mut().zip(at) {
                if let Some(block) = blocks.get(at) {
                    *clear = *block;
                }
            }
            self.key.aes.decrypt_blocks(&mut clear);
            for (clear, at) in clear.iter_mut().zip(at) {
                let Some(block) = blocks.get_mut(at) else { return };
                xor(clear, &self.before);
                self.before = core::mem::replace(block, *clear);
            }
        }
    }

    /// Encrypts the whole blocks of a protected part.
    pub(super) fn encrypt(&mut self, run: &mut [u8]) {
        let (blocks, _) = run.as_chunks_mut();
        let mut places = self.pattern.places();
        while let Some(block) = blocks.get_mut(places.next()) {
            xor(&mut self.before, block);
            let mut state = [self.before];
            self.key.aes.encrypt_blocks(&mut state);
            [self.before] = state;
            *block = self.before;
        }
    }
}

/// A chain of its own over one protected part.
pub(super) struct Lane<'a> {
    pub(super) iv: Block,
    pub(super) blocks: &'a mut [Block],
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    pub(super) places: Places,
}

/// Protected parts that are encrypted side by side. What is left is done when this is dropped.
pub(super) struct Chains<'k, 'a> {
    key: &'k Keyed,
    pattern: Pattern,
    lanes: Vec<Lane<'a>>,
}

/// Protected parts that wait at most: enough that those of one batch are about equally long.
const WAITING: usize = 8 * AT_ONCE;

impl<'k, 'a> Chains<'k, 'a> {
    pub(super) const fn new(key: &'k Keyed, pattern: Pattern) -> Self {
        Self { key, pattern, lanes: Vec::new() }
    }

    pub(super) fn encrypt(&mut self, iv: Block, run: &'a mut [u8]) {
        let (blocks, _) = run.as_chunks_mut();
        self.lanes.push(Lane { iv, blocks, places: self.pattern.places() });
        if self.lanes.len() >= WAITING {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.lanes.sort_unstable_by_key(|lane| lane.blocks.len());
        for lanes in self.lanes.chunks_mut(AT_ONCE) {
            #[cfg(target_arch = "x86_64")]
            if let Some(keys) = self.key.wide.as_ref().filter(|_| lanes.len() > 1) {
                super::vaes::encrypt(keys, lanes);
                continue;
            }
            for lane in lanes {
                Chain::new(self.key, self.pattern, lane.iv).encrypt(lane.blocks.as_flattened_mut());
            }
        }
        self.lanes.clear();
    }
}

impl Drop for Chains<'_, '_> {
    fn drop(&mut self) {
        self.finish();
    }
}

fn xor(target: &mut Block, mask: &Block) {
    for (octet, mask) in target.iter_mut().zip(mask) {
        *octet ^= mask;
    }
}
