//! What an instruction reads, writes and shows, whatever it computes.

use portcullis_svm::compiled::{Instruction, Op, SINK};

/// Whether the translation knows it. All else is left to the interpreter.
#[rustfmt::skip]
pub(crate) fn is_compiled(op: Op) -> bool {
    matches!(op, Op::Lui | Op::Auipc | Op::Jal | Op::Jalr
        | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu
        | Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu | Op::Sb | Op::Sh | Op::Sw
        | Op::Addi | Op::Slti | Op::Sltiu | Op::Xori | Op::Ori | Op::Andi
        | Op::Slli | Op::Srli | Op::Srai
        | Op::Add | Op::Sub | Op::Sll | Op::Slt | Op::Sltu | Op::Xor | Op::Srl | Op::Sra
        | Op::Or | Op::And
        | Op::Mul | Op::Mulh | Op::Mulhsu | Op::Mulhu | Op::Div | Op::Divu | Op::Rem | Op::Remu
        | Op::Sh1add | Op::Sh2add | Op::Sh3add | Op::Andn | Op::Orn | Op::Xnor
        | Op::Rol | Op::Ror | Op::Rori | Op::Rev8 | Op::SextB | Op::SextH
        | Op::Max | Op::Maxu | Op::Min | Op::Minu
        | Op::Fence)
}

/// A conditional branch?
pub(crate) fn is_branch(op: Op) -> bool {
    matches!(op, Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu)
}

/// A load from memory?
pub(crate) fn is_load(op: Op) -> bool {
    matches!(op, Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu)
}

/// A store to memory?
pub(crate) fn is_store(op: Op) -> bool {
    matches!(op, Op::Sb | Op::Sh | Op::Sw)
}

/// Whether control may go elsewhere than to the next instruction, or compiled code stops here.
pub(crate) fn ends_block(op: Op) -> bool {
    is_branch(op) || matches!(op, Op::Jal | Op::Jalr) || !is_compiled(op)
}

/// Can control leave compiled code here, with all registers in sight?
pub(crate) fn shows(op: Op) -> bool {
    ends_block(op) || is_load(op) || is_store(op)
}

/// The registers that an instruction reads; x0 stands for none.
pub(crate) fn reads(instruction: &Instruction) -> [u8; 2] {
    let Instruction { op, rs1, rs2, .. } = *instruction;
    match op {
        Op::Lui | Op::Auipc | Op::Jal | Op::Fence => [0, 0],
        Op::Jalr
        | Op::Addi
        | Op::Slti
        | Op::Sltiu
        | Op::Xori
        | Op::Ori
        | Op::Andi
        | Op::Slli
        | Op::Srli
        | Op::Srai
        | Op::Rori
        | Op::Rev8
        | Op::SextB
        | Op::SextH => [rs1, 0],
        op if is_load(op) => [rs1, 0],
        op if is_compiled(op) => [rs1, rs2],
        _ => [0, 0],
    }
}

/// The register that it writes; `None` for none and for x0.
pub(crate) fn writes(instruction: &Instruction) -> Option<u8> {
    let Instruction { op, rd, .. } = *instruction;
    let none = is_branch(op) || is_store(op) || op == Op::Fence || !is_compiled(op);
    (!none && rd != SINK).then_some(rd)
}
