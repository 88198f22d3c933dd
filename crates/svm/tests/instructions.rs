//! Every instruction class of RV32IM against the specification's own definitions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{Fault, Limits, MemoryFault, Outcome, abi};
use support::*;

const WORDS: [u32; 9] =
    [0, 1, 2, 31, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFE, 0xFFFF_FFFF];

fn binary(word: u32, a: u32, b: u32) -> u32 {
    let mut words = Vec::from(li(A0, a));
    words.extend(li(A1, b));
    words.push(word);
    value_of(&words, A2)
}

// spec-test: X-58 X-05
#[test]
fn register_register_instructions() {
    type Expected = fn(u32, u32) -> u32;
    let table: [(u32, u32, Expected); 18] = [
        (0x00, 0, |a, b| a.wrapping_add(b)),
        (0x20, 0, |a, b| a.wrapping_sub(b)),
        (0x00, 1, |a, b| a << (b % 32)),
        (0x00, 2, |a, b| u32::from((a as i32) < b as i32)),
        (0x00, 3, |a, b| u32::from(a < b)),
        (0x00, 4, |a, b| a ^ b),
        (0x00, 5, |a, b| a >> (b % 32)),
        (0x20, 5, |a, b| ((a as i32) >> (b % 32)) as u32),
        (0x00, 6, |a, b| a | b),
        (0x00, 7, |a, b| a & b),
        (0x01, 0, |a, b| a.wrapping_mul(b)),
        (0x01, 1, |a, b| ((i128::from(a as i32) * i128::from(b as i32)) >> 32) as u32),
        (0x01, 2, |a, b| ((i128::from(a as i32) * i128::from(b)) >> 32) as u32),
        (0x01, 3, |a, b| ((u128::from(a) * u128::from(b)) >> 32) as u32),
        (0x01, 4, |a, b| match b {
            0 => u32::MAX,
            b => (a as i32).wrapping_div(b as i32) as u32,
        }),
        (0x01, 5, |a, b| a.checked_div(b).unwrap_or(u32::MAX)),
        (0x01, 6, |a, b| match b {
            0 => a,
            b => (a as i32).wrapping_rem(b as i32) as u32,
        }),
        (0x01, 7, |a, b| a.checked_rem(b).unwrap_or(a)),
    ];
    for (funct7, funct3, expected) in table {
        for a in WORDS {
            for b in WORDS {
                let found = binary(r(funct7, funct3, A2, A0, A1), a, b);
                assert_eq!(found, expected(a, b), "funct7 {funct7} funct3 {funct3} {a:x} {b:x}");
            }
        }
    }
}

// spec-test: X-58
#[test]
fn register_immediate_instructions() {
    type Expected = fn(u32, i32) -> u32;
    let table: [(u32, Expected); 6] = [
        (0, |a, b| a.wrapping_add(b as u32)),
        (2, |a, b| u32::from((a as i32) < b)),
        (3, |a, b| u32::from(a < b as u32)),
        (4, |a, b| a ^ b as u32),
        (6, |a, b| a | b as u32),
        (7, |a, b| a & b as u32),
    ];
    for (funct3, expected) in table {
        for a in WORDS {
            for imm in [-2048, -1, 0, 1, 2047] {
                let found = binary(i(0x13, funct3, A2, A0, imm), a, 0);
                assert_eq!(found, expected(a, imm), "funct3 {funct3} {a:x} {imm}");
            }
        }
    }
    for a in WORDS {
        for shift in [0, 1, 31] {
            assert_eq!(binary(i(0x13, 1, A2, A0, shift), a, 0), a << shift);
            assert_eq!(binary(i(0x13, 5, A2, A0, shift), a, 0), a >> shift);
            let arithmetic = ((a as i32) >> shift) as u32;
            assert_eq!(binary(i(0x13, 5, A2, A0, shift | 0x400), a, 0), arithmetic);
        }
    }
}

#[test]
fn x0_stays_zero_and_upper_immediates_are_right() {
    assert_eq!(value_of(&[addi(0, 0, 5)], 0), 0);
    assert_eq!(value_of(&[0xABCD_E000 | A0 << 7 | 0x37], A0), 0xABCD_E000);
    // auipc at address 8
    assert_eq!(value_of(&[addi(0, 0, 0), addi(0, 0, 0), 0x1000 | A0 << 7 | 0x17], A0), 0x1008);
    assert_eq!(value_of(&[0x0FF0_000F], 0), 0, "fence does nothing");
}

// spec-test: X-58
#[test]
fn branches_take_the_way_their_condition_says() {
    type Condition = fn(u32, u32) -> bool;
    let table: [(u32, Condition); 6] = [
        (0, |a, b| a == b),
        (1, |a, b| a != b),
        (4, |a, b| (a as i32) < b as i32),
        (5, |a, b| a as i32 >= b as i32),
        (6, |a, b| a < b),
        (7, |a, b| a >= b),
    ];
    for (funct3, condition) in table {
        for a in WORDS {
            for b in WORDS {
                let mut words = Vec::from(li(A0, a));
                words.extend(li(A1, b));
                words.extend([addi(A2, 0, 1), branch(funct3, A0, A1, 8), addi(A2, 0, 0)]);
                let taken = value_of(&words, A2) == 1;
                assert_eq!(taken, condition(a, b), "funct3 {funct3} {a:x} {b:x}");
            }
        }
    }
}

// spec-test: X-59
#[test]
fn loads_and_stores_of_every_width_and_alignment() {
    let base = li(T0, abi::RAM_BASE + 64);
    for offset in -5..5 {
        for (width, mask) in [(0, 0xFF), (1, 0xFFFF), (2, u32::MAX)] {
            let mut words = Vec::from(base);
            words.extend(li(A0, 0x81C2_E3F4));
            words.push(store(width, A0, T0, offset));
            let mut signed = words.clone();
            signed.push(i(0x03, width, A2, T0, offset));
            let shift = 32 - mask.count_ones();
            let value = 0x81C2_E3F4 & mask;
            assert_eq!(value_of(&signed, A2), ((value << shift) as i32 >> shift) as u32);
            if width < 2 {
                words.push(i(0x03, width + 4, A2, T0, offset));
                assert_eq!(value_of(&words, A2), value);
            }
        }
    }
}

// attack-test: T-28
#[test]
fn data_outside_memory_faults() {
    let ram_end = abi::RAM_BASE + Limits::default().ram_bytes;
    for address in
        [0, 64, abi::RAM_BASE - 1, ram_end - 3, ram_end, ram_end + abi::GUARD_BYTES - 4, !0]
    {
        let mut words = Vec::from(li(T0, address));
        words.extend([sw(0, T0, 0), ret()]);
        let (outcome, client, _) = run_with(&words, Limits::default());
        let expected = MemoryFault::Write { address, len: 4 };
        let pc = 8;
        assert_eq!(outcome, Outcome::Fault(Fault::Memory { pc, fault: expected }));
        assert_eq!(client.retired_instructions(), 2, "a faulting instruction does not retire");
    }
    // Code may be read, not written; what is not code may not even be read.
    assert_eq!(value_of(&[lw(A0, 0, 0)], A0), lw(A0, 0, 0));
    assert_eq!(value_of(&[lw(A0, 0, 1024)], A0), 0, "the image's last page is filled with zeros");
    let [high, low] = li(A0, 4096);
    let (outcome, ..) = run_with(&[high, low, lw(A0, A0, 0), ret()], Limits::default());
    assert!(matches!(outcome, Outcome::Fault(Fault::Memory { .. })));
}

#[test]
fn jumps_go_to_instructions_only() {
    // JALR clears bit 0 of its target.
    let words = [addi(A0, 0, 13), jalr(RA, A0, 0), 0xC000_1073, addi(A2, 0, 9)];
    assert_eq!(value_of(&words, A2), 9);
    assert_eq!(value_of(&words, RA), 8);
    for target in [2, 14, 4096, 0x1000_0000, 0xFFFF_FFFC] {
        let mut words = Vec::from(li(A0, target));
        words.extend([jalr(RA, A0, 0), ret()]);
        let (outcome, ..) = run_with(&words, Limits::default());
        assert_eq!(outcome, Outcome::Fault(Fault::Jump { pc: 8, target: target & !1 }));
    }
    let (outcome, ..) = run_with(&[0xC000_1073], Limits::default());
    assert_eq!(outcome, Outcome::Fault(Fault::Illegal { pc: 0 }));
}
