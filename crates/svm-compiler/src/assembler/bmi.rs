//! Instructions with a third operand (BMI1 and BMI2), which not every x86-64 has.

use super::{Assembler, Host, Place, Shift};

/// Where an opcode stands and which prefix it has, as its VEX octets say it.
#[derive(Clone, Copy)]
struct Vex {
    map: u8,
    prefix: u8,
    opcode: u8,
}

impl Assembler {
    /// `to = from` rotated to the right.
    pub(crate) fn rotated(&mut self, to: Host, from: Place, by: u8) {
        self.vex(Vex { map: 3, prefix: 3, opcode: 0xF0 }, to, Host(0), from);
        self.code.push(by);
    }

    /// `to = from` shifted by the number in the lowest bits of `by`; not for rotations.
    pub(crate) fn shifted(&mut self, shift: Shift, to: Host, from: Place, by: Host) {
        let prefix = match shift {
            Shift::Left => 1,
            Shift::Arithmetic => 2,
            Shift::Right | Shift::RotateLeft | Shift::RotateRight => 3,
        };
        self.vex(Vex { map: 2, prefix, opcode: 0xF7 }, to, by, from);
    }

    /// `to = !inverted & other`.
    pub(crate) fn and_not(&mut self, to: Host, inverted: Host, other: Place) {
        self.vex(Vex { map: 2, prefix: 0, opcode: 0xF2 }, to, inverted, other);
    }

    fn vex(&mut self, vex: Vex, to: Host, second: Host, place: Place) {
        let (base, index) = match place {
            Place::Register(host) => (host.0, 0),
            Place::Memory { base, index, .. } => (base.0, index.map_or(0, |host| host.0)),
        };
        // The upper bits of register numbers stand inverted.
        let high = (!to.0 >> 3 & 1) << 7 | (!index >> 3 & 1) << 6 | (!base >> 3 & 1) << 5;
        let second = (!second.0 & 15) << 3;
        self.bytes(&[0xC4, high | vex.map, second | vex.prefix, vex.opcode]);
        self.operands(to.0, place);
    }
}
