//! Where the registers of the guest stand while a block runs.
//!
//! Where blocks meet, pinned registers stand in their registers of the host and the others in
//! memory behind RBP (their slots). In between, a register without a pin may stand in any free
//! register of the host, share one with registers of the same value, or be a known constant, and
//! its slot may be out of date until [`Allocation::flush`]. A pinned register always stands in its
//! pin, which others may share until it is written.
//!
//! What must never happen: a value that nobody can tell any more. [`Allocation::reveal`] tells all
//! of them at any instruction.

use crate::assembler::{
    Assembler, Host, Place, R8, R9, R10, R11, R12, R13, RAX, RBP, RBX, RCX, RDI, RDX, RSI, Store,
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
    pins: Pins,
    /// Registers of the host that are pins.
    pinned: u16,
    next: [Next; 32],
    /// Registers of the host that the current instruction works with.
    locked: u16,
    /// Sources of the current instruction that nobody sees afterwards.
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

fn registers(mask: u32) -> impl Iterator<Item = u8> {
    (0..32).filter(move |register| mask & bit(*register) != 0)
}

impl Allocation {
    /// As it is where blocks meet. `top` says what becomes of the registers.
    pub(crate) fn new(pins: &Pins, top: [Next; 32]) -> Self {
        let mut allocation = Self {
            values: [Value::Slot; 32],
            dirty: 0,
            holds: [0; 16],
            pins: pins.clone(),
            pinned: 0,
            next: top,
            locked: 0,
            dying: 0,
            failed: false,
        };
        for (register, host) in pins.iter() {
            allocation.pinned |= 1 << host.0;
            allocation.attach(register, host);
        }
        allocation
    }

    /// An instruction begins that names these registers.
    pub(crate) fn start(&mut self, sources: [u8; 2], destination: Option<u8>, behind: Behind) {
        for (register, next) in sources.into_iter().zip(behind.sources) {
            self.note(register, next);
            if let Value::Host(host) = self.value(register) {
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
            if self.pins.get(register).is_none() {
                self.forget(register);
            }
        }
        self.locked = 0;
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

    fn is_pin(&self, host: Host) -> bool {
        self.pinned & 1 << host.0 != 0
    }

    fn lock(&mut self, host: Host) {
        self.locked |= 1 << host.0;
    }

    /// The current instruction is done with a register of the guest.
    pub(crate) fn unlock(&mut self, register: u8) {
        if let Value::Host(host) = self.value(register) {
            self.locked &= !(1 << host.0);
        }
    }

    /// The register stands nowhere but in its slot.
    fn forget(&mut self, register: u8) {
        self.detach(register, Value::Slot);
        self.dirty &= !bit(register);
    }

    fn detach(&mut self, register: u8, value: Value) {
        if let Value::Host(host) = self.value(register)
            && let Some(holds) = self.holds.get_mut(usize::from(host.0))
        {
            *holds &= !bit(register);
        }
        if let Some(place) = self.values.get_mut(usize::from(register)) {
            *place = value;
        }
    }

    fn attach(&mut self, register: u8, host: Host) {
        self.detach(register, Value::Host(host));
        if let Some(holds) = self.holds.get_mut(usize::from(host.0)) {
            *holds |= bit(register);
        }
    }

    /// Do both hold the same, as far as can be seen?
    pub(crate) fn are_same(&self, a: u8, b: u8) -> bool {
        a == b || matches!(self.value(a), Value::Host(_)) && self.value(a) == self.value(b)
    }

    /// Is the pin of one register where the other stands?
    pub(crate) fn is_pinned_where(&self, register: u8, other: u8) -> bool {
        self.pins.get(register).is_some_and(|pin| self.value(other) == Value::Host(pin))
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
            self.unshare(code, rd, pin);
            return pin;
        }
        let ours = self.dying | bit(rd);
        let is_ours = |host: &Host| {
            let holds = self.holds(*host);
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

    /// Who shares a pin moves out, before it is written.
    fn unshare(&mut self, code: &mut Assembler, rd: u8, pin: Host) {
        let others = self.holds(pin) & !bit(rd) & !self.dying;
        if others == 0 {
            return;
        }
        let again = registers(others).map(|other| self.next(other).read_at()).min();
        let again = again.filter(|again| *again != u32::MAX);
        match again.and_then(|again| self.take(code, again)) {
            Some(host) => {
                code.mov(host, Place::Register(pin));
                for other in registers(others) {
                    self.attach(other, host);
                }
            }
            None => {
                for other in registers(others) {
                    self.put_away(code, other, pin);
                }
            }
        }
    }

    /// The result of `rd` is made in a register of the host.
    pub(crate) fn define(&mut self, rd: u8, host: Host) {
        for other in registers(self.holds(host) & !bit(rd)) {
            self.forget(other);
        }
        self.attach(rd, host);
        if self.pins.get(rd).is_none() {
            self.dirty |= bit(rd);
        }
    }

    /// A result that stands in a register of the host which [`Self::fix`] gave.
    pub(crate) fn define_from(&mut self, code: &mut Assembler, rd: u8, host: Host) {
        match self.pins.get(rd) {
            Some(pin) => {
                self.unshare(code, rd, pin);
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
                self.unshare(code, rd, pin);
                code.set(Place::Register(pin), value);
                self.define(rd, pin);
            }
            None => {
                self.detach(rd, Value::Constant(value));
                self.dirty |= bit(rd);
            }
        }
    }

    /// `rd` becomes what `rs` is.
    pub(crate) fn copy(&mut self, code: &mut Assembler, rd: u8, rs: u8) {
        if self.are_same(rd, rs) {
            return;
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
            }
        }
    }

    /// Frees registers of the host that an instruction needs as such. Before all sources.
    pub(crate) fn fix(&mut self, code: &mut Assembler, hosts: &[Host]) {
        for host in hosts {
            self.evict(code, *host);
            self.lock(*host);
        }
    }

    /// A free register of the host, if all that stands in it is read later than `before`.
    fn take(&mut self, code: &mut Assembler, before: u32) -> Option<Host> {
        let free = |host: &Host| !self.is_pin(*host) && self.locked & 1 << host.0 == 0;
        let read_at = |host: &Host| {
            let holds = registers(self.holds(*host));
            holds.map(|register| self.next(register).read_at()).min().unwrap_or(u32::MAX)
        };
        let empty = HOSTS.into_iter().filter(free).find(|host| self.holds(*host) == 0);
        let host = empty.or_else(|| {
            let last = HOSTS.into_iter().filter(free).max_by_key(read_at);
            last.filter(|host| read_at(host) > before)
        })?;
        self.evict(code, host);
        self.lock(host);
        Some(host)
    }

    /// A register of the host for something in between.
    pub(crate) fn scratch(&mut self, code: &mut Assembler) -> Host {
        self.claim(code)
    }

    fn claim(&mut self, code: &mut Assembler) -> Host {
        self.take(code, 0).unwrap_or_else(|| {
            self.failed = true;
            RAX
        })
    }

    fn evict(&mut self, code: &mut Assembler, host: Host) {
        for register in registers(self.holds(host)) {
            self.put_away(code, register, host);
        }
    }

    fn put_away(&mut self, code: &mut Assembler, register: u8, host: Host) {
        if self.dirty & bit(register) != 0 {
            code.store(Store::Word, slot(register), host);
        }
        self.forget(register);
    }

    /// Brings all slots up to date. Flags stay.
    pub(crate) fn flush(&mut self, code: &mut Assembler) {
        for register in registers(self.dirty) {
            match self.value(register) {
                Value::Host(host) => code.store(Store::Word, slot(register), host),
                Value::Constant(value) => code.set(slot(register), value),
                Value::Slot => {}
            }
        }
        self.dirty = 0;
    }

    /// What the registers of the guest hold, from their slots and the registers of the host.
    pub(crate) fn reveal(&self, hosts: &[u32; 16], registers: &mut [u32; 32]) {
        for (register, value) in registers.iter_mut().zip(self.values) {
            match value {
                Value::Slot => {}
                Value::Constant(value) => *register = value,
                Value::Host(Host(host)) => {
                    *register = hosts.get(usize::from(host)).copied().unwrap_or(0);
                }
            }
        }
    }
}
