//! What a handler is made for: kinds of instruction, and where each takes its operands from.
//!
//! In a row of instructions most operands are results of the row itself, or were read before in
//! it. A kind says so, and then the handler keeps them in registers of the host: a guest register
//! is memory, and what was just written there comes back only after several cycles.

use crate::decode::Op;

/// An operation, where its operands come from, and whose result it overwrites: bits 0 to 7 the
/// number of an [`Op`] or of [`operation`], then 5 bits for each operand, then 4.
pub(super) type Kind = u32;

/// Instructions of the longest row.
pub(super) const ROW_MAX: usize = 12;

/// No instruction: a row is shorter.
pub(super) const NONE: Kind = u32::MAX;

/// Operations that are not the number of an [`Op`].
pub(super) mod operation {
    /// Load of a word at an offset from x2.
    pub(in super::super) const LW_SP: u32 = 200;
    /// Store of a word at an offset from x2.
    pub(in super::super) const SW_SP: u32 = 201;
    /// JAL that saves nothing.
    pub(in super::super) const J: u32 = 202;
    /// JALR that saves nothing.
    pub(in super::super) const JR: u32 = 203;
    /// ADDI of zero: a copy.
    pub(in super::super) const MV: u32 = 204;
    /// OR, XOR or ADD of what SRLI and SLLI made of one value: a rotation to the right. The first
    /// operand is the result of SRLI, and both are results of the row.
    pub(in super::super) const ROTR: u32 = 205;
}

/// Where an operand comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The guest's register.
    Register,
    /// x0.
    Zero,
    /// The result of the instruction so many before.
    Result(usize),
    /// The first operand of the instruction so many before.
    Operand(usize),
}

impl Source {
    pub(super) const ZERO: u32 = 31;
    pub(super) const OPERAND: u32 = 16;

    const fn of(bits: u32) -> Self {
        match bits & 31 {
            0 => Self::Register,
            Self::ZERO => Self::Zero,
            result @ 1..Self::OPERAND => Self::Result(result as usize),
            operand => Self::Operand((operand - Self::OPERAND) as usize),
        }
    }
}

pub(super) const fn operation_of(kind: Kind) -> u32 {
    kind & 0xFF
}

pub(super) const fn first_source(kind: Kind) -> Source {
    Source::of(kind >> 8)
}

pub(super) const fn second_source(kind: Kind) -> Source {
    Source::of(kind >> 13)
}

/// Whether a later instruction of the row overwrites the register that the one at `at` writes,
/// and nobody can see it in between.
pub(super) const fn overwritten(row: &[Kind], at: usize) -> bool {
    let mut later = at + 1;
    while later < row.len() {
        if row[later] != NONE && row[later] >> 18 & 15 == (later - at) as u32 {
            return true;
        }
        later += 1;
    }
    false
}

/// How many instructions a row has.
pub(super) const fn length(row: &[Kind]) -> usize {
    let mut len = 0;
    while len < row.len() && row[len] != NONE {
        len += 1;
    }
    len
}

/// Whether a row goes on behind its last instruction, always or sometimes.
pub(super) const fn goes_on(row: &[Kind]) -> bool {
    let last = operation_of(row[length(row) - 1]);
    !matches!(last, operation::J | operation::JR)
        && last != Op::Jal as u32
        && last != Op::Jalr as u32
}

/// The [`Op`] of a kind whose operation is the number of one.
pub(super) const fn op_of(kind: Kind) -> Op {
    match Op::ALL.split_at_checked(operation_of(kind) as usize) {
        Some((_, [op, ..])) => *op,
        _ => Op::Illegal,
    }
}

/// The kinds of a row in words, such as `Srli Slli.o1 Rotr.2.1/2`: for each instruction its
/// operation; then after points what its operands are, `_` the register, `z` x0, a number the
/// result so many before, `o` and a number the operand so many before; then after a stroke how far
/// back the result lies that it overwrites.
pub(super) const fn kinds_in(row: &str) -> [Kind; ROW_MAX] {
    let text = row.as_bytes();
    let mut kinds = [NONE; ROW_MAX];
    let (mut at, mut place) = (0, 0);
    while place < text.len() {
        let start = place;
        while place < text.len() && !matches!(text[place], b'.' | b'/' | b' ') {
            place += 1;
        }
        let mut kind = operation_named(text, start, place);
        let mut operand = 0;
        while place < text.len() && text[place] != b' ' {
            let mark = text[place];
            place += 1;
            let (mut base, mut number) = (0, 0);
            while place < text.len() && !matches!(text[place], b'.' | b'/' | b' ') {
                match text[place] {
                    b'_' => {}
                    b'z' => base = Source::ZERO,
                    b'o' => base = Source::OPERAND,
                    digit => number = number * 10 + (digit - b'0') as u32,
                }
                place += 1;
            }
            if mark == b'/' {
                kind |= number << 18;
            } else {
                kind |= (base + number) << (8 + 5 * operand);
                operand += 1;
            }
        }
        kinds[at] = kind;
        at += 1;
        place += 1;
    }
    kinds
}

const SPECIAL: [(&str, u32); 6] = [
    ("LwSp", operation::LW_SP),
    ("SwSp", operation::SW_SP),
    ("J", operation::J),
    ("Jr", operation::JR),
    ("Mv", operation::MV),
    ("Rotr", operation::ROTR),
];

/// The operation with the name that stands in a text from `start` to `end`.
#[allow(clippy::panic, reason = "rows are read while this is compiled, and a wrong one ends that")]
const fn operation_named(text: &[u8], start: usize, end: usize) -> u32 {
    const fn is(name: &str, text: &[u8], start: usize, end: usize) -> bool {
        let name = name.as_bytes();
        if name.len() != end - start {
            return false;
        }
        let mut at = 0;
        while at < name.len() {
            if name[at] != text[start + at] {
                return false;
            }
            at += 1;
        }
        true
    }
    let mut at = 0;
    while at < Op::NAMES.len() {
        if is(Op::NAMES[at], text, start, end) {
            return at as u32;
        }
        at += 1;
    }
    at = 0;
    while at < SPECIAL.len() {
        if is(SPECIAL[at].0, text, start, end) {
            return SPECIAL[at].1;
        }
        at += 1;
    }
    panic!("a row names an operation that does not exist")
}
