//! Shifts by a constant wait until they are read. Often what reads them is the next part of something
//! that the host does at once.

use crate::assembler::{Assembler, Host, Place, Shift};

/// What is still to be made, and of which register of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Waiting {
    pub(crate) host: Host,
    pub(crate) step: Step,
}

/// How it is made: shifted by 1 to 31.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Left(u8),
    Right(u8),
    Arithmetic(u8),
}

impl Step {
    /// What it makes of a value.
    pub(crate) const fn of(self, value: u32) -> u32 {
        match self {
            Self::Left(by) => value << by,
            Self::Right(by) => value >> by,
            Self::Arithmetic(by) => (value as i32 >> by) as u32,
        }
    }

    const fn shift(self) -> (Shift, u8) {
        match self {
            Self::Left(by) => (Shift::Left, by),
            Self::Right(by) => (Shift::Right, by),
            Self::Arithmetic(by) => (Shift::Arithmetic, by),
        }
    }

    /// Makes it of what stands in a slot.
    pub(super) fn make_in(self, code: &mut Assembler, slot: Place) {
        let (shift, by) = self.shift();
        code.shift(shift, slot, by);
    }
}

impl Waiting {
    /// Makes it.
    pub(super) fn make(self, code: &mut Assembler, to: Host) {
        let (shift, by) = self.step.shift();
        code.mov(to, Place::Register(self.host));
        code.shift(shift, Place::Register(to), by);
    }
}
