//! Conformance to RV32IM (all of RV32I but FENCE.I, and M), instruction by instruction: see
//! `support/suite.rs`. What each must give is computed here from the text of the specification,
//! so there are three opinions: this file's, qemu's and ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{Engine, Outcome};
use support::suite::*;

const MARCH: &str = "rv32im";
const CPU: &str = "rv32";

fn signed(a: u32) -> i64 {
    i64::from(a as i32)
}

fn high(product: i128) -> u32 {
    (product >> 32) as u32
}

/// Register to register.
const REGISTER_REGISTER: [(&str, Two); 18] = [
    ("add", u32::wrapping_add),
    ("sub", u32::wrapping_sub),
    ("sll", |a, b| a << (b & 31)),
    ("slt", |a, b| u32::from(signed(a) < signed(b))),
    ("sltu", |a, b| u32::from(a < b)),
    ("xor", |a, b| a ^ b),
    ("srl", |a, b| a >> (b & 31)),
    ("sra", |a, b| (signed(a) >> (b & 31)) as u32),
    ("or", |a, b| a | b),
    ("and", |a, b| a & b),
    ("mul", u32::wrapping_mul),
    ("mulh", |a, b| high(i128::from(signed(a)) * i128::from(signed(b)))),
    ("mulhsu", |a, b| high(i128::from(signed(a)) * i128::from(b))),
    ("mulhu", |a, b| high(i128::from(a) * i128::from(b))),
    // By zero: all ones, and the dividend; the one overflow wraps.
    ("div", |a, b| if b == 0 { u32::MAX } else { (signed(a) / signed(b)) as u32 }),
    ("divu", |a, b| a.checked_div(b).unwrap_or(u32::MAX)),
    ("rem", |a, b| if b == 0 { a } else { (signed(a) % signed(b)) as u32 }),
    ("remu", |a, b| a.checked_rem(b).unwrap_or(a)),
];

const IMMEDIATES: [i32; 9] = [0, 1, -1, 2, 127, -128, 0x555, 2047, -2048];
const SHIFTS: [i32; 7] = [0, 1, 7, 15, 16, 30, 31];

/// Register and immediate.
const REGISTER_IMMEDIATE: [(&str, &[i32], Two); 9] = [
    ("addi", &IMMEDIATES, u32::wrapping_add),
    ("slti", &IMMEDIATES, |a, b| u32::from(signed(a) < signed(b))),
    ("sltiu", &IMMEDIATES, |a, b| u32::from(a < b)),
    ("xori", &IMMEDIATES, |a, b| a ^ b),
    ("ori", &IMMEDIATES, |a, b| a | b),
    ("andi", &IMMEDIATES, |a, b| a & b),
    ("slli", &SHIFTS, |a, b| a << b),
    ("srli", &SHIFTS, |a, b| a >> b),
    ("srai", &SHIFTS, |a, b| (signed(a) >> b) as u32),
];

type Condition = fn(u32, u32) -> bool;

const BRANCHES: [(&str, Condition); 6] = [
    ("beq", |a, b| a == b),
    ("bne", |a, b| a != b),
    ("blt", |a, b| (a as i32) < b as i32),
    ("bge", |a, b| a as i32 >= b as i32),
    ("bltu", |a, b| a < b),
    ("bgeu", |a, b| a >= b),
];

/// Taken and not, forwards and backwards, for every pair of operands.
fn branch(name: &str, taken: Condition) -> Program {
    let mut program = Program::new(name);
    for a in OPERANDS {
        for b in OPERANDS {
            let [x, y, d] = program.registers();
            let operands = format!("li x{x}, {a:#x}\nli x{y}, {b:#x}\nli x{d}, 1\n");
            let wanted = u32::from(taken(a, b));
            let forwards = format!("{operands}{name} x{x}, x{y}, 1f\nli x{d}, 0\n1:");
            program.case(&forwards, d, wanted);
            let backwards =
                format!("{operands}j 2f\n1: j 3f\n2: {name} x{x}, x{y}, 1b\nli x{d}, 0\n3:");
            program.case(&backwards, d, wanted);
        }
    }
    program
}

/// Octets of the data that loads read, and stores write over.
const DATA: [u8; 16] = [
    0x01, 0x7F, 0x80, 0xFF, 0x00, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0x81, 0x7E, 0x10,
];

fn data() -> String {
    let octets: Vec<String> = DATA.iter().map(u8::to_string).collect();
    format!(".balign 16\n.space 16\ntable: .byte {}\n.space 4096\n", octets.join(","))
}

/// At every alignment, with offsets of both signs and of full length.
fn load(name: &str, octets: usize, extend: One) -> Program {
    let mut program = Program::new(name);
    program.data(&data());
    for at in 0..=DATA.len() - octets {
        let mut word = [0; 4];
        word[..octets].copy_from_slice(&DATA[at..at + octets]);
        let wanted = extend(u32::from_le_bytes(word));
        for offset in [0, 1, -1, 3, 2047, -2048] {
            let [x, d] = program.registers();
            let address = format!("la x{x}, table + {at} - ({offset})\n");
            program.case(&format!("{address}{name} x{d}, {offset}(x{x})"), d, wanted);
            program.case(&format!("{address}{name} x{x}, {offset}(x{x})"), x, wanted);
        }
    }
    program
}

/// Four words are written at every alignment, then each is seen whole: what lies beside stays.
fn store(name: &str, octets: usize) -> Program {
    let mut program = Program::new(name);
    program.data(&data());
    let mut memory = DATA;
    for at in 0..=DATA.len() - octets {
        for (offset, value) in [(0, 0x8765_4321_u32), (2047, 0xFFFF_FFFF), (-2048, 0x0102_0380)] {
            memory[at..at + octets].copy_from_slice(&value.to_le_bytes()[..octets]);
            let [x, y, d] = program.registers();
            let mut code = format!("li x{y}, {value:#x}\nla x{x}, table + {at} - ({offset})\n");
            code.push_str(&format!("{name} x{y}, {offset}(x{x})\nla x{x}, table\n"));
            for word in 0..4 {
                let seen = u32::from_le_bytes(*memory.as_chunks::<4>().0.get(word).unwrap());
                let look = format!("lw x{d}, {}(x{x})", 4 * word);
                let before = if word == 0 { code.as_str() } else { "" };
                // The registers of the address stay the same over the four looks.
                let again = format!("la x{x}, table\n");
                let before = if word == 0 { before } else { &again };
                program.case(&format!("{before}{look}"), d, seen);
            }
        }
    }
    program
}

fn lui() -> Program {
    let mut program = Program::new("lui");
    for value in [0_u32, 1, 0x7FFFF, 0x80000, 0xFFFFF, 0x12345] {
        let [d] = program.registers();
        program.case(&format!("lui x{d}, {value:#x}"), d, value << 12);
    }
    program.case("lui x0, 0x12345\nmv x5, x0", 5, 0);
    program
}

/// The difference to the address of the instruction itself.
fn auipc() -> Program {
    let mut program = Program::new("auipc");
    for value in [0_u32, 1, 0x7FFFF, 0x80000, 0xFFFFF, 0x12345] {
        let [x, d] = program.registers();
        let code = format!("la x{x}, 1f\n1: auipc x{d}, {value:#x}\nsub x{d}, x{d}, x{x}");
        program.case(&code, d, value << 12);
    }
    program
}

fn jal() -> Program {
    let mut program = Program::new("jal");
    for _ in 0..30 {
        let [x, d, y] = program.registers();
        // The link is the address behind the jump; what lies between does not run.
        let begin = format!("li x{y}, 1\nla x{x}, 1f\n");
        let forwards = format!("{begin}jal x{d}, 2f\n1: li x{y}, 0\n2: sub x{d}, x{d}, x{x}");
        program.case(&format!("{forwards}\nadd x{d}, x{d}, x{y}"), d, 1);
        let backwards = format!("{begin}j 3f\n2: j 4f\n3: jal x{d}, 2b\n1: li x{y}, 0\n4:");
        program.case(&format!("{backwards} sub x{d}, x{d}, x{x}\nadd x{d}, x{d}, x{y}"), d, 1);
        program.case(&format!("{begin}jal x0, 2f\n1: li x{y}, 0\n2: mv x{d}, x{y}"), d, 1);
    }
    program
}

/// Offsets of both signs, bit 0 of the target cleared, rd = rs1, and no link.
fn jalr() -> Program {
    let mut program = Program::new("jalr");
    for offset in [0, 4, -4, 2044, -2048] {
        for odd in [0, 1] {
            let [x, d, y, z] = program.registers();
            for d in [d, x] {
                let code = format!(
                    "li x{y}, 1\nla x{x}, 2f - ({offset}) + {odd}\njalr x{d}, {offset}(x{x})\n\
                     1: li x{y}, 0\n2: la x{z}, 1b\nsub x{d}, x{d}, x{z}\nadd x{d}, x{d}, x{y}"
                );
                program.case(&code, d, 1);
            }
            let code = format!(
                "li x{y}, 1\nla x{x}, 2f - ({offset})\njalr x0, {}(x{x})\nli x{y}, 0\n\
                 2: add x{y}, x{y}, x0",
                offset + odd
            );
            program.case(&code, y, 1);
        }
    }
    program
}

fn fence() -> Program {
    let mut program = Program::new("fence");
    for kind in ["fence", "fence rw, rw", "fence r, w", "fence.tso"] {
        program.case(&format!("li x5, 7\n{kind}\naddi x5, x5, 1"), 5, 8);
    }
    program
}

// spec-test: X-05 X-58
#[test]
fn every_instruction_does_what_the_specification_says() {
    if let Some(why) = missing() {
        return skip("suite_rv32im", why);
    }
    let mut programs = Vec::new();
    programs.extend(REGISTER_REGISTER.map(|(name, meaning)| register_register(name, meaning)));
    programs.extend(
        REGISTER_IMMEDIATE
            .map(|(name, immediates, meaning)| register_immediate(name, immediates, meaning)),
    );
    programs.extend(BRANCHES.map(|(name, taken)| branch(name, taken)));
    programs.push(load("lb", 1, |a| a as u8 as i8 as u32));
    programs.push(load("lbu", 1, |a| a));
    programs.push(load("lh", 2, |a| a as u16 as i16 as u32));
    programs.push(load("lhu", 2, |a| a));
    programs.push(load("lw", 4, |a| a));
    programs.extend([("sb", 1), ("sh", 2), ("sw", 4)].map(|(name, octets)| store(name, octets)));
    programs.extend([lui(), auipc(), jal(), jalr(), fence()]);
    // RV32I has 40 instructions with ECALL and EBREAK, M has 8. ECALL ends each program; EBREAK is
    // refused before a client runs (tests/hostile_words.rs).
    assert_eq!(programs.len(), 38 + 8);
    all_pass(&programs, MARCH, CPU);
}

#[test]
fn a_wrong_expectation_is_found_by_the_judge_and_by_every_engine() {
    if let Some(why) = missing() {
        return skip("suite_rv32im", why);
    }
    let mut program = Program::new("wrong");
    program.case("li x5, 1\naddi x6, x5, 1", 6, 2);
    program.case("li x5, 1\naddi x6, x5, 1", 6, 3);
    let file = program.assemble(MARCH);
    assert_eq!(by_qemu(&file, CPU), 3, "the second case is number 3");
    for engine in [Engine::MatchLoop, Engine::Threaded] {
        assert_eq!(by_engine(&file, engine), Outcome::Exited(3), "{engine:?}");
    }
}
