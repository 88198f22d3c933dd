//! The modes of AES-128 on payloads: CISSA, IDSA, plain CBC and CTR.
//!
//! | mode | first block | residue (payload mod 16) | payload below 16 octets |
//! |---|---|---|---|
//! | cissa | XOR with the ASCII of `DVBTMCPTAESCISSA` | clear | clear |
//! | idsa | as it is (zero IV) | XOR with AES(last cipher block) | XOR with AES(zero) |
//! | aes-cbc | as it is (zero IV) | clear | clear |
//! | aes-ctr | counter from zero in every packet, big-endian | key stream | key stream |
//!
//! Counter mode restarts at zero because a transport packet has no number that is unique within a
//! crypto-period, and because that is what the field's test tool does under the same
//! scrambling_mode. Every packet of a crypto-period therefore meets the same key stream: the mode
//! is for vectors and test streams. The headend does not offer it.

#[cfg(target_arch = "x86_64")]
mod aesni;
mod lanes;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vaes;

use alloc::boxed::Box;

#[cfg(target_arch = "x86_64")]
use portcullis_crypto::RoundKeys;
use portcullis_crypto::{Aes128, Key128};
use portcullis_types::ScramblingMode;
use zeroize::Zeroizing;

pub(crate) use lanes::{AesLane, FullLane, LANES as AES_LANES, run_full, run_short};

use crate::sliced::Direction;

const BLOCK: usize = 16;
/// Octets of the longest payload.
pub(crate) const PAYLOAD: usize = 184;
/// Octets of its whole blocks.
const WHOLE: usize = PAYLOAD / BLOCK * BLOCK;
/// Blocks in the longest payload, the broken one counted.
const BLOCKS_MAX: usize = PAYLOAD.div_ceil(BLOCK);
/// Packets that scramble in step: CBC is serial within a packet only.
const STEP: usize = 16;
/// The IV of CISSA version 1.
// spec: E-R29
const CISSA_IV: [u8; BLOCK] = *b"DVBTMCPTAESCISSA";

/// How blocks are chained and what happens to the residue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chaining {
    Cissa,
    Idsa,
    Cbc,
    Ctr,
}

impl Chaining {
    /// The chaining of a mode; `None` for the CSA modes.
    pub(crate) const fn of(mode: ScramblingMode) -> Option<Self> {
        match mode {
            ScramblingMode::Cissa => Some(Self::Cissa),
            ScramblingMode::Idsa => Some(Self::Idsa),
            ScramblingMode::AesCbc => Some(Self::Cbc),
            ScramblingMode::AesCtr => Some(Self::Ctr),
            ScramblingMode::Csa2 | ScramblingMode::Csa2Full => None,
        }
    }

    const fn iv(self) -> [u8; BLOCK] {
        match self {
            Self::Cissa => CISSA_IV,
            _ => [0; BLOCK],
        }
    }
}

/// AES-128 under one control word in one chaining.
pub(crate) struct AesCipher {
    chaining: Chaining,
    cipher: Aes128,
    /// For the paths that name instructions, where the processor has them and the mode chains.
    #[cfg(target_arch = "x86_64")]
    wide: Option<RoundKeys>,
    /// Counter mode begins every packet at zero, so all packets meet the same key stream.
    stream: Option<Box<Zeroizing<[[u8; BLOCK]; BLOCKS_MAX]>>>,
}

impl AesCipher {
    pub(crate) fn new(chaining: Chaining, key: &Key128) -> Self {
        let mut made = Self {
            chaining,
            cipher: Aes128::new(key),
            #[cfg(target_arch = "x86_64")]
            wide: if chaining == Chaining::Ctr { None } else { RoundKeys::new(key) },
            stream: None,
        };
        if chaining == Chaining::Ctr {
            let mut stream = Box::new(Zeroizing::new([[0; BLOCK]; BLOCKS_MAX]));
            made.counter_mode(stream.as_flattened_mut());
            made.stream = Some(stream);
        }
        made
    }

    /// Works on one payload.
    pub(crate) fn work(&self, payload: &mut [u8], direction: Direction) {
        match direction {
            Direction::Scramble => self.scramble(payload),
            Direction::Descramble => self.descramble(payload),
        }
    }

    pub(crate) fn scramble(&self, payload: &mut [u8]) {
        if self.chaining == Chaining::Ctr {
            return self.counter_mode(payload);
        }
        self.cbc_in_step(&mut [AesLane { key: self, payload }]);
    }

    /// CBC over up to [`STEP`] payloads under this key: block 0 of all, then block 1 of all, and
    /// so on.
    fn cbc_in_step<P: ?Sized + AsMut<[u8]>>(&self, lanes: &mut [AesLane<'_, P>]) {
        let mut chain = [self.chaining.iv(); STEP];
        let blocks = |lane: &mut AesLane<'_, P>| lane.payload.as_mut().len() / BLOCK;
        let longest = lanes.iter_mut().map(blocks).max().unwrap_or(0);
        let chain = chain.split_at_mut(lanes.len().min(STEP)).0;
        for index in 0..longest {
            let at = index * BLOCK..(index + 1) * BLOCK;
            for (chain, lane) in chain.iter_mut().zip(lanes.iter_mut()) {
                if let Some(block) = lane.payload.as_mut().get(at.clone()) {
                    xor(chain, block);
                }
            }
            // Lanes that are already through are enciphered once more than needed; their last
            // cipher block stands in the payload, where the residue takes it from.
            self.cipher.encrypt_blocks(chain);
            for (chain, lane) in chain.iter().zip(lanes.iter_mut()) {
                if let Some(block) = lane.payload.as_mut().get_mut(at.clone()) {
                    block.copy_from_slice(chain);
                }
            }
        }
        for lane in lanes {
            self.residue(lane.payload.as_mut());
        }
    }

    /// IDSA hides the residue behind AES(last cipher block, or the IV); the others leave it.
    fn residue(&self, payload: &mut [u8]) {
        let (blocks, residue) = payload.as_chunks_mut::<BLOCK>();
        if self.chaining != Chaining::Idsa || residue.is_empty() {
            return;
        }
        let mut mask = [blocks.last().copied().unwrap_or_else(|| self.chaining.iv())];
        self.cipher.encrypt_blocks(&mut mask);
        xor(residue, mask.as_flattened());
    }

    pub(crate) fn descramble(&self, payload: &mut [u8]) {
        if self.chaining == Chaining::Ctr {
            return self.counter_mode(payload);
        }
        // The residue's mask is made of the last cipher block, so it comes first.
        self.residue(payload);
        let (blocks, _) = payload.as_chunks_mut::<BLOCK>();
        for run in ChunksWithLast::of(blocks, self.chaining.iv()) {
            let mut deciphered = [[0; BLOCK]; BLOCKS_MAX];
            let work = deciphered.split_at_mut(run.blocks.len()).0;
            work.copy_from_slice(run.blocks);
            self.cipher.decrypt_blocks(work);
            let mut before = run.before;
            for (block, clear) in run.blocks.iter_mut().zip(work) {
                xor(clear, &before);
                before = core::mem::replace(block, *clear);
            }
        }
    }

    fn counter_mode(&self, payload: &mut [u8]) {
        if let Some(stream) = self.stream.as_ref().filter(|_| payload.len() <= PAYLOAD) {
            return xor(payload, stream.as_flattened());
        }
        let mut counter = u128::from_be_bytes(self.chaining.iv());
        for run in payload.chunks_mut(BLOCKS_MAX * BLOCK) {
            let mut stream = Zeroizing::new([[0; BLOCK]; BLOCKS_MAX]);
            for block in stream.iter_mut() {
                *block = counter.to_be_bytes();
                counter = counter.wrapping_add(1);
            }
            self.cipher.encrypt_blocks(stream.as_mut_slice());
            xor(run, stream.as_flattened());
        }
    }
}

/// Runs of at most [`BLOCKS_MAX`] blocks, each with the cipher block in front of it.
struct ChunksWithLast<'a> {
    runs: core::slice::ChunksMut<'a, [u8; BLOCK]>,
    before: [u8; BLOCK],
}

struct Run<'a> {
    before: [u8; BLOCK],
    blocks: &'a mut [[u8; BLOCK]],
}

impl<'a> ChunksWithLast<'a> {
    fn of(blocks: &'a mut [[u8; BLOCK]], iv: [u8; BLOCK]) -> Self {
        Self { runs: blocks.chunks_mut(BLOCKS_MAX), before: iv }
    }
}

impl<'a> Iterator for ChunksWithLast<'a> {
    type Item = Run<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let blocks = self.runs.next()?;
        let last = blocks.last().copied()?;
        Some(Run { before: core::mem::replace(&mut self.before, last), blocks })
    }
}

fn xor(target: &mut [u8], mask: &[u8]) {
    for (octet, mask) in target.iter_mut().zip(mask) {
        *octet ^= mask;
    }
}
