//! Random programs, compiled and interpreted: the same registers at every place where compiled
//! code was left, the same memory at the end, the same outcome and the same count.
//!
//! `PORTCULLIS_COMPILED_PROGRAMS` sets how many programs are tried.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../svm/tests/support/mod.rs"]
mod support;
mod watch;

use portcullis_svm::{Extensions, Limits, abi};
use portcullis_svm_compiler::{baseline_tier, tier};
use support::generator::Random;
use support::*;
use watch::same_with;

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
        match random.below(24) {
            0..=2 => words.extend(rotation(random)),
            3..=4 => words.extend(idiom(random)),
            5 => words.extend(counted(random, 2)),
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

/// Two shifts and what joins them, as compilers write a rotation, or nearly; the second shift may
/// read a copy.
fn rotation(random: &mut Random) -> Vec<u32> {
    let few = random.below(2) == 0;
    let [a, t, u, d, copy] =
        core::array::from_fn(|_| if few { 8 + random.below(5) } else { 3 + random.below(29) });
    let by = 1 + random.below(31) as i32;
    let rest = if random.below(8) == 0 { by } else { 32 - by };
    let mut words = Vec::new();
    let (mut of_left, mut of_right) = (a, a);
    if random.below(3) == 0 {
        words.push(addi(copy, a, 0));
        if random.below(2) == 0 { of_left = copy } else { of_right = copy }
    }
    let left = i(0x13, 1, t, of_left, by);
    let right = i(0x13, 5, u, of_right, rest);
    let join = r(0, [6, 4, 0][random.below(3) as usize], d, t, u);
    words.extend(if random.below(2) == 0 { [left, right, join] } else { [right, left, join] });
    // Sometimes a half is seen afterwards, in one way or another.
    let seen = [addi(u, 0, 5), sw(t, SP, -4), addi(t, u, 1), lw(u, SP, -8), addi(a, t, 0)];
    words.extend([seen[random.below(5) as usize], addi(t, 0, 7)]);
    words
}

/// The other idioms: narrow values, scaled indices, constants, copies; or nearly.
fn idiom(random: &mut Random) -> Vec<u32> {
    let [a, b, d] = core::array::from_fn(|_| 5 + random.below(8));
    let back = [(5, 0), (5, 0x400)][random.below(2) as usize];
    match random.below(8) {
        7 => {
            // Who shares a register is compared after the register was shifted.
            let by = random.below(32) as i32;
            let compare = branch([0, 1, 4, 5, 6, 7][random.below(6) as usize], d, b, 8);
            vec![addi(d, a, 0), i(0x13, 1, a, a, by), compare, addi(d, 0, 7)]
        }
        6 => {
            // A field of a word, and nearly one.
            let mask = [255, 1020, 2047, 15, -1, -256][random.below(6) as usize];
            let by = random.below(32) as i32;
            vec![
                i(0x13, back.0, d, a, back.1 | by),
                i(0x13, 7, [d, b][random.below(2) as usize], d, mask),
            ]
        }
        0 => {
            let by = [8, 16, 24, 31][random.below(4) as usize];
            vec![i(0x13, 1, d, a, by), i(0x13, back.0, d, d, back.1 | by)]
        }
        1..=2 => {
            let by = random.below(5) as i32;
            let (x, y) = if random.below(2) == 0 { (d, b) } else { (b, d) };
            let sum = [d, a, b][random.below(3) as usize];
            let seen = [addi(d, 0, 3), sw(d, SP, -12), lw(d, SP, -16)];
            let [shift, add] = [i(0x13, 1, d, a, by), r(0, 0, sum, x, y)];
            vec![shift, add, seen[random.below(3) as usize]]
        }
        3 => {
            let upper = random.next() & 0xFFFF_F000;
            let opcode = [0x37, 0x17][random.below(2) as usize];
            let other = if random.below(4) == 0 { a } else { d };
            vec![upper | d << 7 | opcode, addi(other, d, random.next() as i32 >> 20)]
        }
        4 => vec![addi(d, a, 0), addi(b, d, 0), addi(a, random.below(2) * 7, 9), addi(d, b, 1)],
        _ => vec![i(0x13, 7, d, a, 255), r(0x20, 0, d, b, d), r(0, 3, a, 0, d)],
    }
}

/// A loop of a few rounds in which many registers are busy, perhaps with one inside: they stand
/// otherwise there than outside. Mostly it reads and writes the stack, sometimes it faults there.
fn counted(random: &mut Random, depth: u32) -> Vec<u32> {
    let counter = 3 + random.below(29);
    let mut words = vec![addi(counter, 0, 1 + random.below(6) as i32)];
    let head = words.len();
    for _ in 0..2 + random.below(14) {
        let [rd, rs1, rs2] = core::array::from_fn(|_| 3 + random.below(29));
        let offset = -4 - 4 * random.below(64) as i32;
        match random.below(14) {
            0 => words.push(lw(rd, SP, offset)),
            1 => words.push(sw(rs2, SP, offset)),
            2 => words.extend(rotation(random)),
            3 => words.extend(idiom(random)),
            4 if depth > 0 => words.extend(counted(random, depth - 1)),
            // Over the next one, whatever that is.
            5 => words.extend([branch(random.below(2), rs1, rs2, 8), addi(rd, rd, 1)]),
            6 if random.below(8) == 0 => words.push(lw(rd, rs1, offset)),
            7 => words.push(r(1, random.below(8), rd, rs1, rs2)),
            _ => words.push(r(0, [0, 4, 6, 7, 3, 1][random.below(6) as usize], rd, rs1, rs2)),
        }
    }
    words.push(addi(counter, counter, -1));
    let back = (head as i32 - words.len() as i32) * 4;
    words.push(branch(1, counter, 0, back));
    words
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
        let tier = if seed % 4 == 0 { baseline_tier() } else { tier() };
        let tier = tier.expect("x86-64 Linux");
        compiled += same_with(tier, &words, limits(budget), &format!("seed {seed}"));
    }
    // Programs whose budget is below their length are only interpreted; most others are not.
    assert!(compiled > programs / 2, "{compiled} of {programs} programs ran compiled");
}
