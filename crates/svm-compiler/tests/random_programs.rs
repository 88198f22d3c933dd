//! Random programs, compiled and interpreted: the same registers at every place where compiled
//! code was left, the same memory at the end, the same outcome and the same count.
//!
//! `PORTCULLIS_COMPILED_PROGRAMS` sets how many programs are tried.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../svm/tests/support/mod.rs"]
mod support;
mod watch;

use portcullis_svm::{Extensions, Limits, abi};
use support::generator::Random;
use support::*;
use watch::same;

const PROGRAMS: u64 = 20_000;
const RAM: u32 = abi::RAM_BASE;
const RAM_BYTES: u32 = 8192;
const STACK: u32 = RAM + RAM_BYTES + abi::GUARD_BYTES;

fn limits(budget: u64) -> Limits {
    Limits {
        ram_bytes: RAM_BYTES,
        stack_bytes: 4096,
        heap_bytes: 1024,
        budget,
        extensions: Extensions::ALL,
        compile: true,
        ..Limits::default()
    }
}

/// Registers that point into and beside every kind of place, then about `length` random words.
fn program(random: &mut Random, length: usize) -> Vec<u32> {
    let mut words = Vec::new();
    for register in 3..32 {
        let value = match random.below(8) {
            0 => RAM + random.below(RAM_BYTES + 64),
            1 => RAM + random.below(RAM_BYTES / 2),
            2 => STACK + random.below(4096),
            3 => random.below(600),
            4 => random.below(length as u32) * 4,
            5 => abi::RETURN_ADDRESS,
            _ => random.value(),
        };
        words.extend(li(register, value));
    }
    let start = words.len();
    let end = start + 1 + random.below(length as u32) as usize;
    while words.len() < end {
        let at = words.len();
        match random.below(12) {
            0 => words.extend(rotation(random)),
            _ => words.push(word(random, at, start, end)),
        }
    }
    words.push(ret());
    words
}

fn word(random: &mut Random, at: usize, start: usize, end: usize) -> u32 {
    // Some programs would have few registers, so that rows of dependent instructions come up.
    let mut register = || if random.below(2) == 0 { random.below(32) } else { 8 + random.below(6) };
    let (rd, rs1, rs2) = (register(), register(), register());
    // Mostly forward, or most programs would only burn their budget.
    let target = match random.below(6) {
        0 => start + random.below((end - start) as u32) as usize,
        _ => (at + 1 + random.below(6) as usize).min(end),
    };
    let offset = (target as i32 - at as i32) * 4;
    let imm = (random.next() as i32) >> 20;
    match random.below(32) {
        0..=7 => {
            const LEGAL: [(u32, u32); 10] =
                [(0, 0), (32, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (32, 5), (0, 6), (0, 7)];
            let (funct7, funct3) = LEGAL[random.below(10) as usize];
            r(funct7, funct3, rd, rs1, rs2)
        }
        8..=9 => r(1, random.below(8), rd, rs1, rs2),
        10 => extension(random, rd, rs1, rs2),
        11..=14 => {
            const FUNCT3: [u32; 6] = [0, 2, 3, 4, 6, 7];
            const SMALL: [i32; 6] = [0, 1, -1, 255, 4, -4];
            let imm = if random.below(2) == 0 { imm } else { SMALL[random.below(6) as usize] };
            i(0x13, FUNCT3[random.below(6) as usize], rd, rs1, imm)
        }
        15..=17 => {
            const SHIFTS: [(u32, i32); 3] = [(1, 0), (5, 0), (5, 0x400)];
            let (funct3, high) = SHIFTS[random.below(3) as usize];
            i(0x13, funct3, rd, rs1, high | random.below(32) as i32)
        }
        18 => random.next() & 0xFFFF_F000 | rd << 7 | [0x37, 0x17][random.below(2) as usize],
        19..=21 => {
            const LOADS: [u32; 5] = [0, 1, 2, 4, 5];
            i(0x03, LOADS[random.below(5) as usize], rd, rs1, imm)
        }
        22 => i(0x03, 2, rd, SP, imm.clamp(-256, 256)),
        23 => sw(rs2, SP, imm.clamp(-256, -1)),
        24..=25 => store(random.below(3), rs2, rs1, imm),
        26..=28 => {
            const BRANCHES: [u32; 6] = [0, 1, 4, 5, 6, 7];
            branch(BRANCHES[random.below(6) as usize], rs1, rs2, offset)
        }
        29 => jal(rd, offset),
        30 if random.below(4) == 0 => jalr(rd, rs1, imm),
        30 => jalr(rd, 0, target as i32 * 4 + random.below(2) as i32),
        _ => match random.below(12) {
            0 => abi::trap_word(0x014),
            1 => abi::trap_word(0x020),
            2 => 0xC000_1073,
            3 => 0x0000_000F,
            _ => jalr(0, 1, 0),
        },
    }
}

/// Instructions beyond RV32IM, those that are compiled and those that are not.
fn extension(random: &mut Random, rd: u32, rs1: u32, rs2: u32) -> u32 {
    const THREE: [(u32, u32); 14] = [
        (0x10, 2),
        (0x10, 4),
        (0x10, 6),
        (0x20, 7),
        (0x20, 6),
        (0x20, 4),
        (5, 4),
        (5, 5),
        (5, 6),
        (5, 7),
        (0x30, 1),
        (0x30, 5),
        (4, 4),
        (4, 7),
    ];
    const TWO: [(u32, i32); 7] =
        [(1, 0x600), (1, 0x602), (1, 0x604), (1, 0x605), (5, 0x698), (5, 0x287), (5, 0x687)];
    match random.below(3) {
        0 => {
            let (funct3, imm) = TWO[random.below(7) as usize];
            i(0x13, funct3, rd, rs1, imm)
        }
        1 => i(0x13, 5, rd, rs1, 0x600 | random.below(32) as i32),
        _ => {
            let (funct7, funct3) = THREE[random.below(14) as usize];
            r(funct7, funct3, rd, rs1, rs2)
        }
    }
}

/// Two shifts and what joins them, as compilers write a rotation, or nearly.
fn rotation(random: &mut Random) -> [u32; 5] {
    let [a, t, u, d] = core::array::from_fn(|_| 8 + random.below(5));
    let by = 1 + random.below(31) as i32;
    let rest = if random.below(8) == 0 { by } else { 32 - by };
    let left = i(0x13, 1, t, a, by);
    let right = i(0x13, 5, u, a, rest);
    let (first, second) = if random.below(2) == 0 { (left, right) } else { (right, left) };
    let join = r(0, [6, 4, 0][random.below(3) as usize], d, t, u);
    let seen = [addi(u, 0, 5), sw(t, SP, -4), addi(t, u, 1)];
    [first, second, join, seen[random.below(3) as usize], addi(t, 0, 7)]
}

// spec-test: X-05 X-06 X-58
#[test]
fn random_programs_mean_the_same_compiled() {
    let asked = std::env::var("PORTCULLIS_COMPILED_PROGRAMS").ok();
    let programs = asked.and_then(|n| n.parse().ok()).unwrap_or(PROGRAMS);
    let mut compiled = 0;
    for seed in 0..programs {
        let mut random = Random::new(seed);
        let length = [6, 40, 200][random.below(3) as usize];
        let words = program(&mut random, length);
        let budget = match random.below(3) {
            0 => u64::from(random.below(2 * length as u32 + 100)),
            1 => u64::from(random.below(3000)),
            _ => 20_000,
        };
        compiled += same(&words, limits(budget), &format!("seed {seed}"));
    }
    // Programs whose budget is below their length are only interpreted; most others are not.
    assert!(compiled > programs / 2, "{compiled} of {programs} programs ran compiled");
}
