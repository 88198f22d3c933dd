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
use crate::syscall::{HostFault, MAX_ARGUMENTS, Reply, Signature, Syscall, SystemCalls, TraceStep};

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
}

/// The event parameter buffer that the client registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventBuffer {
    pub(crate) address: u32,
    pub(crate) elements: u32,
}

impl Calls {
    pub(crate) fn new(monitor: PolicyMonitor) -> Self {
        let providers = Providers::default();
        Self { monitor, providers, handler: None, buffer: None, traced: true, charged: 0 }
    }

    /// What a clone of the client has.
    pub(crate) fn without_providers(&self) -> Self {
        let Self { monitor, handler, buffer, charged, .. } = self;
        let (handler, buffer, charged) = (*handler, *buffer, *charged);
        Self { handler, buffer, charged, ..Self::new(monitor.beside()) }
    }
}

/// How the calls of one event are made.
pub(crate) struct Calling<'a> {
    pub(crate) event: Event,
    pub(crate) text: &'a DecodedText,
    pub(crate) limits: &'a Limits,
    pub(crate) calls: &'a mut Calls,
    pub(crate) host: &'a mut dyn SystemCalls,
    /// How a call that an engine made ended the client.
    pub(crate) ended: Option<Outcome>,
}

impl Calling<'_> {
    /// Makes one call; `false` when it ended the client, and `ended` says how. The PC is behind
    /// the TRAP, which has not retired yet.
    // spec: X-T01 X-T02 X-T04 X-T05 X-T06 X-T07 X-T08 X-56 X-54
    #[inline(never)]
    pub(crate) fn trap(&mut self, machine: &mut Machine, id: u16) -> bool {
        let return_pc = self.text.address(machine.registers.pc);
        let stack = machine.registers.get(SP);
        machine.registers.set(RETURN_PC, return_pc);
        self.trace(|| TraceStep::Trap { id, stack, return_pc });

        let Some(signature) = Signature::of_id(id) else { return self.unknown(return_pc, id) };
        let call = signature.call;
        let provider = self.calls.providers.get(id);
        let (count, is_plain) = match provider {
            None => (signature.arguments as usize, !signature.is_special),
            Some(provider) => (provider.arguments, false),
        };
        let mut args = [0; MAX_ARGUMENTS];
        let popped = pop(&machine.memory, stack, count, &mut args);

        let permitted = match self.calls.monitor.check(self.event, id) {
            Ok(permitted) => permitted,
            Err(reason) => return self.denied(return_pc, id, reason),
        };
        if popped.is_none() {
            return self.violation(return_pc, ViolationKind::Stack { call, stack });
        }
        let args = args.get(..count).unwrap_or_default();
        let stack = stack.wrapping_add(count as u32 * 4);
        machine.registers.set(SP, stack);

        // The TRAP retires, whatever becomes of it; the host's work is charged for.
        let left = machine.left.saturating_sub(1);
        let cost = signature.charge(args);
        machine.left = left.saturating_sub(cost);
        if cost > left {
            machine.left = left;
            return self.end(Outcome::OutOfBudget { event: self.event });
        }
        self.calls.charged += cost;
        let answer = if is_plain {
            self.host.call(permitted, call, args, &mut machine.memory)
        } else {
            self.special(permitted, call, args, &mut machine.memory)
        };
        let reply = match answer {
            Ok(reply) => reply,
            Err(fault) => return self.failed(return_pc, call, fault),
        };
        machine.registers.set(RESULT, reply.result);
        machine.registers.set(STATUS, reply.status as u32);
        // The PC is what x31 holds: it stood behind the TRAP when x31 was set, and neither has
        // changed since.
        if is_plain && !self.calls.traced {
            return true;
        }
        let by_provider = !call.is_internal() && self.calls.providers.get(id).is_some();
        self.trace(|| TraceStep::Called { call, args, stack, reply, by_provider });
        if call == Syscall::Exit {
            return self.end(Outcome::Exited(reply.result));
        }
        self.trace(|| TraceStep::Resumed { pc: return_pc });
        true
    }

    /// A call that the machine itself or a provider answers.
    #[cold]
    #[inline(never)]
    fn special(
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
        self.ended = Some(outcome);
        false
    }

    /// By the TRAP before this address.
    #[cold]
    fn violation(&mut self, return_pc: u32, kind: ViolationKind) -> bool {
        let pc = return_pc.wrapping_sub(4);
        self.end(Outcome::Violation(Violation { event: self.event, pc, kind }))
    }

    #[cold]
    fn denied(&mut self, return_pc: u32, id: u16, reason: Denied) -> bool {
        let event = self.event;
        self.trace(|| TraceStep::Denied { id, event });
        self.violation(return_pc, ViolationKind::Denied { id, reason })
    }

    /// The table does not have the call. The monitor is asked first all the same.
    #[cold]
    fn unknown(&mut self, return_pc: u32, id: u16) -> bool {
        match self.calls.monitor.check(self.event, id) {
            Ok(_) => self.violation(return_pc, ViolationKind::UnknownCall(id)),
            Err(reason) => self.denied(return_pc, id, reason),
        }
    }

    /// What it means that a call was not answered.
    #[cold]
    fn failed(&mut self, return_pc: u32, call: Syscall, fault: HostFault) -> bool {
        let kind = match fault {
            HostFault::Memory(fault) => ViolationKind::Pointer { call, fault },
            HostFault::NoSuchCall if call.is_internal() => ViolationKind::Registration(call),
            HostFault::NoSuchCall => ViolationKind::UnknownCall(call.id()),
            HostFault::NotListed(what) => ViolationKind::NotListed { call, what },
            HostFault::Host(what) => return self.end(Outcome::Fault(Fault::Host { call, what })),
        };
        self.violation(return_pc, kind)
    }

    #[cold]
    /// The calls that the machine answers itself; `None` when the registration is not legal.
    // spec: X-E02 X-E03
    fn internal(&mut self, memory: &GuestMemory, call: Syscall, args: &[u32]) -> Option<Reply> {
        let Self { event, text, limits, calls, .. } = self;
        let event = *event;
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

/// Pops the parameters: the last pushed lies lowest. `None` when they are not in memory that the
/// client may write, as a stack must be.
// defends: T-28
#[inline(always)]
fn pop(
    memory: &GuestMemory,
    stack: u32,
    count: usize,
    args: &mut [u32; MAX_ARGUMENTS],
) -> Option<()> {
    let words = memory.stack_words(stack, count)?;
    for (argument, word) in args.iter_mut().zip(words.iter().rev()) {
        *argument = u32::from_le_bytes(*word);
    }
    Some(())
}
