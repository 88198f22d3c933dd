//! Shifts, and what compilers write with them for what RV32I has no instruction for and the host
//! has one: rotations, narrow values, scaled indices.
//!
//! A shift by a constant waits until it is read. Often what reads it is the other part of such an
//! idiom, and the shift itself is never made.

use crate::allocation::{Operand, Step, Waiting};
use crate::assembler::{Alu, Host, Load, Place, RAX, RCX, Shift};

use super::Translation;

impl Translation<'_> {
    /// By a constant. It waits until it is clear what it is for.
    pub(super) fn shift(&mut self, step: Step, rd: u8, rs1: u8) {
        if let Step::Left(0) | Step::Right(0) | Step::Arithmetic(0) = step {
            return self.allocation.copy(&mut self.code, rd, rs1);
        }
        if let Some((host, load)) = self.narrow(step, rs1) {
            let to = self.allocation.target(&mut self.code, rd, None);
            self.code.load(load, to, Place::Register(host));
            return self.allocation.define(rd, to);
        }
        if let Operand::Constant(value) = self.operand(rs1) {
            return self.allocation.constant(&mut self.code, rd, step.of(value));
        }
        let host = self.allocation.source(&mut self.code, rs1);
        self.allocation.defer(rd, Waiting { host, step });
    }

    /// A shift to the right of a shift to the left: only some octets count.
    fn narrow(&self, step: Step, rs1: u8) -> Option<(Host, Load)> {
        let first = self.allocation.waiting(rs1)?;
        let load = match (first.step, step) {
            (Step::Left(16), Step::Right(16)) => Load::Half,
            (Step::Left(24), Step::Right(24)) => Load::Byte,
            (Step::Left(16), Step::Arithmetic(16)) => Load::SignedHalf,
            (Step::Left(24), Step::Arithmetic(24)) => Load::SignedByte,
            _ => return None,
        };
        Some((first.host, load))
    }

    /// A field: some bits of a shift to the right. As a rotation, which needs no copy, when what
    /// comes in from above is masked away.
    pub(super) fn field(&mut self, rd: u8, rs1: u8, mask: u32) -> Option<()> {
        let Waiting { host, step: Step::Right(by) } = self.allocation.waiting(rs1)? else {
            return None;
        };
        if !self.exits.bmi || mask.leading_zeros() < u32::from(by) {
            return None;
        }
        let to = self.allocation.target(&mut self.code, rd, None);
        self.code.rotated(to, Place::Register(host), by);
        match mask {
            0xFF => self.code.load(Load::Byte, to, Place::Register(to)),
            mask => self.code.alu_constant(Alu::And, Place::Register(to), mask as i32),
        }
        self.allocation.define(rd, to);
        Some(())
    }

    /// Two halves that are joined to a rotation.
    pub(super) fn rotation(&mut self, rd: u8, rs1: u8, rs2: u8) -> Option<()> {
        let (a, b) = (self.allocation.waiting(rs1)?, self.allocation.waiting(rs2)?);
        let ((Step::Left(left), Step::Right(right)) | (Step::Right(right), Step::Left(left))) =
            (a.step, b.step)
        else {
            return None;
        };
        if a.host != b.host || left + right != 32 {
            return None;
        }
        let to = self.allocation.target(&mut self.code, rd, None);
        self.rotated(to, Place::Register(a.host), right);
        self.allocation.define(rd, to);
        Some(())
    }

    /// To the right.
    pub(super) fn rotated(&mut self, to: Host, from: Place, by: u8) {
        if self.exits.bmi && from != Place::Register(to) {
            self.code.rotated(to, from, by);
        } else {
            self.code.mov(to, from);
            self.code.shift(Shift::RotateRight, Place::Register(to), by);
        }
    }

    pub(super) fn rotate(&mut self, rd: u8, rs1: u8, by: u8) {
        let from = self.place(rs1);
        let to = self.allocation.target(&mut self.code, rd, None);
        self.rotated(to, from, by);
        self.allocation.define(rd, to);
    }

    pub(super) fn shift_by(&mut self, shift: Shift, rd: u8, rs1: u8, rs2: u8) {
        if self.exits.bmi && !matches!(shift, Shift::RotateLeft | Shift::RotateRight) {
            let value = self.place(rs1);
            let by = self.allocation.source(&mut self.code, rs2);
            let to = self.allocation.target(&mut self.code, rd, None);
            self.code.shifted(shift, to, value, by);
            return self.allocation.define(rd, to);
        }
        self.allocation.fix(&mut self.code, &[RAX, RCX]);
        let by = self.operand(rs2);
        self.bring(RCX, by);
        let value = self.operand(rs1);
        self.bring(RAX, value);
        self.code.shift_by_rcx(shift, RAX);
        self.allocation.define_from(&mut self.code, rd, RAX);
    }

    /// A sum with something that waits to be doubled up to three times.
    pub(super) fn scaled_sum(&mut self, rd: u8, rs1: u8, rs2: u8) -> Option<()> {
        let scale = |register| match self.allocation.waiting(register)? {
            Waiting { host, step: Step::Left(by @ 1..=3) } => Some((host, by)),
            _ => None,
        };
        let (index, base) = match (scale(rs2), scale(rs1)) {
            (Some(index), _) => (index, rs1),
            (None, Some(index)) => (index, rs2),
            (None, None) => return None,
        };
        if base == 0 || rs1 == rs2 {
            return None;
        }
        let base = self.allocation.source(&mut self.code, base);
        let to = self.allocation.target(&mut self.code, rd, None);
        let (index, by) = index;
        self.code.lea_scaled(to, base, index, by);
        self.allocation.define(rd, to);
        Some(())
    }

    /// `base + (index << by)`.
    pub(super) fn scaled(&mut self, rd: u8, base: u8, index: u8, by: u8) {
        let base = self.allocation.source(&mut self.code, base);
        let index = self.allocation.source(&mut self.code, index);
        let to = self.allocation.target(&mut self.code, rd, None);
        self.code.lea_scaled(to, base, index, by);
        self.allocation.define(rd, to);
    }
}
