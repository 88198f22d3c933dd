//! What a handler is made for: kinds of instruction, and where each takes its operands from.
//!
//! In a row of instructions most operands are results of the row itself, or were read before in
//! it. A kind says so, and then the handler keeps them in registers of the host: a guest register
//! is memory, and what was just written there comes back only after several cycles.

use crate::decode::{Instruction, Op};

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
    /// BEQ or BNE. This one and those below execute two operations, so that one row serves more
    /// code; which of the two it is, the slot says.
    pub(in super::super) const EQ: u32 = 206;
    /// BLT or BGE.
    pub(in super::super) const LT: u32 = 207;
    /// BLTU or BGEU.
    pub(in super::super) const LTU: u32 = 208;
    /// SLLI or SRLI.
    pub(in super::super) const SHIFT: u32 = 209;
    /// ADD or SUB.
    pub(in super::super) const SUM: u32 = 210;
}

/// What a handler of two operations does with an instruction: 1 for a branch that is taken where
/// the other is not, how far a word in the upper half of 64 bits is shifted down, 1 for SUB.
pub(super) const fn which(instruction: &Instruction) -> u8 {
    match instruction.op {
        Op::Bne | Op::Bge | Op::Bgeu | Op::Sub => 1,
        Op::Slli => 32 - instruction.imm as u8,
        Op::Srli => 32 + instruction.imm as u8,
        _ => 0,
    }
}

/// What else can execute an operation: a more general one, or one of two.
pub(super) const fn general(operation: u32) -> Option<u32> {
    const fn is(operation: u32, op: Op) -> bool {
        operation == op as u32
    }
    Some(match operation {
        operation::LW_SP => Op::Lw as u32,
        operation::SW_SP => Op::Sw as u32,
        operation::J => Op::Jal as u32,
        operation::JR => Op::Jalr as u32,
        operation::MV => Op::Addi as u32,
        // LUI has x0 as its first operand since the scan.
        o if is(o, Op::Lui) => Op::Addi as u32,
        o if is(o, Op::Beq) || is(o, Op::Bne) => operation::EQ,
        o if is(o, Op::Blt) || is(o, Op::Bge) => operation::LT,
        o if is(o, Op::Bltu) || is(o, Op::Bgeu) => operation::LTU,
        o if is(o, Op::Slli) || is(o, Op::Srli) => operation::SHIFT,
        o if is(o, Op::Add) || is(o, Op::Sub) => operation::SUM,
        _ => return None,
    })
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

/// How far back the result lies that it overwrites unseen; 0 where there is none.
pub(super) const fn overwrites(kind: Kind) -> usize {
    (kind >> 18 & 15) as usize
}

/// Whether a later instruction of the row overwrites the register that the one at `at` writes,
/// and nobody can see it in between.
pub(super) const fn overwritten(row: &[Kind], at: usize) -> bool {
    let mut later = at + 1;
    while later < row.len() {
        if row[later] != NONE && overwrites(row[later]) == later - at {
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

/// The words of a row, as [`kinds_in`] reads them.
#[cfg(feature = "rows")]
pub(super) fn words_of(row: &[Kind]) -> alloc::string::String {
    use core::fmt::Write as _;
    let mut words = alloc::string::String::new();
    for kind in row.iter().take(length(row)) {
        let operation = operation_of(*kind);
        let special = SPECIAL.iter().find(|(_, of)| *of == operation).map(|(name, _)| *name);
        let name = special.or_else(|| Op::NAMES.get(operation as usize).copied());
        words.push_str(if words.is_empty() { "" } else { " " });
        words.push_str(name.unwrap_or_default());
        let sources = [kind >> 8 & 31, kind >> 13 & 31];
        for source in sources.iter().take(if sources[1] == 0 { 1 } else { 2 }) {
            let _ = match *source {
                0 if sources == [0, 0] => Ok(()),
                0 => write!(words, "._"),
                Source::ZERO => write!(words, ".z"),
                result @ 1..Source::OPERAND => write!(words, ".{result}"),
                operand => write!(words, ".o{}", operand - Source::OPERAND),
            };
        }
        if overwrites(*kind) != 0 {
            let _ = write!(words, "/{}", overwrites(*kind));
        }
    }
    words
}

const SPECIAL: [(&str, u32); 11] = [
    ("LwSp", operation::LW_SP),
    ("SwSp", operation::SW_SP),
    ("J", operation::J),
    ("Jr", operation::JR),
    ("Mv", operation::MV),
    ("Rotr", operation::ROTR),
    ("Eq", operation::EQ),
    ("Lt", operation::LT),
    ("Ltu", operation::LTU),
    ("Shift", operation::SHIFT),
    ("Sum", operation::SUM),
];

/// All operations, in the order of their names as numbers: rows are many, and looking for each name
/// among all took a third of the time that this crate compiles.
const NAMED: [(u128, u32); Op::NAMES.len() + SPECIAL.len()] = {
    let mut named = [(0, 0); Op::NAMES.len() + SPECIAL.len()];
    let mut count = 0;
    while count < named.len() {
        let (name, operation) = if count < SPECIAL.len() {
            SPECIAL[count]
        } else {
            (Op::NAMES[count - SPECIAL.len()], (count - SPECIAL.len()) as u32)
        };
        let number = number_of(name.as_bytes(), 0, name.len());
        let mut at = count;
        while at > 0 && named[at - 1].0 > number {
            named[at] = named[at - 1];
            at -= 1;
        }
        named[at] = (number, operation);
        count += 1;
    }
    named
};

/// A name that stands in a text from `start` to `end`, as a number.
const fn number_of(text: &[u8], start: usize, end: usize) -> u128 {
    let (mut number, mut at) = (0, start);
    while at < end {
        number = number << 8 | text[at] as u128;
        at += 1;
    }
    number
}

/// The operation with the name that stands in a text from `start` to `end`.
#[allow(clippy::panic, reason = "rows are read while this is compiled, and a wrong one ends that")]
const fn operation_named(text: &[u8], start: usize, end: usize) -> u32 {
    let number = number_of(text, start, end);
    let (mut low, mut high) = (0, NAMED.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        match NAMED[middle].0 {
            other if other == number => return NAMED[middle].1,
            other if other < number => low = middle + 1,
            _ => high = middle,
        }
    }
    panic!("a row names an operation that does not exist")
}
