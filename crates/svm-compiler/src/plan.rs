//! What is known of a text before any of it is compiled: where blocks begin and which of them are
//! loops.
//!
//! A block is entered at its first instruction only and left behind its last. Every way that goes
//! round passes the head of a loop or a JALR, and those two look at the budget; so between two
//! looks no more instructions retire than the text has.

use portcullis_svm::compiled::{Op, ScannedPart};

use crate::pins::Pins;
use crate::shape::{ends_block, is_branch, is_compiled, writes};

/// Instructions that are compiled at once.
pub(crate) const CHUNK: usize = 4096;
/// A loop is not longer than this; a longer way back is not weighed as one.
const LOOP_MAX: usize = 4096;

/// The plan of one text.
#[derive(Debug)]
pub(crate) struct Plan {
    /// For each instruction the bits below, and from [`DEPTH`] on how many loops are around it.
    marks: Vec<u8>,
    pins: Pins,
}

/// A block begins here, and pays.
const LEADER: u8 = 1;
/// A way leads back to here.
const LOOP_HEAD: u8 = 2;
/// More than one way leads to here, or one from outside: what stands in registers of the host is
/// agreed. Other blocks are only entered from the one before.
const JOIN: u8 = 4;
/// Where the number of loops begins.
const DEPTH: u32 = 3;
/// The most loops that are counted; deeper is as deep.
const DEPTH_MAX: i32 = 31;

impl Plan {
    pub(crate) fn new(text: &ScannedPart) -> Self {
        let mut marks = vec![0; text.text_len()];
        let mut mark = |index: usize, bits| {
            if let Some(mark) = marks.get_mut(index) {
                *mark |= bits;
            }
        };
        let mut changes = vec![0_i32; text.text_len() + 1];
        for index in 0..text.text_len() {
            let Some(instruction) = text.get(index) else { break };
            if index % CHUNK == 0 {
                mark(index, LEADER | JOIN);
            }
            if !ends_block(instruction.op) {
                continue;
            }
            mark(index + 1, if is_branch(instruction.op) { LEADER } else { LEADER | JOIN });
            if !is_compiled(instruction.op) {
                mark(index, LEADER | JOIN);
            }
            if is_branch(instruction.op) || instruction.op == Op::Jal {
                let target = instruction.imm as usize;
                mark(target, LEADER | JOIN);
                if target <= index {
                    mark(target, LOOP_HEAD);
                    let is_call = instruction.op == Op::Jal && writes(&instruction).is_some();
                    if !is_call && index - target < LOOP_MAX {
                        bump(&mut changes, target, 1);
                        bump(&mut changes, index + 1, -1);
                    }
                }
            }
        }
        let mut depth = 0;
        for (mark, change) in marks.iter_mut().zip(changes) {
            depth += change;
            *mark |= (depth.clamp(0, DEPTH_MAX) as u8) << DEPTH;
        }
        let mut plan = Self { marks, pins: Pins::default() };
        plan.pins = Pins::base(text, &plan);
        plan
    }

    fn is(&self, index: usize, mark: u8) -> bool {
        self.marks.get(index).is_some_and(|marks| marks & mark != 0)
    }

    /// Does a block begin here?
    pub(crate) fn is_leader(&self, index: usize) -> bool {
        self.is(index, LEADER)
    }

    /// Does a way lead back to here?
    pub(crate) fn is_loop_head(&self, index: usize) -> bool {
        self.is(index, LOOP_HEAD)
    }

    /// Can a block be entered here otherwise than from the one before?
    pub(crate) fn is_join(&self, index: usize) -> bool {
        self.is(index, JOIN)
    }

    /// How many loops are around an instruction.
    pub(crate) fn depth(&self, index: usize) -> i32 {
        self.marks.get(index).map_or(0, |mark| mark >> DEPTH).into()
    }

    /// Instructions from here to the end of the block.
    pub(crate) fn rest_of_block(&self, index: usize) -> usize {
        self.until(index, LEADER)
    }

    /// Instructions from here to the next one that is entered otherwise than from the one before.
    pub(crate) fn until_join(&self, index: usize) -> usize {
        self.until(index, JOIN)
    }

    fn until(&self, index: usize, mark: u8) -> usize {
        let behind = self.marks.get(index + 1..).unwrap_or_default();
        1 + behind.iter().take_while(|marks| **marks & mark == 0).count()
    }

    /// Octets that it takes.
    pub(crate) fn octets(&self) -> usize {
        self.marks.capacity() + size_of::<Self>()
    }

    /// Where registers stand wherever code is entered from outside.
    pub(crate) fn pins(&self) -> &Pins {
        &self.pins
    }
}

fn bump(changes: &mut [i32], at: usize, by: i32) {
    if let Some(change) = changes.get_mut(at) {
        *change += by;
    }
}
