//! CSA2 with AVX2: 256 lanes; the S-box of the block cipher by sixteen shuffles. One of the files
//! with `unsafe`.
//!
//! Trust domain: headend and chip.
//!
//! Safety of the whole file. The methods of [`Ymm`] call instructions that not every processor has;
//! that is sound where the processor has them. `Ymm` is private to this folder's code, and its
//! methods are reached through [`run`] alone, which asks the processor first; they are inlined into
//! `run_here`, which is compiled for AVX2. No method reads or writes memory through a pointer but
//! `join`; planes and rows are ordinary slices.

#![allow(unsafe_code)]

use alloc::boxed::Box;
use core::arch::asm;
use core::arch::x86_64::*;
use core::cell::RefCell;
use core::mem::transmute;

use super::pack::{LANES, PART, Parts};
use super::{
    Direction, Lane, Lengths, PITCH, Payload, Register, Scratch, Substituted, Window, block, gates,
    pack, portable, stream,
};
use crate::csa2::BLOCK_SBOX;

/// Whether this processor has what the path needs.
pub(super) fn detected() -> bool {
    std::is_x86_feature_detected!("avx2")
}

thread_local! {
    static SCRATCH: RefCell<Option<Box<Scratch<Ymm>>>> = const { RefCell::new(None) };
}

pub(super) fn run(lanes: &mut [Lane<'_>], direction: Direction) {
    if !detected() {
        return portable::run(lanes, direction);
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let scratch = scratch.get_or_insert_with(|| Box::new(Scratch::new()));
        // SAFETY: the processor has the feature that the function is compiled for.
        unsafe { run_here(scratch, lanes, direction) }
    });
}

/// Wipes what is left of keys.
pub(super) fn wipe() {
    SCRATCH.with_borrow_mut(|scratch| scratch.as_deref_mut().map(Scratch::wipe));
}

#[target_feature(enable = "avx2")]
fn run_here(scratch: &mut Scratch<Ymm>, lanes: &mut [Lane<'_>], direction: Direction) {
    scratch.run(lanes, direction);
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn scramble_blocks(scratch: &mut Scratch<Ymm>, lengths: &Lengths) {
    block::scramble::<Ymm, IN_FLIGHT>(scratch, lengths);
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn descramble_blocks(scratch: &mut Scratch<Ymm>, lengths: &Lengths) {
    block::descramble::<Ymm, IN_FLIGHT>(scratch, lengths);
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn apply_stream(scratch: &mut Scratch<Ymm>, octets: usize) {
    stream::apply(scratch, octets);
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn planes_of<const N: usize>(
    rows: &[&[u8; N]; LANES],
    first: usize,
    planes: &mut [[Ymm; PITCH]],
    octets: usize,
) {
    pack::planes_of(rows, first, planes, octets);
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn rows_of(planes: &[[Ymm; PITCH]], first: usize, rows: &mut [&mut Payload; LANES], octets: usize) {
    pack::rows_of(planes, first, rows, octets);
}

/// Groups: one alone waits for its own results.
const IN_FLIGHT: usize = 2;

/// 32 octets.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Ymm(__m256i);

/// The S-box in slices of 16, each XORed with the slice before (but for those of 0 and 128), and
/// twice beside itself: a look-up sums the slices up to its own.
const SLICES: [[[u8; 16]; 2]; 16] = {
    let mut slices = [[[0; 16]; 2]; 16];
    let mut input = 0;
    while input < 256 {
        let before = if input % 128 < 16 { 0 } else { BLOCK_SBOX[input - 16] };
        let value = BLOCK_SBOX[input] ^ before;
        slices[input / 16][0][input % 16] = value;
        slices[input / 16][1][input % 16] = value;
        input += 1;
    }
    slices
};

#[inline(always)]
fn table(octets: [[u8; 16]; 2]) -> __m256i {
    // SAFETY: both are 32 octets, for which every value is valid.
    unsafe { transmute(octets) }
}

impl Register for Ymm {
    // SAFETY: all octets of the register are given, and every value is valid.
    const ZERO: Self = Self(unsafe { transmute::<[u64; 4], __m256i>([0; 4]) });

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm256_and_si256(self.0, other.0) })
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm256_or_si256(self.0, other.0) })
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm256_andnot_si256(other.0, self.0) })
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        // SAFETY: see the top of the file. The count is below 16.
        Self(unsafe { _mm256_sll_epi16(self.0, _mm_cvtsi32_si128(BITS as i32)) })
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        // SAFETY: see the top of the file. The count is below 16.
        Self(unsafe { _mm256_srl_epi16(self.0, _mm_cvtsi32_si128(BITS as i32)) })
    }
    #[inline(always)]
    fn splat(octet: u8) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm256_set1_epi8(octet as i8) })
    }
    /// Both sides are below 128 here: they are numbers of blocks.
    #[inline(always)]
    fn greater_than(self, octet: u8) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm256_cmpgt_epi8(self.0, _mm256_set1_epi8(octet as i8)) })
    }
    #[inline(always)]
    fn set_word(&mut self, index: usize, word: u64) {
        // SAFETY: both are 32 octets, for which every value is valid.
        let mut words: [u64; 4] = unsafe { transmute(*self) };
        if let Some(target) = words.get_mut(index) {
            *target = word;
        }
        // SAFETY: as above.
        *self = unsafe { transmute::<[u64; 4], Self>(words) };
    }
    /// A shuffle gives zero where the index is negative. Counting the index down by 16 therefore
    /// sums the slices up to the one that is meant; the first bit chooses between two such sums.
    /// Eight indices side by side and sums in pairs: a round waits for the longest chain.
    #[inline(always)]
    fn block_sbox(self) -> Self {
        macro_rules! sum {
            ($first:literal, $index:ident: $($slice:literal)*) => {
                // SAFETY: see the top of the file.
                unsafe {
                    let [a, b, c, d, e, f, g, h] = [$(_mm256_shuffle_epi8(
                        table(SLICES[$first + $slice]),
                        _mm256_sub_epi8($index, _mm256_set1_epi8(16 * $slice)),
                    )),*];
                    let [ab, cd] = [_mm256_xor_si256(a, b), _mm256_xor_si256(c, d)];
                    let [ef, gh] = [_mm256_xor_si256(e, f), _mm256_xor_si256(g, h)];
                    _mm256_xor_si256(_mm256_xor_si256(ab, cd), _mm256_xor_si256(ef, gh))
                }
            };
        }
        // SAFETY: see the top of the file.
        let index = unsafe { _mm256_and_si256(self.0, _mm256_set1_epi8(i8::MAX)) };
        let [low, high] = [sum!(0, index: 0 1 2 3 4 5 6 7), sum!(8, index: 0 1 2 3 4 5 6 7)];
        // SAFETY: see the top of the file.
        Self(unsafe { _mm256_blendv_epi8(low, high, self.0) })
    }
    #[inline(always)]
    fn block_permutation(self) -> Self {
        let [lower, upper] = [table([block::PERMUTED[0]; 2]), table([block::PERMUTED[1]; 2])];
        // SAFETY: see the top of the file.
        Self(unsafe {
            let nibble = _mm256_set1_epi8(0x0F);
            let low = _mm256_and_si256(self.0, nibble);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(self.0), nibble);
            _mm256_xor_si256(_mm256_shuffle_epi8(lower, low), _mm256_shuffle_epi8(upper, high))
        })
    }
    #[inline(always)]
    fn stream_sboxes(a: &Window<Self>) -> Substituted<Self> {
        gates::substitute(a)
    }
    fn scramble_blocks(scratch: &mut Scratch<Self>, lengths: &Lengths) {
        // SAFETY: see the top of the file.
        unsafe { scramble_blocks(scratch, lengths) }
    }
    fn descramble_blocks(scratch: &mut Scratch<Self>, lengths: &Lengths) {
        // SAFETY: see the top of the file.
        unsafe { descramble_blocks(scratch, lengths) }
    }
    fn apply_stream(scratch: &mut Scratch<Self>, octets: usize) {
        // SAFETY: see the top of the file.
        unsafe { apply_stream(scratch, octets) }
    }
    fn planes_of<const N: usize>(
        rows: &[&[u8; N]; LANES],
        first: usize,
        planes: &mut [[Self; PITCH]],
        octets: usize,
    ) {
        // SAFETY: see the top of the file.
        unsafe { planes_of(rows, first, planes, octets) }
    }
    fn rows_of(
        planes: &[[Self; PITCH]],
        first: usize,
        rows: &mut [&mut Payload; LANES],
        octets: usize,
    ) {
        // SAFETY: see the top of the file.
        unsafe { rows_of(planes, first, rows, octets) }
    }
    #[inline(always)]
    fn place(lane: usize) -> usize {
        pack::place_of_part::<Self>(lane)
    }
    #[inline(always)]
    fn pin() {
        // SAFETY: no instruction at all; it only claims to touch memory.
        unsafe { asm!("", options(nostack, preserves_flags)) };
    }
}

impl Parts for Ymm {
    #[inline(always)]
    fn join<const N: usize>(rows: &[&[u8; N]], first: usize, at: usize) -> Self {
        let Some([a, b]) = rows.get(first..).and_then(|rows| rows.first_chunk()) else {
            return Self::ZERO;
        };
        let at = at.min(N - PART);
        // SAFETY: see the top of the file; the parts end where the rows do, or before.
        Self(unsafe {
            let [a, b] = [a.as_ptr().add(at), b.as_ptr().add(at)];
            _mm256_set_m128i(_mm_loadu_si128(b.cast()), _mm_loadu_si128(a.cast()))
        })
    }
    #[inline(always)]
    fn part(self, rows: &mut [&mut Payload], first: usize, at: usize) {
        let mut put = |row: usize, part: __m128i| {
            let row = rows.get_mut(first + row).and_then(|row| row.get_mut(at..));
            if let Some(target) = row.and_then(|row| row.first_chunk_mut::<16>()) {
                // SAFETY: both are 16 octets, for which every value is valid.
                *target = unsafe { transmute::<__m128i, [u8; 16]>(part) };
            }
        };
        // SAFETY: see the top of the file.
        unsafe {
            put(0, _mm256_castsi256_si128(self.0));
            put(1, _mm256_extracti128_si256::<1>(self.0));
        }
    }
    #[inline(always)]
    fn interleave_low(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm256_unpacklo_epi8(self.0, other.0) })
    }
    #[inline(always)]
    fn interleave_high(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm256_unpackhi_epi8(self.0, other.0) })
    }
}
