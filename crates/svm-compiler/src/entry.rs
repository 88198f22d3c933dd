//! The routines at the start of the code memory: the way in, and the ways out.
//!
//! In: (registers, guest, budget, target, left) by the System V convention. Out: RAX says in its
//! lower half where, as an index into the text, and in its upper half why.

use crate::assembler::{
    Assembler, Host, Place, R8, R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX, RSI, Store,
};
use crate::plan::Plan;
use crate::translate::slot;

/// The instruction may run compiled, but it has no entry yet.
pub(crate) const RESUME: u64 = 1 << 32;
/// The budget is nearly spent.
pub(crate) const SPENT: u64 = 4 << 32;

/// The routines, and where they lie.
pub(crate) struct Routines {
    pub(crate) code: Vec<u8>,
    /// Here EAX says before which instruction the interpreter is needed. RAX can say more: this is
    /// where a signal leads.
    pub(crate) stop: u32,
    /// Here EAX says before which instruction the budget is nearly spent.
    pub(crate) spent: u32,
    /// Here EAX says which instruction has no entry.
    pub(crate) resume: u32,
}

/// What the convention makes us keep.
const KEPT: [Host; 6] = [RBP, RBX, R12, R13, R14, R15];

pub(crate) fn routines(plan: &Plan) -> Option<Routines> {
    let mut assembler = Assembler::default();
    for host in KEPT {
        assembler.push(host);
    }
    assembler.push(R8);
    assembler.mov64(RBP, RDI);
    assembler.mov64(R15, RSI);
    assembler.mov64(R14, RDX);
    for (register, host) in plan.pins() {
        assembler.mov(host, slot(register));
    }
    assembler.jump_to(RCX);

    let stop = assembler.here();
    for (register, host) in plan.pins() {
        assembler.store(Store::Word, slot(register), host);
    }
    assembler.pop(RCX);
    assembler.store64(Place::Memory { base: RCX, index: None, displacement: 0 }, R14);
    for host in KEPT.into_iter().rev() {
        assembler.pop(host);
    }
    assembler.ret();

    let resume = assembler.here();
    assembler.set_bit64(RAX, RESUME.trailing_zeros() as u8);
    assembler.jump_far(i64::from(stop));
    let spent = assembler.here();
    assembler.set_bit64(RAX, SPENT.trailing_zeros() as u8);
    assembler.jump_far(i64::from(stop));
    Some(Routines { stop, spent, resume, code: assembler.finish()? })
}
