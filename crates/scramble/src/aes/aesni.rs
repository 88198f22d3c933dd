//! CBC with the AES instructions of 128 bits. One of the files with `unsafe`.
//!
//! Trust domain: headend and chip. For processors that have AVX2 and no VAES of 512 bits. CBC is
//! serial while it enciphers, so ten packets are in flight; of those that are deciphered the eleven
//! blocks of one are.
//!
//! Safety of the whole file. The instructions used here are not in every processor; the functions
//! that use them are compiled for them and called from [`encrypt`] and [`decrypt`] alone, which
//! ask the processor first. Memory is read and written through arrays of the register's size.

#![allow(unsafe_code)]

use core::arch::x86_64::*;
use core::mem::transmute;

use portcullis_crypto::RoundKeys;

use super::lanes::{AesLane, FullLane, LANES, schedules};
use super::{BLOCK, WHOLE};

/// Packets that are enciphered at once.
const IN_FLIGHT: usize = 10;
const BLOCKS: usize = WHOLE / BLOCK;

/// Whether the processor has this path.
#[inline]
pub(super) fn detected() -> bool {
    std::is_x86_feature_detected!("aes") && std::is_x86_feature_detected!("avx2")
}

/// CBC over the whole blocks of all lanes. Whether it could be done: on a processor without the
/// instructions, or with a lane without round keys, nothing is changed.
pub(super) fn encrypt<const N: usize>(
    lanes: &mut [AesLane<'_, [u8; N]>; LANES],
    iv: &[u8; BLOCK],
) -> bool {
    let Some(keys) = schedules(lanes) else { return false };
    if !detected() {
        return false;
    }
    let [first, ..] = keys;
    let one_key = keys.iter().all(|keys| core::ptr::eq(*keys, first));
    for (lanes, keys) in lanes.as_chunks_mut().0.iter_mut().zip(keys.as_chunks().0) {
        // SAFETY: the processor has the features that the functions are compiled for.
        unsafe {
            if one_key {
                encrypt_here::<N, 1>(lanes, iv, &[first]);
            } else {
                encrypt_here::<N, IN_FLIGHT>(lanes, iv, keys);
            }
        }
    }
    true
}

/// The inverse of [`encrypt`], for any number of lanes.
pub(super) fn decrypt(lanes: &mut [FullLane<'_>], iv: &[u8; BLOCK]) -> bool {
    if !detected() || lanes.iter().any(|lane| lane.key.wide.is_none()) {
        return false;
    }
    for lane in lanes {
        let Some(keys) = &lane.key.wide else { continue };
        if let Some(blocks) = lane.payload.as_chunks_mut().0.first_chunk_mut() {
            // SAFETY: the processor has the features that the function is compiled for.
            unsafe { decrypt_here(blocks, iv, keys) };
        }
    }
    true
}

#[allow(clippy::needless_range_loop)] // as the registers stand beside each other
#[target_feature(enable = "aes,avx2")]
fn encrypt_here<const N: usize, const KEYED: usize>(
    lanes: &mut [AesLane<'_, [u8; N]>; IN_FLIGHT],
    iv: &[u8; BLOCK],
    keys: &[&RoundKeys; KEYED],
) {
    let keys = keys.map(RoundKeys::expose_encrypt);
    let mut chain = [xmm(iv); IN_FLIGHT];
    for index in 0..N / BLOCK {
        for lane in 0..IN_FLIGHT {
            let key = xmm(&keys[lane % KEYED][0]);
            let block = lanes[lane].payload.as_chunks().0.get(index);
            let block = block.map_or_else(|| xmm(&[0; BLOCK]), xmm);
            chain[lane] = _mm_xor_si128(_mm_xor_si128(chain[lane], block), key);
        }
        for round in 1..10 {
            for lane in 0..IN_FLIGHT {
                chain[lane] = _mm_aesenc_si128(chain[lane], xmm(&keys[lane % KEYED][round]));
            }
        }
        for lane in 0..IN_FLIGHT {
            chain[lane] = _mm_aesenclast_si128(chain[lane], xmm(&keys[lane % KEYED][10]));
            if let Some(block) = lanes[lane].payload.as_chunks_mut().0.get_mut(index) {
                *block = octets(chain[lane]);
            }
        }
    }
}

#[target_feature(enable = "aes,avx2")]
fn decrypt_here(blocks: &mut [[u8; BLOCK]; BLOCKS], iv: &[u8; BLOCK], keys: &RoundKeys) {
    let [whitening, middle @ .., last] = keys.expose_decrypt();
    let whitening = xmm(whitening);
    let mut state = blocks.each_ref().map(|block| _mm_xor_si128(xmm(block), whitening));
    for key in middle {
        let key = xmm(key);
        for state in &mut state {
            *state = _mm_aesdec_si128(*state, key);
        }
    }
    let mut before = xmm(iv);
    for (block, state) in blocks.iter_mut().zip(state) {
        let clear = _mm_xor_si128(_mm_aesdeclast_si128(state, xmm(last)), before);
        before = xmm(block);
        *block = octets(clear);
    }
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
