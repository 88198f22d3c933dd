//! Every instruction of the declared extensions as a word without registers.
#![allow(dead_code, unreachable_pub)]

use portcullis_svm::Extension;

/// What stands in the fields of a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operands {
    /// rd and rs1.
    One,
    /// rd, rs1, rs2.
    Two,
    /// rd, rs1 and a shift amount.
    Shift,
    /// rd, rs1, rs2 and the number of an octet.
    Octet,
}

use Extension::{Zba, Zbb, Zbkb, Zknd, Zkne, Zknh};
use Operands::{Octet, One, Shift, Two};

/// Name, an extension that has it, the word, its operands. As the assembler of binutils writes
/// them with all registers x0.
pub const EXTENSION_WORDS: &[(&str, Extension, u32, Operands)] = &[
    ("sh1add", Zba, 0x2000_2033, Two),
    ("sh2add", Zba, 0x2000_4033, Two),
    ("sh3add", Zba, 0x2000_6033, Two),
    ("andn", Zbb, 0x4000_7033, Two),
    ("orn", Zbb, 0x4000_6033, Two),
    ("xnor", Zbb, 0x4000_4033, Two),
    ("clz", Zbb, 0x6000_1013, One),
    ("ctz", Zbb, 0x6010_1013, One),
    ("cpop", Zbb, 0x6020_1013, One),
    ("max", Zbb, 0x0A00_6033, Two),
    ("maxu", Zbb, 0x0A00_7033, Two),
    ("min", Zbb, 0x0A00_4033, Two),
    ("minu", Zbb, 0x0A00_5033, Two),
    ("sext.b", Zbb, 0x6040_1013, One),
    ("sext.h", Zbb, 0x6050_1013, One),
    ("zext.h", Zbb, 0x0800_4033, One),
    ("rol", Zbb, 0x6000_1033, Two),
    ("ror", Zbb, 0x6000_5033, Two),
    ("rori", Zbb, 0x6000_5013, Shift),
    ("orc.b", Zbb, 0x2870_5013, One),
    ("rev8", Zbb, 0x6980_5013, One),
    ("pack", Zbkb, 0x0800_4033, Two),
    ("packh", Zbkb, 0x0800_7033, Two),
    ("brev8", Zbkb, 0x6870_5013, One),
    ("zip", Zbkb, 0x08F0_1013, One),
    ("unzip", Zbkb, 0x08F0_5013, One),
    ("sha256sig0", Zknh, 0x1020_1013, One),
    ("sha256sig1", Zknh, 0x1030_1013, One),
    ("sha256sum0", Zknh, 0x1000_1013, One),
    ("sha256sum1", Zknh, 0x1010_1013, One),
    ("sha512sig0h", Zknh, 0x5C00_0033, Two),
    ("sha512sig0l", Zknh, 0x5400_0033, Two),
    ("sha512sig1h", Zknh, 0x5E00_0033, Two),
    ("sha512sig1l", Zknh, 0x5600_0033, Two),
    ("sha512sum0r", Zknh, 0x5000_0033, Two),
    ("sha512sum1r", Zknh, 0x5200_0033, Two),
    ("aes32esi", Zkne, 0x2200_0033, Octet),
    ("aes32esmi", Zkne, 0x2600_0033, Octet),
    ("aes32dsi", Zknd, 0x2A00_0033, Octet),
    ("aes32dsmi", Zknd, 0x2E00_0033, Octet),
];

/// A word with its registers; `extra` is the shift amount or the octet where there is one.
pub fn filled((_, _, word, operands): &(&str, Extension, u32, Operands), fields: [u32; 4]) -> u32 {
    let [rd, rs1, rs2, extra] = fields;
    let more = match operands {
        One => 0,
        Two => rs2 << 20,
        Shift => (extra & 31) << 20,
        Octet => rs2 << 20 | (extra & 3) << 30,
    };
    word | rd << 7 | rs1 << 15 | more
}

/// The entry that a word belongs to.
pub fn entry_of(word: u32) -> Option<usize> {
    EXTENSION_WORDS.iter().position(|(_, _, known, operands)| {
        let mask = match operands {
            One => 0xFFF0_707F,
            Two | Shift => 0xFE00_707F,
            Octet => 0x3E00_707F,
        };
        word & mask == *known
    })
}
