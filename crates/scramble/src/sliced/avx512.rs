//! CSA2 with AVX-512: 512 lanes, the S-box of the block cipher by VBMI, its bit permutation by GFNI,
//! three-input logic for the stream cipher. One of the files with `unsafe`.
//!
//! Trust domain: headend and chip.
//!
//! Safety of the whole file. The methods of [`Zmm`] call instructions that not every processor has;
//! that is sound where the processor has them. `Zmm` is private to this folder's code, and its
//! methods are reached through [`run`] alone, which asks the processor first; they are inlined into
//! `run_here`, which is compiled for these features. No method reads or writes memory through
//! a pointer; planes and rows are ordinary slices.

#![allow(unsafe_code)]

use core::arch::asm;
use core::arch::x86_64::*;
use core::cell::RefCell;
use core::mem::transmute;

use super::{
    Direction, GROUPS, Lane, Lengths, Register, Row, Scratch, Substituted, Window, block, look_ups,
    portable, stream,
};
use crate::csa2::{BLOCK_SBOX, permute_octet};

/// Whether this processor has what the path needs.
pub(super) fn detected() -> bool {
    std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("avx512bw")
        && std::is_x86_feature_detected!("avx512vbmi")
        && std::is_x86_feature_detected!("gfni")
}

pub(super) fn run(lanes: &mut [Lane<'_>], direction: Direction) {
    thread_local! {
        static SCRATCH: RefCell<Scratch<Zmm>> = RefCell::new(Scratch::new());
    }
    if !detected() {
        return portable::run(lanes, direction);
    }
    SCRATCH.with_borrow_mut(|scratch| {
        // SAFETY: the processor has the features that the function is compiled for.
        unsafe { run_here(scratch, lanes, direction) }
    });
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
    fn word(self, index: usize) -> u64 {
        // SAFETY: both are 64 octets, for which every value is valid.
        let words: [u64; 8] = unsafe { transmute(self) };
        words.get(index).copied().unwrap_or_default()
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
    #[inline(always)]
    fn planes_of(rows: &[Row], column: usize, planes: &mut [[Self; GROUPS]]) {
        let Some(planes) = planes.first_chunk_mut::<64>() else { return };
        for (group, rows) in rows.as_chunks::<64>().0.iter().enumerate().take(GROUPS) {
            let square = [
                words_of(rows, 0, column),
                words_of(rows, 1, column),
                words_of(rows, 2, column),
                words_of(rows, 3, column),
                words_of(rows, 4, column),
                words_of(rows, 5, column),
                words_of(rows, 6, column),
                words_of(rows, 7, column),
            ];
            for (block, planes) in planes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                let mut octets = [Self::ZERO; 8];
                for (octets, square) in octets.iter_mut().zip(&square) {
                    *octets = transpose_octets(square[block % 8]);
                }
                for (plane, octets) in planes.iter_mut().zip(transpose_words(octets)) {
                    plane[group % GROUPS] = octets;
                }
            }
        }
    }
    #[inline(always)]
    fn rows_of(planes: &[[Self; GROUPS]], column: usize, rows: &mut [Row]) {
        let Some(planes) = planes.first_chunk::<64>() else { return };
        for (group, rows) in rows.as_chunks_mut::<64>().0.iter_mut().enumerate().take(GROUPS) {
            let square = [
                blocks_of(planes, 0, group),
                blocks_of(planes, 1, group),
                blocks_of(planes, 2, group),
                blocks_of(planes, 3, group),
                blocks_of(planes, 4, group),
                blocks_of(planes, 5, group),
                blocks_of(planes, 6, group),
                blocks_of(planes, 7, group),
            ];
            for (lanes, rows) in rows.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                let mut words = [Self::ZERO; 8];
                for (words, square) in words.iter_mut().zip(&square) {
                    *words = square[lanes % 8];
                }
                for (row, words) in rows.iter_mut().zip(transpose_words(words)) {
                    set_column(row, column, words);
                }
            }
        }
    }
}

/// One column of eight rows; register j has word j of each.
#[inline(always)]
fn words_of(rows: &[Row; 64], eight: usize, column: usize) -> [Zmm; 8] {
    let mut words = [Zmm::ZERO; 8];
    for (words, row) in words.iter_mut().zip(rows.iter().skip(eight * 8)) {
        *words = column_of(row, column);
    }
    transpose_words(words)
}

/// One block of one group; register j has the block of lanes 8j to 8j + 7.
#[inline(always)]
fn blocks_of(planes: &[[Zmm; GROUPS]; 64], block: usize, group: usize) -> [Zmm; 8] {
    let mut octets = [Zmm::ZERO; 8];
    for (octets, plane) in octets.iter_mut().zip(planes.iter().skip(block * 8)) {
        *octets = plane[group % GROUPS];
    }
    octets = transpose_words(octets);
    for octets in &mut octets {
        *octets = transpose_octets(*octets);
    }
    octets
}

#[inline(always)]
fn column_of(row: &Row, column: usize) -> Zmm {
    let octets = row.0.as_chunks::<64>().0.get(column).copied().unwrap_or([0; 64]);
    // SAFETY: both are 64 octets, for which every value is valid.
    unsafe { transmute(octets) }
}

#[inline(always)]
fn set_column(row: &mut Row, column: usize, octets: Zmm) {
    if let Some(target) = row.0.as_chunks_mut::<64>().0.get_mut(column) {
        // SAFETY: both are 64 octets, for which every value is valid.
        *target = unsafe { transmute::<Zmm, [u8; 64]>(octets) };
    }
}

/// Octet j of word i goes to octet i of word j.
#[inline(always)]
fn transpose_octets(octets: Zmm) -> Zmm {
    const INDEX: [u8; 64] = {
        let mut index = [0; 64];
        let mut at = 0;
        while at < 64 {
            index[at] = (at % 8 * 8 + at / 8) as u8;
            at += 1;
        }
        index
    };
    // SAFETY: the sizes agree; for the instruction see the top of the file.
    Zmm(unsafe { _mm512_permutexvar_epi8(transmute::<[u8; 64], __m512i>(INDEX), octets.0) })
}

/// Word j of register i goes to word i of register j.
#[inline(always)]
fn transpose_words(r: [Zmm; 8]) -> [Zmm; 8] {
    let [r0, r1, r2, r3, r4, r5, r6, r7] = r;
    // SAFETY: see the top of the file.
    let (even, odd) = unsafe {
        (
            transpose_quarters([
                _mm512_unpacklo_epi64(r0.0, r1.0),
                _mm512_unpacklo_epi64(r2.0, r3.0),
                _mm512_unpacklo_epi64(r4.0, r5.0),
                _mm512_unpacklo_epi64(r6.0, r7.0),
            ]),
            transpose_quarters([
                _mm512_unpackhi_epi64(r0.0, r1.0),
                _mm512_unpackhi_epi64(r2.0, r3.0),
                _mm512_unpackhi_epi64(r4.0, r5.0),
                _mm512_unpackhi_epi64(r6.0, r7.0),
            ]),
        )
    };
    [even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3]]
}

/// Quarter j of register i goes to quarter i of register j.
#[inline(always)]
fn transpose_quarters([a, b, c, d]: [__m512i; 4]) -> [Zmm; 4] {
    // SAFETY: see the top of the file.
    unsafe {
        let ab = _mm512_shuffle_i64x2::<0x88>(a, b);
        let cd = _mm512_shuffle_i64x2::<0x88>(c, d);
        let ab_odd = _mm512_shuffle_i64x2::<0xDD>(a, b);
        let cd_odd = _mm512_shuffle_i64x2::<0xDD>(c, d);
        [
            Zmm(_mm512_shuffle_i64x2::<0x88>(ab, cd)),
            Zmm(_mm512_shuffle_i64x2::<0x88>(ab_odd, cd_odd)),
            Zmm(_mm512_shuffle_i64x2::<0xDD>(ab, cd)),
            Zmm(_mm512_shuffle_i64x2::<0xDD>(ab_odd, cd_odd)),
        ]
    }
}
