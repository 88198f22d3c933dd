//! CISSA and CBC with VAES: four blocks per instruction. One of the files with `unsafe`.
//!
//! Trust domain: headend and chip. CBC is serial while it enciphers, so four packets share a
//! register and six registers are in flight; deciphering takes the blocks of a packet as they
//! stand. Every packet may have its own key.
//!
//! Safety of the whole file. The instructions used here are not in every processor; the functions
//! that use them are compiled for them and called from [`run`] and
//! [`Schedule::new`] alone, which ask the processor first. Memory is read and written through
//! arrays of the register's size only; the one pointer is that of a prefetch.

#![allow(unsafe_code)]

use core::arch::x86_64::*;
use core::mem::transmute;

use portcullis_crypto::Key128;
use zeroize::Zeroizing;

use super::{AesCipher, AesLane, BLOCK};
use crate::sliced::Direction;

/// Octets of the whole blocks of a payload of 184.
pub(super) const CHAINED: usize = 176;
/// Packets that are enciphered at once.
pub(super) const LANES: usize = 24;
/// Packets in a register.
const PER_REGISTER: usize = 4;
const REGISTERS: usize = LANES / PER_REGISTER;
/// Packets that are deciphered at once.
const DECIPHERED_AT_ONCE: usize = 3;
const ROUND_KEYS: usize = 11;

type RoundKeys = [[u8; BLOCK]; ROUND_KEYS];

fn detected() -> bool {
    std::is_x86_feature_detected!("aes")
        && std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("vaes")
}

/// The round keys of one control word, for this path only.
pub(super) struct Schedule {
    encrypt: Zeroizing<RoundKeys>,
    decrypt: Zeroizing<RoundKeys>,
}

impl Schedule {
    /// `None` where the processor lacks what the path needs.
    pub(super) fn new(key: &Key128) -> Option<Self> {
        // SAFETY: the processor has the features that the function is compiled for.
        detected().then(|| unsafe { expand(key) })
    }
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

/// Works on up to [`LANES`] packets.
///
/// Every lane has a schedule of this path and at least [`CHAINED`] octets of payload; one that has
/// not is left as it is or worked on with a key of zeros, never read beyond its end.
pub(super) fn run(lanes: &mut [AesLane<'_>], direction: Direction, iv: &[u8; BLOCK]) {
    match direction {
        Direction::Scramble => encrypt(lanes, iv),
        Direction::Descramble => decrypt(lanes, iv),
    }
}

fn encrypt(lanes: &mut [AesLane<'_>], iv: &[u8; BLOCK]) {
    match <&mut [AesLane<'_>; LANES]>::try_from(&mut *lanes) {
        Ok(lanes) => encrypt_all(lanes, iv),
        Err(_) => encrypt_some(lanes, iv),
    }
}

/// Fewer packets than there are lanes: the others get something to work on.
#[inline(never)]
fn encrypt_some(lanes: &mut [AesLane<'_>], iv: &[u8; BLOCK]) {
    let Some(key) = lanes.first().map(|lane| lane.key) else { return };
    let mut spare = [[0; CHAINED]; LANES];
    let mut lanes = lanes.iter_mut();
    let mut all = spare.each_mut().map(|spare| match lanes.next() {
        Some(lane) => AesLane { key: lane.key, payload: &mut *lane.payload },
        None => AesLane { key, payload: spare },
    });
    encrypt_all(&mut all, iv);
}

fn encrypt_all(lanes: &mut [AesLane<'_>; LANES], iv: &[u8; BLOCK]) {
    let [AesLane { key: first, .. }, ..] = lanes;
    let first: &AesCipher = first;
    let Some(schedule) = &first.vaes else { return };
    if !detected() {
        return; // no schedule can have been made
    }
    if lanes.iter().all(|lane| core::ptr::eq(lane.key, first)) {
        let mut keys = Keys::<1>::NONE;
        for (keys, key) in keys.0.iter_mut().zip(schedule.encrypt.iter()) {
            *keys = [[*key; PER_REGISTER]];
        }
        // SAFETY: the processor has the features that the function is compiled for.
        unsafe { encrypt_here(lanes, iv, &keys) };
        keys.wipe();
        return;
    }
    let mut keys = Keys::<REGISTERS>::NONE;
    for (index, lane) in lanes.iter().enumerate() {
        let Some(schedule) = &lane.key.vaes else { continue };
        for (keys, key) in keys.0.iter_mut().zip(schedule.encrypt.iter()) {
            if let Some(place) = keys.as_flattened_mut().get_mut(index) {
                *place = *key;
            }
        }
    }
    // SAFETY: the processor has the features that the function is compiled for.
    unsafe { encrypt_here(lanes, iv, &keys) };
    keys.wipe();
}

/// Round keys: by round, by register, by lane; one register when all lanes have one key.
#[repr(align(64))]
struct Keys<const KEYED: usize>([[[[u8; BLOCK]; PER_REGISTER]; KEYED]; ROUND_KEYS]);

impl<const KEYED: usize> Keys<KEYED> {
    const NONE: Self = Self([[[[0; BLOCK]; PER_REGISTER]; KEYED]; ROUND_KEYS]);

    /// As `zeroize` does, but not octet by octet: that would cost more than the ciphers.
    fn wipe(&mut self) {
        *self = Self::NONE;
        core::hint::black_box(self);
    }
}

fn decrypt(lanes: &mut [AesLane<'_>], iv: &[u8; BLOCK]) {
    if !detected() {
        return; // no schedule can have been made
    }
    // SAFETY: the processor has the features that the function is compiled for.
    unsafe { decrypt_here(lanes, iv) };
}

#[target_feature(enable = "aes,sse2")]
fn expand(key: &Key128) -> Schedule {
    let mut schedule = Schedule { encrypt: Zeroizing::default(), decrypt: Zeroizing::default() };
    let mut now = xmm(key.expose_secret());
    schedule.encrypt[0] = octets(now);
    now = next::<0x01>(now, &mut schedule.encrypt[1]);
    now = next::<0x02>(now, &mut schedule.encrypt[2]);
    now = next::<0x04>(now, &mut schedule.encrypt[3]);
    now = next::<0x08>(now, &mut schedule.encrypt[4]);
    now = next::<0x10>(now, &mut schedule.encrypt[5]);
    now = next::<0x20>(now, &mut schedule.encrypt[6]);
    now = next::<0x40>(now, &mut schedule.encrypt[7]);
    now = next::<0x80>(now, &mut schedule.encrypt[8]);
    now = next::<0x1B>(now, &mut schedule.encrypt[9]);
    next::<0x36>(now, &mut schedule.encrypt[10]);
    for (decrypt, encrypt) in schedule.decrypt.iter_mut().zip(schedule.encrypt.iter().rev()) {
        *decrypt = octets(_mm_aesimc_si128(xmm(encrypt)));
    }
    schedule.decrypt[0] = schedule.encrypt[10];
    schedule.decrypt[10] = schedule.encrypt[0];
    schedule
}

#[target_feature(enable = "aes,sse2")]
fn next<const ROUND_CONSTANT: i32>(before: __m128i, key: &mut [u8; BLOCK]) -> __m128i {
    let assist = _mm_aeskeygenassist_si128::<ROUND_CONSTANT>(before);
    let mut sum = _mm_xor_si128(before, _mm_slli_si128::<4>(before));
    sum = _mm_xor_si128(sum, _mm_slli_si128::<8>(sum));
    let now = _mm_xor_si128(sum, _mm_shuffle_epi32::<0xFF>(assist));
    *key = octets(now);
    now
}

#[allow(clippy::needless_range_loop)] // as the registers stand beside each other
#[target_feature(enable = "avx512f,vaes")]
fn encrypt_here<const KEYED: usize>(
    lanes: &mut [AesLane<'_>],
    iv: &[u8; BLOCK],
    keys: &Keys<KEYED>,
) {
    let mut chain = [_mm512_broadcast_i32x4(xmm(iv)); REGISTERS];
    // The columns overlap by one block; the block of the overlap is done once.
    for (at, first) in [(0, 0), (64, 0), (CHAINED - 64, 1)] {
        let mut blocks = [[_mm512_setzero_si512(); 4]; REGISTERS];
        for (blocks, lanes) in blocks.iter_mut().zip(lanes.as_chunks::<PER_REGISTER>().0) {
            for (block, lane) in blocks.iter_mut().zip(lanes) {
                *block = column(lane.payload, at);
            }
            *blocks = transpose(*blocks);
        }
        if first == 1 {
            for (blocks, chain) in blocks.iter_mut().zip(&chain) {
                blocks[0] = *chain;
            }
        }
        for index in first..4 {
            let [whitening, middle @ .., last] = &keys.0;
            for register in 0..REGISTERS {
                chain[register] = _mm512_xor_si512(
                    _mm512_xor_si512(chain[register], blocks[register][index]),
                    zmm(whitening[register % KEYED]),
                );
            }
            for keys in middle {
                for register in 0..REGISTERS {
                    chain[register] =
                        _mm512_aesenc_epi128(chain[register], zmm(keys[register % KEYED]));
                }
            }
            for register in 0..REGISTERS {
                chain[register] =
                    _mm512_aesenclast_epi128(chain[register], zmm(last[register % KEYED]));
                blocks[register][index] = chain[register];
            }
        }
        for (blocks, lanes) in blocks.iter().zip(lanes.as_chunks_mut::<PER_REGISTER>().0) {
            for (block, lane) in transpose(*blocks).iter().zip(lanes) {
                set_column(lane.payload, at, *block);
            }
        }
    }
}

#[target_feature(enable = "avx512f,vaes")]
fn decrypt_here(lanes: &mut [AesLane<'_>], iv: &[u8; BLOCK]) {
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
fn decrypt_some<const COUNT: usize>(lanes: [&mut AesLane<'_>; COUNT], iv: __m512i) {
    let mut schedules: [Option<&Schedule>; COUNT] = [None; COUNT];
    for (schedule, lane) in schedules.iter_mut().zip(&lanes) {
        *schedule = lane.key.vaes.as_ref();
    }
    let mut state = [[_mm512_setzero_si512(); 3]; COUNT];
    let mut before = state;
    for ((state, before), lane) in state.iter_mut().zip(&mut before).zip(&lanes) {
        let payload = &*lane.payload;
        // The last two registers overlap by one block, which comes out the same from both.
        *state = [column(payload, 0), column(payload, 64), column(payload, CHAINED - 64)];
        *before = [
            _mm512_alignr_epi64::<6>(state[0], iv),
            column(payload, 64 - BLOCK),
            column(payload, CHAINED - 64 - BLOCK),
        ];
    }
    for round in 0..ROUND_KEYS {
        for (state, schedule) in state.iter_mut().zip(&schedules) {
            let Some(schedule) = schedule else { return };
            let key = _mm512_broadcast_i32x4(xmm(&schedule.decrypt[round]));
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
        for ((state, before), at) in state.iter().zip(before).zip([0, 64, CHAINED - 64]) {
            set_column(lane.payload, at, _mm512_xor_si512(*state, *before));
        }
    }
}

/// Block j of register i goes to block i of register j.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let ab = _mm512_shuffle_i64x2::<0x88>(a, b);
    let cd = _mm512_shuffle_i64x2::<0x88>(c, d);
    let ab_odd = _mm512_shuffle_i64x2::<0xDD>(a, b);
    let cd_odd = _mm512_shuffle_i64x2::<0xDD>(c, d);
    [
        _mm512_shuffle_i64x2::<0x88>(ab, cd),
        _mm512_shuffle_i64x2::<0x88>(ab_odd, cd_odd),
        _mm512_shuffle_i64x2::<0xDD>(ab, cd),
        _mm512_shuffle_i64x2::<0xDD>(ab_odd, cd_odd),
    ]
}

#[inline(always)]
fn xmm(octets: &[u8; BLOCK]) -> __m128i {
    // SAFETY: both are 16 octets, for which every value is valid.
    unsafe { transmute(*octets) }
}

#[inline(always)]
fn octets(xmm: __m128i) -> [u8; BLOCK] {
    // SAFETY: both are 16 octets, for which every value is valid.
    unsafe { transmute(xmm) }
}

#[inline(always)]
fn zmm(octets: [[u8; BLOCK]; PER_REGISTER]) -> __m512i {
    // SAFETY: both are 64 octets, for which every value is valid.
    unsafe { transmute(octets) }
}

/// 64 octets from a place on; zero where there are none.
#[inline(always)]
fn column(payload: &[u8], at: usize) -> __m512i {
    let Some((_, rest)) = payload.split_at_checked(at) else { return zmm(Default::default()) };
    let Some(octets) = rest.first_chunk::<64>() else { return zmm(Default::default()) };
    // SAFETY: both are 64 octets, for which every value is valid.
    unsafe { transmute(*octets) }
}

#[inline(always)]
fn set_column(payload: &mut [u8], at: usize, octets: __m512i) {
    let Some((_, rest)) = payload.split_at_mut_checked(at) else { return };
    if let Some(target) = rest.first_chunk_mut::<64>() {
        // SAFETY: both are 64 octets, for which every value is valid.
        *target = unsafe { transmute::<__m512i, [u8; 64]>(octets) };
    }
}
