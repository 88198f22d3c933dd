//! Both paths against RustCrypto's modes, against the vectors of NIST, and what is refused.
#![allow(clippy::unwrap_used)]

use std::vec::Vec;

use aes::cipher::{
    BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _, KeyIvInit as _,
    StreamCipher as _,
};
use portcullis_types::parse_hex_array;
use proptest::prelude::*;

use super::*;

const KEY: [u8; 16] = *b"0123456789abcdef";
const BOTH: [bool; 2] = [true, false];

#[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables, unused_mut))]
fn cipher(scheme: Scheme, pattern: Pattern, key: [u8; 16], portable: bool) -> SampleCipher {
    let mut cipher = SampleCipher::new(scheme, pattern, &Key128::new(key)).unwrap();
    #[cfg(target_arch = "x86_64")]
    if portable {
        cipher.key = Wiped::new(Keyed { aes: Aes128::new(&Key128::new(key)), wide: None });
    }
    cipher
}

fn octets(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|i| ((seed * 613 + i).wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

/// The standard, block by block, with the ciphers of others.
fn reference(
    (scheme, pattern): (Scheme, Pattern),
    encrypts: bool,
    data: &mut [u8],
    iv: [u8; 16],
    subsamples: &[Subsample],
) {
    let whole = [Subsample { clear: 0, protected: data.len() as u32 }];
    let aes = aes::Aes128::new(&KEY.into());
    let mut stream = ctr::Ctr64BE::<aes::Aes128>::new(&KEY.into(), &iv.into());
    let mut before = iv;
    let mut at = 0;
    for part in if subsamples.is_empty() { &whole[..] } else { subsamples } {
        at += usize::from(part.clear);
        let run = &mut data[at..at + part.protected as usize];
        at += part.protected as usize;
        if scheme == Scheme::Cenc {
            stream.apply_keystream(run);
            continue;
        }
        if scheme == Scheme::Cbcs {
            before = iv;
        }
        let (crypt, skip) =
            (usize::from(pattern.crypt_byte_block), usize::from(pattern.skip_byte_block));
        for (index, block) in run.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            if skip > 0 && index % (crypt + skip) >= crypt {
                continue;
            }
            if scheme == Scheme::Cens {
                stream.apply_keystream(block);
            } else if encrypts {
                let mut state: aes::Block = core::array::from_fn(|i| block[i] ^ before[i]).into();
                aes.encrypt_block(&mut state);
                *block = state.into();
                before = *block;
            } else {
                let mut state = aes::Block::from(*block);
                aes.decrypt_block(&mut state);
                let clear = core::array::from_fn(|i| state[i] ^ before[i]);
                before = core::mem::replace(block, clear);
            }
        }
    }
}

fn any_scheme() -> impl Strategy<Value = (Scheme, Pattern)> {
    let pattern = prop_oneof![Just((0, 0)), Just((1, 9)), Just((5, 5)), (1_u8..16, 0_u8..16)];
    (0_usize..4, pattern).prop_map(|(scheme, (crypt_byte_block, skip_byte_block))| {
        let scheme = Scheme::ALL[scheme];
        let pattern = Pattern { crypt_byte_block, skip_byte_block };
        (scheme, if scheme.has_pattern() { pattern } else { Pattern::NONE })
    })
}

fn any_map() -> impl Strategy<Value = Vec<Subsample>> {
    let part = (0_u16..100, prop_oneof![0_u32..700, (0_u32..300).prop_map(|blocks| blocks * 16)]);
    let part = part.prop_map(|(clear, protected)| Subsample { clear, protected });
    proptest::collection::vec(part, 0..12)
}

proptest! {
    // spec-test: E-R29
    #[test]
    fn every_scheme_agrees_with_the_reference_over_any_map(
        kind in any_scheme(),
        mut map in any_map(),
        whole in 0_usize..3_000,
        iv: [u8; 16],
        wraps: bool,
        seed in 0_usize..1_000,
    ) {
        let mut iv = iv;
        if wraps {
            iv[8..].fill(0xFF);
        }
        if kind.0 == Scheme::Cbc1 {
            map.iter_mut().for_each(|part| part.protected &= !15);
        }
        let described: usize =
            map.iter().map(|part| usize::from(part.clear) + part.protected as usize).sum();
        let clear = octets(seed, if map.is_empty() { whole } else { described });
        let mut expected = clear.clone();
        reference(kind, true, &mut expected, iv, &map);
        let iv = InitializationVector::new(&iv).unwrap();
        for portable in BOTH {
            let cipher = cipher(kind.0, kind.1, KEY, portable);
            let mut work = clear.clone();
            cipher.encrypt(Sample { data: &mut work, iv, subsamples: &map }).unwrap();
            prop_assert!(work == expected, "encrypt, {kind:?}, portable {portable}");
            cipher.decrypt(Sample { data: &mut work, iv, subsamples: &map }).unwrap();
            prop_assert!(work == clear, "decrypt, {kind:?}, portable {portable}");
        }
    }
}

#[test]
fn the_reference_undoes_what_it_does() {
    for scheme in Scheme::ALL {
        let mut data = octets(1, 999);
        let kind = (scheme, Pattern::NONE);
        reference(kind, true, &mut data, [3; 16], &[]);
        assert_ne!(data, octets(1, 999));
        reference(kind, false, &mut data, [3; 16], &[]);
        assert_eq!(data, octets(1, 999));
    }
}

#[test]
fn many_samples_are_as_many_single_ones() {
    let pattern = Pattern { crypt_byte_block: 1, skip_byte_block: 9 };
    for portable in BOTH {
        let cipher = cipher(Scheme::Cbcs, pattern, KEY, portable);
        let maps: Vec<Vec<_>> = (0..150_usize)
            .map(|i| {
                (0..i % 4 + 1)
                    .map(|k| Subsample { clear: 5, protected: (i * 97 + k * 1_001) as u32 % 4_000 })
                    .collect()
            })
            .collect();
        let iv = |i: usize| InitializationVector::new(&[i as u8; 16]).unwrap();
        let length = |map: &[Subsample]| -> usize {
            map.iter().map(|part| 5 + part.protected as usize).sum()
        };
        let clear: Vec<_> =
            maps.iter().enumerate().map(|(i, map)| octets(i, length(map))).collect();
        let mut many = clear.clone();
        let samples = many.iter_mut().zip(&maps).enumerate();
        let samples = samples.map(|(i, (data, subsamples))| Sample { data, iv: iv(i), subsamples });
        cipher.encrypt_many(samples).unwrap();
        for (i, (mut data, many)) in clear.into_iter().zip(many).enumerate() {
            reference((Scheme::Cbcs, pattern), true, &mut data, [i as u8; 16], &maps[i]);
            assert!(data == many, "sample {i}");
        }
    }
}

// SP 800-38A, F.5.1 (CTR) and F.2.1 (CBC).
const NIST_KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const NIST_CLEAR: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                          30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

// spec-test: E-R29
#[test]
fn sp_800_38a_whole_and_in_subsamples() {
    let key: [u8; 16] = parse_hex_array(NIST_KEY).unwrap();
    let clear: [u8; 64] = parse_hex_array(NIST_CLEAR).unwrap();
    for (scheme, iv, expected) in [
        (
            Scheme::Cenc,
            "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
            "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff\
             5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
        ),
        (
            Scheme::Cbc1,
            "000102030405060708090a0b0c0d0e0f",
            "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
             73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
        ),
    ] {
        let iv: [u8; 16] = parse_hex_array(iv).unwrap();
        let iv = InitializationVector::new(&iv).unwrap();
        let expected: [u8; 64] = parse_hex_array(expected).unwrap();
        for portable in BOTH {
            let cipher = cipher(scheme, Pattern::NONE, key, portable);
            let mut whole = clear;
            cipher.encrypt(Sample { data: &mut whole, iv, subsamples: &[] }).unwrap();
            assert_eq!(whole, expected);
            // The same blocks behind clear octets: stream and chain go on.
            let map = [(7, 16), (0, 32), (9, 16)];
            let map = map.map(|(clear, protected)| Subsample { clear, protected });
            let gaps = [&[9; 7][..], &clear[..48], &[8; 9], &clear[48..]].concat();
            let mut work = gaps.clone();
            cipher.encrypt(Sample { data: &mut work, iv, subsamples: &map }).unwrap();
            assert_eq!(work, [&[9; 7][..], &expected[..48], &[8; 9], &expected[48..]].concat());
            cipher.decrypt(Sample { data: &mut work, iv, subsamples: &map }).unwrap();
            assert_eq!(work, gaps);
        }
    }
}

#[test]
fn an_iv_of_8_octets_is_followed_by_the_block_counter() {
    let cipher = cipher(Scheme::Cenc, Pattern::NONE, KEY, false);
    let (mut short, mut long) = (octets(1, 100), octets(1, 100));
    for (data, iv) in
        [(&mut short, &[7; 8][..]), (&mut long, &[7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0])]
    {
        let iv = InitializationVector::new(iv).unwrap();
        cipher.encrypt(Sample { data, iv, subsamples: &[] }).unwrap();
    }
    assert_eq!(short, long);
    for length in [0, 7, 9, 15, 17] {
        let refused = Err(CencError::InitializationVector { length });
        assert_eq!(InitializationVector::new(&octets(0, length)), refused);
    }
}

#[test]
fn a_map_that_does_not_fit_is_refused_and_nothing_changed() {
    let iv = InitializationVector::new(&[1; 8]).unwrap();
    let part = |clear, protected| Subsample { clear, protected };
    for scheme in Scheme::ALL {
        let cipher = cipher(scheme, Pattern::NONE, KEY, false);
        for (map, described) in [
            (&[part(4, 95)][..], 99),
            (&[part(4, 97)], 101),
            (&[part(0, 0)], 0),
            (&[part(u16::MAX, u32::MAX); 3], 3 * (65_535 + 4_294_967_295)),
        ] {
            let mut data = octets(2, 100);
            let refused = Err(CencError::SubsampleMap { described, found: 100 });
            assert_eq!(cipher.decrypt(Sample { data: &mut data, iv, subsamples: map }), refused);
            assert_eq!(cipher.encrypt(Sample { data: &mut data, iv, subsamples: map }), refused);
            assert_eq!(data, octets(2, 100));
        }
        let mut data = octets(2, 100);
        let map = [part(4, 15), part(0, 81)];
        let done = cipher.decrypt(Sample { data: &mut data, iv, subsamples: &map });
        let refused = Err(CencError::BrokenBlock { index: 0, protected: 15 });
        assert_eq!(done, if scheme == Scheme::Cbc1 { refused } else { Ok(()) });
    }
}

#[test]
fn a_pattern_that_is_none_or_has_no_place_is_refused() {
    for (scheme, crypt_byte_block, skip_byte_block) in [
        (Scheme::Cenc, 1, 9),
        (Scheme::Cbc1, 1, 9),
        (Scheme::Cbcs, 0, 9),
        (Scheme::Cbcs, 16, 1),
        (Scheme::Cens, 1, 16),
    ] {
        let pattern = Pattern { crypt_byte_block, skip_byte_block };
        let error = SampleCipher::new(scheme, pattern, &Key128::new(KEY)).err().unwrap();
        assert_eq!(error, CencError::Pattern { scheme, crypt_byte_block, skip_byte_block });
    }
}
