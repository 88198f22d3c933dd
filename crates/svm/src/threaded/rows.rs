//! The rows that have a function of their own.
//!
//! Any pair of common instructions has one, so that no code needs a step for each. The others are
//! in `rows/chosen.rs`, written by `cargo xtask rows --write`: what saves most in a corpus of
//! programs (`choice.rs`). A row that nothing runs any more does no harm; one that is missing costs
//! a step.

use core::sync::atomic::Ordering;

use super::Slot;
use super::fused::choose;
use super::handlers::row;
use super::kind::{Kind, ROW_MAX, kinds_in};
use super::onward::{Handler, leave, trap};

/// A row and the function that executes it.
pub(super) struct Row {
    #[cfg(test)]
    pub(super) words: &'static str,
    pub(super) kinds: [Kind; ROW_MAX],
    pub(super) handler: Handler,
}

/// All rows.
pub(super) static ROWS: [&Row; COUNT] = {
    let mut rows = [&ALONE[0][0]; COUNT];
    let mut at = 0;
    let mut lists: &[&[&[Row]]] = LISTS;
    while let [list, more_lists @ ..] = lists {
        let mut groups = *list;
        while let [group, more_groups @ ..] = groups {
            let mut more = *group;
            while let [row, rest @ ..] = more {
                rows[at] = row;
                at += 1;
                more = rest;
            }
            groups = more_groups;
        }
        lists = more_lists;
    }
    rows
};

/// First those that save most, or that all code needs (`trampoline.rs`).
const LISTS: &[&[&[Row]]] = &[ALONE, PAIRS, chosen::CHOSEN];

const COUNT: usize = count(LISTS);

const fn count(mut lists: &[&[&[Row]]]) -> usize {
    let mut count = 0;
    while let [list, more_lists @ ..] = lists {
        let mut groups = *list;
        while let [group, more_groups @ ..] = groups {
            count += group.len();
            groups = more_groups;
        }
        lists = more_lists;
    }
    count
}

/// The number of the function that chooses one.
pub(super) const UNCHOSEN: u16 = 0;
/// The number of the function that lets the match loop look.
pub(super) const LEAVE: u16 = 1;
/// The number of the function that makes a system call.
pub(super) const TRAP: u16 = 2;
/// The number of the first row's function.
pub(super) const FIRST: u16 = 3;
/// One more than the number of the last row that the loop of `trampoline.rs` calls itself.
#[cfg(portcullis_trampoline)]
pub(super) const NEAR_END: u16 = FIRST + if COUNT > 1700 { 1700 } else { COUNT as u16 / 2 };
/// One more than the number of the last row's function.
#[cfg(portcullis_trampoline)]
pub(super) const END: u16 = FIRST + COUNT as u16;

/// All functions by number. No number is too large, so that nobody has to test it.
pub(super) static FUNCTIONS: [Handler; 1 << 12] = {
    let mut functions: [Handler; 1 << 12] = [leave; 1 << 12];
    functions[UNCHOSEN as usize] = choose;
    functions[TRAP as usize] = trap;
    let mut at = 0;
    while at < COUNT {
        functions[FIRST as usize + at] = ROWS[at].handler;
        at += 1;
    }
    functions
};

impl Slot {
    /// The number of its function.
    #[inline(always)]
    pub(super) fn number(&self) -> u16 {
        self.function.load(Ordering::Relaxed)
    }

    #[cfg(any(test, not(portcullis_trampoline)))]
    #[inline(always)]
    pub(super) fn function(&self) -> Handler {
        FUNCTIONS.get(usize::from(self.number()) % FUNCTIONS.len()).copied().unwrap_or(leave)
    }
}

macro_rules! one_row {
    ($words:expr) => {
        one_row!($words, 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    ($words:expr, $($at:literal)+) => {{
        const WORDS: &str = $words;
        const KINDS: [Kind; ROW_MAX] = kinds_in(WORDS);
        Row {
            #[cfg(test)]
            words: WORDS,
            kinds: KINDS,
            handler: row::<$({ KINDS[$at] }),+>,
        }
    }};
}

/// Rows of one.
macro_rules! alone {
    ($($name:ident)*) => {
        const ALONE: &[&[Row]] = &[&[$(one_row!(stringify!($name))),*]];
    };
}

/// Any of the first instructions before any of the second.
macro_rules! pairs {
    ($list:ident: [$($first:ident)*] $seconds:tt) => {
        const $list: &[&[Row]] = &[$(pairs!(@ $first $seconds)),*];
    };
    (@ $first:ident [$($second:literal)*]) => {
        &[$(one_row!(concat!(stringify!($first), " ", $second))),*]
    };
}

/// Rows that were chosen.
#[cfg(not(any(feature = "rows", portcullis_few_rows)))]
macro_rules! chosen {
    ($($words:literal)*) => {
        pub(super) const CHOSEN: &[&[Row]] = &[&[$(one_row!($words)),*]];
    };
}

#[cfg(not(any(feature = "rows", portcullis_few_rows)))]
mod chosen;

/// Who chooses needs none, and who looks at how rows go on needs few.
#[cfg(any(feature = "rows", portcullis_few_rows))]
mod chosen {
    pub(super) const CHOSEN: &[&[super::Row]] = &[];
}

/// The rows that are there whatever is chosen.
#[cfg(feature = "rows")]
pub(super) fn always() -> impl Iterator<Item = [Kind; ROW_MAX]> {
    [ALONE, PAIRS].into_iter().flatten().copied().flatten().map(|row| row.kinds)
}

// The lists.

alone! {
    Lui Addi Slti Sltiu Xori Ori Andi Slli Srli Srai Add Sub Sll Slt Sltu Xor Srl Sra Or And Mul
    Mulh Mulhsu Mulhu Div Divu Rem Remu Lb Lbu Lh Lhu Lw Sb Sh Sw Fence LwSp SwSp Mv Sh1add
    Sh2add Sh3add Andn Orn Xnor Clz Ctz Cpop Max Maxu Min Minu SextB SextH Rol Ror Rori OrcB Rev8
    Pack Packh Brev8 Zip Unzip Sha256Sig0 Sha256Sig1 Sha256Sum0 Sha256Sum1 Sha512Sig0h
    Sha512Sig0l Sha512Sig1h Sha512Sig1l Sha512Sum0r Sha512Sum1r Aes32esi Aes32esmi Aes32dsi
    Aes32dsmi Jal Jalr Beq Bne Blt Bge Bltu Bgeu J Jr
}

pairs! {
    PAIRS:
    [
        Addi Sum Shift Andi Xor Or And Lw Sw Lbu Sb Lhu Mul Sltu Srai Eq Lt Ltu
    ]
    [
        "Addi" "Sum" "Shift" "Andi" "Xor" "Or" "And" "Lw" "Sw" "Lbu" "Sb" "Lhu" "Mul" "Sltu" "Srai"
        "Eq" "Lt" "Ltu" "Jal" "Jalr"
    ]
}
