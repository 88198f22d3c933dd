//! Conformance to Zba, Zbb, Zbkb and the SHA-256 part of Zknh, in the manner of `suite_rv32im.rs`.
//! The rest of Zknh, Zkne and Zknd are judged in `outside_judge.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::suite::*;

const MARCH: &str = "rv32im_zba_zbb_zbkb_zknh";
const CPU: &str = "rv32,zba=true,zbb=true,zbkb=true,zknh=true";

const TWO: [(&str, Two); 14] = [
    ("sh1add", |a, b| b.wrapping_add(a << 1)),
    ("sh2add", |a, b| b.wrapping_add(a << 2)),
    ("sh3add", |a, b| b.wrapping_add(a << 3)),
    ("andn", |a, b| a & !b),
    ("orn", |a, b| a | !b),
    ("xnor", |a, b| !(a ^ b)),
    ("max", |a, b| (a as i32).max(b as i32) as u32),
    ("maxu", u32::max),
    ("min", |a, b| (a as i32).min(b as i32) as u32),
    ("minu", u32::min),
    ("rol", |a, b| a.rotate_left(b & 31)),
    ("ror", |a, b| a.rotate_right(b & 31)),
    ("pack", |a, b| a & 0xFFFF | b << 16),
    ("packh", |a, b| a & 0xFF | (b & 0xFF) << 8),
];

const ONE: [(&str, One); 15] = [
    ("clz", u32::leading_zeros),
    ("ctz", u32::trailing_zeros),
    ("cpop", u32::count_ones),
    ("sext.b", |a| a as i8 as u32),
    ("sext.h", |a| a as i16 as u32),
    ("zext.h", |a| a & 0xFFFF),
    ("orc.b", |a| u32::from_le_bytes(a.to_le_bytes().map(|b| if b == 0 { 0 } else { 255 }))),
    ("rev8", u32::swap_bytes),
    ("brev8", |a| u32::from_le_bytes(a.to_le_bytes().map(u8::reverse_bits))),
    ("zip", |a| {
        (0..16).fold(0, |z, i| z | (a >> i & 1) << (2 * i) | (a >> (16 + i) & 1) << (2 * i + 1))
    }),
    ("unzip", |a| {
        (0..16).fold(0, |z, i| z | (a >> (2 * i) & 1) << i | (a >> (2 * i + 1) & 1) << (16 + i))
    }),
    ("sha256sum0", |a| a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22)),
    ("sha256sum1", |a| a.rotate_right(6) ^ a.rotate_right(11) ^ a.rotate_right(25)),
    ("sha256sig0", |a| a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3),
    ("sha256sig1", |a| a.rotate_right(17) ^ a.rotate_right(19) ^ a >> 10),
];

#[test]
fn every_instruction_of_the_extensions_does_what_its_specification_says() {
    if let Some(why) = missing() {
        return skip("suite_extensions", why);
    }
    let mut programs = Vec::new();
    programs.extend(TWO.map(|(name, meaning)| register_register(name, meaning)));
    programs.extend(ONE.map(|(name, meaning)| register(name, meaning)));
    programs.push(register_immediate("rori", &[0, 1, 7, 15, 16, 30, 31], |a, b| a.rotate_right(b)));
    all_pass(&programs, MARCH, CPU);
}
