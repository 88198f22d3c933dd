//! Shifts, and what compilers write with them for what RV32I has no instruction for and the host
//! has one: rotations, narrow values, scaled indices.
//!
//! A shift by a constant waits until it is read. Often what reads it is the other part of such an
//! idiom, and the shift itself is never made.

use crate::allocation::{Operand, Shifted};
use crate::assembler::{Alu, Host, Load, Place, RAX, RCX, Shift};

use super::Translation;

impl Translation<'_> {
    /// By a constant. It waits until it is clear what it is for.
    pub(super) fn shift(&mut self, shift: Shift, rd: u8, rs1: u8, by: u8) {
        if by == 0 {
            return self.allocation.copy(&mut self.code, rd, rs1);
        }
        if let Some((host, load)) = self.narrow(shift, rs1, by) {
            let to = self.allocation.target(&mut self.code, rd, None);
            self.code.load(load, to, Place::Register(host));
            return self.allocation.define(rd, to);
        }
        if let Operand::Constant(value) = self.operand(rs1) {
            let shifted = match shift {
                Shift::Left => value << by,
                Shift::Arithmetic => (value as i32 >> by) as u32,
                _ => value >> by,
            };
            return self.allocation.constant(&mut self.code, rd, shifted);
        }
        let host = self.allocation.source(&mut self.code, rs1);
        self.allocation.defer(rd, Shifted { host, shift, by });
    }

    /// A shift to the right of a shift to the left: only some octets count.
    pub(super) fn narrow(&self, shift: Shift, rs1: u8, by: u8) -> Option<(Host, Load)> {
        let first = self.allocation.shifted(rs1)?;
        if first.shift != Shift::Left || first.by != by {
            return None;
        }
        let load = match (shift, by) {
            (Shift::Right, 16) => Load::Half,
            (Shift::Right, 24) => Load::Byte,
            (Shift::Arithmetic, 16) => Load::SignedHalf,
            (Shift::Arithmetic, 24) => Load::SignedByte,
            _ => return None,
        };
        Some((first.host, load))
    }

    /// A field: some bits of a shift to the right. As a rotation, which needs no copy, when what
    /// comes in from above is masked away.
    pub(super) fn field(&mut self, rd: u8, rs1: u8, mask: u32) -> Option<()> {
        let Shifted { host, by, .. } =
            self.allocation.shifted(rs1).filter(|shifted| shifted.shift == Shift::Right)?;
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
        let (a, b) = (self.allocation.shifted(rs1)?, self.allocation.shifted(rs2)?);
        let (left, right) = if a.shift == Shift::Left { (a, b) } else { (b, a) };
        let is_one = (left.shift, right.shift) == (Shift::Left, Shift::Right)
            && left.host == right.host
            && left.by + right.by == 32;
        if !is_one {
            return None;
        }
        let to = self.allocation.target(&mut self.code, rd, None);
        self.rotated(to, Place::Register(left.host), right.by);
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
        let scale = |register| {
            let shifted = self.allocation.shifted(register)?;
            (shifted.shift == Shift::Left && shifted.by <= 3).then_some(shifted)
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
        self.code.lea_scaled(to, base, index.host, index.by);
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
