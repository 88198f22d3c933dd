//! The routines at the start of the code memory: the way in, and the ways out.
//!
//! In: (registers, guest, frame, target) by the System V convention. Out: RAX says in its lower
//! half where, as an index into the text, and in its upper half why.

use crate::allocation::slot;
use crate::assembler::{
    Assembler, Host, Place, R8, R9, R10, R11, R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX,
    RSI, Store,
};
use crate::plan::Plan;

/// The instruction may run compiled, but it has no entry yet.
pub(crate) const RESUME: u64 = 1 << 32;
/// The budget is nearly spent.
pub(crate) const SPENT: u64 = 4 << 32;

/// What compiled code is entered with and leaves behind, besides registers of the guest.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Frame {
    /// The budget, and what is left of it.
    pub(crate) left: i64,
    /// After a guard page: the registers of the host by number.
    pub(crate) hosts: [u32; 16],
}

/// Where [`Frame::hosts`] begins.
const HOSTS_AT: i32 = 8;

/// The routines, and where they lie.
pub(crate) struct Routines {
    pub(crate) code: Vec<u8>,
    /// Here EAX says before which instruction the interpreter is needed.
    pub(crate) stop: u32,
    /// Here EAX says before which instruction the budget is nearly spent.
    pub(crate) spent: u32,
    /// Here EAX says which instruction has no entry.
    pub(crate) resume: u32,
    /// Where a signal leads: RAX is what it says, and R15 is what RAX was.
    pub(crate) fault: u32,
}

/// What the convention makes us keep.
const KEPT: [Host; 6] = [RBP, RBX, R12, R13, R14, R15];
/// Registers of the host, besides RAX, that hold registers of the guest.
const USED: [Host; 11] = [RCX, RDX, RBX, RSI, RDI, R8, R9, R10, R11, R12, R13];

fn at(base: Host, displacement: i32) -> Place {
    Place::Memory { base, index: None, displacement }
}

pub(crate) fn routines(plan: &Plan) -> Option<Routines> {
    let mut code = Assembler::default();
    for host in KEPT {
        code.push(host);
    }
    code.push(RDX);
    code.mov64(RBP, RDI);
    code.mov64(R15, RSI);
    code.load64(R14, at(RDX, 0));
    code.mov64(RAX, RCX);
    for (register, host) in plan.pins().iter() {
        code.mov(host, slot(register));
    }
    code.jump_to(RAX);

    let stop = code.here();
    for (register, host) in plan.pins().iter() {
        code.store(Store::Word, slot(register), host);
    }
    code.pop(RCX);
    let out = code.here();
    code.store64(at(RCX, 0), R14);
    for host in KEPT.into_iter().rev() {
        code.pop(host);
    }
    code.ret();

    let resume = code.here();
    code.set_bit64(RAX, RESUME.trailing_zeros() as u8);
    code.jump_far(i64::from(stop));
    let spent = code.here();
    code.set_bit64(RAX, SPENT.trailing_zeros() as u8);
    code.jump_far(i64::from(stop));

    let fault = code.here();
    code.pop(RBP);
    code.store(Store::Word, at(RBP, HOSTS_AT), R15);
    for host in USED {
        code.store(Store::Word, at(RBP, HOSTS_AT + i32::from(host.0) * 4), host);
    }
    code.mov64(RCX, RBP);
    code.jump_far(i64::from(out));
    Some(Routines { stop, spent, resume, fault, code: code.finish()? })
}
