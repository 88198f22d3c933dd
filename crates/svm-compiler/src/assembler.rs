//! Encodes the few x86-64 instructions that the translation needs, into a buffer.
//!
//! Every instruction works on 32 bits and so clears the upper half of its destination, unless it
//! says 64. Jumps inside the buffer are made when all labels are known (`shorten.rs`).

mod bmi;
mod jumps;
mod shorten;
mod wide;

/// A register of the host, by its number in instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Host(pub(crate) u8);

pub(crate) const RAX: Host = Host(0);
pub(crate) const RCX: Host = Host(1);
pub(crate) const RDX: Host = Host(2);
pub(crate) const RBX: Host = Host(3);
pub(crate) const RSP: Host = Host(4);
pub(crate) const RBP: Host = Host(5);
pub(crate) const RSI: Host = Host(6);
pub(crate) const RDI: Host = Host(7);
pub(crate) const R8: Host = Host(8);
pub(crate) const R9: Host = Host(9);
pub(crate) const R10: Host = Host(10);
pub(crate) const R11: Host = Host(11);
pub(crate) const R12: Host = Host(12);
pub(crate) const R13: Host = Host(13);
pub(crate) const R14: Host = Host(14);
pub(crate) const R15: Host = Host(15);

/// A register, or octets in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Register(Host),
    /// `[base + index + displacement]`; the index is not RSP.
    Memory {
        base: Host,
        index: Option<Host>,
        displacement: i32,
    },
}

/// Arithmetic with two operands, by the number of its group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Alu {
    Add = 0,
    Or = 1,
    And = 4,
    Sub = 5,
    Xor = 6,
    Cmp = 7,
}

/// Shifts and rotations, by the number of their group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Shift {
    RotateLeft = 0,
    RotateRight = 1,
    Left = 4,
    Right = 5,
    Arithmetic = 7,
}

/// When a jump is taken, by its number in instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Condition {
    Below = 2,
    AboveOrEqual = 3,
    Equal = 4,
    NotEqual = 5,
    BelowOrEqual = 6,
    Above = 7,
    Negative = 8,
    Less = 12,
    GreaterOrEqual = 13,
    LessOrEqual = 14,
    Greater = 15,
}

/// How wide a load is and how it is extended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Load {
    Byte,
    SignedByte,
    Half,
    SignedHalf,
    Word,
}

/// How wide a store is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Store {
    Byte,
    Half,
    Word,
}

/// A place in the buffer that jumps lead to; bound once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Label(u32);

/// The buffer.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    pub(crate) code: Vec<u8>,
    labels: Vec<Option<u32>>,
    jumps: Vec<shorten::Jump>,
    /// Where a distance of 32 bits is missing, and to where, counted from the start.
    far: Vec<(u32, i64)>,
}

/// What stands before the opcode.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    /// The register operand is one octet: RSI and RDI need a prefix to mean their lowest.
    Byte,
    Half,
    Word,
    Double,
}

impl Assembler {
    pub(crate) fn here(&self) -> u32 {
        self.code.len() as u32
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.code.extend_from_slice(bytes);
    }

    fn encode(&mut self, width: Width, opcode: &[u8], register: u8, place: Place) {
        let (base, index) = match place {
            Place::Register(host) => (host.0, 0),
            Place::Memory { base, index, .. } => (base.0, index.map_or(0, |host| host.0)),
        };
        let mut rex = (register >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | base >> 3 & 1;
        if width == Width::Double {
            rex |= 8;
        }
        if width == Width::Half {
            self.code.push(0x66);
        }
        let low = |n: u8| (4..8).contains(&n);
        let low_place = matches!(place, Place::Register(host) if low(host.0));
        if rex != 0 || width == Width::Byte && (low(register) || low_place) {
            self.code.push(0x40 | rex);
        }
        self.bytes(opcode);
        self.operands(register, place);
    }

    /// What follows an opcode: a register and a place.
    fn operands(&mut self, register: u8, place: Place) {
        let register = (register & 7) << 3;
        let (base, index, displacement) = match place {
            Place::Register(host) => return self.code.push(0xC0 | register | host.0 & 7),
            Place::Memory { base, index, displacement } => (base, index, displacement),
        };
        let short = i8::try_from(displacement).ok();
        let mode = match short {
            // RBP and R13 as a base always have a displacement.
            Some(0) if base.0 & 7 != 5 => 0,
            Some(_) => 0x40,
            None => 0x80,
        };
        match index {
            None if base.0 & 7 != 4 => self.code.push(mode | register | base.0 & 7),
            index => {
                self.code.push(mode | register | 4);
                self.code.push(index.map_or(4, |host| host.0 & 7) << 3 | base.0 & 7);
            }
        }
        match (mode, short) {
            (0, _) => {}
            (_, Some(short)) => self.code.push(short as u8),
            (_, None) => self.bytes(&displacement.to_le_bytes()),
        }
    }

    /// Copies a register or a word of memory.
    pub(crate) fn mov(&mut self, to: Host, from: Place) {
        if from != Place::Register(to) {
            self.encode(Width::Word, &[0x8B], to.0, from);
        }
    }

    /// Writes a constant; flags may change.
    pub(crate) fn set(&mut self, to: Place, value: u32) {
        match to {
            Place::Register(host) if value == 0 => self.alu(Alu::Xor, host, to),
            Place::Register(host) => {
                if host.0 >= 8 {
                    self.code.push(0x41);
                }
                self.code.push(0xB8 | host.0 & 7);
                self.bytes(&value.to_le_bytes());
            }
            Place::Memory { .. } => {
                self.encode(Width::Word, &[0xC7], 0, to);
                self.bytes(&value.to_le_bytes());
            }
        }
    }

    pub(crate) fn load(&mut self, load: Load, to: Host, from: Place) {
        let opcode: &[u8] = match load {
            Load::Byte => &[0x0F, 0xB6],
            Load::SignedByte => &[0x0F, 0xBE],
            Load::Half => &[0x0F, 0xB7],
            Load::SignedHalf => &[0x0F, 0xBF],
            Load::Word => &[0x8B],
        };
        // A register as a source of one octet needs the same care as a destination.
        let width = match from {
            Place::Register(_) => Width::Byte,
            Place::Memory { .. } => Width::Word,
        };
        self.encode(width, opcode, to.0, from);
    }

    pub(crate) fn store(&mut self, store: Store, to: Place, from: Host) {
        match store {
            Store::Byte => self.encode(Width::Byte, &[0x88], from.0, to),
            Store::Half => self.encode(Width::Half, &[0x89], from.0, to),
            Store::Word => self.encode(Width::Word, &[0x89], from.0, to),
        }
    }

    pub(crate) fn store_constant(&mut self, store: Store, to: Place, value: u32) {
        let (width, opcode, octets) = match store {
            Store::Byte => (Width::Word, 0xC6, 1),
            Store::Half => (Width::Half, 0xC7, 2),
            Store::Word => (Width::Word, 0xC7, 4),
        };
        self.encode(width, &[opcode], 0, to);
        self.code.extend(value.to_le_bytes().into_iter().take(octets));
    }

    /// `to = to op from`; CMP sets flags only.
    pub(crate) fn alu(&mut self, alu: Alu, to: Host, from: Place) {
        self.encode(Width::Word, &[(alu as u8) << 3 | 3], to.0, from);
    }

    /// `to = to op from`, in memory.
    pub(crate) fn alu_to(&mut self, alu: Alu, to: Place, from: Host) {
        self.encode(Width::Word, &[(alu as u8) << 3 | 1], from.0, to);
    }

    pub(crate) fn alu_constant(&mut self, alu: Alu, to: Place, value: i32) {
        self.constant(Width::Word, alu, to, value);
    }

    fn constant(&mut self, width: Width, alu: Alu, to: Place, value: i32) {
        match i8::try_from(value) {
            Ok(short) => {
                self.encode(width, &[0x83], alu as u8, to);
                self.code.push(short as u8);
            }
            Err(_) => {
                if to == Place::Register(RAX) && width == Width::Word {
                    self.code.push((alu as u8) << 3 | 5);
                } else {
                    self.encode(width, &[0x81], alu as u8, to);
                }
                self.bytes(&value.to_le_bytes());
            }
        }
    }

    pub(crate) fn test(&mut self, a: Host, b: Host) {
        self.encode(Width::Word, &[0x85], a.0, Place::Register(b));
    }

    pub(crate) fn lea(&mut self, to: Host, base: Host, index: Option<Host>, displacement: i32) {
        self.encode(Width::Word, &[0x8D], to.0, Place::Memory { base, index, displacement });
    }

    /// `to = base + (index << by)`, by at most 3.
    pub(crate) fn lea_scaled(&mut self, to: Host, base: Host, index: Host, by: u8) {
        let rex = 0x40 | (to.0 >> 3 & 1) << 2 | (index.0 >> 3 & 1) << 1 | base.0 >> 3 & 1;
        // RBP and R13 as a base always have a displacement.
        let needs = base.0 & 7 == 5;
        let mode = u8::from(needs) << 6 | (to.0 & 7) << 3 | 4;
        if rex != 0x40 {
            self.code.push(rex);
        }
        self.bytes(&[0x8D, mode, by << 6 | (index.0 & 7) << 3 | base.0 & 7]);
        if needs {
            self.code.push(0);
        }
    }

    pub(crate) fn shift(&mut self, shift: Shift, to: Place, by: u8) {
        if by == 1 {
            return self.encode(Width::Word, &[0xD1], shift as u8, to);
        }
        self.encode(Width::Word, &[0xC1], shift as u8, to);
        self.code.push(by);
    }

    /// By the number in CL.
    pub(crate) fn shift_by_rcx(&mut self, shift: Shift, to: Host) {
        self.encode(Width::Word, &[0xD3], shift as u8, Place::Register(to));
    }

    /// Inverts all bits.
    pub(crate) fn invert(&mut self, to: Host) {
        self.encode(Width::Word, &[0xF7], 2, Place::Register(to));
    }

    pub(crate) fn negate(&mut self, to: Host) {
        self.encode(Width::Word, &[0xF7], 3, Place::Register(to));
    }

    pub(crate) fn multiply(&mut self, to: Host, from: Place) {
        self.encode(Width::Word, &[0x0F, 0xAF], to.0, from);
    }

    /// `to = from * value`.
    pub(crate) fn multiply_constant(&mut self, to: Host, from: Place, value: i32) {
        match i8::try_from(value) {
            Ok(short) => {
                self.encode(Width::Word, &[0x6B], to.0, from);
                self.code.push(short as u8);
            }
            Err(_) => {
                self.encode(Width::Word, &[0x69], to.0, from);
                self.bytes(&value.to_le_bytes());
            }
        }
    }

    /// EDX:EAX by a register; quotient to EAX, remainder to EDX.
    pub(crate) fn divide(&mut self, by: Host, signed: bool) {
        if signed {
            self.code.push(0x99);
        } else {
            self.alu(Alu::Xor, RDX, Place::Register(RDX));
        }
        self.encode(Width::Word, &[0xF7], if signed { 7 } else { 6 }, Place::Register(by));
    }

    /// The lowest octet of `to` = condition; the others stay.
    pub(crate) fn set_if(&mut self, condition: Condition, to: Host) {
        self.encode(Width::Byte, &[0x0F, 0x90 | condition as u8], 0, Place::Register(to));
    }

    pub(crate) fn move_if(&mut self, condition: Condition, to: Host, from: Place) {
        self.encode(Width::Word, &[0x0F, 0x40 | condition as u8], to.0, from);
    }

    pub(crate) fn swap_octets(&mut self, to: Host) {
        if to.0 >= 8 {
            self.code.push(0x41);
        }
        self.bytes(&[0x0F, 0xC8 | to.0 & 7]);
    }

    /// An opcode that reads memory at `base + (index << by) + displacement`.
    pub(crate) fn load_scaled(
        &mut self,
        opcode: &[u8],
        to: Host,
        base: Host,
        (index, by): (Host, u8),
        displacement: i32,
    ) {
        self.code.push(0x40 | (to.0 >> 3 & 1) << 2 | (index.0 >> 3 & 1) << 1 | base.0 >> 3 & 1);
        self.bytes(opcode);
        self.bytes(&[0x84 | (to.0 & 7) << 3, by << 6 | (index.0 & 7) << 3 | base.0 & 7]);
        self.bytes(&displacement.to_le_bytes());
    }
}
