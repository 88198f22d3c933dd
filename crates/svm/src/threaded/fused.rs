//! Which function each slot gets: the forms that exist, and the choice of the shortest way.

use super::Slot;
use super::handlers::{
    Handler, Kind, five, four, four_transfer, kind, kind_of, leave, one, one_transfer, six, three,
    three_transfer, transfer, two, two_transfer,
};
use crate::decode::Op;

macro_rules! kinds {
    ($($name:ident = $kind:expr;)*) => {
        $(const $name: Kind = $kind;)*
    };
}

kinds! {
    LUI = Op::Lui as Kind; ADDI = Op::Addi as Kind; SLTI = Op::Slti as Kind;
    SLTIU = Op::Sltiu as Kind; XORI = Op::Xori as Kind; ORI = Op::Ori as Kind;
    ANDI = Op::Andi as Kind; SLLI = Op::Slli as Kind; SRLI = Op::Srli as Kind;
    SRAI = Op::Srai as Kind; ADD = Op::Add as Kind; SUB = Op::Sub as Kind; SLL = Op::Sll as Kind;
    SLT = Op::Slt as Kind; SLTU = Op::Sltu as Kind; XOR = Op::Xor as Kind; SRL = Op::Srl as Kind;
    SRA = Op::Sra as Kind; OR = Op::Or as Kind; AND = Op::And as Kind; MUL = Op::Mul as Kind;
    MULH = Op::Mulh as Kind; MULHSU = Op::Mulhsu as Kind; MULHU = Op::Mulhu as Kind;
    DIV = Op::Div as Kind; DIVU = Op::Divu as Kind; REM = Op::Rem as Kind;
    REMU = Op::Remu as Kind; LB = Op::Lb as Kind; LBU = Op::Lbu as Kind; LH = Op::Lh as Kind;
    LHU = Op::Lhu as Kind; LW = Op::Lw as Kind; SB = Op::Sb as Kind; SH = Op::Sh as Kind;
    SW = Op::Sw as Kind; FENCE = Op::Fence as Kind; JAL = Op::Jal as Kind;
    JALR = Op::Jalr as Kind; BEQ = Op::Beq as Kind; BNE = Op::Bne as Kind; BLT = Op::Blt as Kind;
    BGE = Op::Bge as Kind; BLTU = Op::Bltu as Kind; BGEU = Op::Bgeu as Kind;
    SH1ADD = Op::Sh1add as Kind; SH2ADD = Op::Sh2add as Kind; SH3ADD = Op::Sh3add as Kind;
    ANDN = Op::Andn as Kind; ORN = Op::Orn as Kind; XNOR = Op::Xnor as Kind;
    CLZ = Op::Clz as Kind; CTZ = Op::Ctz as Kind; CPOP = Op::Cpop as Kind; MAX = Op::Max as Kind;
    MAXU = Op::Maxu as Kind; MIN = Op::Min as Kind; MINU = Op::Minu as Kind;
    SEXT_B = Op::SextB as Kind; SEXT_H = Op::SextH as Kind; ROL = Op::Rol as Kind;
    ROR = Op::Ror as Kind; RORI = Op::Rori as Kind; ORC_B = Op::OrcB as Kind;
    REV8 = Op::Rev8 as Kind; PACK = Op::Pack as Kind; PACKH = Op::Packh as Kind;
    BREV8 = Op::Brev8 as Kind; ZIP = Op::Zip as Kind; UNZIP = Op::Unzip as Kind;
    SHA256SIG0 = Op::Sha256Sig0 as Kind; SHA256SIG1 = Op::Sha256Sig1 as Kind;
    SHA256SUM0 = Op::Sha256Sum0 as Kind; SHA256SUM1 = Op::Sha256Sum1 as Kind;
    SHA512SIG0H = Op::Sha512Sig0h as Kind; SHA512SIG0L = Op::Sha512Sig0l as Kind;
    SHA512SIG1H = Op::Sha512Sig1h as Kind; SHA512SIG1L = Op::Sha512Sig1l as Kind;
    SHA512SUM0R = Op::Sha512Sum0r as Kind; SHA512SUM1R = Op::Sha512Sum1r as Kind;
    AES32ESI = Op::Aes32esi as Kind; AES32ESMI = Op::Aes32esmi as Kind;
    AES32DSI = Op::Aes32dsi as Kind; AES32DSMI = Op::Aes32dsmi as Kind;
    LW_SP = kind::LW_SP; SW_SP = kind::SW_SP; J = kind::J; JR = kind::JR; MV = kind::MV;
}

/// `match` over two kinds: every pair of the lists gets its own function.
macro_rules! pairs {
    ($function:ident, $a:expr, $b:expr, [$($first:ident)*], $second:tt) => {
        match $a {
            $($first => pairs!(@with $function, $first, $b, $second),)*
            _ => None,
        }
    };
    (@with $function:ident, $first:ident, $b:expr, [$($second:ident)*]) => {
        match $b {
            $($second => Some($function::<$first, $second> as Handler),)*
            _ => None,
        }
    };
}

macro_rules! singles {
    ($function:ident, $a:expr, [$($kind:ident)*]) => {
        match $a {
            $($kind => Some($function::<$kind> as Handler),)*
            _ => None,
        }
    };
}

/// Rows of several kinds: every row gets its own function; `$list` has them for the tests.
macro_rules! rows {
    ($choose:ident, $list:ident: $function:ident($($at:ident)+) [$($($kind:ident)+,)*]) => {
        fn $choose($($at: Kind),+) -> Option<Handler> {
            match ($($at),+) {
                $(($($kind),+) => Some($function::<$($kind),+> as Handler),)*
                _ => None,
            }
        }

        #[cfg(test)]
        pub(super) const $list: &[&[Kind]] = &[$(&[$($kind),+]),*];
    };
}

fn alone(a: Kind) -> Option<Handler> {
    singles!(
        one,
        a,
        [LUI ADDI SLTI SLTIU XORI ORI ANDI SLLI SRLI SRAI ADD SUB SLL SLT SLTU XOR SRL SRA OR AND
         MUL MULH MULHSU MULHU DIV DIVU REM REMU LB LBU LH LHU LW SB SH SW FENCE LW_SP SW_SP MV SH1ADD
         SH2ADD SH3ADD ANDN ORN XNOR CLZ CTZ CPOP MAX MAXU MIN MINU SEXT_B SEXT_H ROL ROR RORI
         ORC_B REV8 PACK PACKH BREV8 ZIP UNZIP SHA256SIG0 SHA256SIG1 SHA256SUM0 SHA256SUM1
         SHA512SIG0H SHA512SIG0L SHA512SIG1H SHA512SIG1L SHA512SUM0R SHA512SUM1R AES32ESI
         AES32ESMI AES32DSI AES32DSMI]
    )
    .or_else(|| singles!(transfer, a, [JAL JALR BEQ BNE BLT BGE BLTU BGEU J JR]))
}

fn pair(a: Kind, b: Kind) -> Option<Handler> {
    pairs!(
        two,
        a,
        b,
        [ADDI ADD SUB XOR OR AND ANDI SLLI SRLI LUI LW LW_SP SW SW_SP LBU SB MV MUL],
        [ADDI ADD SUB XOR OR AND ANDI SLLI SRLI LUI LW LW_SP SW SW_SP LBU SB MV MUL]
    )
}

fn before_transfer(a: Kind, b: Kind) -> Option<Handler> {
    pairs!(
        one_transfer,
        a,
        b,
        [ADDI ADD SUB XOR OR AND ANDI SLLI SRLI LUI LW LW_SP SW SW_SP LBU LHU SB SH MV SLTU],
        [BEQ BNE BLT BGE BLTU BGEU J JR JAL JALR]
    )
}

rows! { triple, TRIPLES: three(a b c) [
    SW_SP SW_SP SW_SP, LW_SP LW_SP LW_SP, LW LW LW, SW SW SW, LBU LBU LBU, SB SB SB, MV MV MV,
    ADDI ADDI ADDI, ADDI ADDI LUI, LUI ADDI ADDI, ADDI SW_SP SW_SP, SW_SP SW_SP ADDI,
    LW_SP LW_SP ADDI, ADDI MV MV, MV MV LUI, ADDI ADDI MV, ADDI ADDI SW_SP, LW_SP SW LW_SP,
    SW LW_SP SW, SW_SP LW_SP SW_SP, LW_SP SW_SP LW_SP, LBU SW_SP LBU, SW_SP LBU SW_SP,
    LBU LBU SLLI, LBU SLLI OR, MV LW_SP LW_SP, SW_SP SW_SP MV, SRLI SLLI OR, SLLI SRLI OR,
    SLLI OR SRLI, OR SRLI SLLI, OR SLLI SRLI, SRLI OR SLLI, SRLI OR SRLI, OR SRLI OR,
    OR SLLI OR, SLLI OR SLLI, SLLI OR OR, SLLI SLLI OR, SLLI SLLI SLLI, SRLI SRLI SRLI,
    OR OR OR, SLLI OR XOR, OR XOR XOR, XOR XOR XOR, XOR XOR ADD, XOR ADD ADD, ADD ADD ADD,
    XOR SRLI SLLI, XOR SLLI SRLI, XOR AND XOR, AND XOR ADD, AND XOR XOR, XOR AND ADD,
    OR XOR SRLI, XOR XOR SRLI, XOR SRLI SRLI, ADD ADD LW, AND OR ADD, AND AND OR,
    SRLI SLLI SRLI, SLLI SRLI SLLI, LW SRLI SLLI, LW SLLI SRLI, SRLI ANDI SLLI, ANDI SLLI ADD,
    SLLI ADD LW, SRLI ANDI ANDI, ADD LW SRLI, ADD LW SLLI, LW XOR XOR, ADD LW XOR, ADD LW ADD,
    SLLI ADD SLLI, SLLI SLLI ADD, SLLI SLLI ANDI, SLLI SLLI SRAI, SLLI SRAI AND, SRAI AND SLLI,
    SRAI AND XOR, ANDI SLLI SLLI, ANDI XOR XOR, AND XOR SLLI, ANDI ANDI SLLI, SRLI SRLI ANDI,
    LW LW ADDI, LW ADDI ADDI, SW ADDI ADDI, ADDI SW SW, LW LW LUI, SLLI ADD LH, LH MUL ADD,
    ADDI LH LH, LW MUL ADD, XOR SRLI AND, SUB AND ADD, SLLI ADD ADDI, LW SLLI ADD, MV SLLI ADD,
    LBU ADDI SB,
    LH LH ADDI, SRLI SRLI SLLI,
] }

rows! { quadruple, QUADRUPLES: four(a b c d) [
    SW_SP SW_SP SW_SP SW_SP, LW_SP LW_SP LW_SP LW_SP, LW LW LW LW, SRLI SLLI OR XOR,
    SLLI SRLI OR XOR, XOR SRLI SLLI OR, SLLI OR SRLI SLLI, OR SRLI SLLI OR, SRLI SLLI OR SRLI,
    SLLI OR XOR XOR, ADD ADD ADD ADD, SRLI ANDI SLLI ADD, ANDI SLLI ADD LW, SRLI SLLI OR SLLI,
    LW_SP SW LW_SP SW, SW LW_SP SW LW_SP, SLLI SRLI SLLI SRLI, ANDI ANDI SLLI SLLI,
    SRLI SRLI SRLI SRLI, SLLI SLLI SRAI AND, SLLI SRAI AND XOR,
    LHU LHU ADDI MUL, LHU XOR ADD SH, SRLI ANDI ADD LW, ANDI ADD LW ANDI, ADD SW ADDI MV,
    OR XOR SRLI SLLI, OR ADD ADD ADD, XOR SRLI SRLI SLLI,
] }

rows! { two_before_transfer, TWO_BEFORE_TRANSFER: two_transfer(a b t) [
    ADDI ADDI BNE, ADDI ADDI BEQ, ADDI ADDI BLTU, ADDI ADDI BGEU, ADDI ADDI J, LW LW BEQ,
    LW LW BNE, LW_SP LW_SP BEQ, LW_SP LW_SP BNE, LW_SP LW_SP BLTU, LW_SP LW_SP BGEU,
    LW_SP LW_SP J, LW_SP ADDI JR, LW_SP ADDI BNE, LW_SP ADDI BLTU, MV LUI JALR, ADDI LUI JALR,
    LW_SP LUI JALR, SW SW J, SW SW JR, MV MV J, MV MV BNE, MV ADDI J, MV ADDI BNE, LW ADDI BNE,
    LW ADDI BEQ, LW MV BNE, SW ADDI BNE, SW ADDI BLTU, SB ADDI BNE, LBU ADDI BNE, LBU ADDI BEQ,
    ANDI ADDI BNE, ANDI ADD BGEU, ADDI ANDI BNE, ADDI ANDI BEQ, ADDI ANDI BGEU, XOR XOR BNE,
    XOR ADDI BNE, ADDI XOR BNE, ADD ADDI BNE, SH ADDI BNE, SRLI XOR J, LUI ADDI BNE,
    LUI ADDI J, MV LW BGEU, SLTU OR BNE, LW SLTU BEQ, ADDI MV BNE, ADDI MV BLTU, SRLI ADDI BNE,
    ADDI SRLI BNE, ADD LBU BNE, XOR XOR J,
    SLLI MV JAL, LW MV BGEU,
] }

rows! { quintuple, QUINTUPLES: five(a b c d e) [
    LH LH ADDI ADDI MUL, SRLI SLLI OR SRLI SLLI, SLLI SRLI OR SLLI SRLI, LHU LHU ADDI MUL ADD,
    XOR SRLI SLLI OR XOR, MV MV MV MV MV,
] }

rows! { sextuple, SEXTUPLES: six(a b c d e f) [
    LHU LHU ADDI MUL ADD ADDI, XOR SRLI SRLI SLLI SRAI AND, MV MV MV MV MV MV,
    ANDI ADD LW ANDI ADD LW, SRLI SLLI OR SRLI SLLI OR, SLLI SRLI OR SLLI SRLI OR,
    LW_SP LW_SP LW_SP LW_SP LW_SP LW_SP, SW_SP SW_SP SW_SP SW_SP SW_SP SW_SP,
] }

rows! { three_before_transfer, THREE_BEFORE_TRANSFER: three_transfer(a b c t) [
    LW SW MV BNE, ADDI ADD SW BNE, SLTU SLTU AND BEQ, ADD SW ADDI BNE, ADD SH MV BNE,
    LW_SP LW_SP ADDI JR, XOR ADDI ADDI BNE,
] }

rows! { four_before_transfer, FOUR_BEFORE_TRANSFER: four_transfer(a b c d t) [
    MV LW SW MV BNE, MUL ADD SW ADDI BNE, XOR ADD SH MV BNE,
] }

/// Gives every slot its function, so that straight code takes the fewest steps.
pub(crate) fn fuse(code: &mut [Slot]) {
    // Steps from the next slots to the end of the straight code, and the kinds of those slots.
    let mut steps = [0_u32; 6];
    let mut kinds = [Op::Illegal as Kind; 5];
    for slot in code.iter_mut().rev() {
        let a = kind_of(&slot.instruction);
        let [b, c, d, e, f] = kinds;
        let [after_1, after_2, after_3, after_4, after_5, after_6] = steps;
        let is_transfer = matches!(a, JAL | JALR | BEQ | BNE | BLT | BGE | BLTU | BGEU | J | JR);
        let (mut handler, mut best) =
            (alone(a).unwrap_or(leave), if is_transfer { 1 } else { after_1.saturating_add(1) });
        let forms = [
            (before_transfer(a, b), 0),
            (two_before_transfer(a, b, c), 0),
            (three_before_transfer(a, b, c, d), 0),
            (four_before_transfer(a, b, c, d, e), 0),
            (pair(a, b), after_2),
            (triple(a, b, c), after_3),
            (quadruple(a, b, c, d), after_4),
            (quintuple(a, b, c, d, e), after_5),
            (sextuple(a, b, c, d, e, f), after_6),
        ];
        for (form, rest) in forms {
            // Of two ways with as many steps the one that does more at once.
            if let Some(form) = form.filter(|_| rest < best) {
                (handler, best) = (form, rest.saturating_add(1));
            }
        }
        slot.handler = handler;
        steps = [best, after_1, after_2, after_3, after_4, after_5];
        kinds = [a, b, c, d, e];
    }
}
