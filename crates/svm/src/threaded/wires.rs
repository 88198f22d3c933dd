//! What is known of each instruction from those before it in straight code.

use super::Slot;
use super::kind::{Kind, ROW_MAX, Source, general, operation, operation_of, overwrites};
use crate::decode::{Instruction, Op, SINK};

const fn operation_for(instruction: &Instruction) -> u32 {
    match instruction {
        Instruction { op: Op::Lw, rs1: 2, .. } => operation::LW_SP,
        Instruction { op: Op::Sw, rs1: 2, .. } => operation::SW_SP,
        Instruction { op: Op::Jal, rd: SINK, .. } => operation::J,
        Instruction { op: Op::Jalr, rd: SINK, .. } => operation::JR,
        // AUIPC holds its result since the scan, as LUI does; so does ADDI to x0.
        Instruction { op: Op::Auipc, .. } | Instruction { op: Op::Addi, rs1: 0, .. } => {
            Op::Lui as u32
        }
        Instruction { op: Op::Addi, imm: 0, .. } => operation::MV,
        Instruction { op, .. } => *op as u32,
    }
}

pub(super) const fn ends_straight_code(op: Op) -> bool {
    matches!(op, Op::Jal | Op::Jalr | Op::Trap | Op::Unimp | Op::Ecall | Op::Illegal)
}

pub(super) const fn is_transfer(op: Op) -> bool {
    use Op::{Beq, Bge, Bgeu, Blt, Bltu, Bne};
    ends_straight_code(op) || matches!(op, Beq | Bne | Blt | Bge | Bltu | Bgeu)
}

/// A place where a handler can stop, so that every result before it has to be in its register.
const fn can_stop(op: Op) -> bool {
    use Op::{Lb, Lbu, Lh, Lhu, Lw, Sb, Sh, Sw};
    is_transfer(op) || matches!(op, Lb | Lh | Lw | Lbu | Lhu | Sb | Sh | Sw)
}

/// Which operands an instruction reads.
const fn reads(op: Op) -> (bool, bool) {
    use Op::*;
    match op {
        Lui | Auipc | Jal | Fence | Trap | Unimp | Ecall | Illegal => (false, false),
        Jalr | Lb | Lh | Lw | Lbu | Lhu | Addi | Slti | Sltiu | Xori | Ori | Andi | Slli | Srli
        | Srai | Clz | Ctz | Cpop | SextB | SextH | Rori | OrcB | Rev8 | Brev8 | Zip | Unzip
        | Sha256Sig0 | Sha256Sig1 | Sha256Sum0 | Sha256Sum1 => (true, false),
        _ => (true, true),
    }
}

const fn writes(instruction: &Instruction) -> bool {
    use Op::*;
    let op = instruction.op;
    instruction.rd != SINK
        && !ends_straight_code(op)
        && !matches!(op, Beq | Bne | Blt | Bge | Bltu | Bgeu | Sb | Sh | Sw | Fence)
}

/// What it costs to read what the row has just written: some cycles pass until it is there.
const COMES_BACK: u32 = 12;

/// What is known of one instruction from those before it. Distances count instructions; 0 where
/// there is nothing near enough for a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wired {
    operation: u8,
    transfer: bool,
    /// A transfer that leads back, as loops do.
    back: bool,
    first: Operand,
    second: Operand,
    writes: bool,
    /// To the one whose result is overwritten unseen.
    overwrites: u8,
    /// To the SRLI and the SLLI that a rotation is made of.
    rotation: Option<(u8, u8)>,
}

#[derive(Clone, Copy, Debug)]
struct Operand {
    is_read: bool,
    is_zero: bool,
    /// To the one that wrote its register.
    written: u8,
    /// To the one that had the same as first operand.
    read: u8,
}

impl Operand {
    const NONE: Self = Self { is_read: false, is_zero: false, written: 0, read: 0 };

    const fn source(self, at: usize) -> u32 {
        if self.is_zero {
            Source::ZERO
        } else if within(self.written, at) {
            self.written as u32
        } else if within(self.read, at) {
            Source::OPERAND + self.read as u32
        } else {
            0
        }
    }

    /// Whether a handler can take it from this source, see [`Wired::fits`].
    const fn fits(self, source: u32, at: usize, read: u16) -> Option<u16> {
        if source == self.source(at) {
            Some(read)
        } else if source != 0 {
            None
        } else if within(self.written, at) {
            Some(read | 1 << (at - self.written as usize))
        } else {
            Some(read)
        }
    }

    const fn cost(self, source: u32, at: usize) -> u32 {
        match (self.is_read && source == 0, within(self.written, at)) {
            (false, _) => 0,
            (true, false) => 2,
            (true, true) => COMES_BACK,
        }
    }
}

const fn within(distance: u8, at: usize) -> bool {
    distance != 0 && distance as usize <= at
}

impl Wired {
    const NONE: Self = Self {
        operation: 0,
        transfer: false,
        back: false,
        first: Operand::NONE,
        second: Operand::NONE,
        writes: false,
        overwrites: 0,
        rotation: None,
    };

    /// The operations that handlers may know it by.
    pub(super) fn operations(&self) -> impl Iterator<Item = u32> {
        let rotation = self.rotation.map(|_| operation::ROTR);
        let own = u32::from(self.operation);
        rotation.into_iter().chain([own]).chain(general(own))
    }

    /// Whether a handler can execute it as this kind, in a row that has `at` instructions before
    /// it. What the kind does not know of, the handler reads from registers or leaves in them. So
    /// this is told, and answers, whose results are read there: those have to be there.
    pub(super) const fn fits(&self, kind: Kind, at: usize, read: u16) -> Option<u16> {
        let Some(read) = (match (operation_of(kind), self.rotation) {
            (operation::ROTR, Some((right, left))) => {
                let both = within(right, at) && within(left, at);
                let same = kind >> 8 & 0x3FF == right as u32 | (left as u32) << 5;
                if both && same { Some(read) } else { None }
            }
            _ => match self.first.fits(kind >> 8 & 31, at, read) {
                Some(read) => self.second.fits(kind >> 13 & 31, at, read),
                None => None,
            },
        }) else {
            return None;
        };
        let overwrites = overwrites(kind);
        let fits = overwrites == 0
            || within(self.overwrites, at)
                && overwrites == self.overwrites as usize
                && read >> (at - overwrites) & 1 == 0;
        if fits { Some(read) } else { None }
    }

    /// What it costs as this kind beside what it computes, about in quarters of a cycle: each
    /// access to a register, and more where what the row has just written comes back.
    pub(super) const fn cost(&self, kind: Kind, at: usize) -> u32 {
        let own =
            operation_of(kind) == self.operation as u32 || operation_of(kind) == operation::ROTR;
        let kept = self.writes && overwrites(kind) == 0;
        let operands = self.first.cost(kind >> 8 & 31, at) + self.second.cost(kind >> 13 & 31, at);
        operands + if kept { 2 } else { 0 } + if own { 0 } else { 2 }
    }

    /// How likely it is that the next instruction follows, in eighths.
    pub(super) const fn stays(&self) -> u32 {
        match (self.transfer, self.back) {
            (false, _) => 8,
            (true, false) => 5,
            (true, true) => 1,
        }
    }

    /// Whether it is a transfer that is mostly taken: it leads back.
    pub(super) const fn leads_back(&self) -> bool {
        self.back
    }
}

/// How much of what is known of an instruction a row makes use of.
#[cfg(feature = "rows")]
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Results so far back are not read again.
    results: u8,
    /// Nor are first operands.
    operands: bool,
    /// What is overwritten unseen is not written.
    overwrites: bool,
    /// An operation that executes others as well.
    general: bool,
}

#[cfg(feature = "rows")]
impl Form {
    /// From all that is known to nothing.
    pub(super) const ALL: [Self; 8] = [
        Self { results: ROW_MAX as u8, operands: true, overwrites: true, general: false },
        Self { results: ROW_MAX as u8, operands: false, overwrites: true, general: false },
        Self { results: ROW_MAX as u8, operands: false, overwrites: false, general: false },
        Self { results: 1, operands: false, overwrites: false, general: false },
        Self { results: 0, operands: false, overwrites: false, general: false },
        Self { results: 2, operands: false, overwrites: false, general: true },
        Self { results: 1, operands: false, overwrites: false, general: true },
        Self { results: 0, operands: false, overwrites: false, general: true },
    ];
}

#[cfg(feature = "rows")]
impl Wired {
    /// The kind in a row of this form that has `at` instructions before this one.
    pub(super) fn kind_in(&self, at: usize, form: Form) -> Kind {
        let source = |operand: Operand| {
            if form.results == 0 {
                0
            } else if within(operand.written, at) {
                if operand.written > form.results { 0 } else { u32::from(operand.written) }
            } else if form.operands || operand.is_zero {
                operand.source(at)
            } else {
                0
            }
        };
        let overwrites = form.overwrites && within(self.overwrites, at);
        let (operation, first, second) = match self.rotation {
            Some((right, left))
                if within(right, at) && within(left, at) && right.max(left) <= form.results =>
            {
                (operation::ROTR, right.into(), left.into())
            }
            _ => (self.operation.into(), source(self.first), source(self.second)),
        };
        let operation = match general(operation) {
            Some(other) if form.general => other,
            _ => operation,
        };
        let overwrites = if overwrites { u32::from(self.overwrites) } else { 0 };
        operation | first << 8 | second << 13 | overwrites << 18
    }

    /// The operation alone, with all operands from their registers.
    pub(super) fn alone(&self) -> Kind {
        self.operation.into()
    }

    /// Without what is farther back than so many instructions.
    pub(super) fn knowing(&self, count: usize) -> Self {
        let near = |distance: u8| if within(distance, count) { distance } else { 0 };
        let operand = |operand: Operand| Operand {
            written: near(operand.written),
            read: near(operand.read),
            ..operand
        };
        Self {
            first: operand(self.first),
            second: operand(self.second),
            overwrites: near(self.overwrites),
            rotation: self.rotation.filter(|(a, b)| within(*a.max(b), count)),
            ..*self
        }
    }

    /// Whether it may go elsewhere than to the next.
    pub(super) fn is_transfer(&self) -> bool {
        self.transfer
    }

    /// Whether it always does.
    pub(super) fn ends_straight_code(&self) -> bool {
        [operation::J, operation::JR, Op::Jal as u32, Op::Jalr as u32]
            .contains(&self.operation.into())
    }

    /// Whether a handler can execute it.
    pub(super) fn has_rows(&self) -> bool {
        let stops = [Op::Trap, Op::Unimp, Op::Ecall, Op::Illegal];
        stops.iter().all(|op| *op as u8 != self.operation)
    }
}

/// Instructions of straight code that are looked at together.
const STRETCH_MAX: usize = 256;

/// The wires of straight code, instruction by instruction.
pub(super) struct Stretch {
    wires: [Wired; STRETCH_MAX],
    len: usize,
}

impl Stretch {
    /// The straight code at the beginning of `code`, which is the rest of a text from `index` on.
    pub(super) fn of(code: &[Slot], index: usize) -> Self {
        let mut stretch = Self { wires: [Wired::NONE; STRETCH_MAX], len: 0 };
        let mut registers = Registers::default();
        for slot in code.iter().take(STRETCH_MAX) {
            let mut wires = registers.wire(code, stretch.from(0), &slot.instruction);
            // The immediate of a branch is where it leads.
            wires.back = wires.transfer && slot.instruction.imm as usize <= index + stretch.len;
            if let Some(place) = stretch.wires.get_mut(stretch.len) {
                *place = wires;
            }
            stretch.len += 1;
            if ends_straight_code(slot.instruction.op) {
                break;
            }
        }
        stretch
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The wires from one place on.
    pub(super) fn from(&self, at: usize) -> &[Wired] {
        self.wires.get(at..self.len).unwrap_or_default()
    }
}

/// 1 more than the place of the last instruction of the stretch that did so, by register.
#[derive(Default)]
struct Registers {
    written: [u16; 32],
    /// Had it as first operand.
    read: [u16; 32],
    /// The last that can stop.
    stopped: u16,
}

impl Registers {
    /// The wires of the next instruction, which stands behind those `before`.
    fn wire(&mut self, code: &[Slot], before: &[Wired], instruction: &Instruction) -> Wired {
        let here = before.len() as u16;
        let Instruction { op, rd, rs1, rs2, .. } = *instruction;
        let distance = |place: u16| {
            let distance = here + 1 - place;
            if place == 0 || usize::from(distance) >= ROW_MAX { 0 } else { distance as u8 }
        };
        let last =
            |of: &[u16; 32], register: u8| of.get(usize::from(register)).copied().unwrap_or(0);
        let operand = |register: u8, is_read: bool| {
            let (written, read) = (last(&self.written, register), last(&self.read, register));
            match (is_read, register) {
                (false, _) => Operand::NONE,
                (true, 0) => Operand { is_read: true, is_zero: true, ..Operand::NONE },
                (true, _) => Operand {
                    is_read: true,
                    is_zero: false,
                    written: distance(written),
                    read: if read > written { distance(read) } else { 0 },
                },
            }
        };
        let operation = operation_for(instruction);
        // What loads an immediate reads nothing.
        let is_immediate = operation == Op::Lui as u32;
        let (reads_first, reads_second) = if is_immediate { (false, false) } else { reads(op) };
        let writes = writes(instruction);
        let overwritten = last(&self.written, rd);
        let unseen = writes && !can_stop(op) && overwritten >= self.stopped;
        let mut wires = Wired {
            operation: operation as u8,
            transfer: is_transfer(op),
            back: false,
            first: operand(rs1, reads_first),
            second: operand(rs2, reads_second),
            writes,
            overwrites: if unseen { distance(overwritten) } else { 0 },
            rotation: None,
        };
        if matches!(op, Op::Or | Op::Xor | Op::Add) {
            wires.rotation = rotation(code, before, &wires);
        }
        if reads_first && let Some(place) = self.read.get_mut(usize::from(rs1)) {
            *place = here + 1;
        }
        if writes && let Some(place) = self.written.get_mut(usize::from(rd)) {
            *place = here + 1;
        }
        if can_stop(op) {
            self.stopped = here + 1;
        }
        wires
    }
}

/// Whether an instruction joins what SRLI and SLLI made of one value, so that it is that
/// value rotated: how far back each of them is.
fn rotation(code: &[Slot], before: &[Wired], wires: &Wired) -> Option<(u8, u8)> {
    let here = before.len();
    let back = |distance: u8| {
        let at = here.checked_sub(usize::from(distance)).filter(|at| *at != here)?;
        Some((at, code.get(at)?.instruction))
    };
    let (first, second) = (wires.first.written, wires.second.written);
    let ((p, a), (q, b)) = (back(first)?, back(second)?);
    let distances = match (a.op, b.op) {
        (Op::Srli, Op::Slli) => (first, second),
        (Op::Slli, Op::Srli) => (second, first),
        _ => return None,
    };
    // The later of the two still finds what the earlier found.
    let written = usize::from(before.get(p.max(q))?.first.written);
    let same = a.rs1 == b.rs1 && (written == 0 || written > p.abs_diff(q));
    (same && a.imm + b.imm == 32).then_some(distances)
}
