//! Counters and chains with VAES: four blocks per instruction. One of the files with `unsafe`.
//!
//! Trust domain: headend and chip. Key stream is made eight registers at a time; of a chain that is
//! undone sixteen blocks are in flight, wherever the pattern has them; of chains that are made
//! sixteen.
//!
//! Safety of the whole file. The instructions used here are not in every processor; the functions
//! that use them are compiled for them and called from [`count`], [`decrypt`] and [`encrypt`]
//! alone, which ask the processor first. Memory is read and written through arrays of the
//! register's size only.

#![allow(unsafe_code)]

use core::arch::x86_64::*;
use core::mem::transmute;

use portcullis_crypto::RoundKeys;

use super::chain::{AT_ONCE, Lane};
use super::{BLOCK, Block, Pattern};

const PER_REGISTER: usize = 4;
/// Registers of a chain, or of chains, in flight.
const REGISTERS: usize = AT_ONCE / PER_REGISTER;
/// Registers of key stream in flight.
const COUNTED: usize = 8;
const ROUND_KEYS: usize = 11;
/// The truth table of a XOR b XOR c.
const XOR_OF_THREE: i32 = 0x96;

type Keys = [__m512i; ROUND_KEYS];

/// Whether the processor has this path.
pub(super) fn detected() -> bool {
    std::is_x86_feature_detected!("aes")
        && std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("avx512bw")
        && std::is_x86_feature_detected!("vaes")
}

/// XORs key stream to whole registers of blocks; returns the blocks that are left.
pub(super) fn count<'b>(
    keys: &RoundKeys,
    front: [u8; 8],
    counter: &mut u64,
    blocks: &'b mut [Block],
) -> &'b mut [Block] {
    if !detected() {
        return blocks;
    }
    // SAFETY: the processor has the features that the function is compiled for.
    unsafe { count_here(keys, front, counter, blocks) }
}

/// Undoes a chain over the blocks of a protected part that the pattern has.
pub(super) fn decrypt(
    keys: &RoundKeys,
    before: &mut Block,
    blocks: &mut [Block],
    pattern: Pattern,
) {
    if detected() {
        // SAFETY: the processor has the features that the function is compiled for.
        unsafe { decrypt_here(keys, before, blocks, pattern) };
    }
}

/// Makes up to [`AT_ONCE`] chains.
pub(super) fn encrypt(keys: &RoundKeys, lanes: &mut [Lane<'_>]) {
    if detected() {
        // SAFETY: the processor has the features that the function is compiled for.
        unsafe { encrypt_here(keys, lanes) };
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast(keys: &[Block; ROUND_KEYS]) -> Keys {
    keys.each_ref().map(|key| _mm512_broadcast_i32x4(xmm(key)))
}

#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn count_here<'b>(
    keys: &RoundKeys,
    front: [u8; 8],
    counter: &mut u64,
    blocks: &'b mut [Block],
) -> &'b mut [Block] {
    let keys = broadcast(keys.expose_encrypt());
    // The front as it lies in memory, the block counter as a number until it is turned around.
    let front = i64::from_le_bytes(front);
    let turned =
        _mm512_broadcast_i32x4(_mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 7, 6, 5, 4, 3, 2, 1, 0));
    let start = _mm512_broadcast_i32x4(_mm_set_epi64x(counter.cast_signed(), front));
    let mut now = _mm512_add_epi64(start, _mm512_set_epi64(3, 0, 2, 0, 1, 0, 0, 0));
    let step = _mm512_set_epi64(4, 0, 4, 0, 4, 0, 4, 0);
    let done = blocks.len() / PER_REGISTER * PER_REGISTER;
    *counter = counter.wrapping_add(done as u64);
    let (groups, rest) = blocks.as_chunks_mut::<{ COUNTED * PER_REGISTER }>();
    for group in groups {
        let mut state = [now; COUNTED];
        for state in &mut state {
            *state = _mm512_xor_si512(_mm512_shuffle_epi8(now, turned), keys[0]);
            now = _mm512_add_epi64(now, step);
        }
        for key in keys.iter().take(10).skip(1) {
            for state in &mut state {
                *state = _mm512_aesenc_epi128(*state, *key);
            }
        }
        for (state, blocks) in state.iter().zip(group.as_chunks_mut::<PER_REGISTER>().0) {
            let last = _mm512_xor_si512(keys[10], zmm(blocks));
            *blocks = octets(_mm512_aesenclast_epi128(*state, last));
        }
    }
    let (registers, rest) = rest.as_chunks_mut::<PER_REGISTER>();
    for blocks in registers {
        let mut state = _mm512_xor_si512(_mm512_shuffle_epi8(now, turned), keys[0]);
        now = _mm512_add_epi64(now, step);
        for key in keys.iter().take(10).skip(1) {
            state = _mm512_aesenc_epi128(state, *key);
        }
        let last = _mm512_xor_si512(keys[10], zmm(blocks));
        *blocks = octets(_mm512_aesenclast_epi128(state, last));
    }
    rest
}

#[target_feature(enable = "avx512f,vaes")]
fn decrypt_here(keys: &RoundKeys, before: &mut Block, blocks: &mut [Block], pattern: Pattern) {
    let keys = broadcast(keys.expose_decrypt());
    let mut places = pattern.places();
    loop {
        let at: [usize; AT_ONCE] = core::array::from_fn(|_| places.next());
        let [first, ..] = at;
        if first >= blocks.len() {
            break;
        }
        let mut cipher = [_mm512_setzero_si512(); REGISTERS];
        for (cipher, at) in cipher.iter_mut().zip(at.as_chunks().0) {
            *cipher = together(at.map(|at| blocks.get(at).map_or_else(|| xmm(&[0; BLOCK]), xmm)));
        }
        let mut state = cipher;
        for state in &mut state {
            *state = _mm512_xor_si512(*state, keys[0]);
        }
        for key in keys.iter().take(10).skip(1) {
            for state in &mut state {
                *state = _mm512_aesdec_epi128(*state, *key);
            }
        }
        let mut one_before = _mm512_broadcast_i32x4(xmm(before));
        if let Some(block) = at.iter().rev().find_map(|at| blocks.get(*at)) {
            *before = *block;
        }
        for ((state, cipher), at) in state.iter().zip(cipher).zip(at.as_chunks::<PER_REGISTER>().0)
        {
            let clear = _mm512_xor_si512(
                _mm512_aesdeclast_epi128(*state, keys[10]),
                _mm512_alignr_epi64::<6>(cipher, one_before),
            );
            one_before = cipher;
            for (at, part) in at.iter().zip(apart(clear)) {
                if let Some(block) = blocks.get_mut(*at) {
                    *block = part;
                }
            }
        }
    }
}

#[allow(clippy::needless_range_loop)] // as the registers stand beside each other
#[target_feature(enable = "avx512f,vaes")]
fn encrypt_here(keys: &RoundKeys, lanes: &mut [Lane<'_>]) {
    let keys = broadcast(keys.expose_encrypt());
    let mut ivs = [[0; BLOCK]; AT_ONCE];
    for (iv, lane) in ivs.iter_mut().zip(lanes.iter()) {
        *iv = lane.iv;
    }
    let mut chain = [_mm512_setzero_si512(); REGISTERS];
    for (chain, ivs) in chain.iter_mut().zip(ivs.as_chunks().0) {
        *chain = zmm(ivs);
    }
    // The lanes are sorted by length: when the last one has no block left, none has.
    let Some(last) = lanes.last() else { return };
    let (mut places, longest) = (last.places, last.blocks.len());
    loop {
        let at = places.next();
        if at >= longest {
            break;
        }
        for (chain, lanes) in chain.iter_mut().zip(lanes.chunks(PER_REGISTER)) {
            let mut parts = [xmm(&[0; BLOCK]); PER_REGISTER];
            for (part, lane) in parts.iter_mut().zip(lanes) {
                if let Some(block) = lane.blocks.get(at) {
                    *part = xmm(block);
                }
            }
            *chain = _mm512_ternarylogic_epi64::<XOR_OF_THREE>(*chain, together(parts), keys[0]);
        }
        for key in keys.iter().take(10).skip(1) {
            for chain in &mut chain {
                *chain = _mm512_aesenc_epi128(*chain, *key);
            }
        }
        for chain in &mut chain {
            *chain = _mm512_aesenclast_epi128(*chain, keys[10]);
        }
        for (chain, lanes) in chain.iter().zip(lanes.chunks_mut(PER_REGISTER)) {
            for (part, lane) in apart(*chain).iter().zip(lanes) {
                if let Some(block) = lane.blocks.get_mut(at) {
                    *block = *part;
                }
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn together([a, b, c, d]: [__m128i; PER_REGISTER]) -> __m512i {
    let ab = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(a), b);
    _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(ab, c), d)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn apart(register: __m512i) -> [Block; PER_REGISTER] {
    let parts = [
        _mm512_castsi512_si128(register),
        _mm512_extracti32x4_epi32::<1>(register),
        _mm512_extracti32x4_epi32::<2>(register),
        _mm512_extracti32x4_epi32::<3>(register),
    ];
    // SAFETY: both are 16 octets, for which every value is valid.
    parts.map(|part| unsafe { transmute::<__m128i, Block>(part) })
}

#[inline(always)]
fn xmm(octets: &Block) -> __m128i {
    // SAFETY: both are 16 octets, for which every value is valid.
    unsafe { transmute(*octets) }
}

#[inline(always)]
fn zmm(blocks: &[Block; PER_REGISTER]) -> __m512i {
    // SAFETY: both are 64 octets, for which every value is valid.
    unsafe { transmute(*blocks) }
}

#[inline(always)]
fn octets(register: __m512i) -> [Block; PER_REGISTER] {
    // SAFETY: both are 64 octets, for which every value is valid.
    unsafe { transmute(register) }
}
