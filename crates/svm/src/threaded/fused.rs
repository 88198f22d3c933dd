//! Which function each slot gets: the rows that exist, and the choice of the shortest way.

use core::sync::atomic::Ordering;

use super::Slot;
use super::kind::{Kind, NONE, ROW_MAX, operation_of};
use super::onward::{Next, go};
use super::rows::{FIRST, LEAVE, ROWS, TRAP};
use super::wires::{Stretch, Wired};
use crate::decode::Op;
use crate::engine::{Machine, Run};

/// A tree of all rows. A node is a row that begins others or is one; node 0 is the empty row.
struct Tree {
    /// From a node and a kind to a node, by hash of the node and the kind's operation.
    edges: [Edge; EDGES],
    /// The number of the function of the row that a node is; 0 where it is none.
    functions: [u16; NODES],
}

#[derive(Clone, Copy)]
struct Edge {
    from: u16,
    to: u16,
    kind: Kind,
}

const EDGES: usize = 1 << 15;
const NODES: usize = 1 << 14;

const fn place(from: u16, operation: u32) -> usize {
    let mixed = (operation ^ (from as u32) << 8).wrapping_mul(0x9E37_79B1);
    (mixed >> 17) as usize % EDGES
}

static TREE: Tree = {
    let nothing = Edge { from: 0, to: 0, kind: NONE };
    let mut tree = Tree { edges: [nothing; EDGES], functions: [0; NODES] };
    let mut nodes = 1_u16;
    let mut number = 0;
    while number < ROWS.len() {
        let kinds = &ROWS[number].kinds;
        let (mut node, mut at) = (Tree::ROOT, 0);
        while at < ROW_MAX && kinds[at] != NONE {
            let kind = kinds[at];
            let mut edge = place(node, operation_of(kind));
            while tree.edges[edge].to != 0
                && !(tree.edges[edge].from == node && tree.edges[edge].kind == kind)
            {
                edge = (edge + 1) % EDGES;
            }
            if tree.edges[edge].to == 0 {
                tree.edges[edge] = Edge { from: node, to: nodes, kind };
                nodes += 1;
            }
            node = tree.edges[edge].to;
            at += 1;
        }
        tree.functions[node as usize] = FIRST + number as u16;
        number += 1;
    }
    tree
};

impl Tree {
    const ROOT: u16 = 0;

    /// The edges from a node with this operation.
    fn edges(&self, from: u16, operation: u32) -> impl Iterator<Item = &Edge> {
        let (behind, first) = self.edges.split_at(place(from, operation));
        let run = first.iter().chain(behind).take_while(|edge| edge.to != 0);
        run.filter(move |edge| edge.from == from && operation_of(edge.kind) == operation)
    }

    fn function(&self, node: u16) -> Option<u16> {
        self.functions.get(usize::from(node)).copied().filter(|number| *number != 0)
    }
}

/// The first slot of `here` is reached for the first time.
#[cold]
#[inline(never)]
pub(super) fn choose<'a>(
    machine: &mut Machine,
    here: &'a [Slot],
    acc: u64,
    run: &mut Run<'a>,
) -> Next {
    fuse(here, run.code.len() - here.len());
    go(machine, here, acc, run)
}

/// Gives every slot of the straight code that begins here its function, so that it costs least.
/// The first slot has this index.
// Not inlined: `choose` calls the handler in tail position, and can only with no frame of its own.
#[inline(never)]
pub(super) fn fuse(here: &[Slot], index: usize) {
    let wires = Stretch::of(here, index);
    // What it costs from each of the next slots to the end of the straight code.
    let mut costs = [0; ROW_MAX];
    for (at, slot) in here.iter().enumerate().take(wires.len()).rev() {
        let mut search = Search { wires: wires.from(at), costs: &costs, found: (LEAVE, NOT_FOUND) };
        search.visit(Tree::ROOT, Walked::NOTHING);
        let (function, cost) = match search.found {
            (_, NOT_FOUND) => (without_row(slot), STEP * Walked::ALWAYS),
            found => found,
        };
        slot.function.store(function, Ordering::Relaxed);
        costs.rotate_right(1);
        costs[0] = cost;
    }
}

/// The function of an instruction that is in no row.
fn without_row(slot: &Slot) -> u16 {
    if slot.instruction.op == Op::Trap { TRAP } else { LEAVE }
}

/// The most that straight code is said to cost.
const COST_MAX: u32 = 1 << 20;
/// Nothing costs so much.
const NOT_FOUND: u32 = u32::MAX;

/// The search for the function of one slot, among all rows that fit.
struct Search<'a> {
    wires: &'a [Wired],
    /// From each of the next slots to the end of the straight code.
    costs: &'a [u32; ROW_MAX],
    /// The function, and what it costs from here to the end of the straight code.
    found: (u16, u32),
}

impl Search<'_> {
    /// Tries all rows that begin with what was walked, which is this node of the tree.
    fn visit(&mut self, node: u16, walked: Walked) {
        let at = walked.count;
        let (Some(wire), Some(behind)) = (self.wires.get(at), self.costs.get(at)) else { return };
        for operation in wire.operations() {
            for edge in TREE.edges(node, operation) {
                let Some(walked) = walked.on(wire, edge.kind) else { continue };
                let all = walked.with(*behind);
                // Of two ways that cost as much the one that does more at once.
                if let Some(row) = TREE.function(edge.to).filter(|_| all <= self.found.1) {
                    self.found = (row, all);
                }
                if !wire.leads_back() {
                    self.visit(edge.to, walked);
                }
            }
        }
    }
}

/// What a row that was walked so far costs, and whether it can go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walked {
    count: usize,
    cost: u32,
    /// How likely it is that the next instruction is reached.
    likely: u32,
    /// Those whose results later ones read from their registers, one bit for each.
    read: u16,
}

impl Walked {
    const ALWAYS: u32 = 256;
    pub(super) const NOTHING: Self =
        Self { count: 0, cost: STEP * Self::ALWAYS, likely: Self::ALWAYS, read: 0 };

    /// With one instruction more, if it can be of this kind here.
    pub(super) fn on(self, wire: &Wired, kind: Kind) -> Option<Self> {
        let read = wire.fits(kind, self.count, self.read)?;
        Some(Self {
            count: self.count + 1,
            cost: self.cost + self.likely * wire.cost(kind, self.count),
            likely: self.likely * wire.stays() / 8,
            read,
        })
    }

    /// What it costs with what is behind it.
    pub(super) const fn with(self, behind: u32) -> u32 {
        let cost = self.cost + self.likely * (behind / Self::ALWAYS);
        if cost < COST_MAX { cost } else { COST_MAX }
    }
}

/// What a step costs beside what is done in it, as [`Wired::cost`] counts.
pub(super) const STEP: u32 = 20;
