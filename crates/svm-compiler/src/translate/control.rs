//! What goes elsewhere or to memory.

use portcullis_svm::compiled::{Instruction, Op, SINK};

use crate::allocation::Operand;
use crate::assembler::{Alu, Condition, Load, Place, R14, R15, RAX, RDX, Store};
use crate::entry::{CALL, ID};

use super::{Exits, Translation};

impl Translation<'_> {
    /// An instruction that is the interpreter's, or a TRAP.
    pub(super) fn stop(&mut self, index: usize, instruction: &Instruction) {
        let why = match instruction.op {
            Op::Trap => CALL | u64::from(instruction.imm as u16) << ID,
            _ => 0,
        };
        let left = self.leave(index, 0, self.exits.stop, self.choice, why);
        self.allocation.failed |= left.is_none();
    }

    /// JAL.
    pub(super) fn jump(&mut self, index: usize, rd: u8, target: usize) {
        if rd != SINK {
            let link = self.address(index + 1);
            self.allocation.constant(&mut self.code, rd, link);
        }
        self.allocation.flush(&mut self.code);
        if target != index + 1 {
            let way = self.way(target);
            self.code.jump(way);
        }
    }

    /// A conditional branch. Both ways agree on the slots: they are brought up to date before it.
    pub(super) fn branch(&mut self, op: Op, rs1: u8, rs2: u8, target: usize) {
        let condition = self.compare(op, rs1, rs2);
        let way = self.way(target);
        self.code.jump_if(condition, way);
    }

    /// Sets flags as for a branch and gives the condition under which it is taken. For a branch
    /// all slots are up to date then.
    pub(super) fn compare(&mut self, op: Op, rs1: u8, rs2: u8) -> Condition {
        if crate::shape::is_branch(op) {
            self.allocation.flush(&mut self.code);
        }
        let a = self.allocation.operand(&mut self.code, rs1);
        let b = self.allocation.operand(&mut self.code, rs2);
        let condition = match op {
            Op::Beq => Condition::Equal,
            Op::Bne => Condition::NotEqual,
            Op::Blt | Op::Slt => Condition::Less,
            Op::Bge => Condition::GreaterOrEqual,
            Op::Bltu | Op::Sltu => Condition::Below,
            _ => Condition::AboveOrEqual,
        };
        let (a, b, condition) = match (a, b) {
            // Constants stand second.
            (Operand::Constant(_), Operand::At(_)) => (b, a, swapped(condition)),
            _ => (a, b, condition),
        };
        let first = match (a, b) {
            (Operand::At(place), Operand::Constant(_)) => place,
            (Operand::At(place @ Place::Register(_)), _) => place,
            (Operand::At(place), Operand::At(Place::Register(_))) => place,
            _ => {
                // Two in memory, or two constants.
                let host = self.allocation.source(&mut self.code, rs1);
                Place::Register(host)
            }
        };
        match (first, b) {
            (Place::Register(host), Operand::Constant(0)) => self.code.test(host, host),
            (place, Operand::Constant(value)) => {
                self.code.alu_constant(Alu::Cmp, place, value as i32);
            }
            (Place::Register(host), Operand::At(place)) => self.code.alu(Alu::Cmp, host, place),
            (place, Operand::At(Place::Register(host))) => {
                self.code.alu_to(Alu::Cmp, place, host);
            }
            // Both in memory: not from above.
            (_, Operand::At(_)) => self.allocation.failed = true,
        }
        condition
    }

    /// Where a load or store of the guest goes. Sums that wrap end in a guard page, and so with
    /// the interpreter.
    fn guest(&mut self, rs1: u8, imm: i32) -> Place {
        if let Operand::Constant(base) = self.allocation.operand(&mut self.code, rs1) {
            // Above half of the space a displacement cannot say it.
            let address = base.wrapping_add_signed(imm);
            if let Ok(displacement) = i32::try_from(address) {
                return Place::Memory { base: R15, index: None, displacement };
            }
        }
        let index = Some(self.allocation.source(&mut self.code, rs1));
        Place::Memory { base: R15, index, displacement: imm }
    }

    /// The access of this instruction comes next.
    fn accesses(&mut self, index: usize) {
        if self.watched == Some(index) {
            self.seen = Some(self.allocation.clone());
        }
    }

    pub(super) fn load(&mut self, index: usize, load: Load, instruction: &Instruction) {
        let Instruction { rd, rs1, imm, .. } = *instruction;
        let from = self.guest(rs1, imm);
        if rd == SINK {
            let scratch = self.allocation.scratch(&mut self.code);
            self.accesses(index);
            return self.code.load(load, scratch, from);
        }
        let to = self.allocation.target(&mut self.code, rd, None);
        self.accesses(index);
        self.code.load(load, to, from);
        self.allocation.define(rd, to);
    }

    pub(super) fn store(&mut self, index: usize, store: Store, instruction: &Instruction) {
        let Instruction { rs1, rs2, imm, .. } = *instruction;
        let to = self.guest(rs1, imm);
        match self.allocation.operand(&mut self.code, rs2) {
            Operand::Constant(value) => {
                self.accesses(index);
                self.code.store_constant(store, to, value);
            }
            Operand::At(_) => {
                let value = self.allocation.source(&mut self.code, rs2);
                self.accesses(index);
                self.code.store(store, to, value);
            }
        }
    }

    /// JALR: into the text by the table of entries, or the interpreter sees to it.
    pub(super) fn jump_register(&mut self, index: usize, instruction: &Instruction) {
        let offset = instruction.imm.wrapping_sub(self.text.base() as i32);
        self.allocation.fix(&mut self.code, &[RAX]);
        match self.allocation.operand(&mut self.code, instruction.rs1) {
            Operand::Constant(base) => {
                self.code.set(Place::Register(RAX), base.wrapping_add_signed(offset));
            }
            Operand::At(Place::Register(host)) => self.code.lea(RAX, host, None, offset),
            Operand::At(memory) => {
                self.code.mov(RAX, memory);
                self.code.alu_constant(Alu::Add, Place::Register(RAX), offset);
            }
        }
        // Only the base has a JALR: a loop with one has no choice of its own.
        self.allocation.flush(&mut self.code);
        self.code.set(Place::Register(RDX), index as u32);
        let Exits { jump, astray, spent, table, .. } = self.exits;
        let [jump, astray, spent] =
            [jump, astray, spent].map(|exit| i64::from(exit) - i64::from(self.origin));
        if instruction.rd == SINK {
            return self.code.jump_far(jump);
        }
        // Before the link is written: who stops here has not retired.
        crate::entry::index(&mut self.code, self.text.text_len());
        self.code.jump_far_if(Condition::AboveOrEqual, astray);
        let link = self.address(index + 1);
        self.allocation.constant(&mut self.code, instruction.rd, link);
        self.allocation.flush(&mut self.code);
        self.code.test64(R14, R14);
        self.code.jump_far_if(Condition::Negative, spent);
        crate::entry::jump_by_table(&mut self.code, table);
    }
}

/// The condition with its operands the other way round.
fn swapped(condition: Condition) -> Condition {
    match condition {
        Condition::Less => Condition::Greater,
        Condition::GreaterOrEqual => Condition::LessOrEqual,
        Condition::Below => Condition::Above,
        Condition::AboveOrEqual => Condition::BelowOrEqual,
        same => same,
    }
}
