//! The path for any processor: registers are words of 64 bits.

use super::{Direction, Lane, PITCH, Payload, Register, Scratch, Substituted, Window, gates, pack};
use crate::csa2::{BLOCK_SBOX, permute_octet};

pub(super) fn run(lanes: &mut [Lane<'_>], direction: Direction) {
    let mut scratch = Scratch::<u64>::new();
    scratch.run(lanes, direction);
    scratch.wipe();
}

const LOW: u64 = 0x0101_0101_0101_0101;

impl Register for u64 {
    const ZERO: Self = 0;

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        self & !other
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        self << BITS
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        self >> BITS
    }
    #[inline(always)]
    fn splat(octet: u8) -> Self {
        Self::from(octet) * LOW
    }
    #[inline(always)]
    fn greater_than(self, octet: u8) -> Self {
        Self::from_le_bytes(self.to_le_bytes().map(|each| if each > octet { 0xFF } else { 0 }))
    }
    #[inline(always)]
    fn set_word(&mut self, _: usize, word: u64) {
        *self = word;
    }
    #[inline(always)]
    fn block_sbox(self) -> Self {
        Self::from_le_bytes(self.to_le_bytes().map(|octet| BLOCK_SBOX[usize::from(octet)]))
    }
    /// Bits 0 to 7 go to 1, 7, 5, 4, 2, 6, 0, 3.
    #[inline(always)]
    fn block_permutation(self) -> Self {
        const { assert!(permute_octet(0b0000_0010) == 0b1000_0000) };
        (self & LOW) << 1
            | (self & LOW << 1) << 6
            | (self & LOW << 2) << 3
            | (self & LOW << 3) << 1
            | (self & LOW << 4) >> 2
            | (self & LOW << 5) << 1
            | (self & LOW << 6) >> 6
            | (self & LOW << 7) >> 4
    }
    #[inline(always)]
    fn stream_sboxes(a: &Window<Self>) -> Substituted<Self> {
        gates::substitute(a)
    }
    #[inline(always)]
    fn planes_of<const N: usize>(
        rows: &[&[u8; N]; pack::LANES],
        first: usize,
        planes: &mut [[Self; PITCH]],
        octets: usize,
    ) {
        let _ = (first, octets);
        pack::planes_of_words(rows, planes);
    }
    #[inline(always)]
    fn rows_of(
        planes: &[[Self; PITCH]],
        first: usize,
        rows: &mut [&mut Payload; pack::LANES],
        octets: usize,
    ) {
        let _ = (first, octets);
        pack::rows_of_words(planes, rows);
    }
    #[inline(always)]
    fn place(lane: usize) -> usize {
        lane
    }
}
