//! The rows that have a function of their own.
//!
//! Any pair of common instructions has one, so that no code needs a step for each. The longer rows
//! are those that compilers emit most: they were chosen by how often each was executed in the
//! guests of `benches/` (but `unseen.c`, which shows what other code gets) and in some thirty small
//! kernels of other kinds, and how often it stands in the text of the reference clients. A row that nothing runs any more does no harm; one that is
//! missing costs a step.

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

/// First what was chosen by how often it runs, last what other code needs least.
const LISTS: &[&[&[Row]]] = &[LONGER, ALONE, PAIRS, FORWARDED];

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
pub(super) const NEAR_END: u16 = FIRST + count(&[LONGER, ALONE, PAIRS]) as u16;
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

macro_rules! longer {
    ($($words:literal)*) => {
        const LONGER: &[&[Row]] = &[&[$(one_row!($words)),*]];
    };
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
        Addi Add Sub Xor Or And Andi Slli Srli Srai Lui Lw LwSp Lbu Mv Mul Sltu Srl Sw SwSp Sb
        Beq Bne Blt Bge Bltu Bgeu
    ]
    [
        "Lui" "J" "Jal" "Addi" "Andi" "Slli" "Srli" "Srai" "Lw" "Lbu" "Mv" "Jr" "Add" "Sub" "Xor"
        "Or" "And" "Mul" "Sltu" "Sw" "Sb" "Beq" "Bne" "Blt" "Bge" "Bltu" "Bgeu" "SwSp"
    ]
}

// The second takes the result of the first.
pairs! {
    FORWARDED:
    [
        Addi Add Sub Xor Or And Andi Slli Srli Srai Lui Lw LwSp Lbu Mv Mul Sltu Srl
    ]
    [
        "Addi.1" "Andi.1" "Slli.1" "Srli.1" "Srai.1" "Lw.1" "Lbu.1" "Mv.1" "Jr.1" "Add.1" "Sub.1"
        "Xor.1" "Or.1" "And.1" "Mul.1" "Sltu.1" "Sw.1" "Sb.1" "Beq.1" "Bne.1" "Blt.1" "Bge.1"
        "Bltu.1" "Bgeu.1" "Add._.1" "Sub._.1" "Xor._.1" "Or._.1" "And._.1" "Mul._.1" "Sltu._.1"
        "Sw._.1" "Sb._.1" "Beq._.1" "Bne._.1" "Blt._.1" "Bge._.1" "Bltu._.1" "Bgeu._.1"
        "SwSp._.1" "Beq.1.z" "Bne.1.z" "Blt.1.z" "Bge.1.z"
    ]
}

longer! {
    "Add Add Add Add" "Add Add Add.2 Addi" "Add Add Lbu.2 Lbu.2" "Add Add Slli Slli"
    "Add Add.1 Add._.2 Addi" "Add Add.1 Sw._.1 J"
    "Add Add.1/1 Sub.z Sll.2 Srai Srl.4.3/4 Slli.2/2 Andi.o3/5 Add._.2/2 Or.6.4/4 Add.2.3/2 Add.2/2"
    "Add Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1"
    "Add Add.o1 Lbu.1 Lbu.3 Slli Andi.3 And.2/2 Slli.4 Or.3.2/2 And.2/4 Or.1.2/2"
    "Add Add.o1 Slli Slli Slli Slli Addi Slli Slli Add.o8.7/7 Add.o1.7/7 Add.o1.7/7"
    "Add Addi Add Mv" "Add Addi Addi Addi Addi Addi Mv Mv Mv Beq.7 Mv.10 Mv.3"
    "Add Addi Lui Addi.1/1 Lbu.o4 Addi.o1 Xor.5.2 Mul.1.4/1 Mv.3 Bne.4.9" "Add Addi Lw Slli.2"
    "Add Addi Sb.1 Bne.3.2" "Add Addi Srl._.1 Andi.1" "Add Andi.1 Sh._.1"
    "Add Div.1/1 Mv Mv.o3 Slli.3/3 Add._.1/1 Lw.1 Blt.5.4 Slli.5 Add.o4.1/1 J"
    "Add Lbu Lbu.2 Slli Or.1/1 Slli.4 Or.2.1/2 Slli.5/2 Or.2.1/2 Srai Xor.2/2 Blt._.z"
    "Add Lbu.1 Add Addi Sb.2.3 Bne.2"
    "Add Lbu.1 Andi.1/1 Or._.1 Add/2 Addi Sw._.3 Addi.o1 Mv.4 Bgeu.5 Add.o10.2 Lbu.1"
    "Add Lbu.1 Lui Beq.2"
    "Add Lbu.1 Lui Beq.2 Bne.3 Slli.3 Add._.1/1 Lw.1 Addi Addi.2/2 Sw.4.1 Lui" "Add Lbu.1 Slli"
    "Add Lbu.1 Slli Addi Or.3.2/2 Addi.2/2 Addi Slli.1/6 Srl.4.3 Add._.2/2 Andi.2/2 Sw.2.1"
    "Add Lbu.1 Slli And.1/1 Add.o4 Andi.4/4 Or.1.3/1 Lbu.3 Addi Slli.2/2 And.1/1 Or.1.5/1"
    "Add Lbu.1 Slli Andi.1/1 Andi.3/3 Or.1.2/2"
    "Add Lbu.1 Slli Lbu Srli.2 Andi.4 Slli.1/1 Andi.4/4 Slli.1/1 Or.5.1/5 Or.4.1/1 Lui/3"
    "Add Lbu.1 Slli Or.1.2/1 Addi Slli/4 Add._.1/1 Addi.3/3 Srl.5.1 Andi.1/1 Addi.o5 Sw.5.2"
    "Add Lbu.1 Slli Srli.1/1 Andi.3/3 Slli.1/1 Or.1.3/3 Lui" "Add Lbu.1 Xor.1 Sb.3.1"
    "Add Lw Add.2.1 Sw.o2.1 Slli Add._.1/1 Lw.1 Xor.5.1 Slli.1/2 Srli.2/2 Rotr.1.2/1 Sw.6.1"
    "Add Lw.1 Addi Sub.2 Add Lw.1 Sltu.5.3 Sub.4.2/2 Sltu.5.1 Sub.3.1/3 Add/2 Sw.1.4" "Add LwSp"
    "Add Mul Slli.1 Srli.1"
    "Add Mul Slli.1 Srli.1/1 Lhu Slli.4 Srli.1/1 Mul.4.1/1 Mul.4 Slli.1/5 Srli.1/1 Slli.3/3"
    "Add Mv Add.2 Sw._.1" "Add Mv Add.o2 Mv Addi Bne" "Add Mv Addi Bne" "Add Mv Lw.2 Addi.3"
    "Add Mv.o1 Lbu Addi.o1 Addi.3 Sb.4.3 Mv.2 Bne.3.7" "Add Sb.1 Sh.2 Add" "Add Sh.1 Addi Addi"
    "Add Sh.1 Addi Addi Sltiu.1/1 Addi.5 Addi.2/2 And.1.2/1 Sw.8.1 Andi Sh.10.1"
    "Add Slli Add Add._.2"
    "Add Slli Add.2/2 Sw._.1 Add._.3 Lw.1 Slli Add.o3.1 Xor.6.3 Slli.1/4 Srli.2/2 Rotr.1.2/1"
    "Add Slli Srli Or.2.1"
    "Add Slli Srli Slli Srli Add._.o3 Add._.o2 Sltu Sltu.8.o8 Slli.o7 Slli.o6 Or.7.10/7"
    "Add Slli Srli.o1 Xor.2.1/2 Add.1.o2/1 Xor.5.1/5 Add._.1" "Add Sltu.1 Add Add.2.1"
    "Add Sltu.1 Add.2 Sltu.1.3" "Add Sltu.1 Sltu._.2 Add.2.1"
    "Add Sltu.1.o1 Add._.1/1 Slli Srli Or.2.1/1 Srli.o3 Slli.o3 Or.1.2/2 Xor.9.1/6 Xor.8.5/2 Xor/4"
    "Add Sltu._.1 Sub.z.1"
    "Add Sltu._.1 Sub.z.1/1 And.1/1 Add.4.1/4 Add.1 Sltu.o5.1/3 Sub.z.1/1 And.1/1 Add.4.1/4 Mv/2 Bne.o1"
    "Add Srli Or Slli.o2 Or Srli.o2 Rotr.5.3/5 Slli.o2/4 Rotr.3.1/1 Xor.7.5/7 Xor.4.2/4 Srli"
    "Add Srli Slli Rotr.2.1" "Add Srli.1 Add.1.2 Srai.1"
    "Add Srli.1 Add.1.2/1 Srai.1/1 Slli.1/1 Add._.1/1 Lw.1 Mv.o7 Mv Blt.2.1"
    "Add Srli.1 Add.2.1 Slli.1" "Add Srli.1 Add.2.1/2 Slli.1/1 Andi.1/1 Add._.1/1 Lw.1 Mv Mv.o8"
    "Add Srli.1/1 Slli.1 Add._.1/1 Lw.1 Bgeu.1" "Add Sw._.1 Add Sw._.1"
    "Add Sw._.1 Add Sw.o2.1 Add Sw.o2.1 Add Sw.o2.1" "Add Sw._.1 Addi Bne"
    "Add Sw._.1 Addi Bne.1" "Add Sw._.1 Addi Mv" "Add Sw._.1 Lw Xor.1.3"
    "Add Sw._.1 Lw Xor.1.3/1 Srli.1 Slli.2/2 Rotr.2.1/1 Sw.o5.1 Jr" "Add Sw._.1 Lw Xor.3.1"
    "Add Sw._.1 Lw Xor.3.1 Srli.1/2 Slli.2/2 Rotr.2.1/1 Sw.o5.1"
    "Add Sw._.1 LwSp Add Add Add Sw.o5.3 Sw.o1.3 Sw.o1.3" "Add Xor Add Add._.2"
    "Addi Add Lw Slli" "Addi Add Lw Slli Lw Add.o4 Add.o1 Addi Lw Slli.2" "Addi Add Sh.1"
    "Addi Add Sh.1 Addi Bne.4" "Addi Add Sw.2.1 Bne.3"
    "Addi Add.1 Lbu.2 Slli Addi.4 Or.2.3/2 Bne.2.5"
    "Addi Add._.1 Lbu Sb.o2.1 Addi.o1 Addi.o3 Bne.2.5" "Addi Add._.1 Sub.2" "Addi Addi Addi Addi"
    "Addi Addi Addi Bne.3" "Addi Addi Addi Bne.3.2" "Addi Addi Addi Bne.3.z"
    "Addi Addi Addi Bne._.3" "Addi Addi Bne.2" "Addi Addi Bne.2.z" "Addi Addi Bne._.2"
    "Addi Addi Bne._.z" "Addi Addi J" "Addi Addi Lui Beq.3"
    "Addi Addi Lui Beq.3 Mv Lw.5 Add.4.1 Blt._.1" "Addi Addi Lw.1 Sw.o3.1 Addi.o1 Addi.4 Bne.2.6"
    "Addi Addi Sb.2 Bne._.3" "Addi Addi Sh Slli.2"
    "Addi Addi Sh Slli.2 Addi Srli.2/2 Addi.o4 Add Andi.1/1 Sh.9.1 Bne.6"
    "Addi Addi Sw Lw Mv.o1 Sw.4.2 Beq._.z" "Addi Addi Sw.2 Bne.3" "Addi Addi.1 Add.1 Lw.1"
    "Addi Addi.o1 Lw.2 Addi.3 Sw._.2 Addi.o1 Bne.3.5" "Addi And.1 Beq._.z Beq._.z"
    "Addi Andi Add Lw.1" "Addi Andi.1 Addi.1 Add._.1" "Addi Andi.1 Bgeu._.1"
    "Addi Andi.1 Bgeu._.1 Addi" "Addi Andi.1 Bltu._.1"
    "Addi Andi.1/1 Addi.1/1 Add._.1 Mv Mv.o2 Lw.2 Addi.2 Addi.4 Sw.2.3"
    "Addi Andi.1/1 Addi.1/1 Add._.1/1 Mv.o1 Sw.1 Addi.2 Bne.1.4"
    "Addi Andi.1/1 Bgeu.1 Addi Lui Bltu.2.1" "Addi Andi.1/1 Bgeu._.1 Addi.o3 Andi.1/1 Beq.1.z"
    "Addi Beq._.z" "Addi Bgeu Addi Andi.3" "Addi Bne._.z" "Addi Lbu Bne._.1 Lbu.3"
    "Addi Lui Addi.1/1 Lui Lui Mv Mulhu.o1.4 Srli.1/1 Mul.1.5 Sub.4.1/1 Ori.1/1 Sb.11.1"
    "Addi Lui Bltu.1.2" "Addi Lui J"
    "Addi Lui Lbu.o2 Addi.o1 Addi.2 Addi.3 Andi.2 Andi.2/2 Bgeu._.2 Addi.7 Andi.1/1 Bltu._.4"
    "Addi Lui Lui SwSp.3 Mv SwSp.5 Lui Lui Lui Addi.8 Addi.8" "Addi Lw Addi Sw._.2"
    "Addi Lw Lui Bne._.3" "Addi LwSp" "Addi LwSp Bne.1.2"
    "Addi LwSp Slli.2 Srli.1/1 Addi.3 Addi/4 Slli.1 Slli.3/3 LwSp.o7 Srli.2 SwSp.o2.7 SwSp.o1.2"
    "Addi LwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1.3 LwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1.3 LwSp.o1 Mv SwSp.o2.2"
    "Addi Mv Addi.o2 Lw.3 Addi.4 Sw.4.2 Addi.5 Bne.3.5" "Addi Mv Bne.2" "Addi Mv Mv Bne"
    "Addi Mv Mv Mv" "Addi Sb Mv.2 Bne.3" "Addi Sh._.1 Addi Bne.1" "Addi Sll._.1 Andi.1 Sltu.z.1"
    "Addi Sll._.1 Andi.1 Sltu.z.1/2 Addi.1/1 And.1/1 Beq._.z Beq.5.z Lui Mv.o3"
    "Addi Slli Add._.1/1 Mv.o2 Lw.2 Addi.3 Addi.3 Blt._.3"
    "Addi Slli Xor Xor.1/1 Add Lw Add.o2 Slli.7 Add.o2.7 Lw.5 Lw.4 Lw.3"
    "Addi Slli.1/1 Add._.1/1 Sw.1 Addi Addi Addi Beq.3 Slli.4 Add.o7.1/1 Lw.1 Mv.5"
    "Addi Sltiu.1 Xori.1" "Addi Sltu.1 Sub.z.1 Or.1.3" "Addi Sltu.z.1"
    "Addi Sltu.z.1/1 Lbu Addi.o1 Beq.2.z Beq.4.z"
    "Addi Srli Andi.1/1 Add.3.1/1 Lw.1 Srli Andi.1 Addi.o7/2 Addi.1 Add.1.3/3 Lw.1" "Addi SwSp.1"
    "Addi SwSp.1 Lui Addi.1/1 Lw.1 Addi.2 SwSp.6 Jal" "Addi SwSp.1 Lw"
    "Addi SwSp.1 Lw Slli.1/1 Lui Addi.1/1 Add.1.3/3 Lw.1 Jalr.1" "Addi SwSp.1 SwSp.2"
    "Addi SwSp.1 SwSp.2 Lui Lw.1 Addi.2 Addi.1 Jal" "Addi SwSp.1 SwSp.2 SwSp.3"
    "Addi SwSp.1 SwSp.2 SwSp.3 Lui Addi Addi.o1 Addi.o1 Mv Add.4.5"
    "Addi SwSp.1 SwSp.2 SwSp.3 Lui Mv.1/1 Lbu.1 Beq.1.z Lui Lw.1 Lui Bne.2.1"
    "Addi SwSp.1 SwSp.2 SwSp.3 SwSp.4 SwSp.5" "Addi SwSp.1 SwSp.2 SwSp.3 SwSp.4 SwSp.5 SwSp.6"
    "Addi SwSp.1 SwSp.2 SwSp.3 SwSp.4 SwSp.5 SwSp.6 SwSp.7 Mv Mv Mv"
    "Addi SwSp.1 SwSp.2 SwSp.3 SwSp.4 SwSp.5 SwSp.6 SwSp.7 SwSp.8 SwSp.9"
    "Addi SwSp.o1 Addi Addi Lui Addi.1/1 Add._.1/1 Slli.1/1 Srli.1/1 Slli LwSp.o9 Srli.2"
    "Addi Xor Add._.1 Add.1" "Addi Xor Bne.2.z" "Addi Xor Bne._.2" "Addi Xor Xor Xor"
    "Addi Xor Xor.1" "Addi Xor Xor.1/1" "And LwSp" "And Or And._.1 Or.1.3"
    "And Or.o1 And._.1/1 Or.1.3/3 Add.1/1 Add Add.2.o1 Addi Addi Mv Mv/6 Mv/9"
    "And Slli Slli.2 Or.2.1"
    "And Slli.o1 Or Lui Addi.1/1 Slli.5/5 Or.5.1/1 Lui/6 Or.2.6/6 Addi/3 SwSp.o1.z SwSp.o1.3"
    "And Xor And Add"
    "And Xor And Add Xor Or Or.4.6/4 Add.4.6/4 Xor.4.3/4 Add.2/2 Add.2.4/2 Addi"
    "And Xor Or.o2 And.1/1 Or.1.4/1 Addi Xor.5/5 Add.3.1/1 Add.1/1" "And Xori And._.1 Or.1.3"
    "And Xori And._.1/1 Or.1.3/3 Mv/2 Srli.o1 Andi.1/1 Andi.o2 Or.2.1/2 Lw" "Andi Add Beq.2.z"
    "Andi Add._.1 Lbu.1 Addi.o3 Sll._.2 Sub.z.3/3 Srl.o2.1 Or.3.1/1 Add.1/1 Mv/4 Bne.7 LwSp"
    "Andi Add._.1 Lw.1 Andi"
    "Andi Add._.1/1 Lbu.1 Slli Or.1/1 Slli Or.1.4/4 Or.3.1/1 Xor.1/1 Srli/5 Addi.o1 Sw._.3"
    "Andi Add._.1/1 Lw.1 Andi Slli.1/1 Add._.1/1 Lw.1 Srli.o4 Xor Xor Xor.8.4 Xor.2.1/2"
    "Andi Addi Addi Andi"
    "Andi Addi.o1 Addi Slli.2/2 Sw Sh.o1.3 Sh.o1.6 Srli.4 Addi.o2 Addi.o7 Bne.1"
    "Andi Addi.o1 Andi Slli Slli.4/4 Andi.4/4 Add._.3/3 Slli.5/5 Add.o2.4/4 Slli.4/4 Add.o2.3/3 Add.o1.2/2"
    "Andi And Slli Or.3.2" "Andi Andi Andi Srli.o2 Srli.o2 Srli.o1" "Andi Andi Or.2.1 Lw"
    "Andi Andi Slli Addi.3"
    "Andi Andi Slli Slli.3 Or.1.3/3 Slli/2 Slli.6/6 Add._.2/2 Or.6.2/2 Or.1.5/1 Addi.o5 Sw.4.2"
    "Andi Andi.o1 Add._.2 Add._.3 Sub._.4 Beq.4.z Lbu.3 Sb.5.1 Beq.4.z Lbu.6 Lui Sb.9.2"
    "Andi Lui Addi.1 Mul.3.1" "Andi Lui Addi.1/1 Mul.3.1/1 Lui Mv/5 Sw.1.3 Addi Addi.3 Bltu.5.2"
    "Andi Lui Bne.2.z" "Andi Lui Lui Mv.2 Sll.4.3/3 Or.1.5/5 Slli.3/2 Bltu.4.5" "Andi LwSp"
    "Andi Mul._.1 Add._.1 Bne" "Andi Mv Beq.2.z" "Andi Mv Beq.2.z Lui Mv.o4"
    "Andi Mv Mv Add.3.o2/3 Lui Lw.3 Lw.5 Addi.6 Addi.6 Xor.4.3 Or.1.6 Bne.4.8"
    "Andi Mv Mv Add.3.o2/3 Lw.3 Addi.4 Addi.4 Sw.1.3 Bne.3.5"
    "Andi Or._.1/1 Sw._.1 Slli.o3 Srli.o3 Or.2.1/2 Sw.o4.1 Slli.6 Srli Or.2.1/2 Sw.o4.1 Slli.10"
    "Andi Slli Slli Andi" "Andi Slli Slli Andi Andi Slli Slli Andi Andi Slli"
    "Andi Slli.1 Add.1.2/1 Slli.1 Lui/4 Andi.o5 Add.4.3/4 Bgeu.3 Addi Andi.1/1 Addi.1/1 Add._.1/1"
    "Andi Slli.1 Add._.1 Lw.1" "Andi Slli.1 Addi Add.1.2"
    "Andi Slli.1/1 Add._.1/1 Lw.1 Srli Xor._.1 Add.1.o2/1 Add.o7.4/4 Xor.1.2/2 Add.1 Add.o3 Slli.2/3"
    "Andi Slli.1/1 Add._.1/1 Lw.1 Srli.o4 Srli.o1 Xor Xor Xor._.5 Xor.2.1/1 Lw"
    "Andi Slli.1/1 Add._.1/1 Lw.1 Xor Xor Lw Xor._.4 Xor.3.1 Addi.o3 Xor.2.4 Bne.2"
    "Andi Slli.1/1 Addi Add.1.2/2 Lw.1 Xor Xor._.2/2 Xor.2.1/2 Lw"
    "Andi Slli.o1 Slli.o1 Srli.3 Or._.1 Srli.5/2 Or.5.1/5 Srli.7/2 Or.6.1/6 Slli.o7/2 Srli.10/10 Or.2.1/1"
    "Andi Srli Andi Andi" "Andi Srli Srli Addi" "Andi Srli Srli Srli"
    "Andi Srli Srli Srli Andi.o1 Srli.o5 Srli.o5 Srli.o5 Andi.o1 Srli.o5 Srli.o5 Srli.o5"
    "Andi Sub.z.1/1 Slli Slli Slli Srli.o5 Srli.o4 Srli.o4 And.7/7 Srli.o5 Or.5.8/5 Or.5.8/5"
    "Andi Xor.1 Slli.2/2 Or.2.1/2 Or.1/1 Srli.1 Slli.2 Slli.3 Srli.4 Slli.5/7 Srli.6 Rotr.6.5/6"
    "Beq Addi Add._.1 Sub.2" "Beq Addi.o1 Add._.1 Sub.2 Sb.2 Add._.2 Lbu.1 Bne.1.z"
    "Beq Lbu Beq.1" "Beq Lw Add.1 Blt._.1" "Beq LwSp" "Beq._.z Add" "Beq._.z Add Mv Lbu"
    "Beq._.z Add._.o1 Mv.o1 Lbu Addi.o1 Addi.3 Sb.4.3 Mv.2 Bne.3.7"
    "Beq._.z Addi Lw.o2 Lui Bne._.3" "Beq._.z Beq" "Beq._.z Bne" "Beq._.z Lui"
    "Beq._.z Lui Add._.o2 Lbu Lbu.o2 Xor.1.2 Or.1.5 Addi.o3 Addi.o5 Bne.2.7"
    "Beq._.z Lui Lui Addi.1/1 Add._.o4 Lui Lui Addi.1/1 Lbu.o4 Addi.o1" "Beq._.z Mv" "Bge LwSp"
    "Bge.z Lui" "Bge.z Mv J" "Bgeu Lw Sw._.1 Addi" "Bgeu LwSp"
    "Bgeu Mul Add.1/1 Srli.1 Andi.1/1 Add._.1/1 Lw.1 Lbu.1 Beq.1.z" "Bgeu Sw._.z Addi J"
    "Bgeu Sw.o1.z Addi.o1 J" "Blt LwSp" "Bltu LwSp" "Bltu Slli Add.1 Lw.1"
    "Bltu Slli Add.1/1 Lw.1 Addi Jr.2" "Bne LwSp" "Bne._.z J" "Lb Andi.1 Blt.2.z Lui"
    "Lb Slli.1 Srli.2 Andi.1/1 Xor.1.3/3 Slli.1/2 Andi.6 Slli.1 Or.3.1/3 Slli.3/3 Or.2.1/1 Xor.7.11/11"
    "Lbu Add Add" "Lbu Add Add Andi"
    "Lbu Add Add.o1 Add.o1 Or Slli Slli Lbu.6 Lbu.6 Lbu.6 Or.6.5 Or.1.5/1"
    "Lbu Add Add.o1 Andi Add.o2 Add.o1 Andi Add.o2 Add.o1 Andi Slli Lbu.10"
    "Lbu Add Lbu.1 Add Lbu.1 Lbu.o5 Slli.4 Or.1.7 Slli.4 Slli.4/4 Or.1.2/1" "Lbu Addi Bne.2.z"
    "Lbu Addi Xor._.2 Sb.2.1" "Lbu Addi.o1 Addi Sb.o1.3 Mv.2 Bne.3" "Lbu Addi.o1 Bne.2.z"
    "Lbu Addi.o1 Slli.2 Slli.3 Slli.4 Add.3.5/3 Slli.3/3 Srai.3/3 Slli.3/3 Srai.3/3 Bge.3.z Xori.2"
    "Lbu Addi.o1 Xor._.2/2 Sb.2.1 Bne._.3" "Lbu Beq.1 Addi.2 Andi.1"
    "Lbu Beq.1 Addi.2 Andi.1/1 Bltu Slli Add.1/1 Lw.1 Jr.1" "Lbu Lbu Bne.2.1 Addi"
    "Lbu Lbu Lbu Lbu" "Lbu Lbu Xor.1.2 Or.1" "Lbu Lbu.o1 Lbu.o1 Lbu.o1"
    "Lbu Lbu.o1 Lbu.o1 Lbu.o1 Slli.4 Or.1.4/1 Slli.4 Slli.4/4"
    "Lbu Lbu.o1 Lbu.o1 Lbu.o1 Slli.4 Or.1.4/1 Slli.4 Slli.4/4 Or.1.2 Or.1.4/4"
    "Lbu Lbu.o1 Lbu.o1 Lbu.o1 Slli.4 Slli.4 Slli.4 Or.3.4/3 Or.2.3/3"
    "Lbu Lbu.o1 Lui Sb._.3 Slli.3 Addi.o2 Andi Bne.1.z Lui J"
    "Lbu Lbu.o1 Slli.2 Or.1.2/1 Slli.1/3 Srli.2/2 Or.2.1/2 Slli.1/1 Srli.1/1"
    "Lbu Lbu.o1 Slli.2 Or._.1/1 Srl Sub.z Or.3.5/3 Andi.2/2 Sll.2.1/1 Or.1.5/1 Sw._.1 Add"
    "Lbu Lui Beq.2" "Lbu Lui Beq.2.1 LwSp.o3 Andi.1 Bne.1.4 LwSp.o3" "Lbu Lui Sb._.2 Beq._.2"
    "Lbu LwSp" "Lbu Slli Add._.1/1 Sb.1.3 Sh.2 Add.o5 Sw.4.1 Sub Addi.o7 Bltu.2 Add.o5 Mv.3"
    "Lbu Slli Addi Or.2.3"
    "Lbu Slli Addi Or.3.2/2 Srl.1.2 Slli/5 Addi.o4 Add._.2/2 Andi.4/4 Srl.6.3 Sw.3.2 Andi.2"
    "Lbu Slli Andi And.2 Slli/3 Or.3.2/3 And.2/2 Slli.7/7 Or.3.2/3 And.2/2 Or.1.2/2 Addi"
    "Lbu Slli Or.1 Slli" "Lbu Sub._.1 Jr" "Lbu SwSp._.1 Lbu SwSp._.1"
    "Lbu SwSp._.1 Lbu.o2 SwSp.o2.1 Lbu.o2 SwSp.o2.1 Lbu.o2 SwSp.o2.1" "Lh Add Sh.1.2 LwSp"
    "Lh Addi Addi Mul.3" "Lh Addi Addi.o2 Mul.3/3 Sw.3.1 Bne.3" "Lh Beq._.1 Lw Bne.1.z"
    "Lh Beq._.1 Lw.o2 Bne.1.z" "Lh Lh" "Lh Lh Add Lh" "Lh Lh Addi Addi" "Lh Lh Addi Blt.2.3"
    "Lh Lh Addi.o1 Addi.o3 Mul.4.3 Add._.1 Bne.4" "Lh Lh Addi.o1 Addi.o3 Mul.4.3 Add._.1 Bne._.4"
    "Lh Lh Addi.o2 Addi.o2 Mul.3.4/3 Srai.1 Srai.2/2 Andi.2/2 Andi.2/2 Mul.2.1/1 Add._.1 Bne._.9"
    "Lh Lh Lh Lh" "Lh Lh Sub.2.1 Jr"
    "Lh Lh.o1 Add Lh.o2 Mul.4 Mul.4 Add.2.1/2 Mul.4/4 Lh.o5 Lh.o1 Add.4.3 Add.9.1"
    "Lh Lh.o1 Lh.o1 Lh.o1 Lh.o1 Lh.o1 Lh.o1 Lh.o1"
    "Lh Lh.o1 Mul.2 Lh.o2 Lh.o1 Mul.4 Add.1.4 Mul.4 Mul.4/4 Add.2.1/2"
    "Lh Lh.o1 Mul.2 Lh.o2 Lh.o1 Mul.4 Add.1.4 Mul.4/2 Mul.4 Add.2.1/2" "Lh Mul._.1 Sw._.1"
    "Lhu Lhu Addi" "Lhu Lhu Addi Bltu.2.3" "Lhu Lhu Addi.o1 Mul.2.3 Add.1 Addi.o5 Bne.4"
    "Lhu Lhu Lhu Lhu" "Lhu Lhu Sub.2.1 Jr" "Lhu Mul.1 Slli.1 Srli.1" "Lhu Slli Srli.1 Mul._.1"
    "Lhu Slli Srli.1/1 Mul._.1/1 Mul.4 Slli.1/5 Srli.1/1 Slli.3/3 Lhu.o8 Srli.2 Mul.4.1/1"
    "Lhu Srli Mul._.1/1 Add._.1 Mul.4/2 Slli.1 Srli.1/1 Slli.3/3 Srli.1/1 Lhu.o9 Mul.4.2 Add.8.1"
    "Lhu Xor.1 Slli.1 Srai.1" "Lhu Xor.1 Slli.1/1 Srai.1/1 Srli.4"
    "Lui Add Lbu Lbu.o2 Xor.1.2 Or.1.5 Addi.o3 Addi.o5 Bne.2.7"
    "Lui Add Sltu.1.o1 Add Add.1.2/2 Srli.o4/2 Slli.o3 Or.1.2/2 Slli.o3 Srli.o3 Or.2.1/1 Xor.1.10/1"
    "Lui Addi Add.1.2/1 Lw.1 Lw Addi.5 And._.3 Xor.3.1/3 Sw.o4.1 Addi.o1 Bne.5" "Lui Addi J"
    "Lui Addi Lbu Srli.3 Addi.o2 Xor.3.5/3 Andi.1/1 Slli.1/1 Add.7.1/1 Lw.1 Xor.1.7/1 Bne.7"
    "Lui Addi.1 Addi" "Lui Addi.1 Addi.1 Mv" "Lui Addi.1 Lbu Addi" "Lui Addi.1 Lui Addi.1"
    "Lui Addi.1 Lui SwSp._.2" "Lui Addi.1 Lw.1 Addi.2" "Lui Addi.1 SwSp._.1 Addi"
    "Lui Addi.1 Xor._.1" "Lui Addi.1 Xor._.1 Lui" "Lui Addi.1/1"
    "Lui Addi.1/1 Addi Lui Lui Jalr.1"
    "Lui Addi.1/1 Andi Andi.o1 Mul.1.3/1 Add Mv.o1/5 Lui Sub.3.2 Bltu.2.1 Andi Add.1.o5/1"
    "Lui Addi.1/1 Lui Addi.1/1 Bgeu.3.1 Sw.4.z Addi.5 J"
    "Lui Addi.1/1 Lui Addi.1/1 Lui Add._.1/1 Mul._.5 Add.1.4/1 Sw.o3.1 Addi.o1 Bne.1.5"
    "Lui Addi.1/1 Lui Lui Lui Mv Mv Mv Mv J" "Lui Addi.1/1 Lui Mv.1/1 Addi SwSp.1.4"
    "Lui Addi.1/1 Lui SwSp._.2 SwSp.o1.2 Addi.o1" "Lui Addi.1/1 Mul._.1/1 Lui And.2/2"
    "Lui Addi.1/1 Sw._.1 Lui Addi.1/1 Sw.o3.1 Lui Addi.1/1"
    "Lui Addi.1/1 Xor._.1 Lui/2 Addi.1 Xor._.1/2 Addi.2 Sltu.1.3 Xor.o6.2/2 Lui/5 Xor._.3 Bgeu._.2"
    "Lui Addi.1/1 Xor._.1 Lui/2 Addi.1/1 Xor._.1 Addi.2 Sltu.1.3/3 Xor.o6.2 Lui/3 Xor._.3 Bgeu._.2"
    "Lui Andi Lui Sh._.3 Sw.o1.z Sh.o1.4 Mv Lui Lui Addi.7 Andi Mv.5" "Lui Beq._.z" "Lui Bge.z"
    "Lui Blt.z J" "Lui Bltu Andi Lui" "Lui Bltu Andi Lui Lui Beq.3.1 Lui" "Lui Bne J"
    "Lui Jalr.1"
    "Lui Lbu Slli Slli Or.3.2/2 Addi Add._.3/3 Addi.2/2 Srl.4.1/7 Andi.1/1 Sw.4.1 Addi.o8"
    "Lui Lui Add Lui Lui Addi.5/5 Addi.5/5 Lbu.o5 Addi.o1 Add.5.2 Bgeu.5.1 Add.2.5"
    "Lui Lui Addi.1" "Lui Lui Addi.1 Lui"
    "Lui Lui Addi.2 Lui Lui/4 Addi.4/4 Sb._.2 Mv.o1 Addi.5 Add.7.4" "Lui Lui Beq._.1 Lui"
    "Lui Lui Beq._.z Beq._.z" "Lui Lui Bltu._.2 Bge.z" "Lui Lui J" "Lui Lui Jalr.1" "Lui Lui Lui"
    "Lui Lui Lui Lbu Add.o1.4 Sh._.4 Sb.o1.3 Sw.o1.3 Addi Add.o5.7 Sub._.8 Addi.o4"
    "Lui Lui Lui Lui" "Lui Lui Lui Lui J" "Lui Lui Lui Lui Lui Lui Lui Lui" "Lui Lui Lui Mv"
    "Lui Lui Lui Remu._.2 Mv.4 Addi.5/5 Add._.1 Mv.o4 Addi.5/5 Sb.3.1 Divu.o3.9 Bltu.9.4"
    "Lui Lui Lw Lw.o1 Lw.o1 Lw.o1 Lui Lui Addi.1/1 Lui Lui" "Lui Lui Mv Mv"
    "Lui Lui Mv Mv Lui Jalr.1"
    "Lui Lui SwSp._.z Sub.2 Addi.o2 Andi.2 Or.2/2 Beq.2.z Lbu Sb.3.1 Lui Andi.8"
    "Lui Lw Lw Lw Addi.o1 Mul.3.4 Addi.o5 Mulhu.5.6 Add.3.5/5 Add.1.9 Sltu.2.5/5 Sw.7.2"
    "Lui Lw Lw.o1 Lui Addi.1/1 Lui Slli.4" "Lui Lw.1 Addi.2 Addi.1" "Lui LwSp"
    "Lui LwSp Addi Jr.2"
    "Lui Mul._.1/1 Add._.1 Lhu.1 Lhu.2 Lhu.3 Lhu.4 Lhu.5 Lhu.6 Lhu.7 Lhu.8 Lhu.9" "Lui Mv J"
    "Lui Mv Lw Sw.2.1 Addi Addi.4 Addi.o4 Bltu.7.3" "Lui Mv Mv Lui"
    "Lui Mv Srl.1.2 Bltu.1 Mv.2 Sltu.3 Addi.1/1 And.1.7/1 Srli.8 Add.2 Bne.2.z" "Lui Mv.1 Jr"
    "Lui Mv.1/1 Lbu Xor.1/1 Andi.1/1 Slli.1/1 Add.5.1/1 Lw.1 Addi.o6 Srli Xor.3.1/1 Mv.3"
    "Lui Mv.1/1 Lui Addi.1/1 Lui Addi.1/1 Bgeu.5.3 Lw.2 Sw.7.1 Addi.8 Addi.5 J"
    "Lui Sll Or._.2/2 Or._.2/2 Addi Mv.3 Mv.3 Addi Beq.4 Addi.5 Lbu.3 Sub._.7"
    "Lui Slli Add.1 Addi.1"
    "Lui Slli Add.1 Addi.1/1 Mv Mv Lhu.2 Lhu.2 Addi.3 Mul.2.3 Add.1.10 Addi.7"
    "Lui Slli Slli.o1 Lw Lw.o1 Sw.o1.5 Sw.o1.z Add.5.6 Add._.1/1 Lui Mv.o2 Beq.1.3"
    "Lui Slli.1 Add._.1 J" "Lui Slli.1 Addi Addi.2/2 Add.1.2/1 Lw.1 Addi Addi.2/2 Sw.4.1 Bne.3"
    "Lui Slt Add.2 Addi.2/2 Addi And.2 Mv/6 Beq.3 Lw.4 Add.1.4 Blt.o9.1"
    "Lui Srai Slli.1/1 Add._.1/1 Lw.1 Xori.o4 Mv Srl.3.2/3 Andi.1/1 Sub.z.1/1"
    "Lui Srli Slli.o1 Srli Addi.4/4 And._.1 Or.1.5/1 Srli.o4/6 And.5.4/5 Or.1.2/2 And.o8.6/2 Slli.1/1"
    "Lui Sub.z Lui Beq._.z Mv Mv Lbu.2 Lbu.2 Bne.2.1 Addi.7 Addi.5 Addi.7"
    "Lui SwSp Addi Lui Addi Addi.5 Mul.3.2/3 LwSp.o6 Addi.6 Add.3.4 Sw.2.1 Bne.3.4"
    "Lui Xor Andi.1" "Lw Add Lw Srli.3" "Lw Add Slli Add"
    "Lw Add._.1 Add.1 Sw.o3.1 Lw Xor.3.1 Srli.1/2 Slli.2/2 Rotr.2.1/1 Sw.o5.1 Lw"
    "Lw Add._.1/1 Add._.1 Sw.o3.1 Lw Xor.1.3/1 Srli.1 Slli.2/2 Rotr.2.1/1 Sw.o5.1 Lw"
    "Lw Addi Addi Mul._.3 Mulhu.o1.4/4 Lw.3 Add.3.1/1 Add.1 Sltu.2.5 Sw.7.2 Sltu.3.4 Add.3.7"
    "Lw Addi Addi.2 Sw._.1" "Lw Addi Addi.o2 Sw.2.3 Bne.3" "Lw Addi SwSp.1.2"
    "Lw Addi SwSp.1.z SwSp.2.3 Lw.o4 SwSp.4.z SwSp.5.z SwSp.6.3 Lw.o4 SwSp.8.z Lui SwSp.10.3"
    "Lw Addi SwSp._.2 Bgeu.2" "Lw Addi SwSp._.2 Bgeu.2 Bne.4.z" "Lw Addi.1 Addi"
    "Lw Addi.1 Addi Addi" "Lw Addi.1 Addi Addi/3 Sw.o4.3 Beq.3.2 Lbu.4 Beq.1"
    "Lw Addi.1 Addi Sw._.2" "Lw Addi.1/1 Addi Sw.o3.2 Beq.2 Lbu.3 Beq.1"
    "Lw Andi Sltiu.1/1 Slli.1/1 Sub.z.1 Sll.5.2/2 Srl.6.2/6 Or.2.1/1 Andi.1/3 Slli.1/1 Add._.1/1 Lbu.1"
    "Lw Beq.1.z Lh.2 Bne.1" "Lw Beq.1.z Srli Remu.1.3"
    "Lw Lui Mv.1/1 Slli.3/3 Add.2.1/2 Lw.1 Addi SwSp.1 Jalr.3" "Lw Lw Addi"
    "Lw Lw Addi.o2 Add.2.3 Sw.o3.1 Addi.o1 Bne.4" "Lw Lw Lui" "Lw Lw Lw Add"
    "Lw Lw Lw Add Xor Lw.2 Addi Xor.3.5 Slli.2/2 Lw.o7 Add.o7.2 Lw.1" "Lw Lw Lw Lw"
    "Lw Lw Lw Lw Lw Lw Lw Lw Lw Lw Lw Lw" "Lw Lw Mulhu.2 Mul.3"
    "Lw Lw Mulhu.2 Mul.3 Add._.3/3 Sltu.1.o1 Add.2.3/3 Sltu.1.3 Add._.6 Add.1.4/4 Add.1.3/1 Sw.o10.5"
    "Lw Lw Slt.2.1/1 Xori.1/1 Slli.1/1 Add.o4.1/1 Lw.1 Bne.1.z" "Lw Lw Xor Xor.1"
    "Lw Lw Xor Xor.1/1 Xor Xor Xor Xor.4/4 Addi Xor.5/5 Xor.4 Xor.6.11"
    "Lw Lw.o1 Add.2 Lw.o2 Srli.3"
    "Lw Lw.o1 Lui Lui Lui Addi.3/3 Addi.3/3 Andi.3 Slli.1/1 Add._.1/1 Lw.1"
    "Lw Lw.o1 Lui Lui Lui Jalr.1" "Lw Lw.o1 Lw.o1 Lw.o1"
    "Lw Lw.o1 Lw.o1 Lw.o1 Addi.o1 Xor Xor Xor Xor._.8 Xor.4.8 Xor.4.8 Xor.4.8/4"
    "Lw Lw.o1 Lw.o1 Lw.o1 LwSp Xor._.4 Xor._.4 Xor.3.7 Xor._.5 Addi.o5 SwSp.o1.o7"
    "Lw Lw.o1 Lw.o1 Lw.o1 Srli.4 Slli.5 Srli.6 Slli.7"
    "Lw Lw.o1 Lw.o1 Lw.o1 SwSp._.4 SwSp.o1.4 SwSp.o1.4 SwSp.o1.4 Addi.o1 Lui Lui Lui"
    "Lw Lw.o1 SwSp._.2 Lw.o2 SwSp.o2.3 Lw.o2 Lw.o1 SwSp.o3.4 Lw.o2 SwSp.o2.4" "Lw LwSp"
    "Lw Mul._.1 Mulhu.o1.2/2 Lw Add.3.1/1 Sltu.1.4 Add.1.4/1 Add.3 Sltu.1.4/4 Add.3/3 Add.2.1/2 Sw.o8.4"
    "Lw Mv Bgeu._.2 Lw"
    "Lw Mv Bgeu.o1.2 Lw.o3 Slli.3 Add.2.1/2 Lhu.1 Xor._.6 Add.1 Sh.4 Mv.9 Bne.5.z"
    "Lw Slli Add.2.1/1 Lw.1 Srli Slli.o1 Rotr.2.1/2 Srli.4 Slli.5 Rotr.2.1/2 Sw.8.1 Xor.8.5"
    "Lw Slli Slli Add.1.2" "Lw Slli Srli.o1 Rotr.1.2/1 Xor.1.4/1 LwSp Addi.o6 Bne.1.2"
    "Lw Sltiu Addi.1/1 And.1/1 Xor._.1 Bne.5.z"
    "Lw Srli Slli.1/1 Add._.1/1 Lw.1 Andi Add._.1/1 Lw.1 Andi Add._.1/1 Lw.1"
    "Lw Srli.1 Srli.2 And.2/2 Or.1.2/1 And.5/3 Slli.6/6 Slli.2/2 Or.2.1/2 Or.1.5/1 SwSp._.1 Addi.o1"
    "Lw Sw._.1 Addi Addi" "Lw Sw._.1 Addi.o1 Addi.o3 Bltu.2" "Lw Sw._.1 Addi.o1 Addi.o3 J"
    "Lw Sw._.1 Lw.2 Xor"
    "Lw Sw._.1 Lw.2 Xor.o3 Sltu.z.1 Sw.o2.3 LwSp Sltiu.4 Sub._.1 Sub._.5 Mv.10/3"
    "Lw SwSp Lw.o2 Lw.o1 Lw.o1 SwSp.o4.3 Lw.o2 Lw.o1 Lui SwSp.o4.3 SwSp.o1.3 Lui"
    "Lw SwSp Lw.o2 SwSp.o2 Lw.o2 Lw.o1 SwSp.o3.4 SwSp.o1.7 SwSp.o1.4 SwSp.o1.4 Addi.o1 Addi.o1"
    "Lw Xor Lw.o2 SwSp._.2 Xor._.4 SwSp.o2.1 Xor._.4 SwSp.o2.1 Xor Addi SwSp.o3.2 LwSp.o1"
    "Lw Xor Xor._.2 Xor.2.1" "LwSp Addi Addi.2 SwSp._.1" "LwSp Addi Addi.2/2 SwSp.o3.1 Beq.3"
    "LwSp Addi Addi.2/2 SwSp.o3.1 Beq._.3" "LwSp Addi SwSp.1 SwSp.2.3" "LwSp Beq._.z"
    "LwSp Beq._.z Beq.2.z" "LwSp Beq._.z LwSp.o2 Mv.3 Mv.2 Beq.3.z Jalr"
    "LwSp Lh.1 Lh Addi.o3 Blt.2.3"
    "LwSp Lh.o1 LwSp.o1 Lui Mv.4 Mv Lui Addi.4/4 Lui Slli.3 Srli.1/1 Mul.1.1/1"
    "LwSp Lhu.1 Lhu Addi.o3 Bltu.2.3" "LwSp LwSp Addi Jr" "LwSp LwSp Addi Jr.3"
    "LwSp LwSp Slli.2 Or.1.2" "LwSp LwSp.o1" "LwSp LwSp.o1 Addi.o1 Jr"
    "LwSp LwSp.o1 Addi.o1 SwSp.1.3 SwSp.2.3"
    "LwSp LwSp.o1 Lhu Slli.3 Slli.3 LwSp.o4 LwSp.o1 Or.4.3 Or.1.6/1 Lui Lui Srl.3.2"
    "LwSp LwSp.o1 LwSp.o1 Addi.o1 SwSp.1.4 SwSp.2.4 SwSp.3.4"
    "LwSp LwSp.o1 LwSp.o1 Addi.o1 Xor Xor Xor.1 Xor.3/3 Xor.1/1 Xor.3/3 Jr"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 SwSp.1.5 SwSp.2.5 SwSp.3.5 SwSp.4.5"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1" "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 Jr.6"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 SwSp.1.6 SwSp.2.6 SwSp.3.6 SwSp.4.6 SwSp.5.6"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 Xor Xor Xor.1 Xor.3/2 Xor.1 Xor.3/3"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 Jr.8"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 Jr"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 Mv Addi.o2 J" "LwSp LwSp.o1 Slli.2 Or.1.2/1 Jal"
    "LwSp Mv Mv.2 Beq.3.z"
    "LwSp Srli Slli.2 Or.2.1/2 SwSp.o4.1 Andi Sub.z.1/1 And.1/1 Srli.8 Xor.2.1/2 SwSp.o6.1"
    "LwSp Srli Slli.o1 Rotr.2.1/1 Xor.4.1/1 LwSp.o5 Srli.2 Slli.3 Rotr.2.1/1 Xor.4.1/1 LwSp.o5"
    "LwSp Sw LwSp.o2 Addi.o1 Jr.4" "LwSp Sw._.1 LwSp Sw._.1"
    "LwSp Sw._.1 LwSp.o2 Sw.o2.1 LwSp.o2 Sw.o2.1 LwSp.o2 Sw.o2.1 Addi.o2 Jr"
    "LwSp Xor Xor Xor Sw._.3 Sw.o1.3 Sw.o1.3 Sw.o1 Addi.o1 Bne.1.9" "Mul Add.1 Addi Bne"
    "Mul Add.1 Andi.1 Sh._.1" "Mul Add.1 Sw._.1"
    "Mul Add.1/1 Andi.1 Mv/2 Lh.1 Beq.3.1 Lw.3 Bne.1.z"
    "Mul Add.1/1 Andi.1/1 Sh._.1 Slli Srli.1/1 Sh._.1 Addi.o7 Addi.o2 Addi.o5 Addi.o7 Bne.4"
    "Mul Add.1/1 Sw._.1 Addi.o1 Bne.1" "Mul Add._.1 Bne" "Mul Add._.1 Srli Xor.2.1"
    "Mul Add._.1/1 Srli.o2 Xor.2.1 J" "Mul Addi Add.2/2 Sw.2.1 Bne._.3"
    "Mul Addi Add.2/2 Sw.o2.1 Mv.3 Bne.4.z"
    "Mul And.1/1 Slli.1 Add._.1 Lw.1 Sltiu.1 Xor.2.o6/2 Sltiu.1/1 Or.3.1/1 Bne.1.z Addi Addi.10"
    "Mul Lh Lh" "Mul LwSp" "Mul LwSp Mv Add.3"
    "Mul LwSp Mv Add.3 Srli.1 Slli.1/1 Add.5.1/1 Lw.1 Lbu.1 Bne.1.z J" "Mul Mul Add.2.1"
    "Mul Mul Add.2.1/1 Add._.1 Sw._.1 Addi.o1 Addi Bne.2" "Mul Slli.1 Srli.1 Slli.3"
    "Mul Srai.1 Srai.2 Andi.2" "Mulhu Srli.1 Mul.1 Sub._.1"
    "Mulhu Sub.o1.1 Srli.1/1 Add.1.3/3 Srli.1/1 Mul.1/1 Sub.o5.1/1 Sh._.1 Addi.o1 Addi.o3 Bne.2.z"
    "Mv Add.1 Bgeu.2.1 Sb.3 Addi Addi.5 Bne.2.z" "Mv Add._.o1 Lbu.1 Xor.1/1 Sb.3.1 Addi.5 Bltu.6"
    "Mv Addi Add._.2 Sb.1" "Mv Addi.o1 Add._.2 Sb.1 Bltu._.4"
    "Mv Addi.o1 Addi Add.1.2 Remu/2 Addi.1/1 Sb.3.1 Mv.o3 Divu.o1 Bltu._.2" "Mv Beq._.z Add.2"
    "Mv Beq._.z Lui Lui Add.o4.o3 Addi.2/2 Addi.4 Lbu.7 Addi.8 Xor.2.3 Mul.1.5/1 Bne.3.7"
    "Mv Lui Addi Mv" "Mv Lui Addi Mv.o1 Lh.4 Lh.2 Addi.3 Addi.7 Mul.4.3 Add.8.1 Bne.4.8"
    "Mv Lui Beq._.z" "Mv Lui Jalr.1" "Mv Lui Lui Lui"
    "Mv Lui Lui Lui Remu._.2 Mv.4 Addi.o6 Addi.6/6 Addi.4/4 Sb.3.1 Mv.o6 Divu.o1.9" "Mv Lui Mv"
    "Mv Lui Mv.o2 Lui Lui Jalr.1" "Mv Lui Sw.2.z Addi.2" "Mv Lw Add._.1 Blt._.1"
    "Mv Lw Srli Slli" "Mv Lw Srli Slli.o1" "Mv Lw Sw.2 Mv.3" "Mv Lw.1 Sw.2 Mv.3"
    "Mv Lw.1 Sw.2 Mv.3 Bne.3.z" "Mv Lw.o1 Sw.2 Mv.3 Bne.3.z" "Mv LwSp"
    "Mv LwSp Mv LwSp.o2 Mv LwSp.o2 Mv LwSp.o2 Mv LwSp.o2" "Mv Mv Lh.2 Lh.2"
    "Mv Mv Lh.2 Lh.2 Mul.1.2 Add.1 Addi.5 Addi.7 Bne.2" "Mv Mv Lui Jalr.1" "Mv Mv Mv"
    "Mv Mv Mv Bne" "Mv Mv Mv Jal" "Mv Mv Mv Lbu.1 Addi.4 Sb.4.2 Addi.5 Addi.5 Bne.4.z"
    "Mv Mv Mv Mv" "Mv Mv Mv Mv Mv Bne" "Mv Mv Mv Mv Mv Mv Addi Bgeu._.o1 Addi.o2 Andi.3"
    "Mv Mv Mv Mv Mv Mv Mv SwSp._.o1 SwSp.o1.o3 SwSp.o1.o5 SwSp.o1.o9 J"
    "Mv Mv Mv Mv Mv Mv Slli.2" "Mv Mv Mv Mv Mv Mv Srli.o3 Slli.4 Or.1.2/2" "Mv Mv Mv Srli"
    "Mv Mv Mv Srli.o1 Slli.2 Srli.3 Slli.4 Or.3.4/4 Srli.6/4 Rotr.4.3/4 Slli.8/4 Rotr.3.1/3"
    "Mv Mv Mv Srli.o2 Slli.3 Srli.4 Slli.5 Or.3.4/4 Srli.7/4 Rotr.4.3/4 Slli.9/4 Rotr.3.1/3"
    "Mv Mv Slli Add.o3.1 Lui Lw.5 Lw Sub.2.1/1 Sltu.3.1 Sub.2.5 Sltu.3.1/3 Sub.3.1/3"
    "Mv Slli Jal"
    "Mv Slli.1/1 Lw Add._.2 Lw.1 Add._.3 Addi.o4 Add.2.3/2 Srai.o8/4 Slli.1/1 Add.3/3 Add._.2/2"
    "Mv Sw.1.z Addi.2 Bne.1" "Mv SwSp Mv SwSp.o2 Mv SwSp.o2 Mv SwSp.o2"
    "Mv SwSp SwSp.o1 SwSp.o1.z Addi.o1 Addi.o1 Lui"
    "Or Add Add Or Or Or Xor._.3/3 Xor.5.7/7 Xor._.3/3 Xor.8.5/5 Mv.o2 Beq"
    "Or Add Lbu.1 Slli.1/1 And.1/1 Or.1.5/1 Addi J" "Or Add Xor Add.2" "Or Addi Sw._.2 Bne.2"
    "Or LwSp" "Or Or Or Or"
    "Or Or._.1/1 Slli Srai.1 Xor.3.2/3 Slli.o3 Srli.3/4 Andi.1/1 Xor.1.3/3 Lw Xor.1.6 J"
    "Or Slli Or.1 Srli/2 Add._.1/1 Lbu.1 Or.6.4 Xor.1/1 Sw._.1 Slli.4"
    "Or Slli Or.1/1 Srli Add._.1/1 Lbu.1 Or.6.4 Xor.1/1 Sw._.1 Slli.4" "Or Slli Srli Or.2.1"
    "Or Srli Add._.1 Lbu.1" "Or Srli Slli Add"
    "Or Srli Xor Add Xor._.4/4 Add Or Or.6/6 Add.5.4 Xor.6.3/3 Xor.5.3/3 Add.9.o7"
    "Or Srli Xor Xor.3"
    "Or Xor Srli Srli Xor._.4/4 Xor.4.3/3 Xor.2.3/3 Add.2/2 Add.1.2/2 Sw._.1 J" "Or Xor.1 Andi J"
    "Or Xor.1 Sw._.1 Slli" "Or Xor.1 Xor Add" "Remu Addi.1 Sb._.1 Divu"
    "Remu Addi.1/1 Sb._.1 Divu.o3 Bgeu Lui Addi.1/1 Remu.4 Addi.1/1 Sb.o7.1 Divu.7 Bgeu.5"
    "Sb Add Lbu.1 Bne.1.z" "Sb LwSp" "Sb Sb Sb Sb" "Sb Sb.o1 Sb.o1 Sb.o1 Sb.o1 Sb.o1 Sb.o1 Sb.o1"
    "Sb._.z Andi Sb._.z Bne.2.z" "Sh Mv Bne._.z" "Sll Or.1 Slli Bltu"
    "Sll Srli Xori Srl.2.1/1 Or.4.1/1 Lui/5 Sll.o5/5 Srai And.1.2/2 Lui/2 Sll.1/1 Sltu._.3"
    "Sll Sub.z Srl._.1"
    "Sll Xori Srli Srl.1.2/2 Or.4.1/4 Lui/2 Sll.o4/4 Srai And.1.2/1 Lui/3 Sll.1 Sltu._.3/2"
    "Slli Add Add Add" "Slli Add._.1 Add Sb.1.2 Lbu Addi Addi.o2 Mv.2 Bne.4.z"
    "Slli Add._.1 Add._.2 Lui" "Slli Add._.1 Add._.2/2 Lui Lui Slli Add._.1 Mv.o6 Mv.o6 Lw.3"
    "Slli Add._.1 J" "Slli Add._.1 Lhu.1" "Slli Add._.1 Lui"
    "Slli Add._.1 Lui/2 Lw.2 Addi.1 Addi Addi/3 Sw.6.3 Beq.3.2 Lbu.4 Beq.1"
    "Slli Add._.1 Lui/2 Lw.2 Addi.1/1 Addi Sw.5.2 Beq.2 Lbu.3 Beq.1"
    "Slli Add._.1 Lui/2 Lw.o2 Lw Addi.o2 Addi.o2 Sub.4.3/3 Sub.1.6 Sltu.6.2 Sltu.3.2/3 Sw._.3"
    "Slli Add._.1 Lw.1" "Slli Add._.1 Lw.1 Add"
    "Slli Add._.1 Lw.1 Add.1/1 Sw.3.1 Lw Xor.1.3 Srli.1/2 Slli.2/2 Rotr.2.1/1 Sw.o5.1"
    "Slli Add._.1 Lw.1 Slli Add.o3.1 Addi.5 Lw.2 Add.o3.2 Bge.6 Lw.2 Mv.3 Addi.o11"
    "Slli Add._.1 Lw.1 Srli"
    "Slli Add._.1 Mv.o1 Lui Lui Slli Add.6.1 Add.o5.1/1 Add._.3 Mv Mv.8 Lw.3"
    "Slli Add._.1 Sub.z.o2 Slli.1/1 Add._.4/4 Lui Lui Add.6.4 Mv.o4 Mv.3 Mv.4 Lw"
    "Slli Add._.1 Sw.1 Addi"
    "Slli Add._.1/1 Add Lw.2 Slli Add.o4.1/1 Add.4.3 Sw.6.1 Lw.3 Slli Add.o5.1 Xor.5.3"
    "Slli Add._.1/1 J"
    "Slli Add._.1/1 Lw Lw Add._.2 Sltu.1.o1 Sltu.3.2 Add.2.1/2 Sub.5.4/4 Sw.o8.1 Andi.3"
    "Slli Add._.1/1 Lw.1 Add Add.1.2/1 Sw.4.1 Slli Add.o6.1/1 Lw.1 Xor.1.5 Srli.1/2 Slli.2/2"
    "Slli Add._.1/1 Lw.1 Add Lbu.1 Add Add.1/1 Add.1.5/1 Sll.1.4 Sub.z.5 Srl.3.1/3 Or.1.3/3"
    "Slli Add._.1/1 Lw.1 Addi Addi.2/2 Sw.4.1 Lui" "Slli Add._.1/1 Lw.1 Mv Mv Lw.2 Bge.4.1"
    "Slli Add._.1/1 Mv.o1 Sw.1.z Addi.2 Bne.1.4" "Slli Add._.1/1 Mv.o2 Lw.2 Addi.2 Addi.4 Blt.3"
    "Slli Addi Addi.2 Add.1.2"
    "Slli Addi Addi.2/2 Add.1.2/1 Lw.1 Addi Addi.2/2 Sw.4.1 Beq.3 Lbu.4 Beq.1"
    "Slli Addi Addi.2/2 Add.1.2/1 Lw.1 Addi Addi.2/2 Sw.4.1 Bne.3"
    "Slli Andi And.2/2 Slli Or.3.2/2 And.2/2 Or.2.1/1 Lbu Slli.1/1 And.1/1 Or.1.4/1 Addi"
    "Slli Andi Andi Slli Slli Andi" "Slli Bge.z.o1 Mv Lui Sw.2.z Addi.2 Addi.4 Blt.2.7"
    "Slli Blt.z.1 Lui"
    "Slli Lui Add.2 Addi.2 Addi.2/2 Srli.1 Addi/2 Lw.o1 Lw.o1 Mul.4.6 Sub.z.1/1 Lui"
    "Slli Lui Addi.1 Add.1.3" "Slli Lui Addi.1/1 Add.1.3/1 Lw.1 Jr.1"
    "Slli Lui Addi.1/1 Add.1.3/3 Lw.1 Lw.2 Lw.3 Lw.4 LwSp Xor.1.5 Xor._.5 Xor._.5"
    "Slli Lw Add._.2 Lw.1" "Slli LwSp"
    "Slli LwSp Or Slli Or Slli Or._.6 Slli Xor Or.7.6/7 Or.6.5/6 Or.5.4/5"
    "Slli LwSp Slli Slli Or.4 Slli Or.4/4 Slli Or.5/5" "Slli Mv Jal" "Slli Or Slli Or"
    "Slli Or Srli Srli Xor Add Xor._.5/5 Add Or.6/6 Or.6.9/6 Xor.5.2/2 Xor.4.2/2" "Slli Or.1 Jr"
    "Slli Or.1 LwSp Slli.1/1 LwSp.o2 Or.2.1 LwSp.o2 Slli.1/1 LwSp.o2 Slli.1/1 Or.1.3"
    "Slli Or.1 Srli Slli"
    "Slli Or.1 Srli.o2 Slli Or.1.2/2 Xor.1/1 Xor.5/3 Add/6 Add Sltu.1.o1 Add.3.1/1 Srli/4"
    "Slli Or.1 Srli.o2 Slli Or.1.2/2 Xor._.1/1 Andi/6 Xor._.6/4 Lui Bne.3.z"
    "Slli Or.1 Srli.o2/2 Slli.o1 Rotr.2.1/2 Xor.4.1/4 Srli.o3/2 Xor.2.1/2 Add._.1 Srli/2 Slli.o1/4 Rotr.2.1/2"
    "Slli Or.1 SwSp._.1 Srli"
    "Slli Or.1 SwSp._.1 Srli.o3 Slli Or.1.2/2 SwSp.o4.1 Srli.o3 And Xor.2.1/2 Addi SwSp.o5.2"
    "Slli Or.1/1 Srli Slli.o1 Rotr.2.1/1 Srli/3 Slli.o1 Rotr.2.1/1 Srli/3 Slli.o1 Rotr.2.1/1"
    "Slli Or._.1 SwSp._.1 LwSp.o1 Sub.z Srli.o5 Slli.3 And.3/3 Srli.5/5 Or.4.3/4 Xor.3.2/3 SwSp.o8.2"
    "Slli Or._.1 Xor._.1 Xor" "Slli Slli Add._.2 Or._.2" "Slli Slli Addi Slli"
    "Slli Slli Or.1.2 Or.1"
    "Slli Slli Slli Or.1/1 Or.3.4/3 Slli Or.2/2 Or.2.4/2 Slli Slli Or.2.4/2 Or.2.4/2"
    "Slli Slli Slli Slli" "Slli Slli Srai.2 And.1"
    "Slli Slli Srai.2/2 And.1.o2/1 Slli.o3 Slli.o5 Srai.5/5 Srli.2/2 Andi.2/2 Xor.6 Xor.2.6/6 Bne.4.z"
    "Slli Slli Srai.2/2 And.1.o2/1 Slli.o3 Srli.o5 Srai.5/5 Andi.1/1 Xor.5 Xor.2.5/5 Bne.5.z"
    "Slli Slli.o1 Sub.1.2/1 Lui/3 Add.2.1/1 Srai.1/1 Mv/4 Mv Lui Lh.3 Mul.5.1/1 Sw.4.1"
    "Slli Srai Srli.2 Andi.2" "Slli Srai.1 Slli Srli.1" "Slli Srai.1 Srli"
    "Slli Srai.1/1 Srli.o2 Slli Or.1.2/2 Srli.o2 Slli/3 Or.1.2/2 Srli.o2 Slli/3 Or.1.2/2 Srli.o2"
    "Slli Srli Add Or"
    "Slli Srli Or.2.1/2 Slli.o3/2 Srli.o3 Or.2.1/2 Slli.o3/2 Srli.o3 Or.2.1/2 Slli.o3/2 Srli.o3 Or.2.1/1"
    "Slli Srli Rotr.1.2" "Slli Srli Slli Or.3" "Slli Srli Srai Andi.1" "Slli Srli Srli Rotr.1.3"
    "Slli Srli Srli.o1 Andi.o1 Add._.3/3 Andi.3/3 Srli.o3 Lbu.3 Add.o4.5 Add.o1.4 Andi.4 Lbu.3"
    "Slli Srli Srli.o2 Slli.o2 Sltu Or.3.2/3 Xor.1/1 Add.3/3 Slli Or.8.9/8 Xor._.3 Xor.2/2"
    "Slli Srli.1 Add._.1 Lbu.1" "Slli Srli.1 Add._.1/1 Lbu.1 Slli Srli.1/1 Add.o4.1/1 Lbu.1"
    "Slli Srli.1 Addi Bne.1.z" "Slli Srli.1 Mul.1.1 And" "Slli Srli.1 Sh._.1"
    "Slli Srli.1/1 Add._.1/1 Lbu.1 Slli Srli.1/1 Add.o4.1/1 Lbu.1 Andi Add.o3.1/1 Lbu.1 Slli.8"
    "Slli Srli.1/1 Lbu Add.o1 Sh._.3 Sb.o1.3 Sw.o1.3 Sub Addi Add.o6 Bgeu._.3 Addi.o5"
    "Slli Srli.1/1 Lui Mv Add._.1/1 Lbu.1 Andi.1/1 Or.6.1 Add._.6/2 Addi Sw._.3 Addi.o1"
    "Slli Srli.o1 Add Add.o1 Xor.4.3/4 Srli.2/4 Add.2.o5/2 Andi.2/2 Xor.6.2/6 Add._.2/2 Add._.2 Lw.2"
    "Slli Srli.o1 Slli.o1 Or.3 Srli.o2/4 Rotr.4.3/4 Slli.o2/4 Rotr.3.1/3"
    "Slli Srli.o1 Slli.o1 Or.3 Srli.o2/4 Rotr.4.3/4 Slli.o2/4 Rotr.3.1/3 Xor.5.3/5 Xor.1.2/1 Xor._.o4 Add.2.1/1"
    "Slli Srli.o1 Srli.o1 Rotr.1.3/1 Srli.o2 Or.4/4 Slli.o2 Rotr.3.1/1 Xor.3.5/3 Lw Xor.2.3 Lw"
    "Slli Srli.o1 Xor.2.1/2 Add Add.2.o3/2 Xor.2.1/2 Add._.1 Bne.o4" "Slli Sw Sh Sh"
    "Slli Xor Srli Slli"
    "Slli Xor Srli.o2 Slli.o1 Srli.o1 Rotr.1.5/1 Or.o2 And.6/6 Slli.o2 Srli.o1 Add Rotr.9.8/8"
    "Slli Xor.1.o1 Slli.1/2 Xor.1.2/2 Slli.1/2 Xor.1.2/2 Slli.1/2 Srai.1/1 Srli.1/1 Andi.1/1 Xor.5.1/5 Andi.1/2"
    "Slt Add Addi.2 Addi" "Slt Add Addi.2/2 Addi And.2 Mv Beq.3 Lw.4 Add.1.4 Blt.o9.1"
    "Slt Addi Add._.2 Bne.2" "Slt Addi Add._.2 Bne._.2" "Slt J" "Slt Xori.1 Slli.1 Add._.1"
    "Slt Xori.1/1 Slli.1/1 Add._.1 Lw.1 Bne.1.z" "Sltiu Addi Addi.2 And.1.2"
    "Sltiu Addi.1 And.1 Xor._.1" "Sltiu Addi.1 Or.1 Jr" "Sltiu Jr" "Sltu Add Add.1.2 Srli"
    "Sltu Add Add.1.2/1 Slli/3 Srli.o3 Or.2.1/2 Srli.o3 Slli.o3 Or.1.2/1 Xor.1.7/1 Xor.5.o10/4 Add"
    "Sltu Add Add.1.2/1 Srli.o2/3 Slli Or.1.2/2 Srli.o2 Slli.o4 Or.1.2/2 Xor.1.7/1" "Sltu LwSp"
    "Sltu.z Sltu.z And.2.1 Beq._.z" "Sltu.z Sltu.z And.2.1/1 Beq._.z" "Sltu.z Sw LwSp Sltiu"
    "Srai Andi.o1 Slli.2/2 Add._.1/1 Add.1.3/1 Lbu.1 Sll._.1 Sub.z.2/2 Srl.o2.1 Or.3.1/1 Add.1/1 Addi.o10"
    "Srai LwSp" "Srai Slli Add._.1/1 Sw.1.3 Addi.o3"
    "Srai Slli Srli.1/1 Srli And.4/4 Xor.2.1/2 Andi.1/2 Srli.2/2 Xor.2.6/6"
    "Srai Slli.1/1 Add._.1/1 Xori.o3 Lw.2 Srl.1.2/1 Andi.1/1 Sub.z.1/1 Addi Mv.o1 Lw.1 And.4.1/1"
    "Srl Andi.1 Sub.z.1"
    "Srl Andi.1/1 Lui Xor.2 Andi.1/1 Srli.4/4 Srli Beq.3.z Xor.2 Slli.1/1 Srli.1/1" "Srl LwSp"
    "Srl Xor._.1 Slli.1/1 Srai.1/1 Srli.4 Slli.o4" "Srli Add Andi Srli Lbu Lbu"
    "Srli Add Slli Or"
    "Srli Add Slli.o2 Or Srli.o2 Rotr.5.3/3 Slli.o2/6 Rotr.3.1/3 Xor And._.o3 Xor.7.5/5 Or.o2.o5/8"
    "Srli Add._.1/1 Lbu.1 Slli.1/1" "Srli And Xor.2.1 Andi.1" "Srli And Xor.2.1 Xor.1"
    "Srli And Xor.2.1/2 Xor.1/2 Slli.1/1 Srai.1/1 Srli Srli.5/5 And.3/3 Xor.2.1/2 Xor.1.4/2 Slli.1/1"
    "Srli Andi.1 Add._.1 Lw.1"
    "Srli Andi.1/1 Add._.1/1 Lw.1 Srli Xor._.1 Add.1.o2/1 Add.o7.4/4 Xor.2.1/2 Addi Add.2 Bne.2.z"
    "Srli Lhu Mul._.2 Add._.1"
    "Srli Lw Andi Andi Slli Addi.3/3 Addi.3/3 Andi.7 Add._.4/4 Lw.1 Slli.5 Slli.5"
    "Srli Lw Slli.o2 Rotr.3.1/1 Addi.o3 Xor.4.2/2 Bne.2" "Srli LwSp" "Srli Mul._.1 Add._.1"
    "Srli Mul._.1/1 Add._.1 Add._.1 Sw._.1 Addi.o1 Addi Bne.2" "Srli Or Slli Or"
    "Srli Or Slli Rotr.3.1" "Srli Or.1 Or And"
    "Srli Sll.o1 Srl.2 Or._.2/2 Or._.2/2 Addi Mv.3 Mv.3 Addi Bne.4"
    "Srli Slli Add._.o2 Or.3.2/3 Slli.o4 Srli.o4/4 Sltu.4.o4 Add._.o2 Or.3.4/3 Xor.1.7/1 Add.4.3/4 Add.2"
    "Srli Slli Or.1.2 Xor.1"
    "Srli Slli Or.1.2/2 Remu.1 Divu.2/2 Slli.o5 Srli.1/1 Slli.4/4 Or.1.2/2 Divu.1/2 Remu.2/2 Slli.7"
    "Srli Slli Or.2.1 Srli" "Srli Slli Or.2.1/2 Srli.o2 Slli.o4 Or.2.1/2 Xor.1/1 Xor.5/5"
    "Srli Slli Or.2.1/2 Srli.o2 Slli.o4 Or.2.1/2 Xor._.1/1 Xor._.5/5"
    "Srli Slli Or.2.1/2 SwSp._.1 LwSp.o1 Srli.o4 Slli.2 Or.2.1/2 SwSp.o4.1"
    "Srli Slli Rotr.2.1 Sw._.1" "Srli Slli Rotr.2.1 Xor._.1" "Srli Slli Slli Addi"
    "Srli Slli Slli Addi Andi Addi Addi Andi"
    "Srli Slli Slli.o2 Srli.o2 Add Add Or.6.5/6 Or.4.5/4 Xor Xor.5 Xor._.3/3 Xor.6.5/5"
    "Srli Slli Srli Slli" "Srli Slli.1 Add._.1 Lw.1" "Srli Slli.1/1 Add._.1/1 Lw.1"
    "Srli Slli.1/1 Add._.1/1 Lw.1 Srli Andi.1/1 Add._.1/1 Lw.1"
    "Srli Slli.1/1 Add._.1/1 Lw.1 Srli Andi.1/1 Add._.1/1 Lw.1 Srli Andi.1/1 Add._.1/1 Lw.1"
    "Srli Slli.o1 Rotr.2.1/1 Srli/3 Slli.o1 Rotr.2.1/1 Srli/3 Slli.o1 Rotr.2.1/1 Srli/3 Slli.o1 Rotr.2.1/1"
    "Srli Slli.o1 Rotr.2.1/2 Xor._.1 Srli.o3 Xor.2.1/1 Add._.1 Sw._.1 Addi.o1 Mv Bne.2"
    "Srli Slli.o1 Rotr.2.1/2 Xor._.1 Srli.o3/2 Slli.o1/4 Rotr.2.1/2 Xor.4.1/4"
    "Srli Slli.o1 Slli.o1 Srli.o1 Or.3.4/3 Or.3.2/2 Xor.2.1/2 Slli.o4/7 Srli.o1/3 Or.2.1/2 Xor.o2.4/4 Slli.o1/3"
    "Srli Slli.o1 Srli Slli.o1 Slli.o1 Srli.o1 Rotr.1.2/2 Or.6/6 Rotr.6.5/6 Or._.9 Srli.o9 Xor.3.5/3"
    "Srli Slli.o1 Srli.o1 Slli.o1 Rotr.4.3/4 Rotr.3.2/4 Srli/4 Slli.o1/4 Add Srli.o2 Rotr.4.3/4 Slli.o2/4"
    "Srli Slli.o1 Srli.o1 Slli.o1 Srli.o1 Slli.o1 Xor Rotr.7.6/7 Srli/7 Rotr.7.6/7 Slli.o2/7 Rotr.7.6/7"
    "Srli Slli.o1 Xor.1.2/1 Add.1.o2/1 Add Xor.1.2/1 Add.o2 Add._.2 Srli.2/3 Andi.1/1 Add._.1/1 Lw.1"
    "Srli Srli Beq._.z Xor.2"
    "Srli Srli Lbu Lbu Add Andi.o4 Andi.o6 Lbu.3 Add.o4.8 Andi Add.o2 Andi"
    "Srli Srli Or Xor._.1/1 Add Xor Add Or.7/7 Or.7/7 Xor.5.2/2 Xor.4.2/2 Add.8.o6"
    "Srli Srli Srli Srli"
    "Srli Srli Srli Srli.o1 Srli Srli.o1 Srli.o1 Andi.o4 Add._.8/8 Andi.o3 Andi.9/9 Srli.o4"
    "Srli Srli Srli Srli.o2 Andi Srli.o1 Srli.o1 Addi Andi.8/8 Srli.o3 Andi.8/8 Andi.8/8"
    "Srli Srli Xor Xor"
    "Srli Srli.o1 And.o1 Slli.o1 And.4/4 Or.1.4/1 Srli/5 Slli.5/5 Or.5.1/5 Srli.o3/2 And.4/4 Or.1.2/1"
    "Srli Srli.o1 Or.o1.2/2 Or.1.2/1 Srli.o2 Or.2.1/2 Andi Andi.2/2 Andi.o2/7 Beq.3.z"
    "Srli Sub Srl.2.1/2 Sll.o3 Or._.1/1 Or._.3/3 Mv.2 Mv.2 Addi Addi Beq.1 Lbu.3"
    "Srli Xor Xor Xor.2.3" "Srli Xor Xor._.2 Add.1.2" "Srli Xor Xor._.2 Add._.2"
    "Srli Xor Xor._.2/2 Add._.2/2 Add.1.2/1 Sw._.1 Addi.o1 Bne.1" "Srli Xor._.1 Add.1 Add"
    "Srli Xor._.1 Add._.1 Srli" "Srli Xor._.1 Add._.1 Sw._.1"
    "Sub Andi.1 Add._.1/1 Bgeu.o1.1 Sw.o1 Addi.o1 Bltu.1.4" "Sub LwSp" "Sub Sub Bge.2.1"
    "Sub Sub Mv" "Sub.z Addi Add._.1 Add._.2"
    "Sub.z Addi Add._.1 Add._.2 Lbu.1 Sb.3.1 Addi.6 Addi.5 Addi.5 Bne.3.z"
    "Sub.z Andi.1 Add._.1 Bgeu._.1"
    "Sub.z Andi.1/1 Add._.1 Bgeu.o1.1 Mv.3 Mv.o2 Sb.1 Addi.3 Addi.3 Bne.2.z"
    "Sub.z Andi.1/1 Mv Lw Srl.2 Addi.o2 Sll.3.5 Or.1.3/3 Addi/2 Sw.o1.2 Addi.o1 Bltu.3"
    "Sub.z Andi.1/1 Sll._.1/1 Srl Or.1.2/1 Sw._.1 Add Add Andi Sub.3.1 Bgeu.1.4 Addi.4"
    "Sub.z Sll Srai Srl._.3"
    "Sub.z Sub Andi.2 Add._.2/3 Mv Add.2 Lw.1 Sll.3.5 Srl.2 Or.1.2/2 Add/2 Addi.o1" "Sw Add Sw.1"
    "Sw Addi Addi Bltu._.2" "Sw Addi Addi.o2 Addi Bne.3" "Sw Addi Bltu.1" "Sw Addi.o1 Bltu.1"
    "Sw Beq Lbu Beq.1" "Sw Lw Mv Sw._.2" "Sw Lw Mv.o1 Sw._.2 Beq._.z" "Sw LwSp"
    "Sw LwSp LwSp.o1 Addi.o1 Jr.3" "Sw Mv Bne._.z" "Sw Sw Jr" "Sw Sw Mv Mv" "Sw Sw Sw Sw"
    "Sw Sw._.z Sw._.z Jr" "Sw Sw.o1 Sw.o1 Sw.o1" "Sw._.z Addi J" "Sw._.z LwSp Slli Bgeu"
    "SwSp Addi.o1" "SwSp Lui Addi.1/1 SwSp.o3.1 Lui Addi.1/1 SwSp.o3.1 Lui" "SwSp Lw Lw SwSp"
    "SwSp Lw Lw.o1 SwSp.o3 SwSp.o1 SwSp.o1 Lui Lui SwSp.o3 SwSp.o1 Lui Lui"
    "SwSp Lw SwSp.o2 Lw.o2 Lw.o1 SwSp.o3.4 Lw.o2 SwSp.o2.4 SwSp.o1.4 Lw.o3 SwSp.o2.4 Lw.o2"
    "SwSp LwSp" "SwSp Mv Add Addi Lui Addi Addi Mul.3.2/3 Addi.5/5 Add.2.3/2 Sw.2.1 Bne.9.3"
    "SwSp Mv Bne._.z" "SwSp SwSp Lui" "SwSp SwSp Lui Beq._.z" "SwSp SwSp SwSp._.z Addi"
    "SwSp SwSp.o1 Lui Beq._.z Lw Addi.3 SwSp.o5.2 Bgeu.2.o4"
    "SwSp SwSp.o1 Lui Lui Lui Beq._.z Beq._.z Addi.4 Lw.o2" "SwSp SwSp.o1 SwSp.o1 SwSp.o1"
    "SwSp SwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1" "SwSp._.z SwSp SwSp._.z"
    "SwSp._.z SwSp._.z Addi Mv" "SwSp._.z SwSp._.z SwSp._.z"
    "SwSp._.z SwSp._.z SwSp._.z SwSp._.z"
    "SwSp._.z SwSp.o1.z Addi Mv.o2 Addi.o2 Lw.3 Addi.4 Sw.4.2 Addi.5 Bne.3.5"
    "SwSp._.z SwSp.o1.z SwSp.o1.z Addi Mv.o2 Addi.o2 Lw.3 Addi.4 Sw.4.2 Addi.5 Bne.3.5"
    "SwSp._.z SwSp.o1.z SwSp.o1.z SwSp.o1.z Addi Mv.o2 Addi.o2 Lw.3 Addi.4 Sw.4.2 Addi.5 Bne.3.5"
    "SwSp._.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z"
    "Xor Add Add Sltu.1.o1 Add.3.1/1 Srli.o4/4 Slli.o4 Or.1.2/2 Slli.o3 Srli.o3 Or.2.1/2 Xor.1.7/1"
    "Xor Add Add._.2 Add.2.1"
    "Xor Add Sltu.1.o1 Add Add.1.2/1 Slli.o4/3 Srli.o3 Or.2.1/2 Srli.o3 Slli.o3 Or.1.2/2 Xor.1.7/1"
    "Xor Add Sltu.1.o1 Add Add.1.2/1 Srli/3 Slli Or.1.2/2 Srli.o2 Slli.o4 Or.1.2/1 Xor.7.1/1"
    "Xor Add.1 Sltu.1.2 Add"
    "Xor Add.1 Sltu.1.2 Add Add.1.2/1 Slli.5/3 Srli.o3 Or.2.1/2 Srli.8/8 Slli.o3 Or.1.2/1 Xor.1.7/3"
    "Xor Add.1 Sltu.1.2 Add Add.1.2/1 Srli.o2/3 Slli.6 Or.1.2/2 Slli.o3 Srli.9/9 Or.2.1/2 Xor.1.7/1"
    "Xor Add.1 Sltu.1.2 Add Add.1.2/2 Slli.5/2 Srli.o3 Or.2.1/2 Srli.8/8 Slli.o3 Or.1.2/1 Xor.1.7/1"
    "Xor Add._.1 Add.1 Add"
    "Xor Add._.1 Xor Slli Srli Or.1.2/1 Sltu.5.o5 Add._.5/4 Add._.o4 Add._.o6 Add.4.3/4 Srli.o8"
    "Xor Addi Add.2 Bne.2.z" "Xor Addi Xor.2 Bne.2" "Xor And.1 Lw Lw" "Xor And.1 Xor.1"
    "Xor And.1/1 Lw Lw Xor.3.o4 Add._.1 Add.1/1 Add.5.4 Add.2.1/2 Srli Slli.o1/6 Rotr.2.1/2"
    "Xor Andi.1/1 Srli Srli.o3 Beq.3.z Xor.2 Slli.1/1 Srli.1/1 Addi Bne.1.z"
    "Xor Andi.1/1 Srli.o2 Srli Beq.3.z Xor.2 Slli.1/1 Srli.1/1 Addi Bne.1.z" "Xor Lw Addi Xor.3"
    "Xor Lw Xor.2 Lw" "Xor LwSp" "Xor Or And.1 Or.1"
    "Xor Slli.1 Andi.1/1 Xor.1.3/1 Slli Slli.o1/5 Slli.3 Slli.2/2 Srai.4/4 Srai.3/3 Srai.3/3 Bge.3.z"
    "Xor Slli.1/1 Srli.1/1 Addi Bne.1.z" "Xor Sltiu.1 Or._.1 Bne.1.z"
    "Xor Sltu Add Slli.o1 Srli Srli.o2 Slli.o2 Add.6.5/6 Or.4.5/4 Or.4.3/4 Xor.1.o9/4 Xor.3.4/8"
    "Xor Sltu Add.2 Add.2.1/2 Srli Slli.5/3 Slli.o2 Srli.7/7 Or.1.2/1 Xor.o8.1 Or.6.5/6 Slli/3"
    "Xor Srli Srli Slli.3"
    "Xor Srli Xor.2/2 Xor._.2 Add.1.2/1 Add.1/1 Mv/4 Add.2 Sw._.1 Addi.o1 Mv"
    "Xor Srli.o1 Srli Slli.3/3 Srai.1/1 And.1/1 Addi Xor.5.2/5 Bne.2.z"
    "Xor Xor Add.o1 Add Slli.4 Add._.5 Srli Srli.7/7 Slli.o2 Sltu.7.o7 Or.4.6/4 Or.4.3/4"
    "Xor Xor And.1 Xor.1"
    "Xor Xor And.1/1 Xor.1.o2/1 Add.1 Xor Add.6 Add._.2/2 Add.2.4/2 Add.1/9 Add.3.2/6 Addi"
    "Xor Xor Bne._.z" "Xor Xor Lw Xor" "Xor Xor Lw Xor.2"
    "Xor Xor Lw Xor.2 Lw And.5 Xor.1/1 Add.4 Add.6.2 Add.2.1/2 Add.1.6/6 Add.1/2" "Xor Xor Srli"
    "Xor Xor Xor Xor" "Xor Xor Xor Xor Xor Xor Xor Xor Xor.8.7/8" "Xor Xor Xor Xor.2.1"
    "Xor Xor Xor.2.1 Xor.1" "Xor Xor Xor.2.1/2 Xor.1 Xori.1/1 Lui/3 Mv.2/5" "Xor Xor.1 Add"
    "Xor Xor.1 Xor Add.2.1"
    "Xor Xor.1/1 Xor Xor Xor.2.1/2 Xor.1/1 Xori.1/1 Andi.6/4 Add._.1 Sb.1.3 Bne.3"
    "Xor Xor._.1 Lw" "Xori And._.1/1 Or._.1 Andi/2 J"
    "Xori Andi Srl._.2 Andi.1/1 Sub.z.1/1 Sub.z.4/4 And._.2 And._.3 And._.4 Slli.o1 And.o9.6/6 Slli.o4"
    "Xori Jr" "Xori Sll._.1 And._.1"
    "Xori Sll._.1/1 And._.1 Addi Mv.o1/3 Sltiu.3/3 Addi.1/1 Lw.3 Lw.5 And.3.2 Xor.2.1/1 Sw.8.1"
    "Xori Srl._.1 Slli.1/1 Srai.1/1 And.1/4 Xor._.1 And.3/2 Xor._.1 And.5/2 Xor._.1 And.7/7 Xor._.1"
    "Xori Srli Srl.1.2"
}
