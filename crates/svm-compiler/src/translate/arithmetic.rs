//! What computes.

use portcullis_svm::compiled::{Instruction, Op, SINK};

use crate::allocation::{Operand, Step};
use crate::assembler::{Alu, Condition, Host, Load, Place, RAX, RCX, RDX, Shift, Store};
use crate::shape::is_compiled;

use super::Translation;

impl Translation<'_> {
    pub(super) fn instruction(&mut self, index: usize, instruction: &Instruction) {
        let Instruction { op, rd, rs1, rs2, imm } = *instruction;
        match op {
            Op::Jal => self.jump(index, rd, imm as usize),
            Op::Jalr => self.jump_register(index, instruction),
            Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => {
                self.branch(op, rs1, rs2, imm as usize);
            }
            Op::Lb => self.load(index, Load::SignedByte, instruction),
            Op::Lbu => self.load(index, Load::Byte, instruction),
            Op::Lh => self.load(index, Load::SignedHalf, instruction),
            Op::Lhu => self.load(index, Load::Half, instruction),
            Op::Lw => self.load(index, Load::Word, instruction),
            Op::Sb => self.store(index, Store::Byte, instruction),
            Op::Sh => self.store(index, Store::Half, instruction),
            Op::Sw => self.store(index, Store::Word, instruction),
            _ if !is_compiled(op) => self.stop(index, instruction),
            _ if rd == SINK => {}
            Op::Lui | Op::Auipc => self.allocation.constant(&mut self.code, rd, imm as u32),
            Op::Addi => self.add_constant(rd, rs1, imm),
            Op::Xori => self.with_constant(Alu::Xor, rd, rs1, imm),
            Op::Ori => self.with_constant(Alu::Or, rd, rs1, imm),
            Op::Andi if self.field(rd, rs1, imm as u32).is_some() => {}
            Op::Andi if imm == 0xFF => self.extend(Load::Byte, rd, rs1),
            Op::Andi => self.with_constant(Alu::And, rd, rs1, imm),
            Op::Slli => self.shift(Step::Left(imm as u8), rd, rs1),
            Op::Srli => self.shift(Step::Right(imm as u8), rd, rs1),
            Op::Srai => self.shift(Step::Arithmetic(imm as u8), rd, rs1),
            Op::Rori => self.rotate(rd, rs1, imm as u8),
            Op::Add => self.add(rd, rs1, rs2),
            Op::Sub => self.subtract(rd, rs1, rs2),
            Op::Xor | Op::Or if self.rotation(rd, rs1, rs2).is_some() => {}
            Op::Xor => self.commutative(Alu::Xor, rd, rs1, rs2),
            Op::Or => self.commutative(Alu::Or, rd, rs1, rs2),
            Op::And => self.commutative(Alu::And, rd, rs1, rs2),
            Op::Sll => self.shift_by(Shift::Left, rd, rs1, rs2),
            Op::Srl => self.shift_by(Shift::Right, rd, rs1, rs2),
            Op::Sra => self.shift_by(Shift::Arithmetic, rd, rs1, rs2),
            Op::Rol => self.shift_by(Shift::RotateLeft, rd, rs1, rs2),
            Op::Ror => self.shift_by(Shift::RotateRight, rd, rs1, rs2),
            Op::Sh1add => self.scaled(rd, rs2, rs1, 1),
            Op::Sh2add => self.scaled(rd, rs2, rs1, 2),
            Op::Sh3add => self.scaled(rd, rs2, rs1, 3),
            Op::Andn if self.exits.bmi => self.and_not(rd, rs1, rs2),
            Op::Andn => self.inverted(Alu::And, rd, rs1, rs2),
            Op::Orn => self.inverted(Alu::Or, rd, rs1, rs2),
            Op::Xnor => self.inverted(Alu::Xor, rd, rs1, rs2),
            Op::Rev8 => {
                let to = self.started(rd, rs1);
                self.code.swap_octets(to);
                self.allocation.define(rd, to);
            }
            Op::SextB => self.extend(Load::SignedByte, rd, rs1),
            Op::SextH => self.extend(Load::SignedHalf, rd, rs1),
            Op::Max | Op::Maxu | Op::Min | Op::Minu => self.extreme(op, rd, rs1, rs2),
            Op::Slt | Op::Sltu => {
                let to = self.allocation.target(&mut self.code, rd, None);
                let condition = self.compare(op, rs1, rs2);
                self.condition(rd, to, condition);
            }
            Op::Slti => self.compare_constant(rd, rs1, imm, Condition::Less),
            Op::Sltiu => self.compare_constant(rd, rs1, imm, Condition::Below),
            Op::Mul => self.multiply(rd, rs1, rs2),
            Op::Mulh | Op::Mulhsu | Op::Mulhu => self.multiply_high(op, rd, rs1, rs2),
            Op::Div | Op::Divu | Op::Rem | Op::Remu => self.divide(op, rd, rs1, rs2),
            _ => {}
        }
    }

    pub(super) fn operand(&mut self, register: u8) -> Operand {
        self.allocation.operand(&mut self.code, register)
    }

    /// Writes an operand to a register of the host. Flags may change.
    pub(super) fn bring(&mut self, to: Host, from: Operand) {
        match from {
            Operand::At(place) => self.code.mov(to, place),
            Operand::Constant(value) => self.code.set(Place::Register(to), value),
        }
    }

    /// Where an operand is that has to be in a register or in memory.
    pub(super) fn place(&mut self, register: u8) -> Place {
        match self.operand(register) {
            Operand::At(place) => place,
            Operand::Constant(_) => {
                Place::Register(self.allocation.source(&mut self.code, register))
            }
        }
    }

    /// Starts a result with a copy of a source.
    fn started(&mut self, rd: u8, rs: u8) -> Host {
        let from = self.operand(rs);
        let to = self.allocation.target(&mut self.code, rd, None);
        self.bring(to, from);
        to
    }

    fn add_constant(&mut self, rd: u8, rs1: u8, imm: i32) {
        if imm == 0 {
            return self.allocation.copy(&mut self.code, rd, rs1);
        }
        match self.operand(rs1) {
            Operand::Constant(value) => {
                let sum = value.wrapping_add_signed(imm);
                self.allocation.constant(&mut self.code, rd, sum);
            }
            Operand::At(from) => {
                let to = self.allocation.target(&mut self.code, rd, None);
                match from {
                    Place::Register(from) if from != to => self.code.lea(to, from, None, imm),
                    from => {
                        self.code.mov(to, from);
                        self.code.alu_constant(Alu::Add, Place::Register(to), imm);
                    }
                }
                self.allocation.define(rd, to);
            }
        }
    }

    fn with_constant(&mut self, alu: Alu, rd: u8, rs1: u8, imm: i32) {
        let to = self.started(rd, rs1);
        self.code.alu_constant(alu, Place::Register(to), imm);
        self.allocation.define(rd, to);
    }

    fn add(&mut self, rd: u8, rs1: u8, rs2: u8) {
        if self.rotation(rd, rs1, rs2).or_else(|| self.scaled_sum(rd, rs1, rs2)).is_some() {
            return;
        }
        match (self.operand(rs1), self.operand(rs2)) {
            (_, Operand::Constant(value)) => self.add_constant(rd, rs1, value as i32),
            (Operand::Constant(value), _) => self.add_constant(rd, rs2, value as i32),
            (Operand::At(Place::Register(a)), Operand::At(Place::Register(b))) => {
                let to = self.allocation.target(&mut self.code, rd, None);
                match to {
                    to if to == a => self.code.alu(Alu::Add, to, Place::Register(b)),
                    to if to == b => self.code.alu(Alu::Add, to, Place::Register(a)),
                    to => self.code.lea(to, a, Some(b), 0),
                }
                self.allocation.define(rd, to);
            }
            _ => self.commutative(Alu::Add, rd, rs1, rs2),
        }
    }

    fn commutative(&mut self, alu: Alu, rd: u8, rs1: u8, rs2: u8) {
        match (self.operand(rs1), self.operand(rs2)) {
            (_, Operand::Constant(value)) => self.with_constant(alu, rd, rs1, value as i32),
            (Operand::Constant(value), _) => self.with_constant(alu, rd, rs2, value as i32),
            (Operand::At(a), Operand::At(b)) => {
                let to = self.allocation.target(&mut self.code, rd, None);
                let (a, b) = if b == Place::Register(to) { (b, a) } else { (a, b) };
                self.code.mov(to, a);
                self.code.alu(alu, to, b);
                self.allocation.define(rd, to);
            }
        }
    }

    fn and_not(&mut self, rd: u8, rs1: u8, rs2: u8) {
        let inverted = self.allocation.source(&mut self.code, rs2);
        let other = self.place(rs1);
        let to = self.allocation.target(&mut self.code, rd, None);
        self.code.and_not(to, inverted, other);
        self.allocation.define(rd, to);
    }

    /// With the second source inverted.
    fn inverted(&mut self, alu: Alu, rd: u8, rs1: u8, rs2: u8) {
        self.allocation.fix(&mut self.code, &[RAX]);
        let inverted = self.operand(rs2);
        self.bring(RAX, inverted);
        self.code.invert(RAX);
        match self.operand(rs1) {
            Operand::At(other) => self.code.alu(alu, RAX, other),
            Operand::Constant(value) => {
                self.code.alu_constant(alu, Place::Register(RAX), value as i32);
            }
        }
        self.allocation.define_from(&mut self.code, rd, RAX);
    }

    fn extend(&mut self, load: Load, rd: u8, rs1: u8) {
        let from = self.place(rs1);
        let to = self.allocation.target(&mut self.code, rd, None);
        // The lowest octets of a register in memory are the first.
        self.code.load(load, to, from);
        self.allocation.define(rd, to);
    }

    /// The larger or smaller of two.
    fn extreme(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8) {
        let (a, b) = (self.place(rs1), self.place(rs2));
        let to = self.allocation.target(&mut self.code, rd, None);
        let (a, b) = if b == Place::Register(to) { (b, a) } else { (a, b) };
        self.code.mov(to, a);
        self.code.alu(Alu::Cmp, to, b);
        let other_if = match op {
            Op::Max => Condition::Less,
            Op::Maxu => Condition::Below,
            Op::Min => Condition::Greater,
            _ => Condition::Above,
        };
        self.code.move_if(other_if, to, b);
        self.allocation.define(rd, to);
    }

    fn subtract(&mut self, rd: u8, rs1: u8, rs2: u8) {
        let (a, b) = (self.operand(rs1), self.operand(rs2));
        let b = match b {
            Operand::Constant(value) => {
                return self.add_constant(rd, rs1, value.wrapping_neg() as i32);
            }
            Operand::At(b) => b,
        };
        let avoid = Operand::At(b).host().filter(|_| a != Operand::At(b));
        let to = self.allocation.target(&mut self.code, rd, avoid);
        if Some(to) == avoid {
            // to = a - to
            self.code.negate(to);
            match a {
                Operand::Constant(0) => {}
                Operand::Constant(value) => {
                    self.code.alu_constant(Alu::Add, Place::Register(to), value as i32);
                }
                Operand::At(a) => self.code.alu(Alu::Add, to, a),
            }
        } else {
            self.bring(to, a);
            self.code.alu(Alu::Sub, to, b);
        }
        self.allocation.define(rd, to);
    }

    fn compare_constant(&mut self, rd: u8, rs1: u8, imm: i32, condition: Condition) {
        let from = self.place(rs1);
        let to = self.allocation.target(&mut self.code, rd, None);
        self.code.alu_constant(Alu::Cmp, from, imm);
        self.condition(rd, to, condition);
    }

    fn condition(&mut self, rd: u8, to: Host, condition: Condition) {
        self.code.set_if(condition, to);
        self.code.load(Load::Byte, to, Place::Register(to));
        self.allocation.define(rd, to);
    }

    fn multiply(&mut self, rd: u8, rs1: u8, rs2: u8) {
        let (a, b) = (self.operand(rs1), self.operand(rs2));
        let (a, b) = match (a, b) {
            (Operand::Constant(_), Operand::At(_)) => (b, a),
            _ => (a, b),
        };
        let a = match a {
            Operand::At(place) => place,
            Operand::Constant(_) => self.place(rs1),
        };
        let to = self.allocation.target(&mut self.code, rd, None);
        match b {
            Operand::Constant(value) => self.code.multiply_constant(to, a, value as i32),
            Operand::At(b) => {
                let (a, b) = if b == Place::Register(to) { (b, a) } else { (a, b) };
                self.code.mov(to, a);
                self.code.multiply(to, b);
            }
        }
        self.allocation.define(rd, to);
    }

    /// The upper half of a product of 64 bits.
    fn multiply_high(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8) {
        self.allocation.fix(&mut self.code, &[RAX, RCX]);
        let b = self.place_beside(rs2, RCX);
        match op {
            Op::Mulh => self.code.extend(RCX, b),
            _ => self.code.mov(RCX, b),
        }
        let a = self.place_beside(rs1, RAX);
        match op {
            Op::Mulhu => self.code.mov(RAX, a),
            _ => self.code.extend(RAX, a),
        }
        self.code.multiply64(RAX, RCX);
        self.code.shift64(Shift::Right, RAX, 32);
        self.allocation.define_from(&mut self.code, rd, RAX);
    }

    /// Where an operand is; a constant is put into a register of the host that is ours.
    fn place_beside(&mut self, register: u8, free: Host) -> Place {
        match self.operand(register) {
            Operand::At(place) => place,
            Operand::Constant(value) => {
                self.code.set(Place::Register(free), value);
                Place::Register(free)
            }
        }
    }

    /// Division never traps: by zero gives all ones (remainder: the dividend), overflow wraps.
    fn divide(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8) {
        let signed = matches!(op, Op::Div | Op::Rem);
        let quotient = matches!(op, Op::Div | Op::Divu);
        self.allocation.fix(&mut self.code, &[RAX, RCX, RDX]);
        let by = self.operand(rs2);
        self.bring(RCX, by);
        let value = self.operand(rs1);
        self.bring(RAX, value);
        let (by_zero, by_minus_one) = (self.code.label(), self.code.label());
        let done = self.code.label();
        self.code.test(RCX, RCX);
        self.code.jump_if(Condition::Equal, by_zero);
        if signed {
            self.code.alu_constant(Alu::Cmp, Place::Register(RCX), -1);
            self.code.jump_if(Condition::Equal, by_minus_one);
        }
        self.code.divide(RCX, signed);
        if !quotient {
            self.code.mov(RAX, Place::Register(RDX));
        }
        self.code.jump(done);
        self.code.bind(by_zero);
        if quotient {
            self.code.set(Place::Register(RAX), u32::MAX);
        }
        if signed {
            self.code.jump(done);
        }
        self.code.bind(by_minus_one);
        match (signed, quotient) {
            (true, true) => self.code.negate(RAX),
            (true, false) => self.code.set(Place::Register(RAX), 0),
            (false, _) => {}
        }
        self.code.bind(done);
        self.allocation.define_from(&mut self.code, rd, RAX);
    }
}
