//! CSA2 with AVX-512: 512 lanes, the S-box of the block cipher by VBMI, its bit permutation by GFNI,
//! three-input logic for the stream cipher. One of the files with `unsafe`.
//!
//! Trust domain: headend and chip.
//!
//! Safety of the whole file. The methods of [`Zmm`] call instructions that not every processor has;
//! that is sound where the processor has them. `Zmm` is private to this folder's code, and its
//! methods are reached through [`run`] alone, which asks the processor first; they are inlined into
//! functions that are compiled for these features. No method reads or writes memory through a
//! pointer but `join`; planes and rows are ordinary slices.

#![allow(unsafe_code)]

use alloc::boxed::Box;
use core::arch::asm;
use core::arch::x86_64::*;
use core::cell::RefCell;
use core::mem::transmute;

use super::pack::{LANES, PART, Parts};
use super::{
    Direction, Lane, Lengths, PITCH, Payload, Register, Scratch, Substituted, Window, block,
    look_ups, pack, portable, stream,
};
use crate::csa2::{BLOCK_SBOX, permute_octet};

/// Whether this processor has what the path needs.
pub(super) fn detected() -> bool {
    std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("avx512bw")
        && std::is_x86_feature_detected!("avx512vbmi")
        && std::is_x86_feature_detected!("gfni")
}

thread_local! {
    static SCRATCH: RefCell<Option<Box<Scratch<Zmm>>>> = const { RefCell::new(None) };
}

pub(super) fn run(lanes: &mut [Lane<'_>], direction: Direction) {
    if !detected() {
        return portable::run(lanes, direction);
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let scratch = scratch.get_or_insert_with(|| Box::new(Scratch::new()));
        // SAFETY: the processor has the features that the function is compiled for.
        unsafe { run_here(scratch, lanes, direction) }
    });
}

/// Wipes what is left of keys.
pub(super) fn wipe() {
    SCRATCH.with_borrow_mut(|scratch| scratch.as_deref_mut().map(Scratch::wipe));
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn run_here(scratch: &mut Scratch<Zmm>, lanes: &mut [Lane<'_>], direction: Direction) {
    scratch.run(lanes, direction);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
#[inline(never)]
fn scramble_blocks(scratch: &mut Scratch<Zmm>, lengths: &Lengths) {
    block::scramble::<Zmm, IN_FLIGHT>(scratch, lengths);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
#[inline(never)]
fn descramble_blocks(scratch: &mut Scratch<Zmm>, lengths: &Lengths) {
    block::descramble::<Zmm, IN_FLIGHT>(scratch, lengths);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
#[inline(never)]
fn apply_stream(scratch: &mut Scratch<Zmm>, octets: usize) {
    stream::apply(scratch, octets);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
#[inline(never)]
fn planes_of<const N: usize>(
    rows: &[&[u8; N]; LANES],
    first: usize,
    planes: &mut [[Zmm; PITCH]],
    octets: usize,
) {
    pack::planes_of(rows, first, planes, octets);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
#[inline(never)]
fn rows_of(planes: &[[Zmm; PITCH]], first: usize, rows: &mut [&mut Payload; LANES], octets: usize) {
    pack::rows_of(planes, first, rows, octets);
}

const IN_FLIGHT: usize = 4;

/// 64 octets.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Zmm(__m512i);

// SAFETY: both are 256 octets without padding.
const SBOX: [__m512i; 4] = unsafe { transmute(BLOCK_SBOX) };

/// The bit permutation as a matrix: octet 7 - i tells of which input bits output bit i is the sum.
const PERMUTATION: i64 = {
    let mut matrix = [0; 8];
    let mut bit = 0;
    while bit < 8 {
        matrix[7 - permute_octet(1 << bit).trailing_zeros() as usize] = 1 << bit;
        bit += 1;
    }
    i64::from_le_bytes(matrix)
};

impl Register for Zmm {
    // SAFETY: all octets of the register are given, and every value is valid.
    const ZERO: Self = Self(unsafe { transmute::<[u64; 8], __m512i>([0; 8]) });

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) })
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_and_si512(self.0, other.0) })
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_or_si512(self.0, other.0) })
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_andnot_si512(other.0, self.0) })
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_slli_epi16::<BITS>(self.0) })
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_srli_epi16::<BITS>(self.0) })
    }
    #[inline(always)]
    fn splat(octet: u8) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_set1_epi8(octet as i8) })
    }
    #[inline(always)]
    fn greater_than(self, octet: u8) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe {
            _mm512_movm_epi8(_mm512_cmpgt_epu8_mask(self.0, _mm512_set1_epi8(octet as i8)))
        })
    }
    #[inline(always)]
    fn set_word(&mut self, index: usize, word: u64) {
        // SAFETY: both are 64 octets, for which every value is valid.
        let mut words: [u64; 8] = unsafe { transmute(*self) };
        if let Some(target) = words.get_mut(index) {
            *target = word;
        }
        // SAFETY: as above.
        *self = unsafe { transmute::<[u64; 8], Self>(words) };
    }
    #[inline(always)]
    fn block_sbox(self) -> Self {
        let [first, second, third, fourth] = SBOX;
        // SAFETY: see the top of the file.
        Self(unsafe {
            let odd = _mm512_test_epi8_mask(self.0, _mm512_set1_epi8(0x40));
            let low = _mm512_permutexvar_epi8(self.0, first);
            let low = _mm512_mask_permutexvar_epi8(low, odd, self.0, second);
            let high = _mm512_permutexvar_epi8(self.0, third);
            let high = _mm512_mask_permutexvar_epi8(high, odd, self.0, fourth);
            _mm512_mask_blend_epi8(_mm512_movepi8_mask(self.0), low, high)
        })
    }
    #[inline(always)]
    fn block_permutation(self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_gf2p8affine_epi64_epi8::<0>(self.0, _mm512_set1_epi64(PERMUTATION)) })
    }
    #[inline(always)]
    fn stream_sboxes(a: &Window<Self>) -> Substituted<Self> {
        look_ups::substitute(a)
    }
    #[inline(always)]
    fn lut<const TABLE: i32>(a: Self, b: Self, c: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_ternarylogic_epi64::<TABLE>(a.0, b.0, c.0) })
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        Self::lut::<0x96>(self, b, c)
    }
    #[inline(always)]
    fn choose(self, then: Self, otherwise: Self) -> Self {
        Self::lut::<0xCA>(self, then, otherwise)
    }
    #[inline(always)]
    fn and_xor(self, then: Self, to: Self) -> Self {
        Self::lut::<0x78>(to, self, then)
    }
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        Self::lut::<0xE8>(self, b, c)
    }
    #[inline(always)]
    fn pin() {
        // SAFETY: no instruction at all; it only claims to touch memory.
        unsafe { asm!("", options(nostack, preserves_flags)) };
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
}

impl Parts for Zmm {
    #[inline(always)]
    fn join<const N: usize>(rows: &[&[u8; N]], first: usize, at: usize) -> Self {
        let Some([a, b, c, d]) = rows.get(first..).and_then(|rows| rows.first_chunk()) else {
            return Self::ZERO;
        };
        // SAFETY: see the top of the file; the parts end where the rows do, or before.
        unsafe { join([a, b, c, d].map(|row| row.as_ptr()), at.min(N - PART)) }
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
            put(0, _mm512_castsi512_si128(self.0));
            put(1, _mm512_extracti32x4_epi32::<1>(self.0));
            put(2, _mm512_extracti32x4_epi32::<2>(self.0));
            put(3, _mm512_extracti32x4_epi32::<3>(self.0));
        }
    }
    #[inline(always)]
    fn interleave_low(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_unpacklo_epi8(self.0, other.0) })
    }
    #[inline(always)]
    fn interleave_high(self, other: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_unpackhi_epi8(self.0, other.0) })
    }
}

/// Joins 16 octets from each of four rows.
///
/// # Safety
/// From each row so many octets from `at` on must be readable.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
#[inline]
unsafe fn join([a, b, c, d]: [*const u8; 4], at: usize) -> Zmm {
    let joined;
    // SAFETY: it reads what the caller promises, and writes nothing. The compiler would join twos
    // of twos, which takes shuffles. The first goes everywhere: loading does that for nothing.
    unsafe {
        asm!(
            "vbroadcasti32x4 {joined}, xmmword ptr [{a} + {at}]",
            "vinserti32x4 {joined}, {joined}, [{b} + {at}], 1",
            "vinserti32x4 {joined}, {joined}, [{c} + {at}], 2",
            "vinserti32x4 {joined}, {joined}, [{d} + {at}], 3",
            a = in(reg) a,
            b = in(reg) b,
            c = in(reg) c,
            d = in(reg) d,
            at = in(reg) at,
            joined = out(zmm_reg) joined,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    Zmm(joined)
}
