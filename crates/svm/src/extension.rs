//! The optional instructions: RISC-V Zba, Zbb, Zbkb, Zknh, Zkne and Zknd for 32 bits.
//!
//! Clause: X.1198 7.3 (permit list), 7.5. A policy declares what its client uses
//! (`<instructions allow="..">`); the scan refuses the rest. Sources: RISC-V "Bit-manipulation" 1.0
//! and "Scalar cryptography" 1.0. What must never happen: an undeclared instruction runs.

use core::fmt;

use crate::decode::{Instruction, Op};

/// An extension of RV32IM that a policy can declare.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Extension {
    /// Shift and add, for addresses.
    Zba,
    /// Basic bit manipulation.
    Zbb,
    /// Bit manipulation for cryptography.
    Zbkb,
    /// SHA-2.
    Zknh,
    /// AES encryption.
    Zkne,
    /// AES decryption.
    Zknd,
}

impl Extension {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Zba, Self::Zbb, Self::Zbkb, Self::Zknh, Self::Zkne, Self::Zknd];

    /// The name, as in a policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zba => "zba",
            Self::Zbb => "zbb",
            Self::Zbkb => "zbkb",
            Self::Zknh => "zknh",
            Self::Zkne => "zkne",
            Self::Zknd => "zknd",
        }
    }

    /// The extension of a name (exact spelling).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.name() == name)
    }
}

/// A set of extensions.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Extensions(u8);

impl Extensions {
    /// RV32IM alone.
    pub const NONE: Self = Self(0);
    /// Everything the machine has.
    pub const ALL: Self = Self((1 << Extension::ALL.len()) - 1);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, extension: Extension) -> Self {
        Self(self.0 | 1 << extension as u8)
    }

    /// Is it in the set?
    #[must_use]
    pub const fn has(self, extension: Extension) -> bool {
        self.0 >> extension as u8 & 1 == 1
    }

    /// What is in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The members, in the order of [`Extension::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Extension> {
        Extension::ALL.into_iter().filter(move |extension| self.has(*extension))
    }
}

impl fmt::Display for Extensions {
    /// The names of which one would do: "zbb or zbkb".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, extension) in self.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { " or " }, extension.name())?;
        }
        Ok(())
    }
}

/// The extensions that have an instruction; any one of them will do. `None`: it is of RV32IM.
pub(crate) const fn providers(instruction: &Instruction) -> Option<Extensions> {
    use Extension::{Zba, Zbb, Zbkb, Zknd, Zkne, Zknh};
    let set = Extensions::NONE;
    Some(match instruction.op {
        Op::Sh1add | Op::Sh2add | Op::Sh3add => set.with(Zba),
        Op::Clz | Op::Ctz | Op::Cpop | Op::SextB | Op::SextH | Op::OrcB => set.with(Zbb),
        Op::Max | Op::Maxu | Op::Min | Op::Minu => set.with(Zbb),
        Op::Andn | Op::Orn | Op::Xnor | Op::Rol | Op::Ror | Op::Rori | Op::Rev8 => {
            set.with(Zbb).with(Zbkb)
        }
        // `pack` with x0 is `zext.h`.
        Op::Pack if instruction.rs2 == 0 => set.with(Zbb).with(Zbkb),
        Op::Pack | Op::Packh | Op::Brev8 | Op::Zip | Op::Unzip => set.with(Zbkb),
        Op::Sha256Sig0 | Op::Sha256Sig1 | Op::Sha256Sum0 | Op::Sha256Sum1 => set.with(Zknh),
        Op::Sha512Sig0h | Op::Sha512Sig0l | Op::Sha512Sig1h | Op::Sha512Sig1l => set.with(Zknh),
        Op::Sha512Sum0r | Op::Sha512Sum1r => set.with(Zknh),
        Op::Aes32esi | Op::Aes32esmi => set.with(Zkne),
        Op::Aes32dsi | Op::Aes32dsmi => set.with(Zknd),
        _ => return None,
    })
}

/// The extension's instructions among those with one register and an immediate (opcode 0x13).
/// `rs2` is the lower part of the immediate.
pub(crate) const fn register_immediate(funct3: u32, funct7: u32, rs2: u8) -> Option<Op> {
    Some(match (funct3, funct7, rs2) {
        (1, 0x30, 0) => Op::Clz,
        (1, 0x30, 1) => Op::Ctz,
        (1, 0x30, 2) => Op::Cpop,
        (1, 0x30, 4) => Op::SextB,
        (1, 0x30, 5) => Op::SextH,
        (5, 0x30, _) => Op::Rori,
        (5, 0x14, 7) => Op::OrcB,
        (5, 0x34, 24) => Op::Rev8,
        (5, 0x34, 7) => Op::Brev8,
        (1, 0x04, 15) => Op::Zip,
        (5, 0x04, 15) => Op::Unzip,
        (1, 0x08, 0) => Op::Sha256Sum0,
        (1, 0x08, 1) => Op::Sha256Sum1,
        (1, 0x08, 2) => Op::Sha256Sig0,
        (1, 0x08, 3) => Op::Sha256Sig1,
        _ => return None,
    })
}

/// The extension's instructions among those with two registers (opcode 0x33).
pub(crate) const fn register_register(funct3: u32, funct7: u32) -> Option<Op> {
    Some(match (funct7, funct3) {
        (0x10, 2) => Op::Sh1add,
        (0x10, 4) => Op::Sh2add,
        (0x10, 6) => Op::Sh3add,
        (0x20, 7) => Op::Andn,
        (0x20, 6) => Op::Orn,
        (0x20, 4) => Op::Xnor,
        (0x05, 6) => Op::Max,
        (0x05, 7) => Op::Maxu,
        (0x05, 4) => Op::Min,
        (0x05, 5) => Op::Minu,
        (0x30, 1) => Op::Rol,
        (0x30, 5) => Op::Ror,
        (0x04, 4) => Op::Pack,
        (0x04, 7) => Op::Packh,
        (0x28, 0) => Op::Sha512Sum0r,
        (0x29, 0) => Op::Sha512Sum1r,
        (0x2A, 0) => Op::Sha512Sig0l,
        (0x2B, 0) => Op::Sha512Sig1l,
        (0x2E, 0) => Op::Sha512Sig0h,
        (0x2F, 0) => Op::Sha512Sig1h,
        // The upper two bits choose the octet.
        (0x11 | 0x31 | 0x51 | 0x71, 0) => Op::Aes32esi,
        (0x13 | 0x33 | 0x53 | 0x73, 0) => Op::Aes32esmi,
        (0x15 | 0x35 | 0x55 | 0x75, 0) => Op::Aes32dsi,
        (0x17 | 0x37 | 0x57 | 0x77, 0) => Op::Aes32dsmi,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;
    use crate::decode::decode;

    /// Every word of both opcodes with fixed registers but every function: each extension has as
    /// many encodings as its specification gives it.
    #[test]
    fn each_extension_has_exactly_its_encodings() {
        let mut found = [0; Extension::ALL.len()];
        for word in 0..1 << 16 {
            let (function, opcode) = (word >> 1, [0x13, 0x33][word as usize & 1]);
            let word = function >> 3 << 20 | 5 << 15 | (function & 7) << 12 | 6 << 7 | opcode;
            let Some(instruction) = decode(word) else { continue };
            for extension in providers(&instruction).into_iter().flat_map(Extensions::iter) {
                found[extension as usize] += 1;
            }
        }
        // Zbb: 18 with 32 rotates by immediate for one, and 32 second registers for 9 of them,
        // of which zext.h needs x0. Zbkb: the same way. AES: four octets.
        let zbb = 32 * 9 + 1 + 32 + 5 + 2;
        let zbkb = 32 * 7 + 32 + 4;
        assert_eq!(found, [3 * 32, zbb, zbkb, 4 + 6 * 32, 8 * 32, 8 * 32]);
    }

    #[test]
    fn sets_and_names() {
        for extension in Extension::ALL {
            assert_eq!(Extension::from_name(extension.name()), Some(extension));
            assert!(Extensions::ALL.has(extension) && !Extensions::NONE.has(extension));
        }
        let either = Extensions::NONE.with(Extension::Zbb).with(Extension::Zbkb);
        assert_eq!(either.to_string(), "zbb or zbkb");
        assert_eq!(either.and(Extensions::NONE.with(Extension::Zbb)).to_string(), "zbb");
    }
}
