//! Both engines on the same programs: the same registers, memory, end and count.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

extern crate std;

use alloc::vec::Vec;

use proptest::prelude::*;

use super::kind::{
    NONE, ROW_MAX, Source, first_source, kinds_in, operation, operation_of, second_source,
};
use super::{fused, rows};
use crate::abi;
use crate::decode::Op;
use crate::engine::{Engine, Machine, Run};
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
    std::thread_local! {
        static PERMITS: PermitTable = {
            let mut permits = PermitTable::deny_all();
            for id in 0..0x800 {
                permits.permit(crate::Event::Timer, id);
            }
            permits
        };
    }
    let text: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    PERMITS.with(|permits| scan(&text, 0, 0, permits, &limits)).ok().map(|(text, _)| text)
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
    let stop = engine.run(&mut Run::new(text, None), &mut machine);
    let registers = (0..32).map(|register| machine.registers.get(register)).collect();
    (stop, machine.registers.pc, machine.left, registers, machine.memory.dump())
}

pub(super) fn same(words: &[u32], seed: u32, budget: u64) {
    let Some(text) = decoded(words) else { return };
    let reference = ended(Engine::MatchLoop, &text, machine(seed, budget, words));
    let threaded = ended(Engine::Threaded, &text, machine(seed, budget, words));
    assert_eq!(reference, threaded, "{words:08x?} seed {seed} budget {budget}");
}

/// Words of the declared extensions without registers.
#[rustfmt::skip]
pub(super) const EXTENSION_FUNCTIONS: &[u32] = &[
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
pub(super) fn bent(words: &[u32]) -> Vec<u32> {
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

/// How many programs each of the two tests below tries; `many.rs` tries more.
fn programs() -> u32 {
    if cfg!(debug_assertions) { 1000 } else { 20_000 }
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

/// A word of the operation, without registers; loads, stores and transfers with offset 4. Where a
/// handler executes two, `other` asks for the second. None of the extensions: the random programs
/// have all of those.
fn plain_word(operation: u32, other: bool) -> Option<u32> {
    let one_of = |words: [u32; 2]| Some(words[usize::from(other)]);
    match operation {
        operation::EQ => return one_of([0x0263, 0x1263]),
        operation::LT => return one_of([0x4263, 0x5263]),
        operation::LTU => return one_of([0x6263, 0x7263]),
        operation::SHIFT => return one_of([0x0070_1013, 0x0190_5013]),
        operation::SUM => return one_of([0x33, 0x4000_0033]),
        operation::LW_SP => return Some(0x0041_2003),
        operation::SW_SP => return Some(0x0001_2223),
        operation::MV => return Some(0x13),
        operation::J => return Some(0x0040_006F),
        operation::JR => return Some(0x67),
        operation::ROTR => return Some(0x6033),
        _ => {}
    }
    let name = *Op::NAMES.get(operation as usize).unwrap();
    let all = [
        ("Lui", 0x1234_5037),
        ("Addi", 0x0050_0013),
        ("Slti", 0x0050_2013),
        ("Sltiu", 0x0050_3013),
        ("Xori", 0x0050_4013),
        ("Ori", 0x0050_6013),
        ("Andi", 0x0FF0_7013),
        ("Slli", 0x0070_1013),
        ("Srli", 0x0190_5013),
        ("Srai", 0x4030_5013),
        ("Add", 0x33),
        ("Sub", 0x4000_0033),
        ("Sll", 0x1033),
        ("Slt", 0x2033),
        ("Sltu", 0x3033),
        ("Xor", 0x4033),
        ("Srl", 0x5033),
        ("Sra", 0x4000_5033),
        ("Or", 0x6033),
        ("And", 0x7033),
        ("Mul", 0x0200_0033),
        ("Mulh", 0x0200_1033),
        ("Mulhsu", 0x0200_2033),
        ("Mulhu", 0x0200_3033),
        ("Div", 0x0200_4033),
        ("Divu", 0x0200_5033),
        ("Rem", 0x0200_6033),
        ("Remu", 0x0200_7033),
        ("Lw", 0x0040_2003),
        ("Lb", 0x0040_0003),
        ("Lh", 0x0040_1003),
        ("Lhu", 0x0040_5003),
        ("Lbu", 0x0040_4003),
        ("Sw", 0x0000_2223),
        ("Sh", 0x0000_1223),
        ("Sb", 0x0000_0223),
        ("Fence", 0x0F),
        ("Jal", 0x0040_006F),
        ("Jalr", 0x67),
        ("Beq", 0x0263),
        ("Bne", 0x1263),
        ("Blt", 0x4263),
        ("Bge", 0x5263),
        ("Bltu", 0x6263),
        ("Bgeu", 0x7263),
    ];
    all.iter().find(|(of, _)| *of == name).map(|(_, word)| *word)
}

/// Words that make a row; of two operations of one handler the bits of `others` choose. Registers that the row leaves free come from `draw`, which is told what
/// the row has used so far and whether a pointer would do good.
fn words_of(row: &str, others: u32, mut draw: impl FnMut(&[u32], bool) -> u32) -> Option<Vec<u32>> {
    let (mut destinations, mut sources, mut used) = (Vec::new(), Vec::new(), Vec::new());
    let mut words = Vec::new();
    let kinds: Vec<u32> = kinds_in(row).into_iter().take_while(|kind| *kind != NONE).collect();
    let on_stack = |kind: u32| matches!(operation_of(kind), operation::LW_SP | operation::SW_SP);
    // What an access to the stack takes as its address is x2: first operands, and results.
    let mut is_stack = [[false; ROW_MAX]; 2];
    for (at, kind) in kinds.iter().copied().enumerate().rev() {
        is_stack[0][at] |= on_stack(kind);
        if is_stack[0][at] {
            match first_source(kind) {
                Source::Result(distance) => is_stack[1][at - distance] = true,
                Source::Operand(distance) => is_stack[0][at - distance] = true,
                _ => {}
            }
        }
    }
    // Both shifts of a rotation have one operand, even where the later does not say so.
    let mut shifts_with = [None; ROW_MAX];
    for (at, kind) in kinds.iter().copied().enumerate() {
        if let (operation::ROTR, Source::Result(a), Source::Result(b)) =
            (operation_of(kind), first_source(kind), second_source(kind))
        {
            shifts_with[at - a.min(b)] = Some(at - a.max(b));
        }
    }
    let rotates = kinds.iter().any(|kind| operation_of(*kind) == operation::ROTR);
    for (at, kind) in kinds.iter().copied().enumerate() {
        let mut word = plain_word(operation_of(kind), others >> (at % 4) & 1 == 1)?;
        if !rotates && word & 0x707F == 0x1013 {
            // Not what SRLI above would make a rotation of.
            word ^= 1 << 20;
        }
        let is_memory = matches!(word & 0x7F, 0x03 | 0x23);
        let mut from = |source: Source| match source {
            Source::Register => match shifts_with[at] {
                Some(earlier) => sources[earlier],
                None => draw(&used, is_memory),
            },
            Source::Zero => 0,
            Source::Result(distance) => destinations[at - distance],
            Source::Operand(distance) => sources[at - distance],
        };
        let (rs1, rs2) = (from(first_source(kind)), from(second_source(kind)));
        let rd = match (kind >> 18 & 15) as usize {
            _ if is_stack[1][at] => 2,
            0 => draw(&used, false),
            distance => destinations[at - distance],
        };
        let rs1 = if is_stack[0][at] { 2 } else { rs1 };
        words.push(match word & 0x7F {
            0x67 if operation_of(kind) == operation::JR => word | rs1 << 15,
            0x6F if operation_of(kind) == operation::J => word,
            0x37 | 0x6F => word | rd << 7,
            0x0F => word,
            0x23 | 0x63 => word | rs1 << 15 | rs2 << 20,
            0x33 => word | rd << 7 | rs1 << 15 | rs2 << 20,
            _ => word | rd << 7 | rs1 << 15,
        });
        destinations.push(rd);
        sources.push(rs1);
        used.extend([rd, rs1]);
    }
    Some(words)
}

/// Every row that has a function of its own, with every choice of equal and different registers
/// that a few draws give, in memory and outside of it, and cut short by the budget; and it is seen
/// that the row does get that function.
// spec-test: X-58 X-06
#[test]
fn every_row_means_the_same_to_both_engines() {
    // Pointers into both kinds of memory, a small and a large number, and three to write to.
    const REGISTERS: [u32; 8] = [8, 9, 11, 4, 5, 14, 15, 13];
    let mut random = 1_u32;
    let mut next = |n: usize| {
        random = random.wrapping_mul(0x915F_77F5).wrapping_add(1);
        random as usize >> 13 & (n - 1)
    };
    let mut idle = Vec::new();
    for rows::Row { words: row, handler, .. } in rows::ROWS {
        let mut reached = false;
        for round in 0..400 {
            let few = round % 3 == 0;
            let words = words_of(row, round / 2, |used, pointer| {
                if few {
                    return REGISTERS[next(8)];
                }
                // Others than used so far, if there are.
                let mut drawn = (0..40).map(|_| match pointer {
                    true => [8, 9, 16, 17][next(4)],
                    false => 3 + next(32) as u32 % 29,
                });
                drawn.find(|register| !used.contains(register)).unwrap_or(31)
            });
            let Some(mut words) = words else {
                reached = true;
                continue;
            };
            if round % 2 == 0 {
                words.extend([0x0015_0513, 0x0015_0513]);
            }
            words.push(crate::decode::UNIMP);
            same(&words, round, if round % 5 == 4 { 12 } else { 5_000 });
            let is_it = |text: DecodedText| {
                fused::fuse(&text.code, 0);
                let first = text.code.first();
                first.is_some_and(|slot| core::ptr::fn_addr_eq(slot.function(), *handler))
            };
            reached |= decoded(&words).is_some_and(is_it);
        }
        // Those of one operation each may be there for either of two.
        let is_general =
            |kind: &u32| (operation::EQ..=operation::SUM).contains(&operation_of(*kind));
        if !reached && !kinds_in(row).iter().any(is_general) {
            idle.push(*row);
        }
    }
    assert!(idle.is_empty(), "no program runs the rows {idle:?}");
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
    // loop: addi a0, a0, -1; lw a1, 0(x0); sw a1, 0(sp); jal x1, +4; bne a0, x0, loop; unimp
    let words =
        [0xFFF5_0513, 0x0000_2583, 0x00B1_2023, 0x0040_00EF, 0xFE05_18E3, crate::decode::UNIMP];
    let run = move || {
        let text = decoded(&words).unwrap();
        let mut machine = machine(1, u64::MAX, &words);
        machine.registers.set(10, 20_000_000);
        assert_eq!(Engine::Threaded.run(&mut Run::new(&text, None), &mut machine), Stop::Illegal);
        u64::MAX - machine.left
    };
    let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(run).unwrap();
    assert_eq!(thread.join().unwrap(), 100_000_000);
}

/// Code that is reached for the first time at each of its instructions: choosing functions leaves
/// nothing on the stack.
#[test]
fn choosing_functions_needs_no_stack() {
    // jal x0, +4, again and again; unimp
    let mut words = alloc::vec![0x0040_006F; 4000];
    words.push(crate::decode::UNIMP);
    let run = move || {
        let text = decoded(&words).unwrap();
        let mut machine = machine(1, u64::MAX, &words);
        assert_eq!(Engine::Threaded.run(&mut Run::new(&text, None), &mut machine), Stop::Illegal);
        u64::MAX - machine.left
    };
    let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(run).unwrap();
    assert_eq!(thread.join().unwrap(), 4000);
}
