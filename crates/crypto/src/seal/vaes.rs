//! Sixteen messages at once with VAES, CBC and CMAC side by side. One of the files with `unsafe`.
//!
//! Trust domain: headend. Both chains are serial within a message, so four messages share a
//! register, and four registers of CBC and four of CMAC are in flight: CMAC takes in the block that
//! CBC put out a step before, and its last block goes with the header of the next sixteen. Every
//! message has its own keys; those of the next sixteen are laid out by round and lane meanwhile.
//!
//! Safety of the whole file. The instructions used here are not in every processor; the functions
//! that use them are compiled for them and called from [`seal`] alone, which asks the processor
//! first. The messages are read and written by pointers, at places below the one length of all.

#![allow(unsafe_code)]

use alloc::vec;
use core::arch::asm;
use core::arch::x86_64::*;
use core::mem::transmute;

use zeroize::Zeroizing;

use super::{BLOCK, SealLane};
use crate::{Key128, RoundKeys};

/// Messages that are sealed at once.
const LANES: usize = 16;
const PER_REGISTER: usize = 4;
const REGISTERS: usize = LANES / PER_REGISTER;
/// CBC and CMAC.
const CHAINS: usize = 2;
/// Round keys, and one more.
const KEYS: usize = 12;
const LAST_ROUND: usize = 10;
/// Parts in which keys are laid out: four of one chain.
const PARTS: usize = CHAINS * KEYS / PER_REGISTER;
/// The truth table of a XOR b XOR c.
const XOR_OF_THREE: i32 = 0x96;

/// The keys of a message, in whole lines of the cache.
#[repr(align(64))]
pub(super) struct Schedules([Zeroizing<Keys>; CHAINS]);

/// The round keys of a chain, and last what it adds at the end: nothing, or what CMAC adds to a block
/// that is whole.
type Keys = [[u8; BLOCK]; KEYS];

impl Schedules {
    /// `None` where the processor lacks what the path needs.
    pub(super) fn new(enc: &Key128, mac: &Key128, whole: &[u8; BLOCK]) -> Option<Self> {
        if !detected() {
            return None;
        }
        let keys = |key, last: &[u8; BLOCK]| {
            let mut keys = Zeroizing::new([*last; KEYS]);
            let (rounds, _) = keys.split_first_chunk_mut()?;
            *rounds = *RoundKeys::new(key)?.expose_encrypt();
            Some(keys)
        };
        Some(Self([keys(enc, &[0; BLOCK])?, keys(mac, whole)?]))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn four(&self, chain: usize, four: usize) -> __m512i {
        let (fours, _) = self.0[chain].as_chunks::<PER_REGISTER>();
        // SAFETY: four blocks are a register.
        unsafe { transmute(fours[four]) }
    }
}

fn detected() -> bool {
    std::is_x86_feature_detected!("aes")
        && std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("vaes")
}

/// Seals messages of one length; returns those that it left as they were. A single one is worth a
/// group that is empty but for it: one chain alone waits for itself.
pub(super) fn seal<'l, 'k>(lanes: &'l mut [SealLane<'k>]) -> &'l mut [SealLane<'k>] {
    if !detected() {
        return lanes;
    }
    // SAFETY: the processor has the features that the function is compiled for.
    let sealed = unsafe { seal_here(lanes) };
    lanes.get_mut(sealed..).unwrap_or_default()
}

/// A register for every four messages.
type Wide = [__m512i; REGISTERS];

/// Messages that are sealed side by side, and their keys as the registers want them; on the stack,
/// which the caller overwrites.
struct Group<'k> {
    of: [&'k Schedules; LANES],
    messages: [*mut [u8; BLOCK]; LANES],
    keys: [[Wide; CHAINS]; KEYS],
    /// Parts of the keys that lie here.
    laid: usize,
}

impl<'k> Group<'k> {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new(first: &'k Schedules) -> Self {
        Self {
            of: [first; LANES],
            messages: [core::ptr::null_mut(); LANES],
            keys: [[[_mm512_setzero_si512(); REGISTERS]; CHAINS]; KEYS],
            laid: 0,
        }
    }

    /// Takes messages of so many blocks; `spare` is what lanes without a message work on. Whether
    /// there are any, and all are of that length.
    #[inline]
    fn take(
        &mut self,
        lanes: Option<&mut [SealLane<'k>]>,
        spare: &mut [[u8; BLOCK]],
        blocks: usize,
    ) -> bool {
        let Some(lanes) = lanes else { return false };
        self.laid = 0;
        if lanes.len() < LANES {
            if spare.len() < blocks {
                return false;
            }
            self.messages = [spare.as_mut_ptr(); LANES];
        }
        for ((of, message), lane) in self.of.iter_mut().zip(&mut self.messages).zip(lanes) {
            let (in_blocks, _) = lane.message.as_chunks_mut();
            let Some(keys) = &lane.key.0.wide else { return false };
            if in_blocks.len() != blocks {
                return false;
            }
            (*of, *message) = (keys, in_blocks.as_mut_ptr());
        }
        true
    }

    /// Lays out the next part of the keys, if there is one: four of one chain.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn lay(&mut self) {
        let (four, chain) = (self.laid / CHAINS, self.laid % CHAINS);
        let (keys, _) = self.keys.as_chunks_mut::<PER_REGISTER>();
        let Some(keys) = keys.get_mut(four) else { return };
        self.laid += 1;
        for (register, of) in self.of.as_chunks::<PER_REGISTER>().0.iter().enumerate() {
            let of = of.map(|schedules| schedules.four(chain, four));
            for (keys, of) in keys.iter_mut().zip(transposed(of)) {
                keys[chain][register] = of;
            }
        }
    }

    /// Lays out what is left.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn lay_all(&mut self) {
        while self.laid < PARTS {
            self.lay();
        }
    }
}

/// A round of both chains. A compiler would take one register through all rounds before the next,
/// and copy the keys to where they lie already.
macro_rules! round {
    ($operation:literal, $chain:ident, $enc:expr, $mac:ident, $mac_keys:expr) => {{
        let (enc, mac): (*const Wide, *const Wide) = ($enc, $mac_keys);
        let [a, b, c, d] = &mut $chain;
        let [e, f, g, h] = &mut $mac;
        // SAFETY: the keys of each chain are four registers.
        unsafe {
            asm!(
                concat!($operation, " {0}, {0}, [{8}]"),
                concat!($operation, " {1}, {1}, [{8} + 64]"),
                concat!($operation, " {2}, {2}, [{8} + 128]"),
                concat!($operation, " {3}, {3}, [{8} + 192]"),
                concat!($operation, " {4}, {4}, [{9}]"),
                concat!($operation, " {5}, {5}, [{9} + 64]"),
                concat!($operation, " {6}, {6}, [{9} + 128]"),
                concat!($operation, " {7}, {7}, [{9} + 192]"),
                inout(zmm_reg) *a,
                inout(zmm_reg) *b,
                inout(zmm_reg) *c,
                inout(zmm_reg) *d,
                inout(zmm_reg) *e,
                inout(zmm_reg) *f,
                inout(zmm_reg) *g,
                inout(zmm_reg) *h,
                in(reg) enc,
                in(reg) mac,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
    }};
}

/// All rounds but the key that comes first, of CBC under the keys of one group and of CMAC under
/// those of the same or another.
macro_rules! rounds {
    ($chain:ident, $enc:expr, $mac:ident, $mac_keys:expr) => {
        for round in 1..LAST_ROUND {
            round!("vaesenc", $chain, &$enc.keys[round][0], $mac, &$mac_keys.keys[round][1]);
        }
        round!(
            "vaesenclast",
            $chain,
            &$enc.keys[LAST_ROUND][0],
            $mac,
            &$mac_keys.keys[LAST_ROUND][1]
        );
    };
}

/// Tells how many it sealed, from the first on.
#[target_feature(enable = "avx512f,vaes")]
fn seal_here(lanes: &mut [SealLane<'_>]) -> usize {
    let Some(first) = lanes.first() else { return 0 };
    let (Some(keys), blocks) = (&first.key.0.wide, first.message.len() / BLOCK) else { return 0 };
    let Some(body_end) = blocks.checked_sub(1) else { return 0 };
    let mut spare = vec![[0; BLOCK]; if lanes.len().is_multiple_of(LANES) { 0 } else { blocks }];
    let mut groups = lanes.chunks_mut(LANES);
    let (mut here, mut next) = (&mut Group::new(keys), &mut Group::new(keys));
    let mut sealed = 0;
    if !here.take(groups.next(), &mut spare, blocks) {
        return sealed;
    }
    here.lay_all();
    let zero = [_mm512_setzero_si512(); REGISTERS];
    // SAFETY: here and below, every message has `blocks` blocks, and the places are `body_end` at most.
    let mut chain = xor(unsafe { read(&here.messages, 0) }, here.keys[0][0]);
    let mut mac = zero;
    rounds!(chain, here, mac, here);
    loop {
        let more = next.take(groups.next(), &mut spare, blocks);
        // SAFETY: as above.
        let mut before = unsafe { read(&here.messages, 0) };
        mac = zero;
        for index in 1..body_end {
            // SAFETY: as above.
            let clear = unsafe { read(&here.messages, index) };
            chain = xor3(chain, clear, here.keys[0][0]);
            mac = xor3(mac, before, here.keys[0][1]);
            rounds!(chain, here, mac, here);
            // SAFETY: as above.
            unsafe { write(&here.messages, index, &chain) };
            before = chain;
            next.lay();
        }
        mac = xor3(xor(mac, here.keys[KEYS - 1][1]), before, here.keys[0][1]);
        if more {
            // The end of these and the header of the next.
            next.lay_all();
            // SAFETY: as above.
            chain = xor(unsafe { read(&next.messages, 0) }, next.keys[0][0]);
        }
        rounds!(chain, next, mac, here);
        // SAFETY: as above.
        unsafe { write(&here.messages, body_end, &mac) };
        sealed += LANES;
        if !more {
            return sealed;
        }
        core::mem::swap(&mut here, &mut next);
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor(a: Wide, b: Wide) -> Wide {
    core::array::from_fn(|i| _mm512_xor_si512(a[i], b[i]))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor3(a: Wide, b: Wide, c: Wide) -> Wide {
    core::array::from_fn(|i| _mm512_ternarylogic_epi64::<XOR_OF_THREE>(a[i], b[i], c[i]))
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

/// What four registers hold in the same place, side by side.
#[inline]
#[target_feature(enable = "avx512f")]
fn transposed([a, b, c, d]: [__m512i; PER_REGISTER]) -> [__m512i; PER_REGISTER] {
    let (ab, cd) = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0x44>(c, d));
    let (ef, gh) = (_mm512_shuffle_i64x2::<0xEE>(a, b), _mm512_shuffle_i64x2::<0xEE>(c, d));
    [
        _mm512_shuffle_i64x2::<0x88>(ab, cd),
        _mm512_shuffle_i64x2::<0xDD>(ab, cd),
        _mm512_shuffle_i64x2::<0x88>(ef, gh),
        _mm512_shuffle_i64x2::<0xDD>(ef, gh),
    ]
}
