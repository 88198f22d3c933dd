//! The system call sequence of one TRAP.
//!
//! Clause: X.1198 7.6: PC to r31, parameters on the stack, TRAP, handler with (id, stack address),
//! pops, policy monitor, provider or native function, PC from r31. TRAP itself saves the PC (the
//! text names that step before the pushes), and it saves the address after the TRAP. The guest
//! stands still meanwhile and the host cannot enter it, so x31 does not change in between. What
//! must never happen: a host function runs without [`crate::CallPermitted`].

use crate::abi;
use crate::clib;
use crate::engine::Machine;
use crate::event::Event;
use crate::memory::{GuestMemory, GuestSlice};
use crate::monitor::{CallPermitted, Denied, PolicyMonitor};
use crate::outcome::{Fault, Outcome, Violation, ViolationKind};
use crate::policy::Limits;
use crate::provider::Providers;
use crate::scan::DecodedText;
use crate::syscall::{Exchange, HostFault, Reply, Signature, Syscall, SystemCalls, TraceStep};

const SP: u8 = 2;
const RESULT: u8 = 10;
const STATUS: u8 = 11;
const RETURN_PC: u8 = 31;

/// What the calls of a client go through, and what it registered by them.
pub(crate) struct Calls {
    pub(crate) monitor: PolicyMonitor,
    pub(crate) providers: Providers,
    pub(crate) handler: Option<usize>,
    pub(crate) buffer: Option<EventBuffer>,
    /// Whether the host looks on in this event.
    pub(crate) traced: bool,
    /// Instructions charged for the host's work since the load.
    pub(crate) charged: u64,
    /// How a call ended the client.
    pub(crate) ended: Option<Outcome>,
    /// What a call that goes to the host is about.
    exchange: Exchange,
}

/// The event parameter buffer that the client registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventBuffer {
    pub(crate) address: u32,
    pub(crate) elements: u32,
}

impl Calls {
    pub(crate) fn new(monitor: PolicyMonitor) -> Self {
        Self {
            monitor,
            providers: Providers::default(),
            handler: None,
            buffer: None,
            traced: true,
            charged: 0,
            ended: None,
            exchange: Exchange::new(),
        }
    }

    /// A new event begins. Calls are plain where nobody looks on and no provider stands in.
    #[inline]
    pub(crate) fn begin_event(&mut self, event: Event) {
        self.monitor.begin_event(event, !self.traced && self.providers.is_empty());
    }

    /// What a clone of the client has.
    pub(crate) fn without_providers(&self) -> Self {
        let Self { monitor, handler, buffer, charged, .. } = self;
        let (handler, buffer, charged) = (*handler, *buffer, *charged);
        Self { handler, buffer, charged, ..Self::new(monitor.beside()) }
    }
}

/// A call that is about to go to the host. Its parameters were read.
pub(crate) struct Plain {
    permitted: CallPermitted,
    /// Octets that leave the stack.
    pops: u32,
    /// What it is charged with beside its TRAP, in instructions.
    pub(crate) cost: u64,
}

/// How the calls of one event are made.
pub(crate) struct Calling<'a> {
    pub(crate) text: &'a DecodedText,
    pub(crate) limits: &'a Limits,
    pub(crate) calls: &'a mut Calls,
    pub(crate) host: &'a mut dyn SystemCalls,
}

impl Calling<'_> {
    /// Makes one call; `false` when it ended the client, and [`Calls::ended`] says how. The PC is
    /// behind the TRAP, which has not retired yet.
    // spec: X-T01 X-T02 X-T04 X-T05 X-T06 X-T07 X-T08 X-56 X-54
    #[inline(never)]
    pub(crate) fn trap(&mut self, machine: &mut Machine, id: u16) -> bool {
        let next = machine.registers.pc;
        let Some(plain) = self.plain(machine, id, next, machine.left, Exchange::pop) else {
            return self.other(machine, id);
        };
        machine.left -= plain.cost + 1;
        self.hand_over(machine, plain) || self.not_answered(machine)
    }

    /// Takes the first steps of [`Self::other`] for a call that is permitted without a limit, that
    /// the host answers, on which nobody looks, and that is charged for less than `most`. `None`
    /// when it is not one, or must not be made, or when `pop` leaves it to others: then only x31
    /// has changed. The TRAP is the instruction before `next`.
    #[inline(always)]
    pub(crate) fn plain(
        &mut self,
        machine: &mut Machine,
        id: u16,
        next: usize,
        most: u64,
        pop: impl FnOnce(&mut Exchange, &GuestMemory, u32) -> bool,
    ) -> Option<Plain> {
        machine.registers.set(RETURN_PC, self.text.address(next));
        let signature = Signature::at(id)?;
        let Calls { exchange, monitor, .. } = &mut *self.calls;
        exchange.begin(signature, signature.arguments);
        if !pop(exchange, &machine.memory, machine.registers.get(SP)) {
            return None;
        }
        let permitted = monitor.check_plain(id)?;
        let cost = exchange.charge(signature);
        let pops = u32::from(signature.arguments) * 4;
        (cost < most).then_some(Plain { permitted, pops, cost })
    }

    /// Its other steps: the parameters leave the stack, the host's work is charged for and done.
    /// `false` when [`Self::not_answered`] comes next. The caller lets the TRAP retire, and takes
    /// the cost from what is left.
    #[inline(always)]
    pub(crate) fn hand_over(&mut self, machine: &mut Machine, plain: Plain) -> bool {
        let Plain { permitted, pops, cost } = plain;
        let stack = machine.registers.get(SP);
        machine.registers.set(SP, stack.wrapping_add(pops));
        self.calls.charged += cost;
        self.host.answer(permitted, &mut self.calls.exchange, &mut machine.memory);
        match self.calls.exchange.answer {
            Ok(reply) => {
                resume(machine, reply);
                true
            }
            Err(_) => false,
        }
    }

    /// Any other call, step by step.
    #[inline(never)]
    fn other(&mut self, machine: &mut Machine, id: u16) -> bool {
        let return_pc = machine.registers.get(RETURN_PC);
        let stack = machine.registers.get(SP);
        self.trace(|| TraceStep::Trap { id, stack, return_pc });

        let Some(signature) = Signature::of_id(id) else { return self.unknown(machine, id) };
        let call = signature.call;
        let provider = self.calls.providers.get(id);
        let count = provider.map_or(signature.arguments, |provider| provider.arguments);
        let mut exchange = Exchange::new();
        exchange.begin(signature, count);
        let is_popped = exchange.pop(&machine.memory, stack);

        let permitted = match self.calls.monitor.check_now(id) {
            Ok(permitted) => permitted,
            Err(reason) => return self.denied(machine, id, reason),
        };
        if !is_popped {
            return self.violation(machine, ViolationKind::Stack { call, stack });
        }
        let args = exchange.args().unwrap_or_default();
        let stack = stack.wrapping_add(u32::from(count) * 4);
        machine.registers.set(SP, stack);

        // The TRAP retires, whatever becomes of it; the host's work is charged for.
        machine.retire();
        let cost = exchange.charge(signature);
        if cost > machine.left {
            return self.end(Outcome::OutOfBudget { event: self.calls.monitor.event() });
        }
        machine.left -= cost;
        self.calls.charged += cost;
        let reply = match self.answer(permitted, call, args, &mut machine.memory) {
            Ok(reply) => reply,
            Err(fault) => return self.failed(machine, call, fault),
        };
        resume(machine, reply);
        let by_provider = !call.is_internal() && self.calls.providers.get(id).is_some();
        self.trace(|| TraceStep::Called { call, args, stack, reply, by_provider });
        if call == Syscall::Exit {
            return self.end(Outcome::Exited(reply.result));
        }
        self.trace(|| TraceStep::Resumed { pc: return_pc });
        true
    }

    /// By the machine itself, a provider or the host.
    fn answer(
        &mut self,
        permitted: CallPermitted,
        call: Syscall,
        args: &[u32],
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        if call.is_internal() {
            return self.internal(memory, call, args).ok_or(HostFault::NoSuchCall);
        }
        match self.calls.providers.get(call.id()) {
            Some(provider) => self.host.provided(&mut provider.function, permitted, args, memory),
            None if call == Syscall::CLib => clib::answer(args, memory),
            None => self.host.call(permitted, call, args, memory),
        }
    }

    /// Shows a step to a host that looks on.
    #[inline(always)]
    fn trace<'s>(&mut self, step: impl FnOnce() -> TraceStep<'s>) {
        #[cold]
        #[inline(never)]
        fn show(host: &mut dyn SystemCalls, step: TraceStep<'_>) {
            host.trace(step);
        }
        if self.calls.traced {
            show(self.host, step());
        }
    }

    /// The call ended the client.
    #[cold]
    fn end(&mut self, outcome: Outcome) -> bool {
        self.calls.ended = Some(outcome);
        false
    }

    /// By the TRAP that x31 leads behind.
    #[cold]
    fn violation(&mut self, machine: &Machine, kind: ViolationKind) -> bool {
        let pc = machine.registers.get(RETURN_PC).wrapping_sub(4);
        self.end(Outcome::Violation(Violation { event: self.calls.monitor.event(), pc, kind }))
    }

    #[cold]
    fn denied(&mut self, machine: &Machine, id: u16, reason: Denied) -> bool {
        let event = self.calls.monitor.event();
        self.trace(|| TraceStep::Denied { id, event });
        self.violation(machine, ViolationKind::Denied { id, reason })
    }

    /// The table does not have the call. The monitor is asked first all the same.
    #[cold]
    fn unknown(&mut self, machine: &Machine, id: u16) -> bool {
        match self.calls.monitor.check_now(id) {
            Ok(_) => self.violation(machine, ViolationKind::UnknownCall(id)),
            Err(reason) => self.denied(machine, id, reason),
        }
    }

    /// The host has not answered a plain call.
    #[cold]
    #[inline(never)]
    pub(crate) fn not_answered(&mut self, machine: &Machine) -> bool {
        let Err(fault) = self.calls.exchange.answer else { return true };
        self.failed(machine, self.calls.exchange.call(), fault)
    }

    /// What it means that a call was not answered.
    #[cold]
    fn failed(&mut self, machine: &Machine, call: Syscall, fault: HostFault) -> bool {
        let kind = match fault {
            HostFault::Memory(fault) => ViolationKind::Pointer { call, fault },
            HostFault::NoSuchCall if call.is_internal() => ViolationKind::Registration(call),
            HostFault::NoSuchCall => ViolationKind::UnknownCall(call.id()),
            HostFault::NotListed(what) => ViolationKind::NotListed { call, what },
            HostFault::Host(what) => return self.end(Outcome::Fault(Fault::Host { call, what })),
        };
        self.violation(machine, kind)
    }

    #[cold]
    /// The calls that the machine answers itself; `None` when the registration is not legal.
    // spec: X-E02 X-E03
    fn internal(&mut self, memory: &GuestMemory, call: Syscall, args: &[u32]) -> Option<Reply> {
        let Self { text, limits, calls, .. } = self;
        let event = calls.monitor.event();
        let (first, second) = (args.first().copied(), args.get(1).copied());
        match call {
            Syscall::SetEventHandler => {
                let legal = event == Event::Initialize && calls.handler.is_none();
                calls.handler = Some(text.index(first?).filter(|_| legal)?);
                Some(Reply::ok(0))
            }
            Syscall::SetEventParamBuffer => {
                let (address, elements) = (first?, second?);
                let legal = event == Event::Initialize
                    && calls.buffer.is_none()
                    && address.is_multiple_of(4)
                    && (abi::EVENT_BUFFER_MIN..=abi::EVENT_BUFFER_MAX).contains(&elements);
                if !legal {
                    return None;
                }
                GuestSlice::writable(memory, address, elements.checked_mul(4)?).ok()?;
                calls.buffer = Some(EventBuffer { address, elements });
                Some(Reply::ok(0))
            }
            Syscall::Exit => Some(Reply::ok(first?)),
            Syscall::HeapSize => Some(Reply::ok(limits.heap_bytes.min(limits.ram_bytes))),
            Syscall::StackSize => Some(Reply::ok(limits.stack_bytes & !15)),
            _ => None,
        }
    }
}

/// The answer goes to x10 and x11. The PC is what x31 holds: it stood behind the TRAP when x31 was
/// set, and neither has changed since.
#[inline(always)]
fn resume(machine: &mut Machine, reply: Reply) {
    machine.registers.set(RESULT, reply.result);
    machine.registers.set(STATUS, reply.status as u32);
}
