//! Where the registers of the guest stand while a block runs.
//!
//! Where blocks meet, pinned registers stand in their registers of the host and the others in
//! memory behind RBP (their slots). In between, a register may stand in any free register of the
//! host, share one with registers of the same value, be a known constant, or wait to be made of
//! another, and its slot may be out of date. [`Allocation::flush`] ends that. Pins are
//! only ever given to their own registers; others may share them until they are written.
//!
//! What must never happen: a value that nobody can tell any more. [`Allocation::reveal`] tells all
//! of them at any instruction.

mod upkeep;
mod waiting;

pub(crate) use waiting::{Step, Waiting};

use crate::assembler::{
    Assembler, Host, Place, R8, R9, R10, R11, R12, R13, RAX, RBP, RBX, RCX, RDI, RDX, RSI,
};
use crate::pins::Pins;
use crate::uses::{Behind, Next};

/// Registers of the host that can hold a register of the guest.
const HOSTS: [Host; 12] = [RAX, RCX, RDX, RBX, RSI, RDI, R8, R9, R10, R11, R12, R13];

/// Where a register of the guest stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Value {
    Slot,
    Host(Host),
    Constant(u32),
    /// Made of a register of the host when it is needed.
    Waits(Waiting),
}

/// Something an instruction can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operand {
    At(Place),
    Constant(u32),
}

impl Operand {
    /// The register it is in, if any.
    pub(crate) fn host(self) -> Option<Host> {
        match self {
            Self::At(Place::Register(host)) => Some(host),
            _ => None,
        }
    }
}

/// The state at one place of the code.
#[derive(Clone, Debug)]
pub(crate) struct Allocation {
    values: [Value; 32],
    /// Registers of the guest whose slots are out of date.
    dirty: u32,
    /// The registers of the guest in each register of the host.
    holds: [u32; 16],
    /// The registers of the guest whose values lean on a register of the host.
    leans: [u32; 16],
    pins: Pins,
    /// Registers of the host that are pins.
    pinned: u16,
    next: [Next; 32],
    /// Registers of the guest that stand where a copy of theirs does, while their own pins hold the
    /// same still.
    intact: u32,
    /// Registers of the host that the current instruction works with.
    locked: u16,
    /// Sources of the current instruction.
    sources: u32,
    /// Those that nobody sees afterwards.
    dying: u32,
    /// There was no free register of the host: the code is not to be used.
    pub(crate) failed: bool,
}

/// Where a register of the guest stands in memory.
pub(crate) fn slot(register: u8) -> Place {
    Place::Memory { base: RBP, index: None, displacement: i32::from(register) * 4 }
}

fn bit(register: u8) -> u32 {
    1 << (register & 31)
}

/// The registers of a set of bits.
pub(crate) fn registers(mut mask: u32) -> impl Iterator<Item = u8> {
    core::iter::from_fn(move || {
        let register = mask.trailing_zeros() as u8;
        mask &= mask.wrapping_sub(1);
        (register < 32).then_some(register)
    })
}

impl Allocation {
    /// As it is where blocks meet. `top` says what becomes of the registers.
    pub(crate) fn new(pins: &Pins, top: [Next; 32]) -> Self {
        let mut allocation = Self {
            values: [Value::Slot; 32],
            dirty: 0,
            holds: [0; 16],
            leans: [0; 16],
            pins: pins.clone(),
            pinned: 0,
            next: top,
            intact: 0,
            locked: 0,
            sources: 0,
            dying: 0,
            failed: false,
        };
        for (register, host) in pins.iter() {
            allocation.pinned |= 1 << host.0;
            allocation.attach(register, host);
            allocation.dirty |= bit(register);
        }
        allocation
    }

    /// An instruction begins that names these registers.
    pub(crate) fn start(&mut self, sources: [u8; 2], destination: Option<u8>, behind: Behind) {
        for (register, next) in sources.into_iter().zip(behind.sources) {
            self.note(register, next);
            self.sources |= bit(register);
            if let Value::Host(host) | Value::Waits(Waiting { host, .. }) = self.value(register) {
                self.lock(host);
            }
            if next.is_dead {
                self.dying |= bit(register);
            }
        }
        if let Some(register) = destination {
            self.note(register, behind.destination);
            self.dying &= !bit(register);
        }
    }

    fn note(&mut self, register: u8, next: Next) {
        if let Some(place) = self.next.get_mut(usize::from(register)) {
            *place = next;
        }
    }

    /// It ends: what it used is free again, and what nobody sees any more is forgotten.
    pub(crate) fn finish(&mut self, destination: Option<u8>) {
        let unseen = destination.filter(|register| self.next(*register).is_dead);
        for register in registers(self.dying).chain(unseen) {
            self.forget(register);
        }
        self.locked = 0;
        self.sources = 0;
        self.dying = 0;
    }

    fn next(&self, register: u8) -> Next {
        self.next.get(usize::from(register)).copied().unwrap_or(Next::END)
    }

    fn value(&self, register: u8) -> Value {
        self.values.get(usize::from(register)).copied().unwrap_or(Value::Slot)
    }

    fn holds(&self, host: Host) -> u32 {
        self.holds.get(usize::from(host.0)).copied().unwrap_or(0)
    }

    fn leans(&self, host: Host) -> u32 {
        self.leans.get(usize::from(host.0)).copied().unwrap_or(0)
    }

    fn is_pin(&self, host: Host) -> bool {
        self.pinned & 1 << host.0 != 0
    }

    fn lock(&mut self, host: Host) {
        self.locked |= 1 << host.0;
    }

    /// The register stands nowhere but in its slot.
    fn forget(&mut self, register: u8) {
        self.assign(register, Value::Slot);
        self.dirty &= !bit(register);
    }

    fn assign(&mut self, register: u8, value: Value) {
        self.intact &= !bit(register);
        let before = self.value(register);
        if let Some(mask) = self.mask(before) {
            *mask &= !bit(register);
        }
        if let Some(mask) = self.mask(value) {
            *mask |= bit(register);
        }
        if let Some(place) = self.values.get_mut(usize::from(register)) {
            *place = value;
        }
    }

    /// Where it is noted who has such a value.
    fn mask(&mut self, value: Value) -> Option<&mut u32> {
        match value {
            Value::Host(host) => self.holds.get_mut(usize::from(host.0)),
            Value::Waits(Waiting { host, .. }) => self.leans.get_mut(usize::from(host.0)),
            Value::Slot | Value::Constant(_) => None,
        }
    }

    fn attach(&mut self, register: u8, host: Host) {
        self.assign(register, Value::Host(host));
    }

    /// Do both hold the same, as far as can be seen?
    pub(crate) fn are_same(&self, a: u8, b: u8) -> bool {
        a == b || self.value(a) != Value::Slot && self.value(a) == self.value(b)
    }

    /// What a register is still to be made of.
    pub(crate) fn waiting(&self, register: u8) -> Option<Waiting> {
        match self.value(register) {
            Value::Waits(waiting) => Some(waiting),
            _ => None,
        }
    }

    /// Lets a result wait until it is needed.
    pub(crate) fn defer(&mut self, rd: u8, waiting: Waiting) {
        self.assign(rd, Value::Waits(waiting));
        self.dirty |= bit(rd);
    }

    /// A source, wherever it stands; loaded when that pays.
    pub(crate) fn operand(&mut self, code: &mut Assembler, register: u8) -> Operand {
        match self.value(register) {
            _ if register == 0 => Operand::Constant(0),
            Value::Constant(value) => Operand::Constant(value),
            Value::Host(host) => {
                self.lock(host);
                Operand::At(Place::Register(host))
            }
            Value::Waits(waiting) => match self.settle(code, register, waiting) {
                Some(host) => Operand::At(Place::Register(host)),
                None => {
                    self.put_away(code, register, waiting.host);
                    Operand::At(slot(register))
                }
            },
            Value::Slot => {
                let again = self.next(register).read_at();
                let host = (again != u32::MAX).then(|| self.take(code, again)).flatten();
                let Some(host) = host else { return Operand::At(slot(register)) };
                code.mov(host, slot(register));
                self.attach(register, host);
                Operand::At(Place::Register(host))
            }
        }
    }

    /// A source in a register of the host.
    pub(crate) fn source(&mut self, code: &mut Assembler, register: u8) -> Host {
        match self.operand(code, register) {
            Operand::At(Place::Register(host)) => host,
            Operand::At(memory) => {
                let host = self.claim(code);
                code.mov(host, memory);
                self.attach(register, host);
                host
            }
            Operand::Constant(value) => {
                let host = self.claim(code);
                code.set(Place::Register(host), value);
                if register != 0 {
                    self.attach(register, host);
                }
                host
            }
        }
    }

    /// The register of the host in which a result is made; not `avoid`, if there is a choice.
    /// Until [`Self::define`] everything stands where it stood.
    pub(crate) fn target(&mut self, code: &mut Assembler, rd: u8, avoid: Option<Host>) -> Host {
        if let Some(pin) = self.pins.get(rd) {
            self.unshare(code, rd, pin, self.dying);
            return pin;
        }
        let ours = self.dying | bit(rd);
        let is_ours = |host: &Host| {
            let holds = self.holds(*host) | self.leans(*host);
            holds != 0 && holds & !ours == 0 && !self.is_pin(*host) && Some(*host) != avoid
        };
        let own = match self.value(rd) {
            Value::Host(host) => Some(host).filter(is_ours),
            _ => None,
        };
        let host = own.or_else(|| HOSTS.into_iter().find(is_ours));
        let host = host.unwrap_or_else(|| self.claim(code));
        self.lock(host);
        host
    }

    /// The result of `rd` is made in a register of the host.
    pub(crate) fn define(&mut self, rd: u8, host: Host) {
        for other in registers((self.holds(host) | self.leans(host)) & !bit(rd)) {
            self.forget(other);
        }
        self.attach(rd, host);
        self.dirty |= bit(rd);
    }

    /// A result that stands in a register of the host which [`Self::fix`] gave.
    pub(crate) fn define_from(&mut self, code: &mut Assembler, rd: u8, host: Host) {
        match self.pins.get(rd) {
            Some(pin) => {
                self.unshare(code, rd, pin, self.dying);
                code.mov(pin, Place::Register(host));
                self.define(rd, pin);
            }
            None => self.define(rd, host),
        }
    }

    /// `rd` becomes a known value.
    pub(crate) fn constant(&mut self, code: &mut Assembler, rd: u8, value: u32) {
        match self.pins.get(rd) {
            Some(pin) => {
                self.unshare(code, rd, pin, self.dying);
                code.set(Place::Register(pin), value);
                self.define(rd, pin);
            }
            None => {
                self.assign(rd, Value::Constant(value));
                self.dirty |= bit(rd);
            }
        }
    }

    /// `rd` becomes what `rs` is.
    pub(crate) fn copy(&mut self, code: &mut Assembler, rd: u8, rs: u8) {
        if self.are_same(rd, rs) {
            return;
        }
        if let Some(waiting) = self.waiting(rs) {
            return self.defer(rd, waiting);
        }
        match self.operand(code, rs) {
            Operand::Constant(value) => self.constant(code, rd, value),
            Operand::At(Place::Register(host)) if self.pins.get(rd).is_none() => {
                self.attach(rd, host);
                self.dirty |= bit(rd);
            }
            Operand::At(from) => {
                let to = self.target(code, rd, None);
                code.mov(to, from);
                self.define(rd, to);
                // What is made of one and of the other is made of the same then.
                let home = self.pins.get(rs).map(Value::Host);
                if home == Some(self.value(rs)) && self.pins.get(rd).is_some() {
                    self.attach(rs, to);
                    self.intact |= bit(rs);
                }
            }
        }
    }
}
