//! Very many random programs in both engines: made by a plain generator, a hundred thousand in a
//! second. `PORTCULLIS_PROGRAMS` says how many; one that differs is
//! told word by word. (The properties in `tests.rs` try fewer and shrink.)

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

extern crate std;

use alloc::vec::Vec;

use super::tests::{EXTENSION_FUNCTIONS, bent, same};
use crate::abi;

/// Programs of a test run that does not say how many.
const PROGRAMS: u64 = if cfg!(debug_assertions) { 1_000 } else { 100_000 };
/// Programs between two lines that say how far it is: some ten seconds.
const PROGRESS: u64 = 1_000_000;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) as u32
    }

    fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.next()) * n as u64) >> 32) as usize
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A word of any instruction, mostly one that decodes.
fn any_word(random: &mut Random) -> u32 {
    const OPCODES: &[u32] =
        &[0x13, 0x13, 0x13, 0x33, 0x33, 0x03, 0x03, 0x23, 0x23, 0x63, 0x63, 0x6F, 0x67, 0x37, 0x17];
    match random.below(40) {
        0 => abi::trap_word(random.below(0x90) as u16),
        1 => crate::decode::UNIMP,
        2 => 0x0000_8067,
        3..9 => {
            let fields = random.of(&[0, 0x01F0_0000, 0xC1F0_0000]);
            random.next() & (fields | 0x000F_8F80) | random.of(EXTENSION_FUNCTIONS)
        }
        _ => {
            let word = random.next() & !0x7F | random.of(OPCODES);
            match word & 0x7F {
                // Shifts and register operations with a legal funct7.
                0x13 if word >> 12 & 3 == 1 => {
                    word & 0x41FF_FFFF & !(u32::from(word >> 14 & 1 == 0) << 30)
                }
                0x33 => word & random.of(&[0x01FF_FFFF, 0x03FF_FFFF]),
                0x03 | 0x23 => word & !(7 << 12) | (random.below(3) as u32) << 12,
                0x67 => word & !(7 << 12),
                _ => word,
            }
        }
    }
}

/// A word of those that compilers put in rows, on few registers.
fn row_word(random: &mut Random) -> u32 {
    // Without registers: loads and stores near their pointers, small numbers.
    const WORDS: &[u32] = &[
        0x0010_0013,
        0x0000_0013,
        0x0030_1013,
        0x0030_5013,
        0x01D0_1013,
        0x4030_5013,
        0x0FF0_7013,
        0x0050_3013,
        0x0015_4013,
        0x33,
        0x33,
        0x3033,
        0x4033,
        0x5033,
        0x1033,
        0x6033,
        0x7033,
        0x4000_0033,
        0x0200_0033,
        0x7000_0037,
        0x0040_2003,
        0x0000_2223,
        0x0050_4003,
        0x0060_5003,
        0x0000_02A3,
        0x0081_2003,
        0x0001_2423,
        0x63,
        0x1063,
        0x4063,
        0x5063,
        0x6063,
        0x7063,
        0x6F,
    ];
    // Pointers into both kinds of memory, numbers, and registers to spoil.
    const SOURCES: &[u32] = &[0, 8, 9, 11, 4, 5, 13, 14, 15, 16, 17];
    let word = random.of(WORDS);
    let rs1 = if word >> 15 & 31 == 2 { 0 } else { random.of(SOURCES) << 15 };
    let rs2 = random.of(SOURCES) << 20;
    let rd = (14 + random.below(4) as u32) << 7;
    match word & 0x7F {
        0x37 => word | rd,
        0x6F => word | (rd & (1 << 7)),
        0x13 | 0x03 => word | rs1 | rd,
        0x33 => word | rs1 | rs2 | rd,
        _ => word | rs1 | rs2,
    }
}

/// The program of a number, in both engines.
fn program(number: u64) {
    let mut random = Random(number);
    let of_rows = random.below(2) == 0;
    let length = 1 + random.below(63);
    let words: Vec<u32> = (0..length)
        .map(|_| if of_rows { row_word(&mut random) } else { any_word(&mut random) })
        .collect();
    let budget = random.of(&[random.0 % 200, 2_000, 5_000]);
    same(&bent(&words), random.next(), budget);
}

// spec-test: X-58 X-06
#[test]
fn very_many_programs_mean_the_same_to_both_engines() {
    let asked = std::env::var("PORTCULLIS_PROGRAMS").ok();
    let total = asked.map_or(PROGRAMS, |n| n.parse().expect("PORTCULLIS_PROGRAMS is a number"));
    let first = std::env::var("PORTCULLIS_FIRST_PROGRAM").ok();
    let first: u64 = first.map_or(0, |n| n.parse().expect("PORTCULLIS_FIRST_PROGRAM is a number"));
    for number in 0..total {
        if number % PROGRESS == 0 && number != 0 {
            std::eprintln!("{number} of {total} programs");
        }
        program(first + number);
    }
}
