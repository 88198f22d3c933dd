//! What is looked for: keys, and everything that is computed from keys alone.
//!
//! The process that looks must not hold what it looks for, so that it gets it masked.

use std::vec::Vec;

use portcullis_crypto::{Key128, RoundKeys};

use crate::csa2::Csa2;

/// What masked words are XORed with.
const MASK: u64 = 0x9E37_79B9_7F4A_7C15;
/// What masked octets are XORed with.
pub(super) const OCTET_MASK: u8 = 0x5A;
const WORD: usize = 8;
/// Different octets in a word, below which it may come from anywhere.
const DIFFERENT_MIN: usize = 6;

/// Words, masked and sorted, and a table that spares most searches.
pub(super) struct Needles {
    masked: Vec<u64>,
    first: Vec<bool>,
}

impl Needles {
    pub(super) fn from_octets(octets: &[u8]) -> Self {
        let words = octets.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
        let mut masked: Vec<_> = words.collect();
        masked.sort_unstable();
        let mut first = std::vec![false; 1 << 16];
        masked.iter().for_each(|word| first[(*word & 0xFFFF) as usize] = true);
        Self { masked, first }
    }

    pub(super) fn count_in(&self, memory: &[u8]) -> usize {
        let is_one = |window: &&[u8]| {
            let word = u64::from_le_bytes((*window).try_into().unwrap()) ^ MASK;
            self.first[(word & 0xFFFF) as usize] && self.masked.binary_search(&word).is_ok()
        };
        memory.windows(WORD).filter(is_one).count()
    }
}

/// Collects needles; in the process that asks.
#[derive(Default)]
pub(super) struct Haul(Vec<u8>);

impl Haul {
    /// Masked, as [`Needles::from_octets`] takes them.
    pub(super) fn into_octets(self) -> Vec<u8> {
        self.0
    }

    /// Words of a secret from its first octet on: a copy of it has them, wherever it lies.
    fn add(&mut self, secret: &[u8]) {
        for word in secret.as_chunks::<WORD>().0 {
            let mut octets = *word;
            octets.sort_unstable();
            if octets.chunk_by(|a, b| a == b).count() >= DIFFERENT_MIN {
                self.0.extend((u64::from_le_bytes(*word) ^ MASK).to_le_bytes());
            }
        }
    }

    pub(super) fn add_aes(&mut self, key: [u8; 16]) {
        self.add(&key);
        if let Some(keys) = RoundKeys::new(&Key128::new(key)) {
            self.add(keys.expose_encrypt().as_flattened());
            self.add(keys.expose_decrypt().as_flattened());
        }
    }

    /// The control words of lanes, their round keys, and the planes of both.
    pub(super) fn add_csa2(&mut self, control_words: &[[u8; 8]], path_lanes: usize) {
        let keys: Vec<_> = control_words.iter().map(Csa2::new).collect();
        for (control_word, key) in control_words.iter().zip(&keys) {
            self.add(control_word);
            self.add(key.round_keys());
            self.add(key.merged_keys().octets());
        }
        let register = path_lanes / 8;
        let place = |lane: usize| match register {
            8 => lane,
            _ => lane % (register / 16) * 16 + lane / (register / 16),
        };
        for keys in keys.chunks_exact(path_lanes) {
            for at in 0..keys[0].merged_keys().octets().len() {
                for group in keys.chunks_exact(register) {
                    let mut plane = std::vec![0; register];
                    for (lane, key) in group.iter().enumerate() {
                        plane[place(lane)] = key.merged_keys().octets()[at];
                    }
                    self.add(&plane);
                }
            }
        }
        for control_words in control_words.chunks_exact(path_lanes) {
            for bit in 0..64 {
                let mut plane = std::vec![0; register];
                for (lane, control_word) in control_words.iter().enumerate() {
                    let set = control_word[bit / 8] >> (bit % 8) & 1;
                    plane[place(lane % register)] |= set << (lane / register);
                }
                self.add(&plane);
            }
        }
    }
}
