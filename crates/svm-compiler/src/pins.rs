//! Which registers of the guest stand in registers of the host wherever blocks meet.
//!
//! One choice, the base, holds for the whole text; wherever code is entered from outside or by an
//! indirect jump, registers stand by it. A loop that calls nobody may have a choice of its own, made
//! from that of the loop around it; who jumps in or out moves what differs.

use portcullis_svm::compiled::{Op, ScannedPart};

use crate::allocation::registers;
use crate::assembler::{Host, R8, R9, R10, R11, R12, R13, RBX, RDI, RSI};
use crate::plan::{CHUNK, Plan};
use crate::shape::{ends_block, is_branch, is_compiled, reads, writes};

/// Registers of the host that can hold a register of the guest across blocks. RAX, RCX and RDX are
/// left to what a block computes.
const HOSTS: [Host; 9] = [RBX, RSI, RDI, R8, R9, R10, R11, R12, R13];
/// Registers of the host that are left to blocks.
const TEMPORARY: usize = 3;
/// Loops inside loops that still count when registers are weighed; each level weighs 8 times.
const DEPTH_MAX: i32 = 4;
/// What it costs to have another register than the loop around.
const EXCHANGE: u64 = 2;
/// Instructions that are looked at for loops of one part of the text, each as often as there are
/// loops around it: hostile text could have very many.
const WEIGHED_MAX: usize = 16 * CHUNK;
/// Loops of one part of the text that may have a choice of their own.
const LOOPS_MAX: usize = 250;

/// One choice: for each register of the guest the number of the host's, or [`NO_PIN`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Pins([u8; 32]);

/// No register of the host.
const NO_PIN: u8 = u8::MAX;

impl Default for Pins {
    fn default() -> Self {
        Self([NO_PIN; 32])
    }
}

impl Pins {
    /// The register of the host that holds a register of the guest.
    pub(crate) fn get(&self, register: u8) -> Option<Host> {
        let host = self.0.get(usize::from(register)).copied()?;
        (host != NO_PIN).then_some(Host(host))
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, Host)> + '_ {
        (0..32).filter_map(|register| Some((register, self.get(register)?)))
    }

    /// The registers of the guest that are pinned, as bits.
    pub(crate) fn registers(&self) -> u32 {
        self.iter().fold(0, |bits, (register, _)| bits | 1 << register)
    }

    fn set(&mut self, register: u8, host: Option<Host>) {
        if let Some(place) = self.0.get_mut(usize::from(register)) {
            *place = host.map_or(NO_PIN, |host| host.0);
        }
    }

    /// The choice for the whole text.
    pub(crate) fn base(text: &ScannedPart, plan: &Plan) -> Self {
        Self::default().adapted(&Weights::of(text, plan, 0, text.text_len()))
    }

    /// The choice for a loop inside.
    fn adapted(&self, weights: &Weights) -> Self {
        let mut pins = self.clone();
        // Where registers are scarce, what a block makes for itself alone is no pin.
        let is_scarce = weights.named.count_ones() as usize > HOSTS.len() + TEMPORARY;
        let is_worth = |register: u8| {
            weights.get(register) != 0 && (!is_scarce || weights.exposed & 1 << register != 0)
        };
        for register in (1..32).filter(|register| is_scarce && !is_worth(*register)) {
            pins.set(register, None);
        }
        for register in weights.order() {
            let weight = weights.get(register);
            if pins.get(register).is_some() || !is_worth(register) {
                continue;
            }
            let used = |host: &Host| pins.iter().any(|(_, other)| other == *host);
            if let Some(free) = HOSTS.into_iter().find(|host| !used(host)) {
                pins.set(register, Some(free));
                continue;
            }
            let least = pins.iter().min_by_key(|(other, _)| weights.get(*other));
            let Some((other, host)) = least else { continue };
            if weight > weights.get(other) + EXCHANGE * weights.unit {
                pins.set(other, None);
                pins.set(register, Some(host));
            }
        }
        pins
    }
}

/// What it is worth that a register stands in a register of the host.
struct Weights {
    each: [u64; 32],
    /// Registers that are named at all.
    named: u32,
    /// Registers that some block reads before it writes them, but for those that none writes and
    /// none reads twice: memory is good enough for them.
    exposed: u32,
    /// What one store in the outermost loop weighs.
    unit: u64,
}

impl Weights {
    fn of(text: &ScannedPart, plan: &Plan, first: usize, end: usize) -> Self {
        let mut each = [0_u64; 32];
        let outside = plan.depth(first).saturating_sub(1);
        let mut add = |register: u8, weight: u64| {
            if let Some(each) = each.get_mut(usize::from(register)) {
                *each += weight;
            }
        };
        // What a block reads before it writes, and what it writes.
        let (mut read, mut written) = (0_u32, 0_u32);
        let mut again = 0_u32;
        let (mut named, mut exposed, mut changed) = (0_u32, 0_u32, 0_u32);
        for index in first..end {
            let Some(instruction) = text.get(index) else { break };
            for register in reads(&instruction) {
                again |= read & 1 << register;
                read |= 1 << register & !written;
            }
            if let Some(register) = writes(&instruction) {
                written |= 1 << register;
            }
            if index + 1 == end || plan.is_join(index + 1) || ends_block(instruction.op) {
                let depth = (plan.depth(index) - outside).clamp(0, DEPTH_MAX);
                let weight = 1_u64 << (3 * depth);
                // What is both, the next round waits for.
                for (mask, worth) in
                    [(read & written, 6), (read & !written, 2), (written & !read, 1)]
                {
                    for register in registers(mask) {
                        add(register, worth * weight);
                    }
                }
                named |= read | written;
                exposed |= read;
                changed |= written | again;
                (read, written, again) = (0, 0, 0);
            }
        }
        let depth = (plan.depth(first) - outside).clamp(0, DEPTH_MAX);
        Self { each, named, exposed: exposed & changed, unit: 1 << (3 * depth) }
    }

    fn get(&self, register: u8) -> u64 {
        self.each.get(usize::from(register)).copied().unwrap_or(0)
    }

    fn order(&self) -> [u8; 31] {
        let mut order: [u8; 31] = core::array::from_fn(|n| n as u8 + 1);
        order.sort_by_key(|register| core::cmp::Reverse(self.get(*register)));
        order
    }
}

/// The number of the base among the choices.
pub(crate) const BASE: u8 = 0;

/// The choices of one part of the text.
#[derive(Debug)]
pub(crate) struct Regions {
    first: usize,
    /// The first is the base.
    choices: Vec<Pins>,
    /// From which instruction on which one holds, counted from `first`. Before all: the base.
    runs: Vec<(u32, u8)>,
}

impl Regions {
    /// The base for all instructions.
    pub(crate) fn base(plan: &Plan, first: usize) -> Self {
        Self { first, choices: vec![plan.pins().clone()], runs: Vec::new() }
    }

    /// Choices for the loops of `first..end`.
    pub(crate) fn new(text: &ScannedPart, plan: &Plan, (first, end): (usize, usize)) -> Self {
        let mut regions = Self::base(plan, first);
        let mut holds = vec![0_u8; end - first];
        let mut left = WEIGHED_MAX;
        for (head, last) in loops(text, (first, end)) {
            left = left.saturating_sub(last + 1 - head);
            if left == 0 {
                break;
            }
            let within = head - first..last + 1 - first;
            let Some(held) = holds.get_mut(within) else { continue };
            let Some(around) = held.first().copied() else { continue };
            let is_nested = held.iter().all(|choice| *choice == around);
            if !is_nested || regions.choices.len() > LOOPS_MAX {
                continue;
            }
            let Some(outer) = regions.choices.get(usize::from(around)) else { continue };
            let pins = outer.adapted(&Weights::of(text, plan, head, last + 1));
            if pins == *outer {
                continue;
            }
            let choice = regions.choices.len() as u8;
            regions.choices.push(pins);
            held.fill(choice);
        }
        let mut before = BASE;
        for (at, choice) in (0..).zip(holds) {
            if choice != before {
                regions.runs.push((at, choice));
                before = choice;
            }
        }
        regions.runs.shrink_to_fit();
        regions.choices.shrink_to_fit();
        regions
    }

    /// The number of the choice that holds at an instruction.
    pub(crate) fn at(&self, index: usize) -> u8 {
        let Some(at) = index.checked_sub(self.first) else { return BASE };
        let run = self.runs.partition_point(|(begins, _)| *begins as usize <= at).checked_sub(1);
        run.and_then(|run| self.runs.get(run)).map_or(BASE, |(_, choice)| *choice)
    }

    /// Octets that they take.
    pub(crate) fn octets(&self) -> usize {
        size_of_val(self.choices.as_slice()) + size_of_val(self.runs.as_slice())
    }

    /// A choice by its number.
    pub(crate) fn pins(&self, choice: u8) -> Option<&Pins> {
        self.choices.get(usize::from(choice))
    }
}

/// Loops from which nobody is called, the outer before the inner.
fn loops(text: &ScannedPart, (first, end): (usize, usize)) -> Vec<(usize, usize)> {
    let mut loops = Vec::new();
    // How many instructions before each one lead out of compiled code's sight.
    let mut calls = Vec::with_capacity(end - first + 1);
    let mut count = 0_u32;
    for index in first..end {
        calls.push(count);
        let Some(instruction) = text.get(index) else { break };
        let links = writes(&instruction).is_some();
        let is_jump = is_branch(instruction.op) || instruction.op == Op::Jal && !links;
        if ends_block(instruction.op) && !is_jump || !is_compiled(instruction.op) {
            count += 1;
        }
        let target = instruction.imm as usize;
        if is_jump && (first..=index).contains(&target) {
            loops.push((target, index));
        }
    }
    calls.push(count);
    // Of loops with the same head the longest.
    loops.sort_by_key(|(head, last)| (*head, core::cmp::Reverse(*last)));
    loops.dedup_by_key(|(head, _)| *head);
    let calls_before = |index: usize| calls.get(index - first).copied().unwrap_or(u32::MAX);
    loops.retain(|(head, last)| calls_before(*head) == calls_before(last + 1));
    loops
}
