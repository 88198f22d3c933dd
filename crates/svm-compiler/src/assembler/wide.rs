//! What works on 64 bits: the budget, addresses of the host, and products.

use super::{Alu, Assembler, Host, Place, Shift, Width};

impl Assembler {
    pub(crate) fn mov64(&mut self, to: Host, from: Host) {
        self.encode(Width::Double, &[0x8B], to.0, Place::Register(from));
    }

    /// Writes a constant of 64 bits.
    pub(crate) fn set64(&mut self, to: Host, value: u64) {
        self.bytes(&[0x48 | to.0 >> 3 & 1, 0xB8 | to.0 & 7]);
        self.bytes(&value.to_le_bytes());
    }

    pub(crate) fn alu64(&mut self, alu: Alu, to: Host, from: Place) {
        self.encode(Width::Double, &[(alu as u8) << 3 | 3], to.0, from);
    }

    pub(crate) fn alu_constant64(&mut self, alu: Alu, to: Host, value: i32) {
        self.constant(Width::Double, alu, Place::Register(to), value);
    }

    pub(crate) fn test64(&mut self, a: Host, b: Host) {
        self.encode(Width::Double, &[0x85], a.0, Place::Register(b));
    }

    pub(crate) fn shift64(&mut self, shift: Shift, to: Host, by: u8) {
        self.encode(Width::Double, &[0xC1], shift as u8, Place::Register(to));
        self.code.push(by);
    }

    pub(crate) fn multiply64(&mut self, to: Host, from: Host) {
        self.encode(Width::Double, &[0x0F, 0xAF], to.0, Place::Register(from));
    }

    /// Copies and extends 32 to 64 bits with the sign.
    pub(crate) fn extend(&mut self, to: Host, from: Place) {
        self.encode(Width::Double, &[0x63], to.0, from);
    }

    pub(crate) fn load64(&mut self, to: Host, from: Place) {
        self.encode(Width::Double, &[0x8B], to.0, from);
    }

    pub(crate) fn store64(&mut self, to: Place, from: Host) {
        self.encode(Width::Double, &[0x89], from.0, to);
    }

    /// Sets a bit of a register, counted over 64.
    pub(crate) fn set_bit64(&mut self, to: Host, bit: u8) {
        self.encode(Width::Double, &[0x0F, 0xBA], 5, Place::Register(to));
        self.code.push(bit);
    }
}
