//! The round keys of AES-128 for code that names processor instructions. One of the files with
//! `unsafe`.
//!
//! Trust domain: that of the key. Kernels that work on many packets or messages at once keep their
//! round keys in their own order; they take them from here, so that a key is expanded in one place.
//!
//! Safety of the whole file. The instructions used here are not in every processor; the functions
//! that use them are called from [`RoundKeys::new`] alone, which asks the processor first.
//! Registers and arrays of their size are turned into each other, nothing else.

#![allow(unsafe_code)]

use core::arch::x86_64::*;
use core::mem::transmute;

use zeroize::Zeroizing;

use crate::Key128;

/// Round keys of one direction.
pub type Schedule = [[u8; 16]; 11];

/// An expanded AES-128 key; zeroised when it is dropped.
// Aligned, so that no round key lies across two lines of the cache.
#[repr(align(64))]
pub struct RoundKeys {
    encrypt: Zeroizing<Schedule>,
    decrypt: Zeroizing<Schedule>,
}

impl RoundKeys {
    /// Expands a key; `None` where the processor has no AES instructions.
    #[must_use]
    pub fn new(key: &Key128) -> Option<Self> {
        let has_aes = std::is_x86_feature_detected!("aes");
        // SAFETY: the processor has the features that the function is compiled for.
        has_aes.then(|| unsafe { expand(key) })
    }

    /// Round keys in the order of enciphering.
    #[inline]
    #[must_use]
    pub fn expose_encrypt(&self) -> &Schedule {
        &self.encrypt
    }

    /// Round keys in the order of deciphering, as the instructions for it want them.
    #[inline]
    #[must_use]
    pub fn expose_decrypt(&self) -> &Schedule {
        &self.decrypt
    }
}

#[target_feature(enable = "aes,sse2")]
fn expand(key: &Key128) -> RoundKeys {
    let mut keys = RoundKeys { encrypt: Zeroizing::default(), decrypt: Zeroizing::default() };
    let mut now = register(key.expose_secret());
    keys.encrypt[0] = octets(now);
    now = next::<0x01>(now, &mut keys.encrypt[1]);
    now = next::<0x02>(now, &mut keys.encrypt[2]);
    now = next::<0x04>(now, &mut keys.encrypt[3]);
    now = next::<0x08>(now, &mut keys.encrypt[4]);
    now = next::<0x10>(now, &mut keys.encrypt[5]);
    now = next::<0x20>(now, &mut keys.encrypt[6]);
    now = next::<0x40>(now, &mut keys.encrypt[7]);
    now = next::<0x80>(now, &mut keys.encrypt[8]);
    now = next::<0x1B>(now, &mut keys.encrypt[9]);
    next::<0x36>(now, &mut keys.encrypt[10]);
    for (decrypt, encrypt) in keys.decrypt.iter_mut().zip(keys.encrypt.iter().rev()) {
        *decrypt = octets(_mm_aesimc_si128(register(encrypt)));
    }
    keys.decrypt[0] = keys.encrypt[10];
    keys.decrypt[10] = keys.encrypt[0];
    keys
}

#[target_feature(enable = "aes,sse2")]
fn next<const ROUND_CONSTANT: i32>(before: __m128i, key: &mut [u8; 16]) -> __m128i {
    let assist = _mm_aeskeygenassist_si128::<ROUND_CONSTANT>(before);
    let mut sum = _mm_xor_si128(before, _mm_slli_si128::<4>(before));
    sum = _mm_xor_si128(sum, _mm_slli_si128::<8>(sum));
    let now = _mm_xor_si128(sum, _mm_shuffle_epi32::<0xFF>(assist));
    *key = octets(now);
    now
}

#[inline(always)]
fn register(octets: &[u8; 16]) -> __m128i {
    // SAFETY: both are 16 octets, for which every value is valid.
    unsafe { transmute(*octets) }
}

#[inline(always)]
fn octets(register: __m128i) -> [u8; 16] {
    // SAFETY: both are 16 octets, for which every value is valid.
    unsafe { transmute(register) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use portcullis_types::parse_hex_array;

    #[test]
    fn round_keys_as_fips_197_prints_them() {
        let key = Key128::new(parse_hex_array("2b7e151628aed2a6abf7158809cf4f3c").unwrap());
        let Some(keys) = RoundKeys::new(&key) else { return };
        let last = parse_hex_array("d014f9a8c9ee2589e13f0cc8b6630ca6").unwrap();
        assert_eq!(keys.expose_encrypt()[0], *key.expose_secret());
        assert_eq!(keys.expose_encrypt()[10], last);
        assert_eq!(keys.expose_decrypt()[0], last);
    }
}
