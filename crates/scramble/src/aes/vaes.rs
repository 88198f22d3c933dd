//! CBC with VAES: four blocks per instruction. One of the files with `unsafe`.
//!
//! Trust domain: headend and chip. CBC is serial while it enciphers, so four packets share a
//! register and five registers are in flight; deciphering takes the blocks of a packet as they
//! stand. Every packet may have its own key. Blocks are put into a register and taken out of it
//! one by one: that costs less than to turn whole lines of four packets around.
//!
//! What must never happen: that a store overlaps a later load, as columns of 64 octets that
//! overlap do: the load then waits until the store has left the processor's queue.
//!
//! Safety of the whole file. The instructions used here are not in every processor; the functions
//! that use them are compiled for them and called from [`encrypt`] and [`decrypt`] alone, which
//! ask the processor first. Memory is read and written through arrays of the register's size
//! only; the one pointer is that of a prefetch.

#![allow(unsafe_code)]

use core::arch::x86_64::*;
use core::mem::transmute;

use portcullis_crypto::RoundKeys;

use super::lanes::{AesLane, FullLane, LANES, have_one_key, schedules};
use super::{AesCipher, BLOCK, PAYLOAD, WHOLE};

/// Packets in a register.
const PER_REGISTER: usize = 4;
const REGISTERS: usize = LANES / PER_REGISTER;
/// Packets that are deciphered at once.
const DECIPHERED_AT_ONCE: usize = 3;
const ROUND_KEYS: usize = 11;

/// Whether the processor has this path.
#[inline]
pub(super) fn detected() -> bool {
    std::is_x86_feature_detected!("aes")
        && std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("vaes")
}

/// Asks for a payload that will soon be worked on.
#[inline(always)]
pub(super) fn prefetch(payload: &[u8]) {
    for line in payload.chunks(64) {
        // SAFETY: every processor of this architecture has the instruction; it reads nothing and
        // cannot fail, and the place is inside the slice.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}

/// CBC over the whole blocks of all lanes. Whether it could be done: on a processor without the
/// instructions, or with a lane without round keys, nothing is changed.
pub(super) fn encrypt<const N: usize>(
    lanes: &mut [AesLane<'_, [u8; N]>; LANES],
    iv: &[u8; BLOCK],
) -> bool {
    if !detected() {
        return false;
    }
    if have_one_key(lanes) {
        let [AesLane { key: AesCipher { wide: Some(keys), .. }, .. }, ..] = lanes else {
            return false;
        };
        // SAFETY: the processor has the features that the functions are compiled for.
        unsafe { encrypt_here(lanes, iv, &Keys::<1>::of_all(keys)) };
    } else {
        let Some(keys) = schedules(lanes) else { return false };
        // SAFETY: the processor has the features that the functions are compiled for.
        unsafe { encrypt_here(lanes, iv, &Keys::<REGISTERS>::of_each(&keys)) };
    }
    true
}

/// The inverse of [`encrypt`], for any number of lanes.
pub(super) fn decrypt(lanes: &mut [FullLane<'_>], iv: &[u8; BLOCK]) -> bool {
    if !detected() || lanes.iter().any(|lane| lane.key.wide.is_none()) {
        return false;
    }
    // SAFETY: the processor has the features that the function is compiled for.
    unsafe { decrypt_here(lanes, iv) };
    true
}

/// Round keys: by round, by register; one register when all lanes have one key. On the stack, which
/// is overwritten behind the batches.
struct Keys<const KEYED: usize>([[__m512i; KEYED]; ROUND_KEYS]);

impl Keys<1> {
    #[target_feature(enable = "avx512f")]
    fn of_all(keys: &RoundKeys) -> Self {
        // A closure of `map` would not be compiled for the processor's vectors.
        let mut by_round = [[_mm512_setzero_si512()]; ROUND_KEYS];
        for (register, key) in by_round.iter_mut().zip(keys.expose_encrypt()) {
            *register = [_mm512_broadcast_i32x4(xmm(key))];
        }
        Self(by_round)
    }
}

impl Keys<REGISTERS> {
    #[target_feature(enable = "avx512f")]
    fn of_each(keys: &[&RoundKeys; LANES]) -> Self {
        let mut by_round = [[_mm512_setzero_si512(); REGISTERS]; ROUND_KEYS];
        for (round, registers) in by_round.iter_mut().enumerate() {
            for (register, [a, b, c, d]) in registers.iter_mut().zip(keys.as_chunks().0) {
                let key = |keys: &RoundKeys| xmm(&keys.expose_encrypt()[round]);
                *register = together(key(a), key(b), key(c), key(d));
            }
        }
        Self(by_round)
    }
}

#[allow(clippy::needless_range_loop)] // as the registers stand beside each other
#[target_feature(enable = "avx512f,vaes")]
fn encrypt_here<const N: usize, const KEYED: usize>(
    lanes: &mut [AesLane<'_, [u8; N]>; LANES],
    iv: &[u8; BLOCK],
    keys: &Keys<KEYED>,
) {
    let mut chain = [_mm512_broadcast_i32x4(xmm(iv)); REGISTERS];
    let [whitening, middle @ .., last] = &keys.0;
    for index in 0..N / BLOCK {
        for (register, [a, b, c, d]) in lanes.as_chunks().0.iter().enumerate() {
            let block = |lane: &AesLane<'_, [u8; N]>| block(lane.payload, index);
            chain[register] = _mm512_ternarylogic_epi64::<XOR_OF_THREE>(
                chain[register],
                together(block(a), block(b), block(c), block(d)),
                whitening[register % KEYED],
            );
        }
        for keys in middle {
            for register in 0..REGISTERS {
                chain[register] = _mm512_aesenc_epi128(chain[register], keys[register % KEYED]);
            }
        }
        for (register, [a, b, c, d]) in lanes.as_chunks_mut().0.iter_mut().enumerate() {
            let done = _mm512_aesenclast_epi128(chain[register], last[register % KEYED]);
            chain[register] = done;
            set_block(a.payload, index, _mm512_castsi512_si128(done));
            set_block(b.payload, index, _mm512_extracti32x4_epi32::<1>(done));
            set_block(c.payload, index, _mm512_extracti32x4_epi32::<2>(done));
            set_block(d.payload, index, _mm512_extracti32x4_epi32::<3>(done));
        }
    }
}

/// The truth table of a XOR b XOR c.
const XOR_OF_THREE: i32 = 0x96;

#[inline]
#[target_feature(enable = "avx512f")]
fn together(a: __m128i, b: __m128i, c: __m128i, d: __m128i) -> __m512i {
    let ab = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(a), b);
    _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(ab, c), d)
}

#[target_feature(enable = "avx512f,vaes")]
fn decrypt_here(lanes: &mut [FullLane<'_>], iv: &[u8; BLOCK]) {
    let iv = _mm512_broadcast_i32x4(xmm(iv));
    let mut groups = lanes.chunks_exact_mut(DECIPHERED_AT_ONCE);
    for group in &mut groups {
        if let [a, b, c] = group {
            decrypt_some([a, b, c], iv);
        }
    }
    for lane in groups.into_remainder() {
        decrypt_some([lane], iv);
    }
}

#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn decrypt_some<const COUNT: usize>(lanes: [&mut FullLane<'_>; COUNT], iv: __m512i) {
    let mut schedules = [None; COUNT];
    for (schedule, lane) in schedules.iter_mut().zip(&lanes) {
        *schedule = lane.key.wide.as_ref().map(RoundKeys::expose_decrypt);
    }
    let mut state = [[_mm512_setzero_si512(); 3]; COUNT];
    let mut before = state;
    for ((state, before), lane) in state.iter_mut().zip(&mut before).zip(&lanes) {
        let payload = &*lane.payload;
        // The last two registers overlap by one block, which comes out the same from both.
        *state = [column(payload, 0), column(payload, 64), column(payload, WHOLE - 64)];
        *before = [
            _mm512_alignr_epi64::<6>(state[0], iv),
            column(payload, 64 - BLOCK),
            column(payload, WHOLE - 64 - BLOCK),
        ];
    }
    for round in 0..ROUND_KEYS {
        for (state, schedule) in state.iter_mut().zip(&schedules) {
            let Some(schedule) = schedule else { return };
            let key = _mm512_broadcast_i32x4(xmm(&schedule[round]));
            for state in state {
                *state = match round {
                    0 => _mm512_xor_si512(*state, key),
                    10 => _mm512_aesdeclast_epi128(*state, key),
                    _ => _mm512_aesdec_epi128(*state, key),
                };
            }
        }
    }
    for ((state, before), lane) in state.iter().zip(&before).zip(lanes) {
        for ((state, before), at) in state.iter().zip(before).zip([0, 64, WHOLE - 64]) {
            set_column(lane.payload, at, _mm512_xor_si512(*state, *before));
        }
    }
}

#[inline(always)]
fn xmm(octets: &[u8; BLOCK]) -> __m128i {
    // SAFETY: both are 16 octets, for which every value is valid.
    unsafe { transmute(*octets) }
}

/// A whole block; zero where there is none.
#[inline(always)]
fn block<const N: usize>(payload: &[u8; N], index: usize) -> __m128i {
    payload.as_chunks().0.get(index).map_or_else(|| xmm(&[0; BLOCK]), xmm)
}

#[inline(always)]
fn set_block<const N: usize>(payload: &mut [u8; N], index: usize, octets: __m128i) {
    if let Some(target) = payload.as_chunks_mut().0.get_mut(index) {
        // SAFETY: both are 16 octets, for which every value is valid.
        *target = unsafe { transmute::<__m128i, [u8; BLOCK]>(octets) };
    }
}

/// 64 octets from a place on; zero where there are none.
#[inline(always)]
fn column(payload: &[u8; PAYLOAD], at: usize) -> __m512i {
    let octets = payload.get(at..).and_then(<[u8]>::first_chunk::<64>).unwrap_or(&[0; 64]);
    // SAFETY: both are 64 octets, for which every value is valid.
    unsafe { transmute(*octets) }
}

#[inline(always)]
fn set_column(payload: &mut [u8; PAYLOAD], at: usize, octets: __m512i) {
    if let Some(target) = payload.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<64>) {
        // SAFETY: both are 64 octets, for which every value is valid.
        *target = unsafe { transmute::<__m512i, [u8; 64]>(octets) };
    }
}
