//! RISC-V scalar cryptography for 32 bits: Zknh (SHA-2), Zkne and Zknd (AES).
//!
//! Clause: X.1198 7.1. Sources: FIPS 180-4, FIPS 197. The S-boxes are tables of 256 octets, so an
//! AES instruction leaks which line of the host's cache it read, as AES by tables does anywhere.
//! Keys that matter stay behind system calls.

use crate::decode::Op;

/// Sums and sigmas of SHA-256; those of SHA-512 in halves: `a` and `b` are the halves of a word
/// in the order that the instruction asks.
#[inline(always)]
#[rustfmt::skip]
pub(crate) const fn sha2(op: Op, a: u32, b: u32) -> u32 {
    match op {
        Op::Sha256Sum0 => a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22),
        Op::Sha256Sum1 => a.rotate_right(6) ^ a.rotate_right(11) ^ a.rotate_right(25),
        Op::Sha256Sig0 => a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3,
        Op::Sha256Sig1 => a.rotate_right(17) ^ a.rotate_right(19) ^ a >> 10,
        Op::Sha512Sum0r => a << 25 ^ a << 30 ^ a >> 28 ^ b >> 7 ^ b >> 2 ^ b << 4,
        Op::Sha512Sum1r => a << 23 ^ a >> 14 ^ a >> 18 ^ b >> 9 ^ b << 18 ^ b << 14,
        Op::Sha512Sig0l => a >> 1 ^ a >> 7 ^ a >> 8 ^ b << 31 ^ b << 25 ^ b << 24,
        Op::Sha512Sig0h => a >> 1 ^ a >> 7 ^ a >> 8 ^ b << 31 ^ b << 24,
        Op::Sha512Sig1l => a << 3 ^ a >> 6 ^ a >> 19 ^ b >> 29 ^ b << 26 ^ b << 13,
        _ => a << 3 ^ a >> 6 ^ a >> 19 ^ b >> 29 ^ b << 13,
    }
}

/// One octet of `b` through the S-box, as a column of the round, added to `a`. `shift` is where
/// the octet lies: 0, 8, 16 or 24.
#[inline(always)]
pub(crate) const fn aes32(op: Op, a: u32, b: u32, shift: u32) -> u32 {
    let octet = (b >> (shift & 24)) as u8 as usize;
    let column = match op {
        Op::Aes32esi => SBOX[octet] as u32,
        Op::Aes32dsi => INVERSE[octet] as u32,
        Op::Aes32esmi => {
            let s = SBOX[octet];
            u32::from_le_bytes([times(s, 2), s, s, times(s, 3)])
        }
        _ => {
            let s = INVERSE[octet];
            u32::from_le_bytes([times(s, 14), times(s, 9), times(s, 13), times(s, 11)])
        }
    };
    a ^ column.rotate_left(shift & 24)
}

static SBOX: [u8; 256] = sbox();
static INVERSE: [u8; 256] = inverted(&sbox());

/// Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1; `by` is below 16.
const fn times(a: u8, by: u8) -> u8 {
    let (mut product, mut a, mut by) = (0, a, by);
    while by != 0 {
        product ^= a * (by & 1);
        a = (a << 1) ^ ((a >> 7) * 0x1B);
        by >>= 1;
    }
    product
}

/// FIPS 197, 5.1.1: the inverse in GF(2^8), then the affine map.
#[allow(clippy::indexing_slicing)]
const fn sbox() -> [u8; 256] {
    let mut table = [0x63; 256];
    // 3 generates the field: p runs over all of it while q stays its inverse.
    let (mut p, mut q) = (1_u8, 1_u8);
    loop {
        p = times(p, 3);
        // By 0xF6, the inverse of 3.
        q ^= q << 1;
        q ^= q << 2;
        q ^= q << 4;
        q ^= (q >> 7) * 0x09;
        let map = q ^ q.rotate_left(1) ^ q.rotate_left(2) ^ q.rotate_left(3) ^ q.rotate_left(4);
        table[p as usize] = map ^ 0x63;
        if p == 1 {
            return table;
        }
    }
}

#[allow(clippy::indexing_slicing)]
const fn inverted(table: &[u8; 256]) -> [u8; 256] {
    let mut inverse = [0; 256];
    let mut at = 0;
    while at < 256 {
        inverse[table[at] as usize] = at as u8;
        at += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used)]
    use super::*;

    /// One round: `rows` says which column each octet is taken from.
    fn round(op: Op, state: [u32; 4], key: [u32; 4], step: usize) -> [u32; 4] {
        core::array::from_fn(|column| {
            (0..4).fold(key[column], |sum, row| {
                aes32(op, sum, state[(column + step * row) % 4], row as u32 * 8)
            })
        })
    }

    fn words(octets: [u8; 16]) -> [u32; 4] {
        core::array::from_fn(|at| u32::from_le_bytes(*octets.as_chunks().0.get(at).unwrap()))
    }

    fn schedule(key: [u32; 4]) -> [[u32; 4]; 11] {
        let (mut keys, mut constant) = ([key; 11], 1);
        for at in 1..11 {
            let [a, b, c, d] = keys[at - 1];
            let last = d.rotate_right(8);
            let mixed = (0..4).fold(a ^ u32::from(constant), |sum, octet| {
                aes32(Op::Aes32esi, sum, last, octet * 8)
            });
            constant = times(constant, 2);
            keys[at] = [mixed, mixed ^ b, mixed ^ b ^ c, mixed ^ b ^ c ^ d];
        }
        keys
    }

    /// FIPS 197, appendix C.1, there and back.
    #[test]
    fn aes_128_by_instructions() {
        let plain = words(core::array::from_fn(|at| at as u8 * 0x11));
        let sealed = words(0x69c4_e0d8_6a7b_0430_d8cd_b780_70b4_c55a_u128.to_be_bytes());
        let keys = schedule(words(core::array::from_fn(|at| at as u8)));
        let added = |a: [u32; 4], b: [u32; 4]| core::array::from_fn(|at| a[at] ^ b[at]);
        let state = keys[1..10]
            .iter()
            .fold(added(plain, keys[0]), |state, key| round(Op::Aes32esmi, state, *key, 1));
        assert_eq!(round(Op::Aes32esi, state, keys[10], 1), sealed);
        // The equivalent inverse cipher: round keys go through InvMixColumns.
        let state = keys[1..10].iter().rev().fold(added(sealed, keys[10]), |state, key| {
            let unboxed = key
                .map(|word| (0..4).fold(0, |sum, octet| aes32(Op::Aes32esi, sum, word, octet * 8)));
            let mixed = core::array::from_fn(|at| {
                (0..4).fold(0, |sum, octet| aes32(Op::Aes32dsmi, sum, unboxed[at], octet * 8))
            });
            round(Op::Aes32dsmi, state, mixed, 3)
        });
        assert_eq!(round(Op::Aes32dsi, state, keys[0], 3), plain);
    }

    /// FIPS 180-4, 4.1.2 and 4.1.3.
    #[test]
    fn sums_and_sigmas() {
        let mut x = 0x0123_4567_89AB_CDEF_u64;
        for _ in 0..1000 {
            x = x.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
            let (high, low) = ((x >> 32) as u32, x as u32);
            let r = |n| x.rotate_right(n);
            let joined =
                |h: Op, l: Op| u64::from(sha2(h, high, low)) << 32 | u64::from(sha2(l, low, high));
            assert_eq!(joined(Op::Sha512Sum0r, Op::Sha512Sum0r), r(28) ^ r(34) ^ r(39));
            assert_eq!(joined(Op::Sha512Sum1r, Op::Sha512Sum1r), r(14) ^ r(18) ^ r(41));
            assert_eq!(joined(Op::Sha512Sig0h, Op::Sha512Sig0l), r(1) ^ r(8) ^ x >> 7);
            assert_eq!(joined(Op::Sha512Sig1h, Op::Sha512Sig1l), r(19) ^ r(61) ^ x >> 6);
            let r = |n| low.rotate_right(n);
            assert_eq!(sha2(Op::Sha256Sum0, low, 0), r(2) ^ r(13) ^ r(22));
            assert_eq!(sha2(Op::Sha256Sum1, low, 0), r(6) ^ r(11) ^ r(25));
            assert_eq!(sha2(Op::Sha256Sig0, low, 0), r(7) ^ r(18) ^ low >> 3);
            assert_eq!(sha2(Op::Sha256Sig1, low, 0), r(17) ^ r(19) ^ low >> 10);
        }
    }
}
