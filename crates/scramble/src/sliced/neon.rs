//! CSA2 with NEON: 128 lanes; the S-box of the block cipher by four look-ups in 64 octets.
//!
//! One of the files with `unsafe`.
//!
//! Trust domain: headend and chip.
//!
//! Safety of the whole file. The targets of this architecture for which the module is built have the
//! instructions as a matter of course (the constant below refuses others), so nothing has to be
//! asked at run time. No method reads or writes memory through a pointer.

#![allow(unsafe_code)]
// Where NEON is a given, only what goes by pointers needs it.
#![allow(unused_unsafe)]

use core::arch::aarch64::*;

use super::pack::{LANES, Parts};
use super::{
    Direction, Lane, Lengths, PITCH, Payload, Register, Scratch, Substituted, Window, block, gates,
    pack,
};
use crate::csa2::BLOCK_SBOX;

pub(super) fn run(lanes: &mut [Lane<'_>], direction: Direction) {
    let mut scratch = Scratch::<Vector>::new();
    scratch.run(lanes, direction);
    scratch.wipe();
}

const _: () = assert!(cfg!(target_feature = "neon"));

/// Instructions that this processor has.
macro_rules! neon {
    ($expression:expr) => {
        // SAFETY: see the top of the file.
        unsafe { $expression }
    };
}

/// Groups: one alone waits for its own results.
const IN_FLIGHT: usize = 2;

/// 16 octets.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Vector(uint8x16_t);

#[inline(always)]
fn vector(octets: &[u8; 16]) -> uint8x16_t {
    let [low, high] = [0, 8].map(|at| {
        octets.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_le_bytes(*word))
    });
    neon!(vcombine_u8(vcreate_u8(low), vcreate_u8(high)))
}

/// 64 entries of the S-box.
#[inline(always)]
fn quarter(number: usize) -> uint8x16x4_t {
    let [a, b, c, d] = [0, 1, 2, 3]
        .map(|part| BLOCK_SBOX.as_chunks().0.get(number * 4 + part).map_or(Vector::ZERO.0, vector));
    uint8x16x4_t(a, b, c, d)
}

impl Register for Vector {
    // SAFETY: all octets of the register are given, and every value is valid.
    const ZERO: Self = Self(unsafe { core::mem::transmute::<[u8; 16], uint8x16_t>([0; 16]) });

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(neon!(veorq_u8(self.0, other.0)))
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(neon!(vandq_u8(self.0, other.0)))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(neon!(vorrq_u8(self.0, other.0)))
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        Self(neon!(vbicq_u8(self.0, other.0)))
    }
    #[inline(always)]
    fn choose(self, then: Self, otherwise: Self) -> Self {
        Self(neon!(vbslq_u8(self.0, then.0, otherwise.0)))
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        Self(neon!(vshlq_u8(self.0, vdupq_n_s8(BITS as i8))))
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        Self(neon!(vshlq_u8(self.0, vdupq_n_s8(-(BITS as i8)))))
    }
    #[inline(always)]
    fn splat(octet: u8) -> Self {
        Self(neon!(vdupq_n_u8(octet)))
    }
    #[inline(always)]
    fn greater_than(self, octet: u8) -> Self {
        Self(neon!(vcgtq_u8(self.0, vdupq_n_u8(octet))))
    }
    #[inline(always)]
    fn set_word(&mut self, index: usize, word: u64) {
        let words = neon!(vreinterpretq_u64_u8(self.0));
        let words = match index {
            0 => neon!(vsetq_lane_u64::<0>(word, words)),
            _ => neon!(vsetq_lane_u64::<1>(word, words)),
        };
        self.0 = neon!(vreinterpretq_u8_u64(words));
    }
    /// A look-up keeps what was there where the index is not below 64.
    #[inline(always)]
    fn block_sbox(self) -> Self {
        let [first, second, third, fourth] = [quarter(0), quarter(1), quarter(2), quarter(3)];
        Self(neon!({
            let found = vqtbl4q_u8(first, self.0);
            let found = vqtbx4q_u8(found, second, vsubq_u8(self.0, vdupq_n_u8(64)));
            let found = vqtbx4q_u8(found, third, vsubq_u8(self.0, vdupq_n_u8(128)));
            vqtbx4q_u8(found, fourth, vsubq_u8(self.0, vdupq_n_u8(192)))
        }))
    }
    #[inline(always)]
    fn block_permutation(self) -> Self {
        let [low, high] = [vector(&block::PERMUTED[0]), vector(&block::PERMUTED[1])];
        Self(neon!({
            let low = vqtbl1q_u8(low, vandq_u8(self.0, vdupq_n_u8(0x0F)));
            veorq_u8(low, vqtbl1q_u8(high, vshrq_n_u8::<4>(self.0)))
        }))
    }
    #[inline(always)]
    fn stream_sboxes(a: &Window<Self>) -> Substituted<Self> {
        gates::substitute(a)
    }
    #[inline(always)]
    fn scramble_blocks(scratch: &mut Scratch<Self>, lengths: &Lengths) {
        block::scramble::<Self, IN_FLIGHT>(scratch, lengths);
    }
    #[inline(always)]
    fn descramble_blocks(scratch: &mut Scratch<Self>, lengths: &Lengths) {
        block::descramble::<Self, IN_FLIGHT>(scratch, lengths);
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
        part.map_or(Self::ZERO, |octets| Self(neon!(vector(octets))))
    }
    #[inline(always)]
    fn part(self, rows: &mut [&mut Payload], first: usize, at: usize) {
        let row = rows.get_mut(first).and_then(|row| row.get_mut(at..));
        if let Some(target) = row.and_then(|row| row.first_chunk_mut::<16>()) {
            let words = neon!(vreinterpretq_u64_u8(self.0));
            let halves = neon!([vgetq_lane_u64::<0>(words), vgetq_lane_u64::<1>(words)]);
            for (octets, half) in target.as_chunks_mut::<8>().0.iter_mut().zip(halves) {
                *octets = half.to_le_bytes();
            }
        }
    }
    #[inline(always)]
    fn interleave_low(self, other: Self) -> Self {
        Self(neon!(vzip1q_u8(self.0, other.0)))
    }
    #[inline(always)]
    fn interleave_high(self, other: Self) -> Self {
        Self(neon!(vzip2q_u8(self.0, other.0)))
    }
}
