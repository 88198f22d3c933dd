//! From decoded instructions to instructions of the host, in one pass.
//!
//! R14 holds the budget, R15 the host's address of guest address 0, RBP that of the registers'
//! slots; where registers of the guest stand in between is what `Allocation` says. An instruction
//! that a guard page stops is translated once more to find that out ([`at_stop`]).
//!
//! A block pays for itself when it is entered. Whoever leaves it early is paid back.

mod arithmetic;
mod control;
mod edges;
mod shifts;

use portcullis_svm::compiled::{Instruction, Op, ScannedPart, ScannedText};

use crate::allocation::Allocation;
use crate::assembler::{Alu, Assembler, Condition, Label, R14};
use crate::entry::Table;
use crate::lengths::Lengths;
use crate::pins::{Pins, Regions};
use crate::plan::Plan;
use crate::shape::{is_compiled, reads, writes};
use crate::uses::{Next, Row};

use self::edges::Aside;

/// Where compiled code leaves to, counted from the start of the code memory, and what it reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exits {
    /// Stops before the instruction whose index is in EAX.
    pub(crate) stop: u32,
    /// The budget is nearly spent before the instruction whose index is in EAX.
    pub(crate) spent: u32,
    /// On to where a JALR leads, see [`crate::entry::Routines`].
    pub(crate) jump: u32,
    /// Stops before the JALR whose index is in EDX.
    pub(crate) astray: u32,
    /// The table of entries, one for each instruction of the text.
    pub(crate) table: Table,
    /// Whether the processor has BMI1 and BMI2.
    pub(crate) bmi: bool,
}

/// A part of the text, compiled.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) code: Vec<u8>,
    /// How long each instruction is in `code`.
    pub(crate) lengths: Lengths,
    /// Instructions that can be entered from outside, and where.
    pub(crate) entries: Vec<(usize, u32)>,
}

struct Translation<'a> {
    text: &'a ScannedPart,
    plan: &'a Plan,
    regions: &'a Regions,
    exits: Exits,
    /// Of this code in the code memory.
    origin: u32,
    first: usize,
    end: usize,
    code: Assembler,
    labels: Vec<Label>,
    entries: Vec<(usize, u32)>,
    /// Code that is seldom reached, behind all else.
    aside: Vec<Aside>,
    allocation: Allocation,
    row: Row,
    /// The choice of pins that holds.
    choice: u8,
    /// The instruction whose access to memory is looked for, and how registers stand there.
    watched: Option<usize>,
    seen: Option<Allocation>,
}

/// Compiles instructions `first..end`. `first` is entered like the beginning of a block; `end` is
/// one, or the end of the text.
pub(crate) fn translate(
    text: &ScannedPart,
    plan: &Plan,
    regions: &Regions,
    exits: Exits,
    origin: u32,
    (first, end): (usize, usize),
) -> Option<Compiled> {
    let mut translation = Translation::new(text, plan, regions, exits, (first, end))?;
    translation.origin = origin;
    let starts = translation.all()?;
    translation.asides()?;
    let Translation { code, mut entries, .. } = translation;
    let finished = code.finish()?;
    for (_, entry) in &mut entries {
        *entry = finished.moved(*entry);
    }
    let starts = starts.into_iter().map(|start| finished.moved(start));
    Some(Compiled { lengths: Lengths::new(starts), code: finished.code, entries })
}

/// Where registers stand when the access to memory of `pc` is made, in code that was compiled
/// from `first` on; and how many instructions were translated again for that.
pub(crate) fn at_stop(
    text: ScannedText<'_>,
    plan: &Plan,
    regions: &Regions,
    exits: Exits,
    (first, pc): (usize, usize),
) -> Option<(Allocation, usize)> {
    let begins = |index: usize| {
        index == first || plan.is_join(index) || regions.at(index) != regions.at(index - 1)
    };
    let join = (first..=pc).rev().find(|index| begins(*index))?;
    let text = &text.read(join..join + plan.until_join(join));
    let mut translation = Translation::new(text, plan, regions, exits, (join, pc + 1))?;
    translation.watched = Some(pc);
    translation.all()?;
    Some((translation.seen?, pc + 1 - join))
}

impl<'a> Translation<'a> {
    fn new(
        text: &'a ScannedPart,
        plan: &'a Plan,
        regions: &'a Regions,
        exits: Exits,
        (first, end): (usize, usize),
    ) -> Option<Self> {
        let mut code = Assembler::default();
        let labels = (first..end).map(|_| code.label()).collect();
        let choice = regions.at(first);
        Some(Self {
            text,
            plan,
            regions,
            exits,
            origin: 0,
            first,
            end,
            code,
            labels,
            entries: Vec::new(),
            aside: Vec::new(),
            allocation: Allocation::new(regions.pins(choice)?, [Next::END; 32]),
            row: Row::new(text, first, first),
            choice,
            watched: None,
            seen: None,
        })
    }

    fn all(&mut self) -> Option<Vec<u32>> {
        let mut starts = Vec::with_capacity(self.end - self.first);
        let mut falls_through = false;
        let mut skip = 0;
        for index in self.first..self.end {
            let instruction = self.text.get(index)?;
            if self.begins(index) {
                if falls_through {
                    self.allocation.flush(&mut self.code);
                    self.exchange(self.choice, self.regions.at(index))?;
                }
                self.begin(index)?;
            }
            starts.push(self.code.here());
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if index == self.first || self.plan.is_leader(index) {
                self.pay(index);
            }
            let length = self.constant(index, &instruction);
            if length == 0 {
                self.single(index, &instruction);
            }
            if self.allocation.failed {
                return None;
            }
            skip = length.saturating_sub(1);
            falls_through = match instruction.op {
                Op::Jal => instruction.imm as usize == index + 1,
                Op::Jalr => false,
                op => is_compiled(op),
            };
        }
        if falls_through {
            self.allocation.flush(&mut self.code);
            self.elsewhere(self.end, self.choice)?;
        }
        Some(starts)
    }

    /// Do registers stand by the pins before this instruction, and not as the one before left
    /// them?
    fn begins(&self, index: usize) -> bool {
        index == self.first || self.plan.is_join(index) || self.regions.at(index) != self.choice
    }

    fn begin(&mut self, index: usize) -> Option<()> {
        let choice = self.regions.at(index);
        let pins = self.regions.pins(choice)?;
        // A row reaches as far as the text lets it, whatever part is translated now: so it is the
        // same when only a part is translated again.
        let most = index + self.plan.until_join(index);
        let end = (index + 1..most).find(|at| self.regions.at(*at) != choice).unwrap_or(most);
        self.choice = choice;
        self.row = Row::new(self.text, index, end);
        self.allocation = Allocation::new(pins, self.row.top);
        let label = *self.labels.get(index - self.first)?;
        self.code.bind(label);
        self.entry(index);
        Some(())
    }

    /// A block pays, and in a loop looks whether there was enough.
    fn pay(&mut self, index: usize) {
        let Some(cost) = self.cost(index) else { return };
        self.code.alu_constant64(Alu::Sub, R14, cost);
        if self.plan.is_loop_head(index) {
            let label = self.code.label();
            // Less: what was there was less than the cost.
            self.code.jump_if(Condition::Less, label);
            let (exit, choice) = (self.exits.spent, self.choice);
            self.aside.push(Aside::Leave { label, pc: index, refund: cost, exit, choice });
        }
    }

    /// Instructions of a block that are compiled; `None` when its only one is not.
    fn cost(&self, index: usize) -> Option<i32> {
        is_compiled(self.text.get(index)?.op).then(|| self.plan.rest_of_block(index) as i32)
    }

    fn single(&mut self, index: usize, instruction: &Instruction) {
        let destination = writes(instruction);
        self.allocation.start(reads(instruction), destination, self.row.behind(index));
        self.instruction(index, instruction);
        self.allocation.finish(destination);
    }

    /// LUI or AUIPC and ADDI are one constant. Says how many instructions were translated.
    fn constant(&mut self, index: usize, first: &Instruction) -> usize {
        let second = self.text.get(index + 1).filter(|_| !self.plan.is_leader(index + 1));
        let Some(second) = second.filter(|_| index + 1 < self.end) else { return 0 };
        let is_pair = matches!(first.op, Op::Lui | Op::Auipc)
            && second.op == Op::Addi
            && writes(first) == Some(second.rs1)
            && first.rd == second.rd;
        if !is_pair {
            return 0;
        }
        let rd = second.rd;
        self.allocation.start([0, 0], Some(rd), self.row.behind(index + 1));
        self.allocation.constant(&mut self.code, rd, first.imm.wrapping_add(second.imm) as u32);
        self.allocation.finish(Some(rd));
        2
    }

    const fn address(&self, index: usize) -> u32 {
        self.text.base().wrapping_add(index as u32 * 4)
    }

    fn pins(&self, choice: u8) -> Option<&'a Pins> {
        self.regions.pins(choice)
    }
}
