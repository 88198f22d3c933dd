//! From decoded instructions to instructions of the host, one pass, one instruction at a time.
//!
//! The guest's registers stand in the registers that the plan pins, the others in memory behind
//! RBP, at every instruction boundary that can be observed: before each access to memory and at
//! both ends of a block. So a guard page that is hit needs no reconstruction. R14 holds the
//! budget, R15 the host's address of guest address 0, RAX and RCX are free.
//!
//! A block pays for itself when it is entered. Whoever leaves it early is paid back.

use portcullis_svm::compiled::{Instruction, Op, SINK, ScannedText};

use crate::assembler::{
    Alu, Assembler, Condition, Host, Label, Load, Place, R14, R15, RAX, RBP, RCX, RDX, Shift, Store,
};
use crate::plan::{Plan, is_compiled};
use crate::rotation::{self, Rotation, rotation};

/// Where compiled code leaves to, counted from the start of the code memory, and what it reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exits {
    /// Stops before the instruction whose index is in EAX.
    pub(crate) stop: u32,
    /// The budget is nearly spent before the instruction whose index is in EAX.
    pub(crate) spent: u32,
    /// From R15 to the table of entries, one for each instruction of the text.
    pub(crate) table: i32,
}

/// Compiled instructions `first..first + starts.len()` of the text.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) code: Vec<u8>,
    /// Where each instruction begins in `code`.
    pub(crate) starts: Vec<u32>,
}

struct Translation<'a> {
    text: ScannedText<'a>,
    plan: &'a Plan,
    exits: Exits,
    /// Of this code in the code memory.
    origin: u32,
    first: usize,
    assembler: Assembler,
    labels: Vec<Label>,
    /// Code that is seldom reached, behind all else.
    aside: Vec<Aside>,
    /// The register of the guest that EAX holds as well as memory does.
    mirror: Option<u8>,
}

enum Aside {
    /// Stop before `pc` and pay `refund` back.
    Leave { label: Label, pc: usize, refund: i32, exit: u32 },
    /// On to an instruction that is compiled elsewhere.
    Elsewhere { label: Label, pc: usize },
}

/// Compiles instructions `first..end`. `first` is entered like the beginning of a block; `end` is
/// one, or the end of the text.
pub(crate) fn translate(
    text: ScannedText<'_>,
    plan: &Plan,
    exits: Exits,
    origin: u32,
    (first, end): (usize, usize),
) -> Option<Compiled> {
    let mut assembler = Assembler::default();
    let labels = (first..end).map(|_| assembler.label()).collect();
    let mut translation = Translation {
        text,
        plan,
        exits,
        origin,
        first,
        assembler,
        labels,
        aside: Vec::new(),
        mirror: None,
    };
    let starts = translation.all(end)?;
    Some(Compiled { code: translation.assembler.finish()?, starts })
}

impl Translation<'_> {
    fn all(&mut self, end: usize) -> Option<Vec<u32>> {
        let mut starts = Vec::with_capacity(end - self.first);
        let mut falls_through = true;
        let mut skip = 0;
        for index in self.first..end {
            let instruction = self.text.get(index)?;
            let label = *self.labels.get(index - self.first)?;
            self.assembler.bind(label);
            starts.push(self.assembler.here());
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if index == self.first || self.plan.is_leader(index) {
                self.block(index);
            }
            let rotated = rotation(self.text, self.plan, index).filter(|_| index + 2 < end);
            if let Some(Rotation { rd, rs1, by }) = rotated {
                self.shift(Shift::RotateRight, rd, rs1, by.into());
                skip = rotation::LENGTH - 1;
                continue;
            }
            self.instruction(index, &instruction);
            falls_through = match instruction.op {
                Op::Jal => instruction.imm as usize == index + 1,
                Op::Jalr => false,
                op => is_compiled(op),
            };
        }
        if falls_through {
            self.elsewhere(end);
        }
        for aside in core::mem::take(&mut self.aside) {
            match aside {
                Aside::Leave { label, pc, refund, exit } => {
                    self.assembler.bind(label);
                    self.leave(pc, refund, exit);
                }
                Aside::Elsewhere { label, pc } => {
                    self.assembler.bind(label);
                    self.elsewhere(pc);
                }
            }
        }
        Some(starts)
    }

    /// The head of a block: it pays, and in a loop looks whether there was enough.
    fn block(&mut self, index: usize) {
        self.mirror = None;
        let Some(cost) = self.cost(index) else { return };
        self.assembler.alu_constant64(Alu::Sub, R14, cost);
        if self.plan.is_loop_head(index) {
            let label = self.assembler.label();
            self.assembler.jump_if(Condition::Negative, label);
            let exit = self.exits.spent;
            self.aside.push(Aside::Leave { label, pc: index, refund: cost, exit });
        }
    }

    /// Instructions of a block that are compiled; `None` when its only one is not.
    fn cost(&self, index: usize) -> Option<i32> {
        is_compiled(self.text.get(index)?.op).then(|| self.plan.rest_of_block(index) as i32)
    }

    fn leave(&mut self, pc: usize, refund: i32, exit: u32) {
        if refund != 0 {
            self.assembler.alu_constant64(Alu::Add, R14, refund);
        }
        self.assembler.set(Place::Register(RAX), pc as u32);
        self.assembler.jump_far(i64::from(exit) - i64::from(self.origin));
    }

    fn elsewhere(&mut self, pc: usize) {
        if pc >= self.text.len() {
            // Behind the text: the interpreter says what that means.
            return self.leave(pc, 0, self.exits.stop);
        }
        self.assembler.set(Place::Register(RAX), pc as u32);
        self.assembler.jump_table(R15, RAX, self.exits.table);
    }

    /// The label of an instruction, or of a way to it.
    fn target(&mut self, pc: usize) -> Label {
        let here = pc.checked_sub(self.first).and_then(|at| self.labels.get(at));
        here.copied().unwrap_or_else(|| {
            let label = self.assembler.label();
            self.aside.push(Aside::Elsewhere { label, pc });
            label
        })
    }

    fn instruction(&mut self, index: usize, instruction: &Instruction) {
        let Instruction { op, rd, rs1, rs2, imm } = *instruction;
        let writes = rd != SINK;
        match op {
            Op::Lui | Op::Auipc if writes => self.constant(rd, imm as u32),
            Op::Jal => {
                if writes {
                    self.constant(rd, self.address(index + 1));
                }
                if imm as usize != index + 1 {
                    let target = self.target(imm as usize);
                    self.assembler.jump(target);
                }
            }
            Op::Jalr => self.jump_register(index, instruction),
            Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => {
                let condition = self.compare(op, rs1, rs2);
                let target = self.target(imm as usize);
                self.assembler.jump_if(condition, target);
            }
            Op::Lb => self.load(Load::SignedByte, rd, rs1, imm),
            Op::Lbu => self.load(Load::Byte, rd, rs1, imm),
            Op::Lh => self.load(Load::SignedHalf, rd, rs1, imm),
            Op::Lhu => self.load(Load::Half, rd, rs1, imm),
            Op::Lw => self.load(Load::Word, rd, rs1, imm),
            Op::Sb => self.store(Store::Byte, rs2, rs1, imm),
            Op::Sh => self.store(Store::Half, rs2, rs1, imm),
            Op::Sw => self.store(Store::Word, rs2, rs1, imm),
            _ if !is_compiled(op) => self.leave(index, 0, self.exits.stop),
            _ if !writes => {}
            Op::Addi => self.add_constant(rd, rs1, imm),
            Op::Xori => self.with_constant(Alu::Xor, rd, rs1, imm),
            Op::Ori => self.with_constant(Alu::Or, rd, rs1, imm),
            Op::Andi => self.with_constant(Alu::And, rd, rs1, imm),
            Op::Slli => self.shift(Shift::Left, rd, rs1, imm),
            Op::Srli => self.shift(Shift::Right, rd, rs1, imm),
            Op::Srai => self.shift(Shift::Arithmetic, rd, rs1, imm),
            Op::Add => self.add(rd, rs1, rs2),
            Op::Sub => self.subtract(rd, rs1, rs2),
            Op::Xor => self.commutative(Alu::Xor, rd, rs1, rs2),
            Op::Or => self.commutative(Alu::Or, rd, rs1, rs2),
            Op::And => self.commutative(Alu::And, rd, rs1, rs2),
            Op::Sll => self.shift_by(Shift::Left, rd, rs1, rs2),
            Op::Srl => self.shift_by(Shift::Right, rd, rs1, rs2),
            Op::Sra => self.shift_by(Shift::Arithmetic, rd, rs1, rs2),
            Op::Sh1add => self.scaled_add(1, rd, rs1, rs2),
            Op::Sh2add => self.scaled_add(2, rd, rs1, rs2),
            Op::Sh3add => self.scaled_add(3, rd, rs1, rs2),
            Op::Andn => self.inverted(Alu::And, rd, rs1, rs2),
            Op::Orn => self.inverted(Alu::Or, rd, rs1, rs2),
            Op::Xnor => self.inverted(Alu::Xor, rd, rs1, rs2),
            Op::Rol => self.shift_by(Shift::RotateLeft, rd, rs1, rs2),
            Op::Ror => self.shift_by(Shift::RotateRight, rd, rs1, rs2),
            Op::Rori => self.shift(Shift::RotateRight, rd, rs1, imm),
            Op::Rev8 => {
                let to = self.copy(rd, rs1);
                self.assembler.swap_octets(to);
                self.done(rd, to);
            }
            Op::SextB => self.extend(Load::SignedByte, rd, rs1),
            Op::SextH => self.extend(Load::SignedHalf, rd, rs1),
            Op::Max | Op::Maxu | Op::Min | Op::Minu => self.extreme(op, rd, rs1, rs2),
            Op::Slt => {
                let condition = self.compare(Op::Blt, rs1, rs2);
                self.condition(rd, condition);
            }
            Op::Sltu => {
                let condition = self.compare(Op::Bltu, rs1, rs2);
                self.condition(rd, condition);
            }
            Op::Slti => {
                self.compare_constant(rs1, imm);
                self.condition(rd, Condition::Less);
            }
            Op::Sltiu => {
                self.compare_constant(rs1, imm);
                self.condition(rd, Condition::Below);
            }
            Op::Mul => self.multiply(rd, rs1, rs2),
            Op::Mulh | Op::Mulhsu | Op::Mulhu => self.multiply_high(op, rd, rs1, rs2),
            Op::Div | Op::Divu | Op::Rem | Op::Remu => self.divide(op, rd, rs1, rs2),
            _ => {}
        }
    }

    const fn address(&self, index: usize) -> u32 {
        self.text.base().wrapping_add(index as u32 * 4)
    }

    /// Where a register of the guest stands. Not for x0.
    fn place(&self, register: u8) -> Place {
        match self.plan.pin(register) {
            Some(host) => Place::Register(host),
            None if self.mirror == Some(register) => Place::Register(RAX),
            None => slot(register),
        }
    }

    /// Where an operand can be had: x0 too, through a free register.
    fn operand(&mut self, register: u8, free: Host) -> Place {
        if register == 0 {
            self.assembler.set(Place::Register(free), 0);
            self.spoil(free);
            return Place::Register(free);
        }
        self.place(register)
    }

    /// An operand in a register of the host: its own, or a free one.
    fn source(&mut self, register: u8, free: Host) -> Host {
        match self.operand(register, free) {
            Place::Register(host) => host,
            memory @ Place::Memory { .. } => {
                self.assembler.mov(free, memory);
                self.spoil(free);
                if free == RAX {
                    self.mirror = Some(register);
                }
                free
            }
        }
    }

    /// EAX holds something else now.
    fn spoil(&mut self, host: Host) {
        if host == RAX {
            self.mirror = None;
        }
    }

    /// The register of the host in which a result is made.
    fn destination(&self, register: u8) -> Host {
        self.plan.pin(register).unwrap_or(RAX)
    }

    /// The result of a register is made: it goes where it belongs.
    fn done(&mut self, register: u8, host: Host) {
        if self.plan.pin(register).is_none() {
            self.assembler.store(Store::Word, slot(register), host);
            if host == RAX {
                self.mirror = Some(register);
            } else if self.mirror == Some(register) {
                self.mirror = None;
            }
        }
    }

    /// Starts a result with a copy of a source.
    fn copy(&mut self, rd: u8, rs: u8) -> Host {
        let to = self.destination(rd);
        let from = self.operand(rs, to);
        self.assembler.mov(to, from);
        self.spoil(to);
        to
    }

    fn constant(&mut self, rd: u8, value: u32) {
        if self.mirror == Some(rd) {
            self.mirror = None;
        }
        match self.plan.pin(rd) {
            Some(host) => self.assembler.set(Place::Register(host), value),
            None => self.assembler.set(slot(rd), value),
        }
    }

    fn add_constant(&mut self, rd: u8, rs1: u8, imm: i32) {
        if rs1 == 0 {
            return self.constant(rd, imm as u32);
        }
        let to = self.destination(rd);
        match self.place(rs1) {
            from if imm == 0 => self.assembler.mov(to, from),
            Place::Register(from) if from != to => self.assembler.lea(to, from, None, imm),
            from => {
                self.assembler.mov(to, from);
                self.assembler.alu_constant(Alu::Add, Place::Register(to), imm);
            }
        }
        self.spoil(to);
        self.done(rd, to);
    }

    fn with_constant(&mut self, alu: Alu, rd: u8, rs1: u8, imm: i32) {
        let to = self.destination(rd);
        if alu == Alu::And && imm == 0xFF && rs1 != 0 {
            // The lowest octet of a register in memory is the first.
            self.assembler.load(Load::Byte, to, self.place(rs1));
        } else {
            self.copy(rd, rs1);
            self.assembler.alu_constant(alu, Place::Register(to), imm);
        }
        self.spoil(to);
        self.done(rd, to);
    }

    fn shift(&mut self, shift: Shift, rd: u8, rs1: u8, by: i32) {
        let to = self.copy(rd, rs1);
        if by != 0 {
            self.assembler.shift(shift, to, by as u8);
        }
        self.done(rd, to);
    }

    fn shift_by(&mut self, shift: Shift, rd: u8, rs1: u8, rs2: u8) {
        let by = self.operand(rs2, RCX);
        self.assembler.mov(RCX, by);
        let value = self.operand(rs1, RAX);
        self.assembler.mov(RAX, value);
        self.mirror = None;
        self.assembler.shift_by_rcx(shift, RAX);
        self.result_in_rax(rd);
    }

    /// The result is in EAX.
    fn result_in_rax(&mut self, rd: u8) {
        self.mirror = None;
        match self.plan.pin(rd) {
            Some(host) => self.assembler.mov(host, Place::Register(RAX)),
            None => self.done(rd, RAX),
        }
    }

    fn add(&mut self, rd: u8, rs1: u8, rs2: u8) {
        if rs1 == 0 || rs2 == 0 {
            return self.add_constant(rd, rs1 | rs2, 0);
        }
        let to = self.destination(rd);
        match (self.place(rs1), self.place(rs2)) {
            (Place::Register(a), Place::Register(b)) if a != to && b != to => {
                self.assembler.lea(to, a, Some(b), 0);
                self.spoil(to);
                self.done(rd, to);
            }
            _ => self.commutative(Alu::Add, rd, rs1, rs2),
        }
    }

    /// Both sources of something that commutes, first the one that stands in the destination.
    fn first_in(&self, to: Host, rs1: u8, rs2: u8) -> (u8, u8) {
        let second = rs2 != 0 && self.place(rs2) == Place::Register(to);
        if second { (rs2, rs1) } else { (rs1, rs2) }
    }

    fn commutative(&mut self, alu: Alu, rd: u8, rs1: u8, rs2: u8) {
        let to = self.destination(rd);
        let (a, b) = self.first_in(to, rs1, rs2);
        let b = self.operand(b, RCX);
        let a = self.operand(a, to);
        self.assembler.mov(to, a);
        self.spoil(to);
        self.assembler.alu(alu, to, b);
        self.done(rd, to);
    }

    /// `rs2 + (rs1 << by)`.
    fn scaled_add(&mut self, by: u8, rd: u8, rs1: u8, rs2: u8) {
        let to = self.destination(rd);
        let value = self.operand(rs1, RCX);
        self.assembler.mov(RCX, value);
        self.assembler.shift(Shift::Left, RCX, by);
        let other = self.operand(rs2, RAX);
        self.assembler.alu(Alu::Add, RCX, other);
        self.assembler.mov(to, Place::Register(RCX));
        self.spoil(to);
        self.done(rd, to);
    }

    /// With the second source inverted.
    fn inverted(&mut self, alu: Alu, rd: u8, rs1: u8, rs2: u8) {
        let to = self.destination(rd);
        let inverted = self.operand(rs2, RCX);
        self.assembler.mov(RCX, inverted);
        self.assembler.alu_constant(Alu::Xor, Place::Register(RCX), -1);
        self.copy(rd, rs1);
        self.assembler.alu(alu, to, Place::Register(RCX));
        self.done(rd, to);
    }

    fn extend(&mut self, load: Load, rd: u8, rs1: u8) {
        let to = self.destination(rd);
        let from = self.operand(rs1, RAX);
        self.assembler.load(load, to, from);
        self.spoil(to);
        self.done(rd, to);
    }

    /// The larger or smaller of two.
    fn extreme(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8) {
        let other = self.operand(rs2, RCX);
        self.assembler.mov(RCX, other);
        let value = self.operand(rs1, RAX);
        self.assembler.mov(RAX, value);
        self.assembler.alu(Alu::Cmp, RAX, Place::Register(RCX));
        let other_if = match op {
            Op::Max => Condition::Less,
            Op::Maxu => Condition::Below,
            Op::Min => Condition::Greater,
            _ => Condition::Above,
        };
        self.assembler.move_if(other_if, RAX, RCX);
        self.result_in_rax(rd);
    }

    fn subtract(&mut self, rd: u8, rs1: u8, rs2: u8) {
        if rs2 == 0 {
            return self.add_constant(rd, rs1, 0);
        }
        let to = self.destination(rd);
        let b = self.place(rs2);
        if b == Place::Register(to) && rs1 != rs2 {
            if rs1 == 0 {
                self.assembler.negate(to);
            } else {
                // to = a - to
                let a = self.place(rs1);
                self.assembler.negate(to);
                self.assembler.alu(Alu::Add, to, a);
            }
        } else {
            self.copy(rd, rs1);
            self.assembler.alu(Alu::Sub, to, b);
        }
        self.spoil(to);
        self.done(rd, to);
    }

    /// Sets flags as for a branch and gives the condition under which it is taken.
    fn compare(&mut self, op: Op, rs1: u8, rs2: u8) -> Condition {
        let condition = match op {
            Op::Beq => Condition::Equal,
            Op::Bne => Condition::NotEqual,
            Op::Blt => Condition::Less,
            Op::Bge => Condition::GreaterOrEqual,
            Op::Bltu => Condition::Below,
            _ => Condition::AboveOrEqual,
        };
        match (rs1, rs2) {
            (0, 0) => self.assembler.alu(Alu::Cmp, RAX, Place::Register(RAX)),
            (0, _) => {
                self.compare_constant(rs2, 0);
                return swapped(condition);
            }
            (_, 0) => self.compare_constant(rs1, 0),
            _ => match (self.place(rs1), self.place(rs2)) {
                (Place::Register(a), b) => self.assembler.alu(Alu::Cmp, a, b),
                (a, Place::Register(b)) => self.assembler.alu_to(Alu::Cmp, a, b),
                (_, b) => {
                    let a = self.source(rs1, RAX);
                    self.assembler.alu(Alu::Cmp, a, b);
                }
            },
        }
        condition
    }

    fn compare_constant(&mut self, register: u8, value: i32) {
        match self.operand(register, RAX) {
            Place::Register(host) if value == 0 => self.assembler.test(host, host),
            place => self.assembler.alu_constant(Alu::Cmp, place, value),
        }
    }

    fn condition(&mut self, rd: u8, condition: Condition) {
        let to = self.destination(rd);
        self.assembler.set_if(condition, to);
        self.mirror = None;
        self.done(rd, to);
    }

    /// Where a load or store of the guest goes. Sums that wrap end in a guard page, and so with
    /// the interpreter.
    fn guest(&mut self, rs1: u8, imm: i32) -> Place {
        let index = match rs1 {
            0 => None,
            _ => Some(self.source(rs1, RAX)),
        };
        Place::Memory { base: R15, index, displacement: imm }
    }

    fn load(&mut self, load: Load, rd: u8, rs1: u8, imm: i32) {
        let from = self.guest(rs1, imm);
        let to = if rd == SINK { RAX } else { self.destination(rd) };
        self.assembler.load(load, to, from);
        self.spoil(to);
        if rd != SINK {
            self.done(rd, to);
        }
    }

    fn store(&mut self, store: Store, rs2: u8, rs1: u8, imm: i32) {
        let to = self.guest(rs1, imm);
        if rs2 == 0 {
            self.assembler.store_zero(store, to);
        } else {
            let value = self.source(rs2, RCX);
            self.assembler.store(store, to, value);
        }
    }

    fn multiply(&mut self, rd: u8, rs1: u8, rs2: u8) {
        let to = self.destination(rd);
        let (a, b) = self.first_in(to, rs1, rs2);
        let b = self.operand(b, RCX);
        let a = self.operand(a, to);
        self.assembler.mov(to, a);
        self.spoil(to);
        self.assembler.multiply(to, b);
        self.done(rd, to);
    }

    /// The upper half of a product of 64 bits.
    fn multiply_high(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8) {
        let b = self.operand(rs2, RCX);
        match op {
            Op::Mulh => self.assembler.extend(RCX, b),
            _ => self.assembler.mov(RCX, b),
        }
        let a = self.operand(rs1, RAX);
        match op {
            Op::Mulhu => self.assembler.mov(RAX, a),
            _ => self.assembler.extend(RAX, a),
        }
        self.assembler.multiply64(RAX, RCX);
        self.assembler.shift64(Shift::Right, RAX, 32);
        self.result_in_rax(rd);
    }

    /// Division never traps: by zero gives all ones (remainder: the dividend), overflow wraps.
    fn divide(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8) {
        let signed = matches!(op, Op::Div | Op::Rem);
        let quotient = matches!(op, Op::Div | Op::Divu);
        let by = self.operand(rs2, RCX);
        self.assembler.mov(RCX, by);
        let value = self.operand(rs1, RAX);
        self.assembler.mov(RAX, value);
        self.mirror = None;
        let (by_zero, by_minus_one) = (self.assembler.label(), self.assembler.label());
        let done = self.assembler.label();
        self.assembler.test(RCX, RCX);
        self.assembler.jump_if(Condition::Equal, by_zero);
        if signed {
            self.assembler.alu_constant(Alu::Cmp, Place::Register(RCX), -1);
            self.assembler.jump_if(Condition::Equal, by_minus_one);
        }
        self.assembler.push(RDX);
        self.assembler.divide(RCX, signed);
        if !quotient {
            self.assembler.mov(RAX, Place::Register(RDX));
        }
        self.assembler.pop(RDX);
        self.assembler.jump(done);
        self.assembler.bind(by_zero);
        if quotient {
            self.assembler.set(Place::Register(RAX), u32::MAX);
        }
        if signed {
            self.assembler.jump(done);
        }
        self.assembler.bind(by_minus_one);
        match (signed, quotient) {
            (true, true) => self.assembler.negate(RAX),
            (true, false) => self.assembler.set(Place::Register(RAX), 0),
            (false, _) => {}
        }
        self.assembler.bind(done);
        self.result_in_rax(rd);
    }

    /// JALR: into the text by the table of entries, or the interpreter sees to it.
    fn jump_register(&mut self, index: usize, instruction: &Instruction) {
        let offset = instruction.imm.wrapping_sub(self.text.base() as i32);
        match instruction.rs1 {
            0 => self.assembler.set(Place::Register(RAX), offset as u32),
            rs1 => match self.place(rs1) {
                Place::Register(host) => self.assembler.lea(RAX, host, None, offset),
                memory @ Place::Memory { .. } => {
                    self.assembler.mov(RAX, memory);
                    self.assembler.alu_constant(Alu::Add, Place::Register(RAX), offset);
                }
            },
        }
        self.mirror = None;
        // Bit 0 falls out; bit 1, which must be zero, becomes the highest.
        self.assembler.shift(Shift::Right, RAX, 1);
        self.assembler.shift(Shift::RotateRight, RAX, 1);
        let len = self.text.len() as i32;
        self.assembler.alu_constant(Alu::Cmp, Place::Register(RAX), len);
        let stop = self.assembler.label();
        self.assembler.jump_if(Condition::AboveOrEqual, stop);
        let exit = self.exits.stop;
        self.aside.push(Aside::Leave { label: stop, pc: index, refund: 1, exit });
        if instruction.rd != SINK {
            self.constant(instruction.rd, self.address(index + 1));
        }
        self.assembler.test64(R14, R14);
        let spent = i64::from(self.exits.spent) - i64::from(self.origin);
        self.assembler.jump_far_if(Condition::Negative, spent);
        self.assembler.jump_table(R15, RAX, self.exits.table);
    }
}

/// Where a register without a pin stands.
pub(crate) fn slot(register: u8) -> Place {
    Place::Memory { base: RBP, index: None, displacement: i32::from(register) * 4 }
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
