//! Rotations: RV32I has none, so compilers write two shifts and an OR. One instruction of the host
//! does it, where nobody can see the half that is left in the other register.

use portcullis_svm::compiled::{Instruction, Op, ScannedText};

use crate::plan::{Plan, is_compiled};

/// Instructions that are looked at for the end of a register's life.
const LOOK_AHEAD: usize = 32;
/// Instructions that are one rotation.
pub(crate) const LENGTH: usize = 3;

/// A rotation to the right, made of [`LENGTH`] instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rotation {
    pub(crate) rd: u8,
    pub(crate) rs1: u8,
    pub(crate) by: u8,
}

/// The rotation that begins here, if there is one.
pub(crate) fn rotation(text: ScannedText<'_>, plan: &Plan, index: usize) -> Option<Rotation> {
    let [first, second, join] = [text.get(index)?, text.get(index + 1)?, text.get(index + 2)?];
    if plan.is_leader(index + 1) || plan.is_leader(index + 2) {
        return None;
    }
    let (left, right) = match (first.op, second.op) {
        (Op::Slli, Op::Srli) => (first, second),
        (Op::Srli, Op::Slli) => (second, first),
        _ => return None,
    };
    let halves = [first.rd, second.rd];
    let is_whole = left.imm.checked_add(right.imm) == Some(32) && left.imm > 0 && right.imm > 0;
    let is_one = first.rs1 == second.rs1 && first.rs1 != first.rd && first.rd != second.rd;
    let joins = matches!(join.op, Op::Or | Op::Xor | Op::Add)
        && (halves == [join.rs1, join.rs2] || halves == [join.rs2, join.rs1]);
    let (rd, rs1, by) = (join.rd, first.rs1, right.imm as u8);
    let dead = |half: u8| half == rd || dies(text, plan, index + LENGTH, half);
    let fits = is_whole && is_one && joins && rd < 32 && halves.into_iter().all(dead);
    fits.then_some(Rotation { rd, rs1, by })
}

/// Is a register written before it is read, and before anything that could show it?
fn dies(text: ScannedText<'_>, plan: &Plan, from: usize, register: u8) -> bool {
    for index in from..from + LOOK_AHEAD {
        let Some(instruction) = text.get(index).filter(|_| !plan.is_leader(index)) else {
            return false;
        };
        if !is_compiled(instruction.op) || shows(&instruction) || reads(&instruction, register) {
            return false;
        }
        if instruction.rd == register {
            return true;
        }
    }
    false
}

/// Can control leave compiled code here, with all registers in sight?
fn shows(instruction: &Instruction) -> bool {
    crate::plan::ends_block(instruction.op)
        || matches!(
            instruction.op,
            Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu | Op::Sb | Op::Sh | Op::Sw | Op::Fence
        )
}

fn reads(instruction: &Instruction, register: u8) -> bool {
    // What is no register in a form counts as one: that only costs a rotation.
    [instruction.rs1, instruction.rs2].contains(&register)
}
