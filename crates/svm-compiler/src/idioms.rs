//! Rows of instructions that compilers write for what RV32I has no instruction for, and the host
//! has one: rotations, narrow values, scaled indices, constants.
//!
//! An idiom holds no access to memory. What its parts leave in other registers than the last one's
//! is made too, unless nobody can see it.

use portcullis_svm::compiled::{Instruction, Op, SINK, ScannedText};

use crate::assembler::{Load, Shift};
use crate::shape::writes;
use crate::uses::Row;

/// One idiom, with its registers of the guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Idiom {
    /// Two shifts and what joins them: `rd = rs` rotated to the right, and halves that can be seen.
    Rotation { rd: u8, rs: u8, by: u8, halves: [Option<Half>; 2] },
    /// Two shifts to and fro: `rd = rs`, of which only some octets count.
    Narrow { rd: u8, rs: u8, load: Load },
    /// A shift and an addition: `rd = base + (index << by)`.
    Scaled { rd: u8, base: u8, index: u8, by: u8 },
    /// Two halves of a constant.
    Constant { rd: u8, value: u32 },
}

/// One shift of a rotation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Half {
    pub(crate) rd: u8,
    pub(crate) shift: Shift,
    pub(crate) by: u8,
}

impl Idiom {
    /// How many instructions of the guest it is.
    pub(crate) const fn length(&self) -> usize {
        match self {
            Self::Rotation { .. } => 3,
            Self::Narrow { .. } | Self::Scaled { .. } | Self::Constant { .. } => 2,
        }
    }
}

/// The idiom that begins at `index`. `is_inside` says whether an instruction may be part of it,
/// `same` whether two registers hold the same before it.
pub(crate) fn find(
    text: ScannedText<'_>,
    row: &Row,
    index: usize,
    is_inside: &dyn Fn(usize) -> bool,
    same: &dyn Fn(u8, u8) -> bool,
) -> Option<Idiom> {
    let first = text.get(index)?;
    // Most instructions begin none.
    if !matches!(first.op, Op::Slli | Op::Srli | Op::Lui | Op::Auipc) || first.rd == SINK {
        return None;
    }
    let second = text.get(index + 1).filter(|_| is_inside(index + 1))?;
    match first.op {
        Op::Lui | Op::Auipc => constant(&first, &second),
        _ => {
            let third = text.get(index + 2).filter(|_| is_inside(index + 2));
            let rotation = third.and_then(|join| rotation(row, index, [first, second, join], same));
            rotation.or_else(|| narrow(&first, &second)).or_else(|| {
                scaled(&first, &second).filter(|_| {
                    first.rd == second.rd || is_unseen(row, index + 1, &second, first.rd)
                })
            })
        }
    }
}

/// Does nobody see what a source of the instruction at `index` holds, behind it?
fn is_unseen(row: &Row, index: usize, instruction: &Instruction, register: u8) -> bool {
    let [first, second] = row.behind(index).sources;
    match register {
        _ if instruction.rs1 == register => first.is_dead,
        _ if instruction.rs2 == register => second.is_dead,
        _ => false,
    }
}

fn constant(first: &Instruction, second: &Instruction) -> Option<Idiom> {
    let is_pair = second.op == Op::Addi && second.rs1 == first.rd && second.rd == first.rd;
    let value = first.imm.wrapping_add(second.imm) as u32;
    is_pair.then_some(Idiom::Constant { rd: second.rd, value })
}

fn rotation(
    row: &Row,
    index: usize,
    [first, second, join]: [Instruction; 3],
    same: &dyn Fn(u8, u8) -> bool,
) -> Option<Idiom> {
    let (left, right) = match (first.op, second.op) {
        (Op::Slli, Op::Srli) => (first, second),
        (Op::Srli, Op::Slli) => (second, first),
        _ => return None,
    };
    let rd = writes(&join)?;
    let pair = [first.rd, second.rd];
    // The source is what the second shift reads; the first must have read the same.
    let rs = second.rs1;
    let is_whole = left.imm.checked_add(right.imm) == Some(32) && left.imm > 0 && right.imm > 0;
    let is_one = same(first.rs1, rs) && rs != first.rd && first.rd != second.rd && rs != 0;
    let joins = matches!(join.op, Op::Or | Op::Xor | Op::Add)
        && (pair == [join.rs1, join.rs2] || pair == [join.rs2, join.rs1]);
    if !is_whole || !is_one || !joins || second.rd == SINK {
        return None;
    }
    let half = |part: &Instruction| {
        let shift = if part.op == Op::Slli { Shift::Left } else { Shift::Right };
        let is_seen = part.rd != rd && !is_unseen(row, index + 2, &join, part.rd);
        is_seen.then_some(Half { rd: part.rd, shift, by: part.imm as u8 })
    };
    let halves = [half(&first), half(&second)];
    // The source is still needed when the halves are made.
    let spoils = halves.iter().flatten().any(|half| half.rd == rs);
    (!spoils).then_some(Idiom::Rotation { rd, rs, by: right.imm as u8, halves })
}

fn narrow(first: &Instruction, second: &Instruction) -> Option<Idiom> {
    let is_pair = first.op == Op::Slli
        && second.rs1 == first.rd
        && second.rd == first.rd
        && second.imm == first.imm;
    let load = match (second.op, first.imm) {
        (Op::Srli, 16) => Load::Half,
        (Op::Srli, 24) => Load::Byte,
        (Op::Srai, 16) => Load::SignedHalf,
        (Op::Srai, 24) => Load::SignedByte,
        _ => return None,
    };
    (is_pair && first.rs1 != 0).then_some(Idiom::Narrow { rd: second.rd, rs: first.rs1, load })
}

fn scaled(first: &Instruction, second: &Instruction) -> Option<Idiom> {
    let base = match (second.rs1 == first.rd, second.rs2 == first.rd) {
        (true, false) => second.rs2,
        (false, true) => second.rs1,
        _ => return None,
    };
    let fits = first.op == Op::Slli
        && second.op == Op::Add
        && (1..4).contains(&first.imm)
        && base != 0
        && first.rs1 != 0;
    let rd = writes(second)?;
    fits.then_some(Idiom::Scaled { rd, base, index: first.rs1, by: first.imm as u8 })
}
