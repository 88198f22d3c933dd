//! Sixteen messages at once with VAES, CBC and CMAC side by side. One of the files with `unsafe`.
//!
//! Trust domain: headend. Both chains are serial within a message, so four messages share a
//! register, and four registers of CBC and four of CMAC are in flight: CMAC takes in the block that
//! CBC put out a step before. Every message has its own keys, laid out by round and lane.
//!
//! Safety of the whole file. The instructions used here are not in every processor; the functions
//! that use them are compiled for them and called from [`seal`] alone, which asks the processor
//! first. The messages are read and written by pointers, at places below the one length of all.

#![allow(unsafe_code)]

use alloc::vec;
use core::arch::x86_64::*;
use core::mem::transmute;

use zeroize::Zeroizing;

use super::{BLOCK, LANES, LANES_MIN, SealKey, SealLane};
use crate::{Key128, RoundKeys, Schedule};

const PER_REGISTER: usize = 4;
const REGISTERS: usize = LANES / PER_REGISTER;
const ROUND_KEYS: usize = 11;
/// The truth table of a XOR b XOR c.
const XOR_OF_THREE: i32 = 0x96;

/// The round keys of both chains, in whole lines of the cache.
#[repr(align(64))]
pub(super) struct Schedules {
    enc: Zeroizing<Schedule>,
    mac: Zeroizing<Schedule>,
}

impl Schedules {
    /// `None` where the processor lacks what the path needs.
    pub(super) fn new(enc: &Key128, mac: &Key128) -> Option<Self> {
        if !detected() {
            return None;
        }
        let expanded = |key| Some(Zeroizing::new(*RoundKeys::new(key)?.expose_encrypt()));
        Some(Self { enc: expanded(enc)?, mac: expanded(mac)? })
    }
}

fn detected() -> bool {
    std::is_x86_feature_detected!("aes")
        && std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("vaes")
}

/// Seals messages of one length. Whether it could be done; if not, nothing is changed.
pub(super) fn seal(lanes: &mut [SealLane<'_>]) -> bool {
    if !detected() || lanes.iter().any(|lane| lane.key.0.wide.is_none()) {
        return false;
    }
    // SAFETY: the processor has the features that the function is compiled for.
    unsafe { seal_here(lanes) };
    true
}

/// By round, by register.
type Laid = [[__m512i; REGISTERS]; ROUND_KEYS];

/// The keys of the lanes; on the stack, which the caller overwrites.
struct Keys<'a> {
    enc: Laid,
    mac: Laid,
    whole: [__m512i; REGISTERS],
    of: [Option<&'a SealKey>; LANES],
}

impl<'a> Keys<'a> {
    #[target_feature(enable = "avx512f")]
    fn none() -> Self {
        let zero = [_mm512_setzero_si512(); REGISTERS];
        Self { enc: [zero; ROUND_KEYS], mac: [zero; ROUND_KEYS], whole: zero, of: [None; LANES] }
    }

    /// Lays out the keys of these lanes, unless they lie there already.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn lay(&mut self, keys: [&'a SealKey; LANES]) {
        let same = |(of, key): (&Option<&SealKey>, &&SealKey)| {
            of.is_some_and(|of| core::ptr::eq(of, *key))
        };
        if self.of.iter().zip(&keys).all(same) {
            return;
        }
        self.of = keys.map(Some);
        for (register, keys) in keys.as_chunks::<PER_REGISTER>().0.iter().enumerate() {
            let [Some(a), Some(b), Some(c), Some(d)] = keys.map(|key| key.0.wide.as_ref()) else {
                continue; // looked at before
            };
            let enc = [a, b, c, d].map(|keys| &*keys.enc);
            let mac = [a, b, c, d].map(|keys| &*keys.mac);
            for round in 0..ROUND_KEYS {
                self.enc[round][register] = together(enc.map(|keys| xmm(&keys[round])));
                self.mac[round][register] = together(mac.map(|keys| xmm(&keys[round])));
            }
            self.whole[register] = together(keys.map(|key| xmm(&key.0.whole)));
        }
    }
}

#[target_feature(enable = "avx512f,vaes")]
fn seal_here(lanes: &mut [SealLane<'_>]) {
    let mut keys = Keys::none();
    let (groups, rest) = lanes.as_chunks_mut::<LANES>();
    for group in groups {
        keys.lay(group.each_ref().map(|lane| lane.key));
        chains(group.each_mut().map(|lane| lane.message.as_chunks_mut().0), &keys);
    }
    if rest.len() < LANES_MIN {
        for lane in rest {
            // The length was looked at before.
            let _ = lane.key.0.seal(lane.message);
        }
    } else if let Some(first) = rest.first().map(|lane| lane.key) {
        // The lanes that are left over get something to work on.
        let mut of_lanes = rest.iter();
        keys.lay([(); LANES].map(|()| of_lanes.next().map_or(first, |lane| lane.key)));
        let blocks = rest.first().map_or(0, |lane| lane.message.len() / BLOCK);
        let mut spare = vec![[0; BLOCK]; blocks * (LANES - rest.len())];
        let mut spare = spare.chunks_exact_mut(blocks.max(1));
        let mut of_lanes = rest.iter_mut().map(|lane| lane.message.as_chunks_mut().0);
        let mut next = || of_lanes.next().or_else(|| spare.next()).unwrap_or_default();
        chains([(); LANES].map(|()| next()), &keys);
    }
}

/// Both chains over messages of one length.
#[allow(clippy::needless_range_loop)] // as the registers stand beside each other
#[target_feature(enable = "avx512f,vaes")]
fn chains(messages: [&mut [[u8; BLOCK]]; LANES], keys: &Keys<'_>) {
    let blocks = messages.first().map_or(0, |message| message.len());
    let Some(body_end) = blocks.checked_sub(1) else { return };
    if messages.iter().any(|message| message.len() != blocks) {
        return; // never: they were put together by their length
    }
    // The lengths are looked at once, not for each block of each message.
    let messages = messages.map(<[_]>::as_mut_ptr);
    // SAFETY: here and below, every message has `blocks` blocks, and the places are `body_end` at most.
    let mut before = unsafe { read(&messages, 0) };
    let mut mac = [_mm512_setzero_si512(); REGISTERS];
    let mut chain = mac;
    for register in 0..REGISTERS {
        chain[register] = _mm512_xor_si512(before[register], keys.enc[0][register]);
    }
    rounds(&mut chain, &keys.enc);
    for index in 1..body_end {
        // SAFETY: as above.
        let clear = unsafe { read(&messages, index) };
        for register in 0..REGISTERS {
            chain[register] = _mm512_ternarylogic_epi64::<XOR_OF_THREE>(
                chain[register],
                clear[register],
                keys.enc[0][register],
            );
            mac[register] = _mm512_ternarylogic_epi64::<XOR_OF_THREE>(
                mac[register],
                before[register],
                keys.mac[0][register],
            );
        }
        for round in 1..ROUND_KEYS - 1 {
            for register in 0..REGISTERS {
                chain[register] = _mm512_aesenc_epi128(chain[register], keys.enc[round][register]);
                mac[register] = _mm512_aesenc_epi128(mac[register], keys.mac[round][register]);
            }
        }
        for register in 0..REGISTERS {
            chain[register] = _mm512_aesenclast_epi128(chain[register], keys.enc[10][register]);
            mac[register] = _mm512_aesenclast_epi128(mac[register], keys.mac[10][register]);
        }
        // SAFETY: as above.
        unsafe { write(&messages, index, &chain) };
        before = chain;
    }
    for register in 0..REGISTERS {
        mac[register] = _mm512_ternarylogic_epi64::<XOR_OF_THREE>(
            _mm512_xor_si512(mac[register], keys.whole[register]),
            before[register],
            keys.mac[0][register],
        );
    }
    rounds(&mut mac, &keys.mac);
    // SAFETY: as above.
    unsafe { write(&messages, body_end, &mac) };
}

/// All rounds but the key that comes first.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn rounds(state: &mut [__m512i; REGISTERS], [_, middle @ .., last]: &Laid) {
    for keys in middle {
        for (state, key) in state.iter_mut().zip(keys) {
            *state = _mm512_aesenc_epi128(*state, *key);
        }
    }
    for (state, key) in state.iter_mut().zip(last) {
        *state = _mm512_aesenclast_epi128(*state, *key);
    }
}

/// A block of each message.
///
/// # Safety
/// Every message must have the block, and nobody else may write to it.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn read(messages: &[*mut [u8; BLOCK]; LANES], index: usize) -> [__m512i; REGISTERS] {
    let mut registers = [_mm512_setzero_si512(); REGISTERS];
    for (register, [a, b, c, d]) in registers.iter_mut().zip(messages.as_chunks().0) {
        // SAFETY: as the caller promises.
        *register = unsafe {
            together([
                _mm_loadu_si128(a.add(index).cast()),
                _mm_loadu_si128(b.add(index).cast()),
                _mm_loadu_si128(c.add(index).cast()),
                _mm_loadu_si128(d.add(index).cast()),
            ])
        };
    }
    registers
}

/// The inverse of [`read`].
///
/// # Safety
/// Every message must have the block, and nobody else may read or write it.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn write(
    messages: &[*mut [u8; BLOCK]; LANES],
    index: usize,
    registers: &[__m512i; REGISTERS],
) {
    for (register, [a, b, c, d]) in registers.iter().zip(messages.as_chunks().0) {
        // SAFETY: as the caller promises.
        unsafe {
            _mm_storeu_si128(a.add(index).cast(), _mm512_castsi512_si128(*register));
            _mm_storeu_si128(b.add(index).cast(), _mm512_extracti32x4_epi32::<1>(*register));
            _mm_storeu_si128(c.add(index).cast(), _mm512_extracti32x4_epi32::<2>(*register));
            _mm_storeu_si128(d.add(index).cast(), _mm512_extracti32x4_epi32::<3>(*register));
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn together([a, b, c, d]: [__m128i; PER_REGISTER]) -> __m512i {
    let ab = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(a), b);
    _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(ab, c), d)
}

#[inline(always)]
fn xmm(octets: &[u8; BLOCK]) -> __m128i {
    // SAFETY: both are 16 octets, for which every value is valid.
    unsafe { transmute(*octets) }
}
