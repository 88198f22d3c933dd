//! Which function each slot gets: the forms that exist, and the choice of the shortest way.

use super::Slot;
use super::handlers::{
    Handler, Kind, kind, kind_of, leave, one, one_transfer, three, transfer, two,
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

macro_rules! triples {
    ($of:expr, [$($a:ident $b:ident $c:ident,)*]) => {
        match $of {
            $(($a, $b, $c) => Some(three::<$a, $b, $c> as Handler),)*
            _ => None,
        }
    };
}

fn alone(a: Kind) -> Option<Handler> {
    singles!(
        one,
        a,
        [LUI ADDI SLTI SLTIU XORI ORI ANDI SLLI SRLI SRAI ADD SUB SLL SLT SLTU XOR SRL SRA OR AND
         MUL MULH MULHSU MULHU DIV DIVU REM REMU LB LBU LH LHU LW SB SH SW FENCE LW_SP SW_SP MV]
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
        [ADDI ADD SUB XOR OR AND ANDI SLLI SRLI LUI LW LW_SP SW SW_SP LBU LHU SB MV],
        [BEQ BNE BLT BGE BLTU BGEU J JR JAL JALR]
    )
}

fn triple(a: Kind, b: Kind, c: Kind) -> Option<Handler> {
    triples!((a, b, c), [
        SLLI SRLI OR,
        SRLI SLLI OR,
        SLLI ADD LW,
    ])
}

/// Gives every slot its function, so that straight code takes the fewest steps.
pub(crate) fn fuse(code: &mut [Slot]) {
    // Steps from the slots one, two and three behind this one to the end of the straight code,
    // and their kinds.
    let mut steps = [0_u32; 3];
    let mut kinds = [Op::Illegal as Kind; 2];
    for slot in code.iter_mut().rev() {
        let a = kind_of(&slot.instruction);
        let [b, c] = kinds;
        let is_transfer = matches!(a, JAL | JALR | BEQ | BNE | BLT | BGE | BLTU | BGEU | J | JR);
        let (mut handler, mut best) =
            (alone(a).unwrap_or(leave), if is_transfer { 1 } else { steps[0].saturating_add(1) });
        let fused =
            [(before_transfer(a, b), 0), (pair(a, b), steps[1]), (triple(a, b, c), steps[2])];
        for (form, rest) in fused {
            // Of two ways with as many steps the one that does more at once.
            if let Some(form) = form.filter(|_| rest < best) {
                (handler, best) = (form, rest.saturating_add(1));
            }
        }
        slot.handler = handler;
        steps = [best, steps[0], steps[1]];
        kinds = [a, b];
    }
}
