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
mod vaes;

use alloc::vec::Vec;

use portcullis_crypto::{Aes128, Key128};
use portcullis_types::ScramblingMode;

use crate::sliced::Direction;

const BLOCK: usize = 16;
/// Whole blocks in the longest payload.
const BLOCKS_MAX: usize = 184usize.div_ceil(BLOCK);
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
    /// For the modes that only chain whole blocks, where the processor can.
    #[cfg(target_arch = "x86_64")]
    vaes: Option<vaes::Schedule>,
}

impl AesCipher {
    pub(crate) fn new(chaining: Chaining, key: &Key128) -> Self {
        Self {
            chaining,
            cipher: Aes128::new(key),
            #[cfg(target_arch = "x86_64")]
            vaes: match chaining {
                Chaining::Cissa | Chaining::Cbc => vaes::Schedule::new(key),
                Chaining::Idsa | Chaining::Ctr => None,
            },
        }
    }

    pub(crate) fn scramble(&self, payload: &mut [u8]) {
        self.scramble_many(&mut [payload]);
    }

    /// Scrambles payloads side by side.
    pub(crate) fn scramble_many(&self, payloads: &mut [&mut [u8]]) {
        if self.chaining == Chaining::Ctr {
            payloads.iter_mut().for_each(|payload| self.counter_mode(payload));
            return;
        }
        for group in payloads.chunks_mut(STEP) {
            self.cbc_in_step(group);
        }
    }

    /// CBC over up to [`STEP`] payloads: block 0 of all, then block 1 of all, and so on.
    fn cbc_in_step(&self, payloads: &mut [&mut [u8]]) {
        let mut chain = [self.chaining.iv(); STEP];
        let longest = payloads.iter().map(|payload| payload.len() / BLOCK).max().unwrap_or(0);
        let chain = chain.split_at_mut(payloads.len().min(STEP)).0;
        for index in 0..longest {
            let at = index * BLOCK..(index + 1) * BLOCK;
            for (chain, payload) in chain.iter_mut().zip(payloads.iter()) {
                if let Some(block) = payload.get(at.clone()) {
                    xor(chain, block);
                }
            }
            // Lanes that are already through are enciphered once more than needed; their last
            // cipher block stands in the payload, where the residue takes it from.
            self.cipher.encrypt_blocks(chain);
            for (chain, payload) in chain.iter().zip(payloads.iter_mut()) {
                if let Some(block) = payload.get_mut(at.clone()) {
                    block.copy_from_slice(chain);
                }
            }
        }
        for payload in payloads {
            self.residue(payload);
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
        let mut counter = u128::from_be_bytes(self.chaining.iv());
        for run in payload.chunks_mut(BLOCKS_MAX * BLOCK) {
            let mut stream = [[0; BLOCK]; BLOCKS_MAX];
            for block in &mut stream {
                *block = counter.to_be_bytes();
                counter = counter.wrapping_add(1);
            }
            self.cipher.encrypt_blocks(&mut stream);
            xor(run, stream.as_flattened());
        }
    }
}

/// One packet's payload with its key.
pub(crate) struct AesLane<'a> {
    pub(crate) key: &'a AesCipher,
    pub(crate) payload: &'a mut [u8],
}

impl<'a> AesLane<'a> {
    /// A lane of a batch that is being filled: its payload is fetched meanwhile.
    #[inline(always)]
    pub(crate) fn new(key: &'a AesCipher, payload: &'a mut [u8]) -> Self {
        #[cfg(target_arch = "x86_64")]
        vaes::prefetch(payload);
        Self { key, payload }
    }
}

/// Packets that a batch of AES lanes takes.
pub(crate) const AES_LANES: usize = 24;

/// Works on up to [`AES_LANES`] lanes in the fastest way that this processor has.
pub(crate) fn run(lanes: &mut [AesLane<'_>], direction: Direction) {
    for lanes in lanes.chunks_mut(AES_LANES) {
        let Some(chaining) = lanes.first().map(|lane| lane.key.chaining) else { return };
        if lanes.len() > 1 && lanes.iter().all(|lane| lane.key.chaining == chaining) {
            #[cfg(target_arch = "x86_64")]
            if run_wide(lanes, direction, &chaining.iv()) {
                continue;
            }
            let key = lanes.first().map(|lane| lane.key);
            if let Some(key) = key.filter(|_| direction == Direction::Scramble)
                && lanes.iter().all(|lane| core::ptr::eq(lane.key, key))
            {
                let mut payloads: Vec<&mut [u8]> =
                    lanes.iter_mut().map(|lane| &mut *lane.payload).collect();
                key.scramble_many(&mut payloads);
                continue;
            }
        }
        for lane in lanes {
            match direction {
                Direction::Scramble => lane.key.scramble(lane.payload),
                Direction::Descramble => lane.key.descramble(lane.payload),
            }
        }
    }
}

/// Whether it could be done: not every mode has, nor every processor, the wide path.
#[cfg(target_arch = "x86_64")]
fn run_wide(lanes: &mut [AesLane<'_>], direction: Direction, iv: &[u8; BLOCK]) -> bool {
    if lanes.iter().any(|lane| lane.key.vaes.is_none()) {
        return false;
    }
    if lanes.iter().all(|lane| lane.payload.len() >= vaes::CHAINED) {
        vaes::run(lanes, direction, iv);
    } else {
        run_short(lanes, direction, iv);
    }
    true
}

/// Lanes of any length: each is worked on in a place of full length, and what is beyond its last
/// whole block is thrown away.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
fn run_short(lanes: &mut [AesLane<'_>], direction: Direction, iv: &[u8; BLOCK]) {
    let mut places = [[0; vaes::CHAINED]; AES_LANES];
    let mut work = Vec::with_capacity(AES_LANES);
    for (lane, place) in lanes.iter().zip(&mut places) {
        xor(place, lane.payload);
        work.push(AesLane { key: lane.key, payload: place });
    }
    vaes::run(&mut work, direction, iv);
    for (lane, place) in lanes.iter_mut().zip(&places) {
        let whole = (lane.payload.len() / BLOCK * BLOCK).min(vaes::CHAINED);
        for (octet, of_place) in lane.payload.iter_mut().zip(place).take(whole) {
            *octet = *of_place;
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
