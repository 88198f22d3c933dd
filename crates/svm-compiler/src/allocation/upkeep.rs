//! Who moves out of a register of the host when it is needed, and how all stand where they belong
//! again.

use crate::assembler::{Assembler, Host, Place, RAX, Store};

use super::{Allocation, HOSTS, Value, Waiting, bit, registers, slot};

impl Allocation {
    /// Makes a shift that waited; `None` when no register of the host is free for it.
    pub(super) fn settle(
        &mut self,
        code: &mut Assembler,
        register: u8,
        waiting: Waiting,
    ) -> Option<Host> {
        let host = waiting.host;
        self.lock(host);
        let is_alone = |at: Host| (self.holds(at) | self.leans(at)) & !bit(register) == 0;
        let to = match self.pins.get(register) {
            Some(pin) if is_alone(pin) => pin,
            _ if is_alone(host) && !self.is_pin(host) => host,
            _ => self.take(code, 0)?,
        };
        waiting.make(code, to);
        self.attach(register, to);
        if (self.holds(host) | self.leans(host)) & self.sources == 0 {
            self.locked &= !(1 << host.0);
        }
        self.lock(to);
        Some(to)
    }

    /// Who shares a pin or leans on it moves out before it is written, but for some.
    pub(super) fn unshare(&mut self, code: &mut Assembler, rd: u8, pin: Host, but: u32) {
        for other in registers(self.leans(pin) & !bit(rd) & !but) {
            let Some(waiting) = self.waiting(other) else { continue };
            let again = self.next(other).read_at();
            match Some(again).filter(|again| *again != u32::MAX).and_then(|at| self.take(code, at))
            {
                Some(host) => {
                    waiting.make(code, host);
                    self.attach(other, host);
                }
                None => self.put_away(code, other, pin),
            }
        }
        for other in registers(self.holds(pin) & self.intact & !bit(rd)) {
            self.go_home(other);
        }
        let others = self.holds(pin) & !bit(rd) & !but;
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

    /// Frees registers of the host that an instruction needs as such. Before all sources.
    pub(crate) fn fix(&mut self, code: &mut Assembler, hosts: &[Host]) {
        for host in hosts {
            self.evict(code, *host);
            self.lock(*host);
        }
    }

    /// A free register of the host, if all that stands in it is read later than `before`.
    pub(super) fn take(&mut self, code: &mut Assembler, before: u32) -> Option<Host> {
        let free = |host: &Host| !self.is_pin(*host) && self.locked & 1 << host.0 == 0;
        let read_at = |host: &Host| {
            let all = registers(self.holds(*host) | self.leans(*host));
            all.map(|register| self.next(register).read_at()).min().unwrap_or(u32::MAX)
        };
        let is_empty = |host: &Host| self.holds(*host) | self.leans(*host) == 0;
        let host = HOSTS.into_iter().filter(free).find(is_empty).or_else(|| {
            // To make shifts in memory is dear.
            let key = |host: &Host| (self.leans(*host) == 0, read_at(host));
            let last = HOSTS.into_iter().filter(free).max_by_key(key);
            last.filter(|host| read_at(host) > before)
        })?;
        self.lock(host);
        self.evict(code, host);
        Some(host)
    }

    /// A register stands in its pin again, which holds the same still.
    fn go_home(&mut self, register: u8) {
        if let Some(pin) = self.pins.get(register) {
            self.attach(register, pin);
        }
    }

    /// A register of the host for something in between.
    pub(crate) fn scratch(&mut self, code: &mut Assembler) -> Host {
        self.claim(code)
    }

    pub(super) fn claim(&mut self, code: &mut Assembler) -> Host {
        self.take(code, 0).unwrap_or_else(|| {
            self.failed = true;
            RAX
        })
    }

    pub(super) fn evict(&mut self, code: &mut Assembler, host: Host) {
        for register in registers(self.holds(host) | self.leans(host)) {
            self.put_away(code, register, host);
        }
    }

    pub(super) fn put_away(&mut self, code: &mut Assembler, register: u8, host: Host) {
        if self.dirty & bit(register) != 0 {
            code.store(Store::Word, slot(register), host);
            if let Some(Waiting { step, .. }) = self.waiting(register) {
                step.make_in(code, slot(register));
            }
        }
        self.forget(register);
    }

    /// Registers stand where blocks meet again. Before the sources of an instruction that jumps.
    /// Flags may change.
    pub(crate) fn flush(&mut self, code: &mut Assembler) {
        let locked = self.locked;
        let pinned = self.pins.registers();
        for register in registers(self.dirty & !pinned) {
            match self.value(register) {
                Value::Host(host) => code.store(Store::Word, slot(register), host),
                Value::Constant(value) => code.set(slot(register), value),
                Value::Slot | Value::Waits(_) => continue,
            }
            self.dirty &= !bit(register);
        }
        for register in registers(self.dirty & !pinned) {
            let Some(waiting) = self.waiting(register) else { continue };
            match self.settle(code, register, waiting) {
                Some(host) => code.store(Store::Word, slot(register), host),
                None => self.put_away(code, register, waiting.host),
            }
            self.dirty &= !bit(register);
            self.locked = locked;
        }
        for register in registers(pinned) {
            let Some(pin) = self.pins.get(register) else { continue };
            if self.intact & bit(register) != 0 {
                self.go_home(register);
            }
            let value = self.value(register);
            match value {
                Value::Host(host) if host == pin => continue,
                Value::Host(host) | Value::Waits(Waiting { host, .. }) => self.lock(host),
                Value::Slot | Value::Constant(_) => {}
            }
            self.unshare(code, register, pin, 0);
            match value {
                Value::Host(host) => code.mov(pin, Place::Register(host)),
                Value::Waits(waiting) => waiting.make(code, pin),
                // What is pinned is no constant.
                Value::Slot | Value::Constant(_) => code.mov(pin, slot(register)),
            }
            self.attach(register, pin);
            self.dirty |= bit(register);
            self.locked = locked;
        }
    }

    /// What the registers of the guest hold, from their slots and the registers of the host.
    pub(crate) fn reveal(&self, hosts: &[u32; 16], registers: &mut [u32; 32]) {
        let of = |host: Host| hosts.get(usize::from(host.0)).copied().unwrap_or(0);
        for (register, value) in registers.iter_mut().zip(self.values) {
            match value {
                Value::Slot => {}
                Value::Constant(value) => *register = value,
                Value::Host(host) => *register = of(host),
                Value::Waits(Waiting { host, step }) => *register = step.of(of(host)),
            }
        }
    }
}
