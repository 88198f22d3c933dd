//! Both engines on the same programs: the same registers, memory, end and count.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alloc::vec::Vec;

use proptest::prelude::*;

use super::fused;
use super::handlers::{Kind, kind, op_of};
use crate::abi;
use crate::decode::Op;
use crate::engine::{Engine, Machine};
use crate::extension::Extensions;
use crate::interpreter::Stop;
use crate::memory::GuestMemory;
use crate::policy::{Compatibility, Limits, PermitTable};
use crate::scan::{DecodedText, scan};

const RAM: u32 = abi::RAM_BASE;
const STACK: u32 = RAM + 0x2000;

fn decoded(words: &[u32]) -> Option<DecodedText> {
    let limits = Limits {
        compatibility: Compatibility::UnsafeSimulatorEcall,
        extensions: Extensions::ALL,
        ..Limits::default()
    };
    let mut permits = PermitTable::deny_all();
    for id in 0..0x800 {
        permits.permit(crate::Event::Timer, id);
    }
    let text: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    scan(&text, 0, 0, &permits, &limits).ok().map(|(text, _)| text)
}

/// A machine whose registers point into every kind of place.
fn machine(seed: u32, budget: u64, code: &[u32]) -> Machine {
    let mut memory = GuestMemory::default();
    let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert!(memory.map(STACK, &[], 256, true));
    assert!(memory.map(RAM, &[7; 256], 512, true));
    assert!(memory.map(0, &bytes, bytes.len() as u32, false));
    assert!(memory.map(RAM + 0x1000, &[9; 64], 64, true));
    let mut machine = Machine::new(memory);
    machine.left = budget;
    for register in 1..32_u8 {
        let mixed = seed.wrapping_mul(u32::from(register)).wrapping_mul(0x9E37_79B9);
        machine.registers.set(
            register,
            match register % 8 {
                0 => RAM + mixed % 600,
                1 => STACK + mixed % 300,
                2 => STACK + 128,
                3 => RAM + 0x1000 + mixed % 70,
                4 => mixed % 128,
                5 => mixed,
                _ => abi::RETURN_ADDRESS,
            },
        );
    }
    machine
}

type Ended = (Stop, usize, u64, Vec<u32>, Vec<(u32, Vec<u8>)>);

fn ended(engine: Engine, text: &DecodedText, mut machine: Machine) -> Ended {
    let stop = engine.run(text, &mut machine);
    let registers = (0..32).map(|register| machine.registers.get(register)).collect();
    (stop, machine.registers.pc, machine.left, registers, machine.memory.dump())
}

fn same(words: &[u32], seed: u32, budget: u64) {
    let Some(text) = decoded(words) else { return };
    let reference = ended(Engine::MatchLoop, &text, machine(seed, budget, words));
    let threaded = ended(Engine::Threaded, &text, machine(seed, budget, words));
    assert_eq!(reference, threaded, "{words:08x?} seed {seed} budget {budget}");
}

/// Words of the declared extensions without registers.
#[rustfmt::skip]
const EXTENSION_FUNCTIONS: &[u32] = &[
    0x2000_2033, 0x2000_4033, 0x2000_6033, 0x4000_7033, 0x4000_6033, 0x4000_4033, 0x6000_1013,
    0x6010_1013, 0x6020_1013, 0x0A00_6033, 0x0A00_7033, 0x0A00_4033, 0x0A00_5033, 0x6040_1013,
    0x6050_1013, 0x0800_4033, 0x6000_1033, 0x6000_5033, 0x6000_5013, 0x2870_5013, 0x6980_5013,
    0x0800_7033, 0x6870_5013, 0x08F0_1013, 0x08F0_5013, 0x1020_1013, 0x1030_1013, 0x1000_1013,
    0x1010_1013, 0x5C00_0033, 0x5400_0033, 0x5E00_0033, 0x5600_0033, 0x5000_0033, 0x5200_0033,
    0x2200_0033, 0x2600_0033, 0x2A00_0033, 0x2E00_0033,
];

/// A word that mostly decodes, made so that jumps stay in a text of 64 words.
fn word() -> impl Strategy<Value = u32> {
    const OPCODES: &[u32] =
        &[0x13, 0x13, 0x13, 0x33, 0x33, 0x03, 0x03, 0x23, 0x23, 0x63, 0x63, 0x6F, 0x67, 0x37, 0x17];
    prop_oneof![
        30 => (any::<u32>(), prop::sample::select(OPCODES)).prop_map(|(word, opcode)| {
            let word = word & !0x7F | opcode;
            match opcode {
                // Shifts and register operations with a legal funct7.
                0x13 if word >> 12 & 3 == 1 => word & 0x41FF_FFFF & !(u32::from(word >> 14 & 1 == 0) << 30),
                0x33 => word & [0x01FF_FFFF, 0x03FF_FFFF][word as usize >> 7 & 1],
                0x03 | 0x23 | 0x67 => word & !(7 << 12) | (word >> 12 & 3).min(if opcode == 0x67 { 0 } else { 2 }) << 12,
                _ => word,
            }
        }),
        6 => (any::<u32>(), prop::sample::select(EXTENSION_FUNCTIONS)).prop_map(|(word, function)| {
            // A shift amount, a second register or an octet for the one extension, and a word that
            // does not decode for the next.
            let fields = [0, 0x01F0_0000, 0xC1F0_0000][(word as usize >> 12 & 7) % 3];
            word & (fields | 0x000F_8F80) | function
        }),
        1 => (0_u16..0x90).prop_map(abi::trap_word),
        1 => Just(crate::decode::UNIMP),
        1 => Just(0x0000_8067),
    ]
}

/// Instructions that compilers put in rows, with few registers, so that the fused forms come up.
fn common_word() -> impl Strategy<Value = u32> {
    // addi, mv, slli, srli, andi, add, xor, or, and, sub, lui, lw, sw, lbu, sb, lw and sw at x2
    const WORDS: &[u32] = &[
        0x0010_0013,
        0x0000_0013,
        0x0030_1013,
        0x0030_5013,
        0x0FF0_7013,
        0x33,
        0x4033,
        0x6033,
        0x7033,
        0x4000_0033,
        0x7000_0037,
        0x0040_2003,
        0x0000_2223,
        0x0050_4003,
        0x0000_02A3,
        0x0081_2003,
        0x0001_2423,
        0x63,
        0x1063,
        0x6063,
        0x7063,
        0x6F,
    ];
    // Pointers into both kinds of memory, numbers, and registers to spoil.
    const SOURCES: &[u32] = &[8, 9, 11, 4, 5, 13];
    (prop::sample::select(WORDS), 0..SOURCES.len(), 0..SOURCES.len(), 14_u32..18).prop_map(
        |(word, rs1, rs2, rd)| {
            let rs1 = if word >> 15 & 31 == 2 { 0 } else { SOURCES[rs1] << 15 };
            match word & 0x7F {
                0x37 => word | rd << 7,
                0x6F => word | (rd & 1) << 7,
                0x13 | 0x03 => word | rs1 | rd << 7,
                0x33 => word | rs1 | SOURCES[rs2] << 20 | rd << 7,
                _ => word | rs1 | SOURCES[rs2] << 20,
            }
        },
    )
}

/// Bends branches and JAL so that they lead into the text.
fn bent(words: &[u32]) -> Vec<u32> {
    let len = words.len() as i32;
    let bend = |(at, word): (usize, &u32)| {
        let to = (((word >> 8) as i32).rem_euclid(len) - at as i32) * 4;
        let o = to as u32;
        match word & 0x7F {
            0x63 => {
                let funct3 = [0, 1, 4, 5, 6, 7][(*word >> 12 & 7) as usize % 6];
                word & 0x01FF_8000
                    | funct3 << 12
                    | 0x63
                    | (o >> 12 & 1) << 31
                    | (o >> 5 & 0x3F) << 25
                    | (o >> 1 & 0xF) << 8
                    | (o >> 11 & 1) << 7
            }
            0x6F => {
                word & 0xF80
                    | 0x6F
                    | (o >> 20 & 1) << 31
                    | (o >> 1 & 0x3FF) << 21
                    | (o >> 11 & 1) << 20
                    | (o >> 12 & 0xFF) << 12
            }
            _ => *word,
        }
    };
    words.iter().enumerate().map(bend).collect()
}

/// How many programs each of the two tests below tries; `cargo xtask soak` asks again and again.
fn programs() -> u32 {
    if cfg!(debug_assertions) { 1000 } else { 100_000 }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
        programs()) })]

    // spec-test: X-58 X-06
    #[test]
    fn random_programs_mean_the_same_to_both_engines(
        words in prop::collection::vec(word(), 1..64),
        seed in any::<u32>(),
        budget in prop_oneof![0_u64..200, Just(5_000)],
    ) {
        same(&bent(&words), seed, budget);
    }

    // spec-test: X-58 X-06
    #[test]
    fn rows_of_common_instructions_mean_the_same_to_both_engines(
        words in prop::collection::vec(common_word(), 8..64),
        seed in any::<u32>(),
        budget in prop_oneof![0_u64..200, Just(2_000)],
    ) {
        same(&bent(&words), seed, budget);
    }
}

/// A word of this kind with the given registers; loads, stores and branches with offset 4.
fn word_of(of: Kind, rd: u32, rs1: u32, rs2: u32) -> u32 {
    let (word, rs1) = match of {
        kind::LW_SP => (0x0040_2003, 2),
        kind::SW_SP => (0x0000_2223, 2),
        kind::MV => (0x13, rs1),
        kind::J => return 0x0040_006F,
        kind::JR => return 0x0000_0067 | rs1 << 15,
        of => (plain_word(op_of(of)), rs1),
    };
    match word & 0x7F {
        0x37 => word | rd << 7,
        0x6F => word | 1 << 7,
        0x23 | 0x63 => word | rs1 << 15 | rs2 << 20,
        0x33 => word | rd << 7 | rs1 << 15 | rs2 << 20,
        _ => word | rd << 7 | rs1 << 15,
    }
}

fn plain_word(op: Op) -> u32 {
    match op {
        Op::Lui => 0x1234_5037,
        Op::Addi => 0x0050_0013,
        Op::Andi => 0x0FF0_7013,
        Op::Slli => 0x0070_1013,
        Op::Srli => 0x0190_5013,
        Op::Srai => 0x4030_5013,
        Op::Add => 0x33,
        Op::Sub => 0x4000_0033,
        Op::Xor => 0x4033,
        Op::Or => 0x6033,
        Op::And => 0x7033,
        Op::Sltu => 0x3033,
        Op::Mul => 0x0200_0033,
        Op::Lw => 0x0040_2003,
        Op::Lh => 0x0040_1003,
        Op::Lhu => 0x0040_5003,
        Op::Lbu => 0x0040_4003,
        Op::Sw => 0x0000_2223,
        Op::Sh => 0x0000_1223,
        Op::Sb => 0x0000_0223,
        Op::Jal => 0x0040_006F,
        Op::Jalr => 0x0000_0067,
        Op::Beq => 0x0263,
        Op::Bne => 0x1263,
        Op::Bltu => 0x6263,
        Op::Bgeu => 0x7263,
        other => panic!("no word for {other:?}"),
    }
}

/// Every form that has a function of its own, with every choice of equal and different registers
/// that a few draws give, in memory and outside of it, and cut short by the budget.
// spec-test: X-58 X-06
#[test]
fn every_fused_row_means_the_same_to_both_engines() {
    let lists = [
        fused::TRIPLES,
        fused::QUADRUPLES,
        fused::QUINTUPLES,
        fused::SEXTUPLES,
        fused::TWO_BEFORE_TRANSFER,
        fused::THREE_BEFORE_TRANSFER,
        fused::FOUR_BEFORE_TRANSFER,
    ];
    // Pointers into both kinds of memory, a small and a large number, and three to write to.
    const REGISTERS: [u32; 8] = [8, 9, 11, 4, 5, 14, 15, 13];
    let mut random = 1_u32;
    let mut draw = |n: usize| {
        random = random.wrapping_mul(0x915F_77F5).wrapping_add(1);
        REGISTERS[random as usize >> 13 & (n - 1)]
    };
    for row in lists.concat() {
        for round in 0..300 {
            let mut words: Vec<u32> = row
                .iter()
                .map(|of| word_of(*of, draw(8), draw(if round % 3 == 0 { 8 } else { 4 }), draw(8)))
                .collect();
            words.extend([0x0015_0513, 0x0015_0513, crate::decode::UNIMP]);
            same(&words, round, if round % 5 == 4 { 12 } else { 5_000 });
        }
    }
}

#[test]
fn every_budget_ends_at_the_same_instruction() {
    // addi a0, x0, 9; addi a1, a1, 3; addi a0, a0, -1; bne a0, x0, -8; ret
    let words = [0x0090_0513, 0x0035_8593, 0xFFF5_0513, 0xFE05_1CE3, 0x0000_8067];
    for budget in 0..40 {
        same(&words, 1, budget);
    }
}

/// 10^8 instructions, most of them transfers or fused, on a stack that a few thousand unfinished
/// calls would overflow.
#[test]
fn the_stack_stays_flat() {
    extern crate std;
    // loop: addi a0, a0, -1; lw a1, 0(x0); sw a1, 0(sp); jal x1, +4; bne a0, x0, loop; unimp
    let words =
        [0xFFF5_0513, 0x0000_2583, 0x00B1_2023, 0x0040_00EF, 0xFE05_18E3, crate::decode::UNIMP];
    let run = move || {
        let text = decoded(&words).unwrap();
        let mut machine = machine(1, u64::MAX, &words);
        machine.registers.set(10, 20_000_000);
        assert_eq!(Engine::Threaded.run(&text, &mut machine), Stop::Illegal);
        u64::MAX - machine.left
    };
    let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(run).unwrap();
    assert_eq!(thread.join().unwrap(), 100_000_000);
}
