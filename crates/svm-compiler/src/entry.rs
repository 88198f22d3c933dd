//! The routines at the start of the code memory: the way in, the ways out, and the jump by the table
//! of entries.
//!
//! In: (registers, guest, frame, target) by the System V convention. Out: RAX says in its lower
//! half where, as an index into the text, and in its upper half why. The routine that a table of
//! zeros leads to comes first: where an entry is 0 there is none yet.

use crate::allocation::slot;
use crate::assembler::{
    Alu, Assembler, Condition, Host, Place, R8, R9, R10, R11, R12, R13, R14, R15, RAX, RBP, RBX,
    RCX, RDI, RDX, RSI, RSP, Shift, Store,
};
use crate::host::arena::Width;
use crate::plan::Plan;

/// The instruction may run compiled, but it has no entry yet.
pub(crate) const RESUME: u64 = 1 << 32;
/// The budget is nearly spent.
pub(crate) const SPENT: u64 = 4 << 32;
/// A TRAP comes next; its id is in the bits from [`ID`] on.
pub(crate) const CALL: u64 = 8 << 32;
pub(crate) const ID: u32 = 48;
/// A JALR comes next that leads out of the text; [`Frame::astray`] says where.
pub(crate) const ASTRAY: u64 = 16 << 32;

/// What compiled code is entered with and leaves behind, besides registers of the guest.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Frame {
    /// The budget, and what is left of it.
    pub(crate) left: i64,
    /// The host's address of the start of the code memory.
    pub(crate) code: usize,
    /// Where a JALR leads that leaves the text: by how many instructions it is behind the start of
    /// the text, and bit 31 is its bit 1.
    pub(crate) astray: u32,
    /// After a guard page: the registers of the host by number.
    pub(crate) hosts: [u32; 16],
}

/// Where [`Frame::hosts`] begins.
const HOSTS_AT: i32 = 20;

/// The routines, and where they lie.
pub(crate) struct Routines {
    pub(crate) code: Vec<u8>,
    /// The way in.
    pub(crate) enter: u32,
    /// Here EAX says before which instruction the interpreter is needed.
    pub(crate) stop: u32,
    /// Here EAX says before which instruction the budget is nearly spent.
    pub(crate) spent: u32,
    /// Here EAX says where a JALR leads, in octets from the start of the text, and EDX which one it
    /// is. It writes no link.
    pub(crate) jump: u32,
    /// Here EDX says which JALR the interpreter is needed for.
    pub(crate) astray: u32,
    /// Where a signal leads: RAX is what it says, and R15 is what RAX was.
    pub(crate) fault: u32,
}

/// What the convention makes us keep.
const KEPT: [Host; 6] = [RBP, RBX, R12, R13, R14, R15];
/// Registers of the host, besides RAX, that hold registers of the guest.
const USED: [Host; 11] = [RCX, RDX, RBX, RSI, RDI, R8, R9, R10, R11, R12, R13];

/// Where [`Frame::astray`] begins.
const ASTRAY_AT: i32 = 16;
/// Where [`Frame::code`] lies in it, and where the way in leaves it.
const CODE_AT: i32 = 8;
const CODE_ON_STACK: i32 = 8;

fn at(base: Host, displacement: i32) -> Place {
    Place::Memory { base, index: None, displacement }
}

/// Where the table of entries is from R15, and how wide they are.
pub(crate) type Table = (i32, Width);

/// To the instruction whose index is in EAX, by the table.
pub(crate) fn jump_by_table(code: &mut Assembler, (table, width): Table) {
    match width {
        Width::Half => code.load_scaled(&[0x0F, 0xB7], RDX, R15, (RAX, 1), table),
        Width::Word => code.load_scaled(&[0x8B], RDX, R15, (RAX, 2), table),
    }
    code.alu64(Alu::Add, RDX, at(RSP, CODE_ON_STACK));
    code.jump_to(RDX);
}

/// The index in EAX of the instruction that EAX octets lead to; bit 0 falls out, and bit 1, which
/// must be zero, becomes the highest. Sets flags for whether it is outside of the text then:
/// [`Condition::AboveOrEqual`].
pub(crate) fn index(code: &mut Assembler, len: usize) {
    code.shift(Shift::Right, Place::Register(RAX), 1);
    code.shift(Shift::RotateRight, Place::Register(RAX), 1);
    code.alu_constant(Alu::Cmp, Place::Register(RAX), len as i32);
}

/// For a text of so many instructions.
pub(crate) fn routines(plan: &Plan, len: usize, table: Table) -> Option<Routines> {
    let mut code = Assembler::default();
    let (stop, resume) = (code.label(), code.label());
    code.bind(resume);
    code.set_bit64(RAX, RESUME.trailing_zeros() as u8);
    code.jump(stop);

    let enter = code.label();
    code.bind(enter);
    for host in KEPT {
        code.push(host);
    }
    code.load64(RAX, at(RDX, CODE_AT));
    code.push(RAX);
    code.push(RDX);
    code.mov64(RBP, RDI);
    code.mov64(R15, RSI);
    code.load64(R14, at(RDX, 0));
    code.mov64(RAX, RCX);
    for (register, host) in plan.pins().iter() {
        code.mov(host, slot(register));
    }
    code.jump_to(RAX);

    code.bind(stop);
    for (register, host) in plan.pins().iter() {
        code.store(Store::Word, slot(register), host);
    }
    code.pop(RCX);
    let out = code.label();
    code.bind(out);
    code.store64(at(RCX, 0), R14);
    code.pop(RDX);
    for host in KEPT.into_iter().rev() {
        code.pop(host);
    }
    code.ret();

    let spent = code.label();
    code.bind(spent);
    code.set_bit64(RAX, SPENT.trailing_zeros() as u8);
    code.jump(stop);

    let jump = code.label();
    code.bind(jump);
    index(&mut code, len);
    let astray = code.label();
    code.jump_if(Condition::AboveOrEqual, astray);
    code.test64(R14, R14);
    code.jump_if(Condition::Negative, spent);
    jump_by_table(&mut code, table);

    code.bind(astray);
    // It was paid and has not retired.
    code.alu_constant64(Alu::Add, R14, 1);
    code.load64(RCX, at(RSP, 0));
    code.store(Store::Word, at(RCX, ASTRAY_AT), RAX);
    code.mov(RAX, Place::Register(RDX));
    code.set_bit64(RAX, ASTRAY.trailing_zeros() as u8);
    code.jump(stop);

    let fault = code.label();
    code.bind(fault);
    code.pop(RBP);
    code.store(Store::Word, at(RBP, HOSTS_AT), R15);
    for host in USED {
        code.store(Store::Word, at(RBP, HOSTS_AT + i32::from(host.0) * 4), host);
    }
    code.mov64(RCX, RBP);
    code.jump(out);
    let labels = [enter, stop, spent, jump, astray, fault].map(|label| code.place(label));
    let finished = code.finish()?;
    let [enter, stop, spent, jump, astray, fault] =
        labels.map(|place| place.map(|place| finished.moved(place)));
    let (enter, stop, spent, jump) = (enter?, stop?, spent?, jump?);
    let (astray, fault) = (astray?, fault?);
    Some(Routines { code: finished.code, enter, stop, spent, jump, astray, fault })
}
