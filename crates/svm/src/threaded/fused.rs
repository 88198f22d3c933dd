//! Which function each slot gets: the rows that exist, and the choice of the shortest way.

use core::sync::atomic::Ordering;

use super::Slot;
use super::kind::{Kind, NONE, ROW_MAX};
use super::onward::{Next, go};
use super::rows::{FIRST, LEAVE, ROWS, TRAP};
use super::wires::{Stretch, Wired};
use crate::decode::Op;
use crate::engine::{Machine, Run};

/// A tree of all rows. A node is a row that begins others or is one; node 0 is the empty row.
struct Tree {
    /// From a node and a kind to a node, by hash.
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

const EDGES: usize = 16384;
const NODES: usize = 8192;

const fn place(from: u16, kind: Kind) -> usize {
    let mixed = (kind ^ (from as u32) << 20 ^ (from as u32)).wrapping_mul(0x9E37_79B1);
    (mixed >> 18) as usize % EDGES
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
            let mut edge = place(node, kind);
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

    fn next(&self, from: u16, kind: Kind) -> Option<u16> {
        let mut at = place(from, kind);
        loop {
            let edge = self.edges.get(at)?;
            if edge.to == 0 {
                return None;
            }
            if edge.from == from && edge.kind == kind {
                return Some(edge.to);
            }
            at = (at + 1) % EDGES;
        }
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

/// Gives every slot of the straight code that begins here its function, so that it takes the
/// fewest steps. The first slot has this index.
pub(super) fn fuse(here: &[Slot], index: usize) {
    let wires = Stretch::of(here, index);
    // Steps from each of the next slots to the end of the straight code.
    let mut steps = [0_u32; ROW_MAX];
    for (at, slot) in here.iter().enumerate().take(wires.len()).rev() {
        let (function, best) = shortest(wires.from(at), &steps);
        slot.function.store(function, Ordering::Relaxed);
        steps.rotate_right(1);
        steps[0] = best;
    }
}

/// The function for the first of these instructions, and the steps from there to the end of the
/// straight code.
fn shortest(wires: &[Wired], steps: &[u32; ROW_MAX]) -> (u16, u32) {
    let Some(first) = wires.first() else { return (LEAVE, 0) };
    let alone = TREE.next(Tree::ROOT, first.alone()).and_then(|node| TREE.function(node));
    let without = if first.alone() == Op::Trap as u32 { TRAP } else { LEAVE };
    let mut found = (
        alone.unwrap_or(without),
        if first.is_transfer() { 1 } else { steps[0].saturating_add(1) },
    );
    let (mut exact, mut loose) = (Some(Tree::ROOT), Some(Tree::ROOT));
    let mut ended = false;
    for ((at, wire), after) in wires.iter().enumerate().zip(steps) {
        exact = exact.and_then(|node| TREE.next(node, wire.kind(at)));
        loose = loose.and_then(|node| TREE.next(node, wire.loose_kind(at)));
        if exact.is_none() && loose.is_none() {
            break;
        }
        // Behind a transfer, which may be taken, nobody knows.
        ended |= wire.is_transfer();
        let rest = if ended { 1 } else { after.saturating_add(1) };
        for node in [loose, exact].into_iter().flatten() {
            // Of two ways with as many steps the one that does more at once.
            if let Some(row) = TREE.function(node).filter(|_| rest <= found.1) {
                found = (row, rest);
            }
        }
        if wire.leads_back() {
            break;
        }
    }
    found
}
