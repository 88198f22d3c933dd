//! The rows that have a function of their own.
//!
//! Any pair of common instructions has one, so that no code needs a step for each. The longer rows
//! are those that compilers emit most: they were chosen by how often each was executed in the
//! guests of `benches/` (but `unseen.c`, which shows what other code gets) and how often it stands
//! in the text of the reference clients. A row that nothing runs any more does no harm; one that is
//! missing costs a step.

use super::fused::choose;
use super::handlers::{Handler, leave, row};
use super::kind::{Kind, ROW_MAX, kinds_in};

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

const LISTS: &[&[&[Row]]] = &[ALONE, PAIRS, FORWARDED, LONGER];

const COUNT: usize = {
    let mut count = 0;
    let mut lists = LISTS;
    while let [list, more_lists @ ..] = lists {
        let mut groups = *list;
        while let [group, more_groups @ ..] = groups {
            count += group.len();
            groups = more_groups;
        }
        lists = more_lists;
    }
    count
};

/// The number of the function that chooses one.
pub(super) const UNCHOSEN: u16 = 0;
/// The number of the function that lets the match loop look.
pub(super) const LEAVE: u16 = 1;
/// The number of the first row's function.
pub(super) const FIRST: u16 = 2;

/// All functions by number. No number is too large, so that nobody has to test it.
pub(super) static FUNCTIONS: [Handler; 1 << 12] = {
    let mut functions: [Handler; 1 << 12] = [leave; 1 << 12];
    functions[UNCHOSEN as usize] = choose;
    let mut at = 0;
    while at < COUNT {
        functions[FIRST as usize + at] = ROWS[at].handler;
        at += 1;
    }
    functions
};

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
    "Add Add Add Add" "Add Add Add.2.1" "Add Add Addi" "Add Add Addi Addi" "Add Add Andi"
    "Add Add Slli Slli" "Add Add.1 Add Add.2.1" "Add Add.1 Add._.2 Addi" "Add Add.1 Mv"
    "Add Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1 Add.o1"
    "Add Add.o1 Add.o1 Or Slli Slli Lbu.6 Lbu.6 Lbu.6 Or.6.5 Or.1.5/1 Slli"
    "Add Add.o1 Andi Add.o2 Add.o1 Andi Add.o2 Add.o1 Andi Slli Lbu.10 Lbu.10"
    "Add Add.o1 Slli Slli Slli Slli Addi Slli Slli Add.o8.7/7 Add.o1.7/7 Add.o1.7/7"
    "Add Addi Bne Addi" "Add Addi.1/1 Mv Lw.2 Addi.2 Sw.3.2 Addi.5 Mv.3 Bltu._.4 J"
    "Add Addi.1/1 Mv Mv Lhu.2 Lhu.2 Addi.3 Mul.2.3 Add.1 Addi.7 Bne.4.9 Addi"
    "Add Andi Add._.1 Bgeu.o1.1 Lbu.4 Addi.4 Sb.o3.2 Addi.o1 Addi.8 Bne.4.z"
    "Add Andi Andi Lbu.3"
    "Add Andi Andi Lbu.3 Add.o4 Andi Add.o2 Andi Srli.o7 Add.o3 Andi Srli.o9" "Add Andi Srli"
    "Add Blt._.1 Slt J" "Add Lbu.1 Bne.1.z Beq"
    "Add Lbu.1 Lui Beq.2 Bne.3 Slli.3 Add._.1/1 Lw.1 Addi Addi.2/2 Sw.4.1 Lui"
    "Add Lbu.1 Sb._.1 Lbu Lbu.o1 Slli.2 Slli Or._.3 Addi/4 Or.2.4 Bgeu.2"
    "Add Lbu.1 Xor.1 Sb.3.1" "Add Lh" "Add Lh.1" "Add Lw Slli Lw" "Add LwSp" "Add Or And"
    "Add Sh.1" "Add Slli Add Lw" "Add Slli Or Srli" "Add Slli.1 Srli.1 Bne.1"
    "Add Srli Or Slli.o2 Rotr.3.1/3 Xor Srli Srli.o4 Xor.6.4/4 Xor.4.3/3 Xor.2.3/3 Add.2.11/2"
    "Add Sub Andi.1 Andi.3"
    "Add Sub Andi.1 Andi.3 Add._.2 Beq.2.z Lui Lui SwSp._.z Sub.2.6 Addi.o2 Andi.2"
    "Add Sw._.1 Add Sw._.1"
    "Add Sw._.1 Add Sw.o2.1 Add Sw.o2.1 Add Sw.o2.1 Add Sw.o2.1 Add Sw.o2.1"
    "Add Sw._.1 Addi Bne.1" "Add Sw._.1 Addi Mv" "Add Xor Add Add._.2" "Add Xor Add.2 Add.2"
    "Add Xor Add.2/2 Add.2/2 Addi Add.3 Mv Add.5.4/5 Mv Addi Bne.6 LwSp"
    "Addi Add Lw Slli Lw Add.o4 Add.o1 Addi Lw Slli.2 Lw" "Addi Add Mv Add" "Addi Add Sb.1 Bltu"
    "Addi Add Sw.2.1 Bne.3" "Addi Add.1 Bltu.1.2 Bltu._.2" "Addi Add.1 Lbu.1 Sb._.1"
    "Addi Add._.1 Sub.2 Sb.2" "Addi Addi Add.1.2 Lw.1"
    "Addi Addi Add.1.2/1 Lw.1 Addi Addi.2/2 Sw.4.1 Beq.3 Lbu.4 Beq.1 Addi.2 Andi.1/1"
    "Addi Addi Add.1.2/1 Lw.1 Addi Addi.2/2 Sw.4.1 Bne.3 Lbu Addi.o1 Xor._.2/2 Sb.2.1"
    "Addi Addi Addi Bne.3" "Addi Addi Addi Bne.3.2" "Addi Addi And.1.2 Sw._.1" "Addi Addi Andi"
    "Addi Addi Bne.2" "Addi Addi J" "Addi Addi Lui Beq.3" "Addi Addi Lw.2"
    "Addi Addi Sltiu.1/1 Addi Addi.2/2 And.1.2/1 Sw.o3.1 Andi Sh.o2.1 Addi.o8 Addi.o3 Bne.2"
    "Addi Addi Sw" "Addi Addi Sw.2 Bne.3" "Addi Addi Sw._.1 Bne.3" "Addi Addi.1 Add.1 Lw.1"
    "Addi Addi.o1 Lw.2 Addi.3 Sw._.2 Addi.o1 Bne.3.5" "Addi And.1 Beq._.z Beq._.z"
    "Addi Andi Add Lw.1" "Addi Andi.1 Bgeu._.1" "Addi Andi.1 Bltu._.1"
    "Addi Andi.1/1 Addi.1/1 Add._.1 Mv Mv.o2 Lw.2 Addi.2 Addi.4 Sw.2.3 Bne.3.7 Andi.o11"
    "Addi Beq._.z" "Addi Beq._.z LwSp" "Addi Beq._.z LwSp.o2 Lh.1 Lh Addi.o3 Blt.2.3 Addi.o2 J"
    "Addi Beq._.z LwSp.o2 Lhu.1 Lhu Addi.o3 Bltu.2.3 Addi.o2 J" "Addi Bne._.z"
    "Addi Lui Bltu.1.2 Slli.3" "Addi Lui Jr.1"
    "Addi Lui Lui Addi SwSp._.z Lui Lui Addi Addi Addi Addi" "Addi Lui Lui Jalr.1"
    "Addi Lui SwSp.2 SwSp.3 Lui Addi.4 Lui Lui SwSp.8 SwSp.9 Addi.9 SwSp.11" "Addi Lw Slli.2 Lw"
    "Addi Lw.1 Slli Srli.o1 Rotr.1.2/1 Addi.5 Xor.2.5/2 Bne._.2 Lw Addi Xor.2.4/2 Sw.o3.1"
    "Addi LwSp" "Addi LwSp Addi.1/1 Addi LwSp.o3 Lui Addi.1/1 Lui Lui Lui Lui Bne.11.7"
    "Addi LwSp Bne.1.2 J" "Addi Mv Addi Lw.3"
    "Addi Mv Addi.o2 Lw.3 Addi.4 Sw.4.2 Addi.5 Bne.3.5 LwSp.o7 LwSp.o1"
    "Addi Mv Lh.2 Lh.3 Mul.2 Lh.5 Lh.6 Mul.4 Add.1.4 Mul.4/2 Mul.4 Add.2.1/2"
    "Addi Mv Lui Jalr.1" "Addi Mv Lui Lw.3 Lw.3 Lui Slli.3 Or.1.3/1 Srl.1.3/4" "Addi Mv Mv Bne"
    "Addi Sll._.1 Andi.1 Sltu.z.1"
    "Addi Sll._.1 Andi.1 Sltu.z.1/2 Addi.1/1 And.1/1 Beq._.z Beq.5.z Lui Mv.o3" "Addi Sltiu.1"
    "Addi Sltu.1 Sub.z.1 Or.1.3" "Addi Srl._.1 Xor._.1 Slli.1/1 Srai.1/1 Srli.4 Slli.o4"
    "Addi Srli Andi.1/1 Add.3.1/1 Lw.1 Srli Andi.1 Addi.o7/2 Addi.1 Add.1.3/3 Lw.1"
    "Addi Sw Addi Bne.3"
    "Addi Sw Lui Add.3.1/1 Lui Lui SwSp._.3 Addi.o7 Lui Addi.5 Addi.5 Mul.3.2/3" "Addi SwSp.1"
    "Addi SwSp.1 SwSp.2" "Addi SwSp.1 SwSp.2 SwSp.3"
    "Addi SwSp.1 SwSp.2 SwSp.3 Lui Mv.1/1 Lbu.1 Beq.1.z Lui Lw.1 Lui Bne.2.1"
    "Addi SwSp.1 SwSp.2 SwSp.3 SwSp.4" "Addi SwSp.1 SwSp.2 SwSp.3 SwSp.4 SwSp.5"
    "Addi SwSp.o1 Addi Addi Lui Addi.1/1 Add._.1/1 Slli.1/1 Srli.1/1 Slli LwSp.o9 Srli.2"
    "Addi Xor Add._.1 Add.1" "Addi Xor Bne.2" "Addi Xor Bne._.2" "Addi Xor Xor.1 Srli"
    "Addi Xor Xor.1/1 Srli Lw Andi Andi Slli.7 Addi.3/3 Addi.3/3 Andi.7 Add._.4/4" "And Beq._.z"
    "And Lw Lw Xor.3" "And Lw Lw Xor.3 Add._.1 Add.1/1 Add.5.4 Add.2.1/2" "And LwSp"
    "And Mv Beq Lw" "And Slli Slli.2 Or.2.1" "And Slli Srli"
    "And Slli Srli.o1 Add Or And.o3 Xor.6/6 And Add._.5 Xor.5 Rotr.8.9/9 Or.4.6/4"
    "And Xor Or.o2 And.1/1 Or.1.4/1 Addi Xor.5/5 Add.3.1/1 Add.1/1"
    "Andi Add Andi Andi Srli.o4 Lbu.4 Add.o5.4 Add.o1.4 Andi.4 Srli Srli Lbu.5"
    "Andi Add._.1 Lbu.1 Slli" "Andi Add._.1 Lw.1" "Andi Add._.1 Lw.1 Andi"
    "Andi Add._.1/1 Lbu.1 Slli Or.1/1 Slli Or.1.4/4 Or.3.1/1 Xor.1/1 Srli/5 Addi.o1 Sw._.3"
    "Andi Add._.1/1 Lw.1 Andi Slli.1/1 Add._.1/1 Lw.1 Srli.o4 Xor Xor Xor.8.4 Xor.2.1/2"
    "Andi Addi.o1 Addi Slli.2/2 Sw Sh.o1.3 Sh.o1.6 Srli.4 Addi.o2 Addi.o7 Bne.1 Lui"
    "Andi Andi Addi.o1 Andi Slli.4/4 Slli.4/4 Andi.4/4 Add._.3/3 Slli.5/5 Add.o2.4/4 Slli.4/4 Add.o2.3/3"
    "Andi Andi Andi" "Andi Andi Slli" "Andi Andi Slli Addi.3" "Andi Andi Slli Slli"
    "Andi Andi Slli Slli Andi Andi Slli Slli Andi Andi Slli"
    "Andi Andi Slli Slli.3 Or.1.3/3 Slli/2 Slli.6/6 Add._.2/2 Or.6.2/2 Or.1.5/1 Addi.o5 Sw.4.2"
    "Andi Lui Addi.1/1 Mul.3.1/1 Lui Mv/5 Sw.1.3 Addi Addi.3 Bltu.5.2 Bne.3.z J"
    "Andi Lui Bne.2.z Bne" "Andi Lui Lui Beq.3.1" "Andi Lui Lui Mv.2"
    "Andi Lui Lui Mv.2 Sll.4.3/3 Or.1.5/5 Slli.3/2 Bltu.4.5 Sub Andi.1 Add._.1/1 Bgeu.o1.1"
    "Andi Lui Sh Sw.o1.z Sh.o1.4 Mv Lui Lui Addi.7 Andi Mv.5 Bne.6.z" "Andi Lui Xor.2 Andi.1"
    "Andi Lui Xor.2 Andi.1/1 Srli.4/4 Srli Beq.3.z Xor.2 Slli.1/1 Srli.1/1 Addi.9 Bne.1.z"
    "Andi Lw Addi.o1 Addi Xor.3 Sw.3.1 Lui Bne._.1" "Andi LwSp" "Andi Mul._.1 Add._.1 Bne"
    "Andi Mv Beq.2.z" "Andi Mv Beq.2.z Lui Mv.o4"
    "Andi Or._.1/1 Sw._.1 Slli.o3 Srli.o3 Or.2.1/2 Sw.o4.1 Slli.6 Srli Or.2.1/2 Sw.o4.1 Slli.10"
    "Andi Sh._.1"
    "Andi Slli.1 Add.1.2/1 Slli.1 Lui/4 Andi.o5 Add.4.3/4 Bgeu.3 Addi Andi.1/1 Addi.1/1 Add._.1/1"
    "Andi Slli.1 Add._.1 Lw.1" "Andi Slli.1 Addi Add.1.2"
    "Andi Slli.1/1 Add._.1/1 Lw.1 Xor Xor Lw Xor._.4 Xor.3.1 Addi.o3 Xor.2.4 Bne.2"
    "Andi Slli.1/1 Addi Add.1.2/2 Lw.1 Xor Xor._.2/2 Xor.2.1/2 Lw" "Andi Sltu.z.1"
    "Andi Srli Srli Srli Andi.o1 Srli.o5 Srli.o5 Srli.o5 Andi.o1 Srli.o5 Srli.o5"
    "Andi Xor Xor.2 Bne._.z" "Andi Xor.1 Slli.1 Andi.1"
    "Andi Xor.1 Slli.2/2 Or.2.1/2 Or.1/1 Srli.1 Slli.2 Slli.3 Srli.4 Slli.5/7 Srli.6 Rotr.6.5/6"
    "Beq Addi.o1 Add._.1 Sub.2 Sb.2 Add._.2 Lbu.1 Bne.1.z" "Beq Lbu Lui Beq.2" "Beq LwSp"
    "Beq._.z Add" "Beq._.z Addi" "Beq._.z Addi Lw.o2 Lui Bne._.3 SwSp._.3" "Beq._.z Beq"
    "Beq._.z Lui" "Beq._.z LwSp" "Beq._.z Mv" "Beq._.z Xor" "Bge LwSp" "Bge.z Mv" "Bge.z Mv J"
    "Bgeu LwSp" "Bgeu Sw._.z" "Bgeu Sw._.z Addi J" "Bgeu Sw.o1.z Addi.o1 J" "Blt LwSp"
    "Bltu Beq._.z"
    "Bltu Lui Slli Andi.o1 Slli.o1 Slli.o1 Srli.3 Or.5.1/5 Srli.5/2 Or.5.1/5 Srli.7/2 Or.6.1/6"
    "Bltu LwSp" "Bltu Slli Add.1 Lw.1" "Bltu Slli Add.1/1 Lw.1 Addi Jr.2" "Bne LwSp"
    "Bne Srli Slli.o1 Srli.o1 Slli.o1 Rotr.4.3/4 Srli.o2/4 Rotr.4.3/4 Slli.o2/4 Rotr.3.1/3 Xor.5.3/5 Xor.1.2/1"
    "Bne._.z Addi" "Bne._.z Beq" "Bne._.z Bltu" "Bne._.z Bne" "Bne._.z J" "Bne._.z Lui"
    "Bne._.z Mv" "Divu Remu" "Fence J"
    "Lb Slli.1 Srli.2 Andi.1/1 Xor.1.3/3 Slli.1/2 Andi.6 Slli.1 Or.3.1/3 Slli.3/3 Or.2.1/1 Xor.7.11/11"
    "Lbu Add Lbu Lbu.2 Slli Or.1.5/1 Slli.4 Or.2.1/2 Slli.5/2 Or.2.1/2 Srai Xor.2/2"
    "Lbu Addi Bne.2.z J" "Lbu Addi Sb._.2 Addi" "Lbu Addi Xor._.2 Sb.2.1"
    "Lbu Addi.o1 Slli.2 Slli.3 Slli.4 Add.3.5/3 Slli.3/3 Srai.3/3 Slli.3/3 Srai.3/3 Bge.3.z Xori.2"
    "Lbu Addi.o1 Xor._.2/2 Sb.2.1 Bne._.3 Beq Lui J" "Lbu Beq.1 Addi.2 Andi.1"
    "Lbu Beq.1 Addi.2 Andi.1/1 Bltu Slli Add.1/1 Lw.1 Jr.1" "Lbu Lbu Lbu" "Lbu Lbu Lbu Lbu"
    "Lbu Lbu.o1 Lbu.o1 Lbu.o1" "Lbu Lbu.o1 Lbu.o1 Lbu.o1 Lbu.o1 Lbu.o1 Lbu.o1 Lbu.o1"
    "Lbu Lbu.o1 Lbu.o1 Lbu.o1 Slli.4 Or.1.4/1"
    "Lbu Lbu.o1 Lbu.o1 Lbu.o1 Slli.4 Slli.4 Slli.4 Or.3.4/3 Or.2.3/3"
    "Lbu Lbu.o1 Lui Sb._.3 Slli.3 Addi.o2 Andi Bne.1.z Lui J"
    "Lbu Lbu.o1 Slli Slli Slli Slli.5 Or.4/4 Or.3.4/3 Or.3.7/3 Or Or.3.4 Sw._.o10"
    "Lbu Lbu.o1 Slli.2 Or._.1/1 Srl Sub.z Or.3.5/3 Andi.2/2 Sll.2.1/1 Or.1.5/1 Sw._.1"
    "Lbu Lui Beq.2" "Lbu Lui Beq.2.1" "Lbu LwSp"
    "Lbu Sb._.1 Lui Andi Beq.1.z Add.o5.3 Lh.1 Add.o6.5 Sh.1.2 LwSp"
    "Lbu Slli Lui Addi.1/1 Add.1.3/3 Lw.1 Slli Or.1.7/1 Slli.1/1 Srli.1 Addi.1/2 Bgeu.6.1"
    "Lbu SwSp._.1 Lbu SwSp._.1" "Lbu SwSp._.1 Lbu.o2 SwSp.o2.1 Lbu.o2 SwSp.o2.1 Lbu.o2 SwSp.o2.1"
    "Lh Addi Addi Mul.3" "Lh Addi Addi.o2 Mul.3/3 Sw.3.1 Bne.3 LwSp Lui Lui Lui Lui J"
    "Lh Beq._.1" "Lh Beq._.1 Lw Bne.1.z" "Lh Bne.1" "Lh Lh" "Lh Lh Addi Addi"
    "Lh Lh Addi Blt.2.3"
    "Lh Lh Addi.o1 Addi.o3 Mul.4.3 Add._.1 Bne.4 Sw._.2 Addi Addi.o2 Addi Bne.3"
    "Lh Lh Addi.o1 Addi.o3 Mul.4.3 Add._.1 Bne._.4 Sw._.2 Addi Addi.o2 Addi Bne.3"
    "Lh Lh Addi.o2 Addi.o2 Mul.3.4/3 Srai.1 Srai.2/2 Andi.2/2 Andi.2/2 Mul.2.1/1 Add._.1 Bne._.9"
    "Lh Lh Lh Lh" "Lh Lh Sub.2.1 Jr"
    "Lh Lh.o1 Add Lh.o2 Mul.4 Mul.4 Add.2.1/2 Mul.4/4 Lh.o5 Lh.o1 Add.4.3 Add.9.1"
    "Lh Lh.o1 Lh.o1 Lh.o1 Lh.o1 Lh.o1 Lh.o1 Lh.o1"
    "Lh Lh.o1 Mul.2 Lh.o2 Lh.o1 Mul.4 Add.1.4 Mul.4 Mul.4/4 Add.2.1/2" "Lhu Add._.1" "Lhu Lhu"
    "Lhu Lhu Addi Bltu.2.3" "Lhu Lhu Addi Mul.2.3"
    "Lhu Lhu Addi.o1 Mul.2.3 Add.1 Addi.o5 Bne.4 Addi Add Sh.1.5 Addi Bne.4" "Lhu Lhu Lhu Lhu"
    "Lhu Lhu Sub.2.1 Jr" "Lhu Lhu.o1 Lhu.o1 Lhu.o1 Lhu.o1 Lhu.o1 Lhu.o1 Lhu.o1" "Lhu Mul"
    "Lhu Mul Add._.1 Add._.1" "Lhu Mul.1" "Lhu Xor Add.1 Sh" "Lhu Xor.1"
    "Lui Addi SwSp.1 SwSp.2.3" "Lui Addi SwSp.1.2" "Lui Addi.1 Add.1 Lw.1" "Lui Addi.1 Addi.1 Mv"
    "Lui Addi.1 Bne._.1 LwSp" "Lui Addi.1 J" "Lui Addi.1 Lui Addi.1" "Lui Addi.1 Lui Lui"
    "Lui Addi.1 Lw.1" "Lui Addi.1 Sw._.1" "Lui Addi.1/1"
    "Lui Addi.1/1 Add.1 Lw.1 Lw.2 Lw.3 Lw.4 LwSp Xor.1.5 Xor._.5 Xor._.5 Xor._.5"
    "Lui Addi.1/1 Add.1/1 Lw.1 Jr.1" "Lui Addi.1/1 Addi Lui Lui Jalr.1"
    "Lui Addi.1/1 Lui Addi.1/1 Bgeu.3.1 Sw.4.z Addi.5 J"
    "Lui Addi.1/1 Lui Addi.1/1 Lui Add._.1/1 Mul._.5 Add.1.4/1 Sw.o3.1 Addi.o1 Bne.1.5"
    "Lui Addi.1/1 Lui Mv.1/1 Addi SwSp.1.4"
    "Lui Addi.1/1 Lui SwSp SwSp.o1 Lui Lui Lui Mul._.1/1 SwSp.o5 Add._.5 Sh.1.5"
    "Lui Addi.1/1 Lui SwSp._.2 SwSp.o1.2 Addi.o1" "Lui Beq._.z" "Lui Bne J" "Lui Jalr.1"
    "Lui Lui Addi.1 Lui"
    "Lui Lui Addi.1/1 Lui Add.2.1/1 Srli.5 Lw.4 Slli.7 Rotr.3.1/1 Addi.7 Xor.4.2/2 Bne.2.7"
    "Lui Lui Addi.2 Addi.2/2 Sw.2.1 Lui Addi.1/1 Sw.5.1 Lui Addi.1/1 Sw.8.1 Lui"
    "Lui Lui Addi.2 Lui Lui/4 Addi.4/4 Sb._.2 Mv.o1 Addi.5 Add.7.4"
    "Lui Lui Beq._.1 Lui Beq.o2.1 J" "Lui Lui Lui"
    "Lui Lui Lui Andi.2 Bgeu.2.3 Slli.5 Lw Addi.6 Slli.8 Slli.9 Srai.5 Bne.8.z"
    "Lui Lui Lui Jalr.1" "Lui Lui Lui Lui"
    "Lui Lui Lui Sw._.3 Sw.o1 Mv Mv LwSp LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1"
    "Lui Lui Mv Mv Lui Jalr.1"
    "Lui Lw.1 LwSp Lw.1 LwSp.o2 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 Lui Bne.6.z Lui" "Lui LwSp"
    "Lui Mv Lui Jalr.1" "Lui Mv Lui Mul.3.1 Lui/2 Mul.5.1/1 Add._.1" "Lui Mv Mv Lui"
    "Lui Mv Srl.1.2 Bltu.1"
    "Lui Mv.1/1 Lui Addi.1/1 Lui Addi.1/1 Bgeu.5.3 Lw.2 Sw.7.1 Addi.8 Addi.5 J"
    "Lui Sh Lui Sb.o2 Lui Or SwSp.o3.1 Or SwSp.o2.1 Or Mv SwSp.o3.2" "Lui Slli.1 Add._.1 J"
    "Lui Slli.1 Addi Addi.2/2 Add.1.2/1 Lw.1 Addi Addi.2/2 Sw.4.1 Bne.3"
    "Lui Slt Add.2 Addi.2/2 Addi And.2 Mv/6 Beq.3 Lw.4 Add.1.4 Blt.o9.1 Slt.5.3" "Lui Srl"
    "Lui Sw._.1 LwSp LwSp.o1 LwSp.o1 Addi.o1 Jr.4"
    "Lui Sw._.1 Sw.o1 LwSp LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 Jr.5" "Lui SwSp._.z"
    "Lw Addi SwSp.1.2" "Lw Addi SwSp._.2 Bgeu.2" "Lw Addi SwSp._.2 Bgeu.2 Bne.4.z Mv J"
    "Lw Addi.1 Addi" "Lw Addi.1 Addi Addi" "Lw Addi.1 Addi Addi/3 Sw.o4.3 Beq.3.2 Lbu.4 Beq.1"
    "Lw Addi.1/1 Addi Sw.o3.2 Beq.2 Lbu.3 Beq.1" "Lw Beq.1.z Lh.2 Bne.1" "Lw Lui Bne SwSp._.3"
    "Lw Lui Lui Blt.2.3" "Lw Lw Add" "Lw Lw Add Lw" "Lw Lw Add Lw.1 Lw Xor Xor.1/1"
    "Lw Lw Add Xor Lw.2 Addi Xor.3.5 Slli.2/2 Lw.o7 Add.o7.2 Lw.1" "Lw Lw Add.2 Lw" "Lw Lw Addi"
    "Lw Lw Addi.o2 Add.2.3 Sw.o3.1 Addi.o1 Bne.4"
    "Lw Lw Addi.o2 Addi.o2 Xor.4.3 Sw.3.1 Addi Bne.1.5 Addi Bne._.1 Mv Lui" "Lw Lw Lui"
    "Lw Lw Lw Lw" "Lw Lw Lw Lw Lw Lw Lw Lw Lw Lw Lw Lw"
    "Lw Lw Lw Lw Srli.4 Slli.5 Srli.6 Slli.7 Rotr.4.3/4 Rotr.3.2/4 Srli.9/4 Slli.10/4"
    "Lw Lw Lw LwSp" "Lw Lw Xor Xor.1" "Lw Lw.o1 Add.2 Lw.o2" "Lw Lw.o1 Lui Lui Lui Jalr.1"
    "Lw Lw.o1 Lw.o1 Lw.o1"
    "Lw Lw.o1 Lw.o1 Lw.o1 Addi.o1 Xor Xor Xor Xor._.8 Xor.4.8 Xor.4.8 Xor.4.8/4"
    "Lw Lw.o1 Lw.o1 Lw.o1 Srli.4 Slli.5 Srli.6 Slli.7 Add.5.7 Srli.7/6 Rotr.6.5/6 Slli.9/6"
    "Lw Lw.o1 Lw.o1 LwSp Xor._.4 Xor._.4 Xor.3 Xor._.5 Addi.o5 SwSp.o1.o7 Andi.3 Andi.5"
    "Lw Lw.o1 Sltu._.2 Sub._.2/2 Sub.1.2/1 Sub.o3.5 Beq.2.o3 Sltu.o4.3 J"
    "Lw Lw.o1 SwSp Lw.o2 Lw.o1 Lw.o1 SwSp.o4.3 Lw.o2 Lw.o1 Lui SwSp.o4.3 SwSp.o1.3"
    "Lw Lw.o1 SwSp._.2 Lw.o2 SwSp.o2.3 Lw.o2 Lw.o1 SwSp.o3.4 Lw.o2 SwSp.o2.4" "Lw LwSp"
    "Lw Mv Bgeu._.2 Lw"
    "Lw Mv Bgeu.o1.2 Lw.o3 Slli.3 Add.2.1/2 Lhu.1 Xor._.6 Add.1 Sh.4 Mv.9 Bne.5.z"
    "Lw Mv Sw._.2 Beq._.z"
    "Lw Ori Addi Add.3/3 Sb.1.3 Sw.o5.3 LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1"
    "Lw Slli Add.2.1/1 Lw.1 Srli Slli.o1 Rotr.2.1/2 Srli.4 Slli.5 Rotr.2.1/2 Sw.8.1 Xor.8.5"
    "Lw Slli Slli Add.1.2" "Lw Slli Xor Srli.o2 Slli.o1 Srli.o1 Rotr.1.5/1 Or.o2"
    "Lw Sltiu Addi.1/1 And.1/1 Xor._.1 Bne.5.z Lui J"
    "Lw Srli Slli.1/1 Add._.1/1 Lw.1 Andi Add._.1/1 Lw.1 Andi Add._.1/1 Lw.1"
    "Lw Sub Add._.o2 Sw.1.2 Sw.2.4 Bne._.z Lui Sw.1.5 LwSp LwSp.o1 Addi.o1 Jr.3"
    "Lw Sw._.1 Addi Addi" "Lw Sw._.1 Addi.o1 Addi.o3 Bltu.2 J" "Lw Sw._.1 Addi.o1 Addi.o3 J"
    "Lw Sw._.1 Lw.2"
    "Lw SwSp Lw.o2 SwSp.o2 Lw.o2 Lw.o1 SwSp.o3.4 SwSp.o1.7 SwSp.o1.4 SwSp.o1.4 Addi.o1 Addi.o1"
    "LwSp Addi Addi.2 SwSp._.1"
    "LwSp Addi Addi.2/2 SwSp.o3.1 Beq.3 Lbu.4 Lui Beq.2 Addi.3 Andi.1/1"
    "LwSp Addi Addi.2/2 SwSp.o3.1 Beq._.3 Lbu.4 Lui Beq.2" "LwSp Andi.1 Bne.1 LwSp"
    "LwSp Beq._.z" "LwSp Beq._.z Beq.2.z Addi.o2 Addi.o4 Sw._.5 Lw.6 Mv.7 Sw.4.2"
    "LwSp Beq._.z LwSp.o2 Mv.3 Mv.2 Beq.3.z Jalr"
    "LwSp Lh.o1 LwSp.o1 Lui Mv.4 Mv Lui Addi.4/4 Lui" "LwSp Lui Addi.1 Beq.3.1"
    "LwSp Lui Beq.2.1 LwSp" "LwSp Lui Bne.2.1"
    "LwSp Lui Lui Lui SwSp.o4 Mv Mv Mv.7 Lui Mv.9 Mv.4 Lui"
    "LwSp Lw Lw.o1 LwSp.o3 SwSp.o1.1 SwSp.o1 SwSp.o1 Addi.o1 Mv.8 Mv.9 Lui Jalr.1"
    "LwSp LwSp Beq.2.z LwSp" "LwSp LwSp Lui" "LwSp LwSp Lui Bne.3.1" "LwSp LwSp Slli.2 Or.1.2"
    "LwSp LwSp.o1" "LwSp LwSp.o1 Addi.o1 SwSp.1.3 SwSp.2.3"
    "LwSp LwSp.o1 Lhu Slli.3 Slli.3 LwSp.o4 LwSp.o1 Or.4.3 Or.1.6/1 Lui Lui Srl.3.2"
    "LwSp LwSp.o1 Lui Lui SwSp.o3.z Lui SwSp.o2.1 SwSp.o1.5 SwSp.o1.z Bltu.8.6 SwSp.o2 Lui"
    "LwSp LwSp.o1 LwSp.o1" "LwSp LwSp.o1 LwSp.o1 Addi.o1 SwSp.1.4 SwSp.2.4 SwSp.3.4"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 SwSp.1.5 SwSp.2.5 SwSp.3.5 SwSp.4.5"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1" "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 Jr.6"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 SwSp.1.6 SwSp.2.6 SwSp.3.6 SwSp.4.6 SwSp.5.6"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 Jr"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1 LwSp.o1"
    "LwSp LwSp.o1 LwSp.o1 LwSp.o1 Mv Addi.o2 J" "LwSp LwSp.o1 Slli.2 Or.1.2/1 Jal"
    "LwSp Mv LwSp.o2 Mv LwSp.o2 Mv LwSp.o2 Mv LwSp.o2 Mv LwSp.o2" "LwSp Mv Mv.2 Beq.3.z"
    "LwSp Or Slli Or Slli Or Slli Xor Or.7.6/7 Or.6.5/6 Or.5.4/5"
    "LwSp Slli Slli Or Slli Or.4/4 Slli Or.5/5 Slli"
    "LwSp Slli Srli.1/1 Addi.3 Addi/4 Slli.1 Slli.3/3 LwSp.o7 Srli.2 SwSp.o2.7 SwSp.o1.2 Srli.6"
    "LwSp Slli.1 LwSp Or.2.1" "LwSp Slli.1 Or.1"
    "LwSp Slli.1/1 LwSp.o2 Slli.1/1 Or.1.3 LwSp.o3 Slli.1/1 LwSp.o2 Or.2.1 LwSp.o2 Slli.1/1"
    "LwSp Slli.1/1 Or.1 LwSp.o3 Slli.1/1 Slli Slli Or.3/3 Slli Or.3.4/4 Slli.o2/4 Add.1.3/1"
    "LwSp Srli Slli.o1 Rotr.2.1/1 Xor.4.1/1 LwSp.o5 Srli.2 Slli.3 Rotr.2.1/1 Xor.4.1/1 LwSp.o5 Srli.2"
    "LwSp Srli Slli.o1 Rotr.2.1/2 Xor.4.1/4 LwSp.o5 Srli.2 Slli.3 Rotr.2.1/1 Xor.4.1/1"
    "LwSp SwSp.o1 SwSp.o1 SwSp.o1.3 LwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1.3 LwSp.o1 Mv SwSp.o2.2 LwSp.o1"
    "LwSp SwSp.o1.1 Slli Or.1 Slli LwSp.o4 Slli.1/1 Or.1.3/1 Slli LwSp.o4 Or.2.1/1"
    "LwSp Xor Xor Xor" "LwSp Xor Xor Xor Sw._.3 Sw.o1.3 Sw.o1.3 Sw.o1 Addi.o1 Bne.1.9 LwSp.o10"
    "Mul Add.1 Sw._.1"
    "Mul Add.1/1 Andi.1/1 Sh._.1 Slli Srli.1/1 Sh._.1 Addi.o7 Addi.o2 Addi.o5 Addi.o7 Bne.4"
    "Mul Add.1/1 Srli.1 Andi.1/1 Add._.1/1 Lw.1 Lbu.1 Beq.1.z Addi.3"
    "Mul Add.1/1 Sw._.1 Addi.o1 Bne.1" "Mul Add._.1 Bne Sw._.2" "Mul Add._.1 Srli Xor.2.1"
    "Mul Lh Lh" "Mul LwSp" "Mul LwSp Mv Add.3 Srli.1 Slli.1/1 Add.5.1/1 Lw.1 Lbu.1 Bne.1.z J"
    "Mul Mul Add.2.1" "Mul Mul Add.2.1/1 Add._.1 Sw._.1 Addi.o1 Addi Bne.2 Addi Addi Lui Bne.3.1"
    "Mul Slli.1 Srli.1 Lhu"
    "Mul Slli.1 Srli.1/1 Lhu Slli.4 Srli.1/1 Mul.4.1/1 Mul.4 Slli.1/5 Srli.1/1"
    "Mul Srai.1 Srai.2 Andi.2" "Mulhu Sub._.1 Srli.1 Add.1.3"
    "Mulhu Sub.o1.1 Srli.1/1 Add.1.3/3 Srli.1/1 Mul.1/1 Sub.o5.1/1 Sh._.1 Addi.o1 Addi.o3 Bne.2.z"
    "Mv Add Addi Lui Addi Addi Mul.3.2/3 Addi.5/5 Add.2.3/2 Sw.2.1 Bne.9.3 Beq.11.z"
    "Mv Add.1 Bgeu.2.1" "Mv Add._.o1 Lbu.1 Xor.1/1 Sb.3.1 Addi.5 Bltu.6" "Mv Addi Bgeu Addi"
    "Mv Addi Bne LwSp" "Mv Addi.o1 Add._.2 Sb.1 Bltu._.4 Lbu Addi.o1 Bne.2.z J" "Mv Beq._.z"
    "Mv Blt._.z" "Mv Bne._.z" "Mv Lui Add Lui SwSp._.z Addi.o1 Sub.3 Or.2 Andi.2 Addi.7 Beq.2.z"
    "Mv Lui Lui Jalr.1" "Mv Lui Mv.o2 Lui Lui Jalr.1" "Mv Lw Add._.1 Blt._.1"
    "Mv Lw Add._.1 Blt._.1 Slt.4.3 Addi.o4 Add._.2 Bne.2 Lui Srl.3" "Mv Lw Srli Slli"
    "Mv Lw Sw.2 Mv.3" "Mv Lw.1 Sw.2"
    "Mv Lw.1 Sw.2 Mv.3 Bne.3.z Add Slli.1/1 Srli.1/1 Bne.1 Lui Addi.1"
    "Mv Lw.o1 Sw.2 Mv.3 Bne.3.z J" "Mv LwSp" "Mv LwSp LwSp.o1 LwSp.o1 LwSp.o1 Addi.o1 J"
    "Mv Mv Lui Jalr.1" "Mv Mv Mv" "Mv Mv Mv Bne"
    "Mv Mv Mv Lbu.1 Addi.4 Sb.4.2 Addi.5 Addi.5 Bne.4.z" "Mv Mv Mv Mv"
    "Mv Mv Mv Mv Mv Bne Lw Lw.o1 Lw.o1 Lw.o1 Lw.o1 Lw.o1" "Mv Mv Mv Mv Mv Mv"
    "Mv Mv Mv Mv Mv Mv Addi Bgeu._.o1 Addi.o2"
    "Mv Mv Mv Mv Mv Mv Mv SwSp._.o1 SwSp.o1.o3 SwSp.o1.o5 SwSp.o1.o9 J"
    "Mv Mv Mv Srli.o1 Slli.2 Srli.3 Slli.4 Or.3.4/4 Srli.6/4 Rotr.4.3/4 Slli.8/4 Rotr.3.1/3"
    "Mv Mv Mv Srli.o2 Slli.3 Srli.4 Slli.5 Or.3.4/4 Srli.7/4 Rotr.4.3/4 Slli.9/4 Rotr.3.1/3"
    "Mv Slli Jal" "Mv Sltu.o1 Addi.1/1 And.1/1 Srli Add.2 Bne.2.z" "Mv Srli Slli Srli"
    "Mv SwSp SwSp.o1 SwSp.o1.z Addi.o1 Addi.o1 Lui Lui"
    "Mv SwSp._.z Mv Lui Lui Beq.5.z Lui Addi.o6 SwSp.o1.8 SwSp.o1.9 Lui Lui"
    "Or And._.1 Or.1 Add.1" "Or And._.1/1 Or.1 Add.1/1 Add Add.2.o1 Addi Addi Mv Mv/6 Mv/9"
    "Or Beq._.z" "Or LwSp" "Or Or Or" "Or Or Or Or"
    "Or Or Xor.2.1/2 Slli Srli.o1/3 Or.2.1/2 Xor.o2.4/4 Slli.o1/3 Srli.o1 Xor.3.4/3 Or.3.2/3 Xor.2.1/2"
    "Or Or.1 Slli LwSp" "Or Slli Or Slli" "Or Slli Or Srli" "Or Slli Or.1" "Or Slli Or.1 And"
    "Or Slli Or.1 Srli/2 Add._.1/1 Lbu.1 Or.6.4 Xor.1/1 Sw._.1 Slli.4" "Or Slli Or.1 Xor"
    "Or Slli Or.1/1 Srli Add._.1/1 Lbu.1 Or.6.4 Xor.1/1 Sw._.1 Slli.4"
    "Or Slli Or.1/1 Xor Xor.4.2/4 Srli Srli.o5 Xor.4.2/2 Xor.4.2/2 Add._.2/2 Add.1.2/1 Sw._.1"
    "Or Srli Or Slli.o2 Rotr.3.1/1 Xor._.5 Xor.4.2/4 Srli Srli.o5 Xor.4.2/2 Xor.4.2/2 Add._.2/2"
    "Or Srli Slli.o1 Rotr.2.1/2 Xor.4.1/4 Srli.o3 Xor.2.1/1 Add._.1 Sw._.1 Addi.o1 Mv Bne.2"
    "Or Xor.1 Sw._.1 Slli" "Sb Addi Addi Bne.2.z" "Sb LwSp" "Sb Mv Bne Jr" "Sb Sb Sb Sb"
    "Sb Sb.o1 Sb.o1 Sb.o1 Sb.o1 Sb.o1 Sb.o1 Sb.o1" "Sb._.z Andi"
    "Sb._.z Andi Sb.o2.z Bne.2.z Lui Lui Addi.o4 J" "Sb._.z Bne._.z" "Sh Addi"
    "Sh Slli Addi Srli.2" "Sll Or.1"
    "Sll Srli Xori Srl.2.1/1 Or.4.1/1 Lui/5 Sll.o5/5 Srai And.1.2/2 Lui/2 Sll.1/1"
    "Sll Xori Srli Srl.1.2/2 Or.4.1/4 Lui/2 Sll.o4/4 Srai And.1.2/1 Lui/3 Sll.1"
    "Slli Add Slli Add._.3" "Slli Add._.1 J" "Slli Add._.1 Lui"
    "Slli Add._.1/1 Lw.1 Addi Addi.2/2 Sw.4.1 Lui"
    "Slli Addi Addi.2/2 Add.1.2/1 Lw.1 Addi Addi.2/2 Sw.4.1 Bne.3 Lbu Addi.o1 Xor._.2/2"
    "Slli Addi Sub Bgeu.2" "Slli Addi.1 Sw Sw._.2" "Slli And Slli.1 Or.3.1"
    "Slli And.o1 Slli.1/1 Or.3.1/1 Lui/4 Addi.1/1 Or Lui Or.5/5 Addi SwSp.o1.4 SwSp.o1.3"
    "Slli Bne._.z" "Slli Lhu" "Slli Lhu Srli.2"
    "Slli Lhu Srli.2 Mul._.1/1 Add._.1 Mul.4/2 Slli.1 Srli.1/1 Slli.3/3 Srli.1/1 Lhu.o9 Mul.4.2"
    "Slli Lui Addi.1/1 Add.1.3/1 Lw.1 Jr.1" "Slli Lw Add._.2 Lw.1" "Slli LwSp" "Slli Mv Jal"
    "Slli Or.1 Slli Or.1/1 Or.3.1/1 Slli/4 Srai.1 Xor.3.2/3 Slli.o3 Srli.3/4 Andi.1/1 Xor.1.3/3"
    "Slli Or.1 Xor._.1" "Slli Or.1 Xor._.1 And" "Slli Or.1 Xor._.1 Srli" "Slli Or.1 Xor._.1 Xor"
    "Slli Or.1/1 Xor._.1 Xor._.1 Addi Lui/4 Sw.1.3 LwSp Bne.4.1 J" "Slli Slli Add.1.2"
    "Slli Slli Addi Andi" "Slli Slli Addi Slli"
    "Slli Slli Addi Slli Xor Xor.1/1 Add._.6/6 Lw Add.o2.7 Slli.7 Add.o2.7 Lw.5"
    "Slli Slli Andi Add._.3" "Slli Slli Or Or.2.3" "Slli Slli Or.1.2" "Slli Slli Or.1.2 Or.1"
    "Slli Slli Slli Slli" "Slli Slli Srai Srli.2" "Slli Slli Srai.2 And.1"
    "Slli Slli Srai.2/2 And.1.o2/1 Slli.o3 Slli.o5 Srai.5/5 Srli.2/2 Andi.2/2 Xor.6 Xor.2.6/6 Bne.4.z"
    "Slli Slli Srai.2/2 And.1.o2/1 Slli.o3 Srli.o5 Srai.5/5 Andi.1/1 Xor.5 Xor.2.5/5 Bne.5.z"
    "Slli Slli.o1 Lui Add.2.3/3 Addi.2 Addi.2/2 Srli.1 Addi/2 Lw.o1 Lw.o1 Mul.4.6 Sub.z.1/1"
    "Slli Slli.o1 Lw Lw.o1 Sw.o1 Sw.o1.z Add.5.6 Add._.1/1 Lui Mv.o2 Beq.1.3 Lw.2"
    "Slli Slli.o1 Srli.o1 Srli.o1 Rotr.1.3/1 Srli.o2 Rotr.4.6/4 Slli.o2 Rotr.3.1/1 Xor.3.5/3 Lw Xor.2.3"
    "Slli Slli.o1 Sub.1.2/1 Lui/3 Add.2.1/1 Srai.1/1 Mv/4 Mv Lui Lh.3 Mul.5.1/1 Sw.4.1"
    "Slli Slli.o1 Xori.o1 Add.2.3/3 Add._.1 Lw.1 Lw.2 Addi.3 Add._.6 Slli.1 Slli.2/2 Add.1.2/2"
    "Slli Srai.1 Slli Srli.1" "Slli Srai.1 Srli"
    "Slli Srai.1/1 Slli Srli.1/1 Srli And.4/4 Xor.2.1/2 Andi.1/2 Srli.2/2 Xor.2.6/6"
    "Slli Srli Or.1 Or" "Slli Srli Or.2.1"
    "Slli Srli Or.2.1/1 Xor Xor._.2/2 Xor.2.1/2 Xor.1.o6 Xori.1/1 Lui/3 Mv.2/5"
    "Slli Srli Or.2.1/2 Slli.o3/2 Srli.o3 Or.2.1/2 Slli.o3/2 Srli.o3 Or.2.1/2 Slli.o3/2 Srli.o3 Or.2.1/1"
    "Slli Srli Rotr.1.2" "Slli Srli Srai" "Slli Srli.1 Add._.1 Lbu.1" "Slli Srli.1 Addi Bne.1.z"
    "Slli Srli.1 Mul._.1 Mul" "Slli Srli.1 Slli Srli.1"
    "Slli Srli.1/1 Add._.1/1 Lbu.1 Slli Srli.1/1 Add.o4.1/1 Lbu.1 Andi Add.o3.1/1 Lbu.1 Slli.8"
    "Slli Srli.1/1 Mul.1.1/1 And Addi Addi.o2 Sh._.3 Slli.2 Addi.o8 Srli.2/2 Addi.o4 Add._.9"
    "Slli Srli.1/1 Mul._.1/1 Add._.1 Add._.1 Sw._.1 Addi.o1 Addi Bne.2 Addi Addi"
    "Slli Srli.o1 Rotr.1.2/1 Slli Srli.2/4 Srli.3 Andi.4 Add._.3/3 Andi.3/3 Srli.7/7 Lbu.3 Add.o4.5"
    "Slli Srli.o1 Rotr.1.2/1 Xor.1/1 LwSp Addi Bne.1.2 Mv.4" "Slli Sw Sh Sh" "Slli Xor Srli"
    "Slli Xor.1.o1 Slli.1/2 Xor.1.2/2 Slli.1/2 Xor.1.2/2 Slli.1/2 Srai.1/1 Srli.1/1 Andi.1/1 Xor.5.1/5 Andi.1/2"
    "Slt Add" "Slt Add Addi.2 Addi"
    "Slt Add Addi.2/2 Addi And.2 Mv Beq.3 Lw.4 Add.1.4 Blt.o9.1 Slt.5.3 J"
    "Slt Addi Add._.2 Bne.2" "Slt Addi Add._.2 Bne._.2" "Slt J" "Sltiu Addi.1 And.1 Xor._.1"
    "Sltiu And.1" "Sltiu Sub._.1" "Sltiu Sub._.1 Sub Mv"
    "Sltu Addi.1/1 And.1 And.2 Sltiu.1/1 Sltiu.3/3 And.1.2/1 Bne.1.z Addi" "Sltu LwSp"
    "Sltu Sub Sub.1.2 Blt.1.z" "Sltu Sub.z.1" "Sltu.z Sltu.z" "Sltu.z Sltu.z And.2.1 Beq._.z"
    "Srai And.1 Addi Xor._.2" "Srai Bge._.z" "Srai LwSp" "Srl LwSp" "Srli Add Bne.2.z"
    "Srli Add Slli.o2 Or Srli.o2 Rotr.5.3/3 Slli.o2/6 Rotr.3.1/3 Xor And._.o3 Xor.7.5/5 Or.o2.o5/8"
    "Srli Add._.1 Lbu.1" "Srli Addi And._.1" "Srli And Xor.2.1 Andi.1" "Srli And Xor.2.1 Xor.1"
    "Srli And Xor.2.1/2 Xor.1/2 Slli.1/1 Srai.1/1 Srli Srli.5/5 And.3/3 Xor.2.1/2 Xor.1.4/2"
    "Srli Andi Andi Srli" "Srli Andi Andi Srli Slli Slli Addi Andi.7/7 Addi.7/7 Addi.7/7 Andi"
    "Srli Andi Srli Srli" "Srli Andi.1 Add._.1 Lw.1"
    "Srli Andi.1/1 Add._.1/1 Lw.1 Andi Slli.1/1 Add._.1/1 Lw.1 Srli.o4 Srli.o1 Xor"
    "Srli Andi.o1 Srli Srli Srli Slli Andi Andi Slli Slli"
    "Srli Lui Srli.o2 Addi.2/2 And.4.1/4 And.o3.2/2 Slli.o1 Or.3.5/3 Lui/6 Addi.1/1 Slli.5/5 Or.5.1/1"
    "Srli Lui Srli.o2 Slli.o1 Srli Addi.4/4 And.6.1/6 Or.1.5/1 Srli.o4/6 And.5.4/5 Or.1.2/2 And.o8.6/2"
    "Srli LwSp" "Srli Remu.1" "Srli Slli Or.1.2 Srli"
    "Srli Slli Or.1.2/2 Remu.1 Divu.2/2 Slli.o5 Srli.1/1 Slli.4/4 Or.1.2/2 Divu.1/2 Remu.2/2 Slli.7"
    "Srli Slli Or.1.2/2 Srli.o2/2 Slli.o1 Rotr.2.1/2 Xor.4.1/4 Srli.o3/2 Slli.o1/4 Rotr.2.1/2 Xor.4.1/4 Xor/2"
    "Srli Slli Rotr.2.1 Srli"
    "Srli Slli Slli.o2 Or.2.3/2 Lui/4 Sltu._.3 Sub._.3 Sub.1.2/2 Blt.1.z Sub.o4.7 Or.6 Beq.4.z"
    "Srli Slli Slli.o2 Srli.1/1 Add._.1/1 Lbu.1 Andi.o4 Add.o3.1/1 Lbu.1 Add.o2.9 Lbu.1"
    "Srli Slli Srli Slli"
    "Srli Slli Srli.o1 Slli.o1 Or.3.4/4 Srli.o2/4 Rotr.4.3/4 Slli.o2/4 Rotr.3.1/3"
    "Srli Slli.1 Add._.1 Lw.1" "Srli Slli.1/1 Add._.1/1 Lw.1"
    "Srli Slli.1/1 Add._.1/1 Lw.1 Srli Andi.1/1 Add._.1/1 Lw.1"
    "Srli Slli.o1 Rotr.2.1/1 Srli/3 Slli.o1 Rotr.2.1/1 Srli/3 Slli.o1 Rotr.2.1/1 Srli/3 Slli.o1 Rotr.2.1/1"
    "Srli Slli.o1 Rotr.2.1/2 Srli.o2/2 Slli.o1 Rotr.2.1/2 Xor.4.1/4 Srli.o3/2 Slli.o1/4 Rotr.2.1/2 Xor.4.1/4 And._.o3/2"
    "Srli Slli.o1 Rotr.2.1/2 Srli.o2/2 Slli.o1 Rotr.2.1/2 Xor.4.1/4 Srli.o3/2 Xor.2.1/2 Add._.1 Srli/2 Slli.o1/4"
    "Srli Slli.o1 Srli Slli.o1 Slli.o1 Srli.o1 Rotr.1.2/2 Or.6/6 Rotr.6.5/6 Or._.9 Srli.o9 Xor.3.5/3"
    "Srli Slli.o1 Srli.o1 Slli.o1 Srli.o1 Slli.o1 Xor Rotr.7.6/7 Srli/7 Rotr.7.6/7 Slli.o2/7 Rotr.7.6/7"
    "Srli Srli And.2 Or.1.2" "Srli Srli Beq._.z Xor.2" "Srli Srli Or.1 Srli"
    "Srli Srli Srli Srli"
    "Srli Srli Srli.o1 Srli Srli.o4 Srli.o3 Srli.o2 Andi Srli.o1 Srli.o1 Addi Andi.8/8"
    "Srli Srli Xor" "Srli Srli Xor._.2 Xor._.2"
    "Srli Srli.o1 And.2/2 Or.1.2/1 And.o3/3 Slli.o1 Slli.2/2 Or.2.1/2 Or.1.5/1 SwSp._.1 Addi.o1"
    "Srli Srli.o1 And.o1 Slli.o1 And.4/4 Or.1.4/1 Srli/5 Slli.5/5 Or.5.1/5 Srli.o3/2 And.4/4 Or.1.2/1"
    "Srli Srli.o1 Srli Srli.o1 Srli Sb._.3 Sb.o1.o3 Sb.o1 Sb.o1.7 Srli.o5 Sb.o2 Sb.o1"
    "Sub Andi.1 Add._.1 Bgeu._.1" "Sub LwSp"
    "Sub.z Addi Add._.1 Add._.2 Lbu.1 Sb.3.1 Addi.6 Addi.5 Addi.5 Bne.3.z J" "Sub.z Andi.1"
    "Sub.z Andi.1 Add._.1 Bgeu._.1"
    "Sub.z Andi.1/1 Add._.1 Bgeu.o1.1 Mv.3 Mv.o2 Sb.1 Addi.3 Addi.3 Bne.2.z"
    "Sub.z Andi.1/1 Mv Lw Srl.2 Addi.o2 Sll.3.5 Or.1.3/3 Addi/2 Sw.o1.2 Addi.o1 Bltu.3"
    "Sub.z Andi.1/1 Sll._.1/1 Srl Or.1.2/1 Sw._.1 Add Add Andi Sub.3.1 Bgeu.1.4 Addi.4"
    "Sub.z Or Andi.2 Sll.2.1"
    "Sub.z Sub Andi.2 Add._.2/3 Mv Add.2 Lw.1 Sll.3.5 Srl.2 Or.1.2/2 Add/2 Addi.o1"
    "Sw Addi Bltu.1" "Sw Addi.o1 Bltu.1 Andi J"
    "Sw Addi.o1 Lui Addi.1/1 Sw.3.1 Lui Addi.1/1 Sw.6.1 Lui Addi.1/1 SwSp._.9 Sw.10.2"
    "Sw Beq Lbu Beq.1" "Sw Beq._.z" "Sw Lw Mv.o1 Sw._.2 Beq._.z" "Sw LwSp" "Sw Mv Bne._.z"
    "Sw Sw Sw J" "Sw Sw Sw LwSp" "Sw Sw Sw Sw" "Sw Sw._.z" "Sw Sw.o1 Sw.o1"
    "Sw Sw.o1 Sw.o1 Sw.o1" "Sw._.z Addi" "Sw._.z LwSp" "Sw._.z Sw" "SwSp Addi.o1"
    "SwSp Lui Addi.1 SwSp._.1"
    "SwSp Lui Addi.1/1 SwSp.o3.1 Lui Addi.1/1 SwSp.o3.1 Lui Addi.1/1 SwSp.o3.1 Lui Lui"
    "SwSp Lui Lui Lui Addi.3/3 Mv.3 Addi.o6 SwSp.o1.3 Mv Mv.6 Mv Addi.o4" "SwSp Lw SwSp"
    "SwSp Lw SwSp.o2 Lw.o2 Lw.o1 SwSp.o3.4 Lw.o2 SwSp.o2.4 SwSp.o1.4 Lw.o3 SwSp.o2.4 Lw.o2"
    "SwSp LwSp" "SwSp Mv Lbu.1 Lbu.2 Addi Slli.3 Or.1.3 Bltu.3.1 Lbu.7 Lbu.8 Lbu.9 SwSp.o11.1"
    "SwSp Mv SwSp Mv" "SwSp SwSp Lui Beq._.z" "SwSp SwSp Lui Lui" "SwSp SwSp.o1 SwSp.o1 SwSp.o1"
    "SwSp SwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1 SwSp.o1"
    "SwSp Xor SwSp.o2.1 Xor SwSp.o2.1 Xor Addi SwSp.o3.2 LwSp.o1 Lui Beq.4.2 SwSp.o3.6"
    "SwSp._.z Addi" "SwSp._.z SwSp" "SwSp._.z SwSp SwSp._.z" "SwSp._.z SwSp._.z"
    "SwSp._.z SwSp._.z SwSp._.z" "SwSp._.z SwSp._.z SwSp._.z SwSp._.z"
    "SwSp._.z SwSp.o1.z Addi Mv.o2 Addi.o2 Lw.3 Addi.4 Sw.4.2 Addi.5 Bne.3.5"
    "SwSp._.z SwSp.o1.z Addi Mv.o2 Addi.o2 Lw.3 Addi.4 Sw.4.2 Addi.5 Bne.3.5 LwSp.o7 LwSp.o1"
    "SwSp._.z SwSp.o1.z SwSp.o1.z Addi Mv.o2 Addi.o2 Lw.3 Addi.4 Sw.4.2 Addi.5 Bne.3.5"
    "SwSp._.z SwSp.o1.z SwSp.o1.z Addi Mv.o2 Addi.o2 Lw.3 Addi.4 Sw.4.2 Addi.5 Bne.3.5 LwSp.o7"
    "SwSp._.z SwSp.o1.z SwSp.o1.z SwSp.o1.z Addi Mv.o2 Addi.o2 Lw.3 Addi.4 Sw.4.2 Addi.5 Bne.3.5"
    "SwSp._.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z SwSp.o1.z"
    "Xor Add._.1 Sw._.1 Addi" "Xor And Add Xor"
    "Xor Andi.1/1 Srli Srli.o3 Beq.3.z Xor.2 Slli.1/1 Srli.1/1 Addi Bne.1.z"
    "Xor Andi.1/1 Srli.o2 Srli Beq.3.z Xor.2 Slli.1/1 Srli.1/1 Addi Bne.1.z" "Xor Lw Addi Xor.3"
    "Xor Lw Xor Xor.3.1" "Xor Lw Xor.2 Lw" "Xor LwSp" "Xor Or And.1 Or.1" "Xor Or Srli"
    "Xor Slli.1 Andi.1/1 Xor.1.3/1 Slli Slli.o1/5 Slli.3 Slli.2/2 Srai.4/4 Srai.3/3 Srai.3/3 Bge.3.z"
    "Xor Slli.1/1 Srli.1/1 Addi Bne.1.z Addi Bne.1" "Xor Sltu.z.1" "Xor Sltu.z.1 Sw LwSp"
    "Xor Sltu.z.1 Sw.o2 LwSp Sltiu.4 Sub._.1 Sub._.5 Mv/3 Sltu.z.2 Sltu.z.6 And.2.1/1 Beq.6.z"
    "Xor Srli Srli Slli.3" "Xor Srli Xor.2 Xor._.2"
    "Xor Srli Xor.2/2 Xor._.2 Add.1.2/1 Add.1/1 Mv/4 Add.2 Sw._.1 Addi.o1 Mv"
    "Xor Srli.o1 Srli Slli.3/3 Srai.1/1 And.1/1 Addi Xor.5.2/5 Bne.2.z Mv Bne J"
    "Xor Xor Add.2 Add.1.2" "Xor Xor And.1 Xor.1"
    "Xor Xor And.1/1 Xor.1.o2/1 Add.1 Xor Add.6 Add._.2/2 Add.2.4/2 Add.1/9 Add.3.2/6 Addi"
    "Xor Xor Bne._.z"
    "Xor Xor Lw Xor.2 Lw And.5 Xor.1/1 Add.4 Add.6.2 Add.2.1/2 Add.1.6/6 Add.1/2"
    "Xor Xor Xor Xor" "Xor Xor Xor Xor Addi Xor.5/5 Xor.4 Xor.6 Xor.5 Bne._.5 Srli.2 Srli.6"
    "Xor Xor Xor Xor Xor Xor Xor Xor Xor.8.7/8" "Xor Xor Xor.2.1 Lw" "Xor Xor Xor.2.1 Xor.1"
    "Xor Xor Xor.2.1/1 Lw Srli Slli.1/1 Add._.1/1 Lw.1 Srli Andi.1/1 Add._.1/1 Lw.1"
    "Xor Xor.1 Add Lw"
    "Xor Xor.1/1 Xor Xor Xor.2.1/2 Xor.1/1 Xori.1/1 Andi.6/4 Add._.1 Sb.1.3 Bne.3 Lui"
    "Xori Xor._.1/1 Andi.1 Add._.1 Bge._.z Xori Srli.1 Slli.2 Slli.3 Srli.4"
}
