//! Random programs of RV32IM and all extensions that always end, for two judges: each program is a plain static ELF32
//! file that reports all registers and its whole memory. Body and data are the same for both;
//! only the last words differ, because a Linux emulator knows `write` and the machine knows TRAP.
#![allow(dead_code, unreachable_pub)]

use super::extension_words::{EXTENSION_WORDS, filled};
use super::{A0, A1, A2, A7, SP, addi, branch, i, jal, jalr, li, r, store, sw};
use portcullis_svm::abi;

/// Where the text lies.
pub const TEXT: u32 = 0x0001_0000;
/// Where the data lie: 8 KiB that the body may use, then the register dump.
pub const DATA: u32 = 0x0040_0000;
/// Octets of data with the dump.
pub const DATA_LEN: u32 = 0x2000 + 128;
const DUMP: u32 = DATA + 0x2000;
/// The body never writes these: a pointer into the middle of the data, and the loop counter.
const POINTER: u32 = 8;
const COUNTER: u32 = 9;

/// Who runs the program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Judge {
    /// The dump goes out by TRAP PutMsg.
    Machine,
    /// The dump goes out by the system call `write`.
    Linux,
}

/// xorshift64*: the same numbers everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
    }

    pub fn below(&mut self, n: u32) -> u32 {
        self.next() % n
    }

    /// A value that finds corner cases more often than chance would.
    pub fn value(&mut self) -> u32 {
        const CORNERS: [u32; 10] =
            [0, 1, 2, 31, 32, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, !0 - 1, !0];
        match self.below(3) {
            0 => CORNERS[self.below(10) as usize],
            1 => self.next() >> self.below(32),
            _ => self.next(),
        }
    }

    fn source(&mut self) -> u32 {
        self.below(32)
    }

    /// Any register but the two that keep the program alive; x0 too.
    fn destination(&mut self) -> u32 {
        match self.below(32) {
            POINTER | COUNTER => 0,
            register => register,
        }
    }

    fn imm12(&mut self) -> i32 {
        (self.next() as i32) >> 20
    }
}

/// The words of the program of this seed, with about `length` instructions in its body.
pub fn words(seed: u64, length: usize, judge: Judge) -> Vec<u32> {
    let mut random = Random::new(seed);
    let mut words = Vec::new();
    for register in 1..32 {
        words.extend(li(register, random.value()));
    }
    words.extend(li(POINTER, DATA + 0x1000));
    let end = words.len() + length;
    while words.len() < end {
        if random.below(8) == 0 {
            // A counted loop around straight code with forward jumps.
            words.push(addi(COUNTER, 0, 1 + random.below(20) as i32));
            let start = words.len();
            body(&mut random, &mut words, 24);
            words.push(addi(COUNTER, COUNTER, -1));
            words.push(branch(1, COUNTER, 0, (start as i32 - words.len() as i32) * 4));
        } else {
            body(&mut random, &mut words, 16);
        }
    }
    words.extend(li(POINTER, DUMP));
    words.extend((0..32).map(|register| sw(register, POINTER, register as i32 * 4)));
    words.extend(epilogue(judge));
    words
}

fn epilogue(judge: Judge) -> Vec<u32> {
    let mut words = Vec::new();
    match judge {
        Judge::Linux => {
            words.push(addi(A0, 0, 1));
            words.extend(li(A1, DATA));
            words.extend(li(A2, DATA_LEN));
            words.extend([addi(A7, 0, 64), 0x0000_0073]);
        }
        Judge::Machine => {
            words.extend(li(SP, abi::PROGRAM_STACK_TOP - 8));
            words.extend(li(A0, DATA));
            words.extend([sw(A0, SP, 4)]);
            words.extend(li(A0, DATA_LEN));
            words.extend([sw(A0, SP, 0), abi::trap_word(abi::call::PUT_MSG)]);
        }
    }
    words.extend([addi(A0, 0, 0), addi(A7, 0, 93), 0x0000_0073]);
    words
}

/// About `n` instructions; jumps go forward and stay inside.
fn body(random: &mut Random, words: &mut Vec<u32>, n: usize) {
    let end = words.len() + n;
    while words.len() < end {
        let (rd, rs1, rs2) = (random.destination(), random.source(), random.source());
        match random.below(20) {
            16..=19 => {
                let known = &EXTENSION_WORDS[random.below(EXTENSION_WORDS.len() as u32) as usize];
                words.push(filled(known, [rd, rs1, rs2, random.next()]));
            }
            0..=4 => {
                const LEGAL: [(u32, u32); 10] = [
                    (0, 0),
                    (0x20, 0),
                    (0, 1),
                    (0, 2),
                    (0, 3),
                    (0, 4),
                    (0, 5),
                    (0x20, 5),
                    (0, 6),
                    (0, 7),
                ];
                let (funct7, funct3) = LEGAL[random.below(10) as usize];
                words.push(r(funct7, funct3, rd, rs1, rs2));
            }
            5 | 6 => words.push(r(1, random.below(8), rd, rs1, rs2)),
            7 | 8 => {
                const FUNCT3: [u32; 6] = [0, 2, 3, 4, 6, 7];
                let funct3 = FUNCT3[random.below(6) as usize];
                words.push(i(0x13, funct3, rd, rs1, random.imm12()));
            }
            9 => {
                const SHIFTS: [(u32, i32); 3] = [(1, 0), (5, 0), (5, 0x400)];
                let (funct3, high) = SHIFTS[random.below(3) as usize];
                words.push(i(0x13, funct3, rd, rs1, high | random.below(32) as i32));
            }
            10 => {
                words.push(random.next() & 0xFFFF_F000 | rd << 7 | [0x37, 0x17][rs1 as usize % 2])
            }
            11 | 12 => {
                let (base, offset) = address(random, words);
                if random.below(2) == 0 {
                    const LOADS: [u32; 5] = [0, 1, 2, 4, 5];
                    words.push(i(0x03, LOADS[random.below(5) as usize], rd, base, offset));
                } else {
                    words.push(store(random.below(3), rs2, base, offset));
                }
            }
            13 => {
                const BRANCHES: [u32; 6] = [0, 1, 4, 5, 6, 7];
                let funct3 = BRANCHES[random.below(6) as usize];
                let over = random.below(4);
                words.push(branch(funct3, rs1, rs2, (over as i32 + 1) * 4));
                filler(random, words, over);
            }
            14 => {
                let over = random.below(4);
                words.push(jal(rd, (over as i32 + 1) * 4));
                filler(random, words, over);
            }
            _ => {
                // auipc x, 0; jalr rd, x, to behind the filler, with bit 0 set or not.
                let through = match random.destination() {
                    0 => 1,
                    register => register,
                };
                let over = random.below(4);
                let bit = random.below(2) as i32;
                words.push(through << 7 | 0x17);
                words.push(jalr(rd, through, (over as i32 + 2) * 4 + bit));
                filler(random, words, over);
            }
        }
    }
}

/// A base register and an offset that lead into the data, aligned or not.
fn address(random: &mut Random, words: &mut Vec<u32>) -> (u32, i32) {
    if random.below(2) == 0 {
        return (POINTER, random.imm12().clamp(-2048, 2044));
    }
    let (source, base) = (random.source(), 1 + random.below(7));
    words.push(i(0x13, 7, base, source, 0x7FF));
    words.push(r(0, 0, base, base, POINTER));
    (base, random.imm12().clamp(-2048, 2044))
}

fn filler(random: &mut Random, words: &mut Vec<u32>, n: u32) {
    for _ in 0..n {
        let (rd, rs1) = (random.destination(), random.source());
        words.push(addi(rd, rs1, random.imm12()));
    }
}

/// A static ELF32 file: the text at [`TEXT`], random data at [`DATA`].
pub fn elf(seed: u64, words: &[u32]) -> Vec<u8> {
    let mut random = Random::new(!seed);
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let data: Vec<u8> = (0..DATA_LEN / 4).flat_map(|_| random.next().to_le_bytes()).collect();
    let code_at = 0x1000_u32;
    let data_at = (code_at + code.len() as u32).next_multiple_of(0x1000);
    let mut out = vec![0x7F, b'E', b'L', b'F', 1, 1, 1];
    out.resize(16, 0);
    out.extend([2_u16, 243].iter().flat_map(|half| half.to_le_bytes()));
    out.extend([1_u32, TEXT, 52, 0, 0].iter().flat_map(|word| word.to_le_bytes()));
    out.extend([52_u16, 32, 2, 40, 0, 0].iter().flat_map(|half| half.to_le_bytes()));
    let len = code.len() as u32;
    let headers = [
        [1, code_at, TEXT, TEXT, len, len, 5, 0x1000],
        [1, data_at, DATA, DATA, DATA_LEN, DATA_LEN, 6, 0x1000],
    ];
    out.extend(headers.concat().iter().flat_map(|word| word.to_le_bytes()));
    out.resize(code_at as usize, 0);
    out.extend(code);
    out.resize(data_at as usize, 0);
    out.extend(data);
    out
}
