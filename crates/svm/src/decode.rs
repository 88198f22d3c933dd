//! RV32IM, its declared extensions and TRAP: one 32-bit word in, one decoded instruction out, or
//! nothing.
//!
//! Clauses: X.1198 7.1 (32 registers and a PC of 32 bits; the format is left open and decided as
//! RISC-V RV32IM), 7.3 (permit list). Reserved encodings, ECALL, EBREAK, CSR, FENCE.I and every
//! other custom opcode do not decode. There are no 16-bit encodings: one word has one meaning.

use crate::extension;

macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What an instruction does. `imm` holds an immediate, for branches and JAL the index of
        /// the target in the decoded code, for TRAP the call id, for AES the place of the octet.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "the names are the mnemonics of RISC-V")]
        pub enum Op {
            $($(#[$doc])* $name,)*
        }

        impl Op {
            /// All of them; each stands at its own number.
            #[cfg(portcullis_threaded)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];
            /// Their names, in the same order.
            #[cfg(portcullis_threaded)]
            pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
        }
    };
}

ops! {
    Lui, Auipc, Jal, Jalr,
    Beq, Bne, Blt, Bge, Bltu, Bgeu,
    Lb, Lh, Lw, Lbu, Lhu, Sb, Sh, Sw,
    Addi, Slti, Sltiu, Xori, Ori, Andi, Slli, Srli, Srai,
    Add, Sub, Sll, Slt, Sltu, Xor, Srl, Sra, Or, And,
    Mul, Mulh, Mulhsu, Mulhu, Div, Divu, Rem, Remu,
    Sh1add, Sh2add, Sh3add,
    Andn, Orn, Xnor, Clz, Ctz, Cpop, Max, Maxu, Min, Minu, SextB, SextH, Rol, Ror, Rori, OrcB, Rev8,
    Pack, Packh, Brev8, Zip, Unzip,
    Sha256Sig0, Sha256Sig1, Sha256Sum0, Sha256Sum1,
    Sha512Sig0h, Sha512Sig0l, Sha512Sig1h, Sha512Sig1l, Sha512Sum0r, Sha512Sum1r,
    Aes32esi, Aes32esmi, Aes32dsi, Aes32dsmi,
    Fence, Trap,
    /// `unimp`, which stock compilers put where control never comes: faults when reached.
    Unimp,
    /// `ecall`, in compatibility mode only.
    Ecall,
    /// A word that does not decode, in compatibility mode only: faults when reached.
    Illegal,
}

/// One decoded instruction. Destination x0 is decoded as register [`SINK`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// Destination, or [`SINK`].
    pub rd: u8,
    /// First source.
    pub rs1: u8,
    /// Second source.
    pub rs2: u8,
    /// Immediate, index or id, see [`Op`].
    pub imm: i32,
}

/// Where writes to x0 go, so that x0 stays zero without a test at run time.
pub const SINK: u8 = 32;
/// `csrrw x0, cycle, x0`: the word that assemblers write for `unimp`.
pub(crate) const UNIMP: u32 = 0xC000_1073;
/// `ecall`.
pub(crate) const ECALL: u32 = 0x0000_0073;

/// Decodes one word; `None` when it is not on the permit list.
// spec: X-C02 X-T03 X-58
pub(crate) const fn decode(word: u32) -> Option<Instruction> {
    let rd = match (word >> 7 & 31) as u8 {
        0 => SINK,
        rd => rd,
    };
    let rs1 = (word >> 15 & 31) as u8;
    let rs2 = (word >> 20 & 31) as u8;
    let funct3 = word >> 12 & 7;
    let funct7 = word >> 25;
    let i_imm = word as i32 >> 20;
    let s_imm = (word as i32 >> 25 << 5) | (word >> 7 & 31) as i32;
    let (op, imm) = match word & 0x7F {
        0x37 => (Op::Lui, (word & 0xFFFF_F000) as i32),
        0x17 => (Op::Auipc, (word & 0xFFFF_F000) as i32),
        0x6F => (Op::Jal, j_immediate(word)),
        0x67 if funct3 == 0 => (Op::Jalr, i_imm),
        0x63 => match branch(funct3) {
            Some(op) => (op, b_immediate(word)),
            None => return None,
        },
        0x03 => match load(funct3) {
            Some(op) => (op, i_imm),
            None => return None,
        },
        0x23 => match funct3 {
            0 => (Op::Sb, s_imm),
            1 => (Op::Sh, s_imm),
            2 => (Op::Sw, s_imm),
            _ => return None,
        },
        0x13 => match (
            register_immediate(funct3, funct7),
            extension::register_immediate(funct3, funct7, rs2),
        ) {
            (Some(op @ (Op::Slli | Op::Srli | Op::Srai)), _) | (None, Some(op)) => (op, rs2 as i32),
            (Some(op), _) => (op, i_imm),
            (None, None) => return None,
        },
        0x33 => {
            match (register_register(funct3, funct7), extension::register_register(funct3, funct7))
            {
                (Some(op), _) => (op, 0),
                (None, Some(op)) => (op, (word >> 30 << 3) as i32),
                (None, None) => return None,
            }
        }
        // FENCE orders memory between harts; there is one, so it does nothing. FENCE.I is refused.
        0x0F if funct3 == 0 => (Op::Fence, 0),
        0x0B => return trap(word),
        _ if word == UNIMP => (Op::Unimp, 0),
        _ => return None,
    };
    Some(Instruction { op, rd, rs1, rs2, imm })
}

/// TRAP has fixed operands: funct3 0, rd x31, rs1 x2, a call id of 11 bits.
const fn trap(word: u32) -> Option<Instruction> {
    let id = word >> 20;
    if word & 0x000F_FFFF == 0x0001_0F8B && id < crate::abi::SYSCALL_IDS as u32 {
        Some(Instruction { op: Op::Trap, rd: 31, rs1: 2, rs2: 0, imm: id as i32 })
    } else {
        None
    }
}

const fn branch(funct3: u32) -> Option<Op> {
    Some(match funct3 {
        0 => Op::Beq,
        1 => Op::Bne,
        4 => Op::Blt,
        5 => Op::Bge,
        6 => Op::Bltu,
        7 => Op::Bgeu,
        _ => return None,
    })
}

const fn load(funct3: u32) -> Option<Op> {
    Some(match funct3 {
        0 => Op::Lb,
        1 => Op::Lh,
        2 => Op::Lw,
        4 => Op::Lbu,
        5 => Op::Lhu,
        _ => return None,
    })
}

const fn register_immediate(funct3: u32, funct7: u32) -> Option<Op> {
    Some(match (funct3, funct7) {
        (0, _) => Op::Addi,
        (2, _) => Op::Slti,
        (3, _) => Op::Sltiu,
        (4, _) => Op::Xori,
        (6, _) => Op::Ori,
        (7, _) => Op::Andi,
        (1, 0x00) => Op::Slli,
        (5, 0x00) => Op::Srli,
        (5, 0x20) => Op::Srai,
        _ => return None,
    })
}

const fn register_register(funct3: u32, funct7: u32) -> Option<Op> {
    Some(match (funct7, funct3) {
        (0x00, 0) => Op::Add,
        (0x20, 0) => Op::Sub,
        (0x00, 1) => Op::Sll,
        (0x00, 2) => Op::Slt,
        (0x00, 3) => Op::Sltu,
        (0x00, 4) => Op::Xor,
        (0x00, 5) => Op::Srl,
        (0x20, 5) => Op::Sra,
        (0x00, 6) => Op::Or,
        (0x00, 7) => Op::And,
        (0x01, 0) => Op::Mul,
        (0x01, 1) => Op::Mulh,
        (0x01, 2) => Op::Mulhsu,
        (0x01, 3) => Op::Mulhu,
        (0x01, 4) => Op::Div,
        (0x01, 5) => Op::Divu,
        (0x01, 6) => Op::Rem,
        (0x01, 7) => Op::Remu,
        _ => return None,
    })
}

const fn b_immediate(word: u32) -> i32 {
    (word as i32 >> 31 << 12)
        | ((word >> 7 & 1) << 11) as i32
        | ((word >> 25 & 0x3F) << 5) as i32
        | ((word >> 8 & 0xF) << 1) as i32
}

const fn j_immediate(word: u32) -> i32 {
    (word as i32 >> 31 << 20)
        | (word & 0x000F_F000) as i32
        | ((word >> 20 & 1) << 11) as i32
        | ((word >> 21 & 0x3FF) << 1) as i32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // spec-test: X-T03
    #[test]
    fn trap_has_one_encoding() {
        let trap = decode(0x1231_0F8B).unwrap();
        assert_eq!((trap.op, trap.imm), (Op::Trap, 0x123));
        assert_eq!(crate::abi::trap_word(0x123), 0x1231_0F8B);
        for bit in 0..20 {
            let word = 0x1231_0F8B ^ (1 << bit);
            assert!(decode(word).is_none_or(|i| i.op != Op::Trap), "{word:08x}");
        }
        assert_eq!(decode(0x8001_0F8B), None, "ids end at 0x7ff");
    }

    // spec-test: X-C02
    #[test]
    fn forbidden_words_do_not_decode() {
        for (name, word) in [
            ("ecall", 0x0000_0073),
            ("ebreak", 0x0010_0073),
            ("csrr a0, cycle", 0xC000_2573),
            ("csrw mtvec, a0", 0x3055_1073),
            ("mret", 0x3020_0073),
            ("wfi", 0x1050_0073),
            ("fence.i", 0x0000_100F),
            ("custom-1", 0x0000_002B),
            ("custom-0 funct3 1", 0x0011_1F8B),
            ("amoadd.w", 0x00A5_252F),
            ("flw", 0x0005_2507),
            ("zero", 0),
            ("ones", u32::MAX),
            ("c.nop pair", 0x0001_0001),
            ("slli shamt 32", 0x0205_1513),
            ("ld", 0x0005_3503),
            ("jalr funct3 1", 0x0005_1567),
            ("reserved funct7", 0x42B5_0533),
        ] {
            assert_eq!(decode(word), None, "{name}");
        }
    }

    #[test]
    fn immediates_are_sign_extended() {
        // addi a0, a0, -1; lui a0, 0x80000; sw a0, -4(sp); beq x0, x0, -4; jal x0, -4
        for (word, imm) in [
            (0xFFF5_0513, -1),
            (0x8000_0537, i32::MIN),
            (0xFEA1_2E23, -4),
            (0xFE00_0EE3, -4),
            (0xFFDF_F06F, -4),
        ] {
            assert_eq!(decode(word).unwrap().imm, imm, "{word:08x}");
        }
    }
}
