//! What each instruction computes from its registers and its immediate, without memory or jumps:
//! the one definition for every engine.
//!
//! Clause: X.1198 7.1; RISC-V "Unprivileged" RV32IM and the declared [`crate::Extension`]s. Called
//! with an `op` known at compile time it becomes the one operation.

use crate::decode::Op;
use crate::scalar_crypto::{aes32, sha2};

/// The value for rd: `a` is rs1, `b` is rs2. Instructions that compute nothing give 0.
#[inline(always)]
#[rustfmt::skip]
pub(crate) const fn operate(op: Op, a: u32, b: u32, imm: i32) -> u32 {
    let immediate = imm as u32;
    match op {
        Op::Lui | Op::Auipc => immediate,
        Op::Addi => a.wrapping_add(immediate),
        Op::Slti => ((a as i32) < imm) as u32,
        Op::Sltiu => (a < immediate) as u32,
        Op::Xori => a ^ immediate,
        Op::Ori => a | immediate,
        Op::Andi => a & immediate,
        Op::Slli => a.wrapping_shl(immediate),
        Op::Srli => a.wrapping_shr(immediate),
        Op::Srai => (a as i32).wrapping_shr(immediate) as u32,
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Sll => a.wrapping_shl(b),
        Op::Slt => ((a as i32) < b as i32) as u32,
        Op::Sltu => (a < b) as u32,
        Op::Xor => a ^ b,
        Op::Srl => a.wrapping_shr(b),
        Op::Sra => (a as i32).wrapping_shr(b) as u32,
        Op::Or => a | b,
        Op::And => a & b,
        Op::Mul => a.wrapping_mul(b),
        Op::Mulh => ((a as i32 as i64 * b as i32 as i64) >> 32) as u32,
        Op::Mulhsu => ((a as i32 as i64 * b as i64) >> 32) as u32,
        Op::Mulhu => ((a as u64 * b as u64) >> 32) as u32,
        // Division never traps: by zero gives all ones (remainder: the dividend), overflow wraps.
        Op::Div => if b == 0 { !0 } else { (a as i32).wrapping_div(b as i32) as u32 },
        Op::Divu => match a.checked_div(b) { Some(quotient) => quotient, None => !0 },
        Op::Rem => if b == 0 { a } else { (a as i32).wrapping_rem(b as i32) as u32 },
        Op::Remu => if b == 0 { a } else { a % b },
        // Zba, Zbb, Zbkb
        Op::Sh1add => (a << 1).wrapping_add(b),
        Op::Sh2add => (a << 2).wrapping_add(b),
        Op::Sh3add => (a << 3).wrapping_add(b),
        Op::Andn => a & !b,
        Op::Orn => a | !b,
        Op::Xnor => !(a ^ b),
        Op::Clz => a.leading_zeros(),
        Op::Ctz => a.trailing_zeros(),
        Op::Cpop => a.count_ones(),
        Op::Max => if (a as i32) < b as i32 { b } else { a },
        Op::Maxu => if a < b { b } else { a },
        Op::Min => if (a as i32) < b as i32 { a } else { b },
        Op::Minu => if a < b { a } else { b },
        Op::SextB => a as i8 as u32,
        Op::SextH => a as i16 as u32,
        Op::Rol => a.rotate_left(b & 31),
        Op::Ror => a.rotate_right(b & 31),
        Op::Rori => a.rotate_right(immediate & 31),
        Op::OrcB => or_combined(a),
        Op::Rev8 => a.swap_bytes(),
        Op::Pack => a & 0xFFFF | b << 16,
        Op::Packh => a & 0xFF | (b & 0xFF) << 8,
        Op::Brev8 => a.reverse_bits().swap_bytes(),
        Op::Zip => spread(a & 0xFFFF) | spread(a >> 16) << 1,
        Op::Unzip => gathered(a) | gathered(a >> 1) << 16,
        // Zknh
        Op::Sha256Sig0 | Op::Sha256Sig1 | Op::Sha256Sum0 | Op::Sha256Sum1
        | Op::Sha512Sig0h | Op::Sha512Sig0l | Op::Sha512Sig1h | Op::Sha512Sig1l
        | Op::Sha512Sum0r | Op::Sha512Sum1r => sha2(op, a, b),
        // Zkne, Zknd
        Op::Aes32esi | Op::Aes32esmi | Op::Aes32dsi | Op::Aes32dsmi => aes32(op, a, b, immediate),
        Op::Jal | Op::Jalr | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu
        | Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu | Op::Sb | Op::Sh | Op::Sw
        | Op::Fence | Op::Trap | Op::Unimp | Op::Ecall | Op::Illegal => 0,
    }
}

/// `match` on `$op` with the given arms and one for each instruction that computes: there
/// [`operate`] stands with an `op` known at compile time, so that all of it is one jump.
macro_rules! match_op {
    ($op:expr, $a:expr, $b:expr, $imm:expr, { $($arms:tt)* }) => {
        match_op!(@with $op, $a, $b, $imm, { $($arms)* }
            Lui Auipc Addi Slti Sltiu Xori Ori Andi Slli Srli Srai Add Sub Sll Slt Sltu Xor Srl Sra
            Or And Mul Mulh Mulhsu Mulhu Div Divu Rem Remu Sh1add Sh2add Sh3add Andn Orn Xnor Clz
            Ctz Cpop Max Maxu Min Minu SextB SextH Rol Ror Rori OrcB Rev8 Pack Packh Brev8 Zip
            Unzip Sha256Sig0 Sha256Sig1 Sha256Sum0 Sha256Sum1 Sha512Sig0h Sha512Sig0l Sha512Sig1h
            Sha512Sig1l Sha512Sum0r Sha512Sum1r Aes32esi Aes32esmi Aes32dsi Aes32dsmi)
    };
    (@with $op:expr, $a:expr, $b:expr, $imm:expr, { $($arms:tt)* } $($name:ident)*) => {
        match $op {
            $($arms)*
            $(Op::$name => operate(Op::$name, $a, $b, $imm),)*
        }
    };
}
pub(crate) use match_op;

/// Whether a branch is taken.
#[inline(always)]
pub(crate) const fn taken(op: Op, a: u32, b: u32) -> bool {
    match op {
        Op::Beq => a == b,
        Op::Bne => a != b,
        Op::Blt => (a as i32) < b as i32,
        Op::Bge => a as i32 >= b as i32,
        Op::Bltu => a < b,
        _ => a >= b,
    }
}

/// Every octet that is not zero becomes all ones.
const fn or_combined(a: u32) -> u32 {
    let low = 0x7F7F_7F7F;
    // The top bit of each octet: whether any of its bits is set.
    let any = ((a & low).wrapping_add(low) | a) & !low;
    (any >> 7).wrapping_mul(0xFF)
}

/// The 16 lower bits at the even places.
const fn spread(a: u32) -> u32 {
    let a = (a | a << 8) & 0x00FF_00FF;
    let a = (a | a << 4) & 0x0F0F_0F0F;
    let a = (a | a << 2) & 0x3333_3333;
    (a | a << 1) & 0x5555_5555
}

/// The bits at the even places, in a row.
const fn gathered(a: u32) -> u32 {
    let a = a & 0x5555_5555;
    let a = (a | a >> 1) & 0x3333_3333;
    let a = (a | a >> 2) & 0x0F0F_0F0F;
    let a = (a | a >> 4) & 0x00FF_00FF;
    (a | a >> 8) & 0xFFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [u32; 12] = [
        0,
        1,
        2,
        31,
        0x80,
        0xFF00,
        0x0100_8000,
        0x1234_5678,
        0x7FFF_FFFF,
        0x8000_0000,
        0xFFFF_FFFE,
        !0,
    ];

    fn bits(of: impl Fn(u32) -> u32) -> u32 {
        (0..32).fold(0, |word, at| word | (of(at) & 1) << at)
    }

    /// The bit-manipulation instructions, bit by bit as the specification words them.
    #[test]
    fn bit_manipulation_bit_by_bit() {
        for a in WORDS {
            let one = |op| operate(op, a, 0, 0);
            assert_eq!(one(Op::Brev8), bits(|at| a >> (at ^ 7)));
            assert_eq!(one(Op::Rev8), bits(|at| a >> (at ^ 24)));
            assert_eq!(one(Op::Zip), bits(|at| a >> (at / 2 + 16 * (at % 2))));
            assert_eq!(one(Op::Unzip), bits(|at| a >> (at % 16 * 2 + at / 16)));
            assert_eq!(one(Op::OrcB), bits(|at| u32::from(a >> (at & 24) & 0xFF != 0)));
            assert_eq!(one(Op::SextB), bits(|at| a >> at.min(7)));
            assert_eq!(one(Op::SextH), bits(|at| a >> at.min(15)));
            let first = (0..32).find(|at| a >> at & 1 == 1).unwrap_or(32);
            let last = (0..32).rev().find(|at| a >> at & 1 == 1);
            assert_eq!(one(Op::Ctz), first);
            assert_eq!(one(Op::Clz), last.map_or(32, |at| 31 - at));
            assert_eq!(one(Op::Cpop), (0..32).map(|at| a >> at & 1).sum());
            for b in WORDS {
                let two = |op| operate(op, a, b, b as i32);
                assert_eq!(two(Op::Rol), bits(|at| a >> (at.wrapping_sub(b) & 31)));
                assert_eq!(two(Op::Ror), bits(|at| a >> (at.wrapping_add(b) & 31)));
                assert_eq!(two(Op::Rori), two(Op::Ror));
                assert_eq!(two(Op::Andn), bits(|at| a >> at & (b >> at ^ 1)));
                assert_eq!(two(Op::Orn), bits(|at| a >> at | (b >> at ^ 1)));
                assert_eq!(two(Op::Xnor), bits(|at| a >> at ^ b >> at ^ 1));
                assert_eq!(
                    two(Op::Pack),
                    bits(|at| if at < 16 { a >> at } else { b >> (at - 16) })
                );
                let octets = bits(|at| if at < 8 { a >> at } else { b >> (at - 8) });
                assert_eq!(two(Op::Packh), octets & 0xFFFF);
                assert_eq!(two(Op::Max), (a as i32).max(b as i32) as u32);
                assert_eq!(two(Op::Min), (a as i32).min(b as i32) as u32);
                assert_eq!((two(Op::Maxu), two(Op::Minu)), (a.max(b), a.min(b)));
                for (op, times) in [(Op::Sh1add, 2), (Op::Sh2add, 4), (Op::Sh3add, 8)] {
                    assert_eq!(two(op), a.wrapping_mul(times).wrapping_add(b));
                }
            }
        }
    }
}
