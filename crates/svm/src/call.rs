//! The system call sequence of one TRAP.
//!
//! Clause: X.1198 7.6: PC to r31, parameters on the stack, TRAP, handler with (id, stack address),
//! pops, policy monitor, provider or native function, PC from r31. TRAP itself saves the PC (the
//! text names that step before the pushes), and it saves the address after the TRAP. The guest
//! stands still meanwhile and the host cannot enter it, so x31 does not change in between. What
//! must never happen: a host function runs without [`crate::CallPermitted`].

use crate::abi;
use crate::clib;
use crate::client::{Client, EventBuffer};
use crate::event::Event;
use crate::memory::GuestSlice;
use crate::outcome::{Fault, Outcome, Violation, ViolationKind};
use crate::syscall::{HostFault, MAX_ARGUMENTS, Reply, Signature, Syscall, SystemCalls, TraceStep};

const SP: u8 = 2;
const RESULT: u8 = 10;
const STATUS: u8 = 11;
const RETURN_PC: u8 = 31;

impl Client {
    /// Makes one call; `Err` is the outcome that stops the client.
    // spec: X-T01 X-T02 X-T04 X-T05 X-T06 X-T07 X-T08 X-56 X-54
    #[inline]
    pub(crate) fn trap(
        &mut self,
        event: Event,
        id: u16,
        host: &mut dyn SystemCalls,
    ) -> Result<(), Outcome> {
        let return_pc = self.text.address(self.machine.registers.pc);
        let stack = self.machine.registers.get(SP);
        self.machine.registers.set(RETURN_PC, return_pc);
        if self.traced {
            host.trace(TraceStep::Trap { id, stack, return_pc });
        }

        let signature = Signature::of_id(id);
        let count = match (self.providers.get(id), signature) {
            (Some(provider), _) => provider.arguments,
            (None, Some(signature)) => signature.arguments.into(),
            (None, None) => 0,
        };
        let mut args = [0; MAX_ARGUMENTS];
        let popped = self.pop(stack, count, &mut args);

        let permitted = match self.monitor.check(event, id) {
            Ok(permitted) => permitted,
            Err(reason) => {
                if self.traced {
                    host.trace(TraceStep::Denied { id, event });
                }
                return Err(self.violation(event, ViolationKind::Denied { id, reason }));
            }
        };
        let Some(signature) = signature else {
            return Err(self.violation(event, ViolationKind::UnknownCall(id)));
        };
        let call = signature.call;
        let Some(()) = popped else {
            return Err(self.violation(event, ViolationKind::Stack { call, stack }));
        };
        let args = args.get(..count).unwrap_or_default();
        let popped_to = stack.wrapping_add(count as u32 * 4);
        self.machine.registers.set(SP, popped_to);

        self.retire();
        if self.charge(signature.charge(args)).is_none() {
            return Err(Outcome::OutOfBudget { event });
        }
        let mut by_provider = false;
        let answer = if signature.internal {
            self.internal(event, call, args).ok_or(HostFault::NoSuchCall)
        } else if let Some(provider) = self.providers.get(id) {
            by_provider = true;
            host.provided(&mut provider.function, permitted, args, &mut self.machine.memory)
        } else {
            match call {
                Syscall::CLib => clib::answer(args, &mut self.machine.memory),
                call => host.call(permitted, call, args, &mut self.machine.memory),
            }
        };
        let reply = match answer {
            Ok(reply) => reply,
            Err(fault) => return Err(self.failed(event, call, fault)),
        };
        if self.traced {
            host.trace(TraceStep::Called { call, args, stack: popped_to, reply, by_provider });
        }
        if call == Syscall::Exit {
            return Err(Outcome::Exited(reply.result));
        }
        self.machine.registers.set(RESULT, reply.result);
        self.machine.registers.set(STATUS, reply.status as u32);
        // The PC is what x31 holds: it stood behind the TRAP when x31 was set, and neither has
        // changed since.
        if self.traced {
            host.trace(TraceStep::Resumed { pc: return_pc });
        }
        Ok(())
    }

    #[cold]
    fn violation(&self, event: Event, kind: ViolationKind) -> Outcome {
        let pc = self.text.address(self.machine.registers.pc.wrapping_sub(1));
        Outcome::Violation(Violation { event, pc, kind })
    }

    /// What it means that a call was not answered.
    #[cold]
    fn failed(&self, event: Event, call: Syscall, fault: HostFault) -> Outcome {
        let kind = match fault {
            HostFault::Memory(fault) => ViolationKind::Pointer { call, fault },
            HostFault::NoSuchCall if call.is_internal() => ViolationKind::Registration(call),
            HostFault::NoSuchCall => ViolationKind::UnknownCall(call.id()),
            HostFault::NotListed(what) => ViolationKind::NotListed { call, what },
            HostFault::Host(what) => return Outcome::Fault(Fault::Host { call, what }),
        };
        self.violation(event, kind)
    }

    /// Pops the parameters: the last pushed lies lowest. `None` when they are not in memory that
    /// the client may write, as a stack must be.
    // defends: T-28
    #[inline]
    fn pop(&self, stack: u32, count: usize, args: &mut [u32; MAX_ARGUMENTS]) -> Option<()> {
        let words = self.machine.memory.stack_words(stack, count as u32)?;
        for (argument, word) in args.iter_mut().zip(words.iter().rev()) {
            *argument = u32::from_le_bytes(*word);
        }
        Some(())
    }

    #[inline]
    fn charge(&mut self, cost: u64) -> Option<()> {
        self.machine.left = self.machine.left.checked_sub(cost)?;
        self.charged += cost;
        Some(())
    }

    #[cold]
    /// The calls that the machine answers itself; `None` when the registration is not legal.
    // spec: X-E02 X-E03
    fn internal(&mut self, event: Event, call: Syscall, args: &[u32]) -> Option<Reply> {
        let (first, second) = (args.first().copied(), args.get(1).copied());
        match call {
            Syscall::SetEventHandler => {
                let legal = event == Event::Initialize && self.handler.is_none();
                self.handler = Some(self.text.index(first?).filter(|_| legal)?);
                Some(Reply::ok(0))
            }
            Syscall::SetEventParamBuffer => {
                let (address, elements) = (first?, second?);
                let legal = event == Event::Initialize
                    && self.buffer.is_none()
                    && address.is_multiple_of(4)
                    && (abi::EVENT_BUFFER_MIN..=abi::EVENT_BUFFER_MAX).contains(&elements);
                if !legal {
                    return None;
                }
                GuestSlice::writable(&self.machine.memory, address, elements.checked_mul(4)?)
                    .ok()?;
                self.buffer = Some(EventBuffer { address, elements });
                Some(Reply::ok(0))
            }
            Syscall::Exit => Some(Reply::ok(first?)),
            Syscall::HeapSize => Some(Reply::ok(self.limits.heap_bytes.min(self.limits.ram_bytes))),
            Syscall::StackSize => Some(Reply::ok(self.limits.stack_bytes & !15)),
            _ => None,
        }
    }
}
