//! CSA2 in WebAssembly with vectors of 128 bits: 128 lanes; the S-box of the block cipher by sixteen
//! look-ups.
//!
//! Trust domain: the operator's browser, which has the control words it was given by hand. A module
//! with these instructions is refused as a whole where they are missing, so nothing has to be asked
//! at run time, and none of them is `unsafe`.

use core::arch::wasm32::*;

use super::pack::{LANES, Parts};
use super::{
    Direction, Lane, PITCH, Payload, Register, Scratch, Substituted, Window, block, gates, pack,
};
use crate::csa2::BLOCK_SBOX;

pub(super) fn run(lanes: &mut [Lane<'_>], direction: Direction) {
    let mut scratch = Scratch::<Vector>::new();
    scratch.run(lanes, direction);
    scratch.wipe();
}

/// 16 octets.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Vector(v128);

/// The S-box in slices of 16: those of the lower half, then those of the upper.
const SLICES: [[u8; 16]; 16] = {
    let mut slices = [[0; 16]; 16];
    let mut input = 0;
    while input < 256 {
        slices[input / 16][input % 16] = BLOCK_SBOX[input];
        input += 1;
    }
    slices
};

#[inline(always)]
const fn vector(octets: &[u8; 16]) -> v128 {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *octets;
    u8x16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
}

impl Register for Vector {
    const ZERO: Self = Self(u64x2(0, 0));

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(v128_xor(self.0, other.0))
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(v128_and(self.0, other.0))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(v128_or(self.0, other.0))
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        Self(v128_andnot(self.0, other.0))
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        Self(u64x2_shl(self.0, BITS))
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        Self(u64x2_shr(self.0, BITS))
    }
    #[inline(always)]
    fn splat(octet: u8) -> Self {
        Self(u8x16_splat(octet))
    }
    #[inline(always)]
    fn greater_than(self, octet: u8) -> Self {
        Self(u8x16_gt(self.0, u8x16_splat(octet)))
    }
    #[inline(always)]
    fn set_word(&mut self, index: usize, word: u64) {
        self.0 = if index == 0 {
            u64x2_replace_lane::<0>(self.0, word)
        } else {
            u64x2_replace_lane::<1>(self.0, word)
        };
    }
    /// A look-up gives zero where the index is not below 16. Counting the index down by 16 therefore
    /// leaves one slice of each half; the first bit chooses between the halves.
    #[inline(always)]
    fn block_sbox(self) -> Self {
        let step = u8x16_splat(16);
        let mut index = v128_and(self.0, u8x16_splat(0x7F));
        let (lower, upper) = SLICES.split_at(8);
        let mut low = Self::ZERO.0;
        let mut high = Self::ZERO.0;
        for (lower, upper) in lower.iter().zip(upper) {
            low = v128_or(low, u8x16_swizzle(vector(lower), index));
            high = v128_or(high, u8x16_swizzle(vector(upper), index));
            index = u8x16_sub(index, step);
        }
        let is_high = i8x16_lt(self.0, Self::ZERO.0);
        Self(v128_bitselect(high, low, is_high))
    }
    #[inline(always)]
    fn block_permutation(self) -> Self {
        let low = u8x16_swizzle(vector(&block::PERMUTED[0]), v128_and(self.0, u8x16_splat(0x0F)));
        let high = u8x16_swizzle(vector(&block::PERMUTED[1]), u8x16_shr(self.0, 4));
        Self(v128_xor(low, high))
    }
    #[inline(always)]
    fn stream_sboxes(a: &Window<Self>) -> Substituted<Self> {
        gates::substitute(a)
    }
    #[inline(always)]
    fn planes_of<const N: usize>(
        rows: &[&[u8; N]; LANES],
        first: usize,
        planes: &mut [[Self; PITCH]],
        octets: usize,
    ) {
        pack::planes_of(rows, first, planes, octets);
    }
    #[inline(always)]
    fn rows_of(
        planes: &[[Self; PITCH]],
        first: usize,
        rows: &mut [&mut Payload; LANES],
        octets: usize,
    ) {
        pack::rows_of(planes, first, rows, octets);
    }
    #[inline(always)]
    fn place(lane: usize) -> usize {
        pack::place_of_part::<Self>(lane)
    }
}

impl Parts for Vector {
    #[inline(always)]
    fn join<const N: usize>(rows: &[&[u8; N]], first: usize, at: usize) -> Self {
        let part = rows.get(first).and_then(|row| row.get(at..)?.first_chunk::<16>());
        part.map_or(Self::ZERO, |octets| Self(vector(octets)))
    }
    #[inline(always)]
    fn part(self, rows: &mut [&mut Payload], first: usize, at: usize) {
        let row = rows.get_mut(first).and_then(|row| row.get_mut(at..));
        if let Some(target) = row.and_then(|row| row.first_chunk_mut::<16>()) {
            let halves = [u64x2_extract_lane::<0>(self.0), u64x2_extract_lane::<1>(self.0)];
            let (octets, _) = target.as_chunks_mut::<8>();
            for (octets, half) in octets.iter_mut().zip(halves) {
                *octets = half.to_le_bytes();
            }
        }
    }
    #[inline(always)]
    fn interleave_low(self, other: Self) -> Self {
        Self(u8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(
            self.0, other.0,
        ))
    }
    #[inline(always)]
    fn interleave_high(self, other: Self) -> Self {
        Self(u8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(
            self.0, other.0,
        ))
    }
}
