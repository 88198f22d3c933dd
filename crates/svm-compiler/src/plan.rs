//! What is known of a text before any of it is compiled: where blocks begin, which of them are
//! loops, and which registers are worth a register of the host.
//!
//! A block is entered at its first instruction only and left behind its last. Every way that goes
//! round passes the head of a loop or a JALR, and those two look at the budget; so between two
//! looks no more instructions retire than the text has.

use portcullis_svm::compiled::{Op, SINK, ScannedText};

use crate::assembler::{Host, R8, R9, R10, R11, R12, R13, RBX, RDI, RDX, RSI};

/// Instructions that are compiled at once.
pub(crate) const CHUNK: usize = 4096;
/// Registers of the host that hold registers of the guest.
const PINS: [Host; 10] = [RBX, RSI, RDI, RDX, R8, R9, R10, R11, R12, R13];
/// Loops inside loops that still count when registers are weighed; each level weighs 8 times.
const DEPTH_MAX: i32 = 4;
/// A loop is not longer than this; a longer way back is not weighed as one.
const LOOP_MAX: usize = 4096;

/// The plan of one text.
#[derive(Debug)]
pub(crate) struct Plan {
    marks: Vec<u8>,
    pins: [Option<Host>; 32],
}

const LEADER: u8 = 1;
const LOOP_HEAD: u8 = 2;

/// Whether control may go elsewhere than to the next instruction, or compiled code stops here.
pub(crate) fn ends_block(op: Op) -> bool {
    is_branch(op) || matches!(op, Op::Jal | Op::Jalr) || !is_compiled(op)
}

/// A conditional branch?
pub(crate) fn is_branch(op: Op) -> bool {
    matches!(op, Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu)
}

/// Whether the translation knows it. All else is left to the interpreter.
#[rustfmt::skip]
pub(crate) fn is_compiled(op: Op) -> bool {
    matches!(op, Op::Lui | Op::Auipc | Op::Jal | Op::Jalr
        | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu
        | Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu | Op::Sb | Op::Sh | Op::Sw
        | Op::Addi | Op::Slti | Op::Sltiu | Op::Xori | Op::Ori | Op::Andi
        | Op::Slli | Op::Srli | Op::Srai
        | Op::Add | Op::Sub | Op::Sll | Op::Slt | Op::Sltu | Op::Xor | Op::Srl | Op::Sra
        | Op::Or | Op::And
        | Op::Mul | Op::Mulh | Op::Mulhsu | Op::Mulhu | Op::Div | Op::Divu | Op::Rem | Op::Remu
        | Op::Sh1add | Op::Sh2add | Op::Sh3add | Op::Andn | Op::Orn | Op::Xnor
        | Op::Rol | Op::Ror | Op::Rori | Op::Rev8 | Op::SextB | Op::SextH
        | Op::Max | Op::Maxu | Op::Min | Op::Minu
        | Op::Fence)
}

impl Plan {
    pub(crate) fn new(text: ScannedText<'_>) -> Self {
        let mut marks = vec![0; text.len()];
        let mut mark = |index: usize, bits| {
            if let Some(mark) = marks.get_mut(index) {
                *mark |= bits;
            }
        };
        let mut depth = vec![0_i32; text.len() + 1];
        for index in 0..text.len() {
            let Some(instruction) = text.get(index) else { break };
            if index % CHUNK == 0 {
                mark(index, LEADER);
            }
            if !ends_block(instruction.op) {
                continue;
            }
            mark(index + 1, LEADER);
            if !is_compiled(instruction.op) {
                mark(index, LEADER);
            }
            if is_branch(instruction.op) || instruction.op == Op::Jal {
                let target = instruction.imm as usize;
                mark(target, LEADER);
                if target <= index {
                    mark(target, LOOP_HEAD);
                    let is_call = instruction.op == Op::Jal && instruction.rd != SINK;
                    if !is_call && index - target < LOOP_MAX {
                        bump(&mut depth, target, 1);
                        bump(&mut depth, index + 1, -1);
                    }
                }
            }
        }
        let pins = pins(text, &depth);
        Self { marks, pins }
    }

    /// Does a block begin here?
    pub(crate) fn is_leader(&self, index: usize) -> bool {
        self.marks.get(index).is_some_and(|mark| mark & LEADER != 0)
    }

    /// Does a way lead back to here?
    pub(crate) fn is_loop_head(&self, index: usize) -> bool {
        self.marks.get(index).is_some_and(|mark| mark & LOOP_HEAD != 0)
    }

    /// Instructions from here to the end of the block.
    pub(crate) fn rest_of_block(&self, index: usize) -> usize {
        let behind = self.marks.get(index + 1..).unwrap_or_default();
        1 + behind.iter().take_while(|mark| **mark & LEADER == 0).count()
    }

    /// The register of the host that holds a register of the guest.
    pub(crate) fn pin(&self, register: u8) -> Option<Host> {
        self.pins.get(usize::from(register)).copied().flatten()
    }

    /// All of them.
    pub(crate) fn pins(&self) -> impl Iterator<Item = (u8, Host)> + '_ {
        (0..).zip(&self.pins).filter_map(|(register, host)| Some((register, (*host)?)))
    }
}

fn bump(depth: &mut [i32], at: usize, by: i32) {
    if let Some(depth) = depth.get_mut(at) {
        *depth += by;
    }
}

/// The registers that are named most, loops weighing more.
fn pins(text: ScannedText<'_>, changes: &[i32]) -> [Option<Host>; 32] {
    let mut weight = [0_u64; 256];
    let mut depth = 0;
    for (index, change) in changes.iter().enumerate() {
        depth += change;
        let Some(instruction) = text.get(index) else { break };
        let each = 1_u64 << (3 * depth.clamp(0, DEPTH_MAX));
        for register in [instruction.rd, instruction.rs1, instruction.rs2] {
            if let Some(weight) = weight.get_mut(usize::from(register)) {
                *weight += each;
            }
        }
    }
    let mut order: [u8; 31] = core::array::from_fn(|n| n as u8 + 1);
    order.sort_by_key(|register| {
        core::cmp::Reverse(weight.get(usize::from(*register)).copied().unwrap_or(0))
    });
    let mut pins = [None; 32];
    for (register, host) in order.into_iter().zip(PINS) {
        if let Some(pin) = pins.get_mut(usize::from(register)) {
            *pin = Some(host);
        }
    }
    pins
}
