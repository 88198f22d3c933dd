//! Ways from one place to another where registers stand otherwise, and the ways out.

use crate::allocation::slot;
use crate::assembler::{Alu, Label, Place, R14, RAX, Store};
use crate::entry::jump_by_table;
use crate::pins::BASE;

use super::Translation;

/// Code that is seldom reached.
pub(super) enum Aside {
    /// Stop before `pc` and pay `refund` back.
    Leave { label: Label, pc: usize, refund: i32, exit: u32, choice: u8 },
    /// On to an instruction that is compiled elsewhere.
    Elsewhere { label: Label, pc: usize, choice: u8 },
    /// On to an instruction of this code with another choice of pins.
    Edge { label: Label, pc: usize, choice: u8 },
    /// From outside to an instruction of this code whose pins are not the base.
    Entry { pc: usize },
}

impl Translation<'_> {
    /// Emits what was set aside.
    pub(super) fn asides(&mut self) -> Option<()> {
        for aside in core::mem::take(&mut self.aside) {
            match aside {
                Aside::Leave { label, pc, refund, exit, choice } => {
                    self.code.bind(label);
                    self.leave(pc, refund, exit, choice, 0)?;
                }
                Aside::Elsewhere { label, pc, choice } => {
                    self.code.bind(label);
                    self.elsewhere(pc, choice)?;
                }
                Aside::Edge { label, pc, choice } => {
                    self.code.bind(label);
                    self.exchange(choice, self.regions.at(pc))?;
                    let target = self.label(pc)?;
                    self.code.jump(target);
                }
                Aside::Entry { pc } => {
                    self.entries.push((pc, self.code.here()));
                    self.exchange(BASE, self.regions.at(pc))?;
                    let target = self.label(pc)?;
                    self.code.jump(target);
                }
            }
        }
        Some(())
    }

    /// Lets a row be entered from outside. Of those with pins of their own only the heads of loops:
    /// there compiled code stops when the budget is nearly spent.
    pub(super) fn entry(&mut self, index: usize) {
        if self.choice == BASE {
            self.entries.push((index, self.code.here()));
        } else if self.plan.is_loop_head(index) {
            self.aside.push(Aside::Entry { pc: index });
        }
    }

    /// Moves registers from where one choice has them to where another has them. Flags stay.
    pub(super) fn exchange(&mut self, from: u8, to: u8) -> Option<()> {
        if from == to {
            return Some(());
        }
        let (from, to) = (self.pins(from)?, self.pins(to)?);
        for (register, host) in from.iter().filter(|(register, h)| to.get(*register) != Some(*h)) {
            self.code.store(Store::Word, slot(register), host);
        }
        for (register, host) in to.iter().filter(|(register, h)| from.get(*register) != Some(*h)) {
            self.code.mov(host, slot(register));
        }
        Some(())
    }

    /// Stops before `pc` and says why. All slots without a pin are up to date.
    pub(super) fn leave(
        &mut self,
        pc: usize,
        refund: i32,
        exit: u32,
        choice: u8,
        why: u64,
    ) -> Option<()> {
        if refund != 0 {
            self.code.alu_constant64(Alu::Add, R14, refund);
        }
        self.exchange(choice, BASE)?;
        match why {
            0 => self.code.set(Place::Register(RAX), pc as u32),
            why => self.code.set64(RAX, why | pc as u64),
        }
        self.code.jump_far(i64::from(exit) - i64::from(self.origin));
        Some(())
    }

    /// On to an instruction outside this code.
    pub(super) fn elsewhere(&mut self, pc: usize, choice: u8) -> Option<()> {
        if pc >= self.text.text_len() {
            // Behind the text: the interpreter says what that means.
            return self.leave(pc, 0, self.exits.stop, choice, 0);
        }
        self.exchange(choice, BASE)?;
        self.code.set(Place::Register(RAX), pc as u32);
        jump_by_table(&mut self.code, self.exits.table);
        Some(())
    }

    fn label(&self, pc: usize) -> Option<Label> {
        pc.checked_sub(self.first).and_then(|at| self.labels.get(at)).copied()
    }

    /// The label of an instruction that jumps lead to, or of a way to it.
    pub(super) fn way(&mut self, pc: usize) -> Label {
        let choice = self.choice;
        let here = self.label(pc);
        if let Some(label) = here.filter(|_| self.regions.at(pc) == choice) {
            return label;
        }
        let label = self.code.label();
        self.aside.push(match here {
            Some(_) => Aside::Edge { label, pc, choice },
            None => Aside::Elsewhere { label, pc, choice },
        });
        label
    }
}
